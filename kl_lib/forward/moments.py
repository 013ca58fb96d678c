"""Moments of data and of distributions, and the member of a family that matches them.

The moments of a continuous family are a mean (d,) and a covariance (d, d), those of a discrete one the
probabilities of its outcomes (k,).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kl_lib.checks import as_shape
from kl_lib.divergence.distributions import read_distribution
from kl_lib.families import Bernoulli, Categorical, DiagonalNormalMixture, Family, FullNormal
from kl_lib.types import Array

Moments = tuple[Array, ...]


def match_moments(family: Family, moments: Moments) -> Array:
    """Return θ of the one member of an exponential family that has these moments."""
    match family:
        case Bernoulli():
            return family.theta_of(moments[0][1])
        case Categorical():
            return family.theta_of(moments[0])
        case FullNormal():
            return family.theta_of(*moments)
    mean, covariance = moments
    return np.concatenate([mean, 0.5 * np.log(np.diag(covariance))])


def observations(family: Family, x: ArrayLike) -> NDArray[Any]:
    """Return x as at least two samples of the family."""
    x = family.as_x(x)
    if len(x) < 2:
        raise ValueError(f"x must hold at least 2 observations, got {len(x)}")
    return x


def data_moments(family: Family, x: NDArray[Any]) -> Moments:
    """Return the moments of the data; refuse data whose fit would lie at infinity."""
    if family.outcomes is not None:
        return (_all_occur("x", np.bincount(x, minlength=family.outcomes) / len(x)),)
    points = varying_points(x)
    deviations = points - points.mean(axis=0)
    rank = np.linalg.matrix_rank(deviations / deviations.std(axis=0))
    if isinstance(family, FullNormal) and rank < family.d:
        raise ValueError(
            f"x must not lie in a hyperplane: its {len(x)} observations span {rank} of {family.d} dimensions"
        )
    return points.mean(axis=0), deviations.T @ deviations / len(x)


def varying_points(x: NDArray[Any]) -> Array:
    """Return x as points (n, d), none of whose coordinates is constant."""
    points: Array = x.reshape(len(x), -1)
    constant = np.flatnonzero(np.ptp(points, axis=0) == 0)
    if len(constant):
        where = f" in coordinate {constant[0]}" if x.ndim > 1 else ""
        raise ValueError(f"x must not be constant, got {points[0, constant[0]]} throughout{where}")
    return points


def distribution_moments(family: Family, p: Any) -> Moments:
    """Return the moments of a distribution of the family's kind."""
    kind, shape = _kind_and_shape(p)
    wanted = (
        "discrete" if family.outcomes is not None else "multivariate" if family.event_shape else "continuous"
    )
    if kind != wanted:
        raise TypeError(f"p must be {wanted} for {family!r}, got {p!r}, which is {kind}")
    if shape != ():
        raise ValueError(f"p must be one distribution, got parameters of shape {shape}")
    if family.outcomes is not None:
        return (_probabilities(p, family.outcomes),)
    if kind == "continuous":
        mean, covariance = p.mean(), p.variance() if hasattr(p, "variance") else p.var()
    else:
        mean, covariance = _mean_and_covariance(p)
    d = family.event_shape[0] if family.event_shape else 1
    return (
        as_shape("the mean of p", np.atleast_1d(mean), (d,)),
        as_shape("the covariance of p", np.atleast_2d(covariance), (d, d)),
    )


def _kind_and_shape(p: Any) -> tuple[str, tuple[int, ...]]:
    if isinstance(p, DiagonalNormalMixture):
        return "multivariate", ()
    read = read_distribution("p", p)
    return read.kind, read.shape


def _mean_and_covariance(p: Any) -> tuple[Any, Any]:
    """Return attributes of some of SciPy's multivariate distributions, methods of others."""
    if not (hasattr(p, "mean") and hasattr(p, "cov")):
        raise NotImplementedError(
            f"nothing gives the covariance of {p!r}; draw samples of p and use fit_mle(family, x)"
        )
    return p.mean() if callable(p.mean) else p.mean, p.cov() if callable(p.cov) else p.cov


def _probabilities(p: Any, k: int) -> Array:
    probabilities: Array = p.pmf(np.arange(k))
    if abs(probabilities.sum() - 1) > 1e-9:
        raise ValueError(
            f"p must have all its mass on 0 to {k - 1}, got {probabilities.sum():.6g} of it there: "
            "elsewhere the family has none, and the divergence is infinite"
        )
    return _all_occur("p", probabilities)


def _all_occur(name: str, probabilities: Array) -> Array:
    missing = np.flatnonzero(probabilities == 0)
    if len(missing):
        raise ValueError(f"{name} must have every outcome, got none of {missing[0]}: its logit would be -inf")
    return probabilities
