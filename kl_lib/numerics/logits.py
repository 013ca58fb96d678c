"""Softmax and its divergence, from logits along the last axis, right to the last digits where it saturates.

A logit of -inf stands for probability 0; a row must have a finite one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kl_lib.numerics.elementary import LARGEST, expm1x
from kl_lib.numerics.entrywise import every
from kl_lib.numerics.error_free import two_sum
from kl_lib.types import Array, Mask


@dataclass(frozen=True)
class Softmax:
    """Probabilities in proportion to the likeliest one.

    `mode` is its index, (..., 1); `ratio` (..., k) are the others over it, 0 in its own place; `log_ratio`
    and `log_ratio_lost` are their logarithms, 0 in its own place and where the probability is 0.
    """

    mode: NDArray[np.intp]
    log_ratio: Array
    log_ratio_lost: Array
    ratio: Array

    @cached_property
    def rest(self) -> Array:
        """The sum of the ratios, (..., 1)."""
        rest: Array = np.sum(self.ratio, axis=-1, keepdims=True)
        return rest

    @cached_property
    def probabilities(self) -> Array:
        """The probabilities, (..., k)."""
        weights = self.ratio.copy()
        np.put_along_axis(weights, self.mode, 1.0, axis=-1)
        return weights / (1 + self.rest)

    @cached_property
    def complements(self) -> Array:
        """What the probabilities leave of 1, (..., k)."""
        complements = 1 - self.probabilities
        np.put_along_axis(complements, self.mode, self.rest / (1 + self.rest), axis=-1)
        return complements


def softmax(logits: Array) -> Softmax:
    """Return the softmax of logits.

    Parameters
    ----------
    logits
        (..., k).

    Returns
    -------
    Softmax
        The probabilities over the likeliest.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics import softmax
    >>> print(softmax(np.array([40.0, 0.0, -np.inf])).complements)
    [4.24835426e-18 1.00000000e+00 1.00000000e+00]
    """
    mode = np.argmax(logits, axis=-1, keepdims=True)
    top = np.take_along_axis(logits, mode, axis=-1)
    masked = logits == -np.inf
    high, low = difference(np.where(masked, top, logits), top)
    ratio = np.where(masked, 0.0, np.exp(high) * (1 + low))
    np.put_along_axis(ratio, mode, 0.0, axis=-1)
    return Softmax(mode, high, low, ratio)


def difference(x: Array, y: Array) -> tuple[Array, Array]:
    """Return x − y rounded, and what rounding lost; the largest float where it overflows.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics.logits import difference
    >>> [float(part) for part in difference(np.array(1.0), np.array(1e-20))]
    [1.0, -1e-20]
    """
    with np.errstate(over="ignore", invalid="ignore"):
        high, low = two_sum(x, -y)
    if every(np.isfinite(low)):
        return high, low
    return np.clip(high, -LARGEST, LARGEST), np.where(np.isfinite(low), low, 0.0)


def log_softmax(logits: Array) -> Array:
    """Return the log-probabilities of logits.

    Parameters
    ----------
    logits
        (..., k).

    Returns
    -------
    ndarray
        The log-probabilities, (..., k).

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics import log_softmax
    >>> log_softmax(np.array([40.0, 0.0, -np.inf]))
    array([-4.24835426e-18, -4.00000000e+01,            -inf])
    """
    parts = softmax(logits)
    logs = parts.log_ratio + (parts.log_ratio_lost - np.log1p(parts.rest))
    return np.where(logits == -np.inf, -np.inf, logs)


def softmax_entropy(logits: Array) -> Array:
    """Return −Σ p log p, a sum of positive terms.

    Parameters
    ----------
    logits
        (..., k).

    Returns
    -------
    ndarray
        (...).

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics import softmax_entropy
    >>> print(f"{softmax_entropy(np.array([40.0, 0.0])):.12e}")
    1.741825244670e-16
    """
    logs = np.where(logits == -np.inf, 0.0, log_softmax(logits))
    return np.asarray(-np.sum(softmax(logits).probabilities * logs, axis=-1))


def softmax_divergence(x: Array, y: Array) -> Array:
    """Return D(p‖q) of p = softmax(x) and q = softmax(y).

    It is Σ p ψ(w), w = log(q/p), a sum of positive terms. With m the likeliest outcome of p and
    t = (y − x) − (yₘ − xₘ), w = t − log(1 + Σ p (eᵗ − 1)): only differences of logits are taken. An error of
    the logarithm cancels to first order, as Σ(q − p) = 0.

    Parameters
    ----------
    x, y
        Logits, (..., k).

    Returns
    -------
    ndarray
        (...); inf where p has an outcome that q has not.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics import softmax_divergence
    >>> print(f"{softmax_divergence(np.array([40.0, 0.0]), np.array([-40.0, 0.0])):.12f}")
    40.000000000000
    """
    first, second = softmax(x), softmax(y)
    p, q = first.probabilities, second.probabilities
    shared = (x > -np.inf) & (y > -np.inf)
    t = _change(x, y, shared, first.mode)
    w = t - _log_growth(first, second, t, shared)
    near = np.abs(w) < 1
    terms = np.where(near, p * expm1x(np.where(near, w, 0.0)), q - p * (1 + w))
    total = np.sum(np.where(shared, terms, q), axis=-1)
    return np.where(np.any((x > -np.inf) & (y == -np.inf), axis=-1), np.inf, total)


def _change(x: Array, y: Array, shared: Mask, mode: NDArray[np.intp]) -> Array:
    """Return t, 0 where it is infinite."""
    high, low = difference(np.where(shared, y, 0.0), np.where(shared, x, 0.0))
    change, lost = difference(high, np.take_along_axis(high, mode, axis=-1))
    return np.where(shared, change + (lost + (low - np.take_along_axis(low, mode, axis=-1))), 0.0)


def _log_growth(first: Softmax, second: Softmax, t: Array, shared: Mask) -> Array:
    """Return log(1 + Σ p (eᵗ − 1)), which is log(pₘ/qₘ), by the one of the two that has the digits."""
    p_mode, q_mode = (
        np.take_along_axis(part.log_ratio, first.mode, axis=-1) - np.log1p(part.rest)
        for part in (first, second)
    )
    far = p_mode - q_mode
    near = (np.abs(far) < 0.5) & np.take_along_axis(shared, first.mode, axis=-1)
    small = shared & (t < 1)
    p, scaled = first.probabilities, second.probabilities * np.exp(np.where(near, far, 0.0))
    growth = np.where(small, p * np.expm1(np.where(small, t, 0.0)), scaled - p)
    total = np.sum(growth, axis=-1, keepdims=True)
    return np.where(near, np.log1p(np.where(near, total, 0.0)), far)
