"""What others are told about a page: its description, title and picture where a link to it is shared."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from kl_book import playground

CARD = "_static/card.png"
TRUTH = "p=0.5,-2.412,1;0.5,2.412,1"  # the first figure of the home page
SHORTEST, LONGEST = 40, 200
PARAGRAPH = re.compile(r"<p>(.*?)</p>", re.DOTALL)


class Plain(HTMLParser):
    """Collects the text of a piece of HTML; of a formula, what its MathML spells."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.drawn = 0  # how deep in the part of a formula that is only to be seen

    def handle_starttag(self, _tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Enter a tag, perhaps the drawing of a formula."""
        self.drawn += bool(self.drawn) or ("class", "katex-html") in attributes

    def handle_endtag(self, _tag: str) -> None:
        """Leave it."""
        self.drawn -= bool(self.drawn)

    def handle_data(self, data: str) -> None:
        """Keep what is not drawn."""
        self.text += "" if self.drawn else data


def plain(html: str) -> str:
    """Return the text of a piece of HTML in one line."""
    parser = Plain()
    parser.feed(html)
    return re.sub(r"\s+", " ", parser.text.replace("\u2061", " ")).strip()


def described(body: str) -> str:
    """Return what the first paragraph of a page says, as much as a preview shows."""
    texts = (plain(paragraph[1]) for paragraph in PARAGRAPH.finditer(body))
    text = next((text for text in texts if len(text) >= SHORTEST), "")
    if len(text) <= LONGEST:
        return text
    end = max(text.rfind(stop, 0, LONGEST) for stop in (". ", "; ", ", ", " "))
    return text[:end].rstrip(" ,;") + " …"


def describe(
    app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Give the template of a page its description, and the address of the card where the book's is known."""
    context["description"] = described(context.get("body", ""))
    if app.config.html_baseurl:
        context["card"] = urljoin(app.config.html_baseurl.rstrip("/") + "/", CARD)


def draw_card(app: Sphinx) -> None:
    """Write the picture that goes with a link; without the address of the book no page names it."""
    if not app.config.html_baseurl:
        return
    target = Path(app.outdir, CARD)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(playground.card(TRUTH, app.config.html_title or app.config.project))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect to the beginning of a build and to the writing of each page."""
    app.connect("builder-inited", draw_card)
    app.connect("html-page-context", describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
