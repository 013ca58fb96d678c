"""Two optimisers of the ELBO side by side: noise that is drawn once, and Adam on fresh draws."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import optimize

from kl_book.targets import Array, Normal, Target, cases
from kl_lib import fit_reverse_kl

# What `adapt_eta` of Stan tries (src/stan/variational/advi.hpp), there the scales of a rule of its own.
STEP_SIZES = (0.01, 0.1, 1.0, 10.0, 100.0)


@dataclass(frozen=True)
class Row:
    """One fit: with how many gradients of log p̃, in which time, and how far its ELBO stays below the best.

    `lost`, in nats, is inf where the fit broke off, and what it said is in `message`, or where it ran away.
    """

    target: str
    family: str
    method: str
    gradients: int
    seconds: float
    lost: float
    converged: bool
    message: str


def compare(*, rng: np.random.Generator, n: int = 1000, draws: int = 20) -> list[Row]:
    """Return for each of `cases` a row for fixed noise and one for each step size of Adam.

    Fixed noise draws n once and climbs until it has converged. Adam then takes as many gradients of log p̃,
    by steps of `draws` fresh ones; each step size has that budget to itself. What is lost is exact.
    """
    return [row for target, family in cases(rng=rng) for row in rows(target, family, n, draws, rng)]


def rows(target: Target, family: Normal, n: int, draws: int, rng: np.random.Generator) -> list[Row]:
    """Return the rows of one target."""
    fixed, best_theta = _run(target, family, "fixed noise", {"n": n, "rng": rng})
    steps = max(1, fixed.gradients // draws)
    found = [(fixed, best_theta)]
    for size in STEP_SIZES:
        options = {"n": draws, "steps": steps, "step_size": size, "method": "stochastic", "rng": rng}
        found.append(_run(target, family, f"Adam, step size {size:g}", options))
    best = best_elbo(target, family, best_theta)
    with np.errstate(over="ignore"):  # where a fit ran away
        return [
            replace(row, lost=best - target.elbo(family, theta)) if len(theta) else row
            for row, theta in found
        ]


def best_elbo(target: Target, family: Normal, theta0: Array) -> float:
    """Return the highest exact ELBO in the family, by BFGS from near it, with differences as its gradient."""
    found = optimize.minimize(lambda theta: -target.elbo(family, theta), theta0, method="L-BFGS-B")
    return float(-found.fun)


def _run(target: Target, family: Normal, method: str, options: dict[str, Any]) -> tuple[Row, Array]:
    """Return a row, nothing lost yet, and θ; a fit that breaks off has none."""
    drawn = 0

    def gradient(x: Array) -> Array:
        nonlocal drawn
        drawn += len(x)
        return target.grad_log_p(x)

    start = time.perf_counter()
    lost, converged, message, theta = np.inf, False, "", np.empty(0)
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # of steps that run away, named below
            fit = fit_reverse_kl(family, target.log_p, gradient, **options)
        lost, converged, message, theta = 0.0, fit.converged, fit.message, fit.theta
    except (ValueError, OverflowError) as error:
        message = str(error)
    seconds = time.perf_counter() - start
    return Row(target.name, repr(family), method, drawn, seconds, lost, converged, message), theta
