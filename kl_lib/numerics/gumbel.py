"""The divergence between two Gumbel distributions, in which that of two Weibull ones is hidden."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, zeta
from scipy.special import gamma as gamma_function

from kl_lib.numerics.elementary import expm1x, phi
from kl_lib.numerics.entrywise import polynomial
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
    x, y, shift_high, shift_lost = np.broadcast_arrays(x, y, *shift)
    kappa, lost = two_quotient(x, 0.0, y)
    near = np.abs(kappa - 1) < 0.5
    delta = np.where(near, x - y, 0.0) / y
    series = delta**2 * polynomial(_LOG_GAMMA, delta)
    far_high, far_lost = _log_factorial(np.where(near, 2.0, kappa), np.where(near, 0.0, lost))
    high = np.where(near, (1 - np.euler_gamma) * delta + series, far_high)
    rest = np.where(near, phi(delta) + series, far_high - log_ratio(x, y) + np.euler_gamma * (kappa - 1))
    w, w_lost = two_sum(shift_high, high)
    w_lost = w_lost + shift_lost + np.where(near, 0.0, far_lost)
    # Where e^w overflows, its last digits do not matter.
    known = w < _LARGEST_EXPONENT
    value: Array = expm1x(w) + np.where(known, w_lost, 0.0) * np.expm1(np.where(known, w, 0.0)) + rest
    return value


def _log_factorial(kappa: Array, lost: Array) -> tuple[Array, Array]:
    """Return log Γ(1 + κ) rounded, and what rounding lost, where κ is known beyond its rounding too."""
    small = kappa < STIRLING
    argument, argument_lost = two_sum(1.0, np.where(small, kappa, 0.0))
    high, low = log_ratio_parts(gamma_function(argument), 1.0)
    a = np.where(small, STIRLING, np.minimum(kappa, _LARGEST))
    log, log_lost = log_ratio_parts(a, 1.0)
    product_lost = two_product(np.minimum(a, _HUGE), log)[1]
    large, large_lost = two_sum(a * log, -a)
    rest = 0.5 * (log + np.log(2 * np.pi)) + a * log_lost + stirling_remainder(a)
    large_lost = large_lost + np.where(a < _HUGE, product_lost, 0.0) + rest
    slope = digamma(np.where(small, argument, a))
    return two_sum(
        np.where(small, high, large),
        np.where(small, low + slope * argument_lost, large_lost) + slope * np.where(a < _HUGE, lost, 0.0),
    )
