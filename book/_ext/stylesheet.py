"""Make one style sheet of the theme's, the extensions' and the book's own, without what no page uses.

Those of others come first, and lose to PurgeCSS what they say of words that stand in no tag and no script.
The answer is kept until one of its parts changes.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.util.typing import ExtensionMetadata

from katex import node_command

THEIRS = (
    "katex.css",
    "basic.css",
    "styles/pydata-sphinx-theme.css",
    "pygments.css",
    "styles/sphinx-book-theme.css",
    "mystnb.*.css",
    "sphinx-design.min.css",
)
OWN = ("explore.css", "playground.css", "book.css", "page.css")
SCRIPTS = ("site.js", "search.js", "explore.js", "playground.js", "first-paint.js")
SHEET = "style.css"
SCRIPT = Path(__file__).with_suffix(".mjs")

ICON_FONT = re.compile(r"@font-face\{[^}]*/vendor/[^}]*\}")  # the theme's; the book draws its icons
FRAMES = re.compile(r" data-frames='[^']*'")
SPACE = re.compile(r"/\*.*?\*/|\s*\n\s*", re.DOTALL)
TAG = re.compile(r"<[a-z][^>]*>")
WORD = re.compile(r"[A-Za-z_][\w-]*")


def no_other_sheet(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Let a page ask for the one sheet alone, which `layout.html` names."""
    context["css_files"] = []


def words(pages: Iterable[str], scripts: Iterable[str]) -> str:
    """Return what a selector may be made of: the words in the tags of `pages`, and those of `scripts`."""
    tags = {tag for page in pages for tag in TAG.findall(FRAMES.sub("", page))}
    return " ".join(sorted({word for text in (*tags, *scripts) for word in WORD.findall(text)}))


def purge(css: str, used: str, own: str) -> str:
    """Return the rules of `css` whose selectors are made of the words `used`, with the variables of `own`."""
    variables = sorted(set(re.findall(r"--[\w-]+", own)))
    request = json.dumps({"css": css, "words": used, "variables": variables})
    command = node_command(SCRIPT)
    return subprocess.run(command, input=request, capture_output=True, check=True, encoding="utf-8").stdout


def write(static: Path, pages: Iterable[str]) -> None:
    """Write the one sheet of `pages` below `static`."""
    css, own, scripts = (
        [next(static.glob(name)).read_text(encoding="utf-8") for name in names]
        for names in (THEIRS, OWN, SCRIPTS)
    )
    parts = ICON_FONT.sub("", "\n".join(css)), words(pages, scripts), "\n".join(own)
    record, key = static / "style.made-from", sha256("\0".join(parts).encode()).hexdigest()
    if not record.exists() or record.read_text(encoding="utf-8") != key:
        sheet = SPACE.sub("", purge(*parts) + parts[2])
        (static / SHEET).write_text(sheet, encoding="utf-8")
        record.write_text(key, encoding="utf-8")


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Put the one sheet in the place of its parts, which lie there where a page was written."""
    if exception is not None or not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    out = Path(app.outdir)
    if (out / "_static" / "basic.css").exists():
        write(out / "_static", (page.read_text(encoding="utf-8") for page in out.rglob("*.html")))
    for file in (out / "_static").rglob("*.css"):
        if file.name not in (SHEET, "katex.css"):
            file.unlink()


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect to the writing of each page and, after `self_hosted`, to the end of the build."""
    app.connect("html-page-context", no_other_sheet, priority=950)
    app.connect("build-finished", finish, priority=950)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
