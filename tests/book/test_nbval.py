"""nbval bites: a changed digit or a shifted pixel of a stored output makes the comparison fail."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from refresh import refresh

CELLS = [
    "from matplotlib.figure import Figure\nfrom kl_book import explore",
    "print(f'{1 / 7:.6f}')",
    "figure = Figure(figsize=(2, 2))\nfigure.subplots().plot([0, 1], [0, 1])\n"
    "explore(lambda: figure, alt='A straight line that rises from the origin to the point (1, 1)')",
]


def nbval(path: Path) -> subprocess.CompletedProcess[str]:
    """Run nbval on one notebook, as the tests of the book do."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=path.parent)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small notebook with its outputs stored as the book's are."""
    path = tmp_path_factory.mktemp("nbval") / "small.ipynb"
    cells = [nbformat.v4.new_code_cell(source, id=f"cell-{i}") for i, source in enumerate(CELLS)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    refresh(path)
    return path


def changed(stored: Path, mime: str, old: str, new: str) -> Path:
    """Write a copy in which the first match of `old` in the outputs of type `mime` is `new`."""
    notebook = nbformat.read(stored, as_version=4)
    outputs = [out for cell in notebook.cells for out in cell.outputs]
    holders = [(out, "text") for out in outputs if mime == "stream" and "text" in out]
    holders += [(out.data, mime) for out in outputs if mime in out.get("data", {})]
    holder, key = holders[0]
    holder[key], count = re.subn(old, new, holder[key], count=1)
    assert count == 1
    path = stored.with_name(f"changed-{mime.replace('/', '-')}.ipynb")
    nbformat.write(notebook, path)
    return path


def one_pixel(mime: str) -> tuple[str, str, str]:
    """Move the first line drawn in a figure by one pixel."""
    return mime, r"(<path[^>]*? d=\"[^\"]*?L ?)(\d+)", r"\g<1>1\2"


def test_an_unchanged_notebook_passes_and_a_second_refresh_changes_no_byte(stored: Path) -> None:
    run = nbval(stored)
    assert run.returncode == 0, run.stdout
    before = stored.read_bytes()
    refresh(stored)
    assert stored.read_bytes() == before


@pytest.mark.parametrize(
    "change", [("stream", "0.142857", "0.142858"), one_pixel("text/html"), one_pixel("image/svg+xml")],
    ids=["one digit of a number", "one pixel of the inline figure", "one pixel of the SVG figure"],
)  # fmt: skip
def test_a_changed_output_fails(stored: Path, change: tuple[str, str, str]) -> None:
    run = nbval(changed(stored, *change))
    assert run.returncode == 1, run.stdout
    assert "1 failed" in run.stdout
