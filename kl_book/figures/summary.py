"""The plots of chapter 5: the two fits of one truth side by side, and the mass that each gets wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from kl_book.figures.style import (
    D_COLOR,
    MUTED,
    P_COLOR,
    Q_COLOR,
    name_curves,
    pair_of_densities,
    panels,
    styled,
)
from kl_lib.divergence import kl_integrand
from kl_lib.types import Array, BatchFunction

Region = NDArray[np.bool_]


def _high_density_region(p: Any, x: Array) -> Region:
    """Mark the points of the even grid x in the smallest region that holds 95% of p, (n,)."""
    density = p.pdf(x)
    descending = np.sort(density)[::-1]
    held = np.cumsum(descending) * (x[1] - x[0])
    return np.asarray(density > np.interp(0.95, held, descending))


def mass_outside(p: Any, q: Any, x: Array) -> float:
    """Return the mass of p outside the smallest region that holds 95% of q, on the even grid x."""
    inside = p.pdf(x)[_high_density_region(q, x)].sum() * (x[1] - x[0])
    return max(1.0 - float(inside), 0.0)  # p may reach beyond the grid; the region does not


def _draw_fit(ax: Axes, p: Any, q: Any, x: Array) -> None:
    """Draw p⋆ and pθ, and fill darker what pθ misses of p⋆ and what it invents."""
    pair_of_densities(ax, p, q, x[::2])
    for first, second, color in ((p, q, P_COLOR), (q, p, Q_COLOR)):
        outside = ~_high_density_region(second, x)[::2]
        ax.fill_between(x[::2], first.pdf(x[::2]), where=outside, color=color, alpha=0.4, linewidth=0)


def _draw_fits(axes: Any, p: Any, fits: Mapping[str, Any], x: Array, height: float) -> None:
    """Draw one fit in each of the axes, with its own divergence and both of its errors."""
    for ax, (words, q) in zip(axes, fits.items(), strict=True):
        _draw_fit(ax, p, q, x)
        first, second = (p, q) if words == "forward" else (q, p)
        value = max(kl_integrand(first, second, x).sum() * (x[1] - x[0]), 0.0)  # never −0.000
        ax.set_title(f"{words} {value:.3f} nats", color=D_COLOR, fontsize=10)
        ax.set(xlim=(x[0], x[-1]), ylim=(0, height), xlabel="x", ylabel="density")
        for down, color, text in (
            (-2, P_COLOR, f"missed {mass_outside(p, q, x):.0%}"),
            (-16, Q_COLOR, f"invented {mass_outside(q, p, x):.0%}"),
        ):
            ax.annotate(text, (1, 1), (-2, down), xycoords="axes fraction", textcoords="offset points",
                        color=color, ha="right", va="top")  # fmt: skip


@styled
def two_ways_to_know(
    p: Any, samples: Array, log_p: BatchFunction, fits: Mapping[str, Any], x: Array
) -> Figure:
    """Draw what each direction is given of p⋆, samples or p̃, and under it what it makes of that."""
    figure, ((left, right), below) = panels([1.6, 1.8], 2, top=0.35, gap=0.6, between=0.6, sharex=True)
    left.hist(samples, bins=np.linspace(x[0], x[-1], 49).tolist(), color=P_COLOR, alpha=0.45)
    left.set(title=f"given: {len(samples)} samples", ylabel="count")
    right.plot(x[::2], np.exp(log_p(x[::2])), color=P_COLOR)
    right.set(title="given: values of p̃ = ℵ p⋆", ylabel="p̃, of any scale", ylim=(0, None))
    _draw_fits(below, p, fits, x, height=0.5)
    name_curves(below[0], p=(1.5, 0.3), q=(-2.9, 0.07))
    name_curves(below[1], p=(8.6, 0.1), q=(-2.4, 0.25))
    return figure


@styled
def missed_and_invented(
    p: Any,
    fits: Mapping[str, Any],
    x: Array,
    distance: float,
    distances: Array,
    errors: Mapping[str, Array],
) -> Figure:
    """Draw both fits, and under each its two errors (distances, 2) as the bumps move apart."""
    figure, (above, below) = panels([1.8, 1.8], 2, top=0.35, gap=0.6, between=0.2, sharey="row")
    _draw_fits(above, p, fits, x, height=0.44)
    for ax, words in zip(below, fits, strict=True):
        places, percent = _parted_at_jumps(distances, 100 * errors[words])
        ax.axhline(5, color=MUTED, linewidth=0.8)
        ax.plot(places, percent[:, 0], ".-", color=P_COLOR)
        ax.plot(places, percent[:, 1], ".-", color=Q_COLOR, dashes=(4, 2))
        ax.axvline(distance, color=MUTED, linewidth=1.2)
        ax.set(xlim=(distances[0], distances[-1]), ylim=(0, 55), ylabel="mass (%)")
        ax.set_xlabel("distance between the bumps")
    below[0].text(0.03, 0.86, "invented", color=Q_COLOR, transform=below[0].transAxes)
    below[0].text(0.03, 0.74, "missed", color=P_COLOR, transform=below[0].transAxes)
    return figure


def _parted_at_jumps(x: Array, y: Array, jump: float = 15.0) -> tuple[Array, Array]:
    """Put a gap between the rows of y (n, k) where one of them jumps, so that no line joins what is apart."""
    after = np.flatnonzero(np.abs(np.diff(y, axis=0)).max(axis=1) > jump) + 1
    return np.insert(x, after, np.nan), np.insert(y, after, np.nan, axis=0)


@styled
def richer_family(p: Any, fits: Mapping[str, Mapping[str, Any]], x: Array) -> Figure:
    """Draw both fits of a truth of three bumps, a row for each family."""
    figure, axes = panels(
        [1.35] * len(fits), 2, least=1.2, top=0.35, gap=0.4, between=0.15, sharex=True, sharey=True
    )
    for row, (words, both) in zip(axes, fits.items(), strict=True):
        _draw_fits(row, p, both, x, height=0.58)
        row[0].set_ylabel(words)
    return figure
