"""Adam on fresh draws of the ELBO, and the judgement of where it came to."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import partial

import numpy as np
from numpy.typing import NDArray

from kl_lib.checks import evaluate
from kl_lib.families import Family, Reparameterizable
from kl_lib.families.units import Units
from kl_lib.gradients.elbo import ElboDraw, draw_elbo
from kl_lib.results import Estimate, Fit
from kl_lib.reverse.bounds import elbo
from kl_lib.reverse.slopes import check_gradient
from kl_lib.types import Array, BatchFunction, Callback

# The last gradient is judged on so many times n draws.
_JUDGES = 10
# An ELBO that ends so many standard errors below where it began, or a step away, is not at its maximum.
_ERRORS = 6
_ROUNDING = 8 * np.finfo(float).eps


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
    draw: Callable[..., ElboDraw],
    log_p: BatchFunction,
    n: int,
    tol: float,
    trace: Array,
    rng: np.random.Generator,
) -> Fit:
    """Return the fit, converged if what the ELBO could still gain is small beside its error."""
    objective = elbo(family, theta, log_p, n, rng=rng)
    square, noise = _squared_slope(family, theta, partial(draw, n=_JUDGES * n), log_p)
    allowed = max(tol, objective.standard_error)
    fell = objective.value < trace[0] - _ERRORS * allowed
    flat = (square + noise) / 2 <= allowed
    rises = flat and family.outcomes is None and _rises(family, theta, log_p, n, rng)
    if fell:
        message = "the ELBO ends lower than it began: take smaller steps, or check grad_log_p"
    elif rises:
        message = "the ELBO has no maximum near: a step of a standard deviation gains more than its error"
    elif flat:
        message = "the ELBO could gain no more than its error"
    elif square > noise:
        message = "the gradient is not yet zero: take more steps, or larger ones"
    else:
        message = "the noise of the gradient hides the slope: raise n"
    return Fit(family, theta, objective, flat and not (fell or rises), message, square**0.5, trace)


def _squared_slope(
    family: Family, theta: Array, draw: Callable[[Array], ElboDraw], log_p: BatchFunction
) -> tuple[float, float]:
    """Return the squared gradient of the ELBO by steps in standard deviations, and its squared error."""
    if family.outcomes is not None:
        x = possible_outcomes(family, family.outcomes, theta)
        log_prob = family.log_prob(theta, x)
        terms = np.maximum(evaluate("log_p", log_p, x, minus_infinity=True), -1e150) - log_prob
        # in the metric of Fisher, which sums over the outcomes
        return float(np.exp(log_prob) @ (terms - np.exp(log_prob) @ terms) ** 2), 0.0
    gradients = Units(family, theta).gradient(draw(theta).gradients)
    square = float((gradients.mean(axis=0) ** 2).sum())
    return square, float(gradients.var(axis=0, ddof=1).sum()) / len(gradients)


def _rises(family: Family, theta: Array, log_p: BatchFunction, n: int, rng: np.random.Generator) -> bool:
    """Whether a step of one standard deviation, or of 1 in a logit, raises the ELBO beyond its error.

    A slope below its noise may be that of an ELBO that rises for ever, as on a p̃ of infinite mass.
    """
    units = Units(family, theta)

    def terms(place: Array) -> Array:
        x = family.sample(place, n, rng=deepcopy(rng))  # the same noise at each place
        return evaluate("log_p", log_p, x, minus_infinity=True) - family.log_prob(place, x)

    here = terms(theta)
    for move in np.concatenate([np.eye(family.size), -np.eye(family.size)]):
        with np.errstate(invalid="ignore"):  # -inf less -inf, where p̃ vanishes
            gain = Estimate.of(terms(theta + units.step(move)) - here)
        if gain.value > _ERRORS * gain.standard_error + _ROUNDING * np.abs(here).max():
            return True
    return False
