"""The plots of chapter 7: estimates from samples, and what is descended when they are differentiated.

The estimators are told apart by dashes, since the three colours have their meaning already: k1 solid, k2
dashed, k3 dotted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kl_book.figures.style import D_COLOR, GROUND, INK, MUTED, P_COLOR, Q_COLOR, panels, styled
from kl_lib.types import Array

STYLES = {"k1": "-", "k2": (0, (4, 2)), "k3": (0, (1, 1.2)), "best": (0, (6, 1.5, 1, 1.5))}


@styled
def estimate_strips(estimates: Mapping[str, Array], limits: tuple[float, float]) -> Figure:
    """Draw many estimates (n,) of each estimator, as multiples of the divergence: a dot each, a bar the mean.

    What lies beyond the limits is counted at the edge.
    """
    figure, ((ax,),) = panels([2.8], left=0.5)
    low, high = limits
    for row, values in enumerate(estimates.values()):
        inside = values[(values >= low) & (values <= high)]
        heights = -row + 0.3 * (np.arange(inside.size) % 15 / 7 - 1)
        ax.scatter(inside, heights, s=12, color=D_COLOR, alpha=0.45, linewidth=0)
        mean = float(np.clip(values.mean(), low, high))
        ax.plot([mean, mean], [-row - 0.38, -row + 0.38], color=INK, linewidth=2)
        for count, edge, side, text in (
            (np.sum(values < low), low, "left", "← {}"),
            (np.sum(values > high), high, "right", "{} →"),
        ):
            if count:
                ax.text(edge, -row + 0.4, text.format(count), ha=side, va="center", color=MUTED, fontsize=9)
    ax.axvline(1, color=INK, linewidth=0.9, linestyle=":", zorder=0)
    ax.set(xlim=limits, ylim=(-len(estimates) + 0.4, 0.6), xlabel="estimate / divergence")
    ax.set_yticks(-np.arange(len(estimates)), list(estimates))
    return figure


@styled
def spread_against_distance(mu: Array, curves: Mapping[str, Array]) -> Figure:
    """Draw the standard deviation of a term over the divergence, (n,) each, against the distance."""
    figure, ((ax,),) = panels([3.0], left=0.72, right=1.1)
    for name, values in curves.items():
        ax.plot(mu, values, color=D_COLOR, linestyle=STYLES[name], linewidth=1.6)
    ends = sorted((min(values[-1], 40.0), name) for name, values in curves.items())
    for (end, name), up in zip(ends, (-6, 3, 0, 0), strict=True):
        label = "best mixture" if name == "best" else name
        ax.annotate(label, (1, end), (6, up), xycoords=("axes fraction", "data"), textcoords="offset points",
                    color=D_COLOR, va="center", annotation_clip=False)  # fmt: skip
    ax.set(xscale="log", yscale="log", xlim=(mu[0], mu[-1]), ylim=(0.3, 40), xlabel="distance μ")
    ax.set_ylabel("standard deviation of a term\n/ divergence")
    ax.minorticks_off()
    ax.set_xticks([0.1, 0.3, 1, 3], ["0.1", "0.3", "1", "3"])
    ax.set_yticks([0.5, 1, 2, 5, 10, 20], ["0.5", "1", "2", "5", "10", "20"])
    return figure


@styled
def running_means(counts: Array, runs: Array, exact: float, tails: tuple[Array, Array]) -> Figure:
    """Draw estimates against the number of samples, (runs, counts), and k̂ of their ratios beside it.

    `tails` are the exact index as an array without axes, and k̂, (runs, counts).
    """
    figure, ((top,), (bottom,)) = panels([2.0, 2.0], right=0.85, gap=0.28, sharex=True)
    top.plot(counts, runs.T / exact, color=D_COLOR, linewidth=1, alpha=0.8)
    top.axhline(1, color=INK, linewidth=1, linestyle=":")
    top.set(ylim=(0.5, 1.6), ylabel="mean of k3 / divergence")
    _in_margin(top, 1, "exact")
    index, found = float(tails[0]), tails[1]
    bottom.plot(counts, found.T, color=MUTED, linewidth=1)
    bottom.axhline(index, color=INK, linewidth=1, linestyle=":")
    bottom.axhline(0.5, color=INK, linewidth=0.8)
    apart = 5 * (1 if index > 0.5 else -1) * (abs(index - 0.5) < 0.1)  # two lines that are close
    _in_margin(bottom, 0.5, "½", up=-apart)
    _in_margin(bottom, index, "exact k", up=apart)
    bottom.set(xscale="log", xlim=(counts[0], counts[-1]), ylim=(-0.2, 1.2), xlabel="samples")
    bottom.set_ylabel("k̂ of the ratios")
    bottom.minorticks_off()
    bottom.set_xticks([100, 1000, 10_000, 100_000], ["10²", "10³", "10⁴", "10⁵"])
    return figure


@styled
def neighbours_against_dimension(dimensions: Array, curves: Mapping[str, Array], exact: float) -> Figure:
    """Draw estimates from samples alone, (repetitions, dimensions) each, against the dimension."""
    figure, ((ax,),) = panels([2.8], right=1.2)
    apart = iter((8, 0, -8))
    for (name, values), style in zip(curves.items(), ("-", (0, (4, 2)), (0, (1, 1.2))), strict=True):
        mean, spread = values.mean(axis=0), values.std(axis=0)
        ax.fill_between(dimensions, mean - spread, mean + spread, color=D_COLOR, alpha=0.18, linewidth=0)
        ax.plot(dimensions, mean, color=D_COLOR, linestyle=style)
        _in_margin(ax, mean[-1], name, color=D_COLOR, up=next(apart))
    ax.axhline(exact, color=INK, linewidth=1, linestyle=":")
    _in_margin(ax, exact, "exact")
    ax.set(xlim=(dimensions[0], dimensions[-1]), ylim=(0, 1.25 * exact), xlabel="dimension")
    ax.set_ylabel("estimate (nats)")
    ax.set_xticks(dimensions)
    return figure


@styled
def training_run(q: Any, path: Array, step: int, goals: Mapping[str, tuple[float, float]]) -> Figure:
    """Draw a policy at one step of its training beside its target, and its way through the parameters.

    `path` is (steps, 2), means and standard deviations; `goals` are places there, by name.
    """
    figure, ((top,), (bottom,)) = panels([1.8, 2.0], gap=0.6)
    x = np.linspace(-4, 9, 261)
    mean, scale = path[step]
    density = np.exp(-0.5 * ((x - mean) / scale) ** 2) / (scale * (2 * np.pi) ** 0.5)
    top.fill_between(x, np.exp(q.logpdf(x)), color=P_COLOR, alpha=0.12, linewidth=0)
    top.plot(x, np.exp(q.logpdf(x)), color=P_COLOR)
    top.plot(x, density, color=Q_COLOR, dashes=(4, 2))
    top.text(5, 0.15, "reference q", color=P_COLOR, ha="center")
    top.text(8.9, 0.54, "policy p_θ", color=Q_COLOR, ha="right")
    top.set(xlim=(x[0], x[-1]), ylim=(0, 0.6), xlabel="x", ylabel="density")
    bottom.plot(path[:, 0], path[:, 1], color=MUTED, linewidth=0.7)
    bottom.plot(path[: step + 1, 0], path[: step + 1, 1], color=Q_COLOR, linewidth=1.6)
    bottom.plot(mean, scale, "o", color=Q_COLOR, markersize=7)
    for name, place in goals.items():
        bottom.plot(*place, "D", color=INK, markerfacecolor=GROUND, markersize=8, zorder=0)
        # Away from the start, from which all paths come.
        side, right = ("right", -10) if place[0] < path[0, 0] else ("left", 10)
        words = _with_index(name).replace(" ", "\n", 1)
        bottom.annotate(words, place, (right, 0), textcoords="offset points", va="center", ha=side)
    bottom.set(xlim=(-2, 4), ylim=(0, 3.2), xlabel="mean of the policy")
    bottom.set_ylabel("its standard deviation")
    return figure


@styled
def descended(s: Array, curves: Mapping[str, Array], here: float) -> Figure:
    """Draw the gradient of a loss along a path of policies, and those of both divergences; (n,) each.

    `curves` are the loss, the divergence, the other one; `here` is where the samples come from.
    """
    figure, ((ax,),) = panels([3.3], right=1.2)
    colours, widths = (Q_COLOR, D_COLOR, D_COLOR), (3.2, 1.4, 1.4)
    styles = ((0, (2.5, 1)), "-", (0, (4, 2)))
    ends = np.array([np.clip(values[-1], -2.4, 2.4) for values in curves.values()])
    for i in np.argsort(ends)[1:]:  # labels that touch are moved apart
        below = np.sort(ends)[np.searchsorted(np.sort(ends), ends[i]) - 1]
        ends[i] = max(ends[i], below + 0.33)
    for (name, values), colour, width, style, end in zip(
        curves.items(), colours, widths, styles, ends, strict=True
    ):
        ax.plot(s, values, color=colour, linewidth=width, linestyle=style)
        _in_margin(ax, float(end), _with_index(name), color=colour)
    ax.axhline(0, color=MUTED, linewidth=0.8)
    ax.axvline(here, color=MUTED, linewidth=0.9, linestyle=":")
    ax.annotate("samples", (here, 2.28), (4, 0), textcoords="offset points", color=MUTED, fontsize=9)
    ax.set(xlim=(s[0], s[-1]), ylim=(-2.5, 2.5), xlabel="scale s of the policy")
    ax.set_ylabel("gradient in s")
    return figure


@styled
def clipping(limits: Array, bias: Array, spread: Array, n: Sequence[int]) -> Figure:
    """Draw the bias and the standard error of a mean with clipped weights against where they are clipped."""
    figure, ((ax,),) = panels([2.8], left=0.7, right=1.35)
    ax.plot(limits, bias, color=D_COLOR)
    _in_margin(ax, bias[-1], "bias", color=D_COLOR)
    for size, style in zip(n, ((0, (4, 2)), (0, (1, 1.2))), strict=True):
        ax.plot(limits, spread / size**0.5, color=INK, linestyle=style, linewidth=1.4)
        _in_margin(ax, spread[-1] / size**0.5, f"error, n = {size:,}")
    ax.set(yscale="log", xlim=(limits[0], limits[-1]), ylim=(1e-3, 1), xlabel="weights clipped at")
    ax.set_ylabel("relative to the divergence")
    ax.minorticks_off()
    ax.set_yticks([0.001, 0.01, 0.1, 1], ["0.001", "0.01", "0.1", "1"])
    return figure


def _in_margin(ax: Axes, y: float, text: str, *, up: float = 0, color: str = INK) -> None:
    ax.annotate(text, (1, y), (6, up), xycoords=("axes fraction", "data"), textcoords="offset points",
                color=color, va="center", annotation_clip=False)  # fmt: skip


def _with_index(name: str) -> str:
    """Write pθ as the labels of figures do, with its index below the line."""
    return name.replace("pθ", "p_θ")
