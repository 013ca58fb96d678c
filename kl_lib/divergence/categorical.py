"""The divergence between finitely many probabilities: arrays of them, tables of points, multinomials."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from kl_lib.checks import as_finite
from kl_lib.divergence.distributions import Parameters, float_or_array
from kl_lib.divergence.registry import ClosedValue, register_kl
from kl_lib.numerics import kl_term
from kl_lib.types import Array

# So many outcomes at a time that all that is computed of them stays in the cache.
_BLOCK = 1 << 14


def kl_categorical(p: ArrayLike, q: ArrayLike, *, axis: int = -1) -> float | Array:
    r"""Return Σᵢ pᵢ log(pᵢ/qᵢ) of two arrays of probabilities, in nats.

    Rounded probabilities rarely sum to exactly 1: p and q stand for p/Σp and q/Σq, to the last digit.

    Parameters
    ----------
    p, q
        Probabilities that sum to 1 along `axis`, within 1e-9 (float32: 1e-5); (..., k), broadcast.
    axis
        The axis of the k outcomes, after broadcasting.

    Returns
    -------
    float or ndarray
        Shape (...); inf where some pᵢ > 0 has qᵢ = 0. Outcomes with pᵢ = 0 contribute 0.

    Raises
    ------
    ValueError
        If a probability is negative or not finite, if the sums are not 1, or if the shapes do not match.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import kl_categorical
    >>> kl_categorical([0.5, 0.5, 0.0], [0.25, 0.25, 0.5])
    0.6931471805599453
    >>> kl_categorical(np.full((4, 3), 1 / 3), [0.2, 0.3, 0.5]).shape
    (4,)

    References
    ----------
    Cover and Thomas (2006), *Elements of Information Theory*, equation 2.26.
    """
    weights_p, tolerance_p = _weights("p", p)
    weights_q, tolerance_q = _weights("q", q)
    try:
        weights_p, weights_q = np.broadcast_arrays(weights_p, weights_q)
    except ValueError:
        raise ValueError(f"p and q must broadcast, got shapes {np.shape(p)} and {np.shape(q)}") from None
    _check_sums("p", weights_p, tolerance_p, axis)
    _check_sums("q", weights_q, tolerance_q, axis)
    return float_or_array(kl_weights(weights_p, weights_q, axis=axis))


def kl_weights(p: Array, q: Array, *, axis: int = -1) -> Array:
    """Return the divergence of p/Σp from q/Σq: Σ φ-terms of p and q (Σp/Σq), over Σp."""
    total = np.sum(p, axis=axis, keepdims=True)
    excess = np.sum(q - p, axis=axis, keepdims=True) / total
    if p.ndim > 1:
        return np.asarray(np.sum(_terms(p, q, total, excess), axis=axis))
    blocks = (slice(start, start + _BLOCK) for start in range(0, p.size, _BLOCK))
    return np.asarray(sum(np.sum(_terms(p[block], q[block], total, excess)) for block in blocks))


def _terms(p: Array, q: Array, total: Array, excess: Array) -> Array:
    terms: Array = kl_term(p, q / (1 + excess), ((q - p) - excess * p) / (1 + excess)) / total
    return terms


def _weights(name: str, value: ArrayLike) -> tuple[Array, float]:
    """Return `value` as non-negative weights of one axis or more, and how far from 1 they may sum."""
    weights = as_finite(name, value)
    if weights.ndim == 0:
        raise ValueError(f"{name} must be an array of probabilities, got {value!r}")
    if np.min(weights, initial=0.0) < 0:
        raise ValueError(f"{name} must not be negative, got {weights[weights < 0].flat[0]}")
    return weights, 1e-5 if np.asarray(value).dtype == np.float32 else 1e-9


def _check_sums(name: str, weights: Array, tolerance: float, axis: int) -> None:
    sums = np.sum(weights, axis=axis)
    bad = np.abs(sums - 1) > tolerance
    if np.any(bad):
        raise ValueError(f"{name} must sum to 1 within {tolerance}, got {np.asarray(sums)[bad].flat[0]}")


@register_kl("rv_discrete", "rv_discrete")
def kl_points(p: Parameters, q: Parameters) -> ClosedValue:
    """`kl_weights` over the points of both."""
    locs = np.broadcast(p.loc, q.loc)
    values = [_kl_at_points((p.xk + loc_p, p.pk), (q.xk + loc_q, q.pk)) for loc_p, loc_q in locs]
    return np.reshape(values, locs.shape)


def _kl_at_points(p: tuple[Array, Array], q: tuple[Array, Array]) -> Array:
    """Return the divergence between two tables of points and probabilities."""
    points = np.union1d(p[0], q[0])
    weights = np.zeros((2, points.size))
    for row, (xk, pk) in zip(weights, (p, q), strict=True):
        row[np.searchsorted(points, xk)] = pk
    return kl_weights(*weights)


@register_kl("multinomial", "multinomial")
def kl_multinomial(p: Parameters, q: Parameters) -> ClosedValue:
    """N times the divergence of one draw; inf where the numbers of draws differ."""
    return np.where(p.n == q.n, p.n * kl_weights(p.p, q.p), np.inf)
