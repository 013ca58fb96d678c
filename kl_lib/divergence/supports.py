"""Where univariate distributions live, decided by more than the last bits that SciPy's arithmetic leaves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kl_lib.types import Array, Mask

# Disjoint, in order.
Intervals = list[tuple[float, float]]

# Of the numbers that an end is computed from: the most that the rounding of loc + scale·x makes of it.
_ROUNDING = 4 * np.finfo(np.float64).eps


def beyond(excess: Array | float, *sizes: Array | float) -> Mask:
    """Return where one end lies beyond another by more than the rounding of numbers of these sizes."""
    rounding = _ROUNDING * sum(np.abs(size) for size in sizes)
    return np.asarray(np.isposinf(excess) | (np.asarray(excess) > rounding), dtype=bool)


def on_lattice(step: Array | float, *sizes: Array | float) -> Mask:
    """Return where a step is an integer but for the rounding of numbers of these sizes."""
    off = np.abs(np.asarray(step) - np.rint(step))
    return np.asarray((off < 0.25) & ~beyond(off, step, *sizes))


def union(intervals: Sequence[tuple[float, float]], size: float) -> Intervals:
    """Return the union of intervals, those that touch merged."""
    merged: Intervals = []
    for lower, upper in sorted(intervals):
        if merged and not beyond(lower - merged[-1][1], lower, size):
            merged[-1] = (merged[-1][0], max(merged[-1][1], upper))
        else:
            merged.append((lower, upper))
    return merged


def common(inner: Intervals, outer: Intervals, size: float) -> Intervals | None:
    """Return `inner` less what rounding alone puts outside `outer`; None if there is more outside."""
    cut = []
    for a, b in inner:
        hosts = [
            (c, d)
            for c, d in outer
            if (c <= a or not beyond(c - a, a, c, size)) and (b <= d or not beyond(b - d, b, d, size))
        ]
        if not hosts:
            return None
        cut.append((max(a, hosts[0][0]), min(b, hosts[0][1])))
    return cut


def without(outer: Intervals, inner: Intervals, size: float, step: float = 0.0) -> Intervals:
    """Return `outer` less `inner`, and less the slivers that rounding leaves.

    Intervals of integers, whose `step` is 1, hold both of their ends.
    """
    rest = list(outer)
    for a, b in inner:
        pieces = [((c, min(d, a - step)), (max(c, b + step), d)) for c, d in rest]
        rest = [(c, d) for pair in pieces for c, d in pair if beyond(d - c + step, c, d, size)]
    return rest
