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
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.util.typing import ExtensionMetadata

KATEX = Path(__file__).parent / "node_modules" / "katex" / "dist"
logging.getLogger("fontTools").setLevel(logging.WARNING)

ICON_FONTS = Path("vendor", "fontawesome", "webfonts")

# What the pages do without: `site.js` has the few lines that are needed of the theme's second script,
# `book.css` styles statements and exercises, and the book has no tabs.
UNUSED = {
    "_static/scripts/sphinx-book-theme.js",
    "_static/design-tabs.js",
    "_static/proof.css",
    "_static/exercise.css",
}
# An icon's rule in the theme's style sheet; 1,900 of them, of which the pages use a dozen.
ICON_RULE = re.compile(r'((?:\.fa-[\w-]+:before,?)+)\{content:"\\?([^"]+)"\}')

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


def cut_font(source: Path, target: Path, characters: set[int]) -> None:
    """Write the woff2 font `source` with nothing but `characters` to `target`."""
    options = subset.Options(
        flavor="woff2", layout_features=["*"], notdef_outline=True, recalc_timestamp=False
    )
    font = subset.load_font(source, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    subset.save_font(font, target, options)


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
        cut_font(KATEX / "fonts" / name, static / "fonts" / name, characters)
    record.write_text(key)


def cut_icons(static: Path, text: str) -> None:
    """Leave in the theme's style sheet and icon font only the icons that `text` uses."""
    sheet = static / "styles" / "pydata-sphinx-theme.css"
    css = sheet.read_text(encoding="utf-8")
    used = set(re.findall(r"fa-[\w-]+", text))

    def keep(rule: re.Match[str]) -> str:
        return rule[0] if used.intersection(re.findall(r"fa-[\w-]+", rule[1])) else ""

    css = ICON_RULE.sub(keep, css)
    css = re.sub(r',url\([^)]*\.ttf\) format\("truetype"\)', "", css)
    css = re.sub(r"/\*# sourceMappingURL=.*?\*/", "", css)
    sheet.write_text(css, encoding="utf-8")
    escapes = {int(code, 16) for code in re.findall(r'"\\([0-9a-f]{4})"', css)}
    characters = escapes | {ord(character) for character in css if ord(character) >= 0xE000}
    for font in (static / ICON_FONTS).glob("*.woff2"):
        cut_font(font, font, characters)


def drop_unused(static: Path) -> None:
    """Delete the theme's files that no page asks for."""
    own_search = ("searchtools.js", "language_data.js")
    for pattern in ("**/*.map", "**/*.ttf", "**/*webpack-macros.html", "scripts/*", *own_search):
        for file in static.glob(pattern):
            if file.name != "pydata-sphinx-theme.js":
                file.unlink()
    for folder in ("images", "locales"):
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
    cut_icons(out / "_static", text)
    drop_unused(out / "_static")
    home = app.builder.get_target_uri(app.config.root_doc)
    redirect = REDIRECT.format(home=home, title=app.config.html_title)
    (out / "index.html").write_text(redirect, encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect to the writing of each page, after the theme (at 500), and to the end of the build."""
    app.connect("html-page-context", clear_page, priority=900)
    app.connect("html-page-context", choose_fonts)
    app.connect("build-finished", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
