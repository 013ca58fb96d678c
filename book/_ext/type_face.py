"""Serve the face of the text from the site itself: Source Serif, cut down to the letters that the pages use.

The upright face keeps its axis of weight between regular and bold; the italic is set in regular alone. Their
sizes beside the reader's own fonts, which stand in until they arrive, are in `book/_static/page.css`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from html import unescape
from pathlib import Path

from fontTools.ttLib import TTFont
from fontTools.varLib import instancer
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.util.typing import ExtensionMetadata

from self_hosted import cut

FILES = Path(__file__).parent / "node_modules" / "@fontsource-variable" / "source-serif-4" / "files"
WEIGHTS: dict[str, tuple[float, float] | float] = {"normal": (400, 700), "italic": 400}

# What is set in other faces: code, formulas, pictures.
OTHER = re.compile(r"<(pre|code|svg|script|style|math)\b.*?</\1>| data-frames='[^']*'", re.DOTALL)


def letters(pages: Iterable[str]) -> set[int]:
    """Return the characters of the text of `pages`."""
    return {ord(letter) for page in pages for letter in unescape(re.sub(r"<[^>]*>", "", OTHER.sub("", page)))}


def write(folder: Path, used: set[int]) -> None:
    """Write both faces below `folder`, unless they are there for these letters."""
    record, key = folder / "text.made-from", sha256(f"{WEIGHTS}{sorted(used)}".encode()).hexdigest()
    if record.exists() and record.read_text(encoding="utf-8") == key:
        return
    for style, weight in WEIGHTS.items():
        font = TTFont(FILES / f"source-serif-4-latin-wght-{style}.woff2", recalcTimestamp=False)
        cut(font, used, ["kern", "liga", "ccmp", "locl", "mark"])
        instancer.instantiateVariableFont(font, {"wght": weight}, inplace=True)
        font.save(folder / f"source-serif-{style}.woff2")
    record.write_text(key, encoding="utf-8")


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Write the faces once all pages are there."""
    if exception is None and isinstance(app.builder, StandaloneHTMLBuilder):
        out = Path(app.outdir)
        pages = [path.read_text(encoding="utf-8") for path in out.rglob("*.html")]
        write(out / "_static" / "fonts", letters(pages))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect to the end of the build, after `self_hosted`."""
    app.connect("build-finished", finish, priority=950)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
