"""No line of text begins with a mark: it stays with the formula or the word before it.

Browsers may break a line between a formula, which is a box to them, and the comma after it. Each formula is
put with the marks around it into one span, in which `book/_static/page.css` allows breaks inside the formula
alone. A dash gets a space before it that does not break. An address in the text may break after its slashes,
so that it need not break before the mark that follows it.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.typing import ExtensionMetadata

BEFORE = re.compile(r"[^\s\w]+$")
AFTER = re.compile(r"^[^\s\w]+")
DASH = re.compile(r" (?=[–—…])")
NAMES = re.compile(r"‖(?=\w)|(?<=[a-z])(?=[A-Z][a-z])")  # where a pair of long names may break


def split(node: nodes.Node | None, pattern: re.Pattern[str]) -> str:
    """Cut what matches off a text beside a formula, and return it."""
    if not isinstance(node, nodes.Text):
        return ""
    match = pattern.search(node.astext())
    if match is None:
        return ""
    node.parent.replace(node, nodes.Text(pattern.sub("", node.astext())))
    return match[0]


def following(formula: nodes.Node) -> nodes.Node | None:
    """Return what comes after a formula, also where it ends emphasised words: a mark then joins them."""
    node = formula
    while isinstance(node.parent, nodes.strong | nodes.emphasis) and node is node.parent.children[-1]:
        node = node.parent
    return node.next_node(descend=False, siblings=True)


def break_at_slashes(address: nodes.Text) -> None:
    """Let an address in the text break after each of its slashes."""
    parts = re.split(r"(?<=[^/]/)(?=[^/])", address.astext())
    pieces = [piece for part in parts for piece in (nodes.Text(part), nodes.raw("", "<wbr>", format="html"))]
    address.parent.replace(address, pieces[:-1])


class KeepTogether(SphinxPostTransform):
    """Join each formula in a line with the marks around it, and each dash with the word before it."""

    default_priority = 390  # before the theme shortens addresses of code hosts
    formats = ("html",)

    def run(self, **_: Any) -> None:
        """Run over a page, from its first formula to its last."""
        for text in list(self.document.findall(nodes.Text)):
            if not isinstance(text.parent, nodes.FixedTextElement | nodes.literal | nodes.math):
                new = DASH.sub("\u00a0", text)
                if "‖" in new:
                    new = NAMES.sub(lambda place: place[0] + "\u200b", new)
                changed = nodes.Text(new)
                text.parent.replace(text, changed)
                if isinstance(changed.parent, nodes.reference) and new.startswith("http"):
                    break_at_slashes(changed)
        for formula in list(self.document.findall(nodes.math)):
            parent = formula.parent
            place = parent.index(formula)
            before = split(parent[place - 1] if place else None, BEFORE)
            after = split(following(formula), AFTER)
            if before or after:
                joined = nodes.inline("", nodes.Text(before), formula.deepcopy(), nodes.Text(after))
                joined["classes"].append("kl-together")
                parent.replace(formula, joined)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the transform."""
    app.add_post_transform(KeepTogether)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
