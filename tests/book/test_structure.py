"""What every chapter must have, whatever it is about."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
import yaml
from claims import count_asserts
from refresh import normalise

BOOK = Path(__file__).parents[2] / "book"
NUMBER = re.compile(r"(?<![\w.])\d+\.\d{2,}(?![\w.]*\d)")


def unexecuted(notebook: nbformat.NotebookNode) -> list[str]:
    """Return the ids of the code cells that were never executed."""
    return [c.id for c in notebook.cells if c.cell_type == "code" and c.execution_count is None]


def unsupported_numbers(notebook: nbformat.NotebookNode) -> list[str]:
    """Return the decimals of the prose that no cell prints, code, formulas and tags set aside."""
    prose = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    prose = re.sub(r"\$\$.*?\$\$|\$[^$]*\$|`[^`]*`|<a [^>]*>", "", prose, flags=re.DOTALL)
    outputs = (out for c in notebook.cells if c.cell_type == "code" for out in c.outputs)
    printed = " ".join(out.get("text", "") or out.get("data", {}).get("text/plain", "") for out in outputs)
    return [number for number in NUMBER.findall(prose) if number not in printed]


def alternative_texts(notebook: nbformat.NotebookNode) -> list[str]:
    """Return the alternative texts of all stored figures."""
    outputs = (out for c in notebook.cells if c.cell_type == "code" for out in c.outputs)
    html = "".join(out.get("data", {}).get("text/html", "") for out in outputs)
    return re.findall(r'role="img" aria-label="([^"]*)"', html)


def test_every_code_cell_was_executed(notebook: nbformat.NotebookNode) -> None:
    assert unexecuted(notebook) == []


def test_cells_were_executed_in_order(notebook: nbformat.NotebookNode) -> None:
    counts = [c.execution_count for c in notebook.cells if c.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


def test_an_unexecuted_cell_is_refused() -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1", id="never")])
    assert unexecuted(notebook) == ["never"]


def test_no_output_is_an_error_or_a_warning(notebook: nbformat.NotebookNode) -> None:
    outputs = [out for c in notebook.cells if c.cell_type == "code" for out in c.outputs]
    assert [out for out in outputs if out.output_type == "error" or out.get("name") == "stderr"] == []


def test_every_number_in_the_prose_is_printed_by_a_cell(notebook: nbformat.NotebookNode) -> None:
    assert unsupported_numbers(notebook) == []


def test_a_number_that_no_cell_prints_is_found() -> None:
    cells = [
        nbformat.v4.new_markdown_cell("It is 0.285, not 0.286."),
        nbformat.v4.new_code_cell("print(0.285)", outputs=[nbformat.v4.new_output("stream", text="0.285\n")]),
    ]
    assert unsupported_numbers(nbformat.v4.new_notebook(cells=cells)) == ["0.286"]


def test_figures_are_svg_with_an_alternative_text_that_says_what_is_seen(
    notebook: nbformat.NotebookNode,
) -> None:
    data = [out.get("data", {}) for c in notebook.cells if c.cell_type == "code" for out in c.outputs]
    assert not any({"image/png", "image/jpeg"} & set(bundle) for bundle in data)
    texts = alternative_texts(notebook)
    pictures = sum("image/svg+xml" in bundle for bundle in data)
    assert len(texts) == 2 * pictures > 0  # as wide as the text, and stacked for a phone
    assert all(len(text) >= 40 for text in texts)


def test_no_proof_begins_with_a_list(notebook: nbformat.NotebookNode) -> None:
    # The directive puts "Proof." before its first words, and a list after that is no list any more.
    source = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    assert re.findall(r"\{prf:proof\}[^\n]*\n(?::[^\n]*\n)*\n*((?:\d+\.|[-*]) [^\n]*)", source) == []


def test_cells_are_short(notebook: nbformat.NotebookNode) -> None:
    assert [c.id for c in notebook.cells if c.cell_type == "code" and c.source.count("\n") >= 20] == []


def test_every_chapter_says_in_the_same_words_how_to_install_what_is_missing() -> None:
    notebooks = [nbformat.read(path, as_version=4) for path in sorted(BOOK.glob("*.ipynb"))]
    cells = [next(c for c in notebook.cells if c.cell_type == "code") for notebook in notebooks]
    assert {cell.id for cell in cells} == {"install"}
    assert all("remove-cell" in cell.metadata.tags for cell in cells)
    (source,) = {cell.source for cell in cells}
    missing = source.replace("kl_lib", "no_such_library")
    with pytest.raises(ModuleNotFoundError, match=r"^no_such_library is not installed: .*`pip install"):
        exec(missing, {})


def test_a_chapter_states_its_objectives_and_prerequisites_first(notebook: nbformat.NotebookNode) -> None:
    opening = notebook.cells[0].source
    assert opening.startswith("# ")
    assert "**After this chapter you can**" in opening
    assert "**You need**" in opening
    assert "notation.md" in opening


def test_a_chapter_ends_with_three_to_five_exercises_and_asserted_solutions(
    notebook: nbformat.NotebookNode,
) -> None:
    source = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    exercises = re.findall(r"\{exercise\}[^\n]*\n:label: (\S+)", source)
    assert 3 <= len(exercises) <= 5
    assert re.findall(r"\{solution-start\} (\S+)", source) == exercises
    solutions = [c.source for c in notebook.cells if c.id.startswith("solution-")]
    assert len(solutions) == len(exercises)
    assert all(map(count_asserts, solutions))


def test_a_second_refresh_would_change_no_byte(path: Path, notebook: nbformat.NotebookNode) -> None:
    assert nbformat.writes(normalise(notebook)) + "\n" == path.read_text(encoding="utf-8")


def test_every_notebook_is_in_the_table_of_contents(path: Path) -> None:
    toc = yaml.safe_load((path.parents[1] / "_toc.yml").read_text(encoding="utf-8"))
    files = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    assert f"book/{path.stem}" in files


@pytest.mark.parametrize("page", ["README.md"])
def test_the_picture_outside_the_book_is_the_one_inside(page: str) -> None:
    root = Path(__file__).parents[2]
    notebook = nbformat.read(root / "book" / "probabilistic-learning.ipynb", as_version=4)
    (cell,) = (c for c in notebook.cells if c.id == "opening-picture")
    picture = root / "book" / "_static" / "opening.svg"
    assert picture.read_text(encoding="utf-8") == cell.outputs[0].data["image/svg+xml"].rstrip() + "\n"
    assert "book/_static/opening.svg" in (root / page).read_text(encoding="utf-8")
