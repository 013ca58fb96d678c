"""Maximum likelihood, and the forward projection of a distribution on a family."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from kl_lib.checks import as_count, as_tolerance
from kl_lib.families import Family, NormalMixture, as_family
from kl_lib.forward.mixture import climb
from kl_lib.forward.moments import (
    data_moments,
    distribution_moments,
    match_moments,
    observations,
)
from kl_lib.results import Estimate, Fit
from kl_lib.types import Array, SciPyDistribution

# Between quantiles ever closer to the ends, where a density may be singular or have a heavy tail.
_LEVELS = np.concatenate([10.0 ** np.arange(-18, -1), np.linspace(0.05, 0.5, 10)])
_NODES_PER_PANEL = 40
_TOLERANCE = 1e-8
_LEAST_MASS = 1e-6


def negative_log_likelihood(family: Family, theta: ArrayLike, x: ArrayLike) -> float:
    """Return −(1/n) Σ log pθ(xᵢ), the mean per observation, in nats.

    For x ∼ p⋆ its expectation is the cross-entropy of p⋆ and pθ, D_KL(p⋆‖pθ) + H(p⋆) (Akaike 1973).

    Parameters
    ----------
    family
        A family of `kl_lib.families`.
    theta
        Its parameters θ, (size,).
    x
        Observations, (n,), (n, d) or integers (n,).

    Returns
    -------
    float
        The mean over the observations.

    Raises
    ------
    ValueError
        If x holds no observation, or is not a batch of samples of the family.

    Examples
    --------
    >>> from kl_lib import families, negative_log_likelihood
    >>> round(negative_log_likelihood(families.Bernoulli(), [0.0], [0, 1, 1]), 6)
    0.693147
    """
    x = as_family(family).as_x(x)
    if not len(x):
        raise ValueError("x must hold at least one observation, got none")
    return -float(family.log_prob(theta, x).mean())


def fit_mle(
    family: Family,
    x: ArrayLike,
    *,
    theta0: ArrayLike | None = None,
    tol: float = 1e-8,
    max_iter: int = 2000,
) -> Fit:
    """Maximise the mean log-likelihood of observations.

    In closed form where there is one, by matching moments; a `NormalMixture` by BFGS with the exact score
    to a gradient of norm `tol`.

    Parameters
    ----------
    family
        A family of `kl_lib.families`.
    x
        At least 2 observations, (n,), (n, d) or integers (n,).
    theta0
        Where a mixture starts; unless given, from groups of the observations in order of their first
        principal component.
    tol
        The norm of the gradient at which a mixture has converged, in units of the data and of its components.
    max_iter
        The most iterations.

    Returns
    -------
    Fit
        `objective` is the mean log-likelihood with its standard error.

    Raises
    ------
    ValueError
        If x is not finite, holds less than 2 observations or, for a mixture, less than k distinct ones, is
        constant in a coordinate, lies in a hyperplane (`FullNormal`) or lacks an outcome; or if an
        observation has density zero at theta0.
    ArithmeticError
        If a component collapses onto an observation, where the likelihood has no bound.

    Examples
    --------
    >>> from kl_lib import families, fit_mle
    >>> fit_mle(families.Normal(), [1.0, 3.0]).theta
    array([2., 0.])
    """
    x = observations(as_family(family), x)
    if theta0 is not None:
        theta0 = family.as_theta(theta0, "theta0")
    tol, max_iter = as_tolerance(tol), as_count("max_iter", max_iter)
    if isinstance(family, NormalMixture):
        even = np.full(len(x), 1 / len(x))
        fit = climb(family, x, even, theta0, tol=tol, max_iter=max_iter, least_mass=1 / len(x))
        return replace(fit, objective=Estimate.of(family.log_prob(fit.theta, x)))
    theta = match_moments(family, data_moments(family, x))
    return _matched(family, theta, Estimate.of(family.log_prob(theta, x)))


def _matched(family: Family, theta: Array, objective: Estimate) -> Fit:
    message, trace = "closed form: the moments match", np.array([objective.value])
    return Fit(family, theta, objective, True, message, 0.0, trace)


def fit_forward_kl(family: Family, p: SciPyDistribution, *, tol: float = 1e-8, max_iter: int = 2000) -> Fit:
    """Minimise D_KL(p‖pθ) over θ for a distribution p, by maximising E[log pθ(x)], x ∼ p.

    For normal, Bernoulli and categorical families pθ matches the moments of p, exactly. A univariate
    `NormalMixture` climbs the expectation, taken by Gauss-Legendre quadrature between quantiles of p, to a
    gradient of norm `tol`.

    Parameters
    ----------
    family
        A family of `kl_lib.families`.
    p
        A distribution of the family's kind, of scalar parameters.
    tol
        The norm of the gradient at which a mixture has converged, in units of the data and of its components.
    max_iter
        The most iterations.

    Returns
    -------
    Fit
        `objective` is E[log pθ(x)], the negative cross-entropy, computed and not sampled (`Estimate.exact`):
        exact, or to the quadrature's error.

    Raises
    ------
    TypeError
        If p is not a distribution of the family's kind: univariate or multivariate, continuous or discrete.
    ValueError
        If a moment of p is not finite, its covariance singular, or its mass not on the outcomes of the
        family, each of which must have some.
    NotImplementedError
        If p has no known covariance, or the family is a mixture and p is multivariate or a kernel density:
        sample p and use `fit_mle`.
    ArithmeticError
        If the quadrature misses mass or variance of p.

    Examples
    --------
    >>> from scipy import stats
    >>> from kl_lib import families, fit_forward_kl
    >>> p = stats.Mixture([stats.Normal(mu=1, sigma=1), stats.Normal(mu=10, sigma=1.5)], weights=[0.5, 0.5])
    >>> fit = fit_forward_kl(families.Normal(), p)
    >>> float(fit.distribution.mean()), round(float(fit.distribution.std()), 6)
    (5.5, 4.677072)
    """
    tol, max_iter = as_tolerance(tol), as_count("max_iter", max_iter)
    if isinstance(as_family(family), NormalMixture) and family.event_shape:
        raise NotImplementedError(
            f"the expectation over a multivariate p is not known for {family!r}; "
            "draw samples of p and use fit_mle(family, x) or em(k, x, rng=rng)"
        )
    moments = distribution_moments(family, p)
    if isinstance(family, NormalMixture):
        x, weights = _quadrature(p, *moments)
        weights /= weights.sum()
        return climb(family, x, weights, None, tol=tol, max_iter=max_iter, least_mass=_LEAST_MASS)
    theta = match_moments(family, moments)
    value = -family.entropy(theta)  # E[log pθ] is linear in the moments that p and pθ share
    return _matched(family, theta, Estimate.exact(value))


def _quadrature(p: Any, mean: Array, factor: Array) -> tuple[Array, Array]:
    """Return nodes x and weights w, so that Σ w g(x) is E[g(x)], x ∼ p."""
    if isinstance(p, stats.gaussian_kde):
        raise NotImplementedError(
            f"nothing gives the quantiles of {p!r}; draw samples of p and use fit_mle(family, x)"
        )
    lower, upper = (p.icdf, p.iccdf) if hasattr(p, "icdf") else (p.ppf, p.isf)
    edges = np.unique(np.concatenate([lower(_LEVELS), upper(_LEVELS)]))
    nodes, weights = np.polynomial.legendre.leggauss(_NODES_PER_PANEL)
    half = 0.5 * np.diff(edges)[:, None]
    x = (edges[:-1, None] + half * (1 + nodes)).ravel()
    weights = (half * weights).ravel() * p.pdf(x)
    missed = max(abs(weights.sum() - 1), abs(weights @ (x - mean) ** 2 / factor[0, 0] ** 2 - 1))
    if missed > _TOLERANCE:
        raise ArithmeticError(
            f"the quadrature misses a fraction {missed:.1e} of the mass or the variance of p, more than "
            f"{_TOLERANCE:.0e}; draw samples of p and use fit_mle(family, x)"
        )
    return x, weights
