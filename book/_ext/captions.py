"""Figures that can be cited: a number, a title with a permalink, what is drawn and what to try.

The directive ``caption`` stands in the notebook before the cells that make the figure. On the page it becomes
a numbered `<figure>` around them, which ``numref`` finds by its label. The role ``try`` in it, as in
``{try}`a narrow model <sigma=0.5>` ``, marks words that set the sliders; `explore.js` makes links of them.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinx.util.typing import ExtensionMetadata

logger = logging.getLogger(__name__)

SETTING = re.compile(r"(?P<words>.+?)\s*<(?P<values>[^<>]+)>", re.DOTALL)
VALUE = re.compile(r"\s*(\w+)\s*=\s*([^=,]+?)\s*")


class NumberedFigure(nodes.General, nodes.Element):
    """A figure with its caption and the cells that make it."""


class Caption(nodes.General, nodes.Element):
    """What is said of a figure."""


class CaptionTitle(nodes.General, nodes.TextElement):
    """The first line of a caption, which begins with the figure's number."""


class Setting(nodes.General, nodes.Inline, nodes.TextElement):
    """Words that set the sliders of their figure; `values` is `name=value&…`."""


class CaptionDirective(SphinxDirective):
    """Say what the figure of the next cells shows."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {"label": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Return the figure, still without its cells."""
        title = CaptionTitle("", "", *self.state.inline_text(self.arguments[0], self.lineno)[0])
        caption = Caption("", title)
        self.state.nested_parse(self.content, self.content_offset, caption)
        figure = NumberedFigure("", caption, names=[self.options["label"]])
        self.set_source_info(figure)
        self.state.document.note_explicit_target(figure)
        return [figure]


class TryRole(SphinxRole):
    """Read ``words <name=value, …>``."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the words, with the values that they stand for."""
        match = SETTING.fullmatch(self.text)
        values = [VALUE.fullmatch(part) for part in match["values"].split(",")] if match else [None]
        if match is None or None in values:
            message = f"try takes words and values, as in `wider <sigma=2>`, got `{self.text}`"
            return [], [self.inliner.reporter.warning(message, line=self.lineno)]
        pairs = "&".join(f"{value[1]}={value[2]}" for value in values if value)
        return [Setting("", match["words"], values=pairs)], []


class GatherCells(SphinxTransform):
    """Move into each figure the cells that follow its caption, as far as the one that draws."""

    default_priority = 390

    def apply(self, **_: Any) -> None:
        """Run over the captions of a page."""
        for figure in list(self.document.findall(NumberedFigure)):
            siblings = figure.parent.children[figure.parent.index(figure) + 1 :]
            drawing = next((i for i, node in enumerate(siblings) if _draws(node)), None)
            if drawing is None or not all(_is_cell(node) for node in siblings[:drawing]):
                logger.warning("no cell after this caption draws a figure", location=figure)
                continue
            for cell in siblings[: drawing + 1]:
                figure.parent.remove(cell)
                figure += cell


def _is_cell(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code"


def _draws(node: nodes.Node) -> bool:
    return _is_cell(node) and any('class="kl-figure' in raw.astext() for raw in node.findall(nodes.raw))


def _visit_figure(self: Any, node: NumberedFigure) -> None:
    self.body.append(self.starttag(node, "figure", CLASS="kl-numbered"))


def _depart_figure(self: Any, _node: NumberedFigure) -> None:
    self.body.append("</figure>\n")


def _visit_caption(self: Any, _node: Caption) -> None:
    self.body.append("<figcaption>\n")


def _depart_caption(self: Any, _node: Caption) -> None:
    self.body.append("</figcaption>\n")


def _visit_title(self: Any, node: CaptionTitle) -> None:
    self.body.append(self.starttag(node, "p", "", CLASS="kl-caption-title"))
    self.add_fignumber(node.parent.parent)


def _depart_title(self: Any, node: CaptionTitle) -> None:
    self.add_permalink_ref(node.parent.parent, "Link to this figure")
    self.body.append("</p>\n")


def _visit_setting(self: Any, node: Setting) -> None:
    self.body.append(self.starttag(node, "span", "", CLASS="kl-set", **{"data-set": node["values"]}))


def _depart_setting(self: Any, _node: Setting) -> None:
    self.body.append("</span>")


def _title_of(figure: nodes.Node) -> str:
    title = figure.next_node(CaptionTitle)
    return title.astext() if title is not None else ""


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive, the role, and the figure among what Sphinx numbers."""
    app.add_enumerable_node(NumberedFigure, "figure", _title_of, html=(_visit_figure, _depart_figure))
    app.add_node(Caption, html=(_visit_caption, _depart_caption))
    app.add_node(CaptionTitle, html=(_visit_title, _depart_title))
    app.add_node(Setting, html=(_visit_setting, _depart_setting))
    app.add_directive("caption", CaptionDirective)
    app.add_role("try", TryRole())
    app.add_transform(GatherCells)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
