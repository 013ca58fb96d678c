"""The divergence between two Gumbel distributions, in which that of two Weibull ones is hidden."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, zeta
from scipy.special import gamma as gamma_function

from kl_lib.numerics.elementary import expm1x, phi
from kl_lib.numerics.entrywise import broadcast_floats, in_pieces, polynomial
from kl_lib.numerics.error_free import log_ratio, log_ratio_parts, two_product, two_quotient, two_sum
from kl_lib.numerics.gamma import STIRLING, stirling_remainder
from kl_lib.types import Array

# (log Γ(2 + δ) − (1 − γ) δ)/δ² in powers of δ, to |δ| = ½: (−1)ᵏ (ζ(k) − 1)/k from k = 2 on.
_LOG_GAMMA = (-1) ** np.arange(2.0, 32.0) * zeta(np.arange(2.0, 32.0), 2) / np.arange(2.0, 32.0)
# From here on log Γ is not known to within 1, whatever is done: its lost digits do not matter.
_HUGE = 1e20
# Its exponential just does not overflow: the log of the largest float is 709.7827.
_LARGEST_EXPONENT = 709.78
# κ log κ just does not overflow.
_LARGEST = 2e305


def gumbel_divergence(shift: tuple[Array, Array], x: ArrayLike, y: ArrayLike) -> Array:
    """Return ψ(w) + log Γ(κ) + γ(κ − 1), where w = shift + log Γ(1 + κ) and κ = x/y > 0.

    Near κ = 1 the two terms beside ψ are φ(δ) + S(δ) with δ = κ − 1 and log Γ(2 + δ) = (1 − γ) δ + S(δ).

    Parameters
    ----------
    shift
        A float and what its rounding lost: in e^w each digit of w counts.
    x, y
        Positive, broadcast.

    Returns
    -------
    ndarray
        Never negative.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics import gumbel_divergence
    >>> print(f"{gumbel_divergence((0.0, 0.0), 2.0, 1.0):.12f}", f"{1 - np.log(2) + np.euler_gamma:.12f}")
    0.884068484342 0.884068484342
    """
    x, y, shift_high, shift_lost = broadcast_floats(x, y, *shift)
    kappa, lost = two_quotient(x, 0.0, y)
    near, small = np.abs(kappa - 1) < 0.5, kappa < STIRLING
    pieces = ((near, _near), (~near & small, _far_below_ten), (~near & ~small, _far_above_ten))
    return in_pieces(pieces, shift_high, shift_lost, x, y, kappa, lost)[()]


def _near(shift: Array, shift_lost: Array, x: Array, y: Array, _kappa: Array, _lost: Array) -> Array:
    delta = (x - y) / y
    series = delta**2 * polynomial(_LOG_GAMMA, delta)
    return _sum(shift, shift_lost, (1 - np.euler_gamma) * delta + series, phi(delta) + series)


def _far_below_ten(shift: Array, shift_lost: Array, x: Array, y: Array, kappa: Array, lost: Array) -> Array:
    argument, argument_lost = two_sum(1.0, kappa)
    high, low = log_ratio_parts(gamma_function(argument), 1.0)
    low = low + digamma(argument) * (argument_lost + lost)
    return _far(shift, shift_lost, x, y, kappa, *two_sum(high, low))


def _far_above_ten(shift: Array, shift_lost: Array, x: Array, y: Array, kappa: Array, lost: Array) -> Array:
    """Take log Γ(1 + κ) = κ log κ − κ + ½ log 2πκ + R(κ), with what its first terms lose."""
    a = np.minimum(kappa, _LARGEST)
    log, log_lost = log_ratio_parts(a, 1.0)
    product_lost = two_product(np.minimum(a, _HUGE), log)[1]
    high, low = two_sum(a * log, -a)
    low = low + 0.5 * (log + np.log(2 * np.pi)) + a * log_lost + stirling_remainder(a)
    low = low + np.where(a < _HUGE, product_lost + digamma(a) * lost, 0.0)
    return _far(shift, shift_lost, x, y, kappa, *two_sum(high, low))


def _far(shift: Array, shift_lost: Array, x: Array, y: Array, kappa: Array, high: Array, low: Array) -> Array:
    return _sum(shift, shift_lost + low, high, high - log_ratio(x, y) + np.euler_gamma * (kappa - 1))


def _sum(shift: Array, lost: Array, log_gamma: Array, rest: Array) -> Array:
    """Return ψ(w) + rest, where w = shift + log Γ(1 + κ) and what is lost of them."""
    w, w_lost = two_sum(shift, log_gamma)
    # Where e^w overflows, its last digits do not matter.
    known = w < _LARGEST_EXPONENT
    digits: Array = np.where(known, w_lost + lost, 0.0) * np.expm1(np.where(known, w, 0.0))
    return expm1x(w) + digits + rest
