"""One scalar univariate distribution out of an array of them, whatever SciPy calls its methods."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from scipy import stats
from scipy.special import ndtri
from scipy.stats.distributions import rv_frozen

from kl_lib import scipy_adapter
from kl_lib.divergence.distributions import (
    Distribution,
    Intervals,
    beyond,
    on_lattice,
    read_distribution,
    shape_names,
    table_logits,
    union,
)
from kl_lib.numerics import log_softmax
from kl_lib.numerics.log_densities import CORNERS, ENDS, LOG_DENSITIES
from kl_lib.types import Array, Mask

Function = Callable[[Array], Array]

# Where a density of median 0 and interquartile range 1 may change its course.
_LANDMARKS = np.array([-30.0, -8.0, -3.0, -1.0, -0.25, 0.0, 0.25, 1.0, 3.0, 8.0, 30.0])
# Landmarks closer than this, in interquartile ranges, say the same.
_SAME = 0.2
# So many densities of the components of a mixture are held at a time.
_BLOCK = 1 << 18


@dataclass(frozen=True)
class Univariate:
    """A scalar distribution, as quadrature and sums need it.

    `label` names it in messages. `log_density` is the log of the density, or of the mass. `intervals` are the
    disjoint intervals it lives on, in order; `size` is that of the number that was added to make their ends,
    which says how these were rounded. `breaks` are further points where the density jumps; with `steps` it is
    constant between them. At `corners` within it has a corner or a pole. `parts` are the components of a
    mixture. A discrete distribution lives on `points`, or on the integers, moved by `offset`, of its
    interval.
    """

    label: str
    log_density: Function
    quantile: Function
    intervals: Intervals
    discrete: bool
    size: float = 0.0
    parts: tuple[Univariate, ...] = ()
    breaks: Array = field(default_factory=lambda: np.empty(0))
    corners: Array = field(default_factory=lambda: np.empty(0))
    steps: bool = False
    points: Array | None = None
    offset: float = 0.0
    mean: float = 0.0

    @cached_property
    def median_and_spread(self) -> tuple[float, float]:
        """The median and the interquartile range, or 0 and 1 where SciPy does not find them."""
        if self.parts:
            medians, spreads = np.transpose([part.median_and_spread for part in self.parts])
            return float(np.median(medians)), float(np.ptp(medians) + np.max(spreads))
        try:
            low, median, high = self.quantile(np.array([0.25, 0.5, 0.75]))
        except (ArithmeticError, ValueError, RuntimeError):  # of a density that is not normalised
            return 0.0, 1.0
        spread = float(high) - float(low)
        return float(median) if np.isfinite(median) else 0.0, spread if 0 < spread < np.inf else 1.0

    def landmarks(self) -> Array:
        """Return the points between which the density is smooth, or at least changes little."""
        points, gaps = self._landmarks_and_gaps()
        order, kept = np.argsort(points), [-np.inf]
        for point, gap in zip(points[order], gaps[order], strict=True):
            if point - kept[-1] > gap:
                kept.append(point)
        return np.array(kept[1:])

    def _landmarks_and_gaps(self) -> tuple[Array, Array]:
        """Return landmarks, and how far from the one before it each must be to be of use."""
        if self.parts:
            both = [np.stack(part._landmarks_and_gaps()) for part in self.parts]
            together = np.concatenate(both, axis=1)
            return together[0], together[1]
        median, spread = self.median_and_spread
        jumps = np.concatenate([np.ravel(self.intervals), self.breaks, self.corners])
        points = np.concatenate([median + spread * _LANDMARKS, jumps[np.isfinite(jumps)]])
        gaps = _SAME * spread * np.maximum(1.0, np.abs(_LANDMARKS))
        return points, np.append(gaps, np.zeros(points.size - gaps.size))

    def corners_and_poles(self) -> Array:
        """Return the corners, and the ends where the density may be singular: corners of a mixture of it."""
        ends = np.ravel(self.intervals)
        ends = ends[np.isfinite(ends)]
        return np.append(self.corners, ends[~(self.log_density(ends) < np.inf)])

    def has(self, x: Array) -> Mask:
        """Return which points a discrete distribution lives on, but for rounding."""
        if self.points is not None:
            return np.asarray(~beyond(np.abs(x - self.points[self.nearest(x)]), x, self.size))
        lower, upper = self.intervals[0]
        return np.asarray((x > lower - 0.5) & (x < upper + 0.5) & on_lattice(x - self.offset, x, self.size))

    def nearest(self, x: Array) -> Any:
        """Return which of `points` is the nearest to each x."""
        assert self.points is not None
        above = np.clip(np.searchsorted(self.points, x), 1, max(self.points.size - 1, 1))
        below = above - 1
        above = np.minimum(above, self.points.size - 1)
        return np.where(x - self.points[below] <= self.points[above] - x, below, above)


def univariate(p: Distribution, index: tuple[int, ...], origin: float = 0.0) -> Univariate:
    """Return p at one index of its parameters, moved by −origin if it is a frozen distribution."""
    if isinstance(p.source, stats.gaussian_kde):
        return _kernel_density(p)
    if isinstance(p.source, stats.Mixture):
        kept, weights = _weighted(p)
        components = [read_distribution(p.label, p.source.components[i]) for i in kept]
        parts = [univariate(component, component.own_index(index)) for component in components]
        return _mixture(_named(p), parts, weights)
    return _frozen(p, index, origin) if isinstance(p.source, rv_frozen) else _newer(p, index)


def _named(p: Distribution) -> str:
    return f"{p.label} = {p.name}"


def _frozen(p: Distribution, index: tuple[int, ...], origin: float) -> Univariate:
    """Rebuild p at one index, with scalar parameters."""
    loc = p.parameter_at("loc", index)
    size = abs(loc) + abs(origin)
    if p.name == "rv_discrete":
        return _given_points(p, p.parameters.xk + loc, origin, size)
    shapes = [p.parameter_at(name, index) for name in vars(p.parameters) if name not in ("loc", "scale")]
    of_scipy: Any = shapes if len(shapes) == len(shape_names(p.source.dist)) else [shapes]
    if p.kind == "discrete":
        # A scalar one of a family keeps its own logarithms.
        source = p.source if p.shape == () and loc == 0 else p.source.dist(*of_scipy)
        scalar = _with_formulas(p, _adapted(p, source, "ppf", size), shapes)
        return _on_integers(scalar, loc - origin, size)
    place = {"loc": loc - origin, "scale": p.parameter_at("scale", index)}
    scalar = _with_formulas(p, _adapted(p, p.source.dist(*of_scipy, **place), "ppf", size), shapes, **place)
    if p.name == "vonmises":
        # Periodic on the whole line; this is where SciPy draws from.
        reach = np.pi * place["scale"] if place["scale"] < 1 else np.inf
        ends = max(-np.pi - origin, place["loc"] - reach), min(np.pi - origin, place["loc"] + reach)
        return replace(scalar, intervals=[ends])
    if isinstance(p.source.dist, stats.rv_histogram):
        return _with_bins(scalar, p.source.dist, **place)
    return scalar


def _newer(p: Distribution, index: tuple[int, ...]) -> Univariate:
    """Return one of SciPy's newer random variables at one index of its parameters."""
    size = scipy_adapter.shift(p.source)
    scalar = _adapted(p, p.source, "icdf", size, p.own_index(index))
    if not vars(p.parameters):
        return scalar
    others = ("loc", "scale", "scale_lost")
    shapes = [p.parameter_at(name, index) for name in vars(p.parameters) if name not in others]
    place = {name: p.parameter_at(name, index) for name in ("loc", "scale") if name in vars(p.parameters)}
    scalar = _with_formulas(p, scalar, shapes, **place)
    return _on_integers(scalar, 0.0, size) if p.kind == "discrete" else scalar


def _adapted(
    p: Distribution, source: Any, quantile: str, size: float, index: tuple[int, ...] = ()
) -> Univariate:
    """Return SciPy's `source` at one index of its parameters; `quantile` is what it calls its quantiles."""
    chosen_index: Any = (..., *index)

    def adapted(name: str) -> Function:
        method = getattr(source, name)

        def function(x: Array) -> Array:
            with _quiet():
                values = method(np.reshape(x, np.shape(x) + (1,) * len(index)))
            chosen: Array = np.asarray(values, dtype=np.float64)[chosen_index]
            return chosen

        return function

    discrete = p.kind == "discrete"
    log_density = adapted("logpmf" if discrete else "logpdf")
    lower, upper = (float(np.asarray(end)[index]) for end in source.support())
    mean = 0.0
    if discrete:
        if log_density(np.asarray(lower)) >= 0 and log_density(np.asarray(lower + 1)) == -np.inf:
            upper = lower  # as of stats.geom(1)
        with _quiet():
            mean = float(np.asarray(source.mean())[index])
    steps = p.name == "uniform"
    return Univariate(
        _named(p), log_density, adapted(quantile), [(lower, upper)], discrete, size, steps=steps, mean=mean
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Let SciPy's formulas overflow in the far tails, where the weight is 0, and say nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _with_formulas(
    p: Distribution, scalar: Univariate, shapes: list[float], loc: float = 0.0, scale: float = 1.0
) -> Univariate:
    """Take our own logarithm of the density where there is one, the corners that it has, and its own ends."""
    formula, corners, ends = LOG_DENSITIES.get(p.name), CORNERS.get(p.name), ENDS.get(p.name)
    if corners is not None:
        scalar = replace(scalar, corners=loc + scale * np.ravel(corners(*shapes)))
    if ends is not None:
        lower, upper = (float(loc + scale * end) for end in ends(*shapes))
        scalar = replace(scalar, intervals=[(lower, upper)])
    if formula is None:
        return scalar
    lower, upper = scalar.intervals[0]
    whole, log_scale = (lower, upper) == (-np.inf, np.inf), np.log(scale)

    def log_density(x: Array) -> Array:
        values = formula((x - loc) / scale, *shapes) - log_scale
        return values if whole else np.where((x >= lower) & (x <= upper), values, -np.inf)

    return replace(scalar, log_density=log_density)


def _on_integers(scalar: Univariate, loc: float, size: float) -> Univariate:
    """Move a distribution on the integers by `loc`, an integer if but rounding keeps it from being one."""
    loc = float(np.rint(loc)) if on_lattice(loc, size) else loc
    whole = float(np.floor(loc))
    offset = loc - whole
    (lower, upper) = scalar.intervals[0]

    def log_density(x: Array) -> Array:
        values = scalar.log_density(np.rint(x - offset) - whole)
        return np.where(on_lattice(x - offset, x, size), values, -np.inf)

    moved = [(lower + loc, upper + loc)]
    return replace(
        scalar, log_density=log_density, intervals=moved, offset=offset, size=size, mean=scalar.mean + loc
    )


def _with_bins(scalar: Univariate, histogram: Any, loc: float, scale: float) -> Univariate:
    """Take each bin of a histogram that is not empty as an interval."""
    edges, density = scipy_adapter.histogram_bins(histogram)
    edges, full = loc + scale * edges, density > 0
    bins = list(zip(edges[:-1][full], edges[1:][full], strict=True))
    return replace(scalar, intervals=union(bins, 0.0), breaks=edges, steps=True)


def _given_points(p: Distribution, points: Array, origin: float, size: float) -> Univariate:
    """Take probabilities as they were given; these stand for themselves over their sum.

    Points that SciPy's sum of xk and loc makes one share their probabilities.
    """
    given = log_softmax(table_logits(p.parameters))
    points, place = np.unique(points[given > -np.inf], return_inverse=True)
    logs = np.full(points.size, -np.inf)
    np.logaddexp.at(logs, place, given[given > -np.inf])
    scalar = Univariate(_named(p), np.log, np.log, [], True, size, points=points - origin)

    def log_density(x: Array) -> Array:
        return np.where(scalar.has(x), logs[scalar.nearest(x)], -np.inf)

    return replace(scalar, log_density=log_density)


def _mixture(
    label: str, parts: list[Univariate], weights: Array, log_densities: Function | None = None
) -> Univariate:
    """Return the mixture of the components, all of which have a weight.

    `log_densities` maps x, (n,), to those of the components, (k, n).
    """
    of_parts = log_densities or (lambda x: np.array([part.log_density(x) for part in parts]))
    logs = np.log(weights / np.sum(weights))[:, np.newaxis]

    def log_density(x: Array) -> Array:
        flat = np.ravel(x)
        blocks = np.array_split(flat, flat.size * len(parts) // _BLOCK + 1)
        return np.concatenate([of_block(block) for block in blocks]).reshape(np.shape(x))

    def of_block(x: Array) -> Array:
        rows = logs + of_parts(x)
        highest = np.max(rows, axis=0)
        sums: Array = highest + np.log(np.sum(np.exp(rows - highest), axis=0))
        return np.where(np.isfinite(highest), sums, highest)

    size = max(part.size for part in parts)
    intervals = [interval for part in parts for interval in part.intervals]
    return Univariate(
        label,
        log_density,
        np.log,
        union(intervals, size),
        False,
        size,
        parts=tuple(parts),
        breaks=np.concatenate([np.ravel(intervals), *(part.breaks for part in parts)]),
        corners=np.concatenate([part.corners_and_poles() for part in parts]),
        steps=all(part.steps for part in parts),
    )


def _kernel_density(p: Distribution) -> Univariate:
    """Return a stats.gaussian_kde in one dimension as the mixture of normals that it is."""
    kept, weights = _weighted(p)
    scale, means = float(np.sqrt(p.source.covariance[0, 0])), p.source.dataset[0][kept]
    log_densities = partial(_log_normal, mean=means[:, np.newaxis], scale=scale)
    return _mixture(_named(p), [_normal(float(mean), scale) for mean in means], weights, log_densities)


def _weighted(p: Distribution) -> tuple[Any, Array]:
    """Return which components of a mixture have any weight, and their weights."""
    kept = np.flatnonzero(p.source.weights > 0)
    return kept, np.asarray(p.source.weights[kept], dtype=np.float64)


def _log_normal(x: Array, mean: float | Array, scale: float) -> Array:
    return np.asarray(LOG_DENSITIES["norm"]((x - mean) / scale) - np.log(scale))


def _normal(mean: float, scale: float) -> Univariate:
    def quantile(u: Array) -> Array:
        return np.asarray(mean + scale * ndtri(u))

    log_density = partial(_log_normal, mean=mean, scale=scale)
    return Univariate("normal", log_density, quantile, [(-np.inf, np.inf)], False)
