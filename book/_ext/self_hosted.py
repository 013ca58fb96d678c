"""Make every page stand on its own feet: nothing from another server, no inline script, only what it uses.

Pages are cleared of the scripts that they do not need, and of inline ones, which the Content-Security-Policy
in `_templates/layout.html` would refuse. The style sheet and the fonts of KaTeX are copied into `_static`;
they and the icons are cut down to the characters of the book. The address of the site leads to the home page.
"""

from __future__ import annotations

import logging
import re
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

from docutils import nodes
from fontTools import subset
from fontTools.ttLib import TTFont
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.util.typing import ExtensionMetadata

KATEX = Path(__file__).parent / "node_modules" / "katex" / "dist"
logging.getLogger("fontTools").setLevel(logging.WARNING)

# What the pages do without: `site.js` has the few lines that are needed of the theme's scripts, `book.css`
# styles statements and exercises, and the book has no tabs.
UNUSED = {
    "_static/documentation_options.js",
    "_static/doctools.js",
    "_static/sphinx_highlight.js",
    "_static/scripts/sphinx-book-theme.js",
    "_static/design-tabs.js",
    "_static/proof.css",
    "_static/exercise.css",
}
# The fonts of KaTeX that shift a page when they come late, by the class of what is set in them.
FONTS = {
    "katex": "Main-Regular",
    "mathnormal": "Math-Italic",
    "mathbf": "Main-Bold",
    "mathbb": "AMS-Regular",
    "mathcal": "Caligraphic-Regular",
    "small-op": "Size1-Regular",
    "large-op": "Size2-Regular",
    "delimsizing size1": "Size1-Regular",
    "delimsizing size2": "Size2-Regular",
    "delimsizing size3": "Size3-Regular",
}

REDIRECT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'self'">
<meta http-equiv="refresh" content="0; url={home}">
<title>{title}</title>
</head>
<body><p><a href="{home}">{title}</a></p></body>
</html>
"""

# Its one link leads home from the folder of the site and from the folder of the pages: both hold an index.
MISSING = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>No such page – {title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ max-width: 34rem; margin: 20vh auto; padding: 0 1rem; font: 1.125rem/1.6 Georgia, serif; }}
</style>
</head>
<body><main><h1>There is no such page</h1>
<p>The address may be old, or mistyped. <a href="index.html">{title}</a> lists all chapters.</p></main></body>
</html>
"""


def clear_page(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Drop inline scripts (those without a file) and what is not used from a page."""
    for kind in ("script_files", "css_files"):
        context[kind] = [
            asset
            for asset in context[kind]
            if getattr(asset, "filename", None) and asset.filename.split("?")[0] not in UNUSED
        ]


def choose_fonts(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Name the fonts that a page should load first: those of the formulas that are not folded away."""
    in_sight = re.sub(r"<details.*?</details>", "", context.get("body", ""), flags=re.DOTALL)
    fonts = [font for name, font in FONTS.items() if re.search(rf'class="[^"]*\b{name}\b', in_sight)]
    context["fonts"] = " ".join(f"KaTeX_{font}" for font in dict.fromkeys(fonts))


def cut(font: TTFont, characters: set[int], features: list[str]) -> None:
    """Leave nothing but `characters` and the `features` of layout in a font, to be saved as woff2."""
    options = subset.Options(layout_features=features, notdef_outline=True, recalc_timestamp=False)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    font.flavor = "woff2"


def add_katex(static: Path, text: str) -> None:
    """Copy KaTeX's style sheet and the fonts that it names, for the characters of `text` alone."""
    css = (KATEX / "katex.min.css").read_text(encoding="utf-8")
    characters = set(map(ord, text))
    record, key = static / "fonts" / "made-from", sha256(f"{css}{sorted(characters)}".encode()).hexdigest()
    if record.exists() and record.read_text() == key:
        return
    record.parent.mkdir(exist_ok=True)
    css = re.sub(r',url\(fonts/[^)]*\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)', "", css)
    (static / "katex.css").write_text(css, encoding="utf-8")
    for name in set(re.findall(r"fonts/([\w-]+\.woff2)", css)):
        font = TTFont(KATEX / "fonts" / name, recalcTimestamp=False)
        cut(font, characters, ["*"])
        font.save(static / "fonts" / name)
    record.write_text(key)


def drop_unused(static: Path) -> None:
    """Delete the theme's files that no page asks for."""
    own_search = ("searchtools.js", "language_data.js")
    for pattern in ("**/*.map", "**/*.ttf", "**/*webpack-macros.html", "scripts/*", *own_search):
        for file in static.glob(pattern):
            file.unlink()
    for folder in ("images", "locales", "vendor"):
        shutil.rmtree(static / folder, ignore_errors=True)


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Copy what the pages use, after they are all written."""
    if exception is not None or not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    out = Path(app.outdir)
    pages = {out / app.builder.get_target_uri(name) for name in (*app.env.found_docs, "search")}
    for stale in set(out.rglob("*.html")) - pages:
        stale.unlink()
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    add_katex(out / "_static", text)
    drop_unused(out / "_static")
    home = app.builder.get_target_uri(app.config.root_doc)
    redirect = REDIRECT.format(home=home, title=app.config.html_title)
    (out / "index.html").write_text(redirect, encoding="utf-8")
    (out / "404.html").write_text(MISSING.format(title=app.config.html_title), encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect to the writing of each page, after the theme (at 500), and to the end of the build."""
    app.connect("html-page-context", clear_page, priority=900)
    app.connect("html-page-context", choose_fonts)
    app.connect("build-finished", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
