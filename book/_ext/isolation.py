"""Keep the reader's own settings out of what is executed here, and what is executed out of the reader's home.

A start-up script of IPython, a kernel of one's own called python3 or a matplotlibrc would change the outputs.
"""

from __future__ import annotations

import os
from pathlib import Path

HOME = Path(__file__).resolve().parents[2] / "_build" / "home"


def leave_home_alone() -> None:
    """Give Jupyter, IPython and Matplotlib folders of this project, in this process and its children."""
    for variable in (
        "IPYTHONDIR",
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_DATA_DIR",
        "JUPYTER_RUNTIME_DIR",
        "MPLCONFIGDIR",
    ):
        folder = HOME / variable.lower()
        folder.mkdir(parents=True, exist_ok=True)
        os.environ[variable] = str(folder)
    os.environ.pop("JUPYTER_PATH", None)
    os.environ.pop("MATPLOTLIBRC", None)
