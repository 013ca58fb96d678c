"""Code gives way to thought: the code of a cell is a fold with a name, a check one line under its statement.

Cells that follow one another share a fold. The code of a figure stands below the figure, other code above
what it prints. Without scripts each fold opens in place; `book/_static/site.js` switches all at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, cast

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.typing import ExtensionMetadata

from captions import NumberedFigure
from claims import Claims, read_claims
from reading import Dropdown

ENDS = (".", "?", "!")
AIMS = ("After this chapter you can", "You need")


def is_cell(node: nodes.Node) -> bool:
    """Tell a code cell from all else."""
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code"


def part(cell: nodes.Element, name: str) -> nodes.Element | None:
    """Return the code of a cell (`cell_code_source`) or its outputs (`cell_code_output`), None without."""
    parts = [child for child in cell.children if isinstance(child, nodes.Element)]
    return next((child for child in parts if child.get("nb_element") == name), None)


def claim_of(cell: nodes.Element) -> str:
    """Return the label of the statement that a cell checks, nothing for other cells."""
    return str(cell["cell_metadata"].get("claim", ""))


def shows_figure(cell: nodes.Element) -> bool:
    """Tell whether a cell shows one of the book's figures."""
    return any('class="kl-figure' in raw.astext() for raw in cell.findall(nodes.raw))


def fold(title: str, classes: list[str], content: Sequence[nodes.Element]) -> Dropdown:
    """Move `content` under a line that says what it is, in the place of its first part."""
    line = Dropdown(title=title, classes=classes)
    content[0].parent.insert(content[0].parent.index(content[0]), line)
    for node in content:
        node.parent.remove(node)
        line += node
    return line


def runs(parent: nodes.Element) -> Iterator[list[nodes.container]]:
    """Yield the cells below `parent` that follow one another with one statement to check, or with none."""
    for cells, siblings in groupby(list(parent.children), is_cell):
        if cells:
            for _, run in groupby(cast("Iterator[nodes.container]", siblings), claim_of):
                yield list(run)


class FoldCode(SphinxPostTransform):
    """Fold the cells of a notebook, once its figures have their numbers and references their text."""

    default_priority = 150  # before myst-nb hides inputs in its own way
    formats = ("html",)

    def run(self, **_: Any) -> None:
        """Fold what the page shows of each cell."""
        path = Path(self.env.doc2path(self.env.docname))
        if path.suffix != ".ipynb":
            return
        self.names = [cell["id"] for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
        claims = read_claims(path)
        self.fold_aims()
        parents = dict.fromkeys(cell.parent for cell in self.document.findall(is_cell))
        for parent in parents:
            for run in runs(parent):
                if claim_of(run[0]):
                    self.fold_checks(run, claims)
                else:
                    self.fold_code(run)
        self.lift_picture()

    def lift_picture(self) -> None:
        """Let the first picture follow the first paragraph of its section, or stand before what leads on."""
        cells = (node for node in self.document.findall(nodes.container) if is_cell(node))
        cell = next((cell for cell in cells if shows_figure(cell)), None)
        if cell is None:
            return
        figure = cell.parent if isinstance(cell.parent, NumberedFigure) else cell
        section = figure.parent
        first = next((p for p in section.children if isinstance(p, nodes.paragraph)), None)
        if first is not None and isinstance(section, nodes.section):
            section.remove(figure)
            section.insert(section.index(first) + first.astext().endswith(ENDS), figure)

    def fold_aims(self) -> None:
        """Put what the chapter teaches and what it needs into one line, so that its question comes first."""
        sections = self.document.findall(nodes.section)
        texts = (node for section in sections for node in section if isinstance(node, nodes.paragraph))
        aims = [p for p in texts if p.astext().startswith(AIMS)]
        if not aims:
            return
        fold("What you will learn, and what you need", ["kl-aims"], aims)

    def fold_checks(self, cells: list[nodes.container], claims: Claims) -> None:
        """Fold the checks of one statement under what they come to."""
        caption = cells[0].children[0]
        checks = {check.cell_id: check for check in claims.checks}
        mine = [checks[self.names[cell["cell_index"]]] for cell in cells]
        proved = any(s.label == claim_of(cells[0]) and s.proved for s in claims.statements)
        ways, broken = sum(check.ways for check in mine), sum(len(check.sabotage) for check in mine)
        title = " · ".join(
            [
                f"✓ {caption.astext().removeprefix('Check of ')}",
                *(["proved"] if proved else []),
                f"checked {ways} way{'s' * (ways > 1)}",
                f"sabotage caught{f' {broken} times' * (broken > 1)}",
            ]
        )
        fold(title, ["kl-fold", "kl-checks"], cells)

    def fold_code(self, cells: list[nodes.container]) -> None:
        """Fold the code of cells that follow one another, as far as the next output, under its name."""
        if any(isinstance(node, nodes.Admonition) for node in ancestors(cells[0])):
            return  # the code of a solution is its text
        waiting: list[nodes.container] = []
        for cell in cells:
            waiting.append(cell)
            if cell is cells[-1] or part(cell, "cell_code_output") is not None:
                self.gather(waiting)
                waiting = []

    def gather(self, cells: list[nodes.container]) -> None:
        """Put the code of `cells` into a fold of the last of them, and drop the others."""
        last = cells[-1]
        codes = [code for cell in cells if (code := part(cell, "cell_code_source")) is not None]
        for cell in cells:
            cell["hide_mode"] = None
        figure = shows_figure(last)
        line = fold(self.title(last, figure=figure), ["kl-fold", "kl-code"], codes)
        line.parent.remove(line)
        last.insert(len(last.children) if figure else 0, line)
        for cell in cells[:-1]:
            cell.parent.remove(cell)

    def title(self, cell: nodes.container, *, figure: bool) -> str:
        """Return the name of the code that ends in `cell`: its figure's, or what the cell's id says."""
        if figure and isinstance(cell.parent, NumberedFigure):
            numbers = self.env.toc_fignumbers[self.env.docname]["figure"][cell.parent["ids"][0]]
            return "Code of Figure " + ".".join(map(str, numbers))
        name = self.names[cell["cell_index"]]
        return "Imports" if name == "imports" else f"Code: {name.replace('-', ' ')}"


def ancestors(node: nodes.Node) -> Iterator[nodes.Node]:
    """Yield what a node stands in, from the inside out."""
    while (node := node.parent) is not None:
        yield node


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the transform."""
    app.add_post_transform(FoldCode)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
