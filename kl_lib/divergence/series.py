"""Sums over the points of a discrete distribution."""

from __future__ import annotations

import numpy as np

from kl_lib.divergence.quadrature import Terms
from kl_lib.divergence.univariate import Univariate
from kl_lib.types import Array

_EPSILON = np.finfo(np.float64).eps
_FIRST_BLOCK = 256
_LAST_BLOCK = 1 << 18


def summate(p: Univariate, terms: Terms, *, relative: float, absolute: float) -> tuple[Array, Array]:
    """Sum `terms` over the points of p; return the sums and bounds of their errors."""
    with np.errstate(all="ignore"):
        if p.atoms is not None:
            rows = terms(p.atoms, np.zeros_like(p.atoms))
            return rows.sum(axis=-1), _EPSILON * np.abs(rows).sum(axis=-1)
        lower, upper = p.intervals[0]
        median = float(p.quantile(np.asarray(0.5)))
        above, above_error = _one_way(terms, median, upper, 1.0, relative, absolute)
        below, below_error = _one_way(terms, median - 1, lower, -1.0, relative, absolute)
    return above + below, above_error + below_error


def _one_way(
    terms: Terms, start: float, end: float, step: float, relative: float, absolute: float
) -> tuple[Array, Array]:
    """Sum from `start` to `end` in blocks that double, until what is left is small.

    What is left is bounded by the geometric series through the last two blocks: doubling makes it so
    for power laws, and faster for anything lighter.
    """
    total = previous = rest = np.zeros(())
    size = _FIRST_BLOCK
    while step * (end - start) >= 0:
        x = start + step * np.arange(min(size, step * (end - start) + 1))
        block = terms(x, np.zeros_like(x)).sum(axis=-1)
        total = total + block
        ratio = np.abs(block / previous)
        rest = np.where(block == 0, 0.0, np.where(ratio < 1, np.abs(block) * ratio / (1 - ratio), np.inf))
        if size == _LAST_BLOCK or np.all(rest <= relative * np.abs(total) + absolute):
            break
        start, previous, size = start + step * size, block, 2 * size
    else:
        rest = np.zeros(())
    return total, rest + _EPSILON * np.abs(total)
