"""Reverse KL: the evidence lower bound of a target known up to its normalizer ℵ, and its maximiser.

log ℵ − ELBO(θ) = D_KL(pθ‖p⋆): the ELBO is a lower bound of log ℵ, and its maximiser minimises the reverse
divergence. Throughout, `log_p` is the log of the unnormalized density p̃, mapping a batch of n samples to
(n,), and `grad_log_p` its gradient in x, of the shape of x.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg, special

from kl_lib.checks import as_choice, as_count, as_generator, as_positive, as_shape, evaluate
from kl_lib.families import Family, NormalMixture, Reparameterizable, as_family
from kl_lib.gradients.elbo import ElboDraw, along_path, draw_elbo
from kl_lib.optimization import Objective, maximize
from kl_lib.results import Estimate, Fit
from kl_lib.types import Array, BatchFunction, Callback, FitMethod

_METHODS = ("fixed-noise", "stochastic")
_STEPS = 2000
_FIRST_RATE = 0.1


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
    callback: Callback | None = None,
) -> Fit:
    """Minimise D_KL(pθ‖p⋆) over θ by maximising the ELBO.

    ``"fixed-noise"``: draw n noise vectors once, centre and whiten them, and climb the deterministic ELBO
    with its exact gradient by BFGS (Giordano, Ingram and Broderick 2024). A Gaussian target is recovered
    exactly, whatever the draw. ``"stochastic"``: 2000 Adam steps (Kingma and Ba 2015) of at most 0.1,
    decaying to zero, each on n fresh draws of `elbo_gradient`, by ``"reparameterization"`` where that can
    be, else by the score function with a leave-one-out baseline. It has converged if no coordinate of the
    gradient at the end, on n fresh draws, is further from zero than tol plus 4.5 standard errors.

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
        The norm of the gradient at which to stop.
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
        `grad_log_p` returns nan, +inf or another shape; if a mixture is given no theta0.

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
    tol = float(as_shape("tol", as_positive("tol", tol), ()))
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be a function of theta, got {callback!r}")
    pathwise = grad_log_p is not None and isinstance(family, Reparameterizable)
    default = "fixed-noise" if pathwise else "stochastic"
    if as_choice("method", default if method is None else method, _METHODS) == "fixed-noise":
        objective = _on_fixed_noise(family, log_p, grad_log_p, theta0, n, rng)
        fit = maximize(family, objective, theta0, tol=tol, max_iter=2000, callback=callback)
    else:
        fit = _adam(family, _on_fresh_noise(family, log_p, grad_log_p, n, rng), theta0, tol, callback)
    return replace(fit, objective=elbo(family, fit.theta, log_p, n, rng=rng))


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
    evaluate("log_p at theta0", log_p, family.transform(theta0, noise))

    def objective(theta: Array) -> tuple[float, Array]:
        x = family.transform(theta, noise)
        value = float(evaluate("log_p", log_p, x, minus_infinity=True).mean())
        if value == -np.inf:  # the line search will step back
            return value, np.zeros(family.size)
        return value + family.entropy(theta), along_path(family, theta, noise, x, grad_log_p).mean(axis=0)

    return objective


def _on_fresh_noise(
    family: Family, log_p: BatchFunction, grad_log_p: BatchFunction | None, n: int, rng: np.random.Generator
) -> Callable[[Array], ElboDraw]:
    """Return draws of the ELBO and its gradient as a function of θ, by the better estimator that there is."""
    draw = partial(draw_elbo, family, log_p=log_p, n=n, rng=rng)
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
    tol: float,
    callback: Callback | None,
) -> Fit:
    """Ascend by Adam, its constants those of Kingma and Ba (2015); judge the end by a fresh draw."""
    trace = np.empty(_STEPS)
    first, second = np.zeros_like(theta), np.zeros_like(theta)
    for step in range(_STEPS):
        if callback is not None:
            callback(theta.copy())
        terms, gradients = draw(theta)
        trace[step] = terms.mean()
        gradient = gradients.mean(axis=0)
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        rate = _FIRST_RATE * (1 + np.cos(np.pi * step / _STEPS)) / 2
        scale = np.sqrt(second / (1 - 0.999 ** (step + 1))) + 1e-8
        theta = theta + rate * first / (1 - 0.9 ** (step + 1)) / scale
    terms, gradients = draw(theta)
    gradient, error = gradients.mean(axis=0), gradients.std(axis=0, ddof=1) / np.sqrt(len(gradients))
    converged = bool(np.all(np.abs(gradient) <= tol + 4.5 * error))
    message = f"the gradient is {'within' if converged else 'beyond'} tol plus 4.5 standard errors of zero"
    theta, objective, gradient_norm = (
        family.centred(theta),
        Estimate.of(terms),
        float(np.linalg.norm(gradient)),
    )
    return Fit(theta, family.at(theta), objective, converged, message, gradient_norm, trace)
