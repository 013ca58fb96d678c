"""The plots of chapter 9: fits over a histogram and a scatter, the climb of EM, and the number of components.

The data stand for p⋆ and have its colour; the divergence is known up to a constant, so its excess is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kl_book.figures.style import D_COLOR, INK, MUTED, P_COLOR, Q_COLOR, panels, styled
from kl_lib.types import Array

Density = Callable[[Array], Array]
BINS = list(np.arange(40.5, 100, 3))
MINUTES = np.linspace(38, 104, 265)
# Levels of the density over the scatter, in eruptions per square minute.
LEVELS = np.geomspace(3e-4, 3e-2, 5)
# The strokes of two fits, and how high in a panel their names stand.
STROKES = (("dashed", (4, 2), 0.93), ("dotted", (1, 1.2), 0.82))


@styled
def fits_over_histogram(x: Array, groups: Mapping[str, Mapping[str, Density]]) -> Figure:
    """Draw densities over the histogram of waits (n,), one panel for each group of them, side by side.

    A panel's first density is dashed, its second dotted; those that have a name are named above the bars.
    """
    figure, (axes,) = panels([2.4], len(groups), top=0.3, sharey=True)
    for ax, (title, densities) in zip(axes, groups.items(), strict=True):
        _histogram(ax, x)
        for (name, density), (stroke, dashes, height) in zip(densities.items(), STROKES, strict=False):
            ax.plot(MINUTES, density(MINUTES), color=Q_COLOR, dashes=dashes)
            if name:
                ax.text(0.02, height, f"{stroke}: {name}", color=Q_COLOR, transform=ax.transAxes)
        ax.set(title=title, ylim=(0, 0.06))
    axes[0].set_ylabel("density")
    return figure


def _histogram(ax: Axes, x: Array, weights: Array | None = None, alpha: float = 0.25) -> None:
    share = np.ones(len(x)) if weights is None else weights
    ax.hist(x, BINS, weights=share / (len(x) * 3), color=P_COLOR, alpha=alpha)
    ax.set(xlim=(MINUTES[0], MINUTES[-1]), ylim=(0, 0.05), xlabel="wait (minutes)")


@styled
def em_staircase(x: Array, shares: Array, parts: Density, climb: Array, now: int) -> Figure:
    """Draw EM after some half-steps: each wait split by its shares (n, 2), and the ELBO under the likelihood.

    `parts` gives the two weighted densities, (n, 2); `climb` (steps, 2) the mean ELBO and log-likelihood.
    """
    figure, ((top,), (bottom,)) = panels([1.9, 2.0], left=0.75, gap=0.6)
    _histogram(top, x, alpha=0.2)
    _histogram(top, x, shares[:, 0], alpha=0.4)
    top.plot(MINUTES, parts(MINUTES), color=Q_COLOR, linewidth=1, dashes=(1, 1.2))
    top.plot(MINUTES, parts(MINUTES).sum(axis=1), color=Q_COLOR, dashes=(4, 2))
    top.set(ylabel="density", yticks=[0, 0.02, 0.04])
    steps = np.arange(len(climb))
    bottom.plot(steps, climb, color=MUTED, linewidth=0.7)
    done = slice(0, now + 1)
    elbo, likelihood = climb[done].T
    bottom.fill_between(steps[done], elbo, likelihood, color=D_COLOR, alpha=0.4, linewidth=0)
    bottom.plot(steps[done], likelihood, color=INK, linewidth=1.2)
    bottom.plot(steps[done], elbo, "o-", color=Q_COLOR, linewidth=1.2, markersize=3)
    bottom.plot([now, now], climb[now], color=D_COLOR, linewidth=3)
    for height, text, color in ((0.3, "log-likelihood", INK), (0.18, "green: the gap", D_COLOR),
                                (0.06, "ELBO", Q_COLOR)):  # fmt: skip
        bottom.text(0.99, height, text, color=color, ha="right", transform=bottom.transAxes)
    bottom.set(xlim=(-0.5, len(climb) - 0.5), xlabel="half-steps: odd after M, even after E")
    bottom.set_ylabel("nats an eruption")
    return figure


@styled
def number_of_components(x: Array, density: Density, excess: Mapping[str, Array], k: int) -> Figure:
    """Draw the fit of k components over the histogram, and what folds say of 1 to 5 components."""
    figure, ((top,), (bottom,)) = panels([1.9, 1.8], left=1.05, gap=0.6)
    _histogram(top, x)
    top.plot(MINUTES, density(MINUTES), color=Q_COLOR, dashes=(4, 2))
    top.set(ylabel="density", yticks=[0, 0.02, 0.04])
    _excess(bottom, excess, k)
    return figure


@styled
def mixture_over_scatter(xy: Array, log_density: Density, excess: Mapping[str, Array], k: int) -> Figure:
    """Draw contours of the fit of k components over the eruptions (n, 2), and what folds say of 1 to 5."""
    figure, ((top,), (bottom,)) = panels([2.6, 1.8], left=1.05, gap=0.6)
    top.plot(*xy.T, "o", color=P_COLOR, alpha=0.4, markersize=4, markeredgewidth=0)
    mesh = np.meshgrid(np.linspace(1.2, 5.6, 81), np.linspace(38, 101, 81))
    places = np.column_stack([side.ravel() for side in mesh])
    heights = np.exp(log_density(places)).reshape(mesh[0].shape)
    top.contour(*mesh, heights, levels=LEVELS, colors=Q_COLOR, linewidths=1.2, linestyles="dashed")
    top.set(xlabel="eruption (minutes)", ylabel="wait (minutes)")
    _excess(bottom, excess, k)
    return figure


def _excess(ax: Axes, excess: Mapping[str, Array], k: int) -> None:
    """Draw estimates of D_KL(p⋆‖p_k) − D_KL(p⋆‖p_2) with their errors, and what the data's own fit claims."""
    mean, error, own = excess["mean"], excess["error"], excess["own"]
    components = np.arange(1, len(mean) + 1)
    low, high = (mean - error)[1:].min(), (mean + error)[1:].max()
    low = min(low, own.min())
    reach = 0.16 * (high - low)
    ax.axhline(0, color=MUTED, linewidth=0.8)
    ax.plot(components[1:], own[1:], "s", color=MUTED, markerfacecolor="none", markersize=6)
    ax.errorbar(components[1:], mean[1:], error[1:], fmt="o", color=D_COLOR, capsize=3)
    ax.plot(k, mean[k - 1] if k > 1 else high + reach, "o", color=D_COLOR, markersize=11)
    ax.text(1.15, high + 1.1 * reach, f"↑ {mean[0]:.2f}", color=D_COLOR)
    ax.text(0.9, low - 0.5 * reach, "squares: its own", color=MUTED, va="top")
    ax.text(0.9, low - 1.6 * reach, "green: held out", color=D_COLOR, va="top")
    ax.set(xlim=(0.8, 5.3), ylim=(low - 2.8 * reach, high + 2 * reach), xlabel="components")
    ax.set_ylabel("nats further\nthan two")
    ax.set_xticks(components)
