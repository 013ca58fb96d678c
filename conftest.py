"""What holds for every test: no settings but the project's."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import pytest
from isolation import leave_home_alone


def pytest_configure(config: pytest.Config) -> None:
    """Isolate the run; list the fonts once, before several kernels do and complain that it takes long."""
    leave_home_alone()
    if not hasattr(config, "workerinput") and find_spec("matplotlib"):
        import_module("matplotlib.font_manager")
