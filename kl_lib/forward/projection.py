"""The forward projection of a distribution on a family."""

from __future__ import annotations

from typing import Any

import numpy as np

from kl_lib.families import Family, NormalMixture, as_family
from kl_lib.forward.mixture import climb
from kl_lib.forward.moments import distribution_moments, match_moments
from kl_lib.optimization import Optimum
from kl_lib.results import Estimate, Fit
from kl_lib.types import Array

# Between quantiles ever closer to the ends, where a density may be singular or have a heavy tail.
_LEVELS = np.concatenate([10.0 ** np.arange(-18, -1), np.linspace(0.05, 0.5, 10)])
_NODES_PER_PANEL = 40
_TOLERANCE = 1e-8


def fit_forward_kl(family: Family, p: Any) -> Fit:
    """Minimise D_KL(p‖pθ) over θ for a distribution p, by maximising E[log pθ(x)], x ∼ p.

    For normal, Bernoulli and categorical families pθ matches the moments of p, exactly. A univariate
    `NormalMixture` climbs the expectation, taken by Gauss-Legendre quadrature between quantiles of p, to a
    gradient of norm 1e-8. `objective` is E[log pθ(x)], the negative cross-entropy, exact or to the
    quadrature's error, and so without standard error and of n = 0 samples.

    Raises
    ------
    TypeError
        If p is not a distribution of the family's kind: univariate or multivariate, continuous or discrete.
    ValueError
        If a moment of p is not finite, its covariance singular, or its mass not on the outcomes of the
        family, each of which must have some.
    NotImplementedError
        If p has no known covariance, or the family is a multivariate mixture: sample p and use `fit_mle`.
    ArithmeticError
        If the quadrature misses mass or variance of p.

    Examples
    --------
    >>> from kl_lib import families
    >>> p = stats.Mixture([stats.Normal(mu=1, sigma=1), stats.Normal(mu=10, sigma=1.5)], weights=[0.5, 0.5])
    >>> fit = fit_forward_kl(families.Normal(), p)
    >>> float(fit.distribution.mean()), round(float(fit.distribution.std()), 6)
    (5.5, 4.677072)
    """
    if isinstance(as_family(family), NormalMixture) and family.event_shape:
        raise NotImplementedError(
            f"the expectation over a multivariate p is not known for {family!r}; "
            "draw samples of p and use fit_mle(family, x) or em(k, x, rng=rng)"
        )
    moments = distribution_moments(family, p)
    if isinstance(family, NormalMixture):
        x, weights = _quadrature(p, *moments)
        optimum = climb(family, x, weights / weights.sum(), None)
        value = float(optimum.trace[-1])
    else:
        theta = match_moments(family, moments)
        value = -family.entropy(theta)  # E[log pθ] is linear in the moments that p and pθ share
        optimum = Optimum(theta, True, "closed form: the moments match", 0.0, np.array([value]))
    return optimum.fit(family, Estimate(value, 0.0, 0))


def _quadrature(p: Any, mean: Array, covariance: Array) -> tuple[Array, Array]:
    """Return nodes x and weights w, so that Σ w g(x) is E[g(x)], x ∼ p."""
    lower, upper = (p.icdf, p.iccdf) if hasattr(p, "icdf") else (p.ppf, p.isf)
    edges = np.unique(np.concatenate([lower(_LEVELS), upper(_LEVELS)]))
    nodes, weights = np.polynomial.legendre.leggauss(_NODES_PER_PANEL)
    half = 0.5 * np.diff(edges)[:, None]
    x = (edges[:-1, None] + half * (1 + nodes)).ravel()
    weights = (half * weights).ravel() * p.pdf(x)
    missed = max(abs(weights.sum() - 1), abs(weights @ (x - mean) ** 2 / covariance[0, 0] - 1))
    if missed > _TOLERANCE:
        raise ArithmeticError(
            f"the quadrature misses a fraction {missed:.1e} of the mass or the variance of p, more than "
            f"{_TOLERANCE:.0e}; draw samples of p and use fit_mle(family, x)"
        )
    return x, weights
