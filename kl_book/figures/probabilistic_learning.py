"""The plots of chapter 1: one truth, several models, and both divergences between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kl_book.figures.style import (
    D_COLOR,
    GROUND,
    INK,
    P_COLOR,
    Q_COLOR,
    name_curves,
    pair_of_densities,
    panels,
    signed_area,
    styled,
)
from kl_lib.divergence import kl_divergence, kl_integrand
from kl_lib.types import Array


@styled
def signed_areas(p: Any, models: Mapping[str, Any], x: Array) -> Figure:
    """Set models side by side: the densities, and under them both divergences as signed areas.

    One column a model. The rows share their scale, so that areas may be compared across columns.
    """
    figure, axes = panels(
        [1.3, 1.3, 1.3], len(models), least=0.7, top=0.3, gap=0.55, between=0.12,
        sharex=True, sharey="row",
    )  # fmt: skip
    for column, (name, q) in zip(axes.T, models.items(), strict=True):
        pair_of_densities(column[0], p, q, x)
        column[0].set_title(name)
        for ax, first, second in ((column[1], p, q), (column[2], q, p)):
            signed_area(ax, x, kl_integrand(first, second, x))
            ax.margins(y=0.18)
            value = f"{kl_divergence(first, second):.3f}"
            ax.text(0.98, 0.97, value, color=D_COLOR, ha="right", va="top", transform=ax.transAxes)
        column[2].set(xlabel="x", xticks=[-4, 0, 4])
    axes[0, 0].set(ylabel="density", ylim=(0, None), xlim=(x[0], x[-1]))
    name_curves(axes[0, 0], p=(-2.9, 0.45), q=(1.9, 0.28))
    for ax, words in ((axes[1, 0], "forward: p⋆ log(p⋆ / p_θ)"), (axes[2, 0], "reverse: p_θ log(p_θ / p⋆)")):
        ax.set_title(f"{words}, its area in nats", color=D_COLOR, fontsize=10)
    return figure


@styled
def integrands(
    p: Any, q: Any, x: Array, divergences: tuple[float, float], *, height: float, area: float
) -> Figure:
    """Draw p⋆ and one pθ, and under them the forward and the reverse divergence as signed areas.

    `height` bounds the densities and `area` the integrands from above, so that frames share their axes.
    """
    figure, axes = panels([1.5, 1.25, 1.25], gap=0.42, sharex=True)
    top, *below = axes[:, 0]
    pair_of_densities(top, p, q, x)
    top.set(xlim=(x[0], x[-1]), ylim=(0, height), ylabel="density")
    directions = (("forward", p, q, "p⋆ log(p⋆ / p_θ)"), ("reverse", q, p, "p_θ log(p_θ / p⋆)"))
    for ax, (name, first, second, formula), value in zip(below, directions, divergences, strict=True):
        signed_area(ax, x, kl_integrand(first, second, x))
        ax.set(ylim=(-0.35 * area, area), ylabel="integrand")
        ax.set_title(f"{formula}: {name} {value:.3f} nats", color=D_COLOR, fontsize=10)
    below[-1].set_xlabel("x")
    return figure


@styled
def rankings(
    p: Any, models: Mapping[str, Any], x: Array, forward: list[float], reverse: list[float]
) -> Figure:
    """Draw p⋆ with its models, and beside them how each direction ranks the models."""
    figure, ((left, right),) = panels([2.6], 2, left=0.55, between=0.75)
    left.fill_between(x, p.pdf(x), color=P_COLOR, alpha=0.12, linewidth=0)
    left.plot(x, p.pdf(x), color=P_COLOR)
    densities = np.array([q.pdf(x) for q in models.values()])
    for name, density, dashes in zip(models, densities, ((4, 2), (1, 1), (6, 2, 1, 2)), strict=False):
        _named_model(left, name, x, density, dashes, clear=max(0.4, densities[:, density.argmax()].max()))
    left.set(xlim=(x[0], x[-1]), ylim=(0, 0.9), xlabel="x", ylabel="density")
    rows = np.arange(len(models))[::-1]
    for offset, marker, words, values in ((0.15, "o", "forward", forward), (-0.15, "D", "reverse", reverse)):
        best = int(np.argmin(values))
        right.plot(values, rows + offset, marker, color=D_COLOR, markerfacecolor=GROUND, markersize=6)
        right.plot(values[best], rows[best] + offset, marker, color=D_COLOR, markersize=9)
        right.annotate(f"{words}: closest", (values[best], rows[best] + offset), (9, 0), va="center",
                       textcoords="offset points", color=D_COLOR)  # fmt: skip
    right.set(xscale="log", xlim=(0.01, 60), ylim=(-0.6, len(models) - 0.4), xlabel="divergence (nats)")
    right.set_xticks([0.01, 0.1, 1, 10], ["0.01", "0.1", "1", "10"])
    right.set_yticks(rows, list(models))
    right.tick_params(axis="x", which="minor", length=0)
    return figure


def _named_model(
    ax: Axes, name: str, x: Array, density: Array, dashes: tuple[int, ...], clear: float
) -> None:
    """Draw a model; name it at its peak, or where that is below `clear` on its left flank."""
    ax.plot(x, density, color=Q_COLOR, dashes=dashes, linewidth=1.4)
    peak = int(density.argmax())
    low = density[peak] < clear
    at = int(np.argmax(density > 0.4 * density[peak])) if low else peak
    ax.annotate(name, (x[at], density[at]), (-4, 0) if low else (0, 3), textcoords="offset points",
                color=Q_COLOR, ha="right" if low else "center")  # fmt: skip


@styled
def coarsened(p: Any, q: Any, shares: Sequence[Array], divergences: Sequence[float], limit: float) -> Figure:
    """Draw p⋆ and pθ with their histograms over [-6, 6], and the divergence at every number of bins.

    `shares` are the probabilities (bins,) of equal bins under p and q; `divergences` those of 1, 2, 4, …
    bins; `limit` is the divergence of the densities.
    """
    figure, ((top,), (bottom,)) = panels([1.8, 1.6], gap=0.6)
    x, bins = np.linspace(-6, 6, 161), len(shares[0])
    pair_of_densities(top, p, q, x)
    for share, color, dashes in ((shares[0], P_COLOR, (None, None)), (shares[1], Q_COLOR, (4, 2))):
        heights = np.repeat(share * bins / 12, 2)
        edges = np.repeat(np.linspace(-6, 6, bins + 1), 2)[1:-1]
        top.plot(edges, heights, color=color, linewidth=1, dashes=dashes)
    name_curves(top, p=(-2.4, 0.42), q=(3.6, 0.14))
    top.set(xlim=(-6, 6), ylim=(0, 0.6), yticks=[0, 0.2, 0.4, 0.6], xlabel="x", ylabel="density")
    bottom.axhline(limit, color=INK, linewidth=0.8)
    bottom.text(0, limit + 0.015, "of the densities", color=INK)
    bottom.plot(divergences, "o", color=D_COLOR, markerfacecolor=GROUND, markersize=6)
    at = int(np.log2(bins))
    bottom.plot(at, divergences[at], "o", color=D_COLOR, markersize=9)
    bottom.set_xticks(range(len(divergences)), [str(2**k) for k in range(len(divergences))])
    bottom.set(ylim=(-0.02, 1.2 * limit), xlabel="bins", ylabel="divergence (nats)")
    return figure
