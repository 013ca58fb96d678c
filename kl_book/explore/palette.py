"""The colours of the book: the one place for those of Python's drawings and of the page, light and dark.

Figures are drawn in the light ones. In their SVG each becomes the CSS variable of its name with itself as
fallback, so that the page's mode decides, and a viewer that knows no page shows the light ones.
"""

from __future__ import annotations

from typing import NamedTuple


class Colour(NamedTuple):
    """A colour on the light page, and the one that takes its place on the dark page."""

    light: str
    dark: str


PALETTE = {
    "p": Colour("#0059a8", "#6cb8ff"),  # p⋆, what is to be learned
    "q": Colour("#b34700", "#ffa552"),  # pθ, the model
    "d": Colour("#00735c", "#4fd6b0"),  # the divergence between them
    "ink": Colour("#1f2328", "#e6edf3"),
    "muted": Colour("#59636e", "#9da7b1"),
    "grid": Colour("#d1d9e0", "#3d444d"),
    "ground": Colour("#ffffff", "#121212"),
    "surface": Colour("#f6f8fa", "#1c2026"),  # behind code
    "target": Colour("#fff3c4", "#3b3413"),  # behind what a link has led to
}

# What matplotlib draws black by default is ink too.
VARIABLES = {colour.light: f"--kl-{name}" for name, colour in PALETTE.items()} | {"#000000": "--kl-ink"}


def themed(colour: str) -> str:
    """Return a hex colour as its CSS variable with itself as fallback; one of no name as it is.

    Examples
    --------
    >>> themed("#0059A8"), themed("#123456")
    ('var(--kl-p,#0059a8)', '#123456')
    """
    colour = colour.lower()
    return f"var({VARIABLES[colour]},{colour})" if colour in VARIABLES else colour


def style_sheet() -> str:
    """Return the CSS that gives the variables their values, in both modes of the page."""
    light = "".join(f"  --kl-{name}: {colour.light};\n" for name, colour in PALETTE.items())
    dark = "".join(f"  --kl-{name}: {colour.dark};\n" for name, colour in PALETTE.items())
    return f':root {{\n{light}}}\n\nhtml[data-theme="dark"] {{\n{dark}}}\n'
