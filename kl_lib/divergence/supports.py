"""Whether p lives where q does: by the supports that are stated or, where these say too much, shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kl_lib.divergence.distributions import Intervals, common, on_lattice
from kl_lib.divergence.summation import center
from kl_lib.divergence.univariate import Univariate
from kl_lib.types import Array

# A search for an end goes so many powers of 2 out from within, then halves so many times.
_OUT, _HALVINGS = 200, 100
# A density does not underflow whose log is above this so close, in parts of the distance, to its end.
NO_UNDERFLOW = -600.0
_CLOSE = 1e-6


def shared(p: Univariate, q: Univariate) -> Intervals | None:
    """Return the intervals of p, less what rounding alone puts outside q; None if there is more outside."""
    if not p.discrete:
        return common(p.intervals, q.intervals, p.size + q.size)
    if p.points is not None:
        return [] if q.has(p.points).all() else None
    lower, upper = p.intervals[0]
    if q.points is not None:
        few = upper - lower < q.points.size
        return p.intervals if few and q.has(np.arange(lower, upper + 1)).all() else None
    inside = q.intervals[0][0] <= lower + 0.5 and upper - 0.5 <= q.intervals[0][1]
    return p.intervals if inside and on_lattice(p.offset - q.offset, p.size + q.size) else None


def shown(p: Univariate, q: Univariate) -> Univariate:
    """Return p, on one interval, without the ends of it where its density is 0; q may tell where it is not.

    A class that states no bounds is taken by SciPy to live on the whole line.
    """
    marks = np.concatenate([_marks(p), _marks(q)])
    start = float(marks[np.argmax(p.log_density(marks))])
    lower, upper = p.intervals[0]
    return replace(p, intervals=[(_shown_end(p, start, lower), _shown_end(p, start, upper))])


def _marks(p: Univariate) -> Array:
    """Return points at which p has a density."""
    if not p.discrete:
        return p.landmarks()
    return np.array([center(p)]) if p.points is None else p.points


def _shown_end(p: Univariate, start: float, end: float) -> float:
    """Return the last point towards an end that has a density, or the end if that only underflows there."""
    spread = 1.0 if p.discrete else p.median_and_spread[1]
    outwards = start + np.sign(end - start) * spread * np.append(0.0, 2.0 ** np.arange(_OUT))
    without = np.flatnonzero(p.log_density(outwards) == -np.inf)
    if not without.size or without[0] == 0:
        return end
    inside, outside = outwards[without[0] - 1], outwards[without[0]]
    for _ in range(_HALVINGS):
        middle = 0.5 * (inside + outside)
        middle = p.offset + np.floor(middle - p.offset) if p.discrete else middle
        if p.log_density(middle) > -np.inf:
            inside = middle
        else:
            outside = middle
    close = inside + _CLOSE * (start - inside)
    close = p.offset + np.rint(close - p.offset) if p.discrete else close
    return float(inside) if p.log_density(close) > NO_UNDERFLOW else end
