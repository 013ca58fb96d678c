"""The still face of the playground: a mixture of normals, and the best normals in both directions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from matplotlib.figure import Figure
from scipy import optimize, stats

from kl_book.figures.style import MUTED, P_COLOR, Q_COLOR, styled
from kl_lib import fit_forward_kl, kl_divergence
from kl_lib.families import Normal
from kl_lib.types import Array

Bump = tuple[float, float, float]


@dataclass(frozen=True)
class BestNormals:
    """The forward fit and the minima of the reverse divergence, lowest first: (divergence, mean, width)."""

    forward: tuple[float, float, float]
    reverse: tuple[tuple[float, float, float], ...]


def mixture(bumps: Sequence[Bump]) -> stats.Mixture:
    """Return p⋆, of bumps (weight, mean, width)."""
    weights, means, widths = np.array(bumps).T
    normals = [stats.Normal(mu=mean, sigma=width) for mean, width in zip(means, widths, strict=True)]
    return stats.Mixture(normals, weights=weights / weights.sum())


@cache
def best_normals(bumps: tuple[Bump, ...]) -> BestNormals:
    """Return the best normals, the reverse ones found from every bump and from the forward fit."""
    p, family = mixture(bumps), Normal()
    forward = fit_forward_kl(family, p)
    mean, log_width = forward.theta
    value = float(kl_divergence(p, forward.distribution))
    starts = [forward.theta, *([mean, np.log(width)] for _, mean, width in bumps)]
    minima: list[tuple[float, float, float]] = []
    for start in starts:
        found = optimize.minimize(
            lambda theta: kl_divergence(family.at(theta), p),
            start,
            method="Nelder-Mead",
            options={"xatol": 1e-6},
        )
        minimum = (float(found.fun), float(found.x[0]), float(np.exp(found.x[1])))
        if not any(np.allclose(minimum, other, rtol=0, atol=1e-3) for other in minima):
            minima.append(minimum)
    return BestNormals((value, float(mean), float(np.exp(log_width))), tuple(sorted(minima)))


def describe(fits: BestNormals) -> str:
    """Say what is seen, in one line."""
    values = ", ".join(f"{value:.3f}" for value, _, _ in fits.reverse)
    kind = "its only minimum" if len(fits.reverse) == 1 else f"its {len(fits.reverse)} local minima"
    return f"Best normals: forward {fits.forward[0]:.3f} nats; reverse, {kind}, {values} nats."


@styled
def still(bumps: Sequence[Bump], fits: BestNormals) -> Figure:
    """Draw p⋆, the forward fit and the minima of the reverse divergence."""
    figure = Figure(figsize=(4.2, 2.0))  # so narrow that a phone shows all of it
    axes = figure.add_axes((0.02, 0.16, 0.96, 0.82))
    x = np.linspace(-9, 9, 361)
    truth = mixture(bumps).pdf(x)
    axes.fill_between(x, truth, color=P_COLOR, alpha=0.12, linewidth=0)
    axes.plot(x, truth, color=P_COLOR)

    def normal(fit: tuple[float, float, float]) -> Array:
        return np.asarray(stats.norm.pdf(x, fit[1], fit[2]))

    for fit in fits.reverse[1:]:
        axes.plot(x, normal(fit), color=Q_COLOR, linewidth=1, dashes=(1, 2))
    axes.plot(x, normal(fits.forward), color=MUTED, dashes=(4.5, 1.5, 1, 1.5))
    axes.plot(x, normal(fits.reverse[0]), color=Q_COLOR, dashes=(4, 2))
    axes.set(xlim=(-9, 9), ylim=(0, None), xticks=[-8, -4, 0, 4, 8], yticks=[])
    axes.tick_params(labelsize=11)
    axes.spines["left"].set_visible(False)
    return figure
