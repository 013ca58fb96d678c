"""What every test shares: the one seed of the project, and the names that docstring examples use."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings

SEED = 20260101

# Derandomised: what passed once passes everywhere. No deadline: a loaded machine may be slow.
settings.register_profile("kl", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("kl")


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a fresh generator with the project's one seed."""
    return np.random.default_rng(SEED)
