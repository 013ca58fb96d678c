"""Bregman divergences of log Γ without its leading terms, for the gamma and the beta distribution.

Throughout, g(a) = log Γ(a) − a log a + a, which is convex, and
B_g(x, y) = g(x) − g(y) − g′(y)(x − y) ≥ 0.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, gammaln

from kl_lib.numerics.bregman import legendre_integral, legendre_rule, logit_integral, within_factor
from kl_lib.numerics.elementary import kl_term, phi_ratio
from kl_lib.numerics.entrywise import broadcast_floats, in_blocks, in_pieces, overwrite, polynomial
from kl_lib.types import Array

# The integrand is analytic for |Im log a| < π, far beyond the way of length log 2: seven nodes are enough.
_NODES, _WEIGHTS = legendre_rule(7)
_BLOCK = 1 << 12

# Stirling's series (NIST's Digital Library of Mathematical Functions, equation 5.11.1) is used from this
# argument on. In place of the Bernoulli numbers B4, B6, …, whose series diverges, stand the coefficients of
# the polynomial that meets the curvature of log Γ at Chebyshev's points, which the tests find again.
STIRLING = 6
_SERIES = np.array(
    [
        1 / 6,
        -0.03333333333333135,
        0.023809523800345987,
        -0.03333332631972896,
        0.07575551290452479,
        -0.2528112200622681,
        1.1420102186173102,
        -5.923422189589193,
        22.59414876920695,
    ]
)
_ORDER = 2.0 * np.arange(1, _SERIES.size + 1)
# A difference that keeps this part of its terms keeps their digits.
_KEPT = 0.15
_STEPS = np.arange(STIRLING + 1.0)


def gamma_bregman(x: ArrayLike, y: ArrayLike, *, step: ArrayLike | None = None) -> Array:
    """Return g(x) − g(y) − g′(y)(x − y), elementwise, for x, y > 0.

    Near, it is an integral of positive terms over log a, by Gauss and Legendre; far, but for small
    numbers, g(a) = ½ log(2π/a) + R(a) with Stirling's remainder R, convex too.

    Parameters
    ----------
    x, y
        Positive, broadcast.
    step
        x − y, for callers that know it better than their rounded numbers do.

    Returns
    -------
    ndarray or float
        Never negative, to about 1e-15 of itself, far to 8e-15.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics import gamma_bregman
    >>> print(f"{gamma_bregman(2.0, 1.0):.12f}", f"{1 - 2 * np.log(2) + np.euler_gamma:.12f}")
    0.190921303782 0.190921303782
    """
    x, y = broadcast_floats(x, y)
    near, low, high = within_factor(2, x, y), np.minimum(x, y), np.maximum(x, y)
    pieces = (
        (near & (low < STIRLING), partial(_gamma_bregman_near, _small_curvature)),
        (near & (low >= STIRLING), partial(_gamma_bregman_near, _large_curvature)),
        (~near & (high <= 1), _gamma_bregman_small),
        (~near & (high > 1), lambda *far: in_blocks(_gamma_bregman_far, far, _BLOCK)),
    )
    return in_pieces(pieces, x - y if step is None else np.asarray(step), x, y)[()]


def _gamma_bregman_near(curvature: Callable[[Array], Array], step: Array, _x: Array, y: Array) -> Array:
    """Integrate over log a: with x = y e^ℓ it is ℓ ∫₀¹ (e^{ℓ(1 − t)} − 1) a² g″(a) dt at a = y e^{ℓt}."""

    def integrand(ell: Array, y: Array) -> Array:
        growth = np.expm1(ell * _NODES)
        # The nodes lie symmetrically about ½.
        value: Array = ell * np.sum(_WEIGHTS * growth[::-1] * curvature(y + y * growth), axis=0)
        return value

    return in_blocks(integrand, (np.log1p(step / y), y), _BLOCK)


def _gamma_bregman_small(step: Array, x: Array, y: Array) -> Array:
    """Take g(a) = −log a − (a log a − a) + log Γ(1 + a), whose first term is by far the largest."""
    rest: Array = gammaln(1 + x) - gammaln(1 + y) - digamma(1 + y) * step
    return phi_ratio(x, y) - kl_term(x, y) + rest


def _gamma_bregman_far(step: Array, x: Array, y: Array) -> Array:
    remainder, slope = remainder_and_slope(np.array([x, y]))
    value: Array = 0.5 * phi_ratio(x, y) + (remainder[0] - remainder[1] - slope[1] * step)
    return value


def beta_bregman(
    a_p: ArrayLike,
    b_p: ArrayLike,
    a_q: ArrayLike,
    b_q: ArrayLike,
    *,
    b_step: ArrayLike | None = None,
    beside: ArrayLike = 0.0,
) -> Array:
    """Return B_g(a_q, a_p) + B_g(b_q, b_p) − B_g(a_q + b_q, a_p + b_p), elementwise.

    Where the third term cancels much of the others, it is the integral over t in [0, 1] of (1 − t) times
    the second derivative of g(a) + g(b) − g(a + b) along the way from p to q: near by Gauss and Legendre,
    far by the trapezoidal rule in log(t/(1 − t)).

    Parameters
    ----------
    a_p, b_p, a_q, b_q
        Positive, broadcast.
    b_step
        b_q − b_p, for callers that know it better than their rounded b.
    beside
        Not negative: what the result will be added to, if the digits of the sum alone matter.

    Returns
    -------
    ndarray or float
        Never negative but for rounding, to about 4e-15 of its sum with `beside`.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics import beta_bregman
    >>> print(f"{beta_bregman(1.0, 1.0, 2.0, 1.0):.12f}", f"{1 + 3 * np.log(3) - 6 * np.log(2):.12f}")
    0.136953782645 0.136953782645
    """
    ends = [np.asarray(x, dtype=np.float64) for x in (a_p, b_p, a_q, b_q)]
    steps = (ends[2] - ends[0], ends[3] - ends[1] if b_step is None else b_step)
    *way, beside = broadcast_floats(*ends, *steps, beside)
    a_p, b_p, a_q, b_q, a_step, b_step = way
    first, second = (np.array([a, b, a + b]) for a, b in ((a_p, b_p), (a_q, b_q)))
    terms = gamma_bregman(second, first, step=np.array([a_step, b_step, a_step + b_step]))
    value = np.asarray(terms[0] + terms[1] - terms[2])
    lost = ~(value + beside > _KEPT * np.sum(terms, axis=0))
    near = within_factor(2, a_p, a_q) & within_factor(2, b_p, b_q)
    overwrite(value, lost & near, partial(legendre_integral, _beta_curvature), *way)
    overwrite(value, lost & ~near, _beta_bregman_far, *way)
    return value[()]


def _beta_bregman_far(*way: Array) -> Array:
    # The integrand is analytic in the strip |Im v| < π: a step of 7/16 leaves e^{−45}.
    return logit_integral(_beta_curvature, *_beta_range(*way), 0.4375, *way)


def _beta_range(
    a_p: Array, b_p: Array, a_q: Array, b_q: Array, a_step: Array, b_step: Array
) -> tuple[Array, Array]:
    """Return where v begins, well below the smallest scale at p, and ends, well above that at q."""
    a_scale, b_scale = np.maximum(abs(a_step), a_q), np.maximum(abs(b_step), b_q)
    at_p = np.minimum(a_p / a_scale, b_p / b_scale)
    at_q = np.minimum(a_q / a_scale, b_q / b_scale)
    return np.log(at_p) - 38, 19 - np.log(at_q)


def _beta_curvature(
    t: Array, rest: Array, a_p: Array, b_p: Array, a_q: Array, b_q: Array, a_step: Array, b_step: Array
) -> Array:
    """Return the second derivative of g(a) + g(b) − g(a + b) in t: g″ differences, mostly positive terms."""
    a, b = rest * a_p + t * a_q, rest * b_p + t * b_q
    da, db = a_step / a, b_step / b
    cross = gamma_curvature(a + b) * (a / (a + b)) * (b / (a + b)) * da * db
    drop_a, drop_b = _curvature_drop(np.array([a, b]), np.array([b, a]))
    value: Array = drop_a * da**2 + drop_b * db**2 - 2 * cross
    return value


def _curvature_drop(a: Array, b: Array) -> Array:
    """Return a²(g″(a) − g″(a + b)), as a sum of positive terms."""
    small = a < STIRLING
    shifted = np.where(small, a + STIRLING, a)
    inverse, power, share = 1 / shifted, shifted / (shifted + b), b / (shifted + b)
    # Of Stirling's series, whose terms are c a^{−k} for k = 2, 3, 5, …: what is left of 1 by power^k.
    both = share * (1 + power)
    drop, power_k, square = share + power * both, power**3, inverse * inverse
    total = 0.5 * both
    for coefficient in _SERIES:
        total += coefficient * inverse * drop
        drop += power_k * both
        power_k *= power * power
        inverse *= square
    total *= (a / shifted) ** 2
    total[small] += _first_drops(a[small], b[small])
    return total


def _first_drops(a: Array, b: Array) -> Array:
    """Return the same of the first six terms of g″(a) = Σ 1/((a + k)²(a + k + 1)), (n,)."""
    x = np.add.outer(_STEPS[:-1], a)
    y = x + b
    drops = (a / x) ** 2 * (b / y) * ((x * x / (y + 1) + x + y) / (y * (x + 1)))
    return np.asarray(np.sum(drops, axis=0))


def gamma_curvature(a: Array) -> Array:
    """Return a² g″(a) = a² ψ₁(a) − a, between ½ and 1; g″(a) = Σ_{k≥0} 1/((a + k)²(a + k + 1)).

    Parameters
    ----------
    a
        Positive.

    Returns
    -------
    ndarray
        Of the shape of a.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics import gamma_curvature
    >>> gamma_curvature(np.array([1e-9, 1.0, 1e9]))
    array([1.        , 0.64493407, 0.5       ])
    """
    return in_pieces([(a < STIRLING, _small_curvature), (a >= STIRLING, _large_curvature)], a)


def _large_curvature(a: Array) -> Array:
    """Return a² g″(a) for a ≥ 6 by Stirling's series."""
    inverse = 1 / a
    value: Array = 0.5 + polynomial(_SERIES, inverse * inverse) * inverse
    return value


def _small_curvature(a: Array) -> Array:
    """Return a² g″(a) from its first six terms and g″(a + 6)."""
    shifted = a + STIRLING
    inverse = 1 / np.add.outer(_STEPS[1:], a)
    rest = _large_curvature(shifted) / shifted**2 + np.sum(inverse[:-1] ** 2 * inverse[1:], axis=0)
    value: Array = inverse[0] + a * a * rest
    return value


def stirling_remainder(a: ArrayLike) -> Array:
    """Return R(a) = log Γ(a) − (a − ½) log a + a − ½ log 2π for a ≥ 6, by Stirling's series.

    Parameters
    ----------
    a
        At least 6.

    Returns
    -------
    ndarray or float
        Of the shape of a.

    Examples
    --------
    >>> from kl_lib.numerics import stirling_remainder
    >>> print(f"{stirling_remainder(10.0):.15f}")
    0.008330563433363
    """
    inverse = 1 / np.asarray(a, dtype=np.float64)
    remainder: Array = polynomial(_SERIES / (_ORDER * (_ORDER - 1)), inverse * inverse) * inverse
    return remainder


def remainder_and_slope(a: Array) -> tuple[Array, Array]:
    """Return R(a) and R′(a) for any a > 0: below 6, from their first six terms and those at a + 6.

    R is that of `stirling_remainder`, and R′(a) = ψ(a) − log a + 1/(2a).

    Parameters
    ----------
    a
        Positive, an array.

    Returns
    -------
    tuple of ndarray
        Each of the shape of a.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics import remainder_and_slope
    >>> [float(x[0].round(12)) for x in remainder_and_slope(np.ones(1))]
    [0.081061466795, -0.077215664902]
    """
    small = np.flatnonzero(a < STIRLING)
    b, shifted = a.take(small), a.copy()
    shifted.put(small, b + STIRLING)
    square = 1 / (shifted * shifted)
    remainder, slope = stirling_remainder(shifted), -square * polynomial(_SERIES / _ORDER, square)
    terms = np.add.outer(_STEPS, b)
    inverse = 1 / terms
    log = np.log1p(inverse[:-1])
    more = np.sum((terms[:-1] + 0.5) * log - 1, axis=0)
    more_slope = np.sum(log - 0.5 * (inverse[:-1] + inverse[1:]), axis=0)
    remainder.put(small, remainder.take(small) + more)
    slope.put(small, slope.take(small) + more_slope)
    return remainder, slope
