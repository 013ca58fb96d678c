"""The data sets that chapters load, from `kl_book/data/`, whose README says where each comes from."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kl_lib.types import Array

_DATA = Path(__file__).with_name("data")


def old_faithful() -> Array:
    """Return the lengths of 272 eruptions of the geyser and the waits for the next, in minutes, (272, 2)."""
    return np.loadtxt(_DATA / "old_faithful.csv", delimiter=",", skiprows=1)
