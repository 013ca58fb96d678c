"""Moments of data and of distributions, and the member of a family that matches them.

The moments of a continuous family are a mean (d,) and the Cholesky factor of a covariance (d, d), those of a
discrete one the probabilities of its outcomes (k,).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from kl_lib.checks import as_positive, as_shape
from kl_lib.divergence.distributions import read_distribution
from kl_lib.divergence.expectations import mean_and_variance
from kl_lib.families import Bernoulli, Categorical, DiagonalNormalMixture, Family, FullNormal
from kl_lib.families.parameters import LOG_SCALE_LIMIT
from kl_lib.types import Array

Moments = tuple[Array, ...]

# An integral that differs by more is right, if its error is smaller than the second.
_AGREE, _KNOWN = 1e-8, 1e-4
# Whose covariances are singular, whatever rounding makes of them.
_ONE_SUM = {"dirichlet", "dirichlet_multinomial", "multinomial", "multivariate_hypergeom"}
# Variances that are left of coordinates given the others, below so much of their own for each dimension, are
# rounding.
_ROUNDING = 8 * np.finfo(float).eps


def match_moments(family: Family, moments: Moments) -> Array:
    """Return θ of the one member of an exponential family that has these moments."""
    match family:
        case Bernoulli():
            return family.theta_of(moments[0][1])
        case Categorical():
            return family.theta_of(moments[0])
    mean, factor = moments
    parts = [mean, np.log(factor.diagonal())]
    if isinstance(family, FullNormal):
        parts.append(factor[np.tril_indices(family.d, -1)])
    return np.concatenate(parts)


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
    mean, scale = location_and_scale(points)
    if not isinstance(family, FullNormal):
        return mean, np.diag(scale)
    # QR of the deviations themselves: their squares would lose half the digits
    standardised = (points - mean) / scale
    rank = np.linalg.matrix_rank(standardised)
    if rank < family.d:
        raise ValueError(
            f"x must not lie in a hyperplane: its {len(x)} observations span {rank} of {family.d} dimensions"
        )
    upper = np.linalg.qr(standardised / np.sqrt(len(x)), mode="r")
    return mean, scale[:, None] * (upper * np.sign(np.diag(upper))[:, None]).T


def location_and_scale(points: Array, weights: Array | None = None) -> tuple[Array, Array]:
    """Return the means and the standard deviations (d,) of points (n, d); refuse what θ cannot hold."""
    with np.errstate(all="ignore"):
        mean = points.mean(axis=0) if weights is None else weights @ points
        squares = points - mean
        squares *= squares
        scale: Array = np.sqrt(squares.mean(axis=0) if weights is None else weights @ squares)
    outside = _outside(scale)
    if len(outside):
        size = np.abs(points[:, outside[0]]).max()
        raise _out_of_range("x", f"data of size {size:.3g} in coordinate {outside[0]}")
    return mean, scale


def _outside(scale: Array) -> NDArray[np.intp]:
    """Return where scales are not those of a family."""
    with np.errstate(all="ignore"):
        return np.flatnonzero(~(np.abs(np.log(scale)) <= LOG_SCALE_LIMIT))


def _out_of_range(name: str, got: str) -> ValueError:
    return ValueError(
        f"{name} lies outside the range of the family, standard deviations from e^-{LOG_SCALE_LIMIT:g} to "
        f"e^{LOG_SCALE_LIMIT:g}: got {got}"
    )


def varying_points(x: NDArray[Any]) -> Array:
    """Return x as points (n, d), none of whose coordinates is constant."""
    points: Array = x.reshape(len(x), -1)
    constant = np.flatnonzero(points.max(axis=0) == points.min(axis=0))
    if len(constant):
        where = f" in coordinate {constant[0]}" if x.ndim > 1 else ""
        raise ValueError(f"x must not be constant, got {points[0, constant[0]]} throughout{where}")
    return points


def distribution_moments(family: Family, p: Any) -> Moments:
    """Return the moments of a distribution of the family's kind."""
    name, kind, shape = _name_kind_and_shape(p)
    wanted = (
        "discrete" if family.outcomes is not None else "multivariate" if family.event_shape else "continuous"
    )
    if kind != wanted:
        raise TypeError(f"p must be {wanted} for {family!r}, got {p!r}, which is {kind}")
    if shape != ():
        raise ValueError(f"p must be one distribution, got parameters of shape {shape}")
    if family.outcomes is not None:
        return (_probabilities(p, family.outcomes),)
    if isinstance(p, stats.gaussian_kde):
        mean, covariance = _of_kernels(p)
    elif kind == "continuous":
        mean, covariance = _mean_and_variance(p)
    else:
        mean, covariance = _mean_and_covariance(p)
    d = family.event_shape[0] if family.event_shape else 1
    mean = as_shape("the mean of p", np.atleast_1d(mean), (d,))
    covariance = as_shape("the covariance of p", np.atleast_2d(covariance), (d, d))
    scale = np.sqrt(as_positive("the variances of p", np.diag(covariance)))
    outside = _outside(scale)
    if len(outside):
        raise _out_of_range("p", f"{scale[outside[0]]:.3g} in coordinate {outside[0]}")
    if isinstance(family, FullNormal):
        if name in _ONE_SUM:
            raise ValueError(f"p must not lie in a hyperplane: the coordinates of {name} have one sum")
        factor = family.cholesky(family.theta_of(mean, covariance))
        if np.min(np.diag(factor) / scale) ** 2 <= d * _ROUNDING:
            raise ValueError(f"p must not lie in a hyperplane: its covariance {covariance} is singular")
        return mean, factor
    return mean, np.diag(scale)


def _of_kernels(p: stats.gaussian_kde) -> tuple[Array, Array]:
    mean = p.dataset @ p.weights
    deviations = p.dataset - mean[:, np.newaxis]
    return mean, p.covariance + (p.weights * deviations) @ deviations.T


def _mean_and_variance(p: Any) -> tuple[Any, Any]:
    """Tell a univariate p too wide or too narrow for its variance to be a float from one that has none."""
    with np.errstate(all="ignore"):
        variance, mean = p.variance() if hasattr(p, "variance") else p.var(), p.mean()
    if not 0 < variance < np.inf:
        quartiles = getattr(p, "icdf", None) or p.ppf
        width = float(quartiles(0.75) - quartiles(0.25))
        if width > 0 and len(_outside(np.array([width]))):
            raise _out_of_range("p", f"a middle half of width {width:.3g}")
    # SciPy's formulas are exact where they are right.
    *found, error = mean_and_variance(read_distribution("p", p))
    off = [variance / found[1] - 1, (mean - found[0]) / np.sqrt(found[1])]
    agree = np.max(np.abs(off)) <= max(_AGREE, 10 * error)
    return (mean, variance) if agree or not error < _KNOWN else (found[0], found[1])


def _name_kind_and_shape(p: Any) -> tuple[str, str, tuple[int, ...]]:
    if isinstance(p, DiagonalNormalMixture):
        return "normal mixture", "multivariate", ()
    read = read_distribution("p", p)
    return read.name, read.kind, read.shape


def _mean_and_covariance(p: Any) -> tuple[Any, Any]:
    """Return attributes of some of SciPy's multivariate distributions, methods of others."""
    if not (hasattr(p, "mean") and hasattr(p, "cov")):
        raise NotImplementedError(
            f"nothing gives the covariance of {p!r}; draw samples of p and use fit_mle(family, x)"
        )
    with np.errstate(over="ignore"):
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
