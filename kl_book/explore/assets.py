"""The files that a page needs for its figures: the script, and the style sheet with the colours."""

from __future__ import annotations

from importlib.resources import files

from kl_book.explore.palette import style_sheet


def assets() -> dict[str, str]:
    """Return the content of each file under its name.

    Examples
    --------
    >>> sorted(assets())
    ['explore.css', 'explore.js']
    """
    folder = files("kl_book.explore")
    css = folder.joinpath("explore.css").read_text(encoding="utf-8")
    script = folder.joinpath("explore.js").read_text(encoding="utf-8")
    return {"explore.css": f"{style_sheet()}\n{css}", "explore.js": script}
