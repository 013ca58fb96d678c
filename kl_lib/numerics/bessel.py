"""The Bregman divergence of log I₀, for the von Mises distribution."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import binom, expit, factorial, i0e, i1e

from kl_lib.numerics.elementary import polynomial
from kl_lib.numerics.gamma import LEGENDRE_NODES, LEGENDRE_WEIGHTS
from kl_lib.validation import Array

# From this argument on, the series in 1/x is used.
_LARGE = 25.0


def _series_in_the_inverse() -> Array:
    """Return the coefficients, from x⁻² on, of x² times the second derivative of log I₀(x).

    They come from I₀(x) √(2πx) e^{−x} = Σ a_k x^{−k}, a_k = ∏_{j≤k} (2j − 1)²/(8j), and its logarithm.
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

    Examples
    --------
    >>> print(f"{bessel_ratio(1.0):.12f}")
    0.446389965896
    """
    ratio: Array = i1e(x) / i0e(x)
    return ratio


def bessel_bregman(x: ArrayLike, y: ArrayLike) -> Array:
    """Return f(x) − f(y) − f′(y)(x − y) for f = log I₀, elementwise, for x, y ≥ 0.

    It is the integral over t in [0, 1] of (1 − t)(x − y)² f″(y + t(x − y)), a sum of positive terms:
    near by Gauss and Legendre, far by the trapezoidal rule in log(t/(1 − t)).

    Examples
    --------
    >>> print(f"{bessel_bregman(1.0, 0.0):.12f}", f"{np.log(np.i0(1.0)):.12f}")
    0.235914358507 0.235914358507
    """
    x, y = np.broadcast_arrays(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64))
    near = (x <= 2 * y) & (y <= 2 * x)
    value = np.empty(x.shape)
    for mask, nodes in ((near, _legendre_nodes), (~near, _logit_nodes)):
        ends = x[mask], y[mask]
        step = ends[0] - ends[1]
        value[mask] = sum(
            weight * rest * _curvature(t * ends[0] + rest * ends[1], step) for t, rest, weight in nodes(*ends)
        )
    return value[()]


def _legendre_nodes(_x: Array, _y: Array) -> Iterator[tuple[float, float, float]]:
    """Yield t, 1 − t and the weight."""
    return ((t, 1 - t, weight) for t, weight in zip(LEGENDRE_NODES, LEGENDRE_WEIGHTS, strict=True))


def _logit_nodes(x: Array, y: Array) -> Iterator[tuple[Array, Array, Array]]:
    """Yield t, 1 − t and the weight, from well below where f″ leaves its value at y to well beyond x.

    f″ has its poles on the imaginary axis, so that the integrand in v = log(t/(1 − t)) is analytic in
    the strip |Im v| < π/2, and a step of ¼ leaves e^{−4π²}.
    """
    first = np.log(np.minimum(np.maximum(y, 1.0) / np.maximum(x, 1.0), 1.0)) - 40
    last = 20 - np.log(np.minimum(np.maximum(x, 1.0) / np.maximum(y, 1.0), 1.0))
    count = int(np.ceil(np.max(last - first, initial=0.0) / 0.25)) + 1
    step = (last - first) / (count - 1)
    for k in range(count if x.size else 0):
        v = first + k * step
        t, rest = expit(v), expit(-v)
        yield t, rest, step * t * rest


def _curvature(x: Array, step: Array) -> Array:
    """Return step² f″(x)."""
    small = x < _LARGE
    low = np.where(small, x, 0.0)
    high = np.where(small, _LARGE, x)
    scaled = np.exp(-low) / i0e(low)
    power = 0.5 * polynomial(_POWERS, (0.5 * low) ** 2) * scaled**2
    inverse = polynomial(_INVERSE, 1 / high)
    return np.where(small, np.where(small, step, 0.0) ** 2 * power, (step / high) ** 2 * inverse)
