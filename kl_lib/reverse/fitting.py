"""Minimising the reverse divergence by maximising the ELBO."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from kl_lib.checks import (
    as_choice,
    as_count,
    as_generator,
    as_positive,
    as_shape,
    as_tolerance,
    evaluate,
)
from kl_lib.families import Family, NormalMixture, Reparameterizable, as_family
from kl_lib.families.units import Units
from kl_lib.optimization import maximize
from kl_lib.results import Fit
from kl_lib.reverse.bounds import elbo
from kl_lib.reverse.fixed_noise import on_fixed_noise
from kl_lib.reverse.fresh_noise import adam, judged, on_fresh_noise, possible_outcomes
from kl_lib.types import Array, BatchFunction, Callback, FitMethod

_METHODS = ("fixed-noise", "stochastic")
# How far out, in standard deviations, p̃ must not vanish: beyond lies a chance of 1e-15.
_FAR = 8.0
# A fit that stops short beyond a scale of e to this power, or its inverse, was on its way to infinity.
_ENDLESS = 100.0


def fit_reverse_kl(
    family: Family,
    log_p: BatchFunction,
    grad_log_p: BatchFunction | None = None,
    *,
    theta0: ArrayLike | None = None,
    n: int = 1000,
    rng: np.random.Generator,
    method: FitMethod | None = None,
    tol: float = 1e-6,
    max_iter: int = 2000,
    steps: int = 2000,
    step_size: float = 0.1,
    callback: Callback | None = None,
) -> Fit:
    """Minimise D_KL(pθ‖p⋆) over θ by maximising the ELBO.

    ``"fixed-noise"``: draw n noise vectors once, centre and whiten them, and climb the deterministic ELBO
    with its exact gradient (Giordano, Ingram and Broderick 2024), by natural steps (Khan and Rue 2023) and
    BFGS. A Gaussian target is recovered exactly, whatever the draw. ``"stochastic"``: Adam (Kingma and Ba
    2015), its steps decaying to zero, each on n fresh draws of `elbo_gradient`, by ``"reparameterization"``
    where that can be, else by the score function with a leave-one-out baseline. Both step in standard
    deviations, BFGS in those of pθ where it is, Adam in those of the start, so that the unit of x does not
    matter.

    Adam has converged if half the squared norm of the gradient on 10 n fresh draws, its squared standard
    errors added, which is about what the ELBO could still gain, is at most tol or the standard error of the
    ELBO, no step of one standard deviation along a coordinate gains more than its error, and the ELBO does
    not end lower than it began; of a discrete family that gradient is exact. Neither has converged where p̃
    vanishes at a draw, at a possible outcome or 8 standard deviations from a mean along an axis, or where a
    component of a mixture is drawn less than once in n.

    Parameters
    ----------
    family
        A family of `kl_lib.families`.
    log_p
        The log of the unnormalized density p̃ in nats: maps a batch of samples, (n,), (n, d) or integers (n,),
        to (n,).
    grad_log_p
        The gradient of `log_p` by x: maps a batch, (n,) or (n, d), to an array of its shape.
    theta0
        Where to start, (size,); zeros unless given. A mixture needs it.
    n
        How many draws at a time, at least 2; for ``"fixed-noise"`` more than the dimension.
    rng
        The source of randomness.
    method
        ``"fixed-noise"``, the default for a reparameterizable family with `grad_log_p`, or ``"stochastic"``,
        the default otherwise.
    tol
        The norm of the gradient, by steps in standard deviations of pθ, at which ``"fixed-noise"`` stops.
    max_iter
        The most iterations of ``"fixed-noise"``.
    steps
        How many steps ``"stochastic"`` takes.
    step_size
        The first of them; it moves a mean by at most about this many standard deviations of theta0.
    callback
        Called with θ at each iteration.

    Returns
    -------
    Fit
        `objective` is the ELBO on n fresh draws, `trace` the ELBO at each iteration.

    Raises
    ------
    ValueError
        If p̃ vanishes at a sample of theta0 or, for ``"stochastic"``, at any sample; if `log_p` or
        `grad_log_p` returns nan, +inf or another shape; if `grad_log_p` differs from differences of `log_p`
        at the start; if a mixture is given no theta0; if ``"stochastic"`` leads out of the range of floats.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import families, fit_reverse_kl
    >>> rng = np.random.default_rng(0)
    >>> fit = fit_reverse_kl(families.Normal(), lambda x: -2 * (x - 3)**2, lambda x: -4 * (x - 3), rng=rng)
    >>> fit.theta.round(4), fit.converged
    (array([ 3.    , -0.6931]), True)
    """
    theta0, n, rng = _start(as_family(family), theta0), as_count("n", n, minimum=2), as_generator(rng)
    tol, max_iter, steps = as_tolerance(tol), as_count("max_iter", max_iter), as_count("steps", steps)
    step_size = float(as_shape("step_size", as_positive("step_size", step_size), ()))
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be a function of theta, got {callback!r}")
    pathwise = grad_log_p is not None and isinstance(family, Reparameterizable)
    default = "fixed-noise" if pathwise else "stochastic"
    if as_choice("method", default if method is None else method, _METHODS) == "fixed-noise":
        objective = on_fixed_noise(family, log_p, grad_log_p, theta0, n, rng)
        fit = maximize(family, objective, theta0, tol=tol, max_iter=max_iter, callback=callback)
        fit = replace(fit, objective=elbo(family, fit.theta, log_p, n, rng=rng))
    else:
        draw = on_fresh_noise(family, log_p, grad_log_p, theta0, rng)
        theta, trace = adam(family, partial(draw, n=n), theta0, steps, step_size, callback)
        fit = judged(family, theta, draw, log_p, n, tol, trace, rng)
    doubt = _doubt(family, fit, log_p, n)
    return replace(fit, converged=False, message=doubt) if doubt else fit


def _doubt(family: Family, fit: Fit, log_p: BatchFunction, n: int) -> str:
    """Say what keeps a fit from being a minimum of the divergence that the gradient cannot tell."""
    theta = fit.theta
    widest = np.abs(theta[family.log_scales]).max(initial=0.0)
    if not fit.converged and widest > _ENDLESS:
        return (
            f"the ELBO has no maximum: it led to a scale of e^{widest:.0f} or its inverse, out of all bounds"
        )
    if isinstance(family, NormalMixture):
        weights = special.softmax(theta[family.logits])
        weakest = int(np.argmin(weights))
        if n * weights[weakest] < 1:
            weight = f"{weights[weakest]:.1e}"
            return f"the weight of component {weakest}, {weight}, is below 1/n: start from elsewhere"
    x = _probes(family, theta)
    vanishing = np.flatnonzero(np.isneginf(evaluate("log_p", log_p, x, minus_infinity=True)))
    if len(vanishing):
        return f"the divergence is infinite: p̃ vanishes at {x[vanishing[0]]}, where pθ has mass"
    return "" if np.isfinite(fit.objective.value) else "the divergence is infinite: p̃ vanishes at a draw"


def _probes(family: Family, theta: Array) -> NDArray[Any]:
    """Return every possible outcome, or the means and points far out along the axes: what few draws meet."""
    if family.outcomes is not None:
        return possible_outcomes(family, family.outcomes, theta)
    at = Units(family, theta)
    count = at.means.stop - at.means.start
    moves = np.zeros((1 + 2 * count, family.size))
    moves[1:, at.means] = _FAR * np.concatenate([np.eye(count), -np.eye(count)])
    points = [theta[at.means] + at.step(move)[at.means] for move in moves]
    return np.reshape(points, (-1, *family.event_shape))


def _start(family: Family, theta0: ArrayLike | None) -> Array:
    if theta0 is not None:
        return family.as_theta(theta0, "theta0")
    if isinstance(family, NormalMixture):
        raise ValueError("theta0 must be given for a mixture: equal components would stay equal; got None")
    return np.zeros(family.size)
