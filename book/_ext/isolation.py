"""Keep the reader's own settings out of what is executed here, and what is executed out of the reader's home.

A start-up script of IPython, a kernel of one's own called python3 or a matplotlibrc would change the outputs.
"""

from __future__ import annotations

import os
from pathlib import Path

HOME = Path(__file__).resolve().parents[2] / "_build" / "home"
FOLDERS = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR")


def leave_home_alone() -> None:
    """Give Jupyter, IPython and Matplotlib folders of this project, in this process and its children.

    Where the reader has no home that can be written to, everything else that wants one gets it here too.
    """
    for variable in FOLDERS:
        folder = HOME / variable.lower()
        folder.mkdir(parents=True, exist_ok=True)
        os.environ[variable] = str(folder)
    for variable in ("JUPYTER_PATH", "MATPLOTLIBRC"):
        os.environ.pop(variable, None)
    if not os.access(Path.home(), os.W_OK):
        os.environ["HOME"] = str(HOME)
