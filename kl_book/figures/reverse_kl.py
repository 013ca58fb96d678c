"""The plots of chapter 3: what a reverse-KL fit settles on, and what the ELBO leaves open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import stats

from kl_book.figures.style import (
    D_COLOR,
    GROUND,
    INK,
    MUTED,
    P_COLOR,
    Q_COLOR,
    name_curves,
    pair_of_densities,
    panels,
    styled,
)
from kl_lib.types import Array


@styled
def landscape(a: float, optima: Sequence[tuple[float, float, float]], means: Array, depths: Array) -> Figure:
    """Draw ½N(-a, 1) + ½N(a, 1) with its normal fits over the best reverse divergence at each mean.

    `optima` are the local minima (value, mean, scale) of the reverse divergence, the lowest first;
    `depths` (n,) is the least reverse divergence of a normal with mean `means` (n,), from 0 upwards; the
    left half is its mirror image.
    """
    means, depths = np.append(-means[:0:-1], means), np.append(depths[:0:-1], depths)
    figure, ((top,), (bottom,)) = panels([2.0, 2.0], gap=0.28, sharex=True)
    x = np.linspace(means[0], means[-1], 221)
    p = stats.Mixture([stats.Normal(mu=-a, sigma=1), stats.Normal(mu=a, sigma=1)])
    values, centres, _ = np.array(optima).T
    equal = values < values[0] + 1e-6
    top.fill_between(x, p.pdf(x), color=P_COLOR, alpha=0.12, linewidth=0)
    top.plot(x, p.pdf(x), color=P_COLOR)
    gaps = np.append(x, np.nan)  # several curves as one line, so that all frames have the same lines
    fits = np.array([np.append(stats.norm.pdf(x, mean, scale), np.nan) for _, mean, scale in optima])
    for chosen, width, dashes in ((equal, 1.8, (4, 2)), (~equal, 1, (1, 2))):
        curves = np.tile(gaps, chosen.sum()), np.ravel(fits[chosen])
        top.plot(*curves, color=Q_COLOR, linewidth=width, dashes=dashes)
    top.plot(x, stats.norm.pdf(x, scale=np.hypot(1, a)), color=MUTED, linewidth=1, dashes=(6, 2, 1, 2))
    _key(top, several=not equal.all())
    top.set(xlim=(means[0], means[-1]), ylim=(0, 0.8), ylabel="density", yticks=[0, 0.2, 0.4, 0.6])
    bottom.plot(means, depths, color=D_COLOR)
    bottom.plot(centres, values, "o", color=Q_COLOR, markerfacecolor=GROUND, markersize=6)
    bottom.plot(centres[equal], values[equal], "o", color=Q_COLOR, markersize=8)
    bottom.set(xticks=[-8, -4, 0, 4, 8], xlabel="x, and mean of the normal")
    bottom.set(ylim=(0, 2), yticks=[0, 0.5, 1, 1.5, 2], ylabel="least reverse KL (nats)")
    return figure


def _key(ax: Axes, *, several: bool) -> None:
    """Name the strokes of the landscape, whose curves move too much for labels of their own."""
    strokes = [
        ("p⋆", P_COLOR, 1.8, (None, None)),
        ("reverse, lowest", Q_COLOR, 1.8, (4, 2)),
        ("forward", MUTED, 1, (6, 2, 1, 2)),
        ("reverse, local", Q_COLOR, 1, (1, 2)),
    ]
    for row, (text, color, width, dashes) in enumerate(strokes if several else strokes[:-1]):
        y = 0.92 - 0.1 * row
        ax.plot([0.01, 0.07], [y, y], color=color, linewidth=width, dashes=dashes, transform=ax.transAxes)
        ax.text(0.085, y, text, color=color, va="center", transform=ax.transAxes)


@styled
def collapse(p: Any, paths: Mapping[str, Array], shown: Sequence[int]) -> Figure:
    """Draw the fits at the steps `shown` of the first path, and the standard deviation along each path.

    `paths` maps words to θ = (μ, log σ) at every step (steps, 2), for three runs: without the entropy, with
    both terms, with the entropy alone.
    """
    figure, ((left, right),) = panels([2.6], 2, left=0.6, right=0.25, between=0.85)
    x = np.linspace(-3.5, 4.5, 801)
    left.fill_between(x, p.pdf(x), color=P_COLOR, alpha=0.12, linewidth=0)
    left.plot(x, p.pdf(x), color=P_COLOR)
    left.text(-2.6, 0.3, "p⋆", color=P_COLOR, fontsize=12, fontstyle="italic", ha="center")
    collapsing = next(iter(paths.values()))
    for step in shown:
        mean, scale = collapsing[step - 1, 0], np.exp(collapsing[step - 1, 1])
        density = np.exp(-0.5 * ((x - mean) / scale) ** 2) / (scale * np.sqrt(2 * np.pi))
        left.plot(x, density, color=Q_COLOR, dashes=(4, 2), linewidth=1.4)
        offset, side = ((7, -4), "left") if step > 1 else ((-2, 5), "right")
        left.annotate(f"step {step}", (mean, density.max()), offset, ha=side, textcoords="offset points",
                      color=Q_COLOR)  # fmt: skip
    left.set(xlim=(-3.5, 4.5), ylim=(0, 2.9), xlabel="x", ylabel="density")
    strokes = (((4, 2), 30, 0.12, "right"), ((1, 1), 1000, 2.4, "right"), ((6, 2, 1, 2), 10, 6.5, "left"))
    for (words, path), (dashes, *place, side) in zip(paths.items(), strokes, strict=True):
        steps, scales = np.arange(1, len(path) + 1), np.exp(path[:, 1])
        right.loglog(steps, scales, color=Q_COLOR, dashes=dashes)
        right.text(*place, words, ha=side, color=Q_COLOR)
    right.set(xlabel="step", ylabel="standard deviation of p_θ", ylim=(0.02, 12), xlim=(1, 1100))
    right.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
    right.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
    right.minorticks_off()
    return figure


@styled
def fold(
    covering: Array, seeking: Array, saddle: Array, *, turn: tuple[float, float], switch: tuple[float, float]
) -> Figure:
    """Draw the stationary points of the reverse divergence over half the distance of the bumps.

    Each branch is (n, 3): half the distance a of the centres, the mean, the divergence; `turn` is (a, mean)
    where the two branches off the centre meet, `switch` (a, divergence) where the global minimum changes
    branch.
    """
    figure, ((top,), (bottom,)) = panels([2.3, 2.3], gap=0.28, sharex=True)
    _fold_of_means(top, covering, seeking, saddle, turn, switch[0])
    _fold_of_divergences(bottom, covering, seeking, saddle, switch)
    return figure


def _fold_of_means(
    ax: Axes, covering: Array, seeking: Array, saddle: Array, turn: tuple[float, float], switch: float
) -> None:
    for sign in (1, -1):
        ax.plot(saddle[:, 0], sign * saddle[:, 1], color=MUTED, linewidth=1.2, dashes=(1, 2))
        _branch(ax, seeking[:, 0], sign * seeking[:, 1], seeking[:, 0] > switch, Q_COLOR)
        ax.plot(turn[0], sign * turn[1], "o", color=Q_COLOR, markerfacecolor=GROUND, markersize=6)
    _branch(ax, covering[:, 0], covering[:, 1], covering[:, 0] <= switch, Q_COLOR)
    ax.annotate(f"fold, a = {turn[0]:.3f}", turn, (-8, 6), ha="right", textcoords="offset points", color=INK)
    ax.text(3.3, 2.5, "one mode", color=Q_COLOR)
    ax.text(3.3, 1.05, "saddle", color=MUTED)
    ax.text(0.1, 0.25, "covering", color=Q_COLOR)
    ax.text(0.1, -4.3, "heavy: the global minimum", color=INK)
    ax.set(ylabel="mean of p_θ", ylim=(-4.6, 4.6))


def _fold_of_divergences(
    ax: Axes, covering: Array, seeking: Array, saddle: Array, switch: tuple[float, float]
) -> None:
    ax.plot(saddle[:, 0], saddle[:, 2], color=MUTED, linewidth=1.2, dashes=(1, 2))
    _branch(ax, seeking[:, 0], seeking[:, 2], seeking[:, 0] > switch[0], D_COLOR)
    _branch(ax, covering[:, 0], covering[:, 2], covering[:, 0] <= switch[0], D_COLOR)
    ax.axhline(np.log(2), color=MUTED, linewidth=0.8)
    ax.text(0.05, np.log(2) + 0.02, "log 2", color=MUTED)
    ax.plot(*switch, "o", color=D_COLOR, markerfacecolor=GROUND, markersize=6)
    ax.annotate(f"switch,\na = {switch[0]:.3f}", switch, (8, -30), va="top", textcoords="offset points",
                color=INK)  # fmt: skip
    ax.text(3.38, 1.12, "covering", color=D_COLOR)
    ax.text(4.25, 0.58, "one mode", color=D_COLOR, ha="right")
    ax.set(xlim=(0, 4.3), ylim=(0, 1.35), xlabel="half the distance of the bumps, a")
    ax.set_ylabel("reverse KL (nats)")


def _branch(ax: Axes, x: Array, y: Array, lowest: NDArray[np.bool_], color: str) -> None:
    """Draw a branch of local minima, heavy where it is the global minimum."""
    ax.plot(x, y, color=color, linewidth=1)
    ax.plot(np.where(lowest, x, np.nan), y, color=color, linewidth=3)


@styled
def samples_needed(
    dimensions: Array, needed: Array, least: Array, suggested: Sequence[tuple[float, float]]
) -> Figure:
    """Draw the samples of a proposal that an error of a tenth takes, over the dimension.

    `needed` (d,) by the exact variance, `least` (d,) by the divergence; `suggested` are pairs of a dimension
    and the number that the variance of a sample suggests.
    """
    figure, ((ax,),) = panels([2.9], left=0.75)
    ax.semilogy(dimensions, needed, color=INK)
    ax.semilogy(dimensions, least, color=D_COLOR, dashes=(4, 2))
    ax.semilogy(*zip(*suggested, strict=True), "o", color=Q_COLOR, markersize=7)
    at = 3 * len(dimensions) // 4
    ax.annotate("needed", (dimensions[at], needed[at]), (-8, 6), ha="right", textcoords="offset points")
    ax.annotate("at least,\nby exp D", (dimensions[-1], least[at]), (0, -8), ha="right", va="top",
                textcoords="offset points", color=D_COLOR)  # fmt: skip
    ax.annotate("suggested by\nthe samples", suggested[-1], (0, -8), ha="right", va="top",
                textcoords="offset points", color=Q_COLOR)  # fmt: skip
    ax.set(xlabel="dimension d", ylabel="samples for an error of 10%")
    return figure


@styled
def hanging_bars(bars: Mapping[str, tuple[float, float]], log_aleph: float) -> Figure:
    """Hang log ℵ and a divergence from zero, model by model; each bar ends at its ELBO.

    `bars` maps a name to the ELBO and the divergence; log ℵ must be negative.
    """
    figure, ((ax,),) = panels([3.2], top=0.5, bottom=0.2)
    places = np.arange(float(len(bars)))
    bounds, gaps = np.array(list(bars.values())).T
    ax.bar(places, log_aleph, 0.6, color=P_COLOR, alpha=0.3)
    ax.bar(places, -gaps, 0.6, bottom=log_aleph, color=D_COLOR, alpha=0.5)
    ax.axhline(log_aleph, color=P_COLOR, linewidth=1.2)
    for place, bound in zip(places, bounds, strict=True):
        ax.plot([place - 0.3, place + 0.3], [bound, bound], color=INK, linewidth=1.8)
        ax.text(place, bound - 0.12, f"{bound:.2f}".replace("-", "−"), color=INK, ha="center", va="top")
    ax.text(places[-1] + 0.42, log_aleph - 2.3, "end of a bar: the ELBO", color=INK, ha="right")
    ax.text(places[-1] + 0.42, log_aleph - 2.75, "blue: log ℵ", color=P_COLOR, ha="right")
    ax.text(places[-1] + 0.42, log_aleph - 3.2, "green: the divergence", color=D_COLOR, ha="right")
    ax.set_xticks(places, [name.replace(" ", "\n") for name in bars])
    ax.xaxis.tick_top()
    ax.tick_params(axis="x", length=0)
    ax.spines["bottom"].set_visible(False)
    ax.set(xlim=(-0.5, len(bars) - 0.5), ylim=(min(bounds) - 0.5, 0), ylabel="nats")
    return figure


@styled
def closing_gap(p: Any, models: Sequence[Any], bounds: Array, log_aleph: float, step: int) -> Figure:
    """Draw p⋆ with the model at one step of a fit, over the ELBO's way to log ℵ.

    `bounds` (steps,) is the ELBO at each step; what is left to log ℵ is filled, for it is a divergence.
    """
    figure, ((top,), (bottom,)) = panels([1.7, 1.9], gap=0.6)
    x = np.linspace(-4.5, 2.5, 141)
    pair_of_densities(top, p, models[step], x)
    name_curves(
        top, p=(1.3, 0.38), q=(float(models[step].mean()), 0.07 + models[step].pdf(models[step].mean()))
    )
    top.set(xlim=(x[0], x[-1]), ylim=(0, 1.5), yticks=[0, 0.5, 1, 1.5], xticks=[-4, -2, 0, 2])
    top.set(xlabel="z = log rate", ylabel="density")
    steps = np.arange(len(bounds))
    bottom.fill_between(steps, bounds, log_aleph, color=D_COLOR, alpha=0.35, linewidth=0)
    bottom.plot(steps, bounds, color=INK, linewidth=1.2)
    bottom.axhline(log_aleph, color=P_COLOR, linewidth=1.2)
    bottom.plot([step, step], [bounds[step], log_aleph], color=D_COLOR, linewidth=4, solid_capstyle="butt")
    bottom.plot(step, bounds[step], "o", color=INK, markersize=5)
    bottom.text(steps[-1], log_aleph + 0.1, "log ℵ", color=P_COLOR, ha="right")
    bottom.text(steps[-1], bounds[-1] - 0.65, "ELBO", color=INK, ha="right")
    below = log_aleph - 0.3 * (log_aleph - bounds[0])
    bottom.text(steps[-1], below, "filled: the divergence", color=D_COLOR, ha="right")
    bottom.set_xticks(steps[::6])
    bottom.set(xlabel="step of the fit", ylabel="nats", ylim=(bounds[0] - 0.3, log_aleph + 0.6))
    return figure


@styled
def mean_field(covariance: Array, fits: Mapping[str, Array], losses: Array, rhos: Array) -> Figure:
    """Draw the covariance ellipses of p⋆ and of normal fits, and the loss of mean-field over ρ.

    `losses` (n,) are in nats at `rhos` (n,); the point drawn is that of `covariance`.
    """
    figure, ((left, right),) = panels([2.8], 2, between=0.75)
    angle = np.linspace(0, 2 * np.pi, 121)
    circle = 2 * np.stack([np.cos(angle), np.sin(angle)])
    ellipse = np.linalg.cholesky(covariance) @ circle
    left.fill(*ellipse, color=P_COLOR, alpha=0.12, linewidth=0)
    left.plot(*ellipse, color=P_COLOR, linewidth=5, alpha=0.4)
    for (words, fitted), dashes, row in zip(fits.items(), ((1, 1.5), (4, 2)), (-3.0, -2.5), strict=True):
        left.plot(*(np.linalg.cholesky(fitted) @ circle), color=Q_COLOR, dashes=dashes)
        left.plot([-2.2, -1.5], [row, row], color=Q_COLOR, dashes=dashes)
        left.text(-1.35, row, words, color=Q_COLOR, va="center")
    left.text(-2.3, 2.1, "p⋆", color=P_COLOR, fontsize=12, fontstyle="italic")
    left.set(xlim=(-2.4, 2.4), ylim=(-3.3, 2.4), xticks=[-2, 0, 2], yticks=[-2, 0, 2])
    left.set(aspect="equal", xlabel="x₁", ylabel="x₂")
    rho = covariance[0, 1]
    right.plot(rhos, losses, color=D_COLOR)
    right.plot(rho, np.interp(rho, rhos, losses), "o", color=D_COLOR)
    right.text(0.05, 0.93, "lost by mean-field", color=D_COLOR, va="top", transform=right.transAxes)
    right.set(xlim=(0, 1), ylim=(0, 2), xticks=[0, 0.5, 1], yticks=[0, 1, 2])
    right.set(xlabel="correlation ρ", ylabel="reverse KL (nats)")
    return figure
