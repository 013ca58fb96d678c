"""Re-execute the notebooks and store their outputs, so that a second run changes no byte.

Run as ``python book/_ext/refresh.py`` for all notebooks, or with the paths of some.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

from isolation import leave_home_alone
from kl_book.explore.widget import VIEW

BOOK = Path(__file__).parents[1]
# A kernel that does not encrypt what it says complains of that.
ENCRYPTED = Config({"KernelManager": {"transport_encryption": "auto"}})
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def normalise(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Drop what differs between runs or machines: widget views, timings, the version of Python."""
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(VIEW, None)
    return notebook


def execute(notebook: nbformat.NotebookNode, folder: Path) -> nbformat.NotebookNode:
    """Execute a notebook in `folder`, and return it as it is stored."""
    NotebookClient(
        notebook,
        timeout=300,
        config=ENCRYPTED,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        coalesce_streams=True,
        store_widget_state=False,
    ).execute()
    return normalise(notebook)


def refresh(path: Path) -> None:
    """Execute the notebook at `path` in its own folder, and store it."""
    nbformat.write(execute(nbformat.read(path, as_version=4), path.parent), path)


def export_picture(notebook_path: Path, cell_id: str, target: Path) -> None:
    """Write the stored SVG of a cell to `target`, for pages outside the book."""
    notebook = nbformat.read(notebook_path, as_version=4)
    (cell,) = (cell for cell in notebook.cells if cell.id == cell_id)
    (svg,) = (out.data["image/svg+xml"] for out in cell.outputs if "image/svg+xml" in out.get("data", {}))
    target.write_text(svg.rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    leave_home_alone()
    for notebook_path in map(Path, sys.argv[1:]) if sys.argv[1:] else sorted(BOOK.glob("*.ipynb")):
        refresh(notebook_path)
    export_picture(BOOK / "probabilistic-learning.ipynb", "opening-picture", BOOK / "_static" / "opening.svg")
