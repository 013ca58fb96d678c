"""The plots of chapter 2: data arrive, and the forward divergence is what they settle on."""

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
    MUTED,
    P_COLOR,
    Q_COLOR,
    name_curves,
    pair_of_densities,
    panels,
    styled,
)
from kl_lib.types import Array

EXCESS = np.array([0.02, 0.06, 0.15, 0.35, 0.8])  # nats above the lowest cross-entropy


def normal_cross_entropy(mean: float, variance: float, mu: Array, sigma: Array) -> Array:
    """Return the mean surprise of N(μ, σ²) at data, or a truth, of the given mean and variance."""
    surprise: Array = np.log(sigma * np.sqrt(2 * np.pi)) + (variance + (mean - mu) ** 2) / (2 * sigma**2)
    return surprise


@styled
def settling(p: Any, projection: Any, x: Array, samples: Mapping[str, Array]) -> Figure:
    """Draw p⋆ with its normal projection, and under them the surfaces that samples put over (μ, σ).

    Filled: the cross-entropy of N(μ, σ²) under p⋆. Lines: the mean surprise at the samples, at the same
    levels. One column for each sample.
    """
    figure, axes = panels([1.5, 2.1], len(samples), least=0.7, gap=0.95, between=0.12, sharey="row")
    top, *others = axes[0]
    span = top.get_position().x0, top.get_position().y0, others[-1].get_position().x1, top.get_position().y1
    for ax in others:
        ax.remove()
    top.set_position([span[0], span[1], span[2] - span[0], span[3] - span[1]])
    pair_of_densities(top, p, projection, x)
    top.set(xlim=(x[0], x[-1]), ylim=(0, None), xlabel="x", ylabel="density")
    name_curves(top, p=(-2.1, 0.42), q=(0.95, 0.27))
    mu, sigma = np.linspace(-1.7, 1.5, 40), np.linspace(0.9, 2.9, 40)
    best = float(p.mean()), float(p.standard_deviation())
    for ax, (name, data) in zip(axes[1], samples.items(), strict=True):
        _surface(ax, mu, sigma, best, (float(data.mean()), float(data.std())))
        ax.set(title=name, xlabel="μ", ylabel="σ", xticks=[-1, 0, 1])
    return figure


def _surface(
    ax: Axes, mu: Array, sigma: Array, best: tuple[float, float], fitted: tuple[float, float]
) -> None:
    """Fill the cross-entropy over (μ, σ), draw that of the data as lines, and mark both minima."""
    mesh = np.meshgrid(mu, sigma)
    exact, seen = (normal_cross_entropy(mean, scale**2, *mesh) for mean, scale in (best, fitted))
    levels = normal_cross_entropy(best[0], best[1] ** 2, *map(np.array, best)) + EXCESS
    ax.contourf(*mesh, exact, levels=[0, *levels], colors=[(D_COLOR, a) for a in (0.6, 0.45, 0.3, 0.2, 0.1)])
    ax.contour(*mesh, seen, levels=levels, colors=INK, linewidths=0.9)
    ax.plot(*best, "P", color=P_COLOR, markeredgecolor=GROUND, markersize=10)
    ax.plot(*fitted, "o", color=Q_COLOR, markeredgecolor=GROUND, markersize=7)


@styled
def stacked_bars(share: float, seen: float, n: int) -> Figure:
    """Stack the entropy of n flips and their divergence from each coin; `seen` is their share of heads.

    The line over the bars is the cross-entropy under the true coin, whose share of heads is `share`.
    """
    figure, ((ax,),) = panels([2.9], top=0.75, left=0.55)
    bars, line = np.linspace(0.04, 0.96, 24), np.linspace(0.02, 0.98, 97)
    lowest = coin_cross_entropy(seen, np.clip(np.array(seen), 1e-12, 1 - 1e-12))
    total = coin_cross_entropy(seen, bars)
    ax.bar(bars, lowest, 0.032, color=P_COLOR, alpha=0.3)
    ax.bar(bars, total - lowest, 0.032, bottom=lowest, color=D_COLOR, alpha=0.5)
    entropy = float(coin_cross_entropy(share, np.array(share)))
    ax.plot(line, coin_cross_entropy(share, line), color=INK, linewidth=1.4)
    ax.axhline(entropy, color=P_COLOR, linewidth=1.4)
    ax.plot([share, share], [0, entropy], color=P_COLOR, linewidth=1.4)
    ax.plot(seen, 0.08, "^", color=Q_COLOR, markeredgecolor=GROUND, markersize=11)
    for row, (words, color) in enumerate((
        ("blue: entropy, bars of the flips, line of p⋆", P_COLOR),
        ("green: divergence of the flips from p_θ", D_COLOR),
        ("curve: cross-entropy H(p⋆, p_θ)", INK),
    )):  # fmt: skip
        ax.annotate(words, (0, 1), (-24, 44 - 15 * row), xycoords="axes fraction", va="center",
                    textcoords="offset points", color=color)  # fmt: skip
    ax.text(0.5, 0.93, f"{n} flips", color=INK, ha="center", va="top", fontsize=12, transform=ax.transAxes)
    ax.set(xlim=(0, 1), ylim=(0, 2.5), xlabel="the model’s probability of heads", ylabel="nats a flip")
    return figure


def coin_cross_entropy(share: float, heads: Array) -> Array:
    """Return the mean surprise, at flips with this `share` of heads, of coins that give them `heads`."""
    return -share * np.log(heads) - (1 - share) * np.log1p(-heads)


@styled
def errors_against_n(sizes: Array, errors: Array, deviation: float) -> Figure:
    """Draw the absolute errors (sizes, repeats) of a sample mean, their root mean square and σ/√n."""
    figure, ((ax,),) = panels([2.9], left=0.75, right=0.15)
    shown = np.abs(errors[:, :24])
    ax.plot(np.repeat(sizes, shown.shape[1]), shown.ravel(), "_", color=MUTED, markersize=7, alpha=0.6)
    ax.plot(sizes, deviation / np.sqrt(sizes), color=P_COLOR)
    ax.plot(sizes, np.sqrt((errors**2).mean(axis=1)), "o", color=D_COLOR, markersize=7)
    ax.text(sizes[-1], 0.24 * deviation, "root mean square", color=D_COLOR, ha="right")
    ax.text(sizes[1], 2.9 * deviation / np.sqrt(sizes[1]), "slope −½", color=P_COLOR)
    ax.set(xscale="log", yscale="log", xlabel="n, the number of samples", ylabel="|error| (nats)")
    ax.set_ylim(deviation / np.sqrt(sizes[-1]) / 30, deviation * 1.5)
    return figure


@styled
def sampling_laws(laws: Mapping[str, tuple[Array, float, float]]) -> Figure:
    """Draw, for each truth, the law of √n times an error beside two normal laws.

    Each entry holds the errors, the standard deviation that the model claims and the one of the sandwich.
    """
    figure, (axes,) = panels(
        [2.2], len(laws), least=1.6, left=0.15, top=0.35, between=0.2, sharex=True, sharey=True
    )
    grid = np.linspace(-3.6, 3.6, 145)
    for ax, (name, (errors, claimed, true)) in zip(axes, laws.items(), strict=True):
        ax.hist(errors, bins=np.linspace(-3.6, 3.6, 37), density=True, color=MUTED, alpha=0.35)
        ax.plot(grid, _bell(grid, true), color=P_COLOR)
        ax.plot(grid, _bell(grid, claimed), color=Q_COLOR, dashes=(4, 2))
        ax.set(title=name, xlabel="√n × error of log σ", yticks=[], xlim=(-3.6, 3.6))
        ax.spines["left"].set_visible(False)
    axes[1].text(-0.7, 0.72, "sandwich", color=P_COLOR, ha="right")
    axes[1].text(1.0, 0.33, "model’s\nclaim", color=Q_COLOR)
    return figure


def _bell(x: Array, scale: float) -> Array:
    density: Array = np.exp(-0.5 * (x / scale) ** 2) / (scale * np.sqrt(2 * np.pi))
    return density


@styled
def two_families(p: Any, models: Mapping[str, Any], x: Array, edge: float) -> Figure:
    """Draw p⋆ with its projection onto each of two families, and the mass of each right of `edge`."""
    figure, axes = panels([1.6, 1.6], top=0.3, gap=0.4, sharex=True)
    for ax, (name, q) in zip(axes[:, 0], models.items(), strict=True):
        pair_of_densities(ax, p, q, x)
        ax.axvline(edge, color=MUTED, linewidth=0.8, dashes=(1, 2))
        right = x > edge
        ax.fill_between(x[right], q.pdf(x[right]), color=Q_COLOR, alpha=0.35, linewidth=0)
        mass = f"{1 - q.cdf(edge):.1%} beyond, of p⋆ {1 - p.cdf(edge):.1%}"
        ax.set_title(f"{name}: {mass}", color=Q_COLOR, fontsize=10)
        ax.set(xlim=(x[0], x[-1]), ylim=(0, 0.34), xlabel="x", ylabel="density")
    return figure


@styled
def local_scores(p: Array, q: Array) -> Figure:
    """Set the model that a score prefers beside the truth, outcome by outcome."""
    figure, ((ax,),) = panels([2.6])
    outcomes = np.arange(len(p))
    ax.bar(outcomes - 0.19, p, 0.36, color=P_COLOR, alpha=0.75)
    ax.bar(outcomes + 0.19, q, 0.36, color=Q_COLOR, alpha=0.75)
    for outcome, (truth, chosen) in enumerate(zip(p, q, strict=True)):
        ax.text(outcome - 0.19, truth + 0.015, f"{truth:.2f}", color=P_COLOR, ha="center")
        ax.text(outcome + 0.19, chosen + 0.015, f"{chosen:.2f}", color=Q_COLOR, ha="center")
    ax.text(0.99, 0.9, "p⋆", color=P_COLOR, ha="right", transform=ax.transAxes, fontsize=12)
    ax.text(0.99, 0.78, "the score’s favourite", color=Q_COLOR, ha="right", transform=ax.transAxes)
    ax.set(xlim=(-0.5, len(p) - 0.3), ylim=(0, 1.08), ylabel="probability", xlabel="outcome")
    ax.set_xticks(outcomes, [str(outcome) for outcome in outcomes])
    return figure


@styled
def bump_in_reach(p: Any, q: Any, w: float, r: float, numbers: tuple[float, float, float]) -> Figure:
    """Draw p⋆ with a bump of weight w at r and its normal projection, over the bump's distance from it.

    `numbers` are that distance in the projection's standard deviations, and the mass that the model and the
    truth have within 2 of the bump's centre.
    """
    figure, ((top,), (bottom,)) = panels([1.9, 1.9], gap=0.6)
    away, model, truth = numbers
    pair_of_densities(top, p, q, np.linspace(-4, 25, 291))
    top.annotate("", (r, 0.25), (float(q.mean()), 0.25), arrowprops={"arrowstyle": "<->", "color": INK})
    top.plot([r, r], [0, 0.25], color=MUTED, linewidth=0.8, dashes=(1, 2))
    top.text(0.99, 0.88, f"{away:.2f} standard deviations", color=INK, ha="right", transform=top.transAxes)
    mass = f"within 2 of the bump:\ntruth {truth:.3f}, model {model:.4f}"
    top.text(0.99, 0.83, mass, color=INK, ha="right", va="top", transform=top.transAxes)
    top.set(xlim=(-4, 25), ylim=(0, 0.45), yticks=[0, 0.2, 0.4], xlabel="x", ylabel="density")
    weights = np.linspace(0.03, 0.6, 115)
    bottom.plot(weights, np.sqrt((1 - weights) / weights), color=Q_COLOR)
    bottom.text(0.1, 3.25, "√((1 − w) / w)", color=Q_COLOR)
    bottom.plot(w, away, "o", color=Q_COLOR, markersize=8)
    for height in (1, 2):
        bottom.axhline(height, color=MUTED, linewidth=0.8, dashes=(1, 2))
    bottom.set(xlim=(0, 0.6), ylim=(0, 5), yticks=[0, 1, 2, 3, 4, 5], xlabel="weight w of the bump")
    bottom.set_ylabel("standard deviations")
    return figure


@styled
def right_angle(p: Array, foot: Array, q: Array, curve: Array, line: Array, sides: Sequence[float]) -> Figure:
    """Draw laws on three outcomes as points of a triangle, and the three divergences between them as bars.

    `curve` (n, 3) is the exponential family, `line` (2, 3) the ends of the laws with the mean of p;
    `sides` are D(p‖q), D(p‖foot) and D(foot‖q).
    """
    figure, ((top,), (bottom,)) = panels([2.6, 0.9], left=1.05, gap=0.3)
    place = top.get_position()  # the words beside the bars need a margin, the triangle none
    top.set_position([0.05, place.y0, 0.9, place.height])
    top.plot(*_in_triangle(np.eye(3)[[0, 1, 2, 0]]), color=MUTED, linewidth=0.8)
    top.plot(*_in_triangle(curve), color=Q_COLOR, dashes=(4, 2))
    top.plot(*_in_triangle(line), color=P_COLOR)
    top.plot(*_in_triangle(np.array([p, foot, q, p])), color=D_COLOR, linewidth=1.2)
    outside = 8 if q @ [0, 1, 2] > p @ [0, 1, 2] else -16  # away from the words at p and foot
    for law, name, color, offset in (
        (p, "p⋆", P_COLOR, (-24, 8 if p[1] > foot[1] else -8)), (foot, "p∘", INK, (-22, 6)),
        (q, "q", Q_COLOR, (outside, 2)),
    ):  # fmt: skip
        place = tuple(map(float, _in_triangle(law)))
        top.plot(*place, "o", color=color, markeredgecolor=GROUND, markersize=8)
        top.annotate(name, place, offset, textcoords="offset points", color=color, fontsize=12)
    for corner, offset in zip(np.eye(3), ((-12, -6), (6, -2), (6, -6)), strict=True):
        place = tuple(map(float, _in_triangle(corner)))
        text = str(int(corner.argmax()))
        top.annotate(text, place, offset, textcoords="offset points", color=MUTED)
    top.set(aspect="equal", xlim=(-0.1, 1.1), ylim=(-0.06, 0.92))
    top.axis("off")
    whole, first, second = sides
    bottom.barh([1, 0, 0], [whole, first, second], 0.6, left=[0, 0, first], color=D_COLOR,
                alpha=0.5, edgecolor=GROUND)  # fmt: skip
    bottom.set_yticks([1, 0], ["p⋆ to q", "p⋆ to p∘ to q"])
    bottom.set(xlim=(0, 2.2), ylim=(-0.5, 1.5), xlabel="nats")
    return figure


def _in_triangle(law: Array) -> tuple[Array, Array]:
    """Return the place of laws (..., 3) in the triangle: to the right the mean, upwards outcome 1."""
    return law[..., 2] + law[..., 1] / 2, np.sqrt(3) / 2 * law[..., 1]
