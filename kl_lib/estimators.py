"""Estimates of D_KL(p‖q) from samples x ∼ p, out of the log-ratios L = log q(x) − log p(x).

The names k1, k2 and k3 are those of Schulman (2020), "Approximating KL divergence".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kl_lib.checks import as_choice, as_count, as_generator, as_log_ratio
from kl_lib.divergence.distributions import Distribution, common_shape, read_distribution
from kl_lib.divergence.sampling import can_be_sampled, density_name, draw, log_density
from kl_lib.numerics import expm1x
from kl_lib.results import Estimate
from kl_lib.types import Array, Estimator, SciPyDistribution

# The shape k̂ of the tail of the terms above which their spread says nothing of the mean's error (Vehtari,
# Simpson, Gelman, Yao and Gabry 2024, "Pareto smoothed importance sampling"); the terms of the shortest tail,
# and how many of them at least must be larger than the rest.
_HEAVY = 0.7
_SHORTEST, _FEWEST = 10, 5
# So many standard errors are no accident, nor is it that an event of so many expected draws is not drawn.
_ERRORS, _UNSEEN = 6, 30
# Of the log density of q: a zero next to a larger one is a hole, next to a smaller one an underflow.
_UNDERFLOW = -600.0
_HALVINGS = 100


def k1(log_ratio: ArrayLike) -> NDArray[Any]:
    """Return −L, elementwise: the unbiased estimator of D_KL(p‖q), some of whose terms are negative.

    Parameters
    ----------
    log_ratio
        L = log q(x) − log p(x) in nats at samples x ∼ p, any shape; −inf where q has no mass.

    Returns
    -------
    ndarray or number
        Of the shape and the dtype of `log_ratio`; inf where it is −inf.

    Raises
    ------
    TypeError
        If `log_ratio` is no real number.
    ValueError
        If an entry is nan or inf.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import k1
    >>> k1(np.array([0.5, -1.0, -np.inf]))
    array([-0.5,  1. ,  inf])
    """
    return _elementwise(lambda w: 0 - w, log_ratio)


def k2(log_ratio: ArrayLike) -> NDArray[Any]:
    """Return L²/2, elementwise: an estimator of D_KL(p‖q) that is biased but for p and q close by.

    Its terms are never negative. Its bias is of third order in L: E[L²/2] − D_KL(p‖q) = E[L²/2 + L].

    Parameters
    ----------
    log_ratio
        L = log q(x) − log p(x) in nats at samples x ∼ p, any shape; −inf where q has no mass.

    Returns
    -------
    ndarray or number
        Of the shape and the dtype of `log_ratio`; inf where it is −inf, or where the square overflows.

    Raises
    ------
    TypeError
        If `log_ratio` is no real number.
    ValueError
        If an entry is nan or inf.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import k2
    >>> k2(np.array([0.5, -1.0, -np.inf]))
    array([0.125, 0.5  ,   inf])
    """
    return _elementwise(lambda w: 0.5 * w * w, log_ratio)


def k3(log_ratio: ArrayLike) -> NDArray[Any]:
    """Return e^L − 1 − L, elementwise: unbiased where q has mass only where p has, and never negative.

    Near 0 it keeps the relative accuracy that the difference loses. It is k1 with the control variate
    e^L − 1, whose mean is 0 if p has mass wherever q has.

    Parameters
    ----------
    log_ratio
        L = log q(x) − log p(x) in nats at samples x ∼ p, any shape; −inf where q has no mass.

    Returns
    -------
    ndarray or number
        Of the shape and the dtype of `log_ratio`; inf where it is −inf, or where e^L overflows.

    Raises
    ------
    TypeError
        If `log_ratio` is no real number.
    ValueError
        If an entry is nan or inf.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import k3
    >>> k3(np.array([1e-4, -1e-4, -np.inf], dtype=np.float32))
    array([5.0001665e-09, 4.9998330e-09,           inf], dtype=float32)
    """
    return _elementwise(expm1x, log_ratio)


_ESTIMATORS = {"k1": k1, "k2": k2, "k3": k3}


def _elementwise(formula: Callable[[Array], Array], log_ratio: ArrayLike) -> NDArray[Any]:
    """Evaluate in double precision, and return in the precision that came."""
    values = as_log_ratio("log_ratio", log_ratio)
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(formula(values.astype(np.float64))).astype(values.dtype)[()]


def kl_monte_carlo(
    p: SciPyDistribution,
    q: SciPyDistribution,
    n: int,
    *,
    rng: np.random.Generator,
    estimator: Estimator = "k1",
) -> Estimate:
    r"""Estimate D_KL(p‖q) in nats by the mean of an estimator over n samples of p.

    For every p that can be sampled and has a log density, where `kl_divergence` knows nothing exact. With
    L = log q(x) − log p(x), x ∼ p, E_p[e^L] is the mass of q where p has mass: above 1 it is refused, and
    below 1 the same is asked of p at samples of q.

    Parameters
    ----------
    p, q
        Distributions of SciPy with scalar parameters, multivariate ones, mixtures, ``stats.gaussian_kde``,
        what ``at`` of a family returns; or any objects with ``rvs(size=, random_state=)``, which returns
        (n, ...), and ``logpdf`` or ``logpmf``, which maps that to (n,).
    n
        How many samples, at least 2.
    rng
        The source of randomness.
    estimator
        The mean of ``"k1"`` is the divergence; ``"k3"`` has it too, with less spread where p and q are
        close, if p has mass wherever q has; ``"k2"`` is biased.

    Returns
    -------
    Estimate
        Its value is inf if q has no mass at a sample of p. Its standard error is inf where the spread of the
        terms says nothing of it: a tail of their largest that is fitted by a generalized Pareto
        distribution of shape k̂ > 0.7, fewer than 5 terms that are larger than the rest, or one outcome drawn
        every time, short of being certain. Of fewer than 50 samples the tail cannot be judged.

    Raises
    ------
    TypeError
        If p or q is no distribution, or one is discrete and the other continuous.
    ValueError
        If a parameter is invalid or an array, the dimensions do not match, or a log density has a value that
        it cannot have.
    ArithmeticError
        If p or q is not normalised, as far as the samples tell; if the terms overflow; if the log density of
        q underflows within its support; with ``"k3"`` if E_p[e^L] is below 1.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import stats
    >>> from kl_lib import kl_monte_carlo
    >>> p, q = stats.multivariate_t([0, 0], np.eye(2), df=9), stats.multivariate_normal([0, 0], np.eye(2))
    >>> estimate = kl_monte_carlo(p, q, 10_000, rng=np.random.default_rng(0))
    >>> print(f"{estimate.value:.2f} ± {estimate.standard_error:.2f}")
    0.08 ± 0.01

    References
    ----------
    Schulman (2020), "Approximating KL divergence". Zhang and Stephens (2009), "A new and efficient estimation
    method for the generalized Pareto distribution".
    """
    n, rng = as_count("n", n, minimum=2), as_generator(rng)
    terms_of = _ESTIMATORS[as_choice("estimator", estimator, tuple(_ESTIMATORS))]
    first, second = read_distribution("p", p), read_distribution("q", q)
    _check_one_pair(first, second)
    x = draw(first, n, rng)
    log_p = log_density(first, x)
    log_ratio = log_density(second, x, minus_infinity=True) - log_p
    if np.any(log_ratio == -np.inf):
        _check_holes(second, x[log_ratio == -np.inf], rng)
        return Estimate(np.inf, np.inf, n)
    _check_normalised(first, second, log_ratio, rng, estimator)
    terms = terms_of(log_ratio)
    if not np.all(np.isfinite(terms)):
        raise ArithmeticError(f"{estimator} overflows: log q - log p reaches {log_ratio[np.argmax(terms)]}")
    unknown = _is_heavy(terms) or (np.all(x == x[:1]) and np.any(log_p != 0))
    with np.errstate(over="ignore"):  # of squares
        estimate = Estimate.of(terms)
    return replace(estimate, standard_error=np.inf) if unknown else estimate


def _check_one_pair(p: Distribution, q: Distribution) -> None:
    """Refuse arrays of distributions, and a density beside a mass."""
    if common_shape(p, q) != ():
        raise ValueError(f"p and q must have scalar parameters, got shapes {p.shape} and {q.shape}")
    if not can_be_sampled(p):
        raise TypeError(f"p must have a method rvs that draws samples, which {p.name} has not")
    names = density_name(p), density_name(q)
    if None in names or names[0] != names[1]:
        raise TypeError(
            f"p and q must both have logpdf, or both logpmf, got {names[0]} of p and {names[1]} of q"
        )


def _check_holes(q: Distribution, x: NDArray[Any], rng: np.random.Generator) -> None:
    """Refuse samples of p at which the log density of a univariate q only underflows, within its support.

    On the way there from a sample of q, bisection finds where the density ends: in a jump, or fading out.
    """
    if q.kind not in ("continuous", "discrete"):
        return
    lower, upper = q.source.support()
    if np.any((x < lower) | (x > upper)):
        return
    positive = np.full(x.shape, draw(q, 1, rng)[0], dtype=np.float64)
    zero = x.astype(np.float64)
    for _ in range(_HALVINGS):
        half = 0.5 * (zero - positive)
        on_lattice = (q.kind == "discrete") & ((zero - positive) % 1 == 0)
        middle = positive + np.where(on_lattice, np.trunc(half), half)
        is_zero = log_density(q, middle, minus_infinity=True) == -np.inf
        zero, positive = np.where(is_zero, middle, zero), np.where(is_zero, positive, middle)
    if np.all(log_density(q, positive) < _UNDERFLOW):
        raise ArithmeticError(
            f"the log density of q underflows to -inf at {x[0]}, within its support: what it adds is unknown"
        )


def _check_normalised(
    p: Distribution, q: Distribution, log_ratio: Array, rng: np.random.Generator, estimator: str
) -> None:
    """Refuse samples that show a mass above 1, or one that the estimator k3 misses."""
    mass, below, above = _mass(log_ratio)
    if above:
        raise ArithmeticError(
            f"p and q must be normalised: q has {mass:.6g} times the mass of p where p is sampled"
        )
    if not below:
        return
    x = draw(q, len(log_ratio), rng)
    log_p, log_q = log_density(p, x, minus_infinity=True), log_density(q, x)
    mass_p, _, above = _mass(log_p - log_q)
    if above:
        raise ArithmeticError(
            f"p and q must be normalised: p has {mass_p:.6g} times the mass of q where q is sampled"
        )
    if estimator == "k3":
        raise ArithmeticError(
            f"k3 needs the mass of q where p is sampled to be 1, got {mass:.6g}; take estimator='k1'"
        )


def _mass(log_ratio: Array) -> tuple[float, bool, bool]:
    """Return the mean of e^L, and whether it is below, or above, 1 beyond all accident."""
    n, largest = len(log_ratio), max(float(np.max(log_ratio)), 0.0)
    with np.errstate(over="ignore", under="ignore"):
        weights, one = np.exp(log_ratio - largest), np.exp(-largest)
        mean, error = float(weights.mean()), float(weights.std(ddof=1)) / n**0.5
        slack = _ERRORS * error + _UNSEEN / n * one
        return float(mean * np.exp(largest)), bool(mean < one - slack), bool(mean > one + slack)


def _is_heavy(terms: Array) -> bool:
    """Whether the tail of the largest terms is too heavy, or too few terms, for a standard error.

    The other tail is light: P(L > t) ≤ e^−t for x ∼ p.
    """
    count = min(len(terms) // 5, int(3 * len(terms) ** 0.5))
    if count < _SHORTEST:
        return False
    threshold, *largest = np.sort(terms)[-count - 1 :]
    excess = np.array(largest)[largest > threshold] - threshold
    if excess.size < _FEWEST:
        return bool(excess.size > 0)
    with np.errstate(all="ignore"):  # a tail too heavy for floats has the shape nan
        return bool(excess[0] < excess[-1] and not _pareto_shape(excess) <= _HEAVY)


def _pareto_shape(excess: Array) -> float:
    """Return k̂ of the generalized Pareto distribution with these positive values, in ascending order.

    The posterior mean of Zhang and Stephens (2009), equations 7 to 9, drawn to ½ as by ten more values.
    """
    n = excess.size
    excess = excess / excess[-1]
    count = 30 + int(n**0.5)
    b = 1 + (1 - (count / (np.arange(1, count + 1) - 0.5)) ** 0.5) / (3 * excess[int(n / 4 + 0.5) - 1])

    def shape(b: Array) -> Array:
        return np.asarray(np.mean(np.log1p(-b[..., np.newaxis] * excess), axis=-1))

    k = shape(b)
    log_likelihood = n * (np.log(-b / k) - k)
    weights = np.exp(log_likelihood - log_likelihood.max())
    return float((n * shape(np.asarray(b @ weights / weights.sum())) + 5) / (n + 10))
