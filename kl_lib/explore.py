"""Figures that move with a kernel, move on a static page, and stand still anywhere else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt

from kl_lib.svg import to_svg

MIN_ALT = 40


@dataclass(frozen=True, repr=False)
class Explorable:
    """A figure drawn once, as inline SVG with its alt text."""

    svg: str
    alt: str

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {
            "text/html": f'<figure class="kl-figure">\n{self.svg}\n</figure>',
            "image/svg+xml": self.svg,
            "text/plain": self.alt,
        }


def explore(draw: Callable[..., Any], *, alt: str) -> Explorable:
    """Show the figure that `draw` returns."""
    if len(alt) < MIN_ALT:
        raise ValueError(f"alt must say what is seen in at least {MIN_ALT} characters, got {alt!r}")
    drawn = draw()
    figure = drawn[0] if isinstance(drawn, tuple) else drawn
    svg = to_svg(figure, alt=alt)
    plt.close(figure)
    return Explorable(svg, alt)
