"""Maximum likelihood."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kl_lib.families import Family, NormalMixture, as_family
from kl_lib.forward.mixture import climb
from kl_lib.forward.moments import data_moments, match_moments, observations, varying_points
from kl_lib.optimization import Optimum
from kl_lib.results import Estimate, Fit


def negative_log_likelihood(family: Family, theta: ArrayLike, x: ArrayLike) -> float:
    """Return −(1/n) Σ log pθ(xᵢ), the mean per observation, in nats.

    For x ∼ p⋆ its expectation is the cross-entropy of p⋆ and pθ, D_KL(p⋆‖pθ) + H(p⋆) (Akaike 1973).

    Examples
    --------
    >>> from kl_lib import families
    >>> round(negative_log_likelihood(families.Bernoulli(), [0.0], [0, 1, 1]), 6)
    0.693147
    """
    x = as_family(family).as_x(x)
    if not len(x):
        raise ValueError("x must hold at least one observation, got none")
    return -float(family.log_prob(theta, x).mean())


def fit_mle(family: Family, x: ArrayLike, *, theta0: ArrayLike | None = None) -> Fit:
    """Maximise the mean log-likelihood of observations x, (n,) or (n, d), n >= 2.

    In closed form where there is one, by matching moments; a `NormalMixture` by BFGS with the exact score
    to a gradient of norm 1e-8, from theta0 or from groups of the observations in order of their first
    principal component. `objective` is the mean log-likelihood.

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
    >>> from kl_lib import families
    >>> fit_mle(families.Normal(), [1.0, 3.0]).theta
    array([2., 0.])
    """
    x = observations(as_family(family), x)
    start = None if theta0 is None else family.as_theta(theta0)
    if isinstance(family, NormalMixture):
        varying_points(x)
        optimum = climb(family, x, np.full(len(x), 1 / len(x)), start)
    else:
        optimum = _matched(family, x)
    return optimum.fit(family, Estimate.of(family.log_prob(optimum.theta, x)))


def _matched(family: Family, x: NDArray[Any]) -> Optimum:
    theta = match_moments(family, data_moments(family, x))
    gradient_norm = float(np.linalg.norm(family.score(theta, x).mean(axis=0)))
    trace = np.array([family.log_prob(theta, x).mean()])
    return Optimum(theta, True, "closed form: the moments match", gradient_norm, trace)
