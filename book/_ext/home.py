"""What the home page says of the chapters: how long each takes to read, and what its best figure looks like.

The role ``minutes`` counts the words of a chapter, ``{minutes}`forward-kl` ``. The directive ``thumbnails``
shows stored figures, one a line by the label of its caption, each a link to the figure itself.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinx.util.typing import ExtensionMetadata

WORDS_A_MINUTE = 100  # slow reading, of an argument; the home page says so
WORD = re.compile(r"[^\W\d_][\w’'–-]*")
NO_PROSE = (  # what is set aside, or read as one word
    (re.compile(r"\$\$.*?\$\$(?: *\([\w-]+\))?|\$[^$]+\$", re.DOTALL), " formula "),
    (re.compile(r"^:+(?:\{[\w:-]+\})?|^:[\w-]+:.*$", re.MULTILINE), " "),
    (re.compile(r"\{[\w:]+\}`[^`]*`"), " reference "),
    (re.compile(r"\]\([^)]*\)|<[^<>\n]+>"), " "),
)
CAPTION = re.compile(r":::\{caption\} (?P<title>[^\n]+)\n:label: (?P<label>fig-[\w-]+)\n")
LABEL = re.compile(r' role="img" aria-label="([^"]*)"')
NAME = re.compile(r'(id="|url\(#|href="#)kl-')  # the figure itself has these names on paper, in one document
TEXT = re.compile(r"<text\b.*?</text>\n?", re.DOTALL)


@dataclass(frozen=True)
class Thumbnail:
    """A stored figure: the page and the address that it is found at, its title, its picture."""

    chapter: str
    label: str
    title: str
    svg: str

    def html(self) -> str:
        """Return the picture as a link; its letters are too small to read, so that the title says it all."""
        alt = LABEL.search(self.svg)
        if alt is None:
            raise ExtensionError(f"the figure {self.label} has no alternative text")
        picture = TEXT.sub("", self.svg).replace(alt[0], ' aria-hidden="true"')
        picture = NAME.sub(r"\1kl-home-", picture)
        return (
            f'<li><a href="{self.chapter}.html#{self.label}"><span class="kl-thumbnail" role="img" '
            f'aria-label="{alt[1]}">{picture}</span> {escape(self.title)}</a></li>'
        )


def cells(path: Path) -> list[dict[str, Any]]:
    """Return the cells of a notebook, each source one text."""
    stored = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell | {"source": "".join(cell["source"])} for cell in stored]


def words(path: Path) -> int:
    """Count the words of a chapter, proofs and exercises included; a formula counts as one."""
    text = "\n\n".join(cell["source"] for cell in cells(path) if cell["cell_type"] == "markdown")
    for pattern, instead in NO_PROSE:
        text = pattern.sub(instead, text)
    return len(WORD.findall(text))


def minutes(path: Path) -> int:
    """Return how long a chapter takes to read, in whole fives."""
    return max(5, 5 * round(words(path) / WORDS_A_MINUTE / 5))


def thumbnail(path: Path, label: str) -> Thumbnail:
    """Return the first face of the figure with this label."""
    title = ""
    for cell in cells(path):
        caption = CAPTION.match(cell["source"])
        title = caption["title"] if caption and caption["label"] == label else title
        for output in cell.get("outputs", []) if title else []:
            if svg := "".join(output.get("data", {}).get("image/svg+xml", "")):
                return Thumbnail(path.stem, label, title, svg)
    raise ExtensionError(f"{path.name} has no figure {label}")


class MinutesRole(SphinxRole):
    """Say how many minutes a chapter takes."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Count again whenever the chapter changes."""
        path = Path(self.env.doc2path(self.env.docname)).with_name(f"{self.text}.ipynb")
        self.env.note_dependency(str(path))
        return [nodes.Text(str(minutes(path)))], []


class ThumbnailsDirective(SphinxDirective):
    """Show figures of other pages, small."""

    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """Return a list of pictures that are links."""
        folder = Path(self.env.doc2path(self.env.docname)).parent
        items = []
        for line in self.content:
            chapter, label = line.split()
            path = folder / f"{chapter}.ipynb"
            self.env.note_dependency(str(path))
            items.append(thumbnail(path, label).html())
        return [nodes.raw("", f'<ul class="kl-thumbnails">{"".join(items)}</ul>', format="html")]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the role and the directive."""
    app.add_role("minutes", MinutesRole())
    app.add_directive("thumbnails", ThumbnailsDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
