"""Adaptive quadrature over the intervals that univariate densities live on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy.integrate import cubature

from kl_lib.divergence.distributions import Intervals
from kl_lib.numerics.bregman import legendre_rule
from kl_lib.types import Array

_MAX_SUBDIVISIONS = 50
# A distance from an end that is not 0 keeps half of its digits down to this part of the end.
_RESOLVED, _CLOSE = 2.0**-35, 2.0**-30
# Where a log density is that of a power, its slopes agree to this part.
_POWER = 1e-3
# Distances from an end that is 0 are those of floats down to this, and go on to e^{−_LAST}.
_SMALL, _LAST = 2.0**-1000, 2.0**17
# The start keeps this part of an interval away from its ends.
_SHARE = 0.125
# e to this power, or its inverse, is a float.
_FARTHEST = 700.0
# A term as small as this is the last that has not underflown.
_UNDERFLOWN = 1e-300

# Nodes and weights on a panel where a rule is fixed beforehand.
_RULE = legendre_rule(40)
# What a node adds to the mass and the variance at least, to be kept.
_NEGLIGIBLE = 1e-20

Density = Callable[[Array], Array]
# What is integrated or summed, dx included: x, (n,), the log densities, (m, n), how uncertain these are
# together, (n,), and log dx, (n,) → (k, n).
Terms = Callable[[Array, Array, Array, Array], Array]


@dataclass(frozen=True)
class Totals:
    """Integrals or sums, (k,), bounds of their errors, and of what lies beyond the last point."""

    value: Array
    error: Array
    rest: Array


def added(parts: Sequence[Totals]) -> Totals:
    """Return the totals of all parts."""
    value, error, rest = (np.sum([getattr(part, name) for part in parts], axis=0) for name in _NAMES)
    return Totals(value, error, rest)


_NAMES = ("value", "error", "rest")


@dataclass(frozen=True)
class _Half:
    """The half of an interval between `start` and `end`, on a scale u in [0, edges[-1]].

    A finite end is approached exponentially, x = end ∓ width·e^{−u}, so that a density that is singular
    there decays in u; an infinite one as start ± width·sinh u, so that heavy tails do. Beyond `resolved`,
    the floats near a finite end are too few: a log density goes on as a straight line in u, which that of a
    power of the distance is; where one does not, the half ends there.
    """

    start: float
    end: float
    width: float
    edges: Array
    resolved: float

    def nodes(self, u: Array) -> tuple[Array, Array, Array]:
        """Return x(u), log |dx/du|, and by how much u lies beyond that of the float x."""
        sign, log_width = np.sign(self.end - self.start), np.log(self.width)
        if np.isinf(self.end):
            x, log_dx = self.start + sign * self.width * np.sinh(u), log_width + np.log(np.cosh(u))
            return x, log_dx, np.zeros_like(u)
        x = self.end - sign * self.width * np.exp(-np.minimum(u, self.resolved))
        beyond = u - (log_width - np.log(np.abs(self.end - x)))
        # Far from the end, where its slope does not hold, that is rounding.
        return x, log_width - u, np.where(u > 0.5 * self.resolved, beyond, 0.0)

    def line(self, density: Density) -> tuple[float, float, float]:
        """Return the slope in u of a log density beyond `resolved`, its last bend, and how uncertain it is.

        The distance δ from the end bends the log density of a power of it by terms of the order of δ, which
        steps over log 2 show. Of what is no power all three are nan.
        """
        if self.resolved == np.inf:
            return 0.0, 0.0, 0.0
        logs = density(self.nodes(self.resolved - np.log(2) * np.arange(4))[0])
        steps = -np.diff(logs) / np.log(2)
        slope, before = 2 * steps[:-1] - steps[1:]
        if not abs(slope - before) <= _POWER * (1 + abs(slope)):
            return np.nan, np.nan, np.nan
        return slope, (slope - steps[0]) * np.log(2), abs(slope - before)

    def cut(self) -> _Half:
        """Return the half up to `resolved`."""
        return replace(self, edges=np.append(self.edges[self.edges < self.resolved], self.resolved))


def _half(start: float, end: float, spread: float, landmarks: Array) -> _Half:
    between = landmarks[(landmarks > min(start, end)) & (landmarks < max(start, end))]
    if np.isfinite(end):
        width = abs(end - start)
        last = _LAST
        inner = np.log(width) - np.log(np.abs(end - between))
        # At a power of 2, so that the end less it is exact.
        nearest = _RESOLVED * 2.0 ** np.ceil(np.log2(abs(end))) if end else _SMALL
        resolved = max(min(np.log(width) - np.log(nearest), _FARTHEST), 3 * np.log(2))
    else:
        width = spread
        last, resolved = min(np.arcsinh(1e300 / width), _FARTHEST), np.inf
        inner = np.arcsinh(np.abs(between - start) / width)
    edges = np.concatenate([[0.0, last], inner, 2.0 ** np.arange(18)])
    return _Half(start, end, width, np.unique(edges[edges <= last]), resolved)


def _halves(intervals: Intervals, center: float, spread: float, landmarks: Array) -> list[_Half]:
    """Cut each interval in two, at the centre if it lies inside."""
    halves = []
    for lower, upper in intervals:
        start = _inside(lower, upper, center, spread)
        halves += [_half(start, end, spread, landmarks) for end in (lower, upper)]
    return halves


def _inside(lower: float, upper: float, center: float, spread: float) -> float:
    """Return the centre, or the point closest to it that is not close to an end.

    Only towards an end are many scales seen: a pole at one of two must not lie behind the start.
    """
    least = _SHARE * (upper - lower) if np.isfinite(upper - lower) else spread
    first, last = (
        end + sign * (max(least, _CLOSE * abs(end)) if np.isfinite(end) else 0.0)
        for end, sign in ((lower, 1), (upper, -1))
    )
    return float(np.clip(center, first, last)) if first < last else 0.5 * (lower + upper)


def integrate(
    densities: Sequence[Density],
    terms: Terms,
    intervals: Intervals,
    landmarks: Array,
    center_and_spread: tuple[float, float],
    *,
    relative: float,
    absolute: float,
) -> Totals:
    """Integrate `terms` of log densities over the intervals.

    All panels between landmarks are mapped to [0, 1] and integrated as one sum, so that each call is
    vectorised.
    """
    halves, lines = _halves_and_lines(densities, intervals, landmarks, center_and_spread)
    widths = [np.diff(half.edges) for half in halves]

    def integrand(s: Array) -> Array:
        u = [half.edges[:-1] + s * width for half, width in zip(halves, widths, strict=True)]
        panels = _at_nodes(densities, terms, halves, lines, u, np.log(np.concatenate(widths)))
        return np.asarray(panels.sum(axis=-1).T)

    def of_half(i: int, u: Array) -> Array:
        one = slice(i, i + 1)
        return _at_nodes(densities, terms, halves[one], lines[one], [u[:, np.newaxis]], np.zeros(1))[..., 0]

    result = cubature(
        integrand, [0.0], [1.0], rtol=relative, atol=absolute, max_subdivisions=_MAX_SUBDIVISIONS
    )
    rests = [_rest(half, partial(of_half, i)) for i, half in enumerate(halves)]
    return Totals(result.estimate, result.error, np.sum(rests, axis=0))


def _halves_and_lines(
    densities: Sequence[Density],
    intervals: Intervals,
    landmarks: Array,
    center_and_spread: tuple[float, float],
) -> tuple[list[_Half], Array]:
    halves = _halves(intervals, *center_and_spread, landmarks)
    lines = np.array([[half.line(density) for density in densities] for half in halves])
    unknown = np.isnan(lines).any(axis=(1, 2))
    halves = [half.cut() if cut else half for half, cut in zip(halves, unknown, strict=True)]
    lines[unknown] = 0.0
    return halves, lines


def mass_terms(_x: Array, logs: Array, _doubt: Array, log_dx: Array) -> Array:
    """Give the density itself, and 0 where its formula ends in nan or is singular."""
    return np.asarray(np.nan_to_num(np.exp(logs + log_dx), nan=0.0, posinf=0.0))


def weighted_nodes(
    density: Density, intervals: Intervals, landmarks: Array, center_and_spread: tuple[float, float]
) -> tuple[Array, Array]:
    """Return points (n,) and weights (n,) so that Σ w f(x) is the mean of a smooth f under the density."""
    halves, lines = _halves_and_lines([density], intervals, landmarks, center_and_spread)
    edges = [np.union1d(half.edges, 0.5 * (half.edges[1:] + half.edges[:-1])) for half in halves]
    widths = [np.diff(part) for part in edges]
    u = [part[:-1] + _RULE[0] * width for part, width in zip(edges, widths, strict=True)]

    def terms(x: Array, logs: Array, doubt: Array, log_dx: Array) -> Array:
        return np.stack([x, mass_terms(x, logs[0], doubt, log_dx)])

    x, weights = _at_nodes([density], terms, halves, lines, u, np.log(np.concatenate(widths)))
    weights, (center, spread) = _RULE[1] * weights, center_and_spread
    kept = weights * (1 + ((x - center) / spread) ** 2) > _NEGLIGIBLE
    return x[kept], weights[kept]


def _at_nodes(
    densities: Sequence[Density],
    terms: Terms,
    halves: Sequence[_Half],
    lines: Array,
    u: Sequence[Array],
    log_du: Array,
) -> Array:
    """Return the terms at nodes u (n, panels) of each half, (k, n, all panels)."""
    nodes = [half.nodes(u_half) for half, u_half in zip(halves, u, strict=True)]
    x, log_dx, beyond = (np.concatenate(part, axis=1) for part in zip(*nodes, strict=True))
    panels = np.repeat(lines, [u_half.shape[1] for u_half in u], axis=0)
    slope, bend, doubt = np.moveaxis(panels, (2, 1), (0, 1))[:, :, np.newaxis]
    logs = np.stack([density(x.ravel()).reshape(x.shape) for density in densities])
    logs = logs + slope * beyond + bend * np.expm1(-beyond)
    doubts = np.sum(doubt * np.abs(beyond), axis=0)
    values = terms(x.ravel(), logs.reshape(len(logs), -1), doubts.ravel(), (log_dx + log_du).ravel())
    return values.reshape(-1, *x.shape)


def _rest(half: _Half, terms: Callable[[Array], Array]) -> Array:
    """Bound what lies beyond the last node that matters by an exponential; inf if the terms grow there."""
    rows = np.arange(len(terms(np.zeros(1))))

    def own(u: Array) -> Array:
        """Return each row of the terms at its own nodes, (rows, n) → (rows, n)."""
        values = terms(u.ravel()).reshape(rows.size, *u.shape)
        return np.abs(values[rows, rows])

    u = np.tile(np.linspace(0, half.edges[-1], 65), (rows.size, 1))
    for _ in range(3):
        matter = own(u) > 0
        last = np.where(matter.any(axis=1), np.max(np.where(matter, u, 0.0), axis=1), half.edges[-1])
        u = np.linspace(last, np.minimum(last + u[:, 1] - u[:, 0], half.edges[-1]), 65, axis=1)
    values = own(np.linspace(0.9 * last, last, 16, axis=1))
    # The largest of eight each: a term that changes sign, or is rounding alone, is 0 here and there.
    before, after = values.reshape(-1, 2, 8).max(axis=2).T
    decay, end = np.log(before / after) / (0.1 * last * 8 / 15), values[:, -1]
    return np.where((end <= _UNDERFLOWN) | (last == 0), 0.0, np.where(decay > 0, end / decay, np.inf))
