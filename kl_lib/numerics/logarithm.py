"""The logarithm of a ratio, right to the last digit at any distance, and to ten digits beyond it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from kl_lib.numerics.elementary import polynomial
from kl_lib.numerics.error_free import two_quotient, two_sum
from kl_lib.types import Array

# log 2 in two floats: the first ends in zeros, so that its multiples are exact.
_LOG2, _LOG2_LOST = 6.93147180369123816490e-01, 1.90821492927058770002e-10
# (artanh(w)/w − 1)/w² in powers of w², to |w| = 0.172.
_ARTANH = 1 / np.arange(3.0, 25.0, 2.0)


def log_ratio(x: ArrayLike, y: ArrayLike) -> Array:
    """Return log(x/y) for positive x and y, right to the last digit also where they are close.

    Examples
    --------
    >>> print(f"{log_ratio(1 + 2.0**-30, 1.0):.12e} {log_ratio(1e300, 1e-300):.9f}")
    9.313225741818e-10 1381.551055796
    """
    high, low = log_ratio_parts(x, y)
    return high + low


def log_ratio_parts(x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    """Return log(x/y) rounded, and what rounding lost, for positive x and y.

    With x/y = 2ᵉ m, m between √½ and √2, it is e log 2 + 2 artanh w, w = (m − 1)/(m + 1), whose
    numerator is an exact difference of two floats.

    Examples
    --------
    >>> high, low = log_ratio_parts(2.0, 1.0)
    >>> print(f"{high:.16f} {low:.8e}")
    0.6931471805599453 2.31904681e-17
    """
    (x, exponent_x), (y, exponent_y) = (np.frexp(np.asarray(side, dtype=np.float64)) for side in (x, y))
    above = (x > np.sqrt(2) * y).astype(int) - (x < np.sqrt(0.5) * y)
    x, exponent = np.ldexp(x, -above), exponent_x - exponent_y + above
    total, total_lost = two_sum(x, y)
    w, w_lost = two_quotient(x - y, 0.0, total)
    w_lost = w_lost - w * total_lost / total
    rest = 2 * (w_lost + w * w * w * polynomial(_ARTANH, w * w)) + exponent * _LOG2_LOST
    high, low = two_sum(exponent * _LOG2, 2 * w)
    return two_sum(high, low + rest)
