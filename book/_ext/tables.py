"""Let a table stand as cards on a narrow screen: each cell carries the heading of its column.

The style sheet lays rows out as boxes there, which would make a browser forget that they are a table; so the
roles of its parts are written out.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from head import plain

TABLE = re.compile(r'<table class="table">.*?</table>', re.DOTALL)
ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
HEADING = re.compile(r"<th\b[^>]*>(.*?)</th>", re.DOTALL)
NO_HEADING = re.compile(r"<th\b[^>]*>(?:<p></p>|\s)*</th>")
EMPTY = re.compile(r"[^>]*>(?:<p></p>|\s)*</td>")
CELL = re.compile(r"<td\b")
ROLES = {
    "<table ": '<table role="table" ',
    "<thead": '<thead role="rowgroup"',
    "<tbody": '<tbody role="rowgroup"',
    "<tr": '<tr role="row"',
    "<th ": '<th role="columnheader" ',
}


def with_labels(row: str, labels: list[str]) -> str:
    """Name the column in each cell of a row."""
    start, *cells = CELL.split(row)
    tags = [f'<td role="cell" data-label="{escape(name)}"' for name in labels]
    empty = '<td role="cell"'
    named = zip(tags, cells, strict=True)
    return start + "".join((tag if EMPTY.match(cell) is None else empty) + cell for tag, cell in named)


def card(table: re.Match[str]) -> str:
    """Write the roles and the labels into a table that has headings."""
    labels = [plain(heading) for heading in HEADING.findall(table[0])]
    if not labels:
        return table[0]
    html = ROW.sub(lambda row: with_labels(row[0], labels) if "<td" in row[0] else row[0], table[0])
    html = NO_HEADING.sub('<td role="cell"></td>', html)  # a corner that says nothing
    for tag, with_role in ROLES.items():
        html = html.replace(tag, with_role)
    return html


def cards(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Prepare the tables of a page."""
    if "body" in context:
        context["body"] = TABLE.sub(card, context["body"])


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect to the writing of each page."""
    app.connect("html-page-context", cards)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
