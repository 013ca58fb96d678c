"""Divergence and cross-entropy where no closed form holds: entry by entry, by quadrature or by summation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import stats
from scipy.stats.distributions import rv_frozen

from kl_lib.divergence.distributions import (
    Distribution,
    Intervals,
    beyond,
    cut,
    float_or_array,
    without,
)
from kl_lib.divergence.quadrature import Terms, Totals, added, integrate, mass_terms
from kl_lib.divergence.summation import center, sum_integers, sum_points
from kl_lib.divergence.supports import NO_UNDERFLOW, shared, shown
from kl_lib.divergence.univariate import Univariate, univariate
from kl_lib.numerics import every, expm1x
from kl_lib.types import Array, Mask

# What is promised: this relative error, or an absolute one: of entropies, in nats, as one may be 0; of
# divergences, times the mean of 1 + log² p, what only rounding between equal distributions can reach.
RELATIVE = 1e-9
_ABSOLUTE = 1e-11
_EQUAL = 1e-28
# Below this divergence, in nats, the integrand p ψ(log q/p) is used, above it −p log(q/p).
_NEAR = 1e-2
# More than the mean of −log q, in nats, where q underflows: it begins there with 745, and may grow.
_UNDERFLOWN = 1e4
_EPSILON = np.finfo(np.float64).eps
# Ratios closer to 1 than this many parts of the logarithms are taken as 1.
_RESOLVED = 2 * _EPSILON
# The bound of what lies beyond the last point is right to this part.
_REST = 0.01
# The integrands, in the order of the rows of what Terms return: p, what is sought, p where q underflows,
# q, by how much the rounding of the logarithms moves the second, and p(1 + log² p).
_MASS, _MAIN, _LOST, _MASS_Q, _NOISE, _SQUARE = range(6)


@dataclass(frozen=True)
class Pair:
    """Two distributions, p ≪ q, and the intervals that p is integrated or summed over."""

    p: Univariate
    q: Univariate
    intervals: Intervals

    @property
    def size(self) -> float:
        """The size of the numbers that the ends of both were computed from."""
        return self.p.size + self.q.size


# The value, what bounds its error, by the source of the error, and how large that may be.
Errors = dict[str, float]
Functional = Callable[[Pair, float], tuple[float, Errors, float]]


def completed(
    value: Array,
    covered: Mask,
    functional: Functional,
    p: Distribution,
    q: Distribution,
    relative: float = RELATIVE,
) -> float | Array:
    """Integrate or sum what no closed form covers, one by one; inf where p has mass that q has not."""
    if every(covered):
        return float_or_array(value)
    for index in map(tuple, np.argwhere(~covered)):
        value[index] = _value_at(functional, p, q, index, relative)
    return float_or_array(value)


def _value_at(
    functional: Functional,
    p: Distribution,
    q: Distribution,
    index: tuple[int, ...],
    relative: float,
) -> float:
    with np.errstate(all="ignore"):  # Formulas overflow in the far tails, where the weight is 0.
        pair = paired(p, q, index)
        if pair is None:
            return np.inf
        value, errors, absolute = functional(pair, relative)
    reached = sum(errors.values())
    if not reached <= max(relative * abs(value), absolute):
        worst = max(errors, key=lambda reason: np.nan_to_num(errors[reason], nan=np.inf))
        error = (
            "an error not known" if worst == _UNDERFLOW else f"an error of up to {reached:.2g}, most of it"
        )
        raise ArithmeticError(
            f"the {'sum' if pair.p.discrete else 'integral'} for p = {p.name} and q = {q.name} does not "
            f"reach a relative error of {relative:g}: it comes to {value:.6g} with {error} because {worst}; "
            "a larger rtol asks for less"
        )
    return value


def paired(p: Distribution, q: Distribution, index: tuple[int, ...]) -> Pair | None:
    """Return p and q at one index, p moved to 0; None where p has mass that q has not, by their supports.

    So points close to where the support of p begins are told apart, and integers stay integers.
    """
    origin = location(p, index) if isinstance(q.source, rv_frozen) else 0.0
    first, second = univariate(p, index, origin), univariate(q, index, origin)
    intervals = shared(first, second)
    if intervals is None and isinstance(p.source, rv_frozen) and not hasattr(stats, p.name):
        first = shown(first, second)
        intervals = shared(first, second)
    return None if intervals is None else Pair(first, second, intervals)


def location(p: Distribution, index: tuple[int, ...] = ()) -> float:
    """Return the location that p is moved by, to 0."""
    return p.parameter_at("loc", index) if isinstance(p.source, rv_frozen) else 0.0


def kl_numerical(pair: Pair, relative: float) -> tuple[float, Errors, float]:
    """Return D_KL(p‖q), where p ≪ q, what bounds its error, and how large that may be."""
    totals, outside = total(pair, _far_terms, relative, 1e-12), _mass_outside(pair, relative)
    if _is_in_a_hole(pair, totals):
        return np.inf, {}, 0.0
    defects = _defects(pair, totals, outside, relative)
    if totals.value[_MAIN] > _NEAR:
        return float(totals.value[_MAIN]), _errors(totals) | {_ROUNDING: _far_rounding(totals, defects)}, 0.0
    totals = total(pair, _near_terms, relative, _EQUAL)
    value, square = totals.value[_MAIN] + outside.value[0], totals.value[_SQUARE]
    amplitude = max(_EPSILON * np.sqrt(square), _roughness(pair))
    rounding = np.sqrt(2 * value) * amplitude + _RESOLVED**2 * square + totals.value[_NOISE]
    errors = _errors(totals) | {
        _ROUNDING: float(rounding + np.sum(np.square(defects))),
        _OUTSIDE: float(outside.error[0] + outside.rest[0]),
    }
    return float(value), errors, float(_EQUAL * square)


def cross_entropy_numerical(pair: Pair, relative: float) -> tuple[float, Errors, float]:
    """Return −E_p log q, where p ≪ q, what bounds its error, and how large that may be."""
    totals = total(pair, partial(_far_terms, above=0.0), relative, 1e-12)
    if _is_in_a_hole(pair, totals):
        return np.inf, {}, 0.0
    defects = _defects(pair, totals, _mass_outside(pair, relative), relative)
    errors = _errors(totals) | {_ROUNDING: _far_rounding(totals, defects)}
    return float(totals.value[_MAIN]), errors, _ABSOLUTE


def _far_rounding(totals: Totals, defects: tuple[float, float]) -> float:
    """Return what rounding does: what is missing of the masses may be so where the logarithms are large."""
    large = 1 + np.sqrt(totals.value[_SQUARE])
    main = abs(totals.value[_MAIN])
    return float(totals.value[_NOISE] + defects[0] * (large + main) + defects[1] * large)


_QUADRATURE = "the integrand is too rough for so few points"
_TAIL = "its terms decay too slowly, or not at all, towards the ends of the support"
_UNDERFLOW = "q underflows where p has mass"
_ROUNDING = "SciPy's log densities are rounded"
_OUTSIDE = "the mass of q outside the support of p is known no better"


def _errors(totals: Totals) -> Errors:
    lost = totals.value[_LOST] + totals.error[_LOST]
    return {
        _QUADRATURE: float(totals.error[_MAIN]),
        _TAIL: float(totals.rest[_MAIN]),
        _UNDERFLOW: float(_UNDERFLOWN * (lost + totals.rest[_MASS] if lost > 0 else 0.0)),
    }


def _defects(pair: Pair, totals: Totals, outside: Totals, relative: float) -> tuple[float, float]:
    """Return by how much the masses of p and of q miss 1; refuse more than the tolerance."""
    value, rest = totals.value[[_MASS, _MASS_Q]], totals.rest[[_MASS, _MASS_Q]]
    value[1] += outside.value[0]
    rest[1] += outside.rest[0]
    allowed = relative * np.array([1.0, max(1.0, totals.value[_MAIN])])
    for side, mass, beyond_it, tolerance in zip((pair.p, pair.q), value, rest, allowed, strict=True):
        check_mass(side, mass, beyond_it, tolerance)
    missed = np.maximum(np.abs(value + rest - 1) - _REST * rest, 0.0)
    first, second = np.where(np.isnan(missed), np.inf, missed)
    return float(first), float(second)


def check_mass(side: Univariate, mass: float, beyond_it: float, tolerance: float) -> None:
    """Refuse a mass that misses 1 by more than the tolerance, or is not known."""
    if beyond_it == np.inf:
        raise ArithmeticError(
            f"the mass of {side.label} is not known: it comes to {mass:.10g} as far as it is summed up, and "
            "its tail there shows no decay"
        )
    if not abs(mass + beyond_it - 1) <= tolerance + _REST * beyond_it:
        raise ArithmeticError(
            f"the mass of {side.label} comes out as {mass + beyond_it:.10g}, which misses 1 by "
            f"{mass + beyond_it - 1:.2g}: its density is not normalised, not precise, or too rough to "
            "integrate"
        )


def total(pair: Pair, terms: Terms, relative: float, absolute: float) -> Totals:
    """Integrate or sum over the support of p."""
    p, q = pair.p, pair.q
    densities = (p.log_density, q.log_density)
    tolerance = {"relative": 0.1 * relative, "absolute": absolute}
    if p.points is not None:
        return sum_points(densities, terms, p.points, np.zeros_like(p.points))
    if p.discrete:
        return sum_integers(densities, terms, pair.intervals[0], _centers(p, q), **tolerance)
    if p.steps and q.steps:
        return sum_points(densities, terms, *_pieces(pair))
    landmarks = np.concatenate([p.landmarks(), q.landmarks()])
    intervals = cut(pair.intervals, np.append(p.corners, q.corners))
    return integrate(densities, terms, intervals, landmarks, p.median_and_spread, **tolerance)


def _centers(p: Univariate, q: Univariate) -> list[float]:
    lower, upper = p.intervals[0]
    return [center(p)] if q.points is not None else [center(p), float(np.clip(center(q), lower, upper))]


def _pieces(pair: Pair) -> tuple[Array, Array]:
    """Return the middles of the pieces on which both densities are constant, and the logs of their widths."""
    ends = [np.ravel(side.intervals) for side in (pair.p, pair.q)]
    edges = np.unique(np.concatenate([pair.p.breaks, pair.q.breaks, *ends]))
    edges = edges[np.append(True, beyond(np.diff(edges), edges[1:], pair.size))]
    middle, width = 0.5 * (edges[1:] + edges[:-1]), np.diff(edges)
    inside = np.any([(a < middle) & (middle < b) for a, b in pair.intervals], axis=0)
    return middle[inside], np.log(width[inside])


def _mass_outside(pair: Pair, relative: float) -> Totals:
    """Return the mass that q has where p has none."""
    p, q = pair.p, pair.q
    if q.points is not None:
        rest = q.points[~p.has(q.points)]
        return sum_points([q.log_density], mass_terms, rest, np.zeros_like(rest))
    tolerance = {"relative": 0.1 * relative, "absolute": 1e-300}
    if p.points is not None:
        elsewhere = [lambda x: np.where(p.has(x), -np.inf, q.log_density(x))]
        return sum_integers(elsewhere, mass_terms, q.intervals[0], [center(q)], **tolerance)
    parts = [Totals(*np.zeros((3, 1)))]
    for interval in without(q.intervals, pair.intervals, pair.size, step=float(p.discrete)):
        if p.discrete:
            start = float(np.clip(center(q), *interval))
            parts.append(sum_integers([q.log_density], mass_terms, interval, [start], **tolerance))
        else:
            pieces, landmarks = cut([interval], q.corners), q.landmarks()
            parts.append(
                integrate([q.log_density], mass_terms, pieces, landmarks, q.median_and_spread, **tolerance)
            )
    return added(parts)


def _is_in_a_hole(pair: Pair, totals: Totals) -> bool:
    """Whether p has mass on integers where q has none: beside them, q has too much for an underflow."""
    if not pair.p.discrete or totals.value[_LOST] == 0:
        return False
    x = pair.p.points if pair.p.points is not None else _window(pair)
    here = (pair.p.log_density(x) > -np.inf) & (pair.q.log_density(x) == -np.inf)
    beside = np.maximum(pair.q.log_density(x - 1), pair.q.log_density(x + 1))
    return bool(np.any(here & (beside > NO_UNDERFLOW)))


def _window(pair: Pair) -> Array:
    """Return the points of p about the likeliest ones of p and q."""
    lower, upper = pair.intervals[0]
    about: Array = np.add.outer(_centers(pair.p, pair.q), np.arange(-500.0, 501.0)).ravel()
    return about[(about >= lower) & (about <= upper)]


def _roughness(pair: Pair) -> float:
    """Return by how much the log densities err at random about the quartiles of p.

    It is what remains of second differences over steps too short for any curve to show.
    """
    if pair.p.discrete:
        return 0.0
    median, spread = pair.p.median_and_spread
    x = np.add.outer(median + spread * np.array([-0.5, 0.0, 0.5]), spread * 2.0**-27 * np.arange(9))
    logs = [np.reshape(side.log_density(x.ravel()), x.shape) for side in (pair.p, pair.q)]
    return float(sum(np.median(np.nan_to_num(np.abs(np.diff(log, 2)))) for log in logs) / np.sqrt(6))


def _far_terms(_x: Array, logs: Array, doubt: Array, log_dx: Array, *, above: float = 1.0) -> Array:
    """Give −p log(q/p) as the second row, or −p log q with `above` 0."""
    log_p, log_q, weight, known = _read(logs, log_dx)
    main = np.where(known, weight * (above * np.where(known, log_p, 0.0) - log_q), 0.0)
    size = np.abs(log_p) + np.where(np.isfinite(log_q), np.abs(log_q), 0.0)
    noise = np.where(weight > 0, weight * (doubt * (1 + size) + _EPSILON * size), 0.0)
    return _rows(log_p, log_q, weight, log_dx, main, noise)


def _near_terms(_x: Array, logs: Array, doubt: Array, log_dx: Array) -> Array:
    """Give p ψ(log q/p) = q − p − p log(q/p) as the second row."""
    log_p, log_q, weight, known = _read(logs, log_dx)
    ratio = np.where(known, log_q - log_p, 0.0)
    # Below the rounding of SciPy's logarithms; a noise that never ends would leave no tail to bound.
    ratio[np.abs(ratio) <= _RESOLVED * (1 + np.abs(log_p))] = 0.0
    far = np.exp(log_q + log_dx) - np.where(known, weight * (1 + ratio), 0.0)
    near = known & (np.abs(ratio) < 1)
    main = np.where(near, weight * expm1x(np.where(near, ratio, 0.0)), far)
    return _rows(log_p, log_q, weight, log_dx, main, weight * doubt * (np.abs(ratio) + doubt))


def _read(logs: Array, log_dx: Array) -> tuple[Array, Array, Array, Mask]:
    """Return the log densities, p dx, and where its logarithms are known.

    A log density is taken as −inf where SciPy's formula ends in nan, and p dx as 0 where p is singular: far
    out, or else the mass shows it.
    """
    log_p, log_q = np.where(np.isnan(logs), -np.inf, logs)
    weight = np.where(log_p < np.inf, np.exp(log_p + log_dx), 0.0)
    return log_p, log_q, weight, (weight > 0) & np.isfinite(log_q)


def _rows(log_p: Array, log_q: Array, weight: Array, log_dx: Array, main: Array, noise: Array) -> Array:
    mass_q = np.where(log_q < np.inf, np.exp(log_q + log_dx), 0.0)
    square = np.where(weight > 0, weight * (1 + log_p**2), 0.0)
    return np.stack([weight, main, np.where(log_q > -np.inf, 0.0, weight), mass_q, noise, square])
