"""The cancellation-free pieces that every closed form is made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from kl_lib.validation import Array

_LARGEST = np.finfo(np.float64).max


def phi(delta: ArrayLike) -> Array:
    r"""Return δ − log(1 + δ), elementwise, right to a few units in the last place.

    It is the divergence between two exponential distributions whose scales have the ratio 1 + δ.
    Near δ = 0, where the difference loses every digit, it is w (δ − 2w² Σ w^{2k} / (2k + 3)) with
    w = δ/(2 + δ), the series of 2 artanh w = log(1 + δ).

    Parameters
    ----------
    delta
        At least −1; φ(−1) = inf.

    Raises
    ------
    ValueError
        If an entry of `delta` is below −1 or nan.

    Examples
    --------
    >>> float(phi(1e-9)), float(phi(-1.0))
    (4.999999996666666e-19, inf)
    """
    delta = np.asarray(delta, dtype=np.float64)
    if not np.all(delta >= -1):
        raise ValueError(f"delta must be at least -1, got {delta[~(delta >= -1)].flat[0]}")
    near = np.abs(delta) < 0.5
    small = np.where(near, delta, 0.0)
    w = small / (2 + small)
    series = w * (small - 2 * w * w * _horner(_ARTANH, w * w))
    with np.errstate(divide="ignore"):
        # inf - log1p(inf) would be nan.
        direct = delta - np.log1p(np.minimum(delta, _LARGEST))
    return np.where(near, series, direct)[()]


def phi_ratio(x: Array, y: Array) -> Array:
    """Return φ(x/y − 1) for positive x and y, from their exact difference where they are close."""
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        ratio = x / y
        near = np.abs(ratio - 1) < 0.5
        log_ratio = np.where((ratio > 0) & (ratio < np.inf), np.log(ratio), np.log(x) - np.log(y))
        return np.where(near, phi(np.where(near, (x - y) / y, 0.0)), ratio - 1 - log_ratio)[()]


def phi_square_ratio(x: Array, y: Array) -> Array:
    """Return φ((x/y)² − 1) for positive x and y, as `phi_ratio` does."""
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        ratio = x / y
        near = np.abs(ratio - 1) < 0.25
        log_ratio = np.where((ratio > 0) & (ratio < np.inf), np.log(ratio), np.log(x) - np.log(y))
        t = np.where(near, (x - y) / y, 0.0)
        return np.where(near, phi(t * (2 + t)), (ratio - 1) * (ratio + 1) - 2 * log_ratio)[()]


def psi(w: ArrayLike) -> Array:
    r"""Return e^w − 1 − w, elementwise, right to a few units in the last place.

    It is the mirror image of `phi`: ψ(w) = φ(e^w − 1). With w = log q(x) − log p(x) its mean under p
    is the divergence of p from q.

    Raises
    ------
    ValueError
        If an entry of `w` is nan.

    Examples
    --------
    >>> float(psi(1e-9)), float(psi(-np.inf))
    (5.000000001666667e-19, inf)
    """
    w = np.asarray(w, dtype=np.float64)
    if np.any(np.isnan(w)):
        raise ValueError("w must be a number, got nan")
    near = np.abs(w) < 1
    small = np.where(near, w, 0.0)
    series = small * small * _horner(_EXPONENTIAL, small)
    with np.errstate(over="ignore"):
        # expm1(inf) - inf would be nan.
        direct = np.expm1(w) - np.minimum(w, _LARGEST)
    return np.where(near, series, direct)[()]


def _horner(coefficients: Array, x: Array) -> Array:
    """Return Σ coefficients[k] xᵏ."""
    total = np.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = total * x + coefficient
    return total


# (artanh(w)/w − 1)/w² in powers of w², to |w| = 1/3; (e^w − 1 − w)/w² in powers of w, to |w| = 1.
_ARTANH = 1 / np.arange(3.0, 37.0, 2.0)
_EXPONENTIAL = 1 / np.cumprod(np.concatenate([[2.0], np.arange(3.0, 19.0)]))
