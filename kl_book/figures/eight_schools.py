"""The plots of the chapter on eight schools: estimates drawn together, the funnel, and weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from kl_book.figures.style import D_COLOR, GROUND, INK, MUTED, P_COLOR, Q_COLOR, panels, styled
from kl_lib.types import Array

# The parts of the mass that the lines of the funnel enclose.
MASSES = (0.95, 0.8, 0.5)
STROKES = ((0, (1, 1.2)), (0, (4, 2)), (0, (6, 1.5, 1, 1.5)), "-")


@styled
def drawn_together(data: tuple[Array, Array], exact: tuple[Array, Array], fit: tuple[Array, Array]) -> Figure:
    """Draw eight estimates with their errors, and the means and spreads of p⋆ and pθ, (8,) each."""
    figure, ((ax,),) = panels([3.8], left=0.4)
    rows = -np.arange(8.0)
    for (means, sds), up, color, marker, style in (
        (data, 0.25, MUTED, "|", "-"),
        (exact, 0, P_COLOR, "o", "-"),
        (fit, -0.25, Q_COLOR, "D", (0, (4, 2))),
    ):
        ax.hlines(rows + up, means - sds, means + sds, color=color, linewidth=1.8, linestyle=style)
        ax.plot(means, rows + up, marker, color=color, markersize=6, markerfacecolor=GROUND)
    for y, text, color in (
        (-3.7, "estimate ± error", MUTED),
        (-4.2, "posterior p⋆", P_COLOR),
        (-4.7, "fit p_θ", Q_COLOR),
    ):
        ax.text(43, y, text, color=color, ha="right", va="center", fontsize=9)
    ax.set(xlim=(-20, 44), ylim=(-7.6, 0.6), xlabel="effect of coaching (points)")
    ax.set_yticks(rows, list("ABCDEFGH"))
    return figure


@styled
def funnel(effect: Array, log_tau: Array, exact: Array, model: Array) -> Figure:
    """Draw two densities on a grid, (log τ, effect), as lines that enclose MASSES, and their margins."""
    figure, ((left, right),) = panels([3.4], 2, sharey="row")
    step = effect[1] - effect[0]
    for density, color, style in ((exact, P_COLOR, "solid"), (model, Q_COLOR, "dashed")):
        left.contour(effect, log_tau, density, levels=_heights(density), colors=color, linestyles=style)
        right.plot(density.sum(axis=1) * step, log_tau, color=color, linestyle=style)
    left.contourf(effect, log_tau, exact, levels=[*_heights(exact), exact.max()], colors=P_COLOR, alpha=0.12)
    right.fill_betweenx(log_tau, exact.sum(axis=1) * step, color=P_COLOR, alpha=0.12, linewidth=0)
    left.set(xlabel="effect (points)", ylabel="log τ", ylim=(log_tau[0], log_tau[-1]))
    right.set(xlabel="density of log τ", ylabel="log τ", xlim=(0, 1.8), xticks=[0, 0.5, 1, 1.5])
    right.text(1.7, -4.1, "posterior p⋆", color=P_COLOR, ha="right")
    right.text(1.7, -4.7, "fit p_θ", color=Q_COLOR, ha="right")
    return figure


@styled
def reweighted(log_tau: Array, exact: Array, edges: Array, drawn: Array, weighted: Array) -> Figure:
    """Draw the density of log τ, and that of draws of a fit in bins, as they are and weighted."""
    figure, ((ax,),) = panels([3.0])
    ax.fill_between(log_tau, exact, color=P_COLOR, alpha=0.12, linewidth=0)
    ax.plot(log_tau, exact, color=P_COLOR)
    ax.stairs(drawn, edges, color=Q_COLOR, linestyle=(0, (4, 2)), linewidth=1.6)
    ax.stairs(weighted, edges, color=INK, linewidth=1.6)
    for y, text, color in (
        (0.92, "posterior p⋆", P_COLOR),
        (0.84, "draws of p_θ", Q_COLOR),
        (0.76, "weighted", INK),
    ):
        ax.text(0.02, y, text, color=color, transform=ax.transAxes)
    ax.set(xlim=(log_tau[0], log_tau[-1]), ylim=(0, 2.1), xlabel="log τ", ylabel="density")
    return figure


@styled
def bounds_of_evidence(k: Sequence[int], bounds: Mapping[str, Array], exact: float) -> Figure:
    """Draw bounds of log ℵ by a mean of k weights, (k,) for each fit, below its value."""
    figure, ((ax,),) = panels([3.0], left=0.72, right=1.85)
    places = []
    for (name, values), style in zip(bounds.items(), STROKES, strict=True):
        ax.plot(k, values, color=Q_COLOR, linestyle=style, linewidth=1.6)
        places.append([values[-1], name])
    ax.axhline(exact, color=P_COLOR)
    ax.fill_between(
        k,
        bounds[min(bounds, key=lambda name: bounds[name][0])],
        exact,
        color=D_COLOR,
        alpha=0.15,
        linewidth=0,
    )
    places.sort(reverse=True)
    height = exact + 0.13
    for end, name in [[exact + 0.13, "log ℵ, exact"], *places]:
        height = min(end, height - 0.14) if name != "log ℵ, exact" else end
        color = P_COLOR if name == "log ℵ, exact" else Q_COLOR
        ax.annotate(name, (1, height), (6, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                    color=color, va="center", fontsize=9, annotation_clip=False)  # fmt: skip
    ax.set(
        xscale="log",
        xlim=(k[0], k[-1]),
        xlabel="draws k in one bound",
        ylabel="bound of log ℵ (nats)",
        ylim=(None, exact + 0.3),
    )
    ax.minorticks_off()
    ax.set_xticks([1, 10, 100, 1000], ["1", "10", "", "1,000"])  # a phone has no room for four
    return figure


def _heights(density: Array) -> list[float]:
    """Return the heights above which a density on an even grid has each of MASSES, in ascending order."""
    heights = np.sort(density, axis=None)[::-1]
    mass = np.cumsum(heights) / heights.sum()
    return [float(heights[np.searchsorted(mass, part)]) for part in MASSES]
