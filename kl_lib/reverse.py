"""Reverse KL: the evidence lower bound of a target known up to its normalizer ℵ, and its maximiser.

log ℵ − ELBO(θ) = D_KL(pθ‖p⋆): the ELBO is a lower bound of log ℵ, and its maximiser minimises the reverse
divergence. Throughout, `log_p` is the log of the unnormalized density p̃, mapping a batch of n samples to
(n,), and `grad_log_p` its gradient in x, of the shape of x.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, special

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
from kl_lib.gradients.elbo import ElboDraw, along_path, draw_elbo
from kl_lib.optimization import Objective, maximize, units
from kl_lib.results import Estimate, Fit
from kl_lib.types import Array, BatchFunction, Callback, FitMethod

_METHODS = ("fixed-noise", "stochastic")
# The last gradient is judged on so many times n draws.
_JUDGES = 10
# How far out, in standard deviations, p̃ must not vanish: beyond lies a chance of 1e-15.
_FAR = 8.0
# Differences by this many standard deviations, and half of it, tell the slope of log p̃.
_DIFFERENCE = 1e-3
_CHECKED = 5


def elbo(
    family: Family, theta: ArrayLike, log_p: BatchFunction, n: int, *, rng: np.random.Generator
) -> Estimate:
    """Estimate the evidence lower bound E[log p̃(x)] + H(pθ), x ∼ pθ, in nats.

    The entropy is exact where the family has it in closed form. See Jordan, Ghahramani, Jaakkola and Saul
    (1999).

    Parameters
    ----------
    family
        A family of `kl_lib.families`.
    theta
        Its parameters θ, (size,).
    log_p
        The log of the unnormalized density p̃ in nats: maps a batch of samples, (n,), (n, d) or integers (n,),
        to (n,).
    n
        How many samples, at least 2.
    rng
        The source of randomness.

    Returns
    -------
    Estimate
        The value is -inf if p̃ vanishes at a sample.

    Raises
    ------
    ValueError
        If log_p returns nan, inf or another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import elbo, families
    >>> rng = np.random.default_rng(0)
    >>> bound = elbo(families.Normal(), [0.0, 0.0], lambda x: -0.5 * x**2, 1000, rng=rng)
    >>> bool(abs(bound.value - 0.5 * np.log(2 * np.pi)) < 4 * bound.standard_error)
    True
    """
    theta = as_family(family).as_theta(theta)
    x = family.sample(theta, as_count("n", n, minimum=2), rng=rng)
    values = evaluate("log_p", log_p, x, minus_infinity=True)
    try:
        return Estimate.of(values + family.entropy(theta))
    except NotImplementedError:
        return Estimate.of(values - family.log_prob(theta, x))


def importance_weighted_bound(
    family: Family, theta: ArrayLike, log_p: BatchFunction, k: int, n: int, *, rng: np.random.Generator
) -> Estimate:
    """Estimate E[log (1/k) Σ p̃(xᵢ)/pθ(xᵢ)], x₁ … x_k ∼ pθ, in nats.

    A lower bound of log ℵ for every k: the ELBO for k = 1, growing with k (Burda, Grosse and Salakhutdinov
    2016, theorem 1).

    Parameters
    ----------
    family
        A family of `kl_lib.families`.
    theta
        Its parameters θ, (size,).
    log_p
        The log of the unnormalized density p̃ in nats: maps a batch of samples, (n,), (n, d) or integers (n,),
        to (n,).
    k
        How many samples one bound weighs.
    n
        How many bounds are averaged, at least 2.
    rng
        The source of randomness.

    Returns
    -------
    Estimate
        The mean of the n bounds.

    Raises
    ------
    ValueError
        If log_p returns nan, inf or another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import families, importance_weighted_bound
    >>> rng = np.random.default_rng(0)
    >>> bound = importance_weighted_bound(families.Normal(), [0.0, 0.0], lambda x: -0.5 * x**2, 8, 9, rng=rng)
    >>> round(bound.value, 6), round(bound.standard_error, 6)
    (0.918939, 0.0)
    """
    theta = as_family(family).as_theta(theta)
    n, k = as_count("n", n, minimum=2), as_count("k", k)
    x = family.sample(theta, n * k, rng=rng)
    log_weights = evaluate("log_p", log_p, x, minus_infinity=True) - family.log_prob(theta, x)
    return Estimate.of(special.logsumexp(log_weights.reshape(n, k), axis=1) - np.log(k))


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
    with its exact gradient by BFGS (Giordano, Ingram and Broderick 2024). A Gaussian target is recovered
    exactly, whatever the draw. ``"stochastic"``: Adam (Kingma and Ba 2015), its steps decaying to zero, each
    on n fresh draws of `elbo_gradient`, by ``"reparameterization"`` where that can be, else by the score
    function with a leave-one-out baseline. Both step in standard deviations, BFGS in those of pθ where it is,
    Adam in those of the start, so that the unit of x does not matter.

    Adam has converged if half the squared norm of the gradient on 10 n fresh draws, its squared standard
    errors added, which is about what the ELBO could still gain, is at most tol or the standard error of the
    ELBO; of a discrete family that gradient is exact. Neither has converged where p̃ vanishes at a draw, at
    an outcome or 8 standard deviations from a mean along an axis, or where a component of a mixture is drawn
    less than once in n.

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
        at the start; if a mixture is given no theta0.

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
        objective = _on_fixed_noise(family, log_p, grad_log_p, theta0, n, rng)
        fit = maximize(family, objective, theta0, tol=tol, max_iter=max_iter, callback=callback)
        fit = replace(fit, objective=elbo(family, fit.theta, log_p, n, rng=rng))
    else:
        draw = _on_fresh_noise(family, log_p, grad_log_p, rng)
        theta, trace = _adam(family, partial(draw, n=n), theta0, steps, step_size, callback)
        objective_reached = elbo(family, theta, log_p, n, rng=rng)
        fit = _judged(family, theta, partial(draw, n=_JUDGES * n), log_p, tol, objective_reached, trace)
    doubt = _doubt(family, fit, log_p, n)
    return replace(fit, converged=False, message=doubt) if doubt else fit


def _doubt(family: Family, fit: Fit, log_p: BatchFunction, n: int) -> str:
    """Say what keeps a fit from being a minimum of the divergence that the gradient cannot tell."""
    theta = fit.theta
    if isinstance(family, NormalMixture):
        weights = special.softmax(theta[family.logits])
        weakest = int(np.argmin(weights))
        if n * weights[weakest] < 1:
            return f"component {weakest} is dead, of weight {weights[weakest]:.1e}: start from elsewhere"
    x = _probes(family, theta)
    vanishing = np.flatnonzero(np.isneginf(evaluate("log_p", log_p, x, minus_infinity=True)))
    if len(vanishing):
        return f"the divergence is infinite: p̃ vanishes at {x[vanishing[0]]}, where pθ has mass"
    return "" if np.isfinite(fit.objective.value) else "the divergence is infinite: p̃ vanishes at a draw"


def _probes(family: Family, theta: Array) -> NDArray[Any]:
    """Return every outcome, or the means and points far from them along the axes: what few draws meet."""
    if family.outcomes is not None:
        return np.arange(family.outcomes)
    d = family.log_scales.stop - family.log_scales.start
    start = family.log_scales.start - d
    far = np.concatenate([np.zeros((1, d)), _FAR * np.eye(d), -_FAR * np.eye(d)])
    points = theta[start : start + d] + far @ units(family, theta)[start : start + d, start : start + d].T
    width = math.prod(family.event_shape)
    return points.reshape(-1, width).reshape(-1, *family.event_shape)


def whitened_noise(family: Reparameterizable, n: int, *, rng: np.random.Generator) -> Array:
    """Return n > d noise vectors whose sample mean is 0 and whose sample covariance is the identity.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import families
    >>> from kl_lib.reverse import whitened_noise
    >>> rng = np.random.default_rng(0)
    >>> noise = whitened_noise(families.DiagonalNormal(2), 5, rng=rng)
    >>> np.allclose(noise.T @ noise / 5, np.eye(2))
    True
    """
    if n <= family.dimension:
        raise ValueError(
            f"n must exceed the dimension {family.dimension} for the noise to be whitened, got {n}"
        )
    noise = family.noise(n, rng=rng).reshape(n, family.dimension)
    noise -= noise.mean(axis=0)
    factor = np.linalg.cholesky(noise.T @ noise / n)
    whitened: Array = linalg.solve_triangular(factor, noise.T, lower=True).T
    return whitened.reshape(n, *family.event_shape)


def _on_fixed_noise(
    family: Family,
    log_p: BatchFunction,
    grad_log_p: BatchFunction | None,
    theta0: Array,
    n: int,
    rng: np.random.Generator,
) -> Objective:
    """Return the ELBO and its gradient as functions of θ alone, over noise that is drawn here."""
    if grad_log_p is None or not isinstance(family, Reparameterizable):
        raise ValueError(
            "method 'fixed-noise' needs grad_log_p and a reparameterizable family (Normal, DiagonalNormal "
            f"or FullNormal), got grad_log_p={grad_log_p!r} and {family!r}; use method='stochastic'"
        )
    noise = whitened_noise(family, n, rng=rng)
    x = family.transform(theta0, noise)
    evaluate("log_p at theta0", log_p, x)
    _check_gradient(log_p, grad_log_p, x, np.diag(units(family, theta0))[: family.dimension])

    def objective(theta: Array) -> tuple[float, Array]:
        x = family.transform(theta, noise)
        value = float(evaluate("log_p", log_p, x, minus_infinity=True).mean())
        if value == -np.inf:  # the line search will step back
            return value, np.zeros(family.size)
        return value + family.entropy(theta), along_path(family, theta, noise, x, grad_log_p).mean(axis=0)

    return objective


def _check_gradient(log_p: BatchFunction, grad_log_p: BatchFunction, x: Array, scales: Array) -> None:
    """Refuse a gradient that differs from differences of log p̃ wherever two of them agree, at each point."""
    slopes = evaluate("grad_log_p", grad_log_p, x, shape=x.shape).reshape(len(x), -1)[:_CHECKED]
    x = x[:_CHECKED]
    for i, scale in enumerate(scales):
        move = np.zeros(len(scales))
        move[i] = _DIFFERENCE * scale
        moved = np.concatenate([x + (c * move).reshape(x.shape[1:]) for c in (1, -1, 0.5, -0.5)])
        values = np.asarray(evaluate("log_p", log_p, moved, minus_infinity=True)).reshape(4, len(x))
        with np.errstate(invalid="ignore"):
            coarse, fine = (values[0] - values[1]) / (2 * move[i]), (values[2] - values[3]) / move[i]
        slope, size = slopes[:, i], np.abs(values).max(axis=0)
        error = np.abs(coarse - fine) + 1e-3 * np.abs(slope) + 1e-12 * size / move[i]
        wrong = np.abs(fine - slope) > 10 * error
        if wrong.all():
            raise ValueError(
                f"grad_log_p must be the gradient of log_p, got {slope[0]:.6g} in coordinate {i} where x is "
                f"{x[0]}; differences of log_p give {fine[0]:.6g}"
            )


def _on_fresh_noise(
    family: Family, log_p: BatchFunction, grad_log_p: BatchFunction | None, rng: np.random.Generator
) -> Callable[..., ElboDraw]:
    """Return draws of the ELBO and its gradient by θ and n, with the better estimator there is."""
    draw = partial(draw_elbo, family, log_p=log_p, rng=rng)
    if grad_log_p is None or not isinstance(family, Reparameterizable):
        return partial(draw, method="score-function", baseline="leave-one-out")
    return partial(draw, method="reparameterization", grad_log_p=grad_log_p)


def _start(family: Family, theta0: ArrayLike | None) -> Array:
    if theta0 is not None:
        return family.as_theta(theta0)
    if isinstance(family, NormalMixture):
        raise ValueError("theta0 must be given for a mixture: equal components would stay equal; got None")
    return np.zeros(family.size)


def _adam(
    family: Family,
    draw: Callable[[Array], ElboDraw],
    theta: Array,
    steps: int,
    step_size: float,
    callback: Callback | None,
) -> tuple[Array, Array]:
    """Return θ and the trace of Adam in units of the start, with the constants of Kingma and Ba (2015)."""
    trace = np.empty(steps)
    first, second, scale = np.zeros_like(theta), np.zeros_like(theta), units(family, theta)
    for step in range(steps):
        if callback is not None:
            callback(theta.copy())
        terms, gradients = draw(theta)
        trace[step] = terms.mean()
        gradient = gradients.mean(axis=0) @ scale
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        rate = step_size * (1 + np.cos(np.pi * step / steps)) / 2
        spread = np.sqrt(second / (1 - 0.999 ** (step + 1))) + 1e-8
        theta = theta + scale @ (rate * first / (1 - 0.9 ** (step + 1)) / spread)
    return family.centred(theta), trace


def _judged(
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
        x = np.arange(family.outcomes)
        log_prob = family.log_prob(theta, x)
        terms = np.maximum(evaluate("log_p", log_p, x, minus_infinity=True), -1e150) - log_prob
        # the squared gradient in the metric of Fisher, which sums over the outcomes
        square, noise = float(np.exp(log_prob) @ (terms - np.exp(log_prob) @ terms) ** 2), 0.0
    else:
        gradients = draw(theta).gradients @ units(family, theta)
        square = float((gradients.mean(axis=0) ** 2).sum())
        noise = float(gradients.var(axis=0, ddof=1).sum()) / len(gradients)
    allowed = max(tol, objective.standard_error)
    converged = (square + noise) / 2 <= allowed
    if converged:
        message = "the ELBO could gain no more than its error"
    elif square > noise:
        message = "the gradient is not yet zero: take more steps, or larger ones"
    else:
        message = "the noise of the gradient hides the slope: raise n"
    return Fit(family, theta, objective, converged, message, square**0.5, trace)
