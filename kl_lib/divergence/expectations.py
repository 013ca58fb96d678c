"""Expectations under one distribution, by the quadrature and the sums of divergences."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from kl_lib.checks import evaluate
from kl_lib.divergence.distributions import Distribution, cut, float_or_array
from kl_lib.divergence.numerical import RELATIVE, Pair, check_mass, location, total
from kl_lib.divergence.quadrature import mass_terms, weighted_nodes
from kl_lib.divergence.summation import center
from kl_lib.divergence.univariate import Univariate, univariate
from kl_lib.types import Array, BatchFunction

_TINY = np.finfo(np.float64).tiny
# Where f is looked at for its size, in interquartile ranges from a median, or in integers.
_SOME = np.linspace(-0.5, 0.5, 19)


def expected_value(p: Distribution, f: BatchFunction) -> float | Array:
    """Integrate or sum f under one univariate distribution; f maps (n,) to (n, ...)."""
    origin = location(p)
    with np.errstate(all="ignore"):
        value, error = _mean(univariate(p, (), origin), f, origin)
    if not error <= RELATIVE:
        raise ArithmeticError(
            f"the expectation under p = {p.name} does not reach an error of {RELATIVE} of the root mean "
            f"square of f, got {error}; the variance of f may be infinite"
        )
    return float_or_array(value)


def _mean(p: Univariate, f: BatchFunction, origin: float) -> tuple[Array, float]:
    """Return E_p f, and a bound of its error over the root mean square of f, inf where there is none.

    The points of p are those of f less `origin`.
    """
    some = _some_points(p) + origin
    shape = np.shape(f(some))[1:]
    typical = np.abs(evaluate("f", f, some, shape=(some.size, *shape))).max(axis=0).ravel()
    scale = np.where(typical > 0, typical, 1.0)

    def terms(x: Array, logs: Array, _doubt: Array, log_dx: Array, power: int) -> Array:
        """Give p, and p times a power of each entry of f over its scale."""
        weight = mass_terms(x, logs[0], _doubt, log_dx)
        entries, points = np.zeros((scale.size, x.size)), x[weight > 0] + origin
        values = evaluate("f", f, points, shape=(points.size, *shape)).reshape(points.size, scale.size)
        entries[:, weight > 0] = (values / scale).T
        return np.vstack([weight, weight * entries**power])

    p = replace(p, steps=False)  # for f is no constant between them
    whole = Pair(p, p, p.intervals)
    mass = total(whole, mass_terms, RELATIVE, 0.0)
    check_mass(p, mass.value[0], mass.rest[0], RELATIVE)
    squares = total(whole, partial(terms, power=2), 1e-2, _TINY)
    square, error = squares.value[1:], squares.error[1:] + squares.rest[1:]
    if not np.all(error <= 0.1 * square + _TINY):
        return np.full(shape, np.nan), np.inf
    scale = scale * np.sqrt(np.where(square > 0, square, 1.0))
    totals = total(whole, partial(terms, power=1), 0.0, 0.1 * RELATIVE)
    return (scale * totals.value[1:]).reshape(shape), float(np.max(totals.error + totals.rest))


def mean_and_variance(p: Distribution) -> tuple[float, float, float]:
    """Integrate the mean and the variance of a continuous univariate p; the third is their relative error."""
    origin = location(p)

    def powers(x: Array, logs: Array, doubt: Array, log_dx: Array) -> Array:
        weight, z = mass_terms(x, logs[0], doubt, log_dx), (x - center) / spread
        return np.where(weight > 0, np.stack([weight, weight * z, weight * z * z]), 0.0)

    with np.errstate(all="ignore"):
        one = replace(univariate(p, (), origin), steps=False)
        center, spread = one.median_and_spread
        totals = total(Pair(one, one, one.intervals), powers, RELATIVE, RELATIVE**2)
    mass, mean, square = totals.value
    variance = square / mass - (mean / mass) ** 2
    # Of the mean it is one in standard deviations.
    errors = (totals.error + totals.rest) / np.array([1.0, np.sqrt(variance), variance])
    error = float(abs(mass - 1) + np.max(errors))
    return float(origin + center + spread * mean / mass), float(spread**2 * variance), error


def quadrature_nodes(p: Distribution, q: Distribution) -> tuple[Array, Array]:
    """Return points (n,) and weights (n,) so that Σ w f(x) is E f(x), x ∼ p, for an f as smooth as q."""
    origin = location(p)
    with np.errstate(all="ignore"):
        one = univariate(p, (), origin)
        landmarks = np.append(one.landmarks(), univariate(q, ()).landmarks() - origin)
        intervals = cut(one.intervals, one.corners)
        x, weights = weighted_nodes(one.log_density, intervals, landmarks, one.median_and_spread)
    return origin + x, weights


def _some_points(p: Univariate) -> Array:
    """Return points that p often takes."""
    if p.points is not None:
        return p.points
    if p.discrete:
        x = center(p) + np.arange(-9.0, 10.0)
    else:
        x = np.concatenate([m + s * _SOME for m, s in (part.median_and_spread for part in p.parts or (p,))])
    inside = x[np.any([(a <= x) & (x <= b) for a, b in p.intervals], axis=0)]
    return inside if inside.size else np.clip(x, *p.intervals[0])
