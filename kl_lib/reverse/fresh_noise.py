"""Adam on fresh draws of the ELBO, and the judgement of where it came to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from kl_lib.checks import evaluate
from kl_lib.families import Family, Reparameterizable
from kl_lib.families.units import Units
from kl_lib.gradients.elbo import ElboDraw, draw_elbo
from kl_lib.results import Estimate, Fit
from kl_lib.reverse.slopes import check_gradient
from kl_lib.types import Array, BatchFunction, Callback

# An ELBO that ends so many standard errors below where it began is not at its maximum.
_ERRORS = 6


def on_fresh_noise(
    family: Family,
    log_p: BatchFunction,
    grad_log_p: BatchFunction | None,
    theta0: Array,
    rng: np.random.Generator,
) -> Callable[..., ElboDraw]:
    """Return draws of the ELBO and its gradient by θ and n, with the better estimator there is."""
    draw = partial(draw_elbo, family, log_p=log_p, rng=rng)
    if grad_log_p is None or not isinstance(family, Reparameterizable):
        return partial(draw, method="score-function", baseline="leave-one-out")
    check_gradient(family, theta0, log_p, grad_log_p, rng=rng.spawn(1)[0])
    return partial(draw, method="reparameterization", grad_log_p=grad_log_p)


def adam(
    family: Family,
    draw: Callable[[Array], ElboDraw],
    theta: Array,
    steps: int,
    step_size: float,
    callback: Callback | None,
) -> tuple[Array, Array]:
    """Return θ and the trace of Adam in units of the start, with the constants of Kingma and Ba (2015)."""
    trace = np.empty(steps)
    first, second, units = np.zeros_like(theta), np.zeros_like(theta), Units(family, theta)
    for step in range(steps):
        if callback is not None:
            callback(theta.copy())
        terms, gradients = draw(theta)
        trace[step] = terms.mean()
        gradient = units.gradient(gradients.mean(axis=0))
        first = 0.9 * first + 0.1 * gradient
        with np.errstate(over="ignore"):
            second = 0.999 * second + 0.001 * gradient**2
        rate = step_size * (1 + np.cos(np.pi * step / steps)) / 2
        spread = np.sqrt(second / (1 - 0.999 ** (step + 1))) + 1e-8
        theta = theta + units.step(rate * first / (1 - 0.9 ** (step + 1)) / spread)
        if not (family.admits(theta) and np.isfinite(second).all()):
            raise ValueError(
                f"step {step} leads out of the range of floats, to theta = {theta}: take smaller steps, or "
                "check that log_p has a maximum"
            )
    return family.centred(theta), trace


def possible_outcomes(family: Family, count: int, theta: Array) -> NDArray[np.intp]:
    """Return those of the outcomes of a discrete family whose probability is not 0."""
    return np.flatnonzero(family.log_prob(theta, np.arange(count)) > -np.inf)


def judged(
    family: Family,
    theta: Array,
    draw: Callable[[Array], ElboDraw],
    log_p: BatchFunction,
    tol: float,
    objective: Estimate,
    trace: Array,
) -> Fit:
    """Return the fit, converged if what the ELBO could still gain is small beside its error."""
    if family.outcomes is not None:
        x = possible_outcomes(family, family.outcomes, theta)
        log_prob = family.log_prob(theta, x)
        terms = np.maximum(evaluate("log_p", log_p, x, minus_infinity=True), -1e150) - log_prob
        # the squared gradient in the metric of Fisher, which sums over the outcomes
        square, noise = float(np.exp(log_prob) @ (terms - np.exp(log_prob) @ terms) ** 2), 0.0
    else:
        gradients = Units(family, theta).gradient(draw(theta).gradients)
        square = float((gradients.mean(axis=0) ** 2).sum())
        noise = float(gradients.var(axis=0, ddof=1).sum()) / len(gradients)
    allowed = max(tol, objective.standard_error)
    fell = objective.value < trace[0] - _ERRORS * allowed
    converged = (square + noise) / 2 <= allowed and not fell
    if fell:
        message = "the ELBO ends lower than it began: take smaller steps, or check grad_log_p"
    elif converged:
        message = "the ELBO could gain no more than its error"
    elif square > noise:
        message = "the gradient is not yet zero: take more steps, or larger ones"
    else:
        message = "the noise of the gradient hides the slope: raise n"
    return Fit(family, theta, objective, converged, message, square**0.5, trace)
