"""One style sheet, one meaning for each colour, and the strokes that the chapters' plots share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ParamSpec

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

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
            figure = draw(*args, **kwargs)
            for ax in figure.axes:
                _leave_labels_to_outer(ax)
            return figure

    return wrapper


def panels(
    heights: Sequence[float],
    columns: int = 1,
    *,
    least: float = 1.6,
    left: float = 0.62,
    right: float = 0.15,
    top: float = 0.1,
    bottom: float = 0.5,
    gap: float = 0.3,
    between: float = 0.3,
    sharex: bool = False,
    sharey: str | bool = False,
) -> tuple[Figure, NDArray[Any]]:
    """Return a figure as wide as matplotlib's default, and its panels, (rows, columns).

    All lengths are inches: the `heights` of the rows, the margins, the `gap` between rows and the room
    `between` columns. Where the columns would be narrower than `least` each they stand below one another,
    with margins of their own, and the panels that they hold in the same places of the array.
    """
    width = float(mpl.rcParams["figure.figsize"][0])
    side_by_side = (width - left - right - (columns - 1) * between) / columns >= least
    across, stacks = (columns, 1) if side_by_side else (1, columns)
    inner = (width - left - right - (across - 1) * between) / across
    stack = sum(heights) + (len(heights) - 1) * gap
    height = stacks * (stack + top + bottom)
    figure, grids = Figure(figsize=(width, height)), []
    for number in range(stacks):
        upper = height - number * (stack + top + bottom) - top
        sides = {"left": left / width, "right": 1 - right / width}
        sides |= {"top": upper / height, "bottom": (upper - stack) / height}
        spaces = {"hspace": gap * len(heights) / sum(heights), "wspace": between / inner}
        grids.append(figure.add_gridspec(len(heights), across, height_ratios=heights, **sides, **spaces))
    axes = np.empty((len(heights), columns), dtype=object)
    for row, column in np.ndindex(axes.shape):
        cell = grids[0][row, column] if side_by_side else grids[column][row, 0]
        shared = {"x": axes[0, 0] if sharex else None}
        shared["y"] = axes[0, 0] if sharey is True else axes[row, 0] if sharey == "row" else None
        axes[row, column] = figure.add_subplot(cell, sharex=shared["x"], sharey=shared["y"])
    return figure, axes


def _leave_labels_to_outer(ax: Axes) -> None:
    """Where panels share an axis, name it and its numbers at the lowest, or at the first from the left."""
    cell = ax.get_subplotspec()
    if cell is None:
        return
    if len(ax.get_shared_x_axes().get_siblings(ax)) > 1 and not cell.is_last_row():
        ax.set_xlabel("")
        ax.tick_params(labelbottom=False)
    if len(ax.get_shared_y_axes().get_siblings(ax)) > 1 and not cell.is_first_col():
        ax.set_ylabel("")
        ax.tick_params(labelleft=False)


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
    for text, color, place in (("p⋆", P_COLOR, places["p"]), ("p_θ", Q_COLOR, places["q"])):
        ax.text(*place, text, color=color, fontsize=12, fontstyle="italic", ha="center")
