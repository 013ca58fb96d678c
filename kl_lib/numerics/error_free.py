"""Sums, products and quotients of two floats without their rounding."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from kl_lib.types import Array

_SPLITTER = 2.0**27 + 1


def two_sum(a: ArrayLike, b: ArrayLike) -> tuple[Array, Array]:
    """Return a + b rounded, and what rounding lost (Knuth 1969).

    Examples
    --------
    >>> tuple(map(float, two_sum(1.0, 1e-20)))
    (1.0, 1e-20)
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    total = a + b
    b_rounded = total - a
    return total, (a - (total - b_rounded)) + (b - b_rounded)


def two_product(a: ArrayLike, b: ArrayLike) -> tuple[Array, Array]:
    """Return a·b rounded, and what rounding lost, barring over- and underflow (Dekker 1971).

    Examples
    --------
    >>> tuple(map(float, two_product(1 + 2.0**-30, 1 + 2.0**-30)))
    (1.0000000018626451, 8.673617379884035e-19)
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    product = a * b
    a_high, b_high = _upper_half(a), _upper_half(b)
    a_low, b_low = a - a_high, b - b_high
    return product, a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


def two_quotient(x: ArrayLike, x_lost: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    """Return (x + x_lost)/y rounded, and what rounding lost to about 32 digits, for y ≠ 0.

    Examples
    --------
    >>> tuple(map(float, two_quotient(1.0, 0.0, 3.0)))
    (0.3333333333333333, 1.850371707708594e-17)
    """
    (x, exponent_x), (y, exponent_y) = (np.frexp(np.asarray(side, dtype=np.float64)) for side in (x, y))
    quotient = x / y
    product, lost = two_product(quotient, y)
    rest = ((x - product) - lost + np.ldexp(x_lost, -exponent_x)) / y
    shift = exponent_x - exponent_y
    return np.ldexp(quotient, shift), np.ldexp(rest, shift)


def _upper_half(a: Array) -> Array:
    shifted = _SPLITTER * a
    return shifted - (shifted - a)
