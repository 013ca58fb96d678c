"""One scalar univariate distribution out of an array of them, whatever SciPy calls its methods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy import stats
from scipy.stats.distributions import rv_frozen

from kl_lib import scipy_adapter
from kl_lib.divergence.distributions import Distribution, shape_names, table_logits
from kl_lib.numerics import log_softmax
from kl_lib.types import Array

Function = Callable[[Array], Array]
Intervals = list[tuple[float, float]]

# Where a density of median 0 and interquartile range 1 may change its course.
_LANDMARKS = np.array([-30.0, -8.0, -3.0, -1.0, -0.25, 0.0, 0.25, 1.0, 3.0, 8.0, 30.0])
# A finite support of more points than this is summed from the median outwards.
_MOST_ATOMS = 1 << 16


@dataclass(frozen=True)
class Univariate:
    """A scalar distribution, as quadrature and sums need it.

    `log_density` is the log of the density, or of the mass. `intervals` are the disjoint intervals the
    distribution lives on, in order, `breaks` further points where the density jumps, and `parts` the
    components of a mixture. A discrete distribution of few points has them in `atoms`.
    """

    log_density: Function
    cdf: Function
    survival: Function
    quantile: Function
    intervals: Intervals
    discrete: bool
    parts: tuple[Univariate, ...] = ()
    atoms: Array | None = None
    breaks: Array = field(default_factory=lambda: np.empty(0))

    @property
    def median_and_spread(self) -> tuple[float, float]:
        """The median and the interquartile range."""
        low, median, high = self.quantile(np.array([0.25, 0.5, 0.75]))
        return float(median), float(high - low)

    def landmarks(self) -> Array:
        """Return the points between which the density is smooth, or at least changes little."""
        if self.parts:
            return np.concatenate([part.landmarks() for part in self.parts])
        median, spread = self.median_and_spread
        return np.concatenate([median + spread * _LANDMARKS, np.ravel(self.intervals), self.breaks])


def univariate(p: Distribution, index: tuple[int, ...], origin: float = 0.0) -> Univariate:
    """Return p at one index of its parameters, moved by −origin if it is a frozen distribution."""
    density = "logpdf" if p.kind == "continuous" else "logpmf"
    if isinstance(p.source, rv_frozen):
        scalar = _adapted(_frozen_at(p, index, origin), (density, "cdf", "sf", "ppf"))
        if isinstance(p.source.dist, stats.rv_histogram):
            return _with_bins(
                scalar, p.source.dist, p.parameter_at("loc", index) - origin, p.parameter_at("scale", index)
            )
        if p.name == "rv_discrete":
            points = p.parameters.xk + p.parameter_at("loc", index)
            return _with_given_atoms(scalar, points, log_softmax(table_logits(p.parameters)))
    else:
        names = (density, "cdf", "ccdf", "icdf")
        parts = tuple(_adapted(part, names) for part in _components(p.source))
        scalar = _adapted(p.source, names, parts, p.own_index(index))
    return scalar if p.kind == "continuous" else _with_atoms(scalar)


def _components(source: Any) -> list[Any]:
    """Return the components of a mixture that have any weight."""
    if not isinstance(source, stats.Mixture):
        return []
    return [part for part, weight in zip(source.components, source.weights, strict=True) if weight > 0]


def _frozen_at(p: Distribution, index: tuple[int, ...], origin: float) -> Any:
    """Return p at one index, with scalar parameters."""
    if p.shape == () and origin == 0:
        return p.source
    others = ("xk", "pk", "loc", "scale")
    shapes: list[Any] = [p.parameter_at(name, index) for name in vars(p.parameters) if name not in others]
    if len(shapes) != len(shape_names(p.source.dist)):
        shapes = [shapes]
    place = {
        name: p.parameter_at(name, index)
        for name in (("loc", "scale") if p.kind == "continuous" else ("loc",))
    }
    place["loc"] -= origin
    return p.source.dist(*shapes, **place)


def _adapted(
    source: Any,
    names: tuple[str, str, str, str],
    parts: tuple[Univariate, ...] = (),
    index: tuple[int, ...] = (),
) -> Univariate:
    """Return SciPy's `source` with its methods of these names, at one index of its parameters."""
    chosen_index: Any = (..., *index)

    def adapted(name: str) -> Function:
        method = getattr(source, name)

        def function(x: Array) -> Array:
            # SciPy's formulas overflow in the far tails, where the weight is 0.
            with np.errstate(all="ignore"):
                values = method(np.reshape(x, np.shape(x) + (1,) * len(index)))
            chosen: Array = np.asarray(values, dtype=np.float64)[chosen_index]
            return chosen

        return function

    lower, upper = (float(np.asarray(end)[index]) for end in source.support())
    intervals = _union(parts) if parts else [(lower, upper)]
    log_density, cdf, survival, quantile = map(adapted, names)
    return Univariate(log_density, cdf, survival, quantile, intervals, names[0] == "logpmf", parts)


def _union(parts: tuple[Univariate, ...]) -> Intervals:
    """Return the union of the intervals of `parts`, those that touch merged."""
    union: Intervals = []
    for lower, upper in sorted(interval for part in parts for interval in part.intervals):
        if union and lower <= union[-1][1]:
            union[-1] = (union[-1][0], max(union[-1][1], upper))
        else:
            union.append((lower, upper))
    return union


def _with_bins(scalar: Univariate, histogram: Any, loc: float, scale: float) -> Univariate:
    """Take each bin of a histogram that is not empty as a component."""
    edges, density = scipy_adapter.histogram_bins(histogram)
    edges, full = loc + scale * edges, density > 0
    bins = [
        replace(scalar, intervals=[bounds]) for bounds in zip(edges[:-1][full], edges[1:][full], strict=True)
    ]
    return replace(scalar, intervals=_union(tuple(bins)), breaks=edges)


def _with_atoms(scalar: Univariate) -> Univariate:
    """List the points of a discrete distribution that has few."""
    lower, upper = scalar.intervals[0]
    if not np.isfinite(lower):
        return scalar
    if scalar.survival(np.asarray(lower)) == 0 and scalar.log_density(np.asarray(lower + 1)) == -np.inf:
        upper = lower
    if upper - lower >= _MOST_ATOMS:
        return scalar
    atoms = np.arange(lower, upper + 1)
    return replace(scalar, atoms=atoms[scalar.log_density(atoms) > -np.inf])


def _with_given_atoms(scalar: Univariate, points: Array, log_masses: Array) -> Univariate:
    """Take points and the logs of their probabilities as they were given."""
    atoms, logs = (side[log_masses > -np.inf] for side in (points, log_masses))

    def log_density(x: Array) -> Array:
        place = np.minimum(np.searchsorted(atoms, x), atoms.size - 1)
        return np.where(atoms[place] == x, logs[place], -np.inf)

    return replace(scalar, atoms=atoms, log_density=log_density)
