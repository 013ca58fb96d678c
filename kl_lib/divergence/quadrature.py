"""Adaptive quadrature over the support of a univariate density, and sums over that of a discrete one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.integrate import cubature

from kl_lib.divergence.univariate import Univariate
from kl_lib.types import Array

_MAX_SUBDIVISIONS = 50
# How many points of a sum are taken at a time: doubling from the first to the last.
_FIRST_BLOCK, _LAST_BLOCK = 256, 1 << 18
_TINY = np.finfo(np.float64).tiny
_EPSILON = np.finfo(np.float64).eps

# Integrands, dx included: x (n,), log dx (n,) → (k, n). Row 0 is the density, row 1 what is sought.
Terms = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class _Half:
    """The half of an interval between `start` and `end`, on a scale u in [0, edges[-1]].

    A finite end is approached exponentially, x = end ∓ width·e^{−u}, so that a density that is singular
    there decays in u; an infinite one as start ± width·sinh u, so that heavy tails do.
    """

    start: float
    end: float
    width: float
    edges: Array

    def nodes(self, u: Array) -> tuple[Array, Array]:
        """Return x(u) and log |dx/du|."""
        sign = np.sign(self.end - self.start)
        if np.isfinite(self.end):
            return self.end - sign * self.width * np.exp(-u), np.log(self.width) - u
        return self.start + sign * self.width * np.sinh(u), np.log(self.width) + np.log(np.cosh(u))


def _half(start: float, end: float, spread: float, landmarks: Array) -> _Half:
    between = landmarks[(landmarks > min(start, end)) & (landmarks < max(start, end))]
    if np.isfinite(end):
        width = abs(end - start)
        last = np.log(width) - np.log(max(4 * _EPSILON * abs(end), _TINY))
        inner = np.log(width) - np.log(np.abs(end - between))
    else:
        width = spread
        last = min(np.arcsinh(1e300 / width), 700.0)
        inner = np.arcsinh(np.abs(between - start) / width)
    edges = np.concatenate([[0.0, last], inner, 2.0 ** np.arange(10)])
    return _Half(start, end, width, np.unique(edges[edges <= last]))


def _halves(p: Univariate, landmarks: Array) -> list[_Half]:
    """Cut each interval that p lives on in two, at the median if it lies inside."""
    median, spread = p.median_and_spread
    spread = spread if 0 < spread < np.inf else 1.0
    halves = []
    for lower, upper in p.intervals:
        start = median if lower < median < upper else _inside(lower, upper, spread)
        halves += [_half(start, end, spread, landmarks) for end in (lower, upper)]
    return halves


def _inside(lower: float, upper: float, spread: float) -> float:
    """Return a point between the ends, one of which is finite."""
    if np.isfinite(lower) and np.isfinite(upper):
        return 0.5 * (lower + upper)
    return lower + spread if np.isfinite(lower) else upper - spread


def integrate(
    p: Univariate, terms: Terms, landmarks: Array, *, relative: float, absolute: float
) -> tuple[Array, Array]:
    """Integrate `terms` over the support of p; return the integrals and bounds of their errors.

    All panels between landmarks are mapped to [0, 1] and integrated as one sum, so that each call is
    vectorised.
    """
    halves = _halves(p, landmarks)

    def integrand(s: Array) -> Array:
        u = [half.edges[:-1] + s * np.diff(half.edges) for half in halves]
        nodes = [half.nodes(u_half) for half, u_half in zip(halves, u, strict=True)]
        x = np.concatenate([x_half for x_half, _ in nodes], axis=1)
        log_du = np.log(np.concatenate([np.diff(half.edges) for half in halves]))
        log_dx = np.concatenate([log_dx_half for _, log_dx_half in nodes], axis=1) + log_du
        values: Array = terms(x.ravel(), log_dx.ravel()).reshape(-1, *x.shape).sum(axis=-1)
        return values.T

    with np.errstate(all="ignore"):
        result = cubature(
            integrand, [0.0], [1.0], rtol=relative, atol=absolute, max_subdivisions=_MAX_SUBDIVISIONS
        )
        remainder = sum(_remainder(half, terms) for half in halves)
    return result.estimate, result.error + remainder


def _remainder(half: _Half, terms: Terms) -> Array:
    """Bound what lies beyond the last node that matters by an exponential; inf if the terms grow there."""
    rows = np.arange(len(terms(*half.nodes(np.zeros(1)))))

    def own(u: Array) -> Array:
        """Return each row of the terms at its own nodes, (rows, n) → (rows, n)."""
        x, log_dx = half.nodes(u)
        values = terms(x.ravel(), log_dx.ravel()).reshape(rows.size, *u.shape)
        return np.abs(values[rows, rows])

    u = np.tile(np.linspace(0, half.edges[-1], 65), (rows.size, 1))
    for _ in range(3):
        matter = own(u) > 0
        last = np.where(matter.any(axis=1), np.max(np.where(matter, u, 0.0), axis=1), half.edges[-1])
        u = np.linspace(last, np.minimum(last + u[:, 1] - u[:, 0], half.edges[-1]), 65, axis=1)
    values = own(np.linspace(0.9 * last, last, 16, axis=1))
    # The largest of eight each: a term that changes sign, or is rounding alone, is 0 here and there.
    before, after = values.reshape(-1, 2, 8).max(axis=2).T
    decay, end = np.log(before / after) / (0.05 * last), values[:, -1]
    return np.where(end == 0, 0.0, np.where(decay > 0, end / decay, np.inf))


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
