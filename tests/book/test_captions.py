"""Every figure has a caption before it, and what a caption sets is on the sliders of its figure."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import nbformat
import pytest
from captions import SETTING, VALUE

BOOK = Path(__file__).parents[2] / "book"
CAPTION = re.compile(
    r"^:::\{caption\} (?P<title>[^\n]+)\n:label: (?P<label>fig-[\w-]+)\n\n(?P<text>.+)\n:::$", re.DOTALL
)
TRY = re.compile(r"\{try\}`([^`]*)`")
REFERENCE = re.compile(r"\{numref\}`(?:[^`<]*<)?(fig-[\w-]+)>?`")


def drawn(cell: nbformat.NotebookNode) -> str:
    """Return the HTML of the figure that a cell shows, nothing if it shows none."""
    bundles = [out.get("data", {}).get("text/html", "") for out in cell.get("outputs", [])]
    return next((html for html in bundles if 'class="kl-figure' in html), "")


def captioned(notebook: nbformat.NotebookNode) -> list[tuple[str, str]]:
    """Return each caption with the HTML of the figure that follows it; cells in between are code."""
    pairs, waiting = [], ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            assert not waiting, f"no figure follows {waiting[:60]}"
            waiting = cell.source if cell.source.startswith(":::{caption}") else ""
        elif html := drawn(cell):
            pairs.append((waiting, html))
            waiting = ""
    return pairs


def test_every_figure_has_a_caption(notebook: nbformat.NotebookNode) -> None:
    pairs = captioned(notebook)
    assert pairs
    assert [html[:200] for caption, html in pairs if not CAPTION.match(caption)] == []


def test_labels_are_unique_and_references_have_one() -> None:
    sources = [
        cell.source
        for path in BOOK.glob("*.ipynb")
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "markdown"
    ]
    labels = [match["label"] for match in map(CAPTION.match, sources) if match]
    assert len(labels) == len(set(labels)) > 20
    assert {label for source in sources for label in REFERENCE.findall(source)} <= set(labels)


def values_of(html: str) -> dict[str, list[str]]:
    """Return what each slider of a figure can show, by its name."""
    names = re.findall(r'<(?:input|select)[^>]* name="(\w+)"', html)
    frames = re.search(r"data-frames='([^']*)'", html)
    assert frames
    sliders = json.loads(unescape(frames[1]))["sliders"]
    return {
        name: [plain(label) for label in labels] for name, (_, labels) in zip(names, sliders, strict=True)
    }


def plain(text: str) -> str:
    """Return a number without superfluous decimals, as the script does; other text as it is."""
    try:
        return f"{float(text.replace('−', '-')):g}"
    except ValueError:
        return text


def settings(caption: str) -> list[tuple[str, str]]:
    """Return the pairs of slider and value that a caption sets."""
    found = [SETTING.fullmatch(text) for text in TRY.findall(caption)]
    pairs = [VALUE.fullmatch(part) for match in found if match for part in match["values"].split(",")]
    return [(pair[1], plain(pair[2])) for pair in pairs if pair]


def test_what_a_caption_sets_is_on_the_sliders(notebook: nbformat.NotebookNode) -> None:
    for caption, html in captioned(notebook):
        assert len(settings(caption)) >= len(TRY.findall(caption))
        for name, value in settings(caption):
            assert value in values_of(html)[name], (name, value)


def test_a_figure_with_sliders_says_what_to_try(notebook: nbformat.NotebookNode) -> None:
    moving = [caption for caption, html in captioned(notebook) if "data-frames" in html]
    assert [caption for caption in moving if not settings(caption)] == []


def test_a_caption_without_its_figure_is_found() -> None:
    cells = [
        nbformat.v4.new_markdown_cell(":::{caption} Title\n:label: fig-x\n\nText.\n:::"),
        nbformat.v4.new_markdown_cell("x"),
    ]
    with pytest.raises(AssertionError, match="no figure follows"):
        captioned(nbformat.v4.new_notebook(cells=cells))
