"""One style sheet, one meaning for each colour, and the strokes that the chapters' plots share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kl_book.explore.palette import PALETTE
from kl_lib.types import Array

P_COLOR = PALETTE["p"].light  # p⋆, what is to be learned
Q_COLOR = PALETTE["q"].light  # pθ, the model
D_COLOR = PALETTE["d"].light  # the divergence between them
INK = PALETTE["ink"].light
MUTED = PALETTE["muted"].light
GRID = PALETTE["grid"].light
GROUND = PALETTE["ground"].light

STYLE: dict[Any, Any] = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlecolor": INK,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.labelsize": 10,
    "axes.prop_cycle": cycler(color=[P_COLOR, Q_COLOR, D_COLOR, MUTED]),
    "font.size": 10,
    "grid.color": GRID,
    "hatch.color": D_COLOR,
    "hatch.linewidth": 0.8,
    "lines.linewidth": 1.8,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "svg.fonttype": "none",
}

Arguments = ParamSpec("Arguments")


def styled(draw: Callable[Arguments, Figure]) -> Callable[Arguments, Figure]:
    """Draw in the book's style, and leave the reader's own matplotlib settings alone."""

    @wraps(draw)
    def wrapper(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Figure:
        with mpl.rc_context(STYLE):
            return draw(*args, **kwargs)

    return wrapper


def signed_area(ax: Axes, x: Array, height: Array) -> None:
    """Fill what counts towards a divergence; hatch what counts against it."""
    ax.fill_between(x, height, where=height >= 0, color=D_COLOR, alpha=0.35, linewidth=0, interpolate=True)
    ax.fill_between(
        x, height, where=height < 0, facecolor="none", edgecolor=D_COLOR, hatch="////", linewidth=0,
        interpolate=True,
    )  # fmt: skip
    ax.plot(x, height, color=D_COLOR, linewidth=1.2)
    ax.axhline(0, color=MUTED, linewidth=0.8)


def pair_of_densities(ax: Axes, p: Any, q: Any, x: Array) -> None:
    """Draw p⋆ solid and filled, pθ dashed."""
    ax.fill_between(x, p.pdf(x), color=P_COLOR, alpha=0.12, linewidth=0)
    ax.plot(x, p.pdf(x), color=P_COLOR)
    ax.plot(x, q.pdf(x), color=Q_COLOR, dashes=(4, 2))


def name_curves(ax: Axes, **places: tuple[float, float]) -> None:
    """Write p⋆ and pθ beside their curves, in their colours, at places given in data coordinates."""
    for text, color, place in (("p⋆", P_COLOR, places["p"]), ("pθ", Q_COLOR, places["q"])):
        ax.text(*place, text, color=color, fontsize=12, fontstyle="italic", ha="center")
