"""The plots of the chapter on computing: what is wrong with a computed divergence, and where."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kl_lib.figures.style import D_COLOR, GROUND, INK, MUTED, styled
from kl_lib.validation import Array

# Values that have no error at all are drawn here.
_FLOOR = 1e-18
_MARKERS = {"kl_lib": "o", "torch": "s", "TFP": "D", "NumPyro": "^", "SciPy": "v"}


@styled
def error_against_distance(
    distance: Array,
    errors: Mapping[str, Array],
    *,
    lines: Mapping[str, Array] | None = None,
    limits: tuple[float, float] = (_FLOOR, 1e9),
    window: tuple[float, float] | None = None,
    xlabel: str = "distance d, relative",
) -> Figure:
    """Draw relative errors as dots and theory as dashed lines, both axes logarithmic.

    Of several entries of `errors` the last is the one that is right, and gets the colour of the divergence.
    """
    figure, ax = _logarithmic_axes(window or (distance.min(), distance.max()), limits, xlabel)
    colors = [*(INK, MUTED)[: max(len(errors) - 1, 1)], D_COLOR]
    for (name, error), color, place in zip(errors.items(), colors, (0.30, 0.45, 0.62), strict=False):
        ax.plot(distance, np.maximum(error, limits[0]), "o", color=color, markersize=2.6, clip_on=False)
        if len(errors) > 1:
            _name_cloud(ax, name, distance, error, color, place)
        else:
            ax.text(0.98, 0.92, f"dots: {name}", color=color, ha="right", transform=ax.transAxes)
    for (name, line), offset in zip((lines or {}).items(), (-1, 1), strict=False):
        ax.plot(distance, line, color=MUTED, dashes=(4, 2), linewidth=1.2)
        at = int(0.55 * distance.size)
        ax.annotate(name, (distance[at], line[at]), (9 * offset, 6 * offset), textcoords="offset points",
                    color=MUTED, ha="right" if offset < 0 else "left", va="center")  # fmt: skip
    return figure


def _logarithmic_axes(
    window: tuple[float, float], limits: tuple[float, float], xlabel: str
) -> tuple[Figure, Axes]:
    """Return an axes on logarithmic scales, with the level at which no digit is right."""
    figure = Figure(figsize=(6.4, 3.9))
    ax = figure.subplots(gridspec_kw={"left": 0.12, "right": 0.97, "bottom": 0.13, "top": 0.97})
    ax.set(xscale="log", yscale="log", xlim=window, ylim=limits)
    ax.set(xlabel=xlabel, ylabel="relative error")
    ax.minorticks_off()
    ax.axhline(1, color=MUTED, linewidth=0.8)
    ax.annotate("no digit right", (window[0], 1), (3, 3), textcoords="offset points", color=MUTED)
    return figure, ax


def _name_cloud(ax: Axes, name: str, distance: Array, error: Array, color: str, place: float) -> None:
    """Write a name above the dots near a share of the way along the axis."""
    at = int(place * (distance.size - 1))
    around = slice(max(at - 6, 0), at + 7)
    top = np.max(np.maximum(error[around], ax.get_ylim()[0]))
    ax.annotate(name, (distance[at], top), (0, 8), textcoords="offset points", color=color, ha="left")


@styled
def staircase(x: Array, computed: Array, exact: Array, step: float) -> Figure:
    """Draw a divergence over a window around p = q, computed and exact, in units of its largest value.

    `step` is the spacing of the numbers that the computed values are multiples of.
    """
    figure = Figure(figsize=(6.4, 3.6))
    ax = figure.subplots(gridspec_kw={"left": 0.12, "right": 0.97, "bottom": 0.14, "top": 0.96})
    scale = exact.max()
    ax.axhspan(-3, 0, color=MUTED, alpha=0.10, linewidth=0)
    ax.axhline(0, color=MUTED, linewidth=0.8)
    ax.plot(x, computed / scale, ".", color=INK, markersize=3.5)
    ax.plot(x, exact / scale, color=D_COLOR)
    ax.text(0.02, 0.04, "negative: impossible", color=MUTED, transform=ax.transAxes)
    ax.text(0.5, 0.93, "dots: textbook formula", color=INK, ha="center", transform=ax.transAxes)
    ax.text(0.5, 0.85, "curve: exact", color=D_COLOR, ha="center", transform=ax.transAxes)
    ax.set(xlim=(x[0], x[-1]), ylim=(-2.6, 2.6), xlabel="δ, by which the scales differ")
    ax.set_ylabel("divergence, in units of its\nlargest value in the window")
    if 0.1 < step / scale < 1.5:
        ax.plot([0.955 * x[-1]] * 2, [1.1, 1.1 + step / scale], color=INK, marker="_", linewidth=1)
        ax.text(0.93 * x[-1], 1.1 + step / scale / 2, "one step of the grid", ha="right", va="center")
    return figure


@styled
def library_errors(distance: Array, errors: Mapping[str, Array]) -> Figure:
    """Draw the measured errors of several libraries, named at the right of their nearest distance."""
    figure = Figure(figsize=(6.4, 3.9))
    ax = figure.subplots(gridspec_kw={"left": 0.12, "right": 0.78, "bottom": 0.13, "top": 0.97})
    ax.set(xscale="log", yscale="log", xlim=(distance.max(), distance.min()), ylim=(1e-17, 1e13))
    ax.set(xlabel="distance d, relative (closer →)", ylabel="relative error")
    ax.minorticks_off()
    ax.axhline(1, color=MUTED, linewidth=0.8)
    ax.annotate("no digit right", (distance.max(), 1), (4, 3), textcoords="offset points", color=MUTED)
    places = _apart([float(np.log10(max(e[-1], 1e-17))) for e in errors.values()], gap=1.9, top=12.2)
    for (name, error), place in zip(errors.items(), places, strict=True):
        color = D_COLOR if name == "kl_lib" else INK
        marker = _MARKERS[name]
        ax.plot(distance, np.maximum(error, 1e-17), color=color, marker=marker, markersize=4.5,
                linewidth=2.2 if name == "kl_lib" else 1, markerfacecolor=GROUND, clip_on=False)  # fmt: skip
        near = distance.min()
        ax.plot([near / 2.2], [10**place], marker=marker, markersize=4.5, color=color,
                markerfacecolor=GROUND, clip_on=False)  # fmt: skip
        ax.text(near / 4, 10**place, name, color=color, va="center", clip_on=False)
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
