"""What holds for every test: no settings but the project's, and the names that docstring examples use."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from isolation import leave_home_alone
from scipy import stats


def pytest_configure(config: pytest.Config) -> None:
    """Isolate the run; list the fonts once, before several kernels do and complain that it takes long."""
    leave_home_alone()
    if not hasattr(config, "workerinput") and find_spec("matplotlib"):
        import_module("matplotlib.font_manager")


@pytest.fixture(autouse=True)
def _doctest_names(doctest_namespace: dict[str, Any]) -> None:
    doctest_namespace.update(np=np, stats=stats, rng=np.random.default_rng(0))
