"""φ and ψ, which every closed form is made of, right to the last digits."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kl_lib.numerics.entrywise import broadcast_floats, every, overwrite, polynomial
from kl_lib.numerics.error_free import artanh_remainder, two_product
from kl_lib.types import Array

LARGEST = np.finfo(np.float64).max
# (e^w − 1 − w)/w² in powers of w, to |w| = 1.
_EXPONENTIAL = 1 / np.cumprod(np.concatenate([[2.0], np.arange(3.0, 19.0)]))


def phi(delta: ArrayLike) -> Array:
    r"""Return φ(δ) = δ − log(1 + δ), elementwise, right to a few units in the last place.

    It is −log1pmx(δ) in the name that Boost and R give to log(1 + δ) − δ, and the divergence between two
    exponential distributions whose scales have the ratio 1 + δ.
    Near 0, where the difference loses every digit, it is w (δ − 2w² Σ w^{2k}/(2k + 3)) with
    w = δ/(2 + δ), from the series of 2 artanh w = log(1 + δ).

    Parameters
    ----------
    delta
        At least −1; φ(−1) = inf.

    Returns
    -------
    ndarray or float
        Of the shape of `delta`, never negative.

    Raises
    ------
    ValueError
        If an entry of `delta` is below −1 or nan.

    Examples
    --------
    >>> from kl_lib.numerics import phi
    >>> print(f"{phi(1e-9):.12e}", phi(-1.0))
    4.999999996667e-19 inf
    """
    delta = np.asarray(delta, dtype=np.float64)
    valid = delta >= -1
    if not every(valid):
        raise ValueError(f"delta must be at least -1, got {delta[~valid].flat[0]}")
    with np.errstate(divide="ignore"):
        # inf - log1p(inf) would be nan.
        value = np.asarray(delta - np.log1p(np.minimum(delta, LARGEST)))
    overwrite(value, np.abs(delta) < 0.5, _phi_near, delta)
    return value[()]


def _phi_near(delta: Array) -> Array:
    w = delta / (2 + delta)
    square = w * w
    return w * (delta - 2 * square * artanh_remainder(square))


def expm1x(w: ArrayLike) -> Array:
    r"""Return ψ(w) = e^w − 1 − w, elementwise, right to a few units in the last place.

    The name is that of R's package DPQ; SciPy's `psi` is another function, the slope of log Γ. It is the
    mirror image of `phi`: ψ(w) = φ(e^w − 1). With w = log q(x) − log p(x), its mean under p
    is the divergence of p from q.

    Parameters
    ----------
    w
        Any numbers; ψ(±inf) = inf.

    Returns
    -------
    ndarray or float
        Of the shape of `w`, never negative.

    Raises
    ------
    ValueError
        If an entry of `w` is nan.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics import expm1x
    >>> print(f"{expm1x(1e-9):.12e}", expm1x(-np.inf))
    5.000000001667e-19 inf
    """
    w = np.asarray(w, dtype=np.float64)
    if not every(~np.isnan(w)):
        raise ValueError("w must be a number, got nan")
    with np.errstate(over="ignore"):
        # expm1(inf) - inf would be nan.
        value = np.asarray(np.expm1(w) - np.minimum(w, LARGEST))
    overwrite(value, np.abs(w) < 1, _expm1x_near, w)
    return value[()]


def _expm1x_near(w: Array) -> Array:
    return w * w * polynomial(_EXPONENTIAL, w)


def phi_ratio(x: ArrayLike, y: ArrayLike) -> Array:
    """Return φ(x/y − 1) for positive x and y, from x − y, which is exact where they are close.

    Parameters
    ----------
    x, y
        Positive, broadcast.

    Returns
    -------
    ndarray or float
        Right to a few units in the last place.

    Examples
    --------
    >>> from kl_lib.numerics import phi_ratio
    >>> print(f"{phi_ratio(1 + 2.0**-30, 1.0):.12e} {phi_ratio(1e-300, 1e300):.9f}")
    4.336808687249e-19 1380.551055796
    """
    x, y = broadcast_floats(x, y)
    with np.errstate(over="ignore", under="ignore"):
        ratio = x / y
        excess = ratio - 1
        value = np.asarray(excess - _log_ratio(x, y, ratio))
    overwrite(value, np.abs(excess) < 0.5, lambda x, y: _phi_near((x - y) / y), x, y)
    return value[()]


def phi_square_ratio(x: ArrayLike, y: ArrayLike, *, weight: float = 1.0) -> Array:
    """Return weight φ((x/y)² − 1) for positive x and y, from x − y, which is exact where they are close.

    Parameters
    ----------
    x, y
        Positive, broadcast.
    weight
        A factor; with one below 1 the square may overflow where the product does not.

    Returns
    -------
    ndarray or float
        Right to a few units in the last place.

    Examples
    --------
    >>> from kl_lib.numerics import phi_square_ratio
    >>> print(f"{phi_square_ratio(1 + 2.0**-30, 1.0):.12e}")
    1.734723475438e-18
    """
    x, y = broadcast_floats(x, y)
    with np.errstate(over="ignore", under="ignore"):
        ratio = x / y
        excess = ratio - 1
        value = np.asarray(weight * excess * (ratio + 1))
        value -= 2 * weight * _log_ratio(x, y, ratio)
    overwrite(value, np.abs(excess) < 0.2, lambda x, y: weight * _phi_square_near((x - y) / y), x, y)
    return value[()]


def _phi_square_near(excess: Array) -> Array:
    return _phi_near(excess * (2 + excess))


def kl_term(p: ArrayLike, q: ArrayLike, difference: ArrayLike | None = None) -> Array:
    """Return p log(p/q) − p + q = p φ(q/p − 1) for weights p, q ≥ 0: q where p = 0, inf where only q = 0.

    Parameters
    ----------
    p, q
        Weights, not negative, broadcast.
    difference
        q − p, for callers that know it better than their rounded weights do.

    Returns
    -------
    ndarray or float
        Never negative.

    Examples
    --------
    >>> from kl_lib.numerics import kl_term
    >>> kl_term([0.0, 0.5, 0.5], [0.5, 0.5, 0.0])
    array([0.5, 0. , inf])
    """
    p, q = np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64)
    p, q, difference = broadcast_floats(p, q, q - p if difference is None else difference)
    positive = p > 0
    above, below = (q, p) if every(positive) else (np.where(positive, side, 1.0) for side in (q, p))
    with np.errstate(over="ignore", under="ignore"):
        value = np.asarray(difference - p * _log_ratio(above, below, above / below))
    near = np.abs(difference) < 0.5 * p
    overwrite(value, near, lambda p, difference: p * _phi_near(difference / p), p, difference)
    return value[()]


def _log_ratio(x: Array, y: Array, ratio: Array) -> Array:
    """Return log(x/y), also where the ratio has over- or underflown."""
    with np.errstate(divide="ignore"):
        value = np.asarray(np.log(ratio))
        ordinary = (ratio > 1e-300) & (ratio < np.inf)
        if not every(ordinary):
            extreme = ~ordinary
            value[extreme] = np.log(x[extreme]) - np.log(y[extreme])
    return value


def log_product(*powers: tuple[ArrayLike, float]) -> Array:
    """Return log ∏ x^k, also where powers or products of them are out of the range of floats.

    Parameters
    ----------
    *powers
        Pairs of a number x > 0, or an array of them, and the exponent k, a multiple of ½.

    Returns
    -------
    ndarray or float
        To within a few units of 2⁻⁵³ times 1 or itself, whichever is larger.

    Examples
    --------
    >>> from kl_lib.numerics import log_product
    >>> print(f"{log_product((1e300, 2), (1e-300, 1.5), (1e150, -1)):.12f}")
    0.000000000000
    """
    exponent, rest = np.zeros(()), np.zeros(())
    with np.errstate(divide="ignore"):
        for x, power in powers:
            mantissa, shift = np.frexp(np.asarray(x, dtype=np.float64))
            exponent, rest = exponent + power * shift, rest + power * np.log(mantissa)
    value: Array = exponent * np.log(2) + rest
    return value


def phi_product_ratio(
    a: ArrayLike, b: ArrayLike, c: ArrayLike, d: ArrayLike, *, weight: ArrayLike = 1.0
) -> Array:
    """Return weight φ(ab/(cd) − 1) for positive numbers, from the products without their rounding.

    Parameters
    ----------
    a, b, c, d
        Positive, broadcast.
    weight
        A factor; with one below 1 the ratio may overflow where the product does not.

    Returns
    -------
    ndarray or float
        Right to a few units in the last place.

    Examples
    --------
    >>> from kl_lib.numerics import phi_product_ratio
    >>> print(f"{phi_product_ratio(3.0, 1 / 3, 1.0, 1.0):.12e}")
    1.540743955510e-33
    """
    *factors, weight = broadcast_floats(a, b, c, d, weight)
    shift = np.zeros((), dtype=int)
    if not all(_has_modest_exponents(x) for x in factors):
        factors, (e, f, g, h) = (list(part) for part in zip(*map(np.frexp, factors), strict=True))
        shift = e + f - g - h
    ratio = (factors[0] * factors[1]) / (factors[2] * factors[3])
    with np.errstate(over="ignore", under="ignore"):
        near = np.abs(_times_power(ratio, shift) - 1) < 0.5
        value = np.asarray(_times_power(weight * ratio, shift))
        value -= weight * (1 + np.log(ratio) + shift * np.log(2))
    overwrite(value, near, _phi_product_near, *factors, np.broadcast_to(shift, value.shape), weight)
    return value[()]


def _phi_product_near(
    a: Array, b: Array, c: Array, d: Array, shift: NDArray[np.int_], weight: Array
) -> Array:
    product, lost = (_times_power(part, shift) for part in two_product(a, b))
    other, other_lost = two_product(c, d)
    return weight * _phi_near(((product - other) + (lost - other_lost)) / other)


def _times_power(x: Array, shift: NDArray[np.int_]) -> Array:
    """Return x 2^shift; where there is nothing to shift, without the cost."""
    return np.ldexp(x, shift) if shift.any() else x


def _has_modest_exponents(x: Array) -> bool:
    """Whether products of two such numbers, and the ratios of those, are far from the ends of the range."""
    return every((x > 1e-70) & (x < 1e70))
