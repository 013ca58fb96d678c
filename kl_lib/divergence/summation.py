"""Sums over integers, few points or many, by a rule that takes a block of them at a few.

A block [a, a + m) of integers is long where its terms change slowly: as k^{−s} or as e^{−εk}. The sum of a
polynomial over it is known, so that a polynomial through a few of its points gives the sum of the terms.
Blocks that double in length reach the end of the floats after a thousand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.polynomial import chebyshev

from kl_lib.divergence.quadrature import Density, Terms, Totals, added
from kl_lib.divergence.univariate import Univariate
from kl_lib.types import Array

# Blocks of at most so many integers are summed one by one; longer ones at so many nodes.
_SHORT, _ORDER = 1024, 16
# So many blocks of twice the length each are taken at a time, until they add less than this part.
_BLOCKS, _NOTHING = 8, 1e-25
_DOUBLINGS = 1013
# Halving ends where so many blocks need it.
_MOST_BLOCKS = 1 << 12
# How many points the search for the likeliest one looks at.
_CLIMB = 64
_EPSILON = np.finfo(np.float64).eps

# The nodes and, for powers 0, 2, 4 and 6 of 2/m, the sums over a block of the Chebyshev polynomials,
# divided by m/2: Σ P = ∫ [P − h²P″/24 + 7h⁴P⁗/5760 − 31h⁶P⁽⁶⁾/967680 + …] over m steps h (the midpoint
# case of the Euler–Maclaurin formula).
_NODES = np.cos(np.pi * (np.arange(_ORDER) + 0.5) / _ORDER)
_COEFFICIENTS = (1.0, -1 / 24, 7 / 5760, -31 / 967680)


def _integral(j: int, order: int) -> float:
    """Return the integral over [−1, 1] of a derivative of the j-th Chebyshev polynomial."""
    unit = np.eye(_ORDER)[j]
    primitive = chebyshev.chebder(unit, order - 1) if order else chebyshev.chebint(unit)
    return float(chebyshev.chebval(1.0, primitive) - chebyshev.chebval(-1.0, primitive))


_MOMENTS = np.array([[c * _integral(j, 2 * i) for j in range(_ORDER)] for i, c in enumerate(_COEFFICIENTS)])


def sum_points(densities: Sequence[Density], terms: Terms, x: Array, log_weights: Array) -> Totals:
    """Sum `terms` of log densities over a few points."""
    rows = sum_rows(densities, terms, x, log_weights)
    return Totals(rows.sum(axis=-1), _EPSILON * np.abs(rows).sum(axis=-1), np.zeros(len(rows)))


def sum_rows(densities: Sequence[Density], terms: Terms, x: Array, log_weights: Array) -> Array:
    """Return the terms at the points, (k, n)."""
    return terms(x, np.stack([density(x) for density in densities]), np.zeros_like(x), log_weights)


def sum_integers(
    densities: Sequence[Density],
    terms: Terms,
    interval: tuple[float, float],
    centers: Sequence[float],
    *,
    relative: float,
    absolute: float,
) -> Totals:
    """Sum `terms` of log densities over the points of an interval that are integers apart.

    Blocks begin at each of the `centers`, points of the interval, and double from there.
    """
    summed = _Sum(densities, terms, relative, absolute)
    first, *others = np.unique(centers).tolist()
    last, (lower, upper) = first, interval
    rays = [(first - 1, -1.0, first - lower)]
    for center in others:
        above = np.ceil(0.5 * (center - last))
        rays += [(last, 1.0, above), (center - 1, -1.0, center - last - above)]
        last = center
    rays.append((last, 1.0, upper - last + 1))
    parts = [summed.one_way(*ray) for ray in rays if ray[2] > 0]
    total = added(parts)
    return replace(total, error=total.error + _EPSILON * np.abs(total.value))


@dataclass(frozen=True)
class _Sum:
    """What is summed, and the tolerance of the sum."""

    densities: Sequence[Density]
    terms: Terms
    relative: float
    absolute: float

    def one_way(self, start: float, sign: float, count: float) -> Totals:
        """Sum over `count` points outwards from `start`.

        What lies beyond the last block is bounded by the geometric series through the last two: doubling
        makes it so for power laws, and faster for anything lighter.
        """
        edges = np.concatenate([[0.0, _SHORT], _SHORT * 2.0 ** np.arange(1, _DOUBLINGS)])
        if finite := count <= edges[-1]:
            edges = np.append(edges[edges < count], count)
        value, error = self._blocks(start, sign, np.zeros(1), edges[1:2], np.zeros(()))
        total, last = value[:, 0], value[:, -1:]
        for i in range(1, edges.size - 1, _BLOCKS):
            here = edges[i : i + _BLOCKS + 1]
            value, lost = self._blocks(start, sign, here[:-1], np.diff(here), total)
            total, error, last = total + value.sum(axis=1), error + lost, np.hstack([last, value])[:, -2:]
            if np.all(np.abs(value).sum(axis=1) <= _NOTHING * np.abs(total)):
                break
        else:
            if finite:
                return Totals(total, error, np.zeros_like(total))
        ratio, end = np.abs(last[:, -1] / last[:, 0]), np.abs(last[:, -1])
        rest = np.where(ratio < 1, end * ratio / (1 - ratio), np.inf)
        return Totals(total, error, np.where(end == 0, 0.0, rest))

    def _blocks(self, start: float, sign: float, a: Array, m: Array, total: Array) -> tuple[Array, Array]:
        """Return the sums over blocks, (k, blocks), halved until they agree, and what they still miss."""
        owner, value = np.arange(a.size), self._by_rule(start, sign, a, m)
        sums, lost = np.zeros_like(value), np.zeros(len(value))
        while True:
            short = m <= _SHORT
            np.add.at(sums.T, owner[short], value[:, short].T)
            owner, a, m, value = owner[~short], a[~short], m[~short], value[:, ~short]
            if not a.size:
                return sums, lost
            near = np.floor(m / 2)
            parts_a, parts_m = np.stack([a, a + near]), np.stack([near, m - near])
            parts = self._by_rule(start, sign, parts_a.ravel(), parts_m.ravel()).reshape(-1, 2, a.size)
            both = parts.sum(axis=1)
            off = np.abs(value - both)
            scale = np.abs(total) + np.abs(sums).sum(axis=1) + np.abs(both).sum(axis=1)
            allowed = 0.01 * (self.relative * scale + self.absolute)
            # What is no number stays none.
            done = ~np.any(off > allowed[:, np.newaxis], axis=0) | (a.size > _MOST_BLOCKS)
            np.add.at(sums.T, owner[done], both[:, done].T)
            lost = lost + off[:, done].sum(axis=1)
            a, m, value = (x[..., ~done].reshape(*x.shape[:-2], -1) for x in (parts_a, parts_m, parts))
            owner = np.tile(owner[~done], 2)

    def _by_rule(self, start: float, sign: float, a: Array, m: Array) -> Array:
        """Return the sums over blocks, (k, blocks)."""
        short = m <= _SHORT
        steps = [first + np.arange(size) for first, size in zip(a[short], m[short], strict=True)]
        long_a, long_m = a[~short, np.newaxis], m[~short, np.newaxis]
        inner = np.rint(0.5 * (long_m - 1) * (1 + _NODES))
        weights = _weights((2 * inner + 1) / long_m - 1, long_m)
        step = np.concatenate([*steps, (long_a + inner).ravel()])
        log_weights = np.concatenate([np.zeros(sum(map(len, steps))), np.log(weights).ravel()])
        rows = sum_rows(self.densities, self.terms, start + sign * step, log_weights)
        ends = np.cumsum([*map(len, steps), *np.full(long_a.size, _ORDER)])
        sums = np.add.reduceat(rows, np.concatenate([[0], ends[:-1]]).astype(int), axis=1)
        ordered = np.empty_like(sums)
        ordered[:, np.concatenate([np.flatnonzero(short), np.flatnonzero(~short)])] = sums
        return ordered


def _weights(t: Array, m: Array) -> Array:
    """Return the weights, (blocks, n), of the nodes t on [−1, 1] in sums over m points."""
    sums = ((2 / m) ** (2 * np.arange(len(_COEFFICIENTS)))) @ _MOMENTS
    matrices = np.swapaxes(chebyshev.chebvander(t, _ORDER - 1), 1, 2)
    weights: Array = 0.5 * m * np.linalg.solve(matrices, sums[..., np.newaxis])[..., 0]
    return weights


def center(p: Univariate) -> float:
    """Return the likeliest point of a distribution on integers that rises and falls."""
    lower, upper = p.intervals[0]
    middle = p.offset + np.rint(p.mean - p.offset) if np.isfinite(p.mean) else p.offset
    powers = 2.0 ** np.arange(_CLIMB)
    grid = np.concatenate(
        [[middle], middle - powers, middle + powers, lower - 1 + powers, upper + 1 - powers]
    )
    grid = np.unique(grid[np.isfinite(grid) & (grid >= lower) & (grid <= upper)])
    while True:
        best = int(np.argmax(np.nan_to_num(p.log_density(grid), nan=-np.inf)))
        left, right = grid[max(best - 1, 0)], grid[min(best + 1, grid.size - 1)]
        if right - left <= _CLIMB:
            return float(grid[best])
        grid = np.unique(p.offset + np.rint(np.linspace(left, right, _CLIMB) - p.offset))
