"""One scalar normal distribution from another, the most common call, without arrays and their overhead."""

from __future__ import annotations

from math import inf, isfinite, log
from typing import Any

import numpy as np
from scipy import stats
from scipy.stats.distributions import rv_frozen

_GENERATOR = type(stats.norm)
_SCALARS = (float, int, np.float64)
# (artanh(w)/w − 1)/w² in powers of w², to w² = 0.04: the highest first.
_ARTANH = [1 / n for n in range(25, 1, -2)]


def kl_scalar_normal(p: Any, q: Any) -> float | None:
    """Return D_KL(p‖q) if both are frozen scalar stats.norm in good order, else None."""
    first, second = _location_and_scale(p), _location_and_scale(q)
    if first is None or second is None:
        return None
    ratio = first[1] / second[1]
    if not 1e-300 < ratio < inf:
        return None
    z = (first[0] - second[0]) / second[1]
    return 0.5 * z * z + _half_phi(ratio, (first[1] - second[1]) / second[1])


def _half_phi(ratio: float, excess: float) -> float:
    """Return ½φ(ratio² − 1), where the excess of the ratio over 1 is known better than from the ratio."""
    if abs(excess) >= 0.2:
        return 0.5 * (ratio - 1) * (ratio + 1) - log(ratio)
    delta = excess * (2 + excess)
    w = delta / (2 + delta)
    square, series = w * w, 0.0
    for coefficient in _ARTANH:
        series = series * square + coefficient
    return 0.5 * w * (delta - 2 * square * series)


def _location_and_scale(distribution: Any) -> tuple[float, float] | None:
    if not isinstance(distribution, rv_frozen) or type(distribution.dist) is not _GENERATOR:
        return None
    _, loc, scale = distribution.dist._parse_args(*distribution.args, **distribution.kwds)
    if type(loc) not in _SCALARS or type(scale) not in _SCALARS or not isfinite(loc) or not 0 < scale < inf:
        return None
    return float(loc), float(scale)
