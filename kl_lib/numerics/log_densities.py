"""Log densities of SciPy's distributions, and log chances of counts, in which nothing large cancels.

Of counts: with S(k) = log k! − k log k + k and T(k, m) = k log(k/m) − k + m, a chance is the exponential of a
few S and −T (Loader 2000, "Fast and accurate computation of binomial probabilities"). Arrays broadcast; k and
what is left of it may be real.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln, exprel, gammaln, xlogy, zeta

from kl_lib.numerics.elementary import kl_term, log_product
from kl_lib.numerics.entrywise import in_pieces
from kl_lib.numerics.error_free import log_ratio, two_product, two_sum
from kl_lib.numerics.gamma import STIRLING, stirling_remainder
from kl_lib.types import Array

# So many terms of a harmonic number are summed one by one.
_FIRST = 1000
_LOG_2PI = float(np.log(2 * np.pi))


def excess(k: Array | float) -> Array:
    """Return S(k) = log k! − k log k + k, for k ≥ 0.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics.log_densities import excess
    >>> excess(np.array([0.0, 1.0, 1e300])).round(9)
    array([  0.        ,   1.        , 346.30670248])
    """
    k = np.asarray(k, dtype=np.float64)
    return in_pieces([(k < STIRLING, _small_excess), (k >= STIRLING, _large_excess)], k)


def _small_excess(k: Array) -> Array:
    value: Array = gammaln(k + 1) - xlogy(k, k) + k
    return value


def _large_excess(k: Array) -> Array:
    value: Array = 0.5 * (np.log(2 * np.pi) + np.log(k)) + stirling_remainder(k)
    return value


def log_poisson(k: Array | float, mean: Array | float) -> Array:
    """Return the log of the chance of k under ``stats.poisson``.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics.log_densities import log_poisson
    >>> np.exp(log_poisson(np.array([0.0, 1.0, 2.0]), 1.0)).round(9)
    array([0.36787944, 0.36787944, 0.18393972])
    """
    return np.asarray(-excess(k) - kl_term(k, mean))


def log_binomial(k: Array, n: float, p: float) -> Array:
    """Return the log of the chance of k under ``stats.binom``.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics.log_densities import log_binomial
    >>> np.exp(log_binomial(np.array([0.0, 1.0, 2.0]), 2.0, 0.5)).round(9)
    array([0.25, 0.5 , 0.25])
    """
    mean, lost = two_product(n, p)
    above = (k - mean) - lost
    terms = kl_term(k, mean, -above) + kl_term(n - k, n * (1 - p), above)
    return np.asarray(excess(n) - excess(k) - excess(n - k) - terms)


def log_gamma(x: Array, a: float) -> Array:
    """Return the log of the density of ``stats.gamma``: the chance of a, as a count of mean x, times a/x.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics.log_densities import log_gamma
    >>> np.exp(log_gamma(np.array([0.5, 1.0]), 2.0)).round(9)
    array([0.30326533, 0.36787944])
    """
    return log_poisson(a, x) + log_ratio(a, x)


def log_beta(x: Array, a: float, b: float) -> Array:
    """Return the log of the density of ``stats.beta``: a chance of a among a + b, times ab/((a + b)x(1 − x)).

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics.log_densities import log_beta
    >>> np.exp(log_beta(np.array([0.25, 0.5]), 2.0, 2.0)).round(9)
    array([1.125, 1.5  ])
    """
    n, missing = two_sum(a, b)
    product, lost = two_product(n, x)
    above = (product - a) + (lost + missing * x)
    terms = kl_term(a, n * x, above) + kl_term(b, n * (1 - x), -above)
    edges = log_product((a, 1), (b, 1), (n, -1), (x, -1), (1 - x, -1))
    return np.asarray(excess(n) - excess(a) - excess(b) - terms + edges)


def log_negative_binomial(k: Array, n: float, p: float) -> Array:
    """Return the log of the chance of k under ``stats.nbinom``.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics.log_densities import log_negative_binomial
    >>> np.exp(log_negative_binomial(np.array([0.0, 1.0, 2.0]), 1.0, 0.5)).round(9)
    array([0.5  , 0.25 , 0.125])
    """
    trials = n + k
    mean, lost = two_product(trials, p)
    above = (n - mean) - lost
    terms = kl_term(n, mean, -above) + kl_term(k, trials * (1 - p), above)
    return np.asarray(excess(trials) - excess(n) - excess(k) - log_ratio(trials, n) - terms)


def log_hypergeometric(k: Array, total: float, n: float, draws: float) -> Array:
    """Return the log of the chance of k under ``stats.hypergeom``.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics.log_densities import log_hypergeometric
    >>> np.exp(log_hypergeometric(np.array([0.0, 1.0, 2.0]), 4.0, 2.0, 2.0)).round(9)
    array([0.16666667, 0.66666667, 0.16666667])
    """
    return _log_table(k, n - k, draws - k, (total - n) - (draws - k))


def log_beta_binomial(k: Array, n: float, a: float, b: float) -> Array:
    """Return the log of the chance of k under ``stats.betabinom``.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics.log_densities import log_beta_binomial
    >>> np.exp(log_beta_binomial(np.array([0.0, 1.0, 2.0]), 2.0, 1.0, 1.0)).round(9)
    array([0.33333333, 0.33333333, 0.33333333])
    """
    rest = n - k
    return _log_table(k, rest, a, b) + _log_edges(k, rest, a, b)


def log_beta_negative_binomial(k: Array, n: float, a: float, b: float) -> Array:
    """Return the log of the chance of k under ``stats.betanbinom``.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics.log_densities import log_beta_negative_binomial
    >>> np.exp(log_beta_negative_binomial(np.array([0.0, 1.0, 2.0]), 1.0, 1.0, 1.0)).round(9)
    array([0.5       , 0.16666667, 0.08333333])
    """
    return _log_table(n, k, a, b) + _log_edges(n, k, a, b) - log_ratio(n + k, n)


def _log_table(x: Array | float, y: Array | float, a: Array | float, b: Array | float) -> Array:
    """Return log of (x + y)! (a + b)! (x + a)! (y + b)! / (x! y! a! b! (x + y + a + b)!).

    But for the S it is the mutual information of the table.
    """
    (first, lost), (second, more) = two_product(y, a), two_product(x, b)
    upper, lower, left, right = x + y, a + b, x + a, y + b
    whole = upper + lower
    step = ((first - second) + (lost - more)) / whole
    cells = (
        (x, upper, left, step),
        (y, upper, right, -step),
        (a, lower, left, -step),
        (b, lower, right, step),
    )
    value = excess(upper) + excess(lower) + excess(left) + excess(right) - excess(whole)
    for cell, row, column, difference in cells:
        value = value - excess(cell) - kl_term(cell, row * (column / whole), difference)
    return np.asarray(value)


def _log_edges(x: Array | float, y: Array | float, a: float, b: float) -> Array:
    """Return log of (x + y + a + b) a b / ((x + a) (y + b) (a + b))."""
    upper, lower = ((x + y + (a + b), 1), (a, 1), (b, 1)), ((x + a, -1), (y + b, -1), (a + b, -1))
    return log_product(*upper, *lower)


def _log_harmonic(a: float, n: float) -> float:
    """Return log Σ k^{−a}, 1 ≤ k ≤ n, by the Euler–Maclaurin formula: SciPy adds all n terms for each k."""
    m = min(n, _FIRST)
    span = np.log(n / m)
    slow = m ** (1 - a) * span * exprel((1 - a) * span)
    ends = np.array([n, m]) ** -a
    corrections = 0.5 * (ends[0] - ends[1]) - a / 12 * (ends[0] / n - ends[1] / m)
    return float(np.log(np.sum(np.arange(1.0, m + 1) ** -a) + slow + corrections))


def _log_share(x: Array, a: float, b: float) -> Array:
    """Return (a + 1/2) log(1 + x/√(a + b + x²)), by what it is for a negative x without a difference."""
    root = np.hypot(np.sqrt(a + b), x)
    below = np.log(a + b) - np.log(root) - np.log(root + np.abs(x))
    return np.asarray((a + 0.5) * np.where(x < 0, below, np.log1p(np.abs(x) / root)))


# Logarithms of densities and masses of which SciPy takes the logarithm after they underflow, or as a
# difference of large numbers, at location 0 and scale 1, under SciPy's names: of x and of the shapes.
LOG_DENSITIES: dict[str, Callable[..., Array]] = {
    "beta": log_beta,
    "betabinom": log_beta_binomial,
    "betanbinom": log_beta_negative_binomial,
    "binom": log_binomial,
    "boltzmann": lambda k, a, n: np.log(np.expm1(-a) / np.expm1(-a * n)) - a * k,
    "chi2": lambda x, df: log_gamma(0.5 * x, 0.5 * df) - np.log(2),
    "dlaplace": lambda k, a: np.log(np.tanh(0.5 * a)) - a * np.abs(k),
    "foldnorm": lambda x, c: 0.5 * (np.log(0.5 / np.pi) - (x - c) ** 2) + np.log1p(np.exp(-2 * c * x)),
    "gamma": log_gamma,
    "hypergeom": log_hypergeometric,
    "hypsecant": lambda x: np.log(2 / np.pi) - np.logaddexp(x, -x),
    "invweibull": lambda x, c: np.log(c) - (c + 1) * np.log(x) - x**-c,
    "jf_skew_t": lambda x, a, b: (
        _log_share(x, a, b)
        + _log_share(-x, b, a)
        - (a + b - 1) * np.log(2)
        - betaln(a, b)
        - 0.5 * np.log(a + b)
    ),
    "laplace": lambda x: -np.abs(x) - np.log(2),
    "levy": lambda x: -0.5 * (_LOG_2PI + 1 / x) - 1.5 * np.log(x),
    "loglaplace": lambda x, c: np.log(0.5 * c) - np.log(x) - c * np.abs(np.log(x)),
    "logser": lambda k, p: k * np.log(p) - np.log(k) - np.log(-np.log1p(-p)),
    "moyal": lambda x: -0.5 * (_LOG_2PI + x + np.exp(-x)),
    "nbinom": log_negative_binomial,
    "nhypergeom": lambda k, total, n, r: log_beta_binomial(k, n, r, total - n - r + 1),
    "norm": lambda x: -0.5 * (_LOG_2PI + x * x),
    "pareto": lambda x, b: np.log(b) - (b + 1) * np.log(x),
    "planck": lambda k, a: np.log(-np.expm1(-a)) - a * k,
    "poisson": log_poisson,
    "uniform": lambda x: np.zeros_like(x),
    "zipf": lambda k, a: -a * np.log(k) - np.log(zeta(a)),
    "zipfian": lambda k, a, n: -a * np.log(k) - _log_harmonic(a, n),
}

# Where a density, or its logarithm, has a corner or a pole that is no end, at location 0 and scale 1.
# The knots of a smooth spline, as of irwinhall, may be many, and need no cut.
CORNERS: dict[str, Callable[..., ArrayLike]] = {
    "crystalball": lambda beta, _m: -beta,
    "dgamma": lambda _a: 0,
    "dweibull": lambda _c: 0,
    "gennorm": lambda _beta: 0,
    "laplace": lambda: 0,
    "laplace_asymmetric": lambda _kappa: 0,
    "loglaplace": lambda _c: 1,
    "skewcauchy": lambda _a: 0,
    "trapezoid": lambda c, d: (c, d),
    "triang": lambda c: c,
}

# Where a density ends within the support that SciPy states, at location 0 and scale 1.
ENDS: dict[str, Callable[..., tuple[float, float]]] = {
    "pearson3": lambda skew: (-2 / skew if skew > 0 else -np.inf, -2 / skew if skew < 0 else np.inf),
}
