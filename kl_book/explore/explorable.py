"""`explore`: a drawing function and the values to draw it at, made into one figure with three faces."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from matplotlib import pyplot, rc_context
from matplotlib.figure import Figure

from kl_book.explore.page import moving_html, still_html
from kl_book.explore.sliders import Slider, parse_sliders
from kl_book.explore.svg import natural_width, serialize, to_tree, with_unique_ids
from kl_book.explore.widget import kernel_runs, live_view

SHORTEST_ALT = 40

# As wide as the text, or as a phone: what the ids of a face begin with, and matplotlib's default size, in
# inches, while it is drawn.
Face = tuple[str, tuple[float, float]]
WIDE: Face = ("", (6.4, 4.8))
STACKED: Face = ("stacked-", (3.4, 4.8))

# A hyphen that begins a number, not one within a word, a range or an exponent.
MINUS = re.compile(r"(?<![\w)])-(?=[\d.∞])")

Draw = Callable[..., Figure | tuple[Figure, str]]


@dataclass(frozen=True, repr=False)
class Explorable:
    """A figure that shows itself in a notebook: live, moving or still, whichever the reader can have."""

    draw: Draw
    alt: str
    sliders: tuple[Slider, ...]
    html: str
    svg: str

    def render(self, **values: Any) -> str:
        """Return the HTML of the figure at any values of its sliders, as the live face shows it."""
        tree, summary = _frame(self.draw, values, self.alt, WIDE)
        return still_html([tree], summary)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = {"text/html": self.html, "image/svg+xml": self.svg, "text/plain": self.alt}
        if self.sliders and kernel_runs():
            bundle |= live_view(self.render, self.sliders)
        return bundle


def explore(draw: Draw, *, alt: str, **sliders: Any) -> Explorable:
    """Show what `draw` draws, under the reader's hand, with a kernel or without.

    Parameters
    ----------
    draw
        Called with one keyword argument a slider; returns a matplotlib figure, or a figure and a summary:
        one line of plain text that says what this frame shows, printed under it and read aloud.
    alt
        What is seen, in at least 40 characters, for readers who do not see it.
    **sliders
        ``(start, stop, step)`` for a range that starts in the middle, ``(start, stop, step, initial)``
        for one that starts at the grid value nearest to `initial`, a list of strings or numbers for a
        drop-down that starts at its first. Greek names (`sigma`, `mu_q`) are shown as letters. Without
        sliders the figure stands still.

    Returns
    -------
    Explorable
        Shows itself as the last value of a notebook cell.

    Raises
    ------
    TypeError
        If `draw` cannot be called or returns no figure, or a slider is none of the above.
    ValueError
        If `alt` is short, a range is empty, or the grid has more than 400 frames.

    Examples
    --------
    >>> import numpy as np
    >>> from matplotlib.figure import Figure
    >>> from scipy import stats
    >>> from kl_book import explore
    >>> def draw(sigma):
    ...     figure = Figure(figsize=(4, 2))
    ...     x = np.linspace(-3, 3, 50)
    ...     figure.subplots().plot(x, stats.norm.pdf(x, scale=sigma))
    ...     return figure, f"The peak is {stats.norm.pdf(0, scale=sigma):.2f} high."
    >>> bell = explore(draw, alt="A bell curve that flattens as sigma grows.", sigma=(0.5, 1.5, 0.5))
    >>> "The peak is 0.40 high." in bell.html
    True
    """
    if not callable(draw):
        raise TypeError(f"draw must be a function that returns a matplotlib Figure, got {draw!r}")
    if not isinstance(alt, str) or len(alt.strip()) < SHORTEST_ALT:
        raise ValueError(f"alt must say what is seen in at least {SHORTEST_ALT} characters, got {alt!r}")
    parsed = parse_sliders(sliders)
    faces, summaries = _faces(draw, parsed, alt)
    initial = 0
    for slider in parsed:
        initial = initial * len(slider.values) + slider.initial
    svg = with_unique_ids(serialize(faces[0][initial]))
    if parsed:
        html = moving_html(faces, summaries, parsed, initial)
    else:
        html = still_html([trees[0] for trees in faces], summaries[0])
    return Explorable(draw, alt, parsed, html, svg)


def _faces(draw: Draw, sliders: Sequence[Slider], alt: str) -> tuple[list[list[Element]], list[str | None]]:
    """Draw every frame as wide as the text and, if that makes a difference, as wide as a phone."""
    wide, summaries = _frames(draw, sliders, alt, WIDE)
    tree, _ = _frame(draw, {slider.name: slider.values[0] for slider in sliders}, alt, STACKED)
    if natural_width(tree) == natural_width(wide[0]):
        return [wide], summaries
    return [wide, _frames(draw, sliders, alt, STACKED)[0]], summaries


def _frames(
    draw: Draw, sliders: Sequence[Slider], alt: str, face: Face
) -> tuple[list[Element], list[str | None]]:
    """Draw the whole grid, the last slider fastest."""
    names = [slider.name for slider in sliders]
    grid = itertools.product(*(slider.values for slider in sliders))
    frames = [_frame(draw, dict(zip(names, values, strict=True)), alt, face) for values in grid]
    if len({summary is None for _, summary in frames}) > 1:
        raise TypeError("draw must return a summary with every figure or with none")
    return [tree for tree, _ in frames], [summary for _, summary in frames]


def _frame(draw: Draw, values: dict[str, Any], alt: str, face: Face) -> tuple[Element, str | None]:
    """Draw one frame, its numbers with true minus signs; leave no figure open to be shown a second time."""
    prefix, size = face
    with rc_context({"figure.figsize": size}):
        drawn = draw(**values)
    figure, summary = drawn if isinstance(drawn, tuple) and len(drawn) == 2 else (drawn, None)
    one_line = summary is None or (isinstance(summary, str) and len(summary.splitlines()) == 1)
    if not isinstance(figure, Figure) or not one_line:
        raise TypeError(
            f"draw must return a matplotlib Figure, or a Figure and a summary of one line, got {drawn!r}"
        )
    tree = to_tree(figure, alt=alt, prefix=prefix)
    pyplot.close(figure)
    return tree, summary and MINUS.sub("−", summary)
