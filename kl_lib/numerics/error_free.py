"""Sums, products, quotients and logarithms of two floats, and what rounding loses of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from kl_lib.numerics.entrywise import polynomial
from kl_lib.types import Array

# Dekker's: a float times it, and less the product without the float, has the upper half of the digits.
_SPLITTER = 2.0**27 + 1
# log 2 in two floats, of which the first ends in zeros, so that its multiples are exact (fdlibm's e_log.c).
_SQRT2 = float(np.sqrt(2))
_LOG2, _LOG2_LOST = 6.93147180369123816490e-01, 1.90821492927058770002e-10
# (artanh(w)/w − 1)/w² in powers of w², to |w| = 1/3.
_ARTANH = 1 / np.arange(3.0, 37.0, 2.0)


def two_sum(a: ArrayLike, b: ArrayLike) -> tuple[Array, Array]:
    """Return a + b rounded, and what rounding lost (Knuth 1969).

    Parameters
    ----------
    a, b
        Floats, broadcast.

    Returns
    -------
    tuple of ndarray
        The rounded sum and the rest; together they are a + b.

    Examples
    --------
    >>> from kl_lib.numerics import two_sum
    >>> tuple(map(float, two_sum(1.0, 1e-20)))
    (1.0, 1e-20)
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    total = a + b
    b_rounded = total - a
    return total, (a - (total - b_rounded)) + (b - b_rounded)


def two_product(a: ArrayLike, b: ArrayLike) -> tuple[Array, Array]:
    """Return a·b rounded, and what rounding lost, barring over- and underflow (Dekker 1971).

    Parameters
    ----------
    a, b
        Floats, broadcast.

    Returns
    -------
    tuple of ndarray
        The rounded product and the rest; together they are a·b.

    Examples
    --------
    >>> from kl_lib.numerics import two_product
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

    Parameters
    ----------
    x, x_lost
        A float and what its rounding lost, broadcast.
    y
        Not 0.

    Returns
    -------
    tuple of ndarray
        The rounded quotient and the rest.

    Examples
    --------
    >>> from kl_lib.numerics import two_quotient
    >>> tuple(map(float, two_quotient(1.0, 0.0, 3.0)))
    (0.3333333333333333, 1.850371707708594e-17)
    """
    (x, exponent_x), (y, exponent_y) = (np.frexp(np.asarray(side, dtype=np.float64)) for side in (x, y))
    quotient, rest = _quotient(x, np.ldexp(x_lost, -exponent_x), y)
    shift = exponent_x - exponent_y
    return np.ldexp(quotient, shift), np.ldexp(rest, shift)


def _quotient(x: Array, x_lost: Array | float, y: Array) -> tuple[Array, Array]:
    """Return the same for numbers of the order of 1."""
    quotient = x / y
    product, lost = two_product(quotient, y)
    return quotient, ((x - product) - lost + x_lost) / y


def _upper_half(a: Array) -> Array:
    shifted = _SPLITTER * a
    return shifted - (shifted - a)


def log_ratio(x: ArrayLike, y: ArrayLike) -> Array:
    """Return log(x/y) for positive x and y, right to the last digit also where they are close.

    Parameters
    ----------
    x, y
        Positive, broadcast.

    Returns
    -------
    ndarray or float
        Right to the last digit.

    Examples
    --------
    >>> from kl_lib.numerics import log_ratio
    >>> print(f"{log_ratio(1 + 2.0**-30, 1.0):.12e} {log_ratio(1e300, 1e-300):.9f}")
    9.313225741818e-10 1381.551055796
    """
    return log_ratio_parts(x, y)[0]


def log_ratio_parts(x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    """Return log(x/y) rounded, and what rounding lost, for positive x and y.

    With x/y = 2ᵉ m, m between √½ and √2, it is e log 2 + 2 artanh w, w = (m − 1)/(m + 1), whose
    numerator is an exact difference of two floats.

    Parameters
    ----------
    x, y
        Positive, broadcast.

    Returns
    -------
    tuple of ndarray
        The rounded logarithm and the rest.

    Examples
    --------
    >>> from kl_lib.numerics import log_ratio_parts
    >>> high, low = log_ratio_parts(2.0, 1.0)
    >>> print(f"{high:.16f} {low:.8e}")
    0.6931471805599453 2.31904681e-17
    """
    (x, exponent_x), (y, exponent_y) = (np.frexp(np.asarray(side, dtype=np.float64)) for side in (x, y))
    above = (x > _SQRT2 * y).astype(int) - (x < y / _SQRT2)
    x, exponent = np.ldexp(x, -above), exponent_x - exponent_y + above
    total, total_lost = two_sum(x, y)
    w, w_lost = _quotient(np.asarray(x - y), 0.0, total)
    w_lost = w_lost - w * total_lost / total
    rest = 2 * (w_lost + w * w * w * artanh_remainder(w * w)) + exponent * _LOG2_LOST
    high, low = two_sum(exponent * _LOG2, 2 * w)
    return two_sum(high, low + rest)


def artanh_remainder(square: Array) -> Array:
    """Return (artanh(w)/w − 1)/w² of w² ≤ 1/9; log m is 2 artanh w for w = (m − 1)/(m + 1).

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics.error_free import artanh_remainder
    >>> artanh_remainder(np.zeros(1))
    array([0.33333333])
    """
    return polynomial(_ARTANH, square)
