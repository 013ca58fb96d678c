"""Keep a strict build strict when it is run again.

Many warnings are given while a page is written. Sphinx would not write an unchanged page again, and so would
pass in silence the second time: after a build with warnings it must forget what it has read, as it does by
itself after an exception.
"""

from __future__ import annotations

from pathlib import Path

from sphinx.application import ENV_PICKLE_FILENAME, Sphinx
from sphinx.util.typing import ExtensionMetadata


def forget(app: Sphinx, _exception: Exception | None) -> None:
    """Delete the stored environment if this build warned; its status is only set after this."""
    if app.keep_going and app._warncount > 0:
        Path(app.doctreedir, ENV_PICKLE_FILENAME).unlink(missing_ok=True)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect to the end of the build."""
    app.connect("build-finished", forget)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
