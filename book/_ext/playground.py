"""The directive ``playground``: a truth to be dragged, with the best normals that follow it.

Its argument is where the figure starts, as in the address of the page: `p=weight,mean,width;…`. The script is
packed by esbuild from the modules beside `kl_book/playground/main.js`; it goes to the pages with the figure.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from katex import node_command
from kl_book import playground

PACK = Path(__file__).with_suffix(".mjs")
MAIN = Path(playground.__file__).parent / "main.js"


class PlaygroundDirective(SphinxDirective):
    """Put the figure where the directive stands."""

    required_arguments = 1
    option_spec = {"small": directives.flag}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        """Draw the still face; the script does the rest."""
        figure = playground.html(self.arguments[0], small="small" in self.options)
        return [nodes.raw("", figure, format="html", classes=["playground"])]


def minify(script: Path, target: Path) -> None:
    """Write a script, with the modules that it imports, in few bytes."""
    if subprocess.run([*node_command(PACK), script, target], check=False).returncode:
        raise ExtensionError(f"esbuild could not pack {script.name}")


def pack(app: Sphinx) -> None:
    """Write script and style sheet to where Sphinx copies the static files."""
    static = Path(app.outdir, "_static")
    static.mkdir(parents=True, exist_ok=True)
    minify(MAIN, static / "playground.js")
    (static / "playground.css").write_text(playground.style_sheet(), encoding="utf-8")


def add_script(
    app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Name them on the pages with the figure."""
    if "kl-playground" in context.get("body", ""):
        app.add_js_file("playground.js", loading_method="defer")
        app.add_css_file("playground.css")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive."""
    app.add_directive("playground", PlaygroundDirective)
    app.connect("builder-inited", pack)
    app.connect("html-page-context", add_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
