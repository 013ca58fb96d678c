"""Names that the examples in docstrings take for granted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats


@pytest.fixture(autouse=True)
def _doctest_names(doctest_namespace: dict[str, Any]) -> None:
    doctest_namespace.update(np=np, stats=stats, rng=np.random.default_rng(0))
