"""Say which page is being read and written: a build takes a while."""

from __future__ import annotations

import sys
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

CLEAR = "\r\033[K" if sys.stdout.isatty() else ""
END = "" if sys.stdout.isatty() else "\n"


def say(text: str) -> None:
    """Write a line; in a terminal it takes the place of the last one."""
    print(f"{CLEAR}{text}", end=END, flush=True)


def reading(_app: Sphinx, page: str, _source: list[str]) -> None:
    """Name a page that is read."""
    say(f"reading {page}")


def writing(_app: Sphinx, page: str, *_: Any) -> None:
    """Name a page that is written."""
    say(f"writing {page}")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect to both."""
    app.connect("source-read", reading)
    app.connect("html-page-context", writing, priority=1)
    app.connect("build-finished", lambda _app, _exception: print(end=CLEAR))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
