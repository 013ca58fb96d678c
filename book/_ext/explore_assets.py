"""Bring the figures that move to life on the site: their script and style sheet on every page."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from kl_book.explore.assets import assets


def write(app: Sphinx) -> None:
    """Write the files to where Sphinx copies the static ones."""
    static = Path(app.outdir, "_static")
    static.mkdir(parents=True, exist_ok=True)
    for name, content in assets().items():
        (static / name).write_text(content, encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Write the files before the pages, which name them with a hash of their content."""
    app.connect("builder-inited", write)
    app.add_css_file("explore.css")
    app.add_js_file("explore.js", loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
