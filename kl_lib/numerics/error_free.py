"""Sums and products of two floats without their rounding."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from kl_lib.validation import Array

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


def _upper_half(a: Array) -> Array:
    shifted = _SPLITTER * a
    return shifted - (shifted - a)
