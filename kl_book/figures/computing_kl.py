"""The plots of the chapter on computing: what is wrong with a computed divergence, and where."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kl_book.figures.style import D_COLOR, GROUND, INK, MUTED, styled
from kl_lib.types import Array

# Values that have no error at all are drawn here.
_FLOOR = 1e-18
# Narrow enough for the page of a phone, so that no picture of this chapter has to scroll.
_SIZE = (4.8, 3.7)
_CLOSER = "distance d, relative (closer →)"
_STROKES: dict[str, dict[str, Any]] = {
    "kl_lib": {"marker": "o"},
    "torch": {"marker": "s", "dashes": (5, 1.5)},
    "TFP": {"marker": "D", "dashes": (1.2, 1.5)},
    "NumPyro": {"marker": "^", "dashes": (5, 1.5, 1.2, 1.5)},
    "SciPy": {"marker": "v", "dashes": (2.5, 2.5)},
}


@styled
def error_against_distance(
    distance: Array,
    errors: Mapping[str, Array],
    *,
    lines: Mapping[str, Array] | None = None,
    limits: tuple[float, float] = (_FLOOR, 1e9),
    xlabel: str = _CLOSER,
) -> Figure:
    """Draw relative errors as dots and theory as dashed lines on logarithmic axes, close pairs at the right.

    Of several entries of `errors` the last is the one that is right, and gets the colour of the divergence.
    """
    figure, ax = _logarithmic_axes((distance.max(), distance.min()), limits, xlabel, right=0.97)
    colors = [*(INK, MUTED)[: max(len(errors) - 1, 1)], D_COLOR]
    for rank, ((name, error), color) in enumerate(zip(errors.items(), colors, strict=False)):
        ax.plot(distance, np.maximum(error, limits[0]), "o", color=color, markersize=2.4, clip_on=False)
        if len(errors) == 1:
            ax.text(0.03, 0.93, f"dots: {name}", color=color, transform=ax.transAxes)
        elif color == D_COLOR:
            _name_cloud(ax, name, distance, error, color, share=1.0, above=True)
        else:
            _name_cloud(ax, name, distance, error, color, share=(0.84, 0.72)[rank], above=rank == 0)
    for (name, line), above in zip((lines or {}).items(), (False, True), strict=False):
        ax.plot(distance, line, color=MUTED, dashes=(4, 2), linewidth=1.2)
        at = int((0.2 if above else 0.42) * distance.size)
        ax.annotate(name, (distance[at], line[at]), (-9, 7) if above else (9, -7), textcoords="offset points",
                    color=MUTED, ha="right" if above else "left", va="center")  # fmt: skip
    return figure


def _logarithmic_axes(
    window: tuple[float, float], limits: tuple[float, float], xlabel: str, *, right: float
) -> tuple[Figure, Axes]:
    """Return an axes on logarithmic scales, with the level at which no digit is right."""
    figure = Figure(figsize=_SIZE)
    ax = figure.subplots(gridspec_kw={"left": 0.145, "right": right, "bottom": 0.135, "top": 0.97})
    ax.set(xscale="log", yscale="log", xlim=window, ylim=limits)
    ax.set(xlabel=xlabel, ylabel="relative error")
    low, high = np.log10(limits)
    step = round((high - low) / 6)
    ax.set_yticks(10.0 ** (step * np.arange(np.ceil(low / step), np.floor(high / step) + 1)))
    ax.minorticks_off()
    ax.axhline(1, color=MUTED, linewidth=0.8)
    for text, height in (("no digit right", 16), ("on the line: zeros", 3)):
        ax.annotate(text, (window[0], 1), (5, height), textcoords="offset points", color=MUTED, fontsize=9)
    return figure, ax


def _name_cloud(
    ax: Axes, name: str, distance: Array, error: Array, color: str, *, share: float, above: bool
) -> None:
    """Write a name over the dots, or under them, a share of the way towards the close pairs."""
    near = np.argsort(distance)[::-1]
    at = int(share * (distance.size - 1))
    around = np.maximum(error[near[max(at - 6, 0) : at + 7]], ax.get_ylim()[0])
    height = around.max() if above else around.min()
    ax.annotate(name, (distance[near[at]], height), (0, 6 if above else -6), textcoords="offset points",
                color=color, ha="right" if above else "left", va="bottom" if above else "top")  # fmt: skip


@styled
def staircase(x: Array, computed: Array, exact: Array, step: float) -> Figure:
    """Draw a divergence over a window around p = q, computed and exact, in units of its largest value.

    `step` is the spacing of the numbers that the computed values are multiples of.
    """
    figure = Figure(figsize=_SIZE)
    ax = figure.subplots(gridspec_kw={"left": 0.145, "right": 0.97, "bottom": 0.14, "top": 0.96})
    scale = exact.max()
    ax.axhspan(-3, 0, color=MUTED, alpha=0.10, linewidth=0)
    ax.axhline(0, color=MUTED, linewidth=0.8)
    ax.plot(x, exact / scale, color=D_COLOR, linewidth=1)
    ax.plot(x, computed / scale, "o", color=INK, markersize=3.2)
    ax.text(0.98 * x[0], -0.45, "negative: impossible", color=MUTED)
    ax.text(0.02, 0.93, "dots: textbook formula", color=INK, transform=ax.transAxes)
    ax.text(0.02, 0.86, "curve: exact", color=D_COLOR, transform=ax.transAxes)
    ax.set(xlim=(x[0], x[-1]), ylim=(-2.6, 2.6), xlabel="δ, by which the scales differ")
    ax.set_ylabel("divergence, in units of its\nlargest value in the window")
    if 0.1 < step / scale < 1.5:
        ax.plot([0.955 * x[-1]] * 2, [1.1, 1.1 + step / scale], color=INK, marker="_", linewidth=1)
        ax.text(0.91 * x[-1], 1.1 + step / scale / 2, "2⁻⁵²", ha="right", va="center")
    return figure


@styled
def library_errors(distance: Array, errors: Mapping[str, Array]) -> Figure:
    """Draw the measured errors of several libraries, named at the right, where the pairs are closest."""
    window = (distance.max(), distance.min())
    top = max(1e13, 10 * max(np.max(error) for error in errors.values()))
    figure, ax = _logarithmic_axes(window, (1e-17, top), _CLOSER, right=0.765)
    ends = [float(np.log10(max(error[-1], 1e-17))) for error in errors.values()]
    places = _apart(ends, gap=(np.log10(top) + 17) / 16, top=np.log10(top) - 0.6)
    for (name, error), place in zip(errors.items(), places, strict=True):
        stroke = {"color": D_COLOR if name == "kl_lib" else INK, **_STROKES[name]}
        stroke |= {"markerfacecolor": GROUND, "markersize": 4, "clip_on": False}
        stroke["linewidth"] = 2.2 if name == "kl_lib" else 1.1
        ax.plot(distance, np.maximum(error, 1e-17), **stroke)
        x = np.array([1, 1 / 3, 1 / 9]) * distance.min()
        leader = [max(error[-1], 1e-17), 10**place]
        ax.plot(x[:2], leader, color=MUTED, linewidth=0.6, clip_on=False, zorder=1)
        ax.plot(x[1:], [10**place] * 2, **stroke, markevery=[1])
        ax.text(x[2] / 1.8, 10**place, name, color=stroke["color"], va="center", clip_on=False)
    return figure


def _apart(places: list[float], *, gap: float, top: float) -> list[float]:
    """Move the places apart, upwards but not beyond `top`, until each is `gap` from the next."""
    order = np.argsort(places, kind="stable")
    moved = np.array(places)
    for below, above in pairwise(order):
        moved[above] = max(moved[above], moved[below] + gap)
    moved[order[-1]] = min(moved[order[-1]], top)
    for above, below in pairwise(order[::-1]):
        moved[below] = min(moved[below], moved[above] - gap)
    return [float(place) for place in moved]
