"""Maximum likelihood, and the forward projection of a distribution on a family."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from kl_lib.checks import as_count, as_tolerance
from kl_lib.divergence.distributions import Distribution, read_distribution
from kl_lib.divergence.expectations import quadrature_nodes
from kl_lib.families import Family, NormalMixture, as_family
from kl_lib.forward.mixture import climb
from kl_lib.forward.moments import (
    Moments,
    data_moments,
    distribution_moments,
    match_moments,
    observations,
)
from kl_lib.results import Estimate, Fit
from kl_lib.types import Array, SciPyDistribution

_TOLERANCE = 1e-8
_LEAST_MASS = 1e-6
# So many rules are tried, until one changes the expectation by no more than this part.
_RULES, _SETTLED = 10, 1e-9


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
    `NormalMixture` climbs the expectation to a gradient of norm `tol`, taken by Gauss-Legendre quadrature
    that narrows towards the ends of p and about the components that are found.

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
        If p has no known covariance, or the family is a mixture and p is multivariate: sample p and
        use `fit_mle`.
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
        return _project_mixture(family, p, moments, tol, max_iter)
    theta = match_moments(family, moments)
    value = -family.entropy(theta)  # E[log pθ] is linear in the moments that p and pθ share
    return _matched(family, theta, Estimate.exact(value))


def _project_mixture(
    family: NormalMixture, p: SciPyDistribution, moments: Moments, tol: float, max_iter: int
) -> Fit:
    """Climb the quadrature, taken anew about the components that it led to until these stay."""
    of_p, near, theta, value = read_distribution("p", p), p, None, np.nan
    for _ in range(_RULES):
        x, weights = _quadrature(of_p, read_distribution("p", near), *moments)
        fit = climb(family, x, weights, theta, tol=tol, max_iter=max_iter, least_mass=_LEAST_MASS)
        if not fit.converged or abs(fit.objective.value - value) <= _SETTLED * (1 + abs(value)):
            return fit
        near, theta, value = fit.distribution, fit.theta, fit.objective.value
    return replace(fit, converged=False, message="the quadrature does not settle about the components")


def _quadrature(p: Distribution, near: Distribution, mean: Array, factor: Array) -> tuple[Array, Array]:
    """Return nodes x and weights w, so that Σ w g(x) is E[g(x)], x ∼ p, for a g as smooth as p and `near`."""
    x, weights = quadrature_nodes(p, near)
    missed = max(abs(weights.sum() - 1), abs(weights @ (x - mean) ** 2 / factor[0, 0] ** 2 - 1))
    if missed > _TOLERANCE:
        raise ArithmeticError(
            f"the quadrature misses a fraction {missed:.1e} of the mass or the variance of p, more than "
            f"{_TOLERANCE:.0e}; draw samples of p and use fit_mle(family, x)"
        )
    return x, weights / weights.sum()
