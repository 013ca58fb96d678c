"""The plots of the chapter on computing: what is wrong with a computed divergence, and where."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kl_book.figures.style import D_COLOR, GROUND, INK, MUTED, panels, styled
from kl_lib.types import Array

# Values that have no error at all are drawn here.
_FLOOR = 1e-18
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
) -> Figure:
    """Draw relative errors as dots and theory as dashed lines on logarithmic axes, close pairs at the right.

    Of several entries of `errors` the last is the one that is right, and gets the colour of the divergence.
    """
    figure, ((ax,),) = panels([3.1], left=0.7)
    _set_logarithmic(ax, (distance.max(), distance.min()), limits, _CLOSER)
    _draw_errors(ax, distance, errors, limits[0])
    for (name, line), above in zip((lines or {}).items(), (False, True), strict=False):
        ax.plot(distance, line, color=MUTED, dashes=(4, 2), linewidth=1.2)
        at = int((0.2 if above else 0.25) * distance.size)
        ax.annotate(name, (distance[at], line[at]), (-9, 7) if above else (9, -7), textcoords="offset points",
                    color=MUTED, ha="right" if above else "left", va="center")  # fmt: skip
    return figure


@styled
def errors_of_functions(x: Array, functions: Mapping[str, Mapping[str, Array]]) -> Figure:
    """Draw the relative errors of ways to compute each function, a panel each, small x at the right."""
    figure, (axes,) = panels([2.9], len(functions), left=0.7, top=0.35, between=0.75)
    for ax, (name, errors) in zip(axes, functions.items(), strict=True):
        _set_logarithmic(ax, (x.max(), x.min()), (_FLOOR, 1e9), "x (smaller →)")
        _draw_errors(ax, x, errors, _FLOOR)
        ax.set_title(name)
    return figure


def _draw_errors(ax: Axes, distance: Array, errors: Mapping[str, Array], floor: float) -> None:
    """Draw a cloud of dots for each way to compute, and its name over or under it."""
    colors = [*(INK, MUTED)[: max(len(errors) - 1, 1)], D_COLOR]
    for rank, ((name, error), color) in enumerate(zip(errors.items(), colors, strict=False)):
        ax.plot(distance, np.maximum(error, floor), "o", color=color, markersize=2.4, clip_on=False)
        if len(errors) == 1:
            ax.text(0.97, 0.04, f"dots: {name}", color=color, transform=ax.transAxes, ha="right")
        elif color == D_COLOR:
            _name_cloud(ax, name, distance, error, color, share=1.0, above=True)
        else:
            _name_cloud(ax, name, distance, error, color, share=(0.84, 0.55)[rank], above=rank == 0)


def _set_logarithmic(ax: Axes, window: tuple[float, float], limits: tuple[float, float], xlabel: str) -> None:
    """Give an axes logarithmic scales, and the level at which no digit is right."""
    ax.set(xscale="log", yscale="log", xlim=window, ylim=limits)
    ax.set(xlabel=xlabel, ylabel="relative error")
    low, high = np.log10(limits)
    step = round((high - low) / 6)
    ax.set_yticks(10.0 ** (step * np.arange(np.ceil(low / step), np.floor(high / step) + 1)))
    ax.minorticks_off()
    ax.axhline(1, color=MUTED, linewidth=0.8)
    ax.annotate(
        "no digit\nright", (window[0], 1), (5, 3), textcoords="offset points", color=MUTED, fontsize=9
    )


def _name_cloud(
    ax: Axes, name: str, distance: Array, error: Array, color: str, *, share: float, above: bool
) -> None:
    """Write a name over the dots, or under them, a share of the way towards the close pairs."""
    near = np.argsort(distance)[::-1]
    at = int(share * (distance.size - 1))
    around = np.maximum(error[near[max(at - 6, 0) : at + 7]], ax.get_ylim()[0])
    height = around.max() if above else around.min()
    ax.annotate(name, (distance[near[at]], height), (0, 6) if above else (4, -8), textcoords="offset points",
                color=color, ha="right" if above else "left", va="bottom" if above else "top")  # fmt: skip


@styled
def staircase(x: Array, computed: Array, exact: Array, step: float) -> Figure:
    """Draw a divergence over a window around p = q, computed and exact, in units of its largest value.

    `step` is the spacing of the numbers that the computed values are multiples of.
    """
    figure, ((ax,),) = panels([3.0], left=0.78)
    scale = exact.max()
    ax.axhspan(-3, 0, color=MUTED, alpha=0.10, linewidth=0)
    ax.axhline(0, color=MUTED, linewidth=0.8)
    unit = x / x[-1]
    ax.plot(unit, exact / scale, color=D_COLOR, linewidth=1)
    ax.plot(unit, computed / scale, "o", color=INK, markersize=3.2)
    ax.text(-0.98, -1.5, "negative: impossible", color=MUTED)
    ax.text(0, 1.6, "dots: textbook formula", color=INK, ha="center")
    ax.text(0, 1.3, "curve: exact", color=D_COLOR, ha="center")
    ax.set(xlim=(-1, 1), ylim=(-2.5, 1.9), xlabel="δ, in units of 10⁻ᶻ")
    ax.set(xticks=[-1, -0.5, 0, 0.5, 1], yticks=[-2, -1, 0, 1])
    ax.set_ylabel("divergence, in units of its\nlargest value in the window")
    if 0.1 < step / scale < 1.5:
        ax.plot([0.93] * 2, [-2.3, -2.3 + step / scale], color=INK, marker="_", linewidth=1)
        ax.text(0.88, -2.3 + step / scale / 2, "2⁻⁵²", ha="right", va="center")
    return figure


@styled
def library_errors(distance: Array, errors: Mapping[str, Array]) -> Figure:
    """Draw the measured errors of several libraries, named at the right, where the pairs are closest."""
    window = (distance.max(), distance.min())
    top = max(1e13, 10 * max(np.max(error) for error in errors.values()))
    figure, ((ax,),) = panels([3.1], left=0.7, right=1.2)
    _set_logarithmic(ax, window, (1e-17, top), _CLOSER)
    decades = np.log10(window[0] / window[1]) / (72 * figure.get_figwidth() * ax.get_position().width)
    ends = [float(np.log10(max(error[-1], 1e-17))) for error in errors.values()]
    places = _apart(ends, gap=(np.log10(top) + 17) / 16, top=np.log10(top) - 0.6)
    for (name, error), place in zip(errors.items(), places, strict=True):
        stroke = {"color": D_COLOR if name == "kl_lib" else INK, **_STROKES[name]}
        stroke |= {"markerfacecolor": GROUND, "markersize": 4, "clip_on": False}
        stroke["linewidth"] = 2.2 if name == "kl_lib" else 1.1
        ax.plot(distance, np.maximum(error, 1e-17), **stroke)
        x = distance.min() / 10 ** (decades * np.array([0, 10, 30, 38]))
        leader = [max(error[-1], 1e-17), 10**place]
        ax.plot(x[:2], leader, color=MUTED, linewidth=0.6, clip_on=False, zorder=1)
        ax.plot(x[1:3], [10**place] * 2, **stroke, markevery=[1])
        ax.text(x[3], 10**place, name, color=stroke["color"], va="center", clip_on=False)
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
