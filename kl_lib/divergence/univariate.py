"""One scalar univariate distribution out of an array of them, whatever SciPy calls its methods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats
from scipy.stats.distributions import rv_frozen

from kl_lib.divergence.distributions import Distribution
from kl_lib.validation import Array

Function = Callable[[Array], Array]
Intervals = list[tuple[float, float]]

_FROZEN = ("ppf", "sf")
_NEWER = ("icdf", "ccdf")
# Where a density of median 0 and interquartile range 1 may change its course.
_LANDMARKS = np.array([-30.0, -8.0, -3.0, -1.0, -0.25, 0.0, 0.25, 1.0, 3.0, 8.0, 30.0])


@dataclass(frozen=True)
class Univariate:
    """A scalar distribution, as quadrature and sums need it.

    `log_density` is the log of the density or of the mass function; `intervals` are the disjoint
    intervals it lives on, in order; `parts` the components of a mixture.
    """

    log_density: Function
    cdf: Function
    survival: Function
    quantile: Function
    intervals: Intervals
    parts: tuple[Univariate, ...] = ()

    @property
    def center(self) -> tuple[float, float]:
        """The median and the interquartile range."""
        low, median, high = self.quantile(np.array([0.25, 0.5, 0.75]))
        return float(median), float(high - low)

    def landmarks(self) -> Array:
        """Return the points between which the density is smooth, or at least changes little."""
        if self.parts:
            return np.concatenate([part.landmarks() for part in self.parts])
        median, spread = self.center
        return np.concatenate([median + spread * _LANDMARKS, np.ravel(self.intervals)])


def univariate(p: Distribution, index: tuple[int, ...], origin: float = 0.0) -> Univariate:
    """Return entry `index` of p, moved by −origin if it is a frozen distribution."""
    if isinstance(p.source, rv_frozen):
        return _methods(_frozen_entry(p, index, origin), p.kind, _FROZEN)
    if isinstance(p.source, stats.Mixture):
        parts = tuple(
            _methods(component, p.kind, _NEWER)
            for component, weight in zip(p.source.components, p.source.weights, strict=True)
            if weight > 0
        )
        return _methods(p.source, p.kind, _NEWER, parts)
    return _methods(p.source, p.kind, _NEWER, index=p.own_index(index))


def _frozen_entry(p: Distribution, index: tuple[int, ...], origin: float) -> Any:
    """Rebuild entry `index` with scalar parameters."""
    scalars = {name: p.entry(name, index) for name in vars(p.parameters)}
    scalars["loc"] -= origin
    if p.kind == "discrete":
        del scalars["scale"]
    return p.source.dist(**scalars)


def _methods(
    source: Any,
    kind: str,
    names: tuple[str, str],
    parts: tuple[Univariate, ...] = (),
    index: tuple[int, ...] = (),
) -> Univariate:
    def entry(name: str) -> Function:
        method = getattr(source, name)
        if not index:
            return lambda x: np.asarray(method(x), dtype=np.float64)
        return lambda x: np.asarray(method(np.reshape(x, np.shape(x) + (1,) * len(index))))[(..., *index)]

    lower, upper = (np.asarray(end)[index] for end in source.support())
    intervals = _union(parts) if parts else [(float(lower), float(upper))]
    quantile, survival = names
    log_density = entry("logpdf" if kind == "continuous" else "logpmf")
    return Univariate(log_density, entry("cdf"), entry(survival), entry(quantile), intervals, parts)


def _union(parts: tuple[Univariate, ...]) -> Intervals:
    """Return the union of the intervals of `parts`, those that touch merged."""
    union: Intervals = []
    for lower, upper in sorted(interval for part in parts for interval in part.intervals):
        if union and lower <= union[-1][1]:
            union[-1] = (union[-1][0], max(union[-1][1], upper))
        else:
            union.append((lower, upper))
    return union
