"""Bring the figures that move to life on the site: their script and style sheet on every page.

What a figure carries for viewers that show no SVG is left out of the pages, where every browser does.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from kl_book.explore.assets import assets

FALLBACK = re.compile(r'<template><img src="data:image/svg\+xml,.*?</template>\n', re.DOTALL)


def write(app: Sphinx) -> None:
    """Write the files to where Sphinx copies the static ones."""
    static = Path(app.outdir, "_static")
    static.mkdir(parents=True, exist_ok=True)
    for name, content in assets().items():
        (static / name).write_text(content, encoding="utf-8")


def drop_fallbacks(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Leave out the second copy of each picture."""
    if "body" in context:
        context["body"] = FALLBACK.sub("", context["body"])


def setup(app: Sphinx) -> ExtensionMetadata:
    """Write the files before the pages, which name them with a hash of their content."""
    app.connect("builder-inited", write)
    app.connect("html-page-context", drop_fallbacks)
    app.add_css_file("explore.css")
    app.add_js_file("explore.js", loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
