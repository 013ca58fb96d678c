"""The divergence between finitely many probabilities: arrays of them, tables of points, multinomials."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kl_lib.checks import as_count, as_finite, check_aligned
from kl_lib.divergence.distributions import Parameters, float_or_array, table_logits
from kl_lib.divergence.registry import ClosedValue, register_kl
from kl_lib.numerics import kl_term, softmax_divergence
from kl_lib.types import Array

Indices = NDArray[np.intp]

# So many outcomes at a time that all that is computed of them stays in the cache.
_BLOCK = 1 << 14
# Points of tables closer than this part of their size, or of their location, are the same.
_POINT = 2.0**-51


def kl_categorical(p: ArrayLike, q: ArrayLike, *, axis: int = -1, logits: bool = False) -> float | Array:
    r"""Return Σᵢ pᵢ log(pᵢ/qᵢ) of two arrays of probabilities, in nats.

    Rounded probabilities rarely sum to exactly 1: p and q stand for p/Σp and q/Σq, to the last digit.
    Their sums may miss 1 by 1e-9; by 1e-5 + k/2²⁴ in float32, as adding k numbers one after another may
    lose as much; by 1/2⁹ + k/2²⁵ in float16; and by 1/2⁷ + k/2²⁴ where all are rounded to bfloat16.

    Parameters
    ----------
    p, q
        Probabilities that sum to 1 along `axis`, (..., k), broadcast.
    axis
        The axis of the k outcomes, after broadcasting.
    logits
        Whether p and q are instead log-probabilities or logits: they stand for their softmax, right to the
        last digit also where it saturates. A logit of -inf is a probability of 0.

    Returns
    -------
    float or ndarray
        Shape (...); inf where some pᵢ > 0 has qᵢ = 0. Outcomes with pᵢ = 0 contribute 0.

    Raises
    ------
    TypeError
        If p or q is no array of numbers, or `logits` is neither True nor False.
    ValueError
        If a probability is negative or not finite, if the sums are not 1, if a logit is nan or inf or all
        are -inf, if the shapes do not match, or if p and q have labels, as in pandas, that differ.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import kl_categorical
    >>> kl_categorical([0.5, 0.5, 0.0], [0.25, 0.25, 0.5])
    0.6931471805599453
    >>> kl_categorical(np.full((4, 3), 1 / 3), [0.2, 0.3, 0.5]).shape
    (4,)
    >>> round(kl_categorical([40.0, 0.0, -np.inf], [0.0, 40.0, 0.0], logits=True), 12)
    40.0

    References
    ----------
    Cover and Thomas (2006), *Elements of Information Theory*, equation 2.26.
    """
    if not isinstance(logits, bool | np.bool_):
        raise TypeError(f"logits must be True or False, got {logits!r}")
    check_aligned(p=p, q=q)
    read = _as_logits if logits else _as_weights
    first, second = read("p", p), read("q", q)
    try:
        first, second = np.broadcast_arrays(first, second)
    except ValueError:
        raise ValueError(f"p and q must broadcast, got shapes {np.shape(p)} and {np.shape(q)}") from None
    axis = as_count("axis", axis, minimum=-first.ndim)
    if logits:
        first, second = (np.moveaxis(side, axis, -1) for side in (first, second))
        _check_some("p", first)
        _check_some("q", second)
        return float_or_array(softmax_divergence(first, second))
    _check_sums("p", p, first, axis)
    _check_sums("q", q, second, axis)
    return float_or_array(kl_weights(first, second, axis=axis))


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


def _as_weights(name: str, value: ArrayLike) -> Array:
    """Return `value` as non-negative weights of one axis or more."""
    weights = as_finite(name, value)
    if weights.ndim == 0:
        raise ValueError(f"{name} must be an array of probabilities, got {value!r}")
    if np.min(weights, initial=0.0) < 0:
        raise ValueError(
            f"{name} must not be negative, got {weights[weights < 0].flat[0]}; logits need logits=True"
        )
    return weights


def _tolerance(value: ArrayLike, k: int) -> float:
    """Return how far from 1 k probabilities may sum, by what they were rounded to."""
    array = np.asarray(value)
    if array.dtype.itemsize > 4:
        return 1e-9
    if array.dtype == np.float16:
        return 2.0**-9 + k * 2.0**-25
    bits = array.astype(np.float32).view(np.uint32)
    # A bfloat16 is the upper half of a float32.
    return (1e-5 if np.any(bits & 0xFFFF) else 2.0**-7) + k * 2.0**-24


def _check_sums(name: str, value: ArrayLike, weights: Array, axis: int) -> None:
    sums = np.sum(weights, axis=axis)
    tolerance = _tolerance(value, weights.shape[axis])
    bad = np.abs(sums - 1) > tolerance
    if np.any(bad):
        total = np.asarray(sums)[bad].flat[0]
        raise ValueError(f"{name} must sum to 1 within {tolerance:.3g}, got {total}; divide it by its sum")


def _as_logits(name: str, value: ArrayLike) -> Array:
    """Return `value` as logits of one axis or more, none of them nan or inf."""
    logits = as_finite(name, value, minus_infinity=True)
    if logits.ndim == 0:
        raise ValueError(f"{name} must be an array of logits, got {value!r}")
    return logits


def _check_some(name: str, logits: Array) -> None:
    if np.any(np.all(logits == -np.inf, axis=-1)):
        raise ValueError(f"{name} must have a logit above -inf for each distribution, got none")


@register_kl("rv_discrete", "rv_discrete")
def kl_points(p: Parameters, q: Parameters) -> ClosedValue:
    """`kl_weights` over the points of both, or the divergence of logits where those are known."""
    locs = np.broadcast(p.loc, q.loc)
    return np.reshape([_kl_at_points(p, q, *pair) for pair in locs], locs.shape)


def _kl_at_points(p: Parameters, q: Parameters, loc_p: float, loc_q: float) -> Array:
    """Return the divergence between two tables of points and probabilities, moved by their locations."""
    *places, size = _places(p.xk, loc_p, q.xk, loc_q)
    if hasattr(p, "logits") or hasattr(q, "logits"):
        logits = np.full((2, size), -np.inf)
        for row, place, side in zip(logits, places, (p, q), strict=True):
            np.logaddexp.at(row, place, table_logits(side))
        return softmax_divergence(*logits)
    masses = np.zeros((2, size))
    for row, place, side in zip(masses, places, (p, q), strict=True):
        np.add.at(row, place, side.pk)
    return kl_weights(*masses)


def _places(xk: Array, loc_p: float, yk: Array, loc_q: float) -> tuple[Indices, Indices, int]:
    """Return the numbers of the points of both tables among their union, and how many those are.

    Points that differ by no more than rounding of their sums with the locations are one.
    """
    points = np.concatenate([xk + loc_p, yk + loc_q])
    reach = _POINT * np.concatenate([np.abs(xk) + abs(loc_p), np.abs(yk) + abs(loc_q)])
    order = np.argsort(points)
    gaps, tolerance = np.diff(points[order]), np.maximum(reach[order][1:], reach[order][:-1])
    place = np.empty(points.size, dtype=np.intp)
    place[order] = np.concatenate([[0], np.cumsum(gaps > tolerance)])
    return place[: xk.size], place[xk.size :], int(place.max()) + 1


@register_kl("multinomial", "multinomial")
def kl_multinomial(p: Parameters, q: Parameters) -> ClosedValue:
    """N times the divergence of one draw; inf where the numbers of draws differ, 0 where there are none."""
    one = np.where(p.n > 0, kl_weights(p.p, q.p), 0.0)
    return np.where(p.n == q.n, p.n * one, np.inf)
