"""The mean of an estimator over samples of p, and what its spread says of its error."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kl_lib.checks import as_choice, as_count, as_generator
from kl_lib.diagnostics import pareto_shape
from kl_lib.divergence.distributions import Distribution, common_shape, read_distribution
from kl_lib.divergence.sampling import can_be_sampled, density_name, draw, log_density
from kl_lib.estimators.terms import ESTIMATORS
from kl_lib.results import Estimate
from kl_lib.types import Array, Estimator, SciPyDistribution

# The shape k̂ of the tail of the terms above which their spread says nothing of the mean's error (Vehtari,
# Simpson, Gelman, Yao and Gabry 2024, "Pareto smoothed importance sampling"); the terms of the shortest tail,
# and how many of them at least must be larger than the rest.
_HEAVY = 0.7
_SHORTEST, _FEWEST = 10, 5
# So many standard errors are no accident, nor is it that an event of so many expected draws is not drawn.
_ERRORS, _UNSEEN = 6, 30
# So many are a reason for doubt.
_DOUBTFUL = 3
# Of the log density of q: a zero next to a larger one is a hole, next to a smaller one an underflow.
_UNDERFLOW = -600.0
_HALVINGS = 100


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
        terms says nothing of it: where the tail of the largest is fitted by a generalized Pareto
        distribution of shape k̂ > 0.7 (of fewer than 50 samples it is not judged), fewer than 5 terms are
        larger than the rest, one outcome is drawn every time, short of being certain, or with ``"k3"`` the
        mean of e^L is more than 3 standard errors off 1.

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
    terms_of = ESTIMATORS[as_choice("estimator", estimator, tuple(ESTIMATORS))]
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
    unknown = (
        _is_heavy(terms)
        or (np.all(x == x[:1]) and np.any(log_p != 0))
        or (estimator == "k3" and _is_off(np.expm1(log_ratio)))
    )
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

    On the way there from a point of q, bisection finds where the density ends: in a jump, or fading out.
    """
    if q.kind not in ("continuous", "discrete"):
        return
    lower, upper = q.source.support()
    if np.any((x < lower) | (x > upper)):
        return
    # SciPy rounds samples of a lattice that is moved by a fraction; a density may vanish at its median.
    start = q.source.median() if q.kind == "discrete" else draw(q, 1, rng)[0]
    positive = np.full(x.shape, start, dtype=np.float64)
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


def _is_off(variate: Array) -> bool:
    """Whether the mean of a control variate is further from 0 than by accident: its tail is not drawn."""
    estimate = Estimate.of(variate)
    return abs(estimate.value) > _DOUBTFUL * estimate.standard_error


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
    return bool(excess[0] < excess[-1] and pareto_shape(np, np.log(excess)) > _HEAVY)
