"""The notebooks as they are handed out: their text in plain Markdown, their code and outputs untouched.

They lie in `notebooks/` beside the pages. The names of statements, the numbers of equations and the authors
of what is cited are those of the site that is built at the same time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
from pybtex.richtext import Text
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata

from claims import read_claims
from plain_markdown import Names, plain

logger = logging.getLogger(__name__)

EXERCISE = re.compile(r"^:{3,}\{exercise\}[^\n]*\n:label: *(\S+)", re.MULTILINE)
BEGIN = """*{title}: a chapter of "{book}", as a notebook.*

To run it, install the project that it comes from: `pip install ".[book]"` in a copy of the project, or \
start Jupyter where the folders `kl_lib` and `kl_book` are on Python's path. Its outputs were stored with \
the versions that the project's `requirements.txt` pins."""


def numbers(app: Sphinx, page: str) -> dict[str, str]:
    """Return the number of everything that is numbered on a page, by its id."""
    found = app.env.toc_fignumbers.get(page, {})
    return {label: ".".join(map(str, n)) for kind in found.values() for label, n in kind.items()}


def statements(app: Sphinx, page: str, path: Path) -> Iterator[tuple[str, str]]:
    """Yield the name of each statement, exercise, figure and equation, under the role that refers to it."""
    number = numbers(app, page)
    for label in app.env.toc_fignumbers.get(page, {}).get("figure", {}):
        yield f"numref {label}", app.config.numfig_format["figure"] % number[label]
    for label in app.env.toc_fignumbers.get(page, {}).get("question", {}):
        yield f"prf:ref {label}", f"Question {number[label]}"
    for statement in read_claims(path).statements:
        yield f"prf:ref {statement.label}", f"{statement.kind.title()} {number[statement.label]}"
    cells = nbformat.read(path, as_version=4).cells
    for label in EXERCISE.findall("\n".join(cell.source for cell in cells)):
        for role in ("prf:ref", "ref", "numref"):
            yield f"{role} {label}", f"Exercise {number[label]}"
    for key, value in number.items():
        if key.startswith("equation-"):
            yield f"eq {key.removeprefix('equation-')}", f"({value})"
            yield key.removeprefix("equation-"), value


def authors(names: list[str]) -> str:
    """Return the authors of a work as the text names them."""
    if len(names) > 2:
        return f"{names[0]} et al."
    return " and ".join(names)


def citations(app: Sphinx) -> Iterator[tuple[str, str]]:
    """Yield "Author [year]" and "[Author, year]" for each work of the bibliography."""
    for key, entry in app.env.get_domain("cite").bibdata.data.entries.items():  # type: ignore[attr-defined]
        who = authors(
            [
                str(Text.from_latex(" ".join(person.prelast_names + person.last_names)))
                for person in entry.persons["author"]
            ]
        )
        yield f"cite:t {key}", f"{who} [{entry.fields['year']}]"
        yield f"cite:p {key}", f"[{who}, {entry.fields['year']}]"


def all_names(app: Sphinx, chapters: dict[str, Path]) -> Names:
    """Return the words for all that the chapters refer to."""
    names = dict(citations(app))
    for label, (_, _, title) in app.env.get_domain("std").labels.items():  # type: ignore[attr-defined]
        names[f"ref {label}"] = title
    for page, path in chapters.items():
        names |= dict(statements(app, page, path))
        names[path.name] = app.env.titles[page].astext()
    return names


def publish(path: Path, names: Names, book: str) -> nbformat.NotebookNode:
    """Return the notebook at `path` as it is handed out."""
    published: nbformat.NotebookNode = nbformat.read(path, as_version=4)
    for cell in published.cells:
        if cell.cell_type == "markdown":
            cell.source = plain(cell.source, names)
    text = BEGIN.format(title=names[path.name], book=book)
    published.cells = [nbformat.v4.new_markdown_cell(text, id="how-to-run")] + [
        cell for cell in published.cells if cell.source
    ]
    return published


def write(app: Sphinx, exception: Exception | None) -> None:
    """Write the notebooks beside the pages; a word that is unknown fails the build."""
    if exception is not None or not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    sources = {page: Path(app.env.doc2path(page)) for page in sorted(app.env.found_docs)}
    chapters = {page: path for page, path in sources.items() if path.suffix == ".ipynb"}
    names = all_names(app, chapters)
    folder = Path(app.outdir, "notebooks")
    folder.mkdir(exist_ok=True)
    for page, path in chapters.items():
        try:
            nbformat.write(publish(path, names, app.config.html_title), folder / path.name)
        except KeyError as error:
            logger.warning("no plain words for %s", error, location=page, type="notebooks")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect to the end of the build."""
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
