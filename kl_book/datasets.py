"""The data of the book, from CSV files in `kl_book/data/`, whose README says where they come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FOLDER = Path(__file__).with_name("data")


def read(name: str) -> dict[str, NDArray[Any]]:
    """Return the columns of a table, (rows,) each.

    Examples
    --------
    >>> from kl_book import datasets
    >>> datasets.read("eight_schools")["effect"]
    array([28,  8, -3,  7, -1,  1, 18, 12])
    """
    path = _FOLDER / f"{name}.csv"
    table: NDArray[Any] = np.genfromtxt(path, delimiter=",", names=True, dtype=None, encoding="utf-8")
    return {column: table[column] for column in table.dtype.names or ()}
