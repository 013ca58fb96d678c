"""The plots of chapter 4: samples that are reweighted or moved, and the spread of their gradients.

Estimators are told apart by dashes, since the three colours have their meaning already: pathwise solid, score
function dashed, a third dotted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kl_book.figures.style import D_COLOR, GROUND, INK, MUTED, Q_COLOR, panels, styled
from kl_lib.types import Array

SOLID, DASHED, DOTTED = "-", (0, (4, 2)), (0, (1, 1.2))


@styled
def reweighted_and_moved(
    f: Callable[[Array], Array], p: Any, start: Array, weights: Array, moved: Array
) -> Figure:
    """Estimate E[f] under p from samples of another: reweighted where they are, or moved to where p is.

    `start` are the samples, `weights` what each counts, `moved` where each goes; all (n,).
    """
    figure, ((above,), (below,)) = panels([2.2, 2.2], top=0.3, gap=0.42, sharex=True, sharey=True)
    x, exact = np.linspace(-2.1, 3.7, 117), p.expect(f)
    for ax, points, sizes, words in (
        (above, start, weights, "points stay, weights change"),
        (below, moved, np.ones_like(start), "points move, weights stay"),
    ):
        ax.plot(x, f(x), color=MUTED, linewidth=1)
        ax.plot(x, 9 * p.pdf(x) - 5.5, color=Q_COLOR, dashes=(4, 2), linewidth=1.4)
        ax.scatter(start, f(start), s=60, facecolor="none", edgecolor=MUTED, linewidth=0.9)
        ax.scatter(points, f(points), s=60 * sizes, color=Q_COLOR, alpha=0.55, linewidth=0)
        average = float(np.mean(sizes * f(points)))
        ax.axhline(average, color=Q_COLOR, linewidth=1.6)
        ax.axhline(exact, color=INK, linewidth=1.2, linestyle=DOTTED)
        for row, (text, color, style) in enumerate((
            (f"average {average:.2f}", Q_COLOR, SOLID), (f"exact E[f] {exact:.2f}", INK, DOTTED),
        )):  # fmt: skip
            y = 0.93 - 0.11 * row
            ax.plot([0.46, 0.53], [y, y], color=color, linestyle=style, linewidth=1.6, transform=ax.transAxes)
            ax.text(0.55, y, text, color=color, va="center", transform=ax.transAxes)
        ax.set(title=words, xlim=(x[0], x[-1]), ylim=(-5.6, 15), yticks=[0, 5, 10, 15])
        ax.set(xlabel="x", ylabel="f(x)")
    return figure


@styled
def gradient_histograms(
    score: Array, pathwise: Array, exact: float, baseline: float, curve: tuple[Array, Array]
) -> Figure:
    """Draw how the per-sample gradients (n,) spread, and under it the variance against the baseline.

    `curve` is the variance of the score-function estimator, (baselines, variances).
    """
    figure, ((top,), (bottom,)) = panels([1.9, 1.9], gap=0.6)
    edges = np.linspace(-20, 14, 103)
    for values, style in ((pathwise, SOLID), (score, DASHED)):
        heights = np.histogram(values, edges)[0] / (len(values) * np.diff(edges))
        top.stairs(heights, edges, baseline=None, color=INK, linewidth=1.3, linestyle=style)
        if style == SOLID:
            flank = int(np.argmax(heights > 0.8 * heights.max()))
            top.annotate("pathwise", (edges[flank], heights[flank]), (-6, 7), ha="right",
                         textcoords="offset points")  # fmt: skip
        else:
            top.annotate("score function", (edges[0], heights[21]), (5, 10), textcoords="offset points")
    top.axvline(exact, color=MUTED, linewidth=0.9, linestyle=DOTTED)
    top.text(exact - 0.5, 0.73, "exact", color=MUTED, ha="right")
    top.plot(score.mean(), 0.03, "^", color=INK, markersize=7)
    top.set(xlim=(edges[0], edges[-1]), ylim=(0, 0.8), ylabel="density")
    top.set_xlabel("gradient in μ, from one sample")
    baselines, variances = curve
    best = variances.argmin()
    bottom.plot(baselines, variances, color=INK, linestyle=DASHED)
    bottom.axhline(pathwise.var(), color=INK)
    bottom.plot(baselines[best], variances[best], "o", color=INK, markerfacecolor=GROUND, markersize=8)
    bottom.set(xlim=(baselines[0], baselines[-1]), ylim=(0, 100), xlabel="baseline b", ylabel="variance")
    _chosen(bottom, baseline, float(np.interp(baseline, baselines, variances)))
    towards = 1 if baselines[best] < baselines.mean() else -1
    bottom.annotate("pathwise", (baselines[-1], pathwise.var()), (0, 4), ha="right",
                    textcoords="offset points")  # fmt: skip
    bottom.annotate("score function", (baselines[best], variances[best]), (18 * towards, -13),
                    ha="left" if towards > 0 else "right", textcoords="offset points")  # fmt: skip
    return figure


def _chosen(ax: Axes, x: float, y: float) -> None:
    """Mark a point by a dot; one above the frame by a dot on its upper edge and the number."""
    (start, end), top = ax.get_xlim(), ax.get_ylim()[1]
    ax.plot(x, min(y, top), "o", color=INK, clip_on=False)
    if y > top:
        side = 1 if x < start + 0.75 * (end - start) else -1
        ax.annotate(f"↑ {y:.0f}", (x, top), (8 * side, 0), ha="left" if side > 0 else "right", va="top",
                    textcoords="offset points")  # fmt: skip


@styled
def oscillation(
    f: Callable[[Array], Array], p: Any, k: float, curves: Mapping[str, tuple[Array, Array]]
) -> Figure:
    """Draw f under the model, and the variance of three estimators against k, (ks, variances) each."""
    figure, ((top,), (bottom,)) = panels([1.3, 2.4], gap=0.6, left=0.7)
    x = np.linspace(-5, 6, 221)
    top.plot(x, f(x), color=MUTED, linewidth=1.2)
    top.plot(x, p.pdf(x), color=Q_COLOR, dashes=(4, 2))
    top.set(xlim=(x[0], x[-1]), ylim=(-1.1, 1.1), xlabel="x", ylabel="cos(kx), density")
    named_at = ((0.6 / p.std(), 14, -22), (0.25, 5, 5), (min(1.5 / p.std(), 2.25), -30, -22))
    for (name, (ks, variances)), style, (place, right, up) in zip(
        curves.items(), (SOLID, DASHED, DOTTED), named_at, strict=True
    ):
        bottom.plot(ks, variances, color=INK, linestyle=style)
        bottom.plot(k, np.interp(k, ks, variances), "o", color=INK, markersize=5, clip_on=False)
        bottom.annotate(name, (place, np.interp(place, ks, variances)), (right, up),
                        textcoords="offset points")  # fmt: skip
    bottom.set(xscale="log", yscale="log", xlim=(ks[0], ks[-1]), ylim=(5e-4, 20), xlabel="k")
    bottom.set_ylabel("variance of a gradient in μ")
    bottom.minorticks_off()
    bottom.set_xticks([0.25, 0.5, 1, 2, 4], ["0.25", "0.5", "1", "2", "4"])
    bottom.set_yticks([1e-3, 1e-2, 0.1, 1, 10], ["0.001", "0.01", "0.1", "1", "10"])
    return figure


@styled
def sample_paths(mean: Array, normal: Array, probability: Array, bernoulli: Array) -> Figure:
    """Follow samples, their noise held fixed, as a parameter moves; paths are (samples, steps)."""
    figure, ((left, right),) = panels([2.2], 2, top=0.35, between=0.6)
    left.plot(mean, normal.T, color=Q_COLOR, linewidth=1)
    left.set(title="normal: every path slopes", xlabel="mean μ", ylabel="sample", xlim=mean[[0, -1]])
    apart = np.linspace(-0.12, 0.12, len(bernoulli))[:, None]
    right.plot(probability, (bernoulli + apart).T, color=Q_COLOR, linewidth=1, drawstyle="steps-post")
    right.set(title="Bernoulli: flat, then a jump", xlabel="probability p", xlim=(0, 1))
    right.set_yticks([0, 1])
    return figure


@styled
def loss_curves(runs: Mapping[str, Array]) -> Figure:
    """Draw the median over seeds of three losses, (seeds, steps), in the band of their middle 80 %."""
    figure, ((ax,),) = panels([3.1], right=0.2)
    styles = ((DOTTED, 2, 5), (DASHED, 2, 11), (SOLID, 0, -12))
    for (name, losses), (style, edge, up) in zip(runs.items(), styles, strict=True):
        band = low, median, high = np.quantile(losses[:, ::4], [0.1, 0.5, 0.9], axis=0)
        steps = 4 * np.arange(len(median))
        ax.fill_between(steps, low, high, color=D_COLOR, alpha=0.22, linewidth=0)
        ax.plot(steps, median, color=D_COLOR, linewidth=1.4, linestyle=style)
        ax.annotate(name, (steps[-1], band[edge][-1]), (-2, up), ha="right", textcoords="offset points")
    ax.set(yscale="log", xlim=(0, steps[-1]), xlabel="step", ylabel="ELBO still to gain (nats)")
    ax.minorticks_off()
    ax.set_yticks([0.01, 0.1, 1, 10], ["0.01", "0.1", "1", "10"])
    return figure
