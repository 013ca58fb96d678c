"""The Bregman divergence of log I₀, for the von Mises distribution."""

from __future__ import annotations

from fractions import Fraction
from functools import partial

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import binom, factorial, i0e, i1e

from kl_lib.numerics.bregman import legendre_integral, logit_integral, within_factor
from kl_lib.numerics.entrywise import broadcast_floats, in_pieces, polynomial
from kl_lib.types import Array

# From this argument on, the series in 1/x is used.
_LARGE = 25.0


def _series_in_the_inverse() -> Array:
    """Return the coefficients, from x⁻² on, of x² times the second derivative of log I₀(x).

    They come from I₀(x) √(2πx) e^{−x} = Σ a_k x^{−k}, a_k = ∏_{j≤k} (2j − 1)²/(8j), and its logarithm
    (DLMF 10.40.1).
    """
    a = [Fraction(1)]
    for j in range(1, 33):
        a.append(a[-1] * Fraction((2 * j - 1) ** 2, 8 * j))
    log = [Fraction(0)]
    for k in range(1, 33):
        log.append(a[k] - sum((j * log[j] * a[k - j] for j in range(1, k)), Fraction(0)) / k)
    return np.array([0.5] + [float(k * (k + 1) * log[k]) for k in range(1, 33)])


_INVERSE = _series_in_the_inverse()
# The same second derivative is Σ binom(2k, k) (x/2)^{2k}/(k + 1)!² over 2 I₀(x)².
_ORDER = np.arange(90.0)
_POWERS = binom(2 * _ORDER, _ORDER) / factorial(_ORDER + 1) ** 2


def bessel_ratio(x: ArrayLike) -> Array:
    """Return I₁(x)/I₀(x), the mean cosine of a von Mises distribution, for x ≥ 0.

    Parameters
    ----------
    x
        Not negative.

    Returns
    -------
    ndarray or float
        Between 0 and 1.

    Examples
    --------
    >>> from kl_lib.numerics import bessel_ratio
    >>> print(f"{bessel_ratio(1.0):.12f}")
    0.446389965897
    """
    ratio: Array = i1e(x) / i0e(x)
    return ratio


def bessel_bregman(x: ArrayLike, y: ArrayLike) -> Array:
    """Return f(x) − f(y) − f′(y)(x − y) for f = log I₀, elementwise, for x, y ≥ 0.

    Parameters
    ----------
    x, y
        Not negative, broadcast.

    Returns
    -------
    ndarray or float
        Never negative, to about 3e-15 of itself.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics import bessel_bregman
    >>> print(f"{bessel_bregman(1.0, 0.0):.12f}", f"{np.log(np.i0(1.0)):.12f}")
    0.235914358507 0.235914358507
    """
    x, y = broadcast_floats(x, y)
    near = within_factor(2, x, y)
    pieces = ((near, partial(legendre_integral, _curvature)), (~near, _bessel_bregman_far))
    return in_pieces(pieces, x, y)[()]


def _bessel_bregman_far(x: Array, y: Array) -> Array:
    # f″ has its poles on the imaginary axis, so the integrand is analytic for |Im v| < π/2.
    return logit_integral(_curvature, *_range(x, y), 0.1875, x, y)


def _range(x: Array, y: Array) -> tuple[Array, Array]:
    """Return where v begins, well below where f″ leaves its value at y, and ends, well beyond x."""
    growth = np.log(np.maximum(x, 1.0) / np.maximum(y, 1.0))
    return -40 - np.maximum(growth, 0.0), 20 + np.maximum(-growth, 0.0)


def _curvature(t: Array, rest: Array, x: Array, y: Array) -> Array:
    """Return the second derivative of f(y + t(x − y)) in t."""
    a = t * x + rest * y
    pieces = ((a < _LARGE, _small_curvature), (a >= _LARGE, _large_curvature))
    return in_pieces(pieces, a, np.broadcast_to(x - y, a.shape))


def _small_curvature(a: Array, step: Array) -> Array:
    count = min(12 + int(3 * np.max(a, initial=0.0)), _POWERS.size)  # what follows is below rounding
    series: Array = 0.5 * polynomial(_POWERS[:count], (0.5 * a) ** 2) * (np.exp(-a) / i0e(a)) ** 2
    return step**2 * series


def _large_curvature(a: Array, step: Array) -> Array:
    return (step / a) ** 2 * polynomial(_INVERSE, 1 / a)
