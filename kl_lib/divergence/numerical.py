"""Divergence and cross-entropy where no closed form holds: entry by entry, by quadrature or by summation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np
from scipy.stats.distributions import rv_frozen

from kl_lib.checks import evaluate
from kl_lib.divergence.distributions import Distribution, float_or_array
from kl_lib.divergence.quadrature import Terms, integrate, summate
from kl_lib.divergence.univariate import Univariate, univariate
from kl_lib.numerics import expm1x
from kl_lib.types import Array, BatchFunction, Mask

Functional = Callable[[Univariate, Univariate], tuple[float, float]]


# What is promised: this relative error, or an absolute one that only rounding between equal
# distributions can reach.
RELATIVE = 1e-9
ABSOLUTE = 1e-28
# Below this divergence, in nats, the integrand p ψ(log q/p) is used, above it −p log(q/p).
_NEAR = 1e-2
# Stands for −log q, in nats, where q underflows inside its support.
_UNDERFLOWN = 1e4
_EPSILON = np.finfo(np.float64).eps
_TINY = np.finfo(np.float64).tiny
# Ratios closer to 1 than this many parts of the logarithms are taken as 1.
_RESOLVED = 2 * _EPSILON
# Where f is looked at for its size.
_SHARES = np.linspace(0.05, 0.95, 19)
# The integrands, in the order of the rows of what Terms return.
_MASS, _MAIN, _LOST, _SQUARE = range(4)


def completed(
    value: Array,
    covered: Mask,
    functional: Functional,
    p: Distribution,
    q: Distribution,
    absolute: float,
) -> float | Array:
    """Integrate or sum what no closed form covers, one by one; inf where p has mass that q has not."""
    if covered.all():
        return float_or_array(value)
    for index in map(tuple, np.argwhere(~covered)):
        value[index] = _value_at(functional, p, q, index, absolute)
    return float_or_array(value)


def _value_at(
    functional: Functional, p: Distribution, q: Distribution, index: tuple[int, ...], absolute: float
) -> float:
    first, second = univariate(p, index), univariate(q, index)
    if not absolutely_continuous(first, second):
        return np.inf
    if _may_be_moved(p) and isinstance(q.source, rv_frozen):
        origin = p.parameter_at("loc", index)
        first, second = univariate(p, index, origin), univariate(q, index, origin)
    value, error = functional(first, second)
    if not error <= max(RELATIVE * abs(value), absolute):
        raise ArithmeticError(
            f"the quadrature or sum for p = {p.name} and q = {q.name} does not reach a relative error of "
            f"{RELATIVE}, got {value} with an error of {error}; the truth may be infinite"
        )
    return value


def _may_be_moved(p: Distribution) -> bool:
    """Whether p can be moved to 0, where points close to where its support begins are told apart."""
    return p.kind == "continuous" and isinstance(p.source, rv_frozen)


def kl_numerical(p: Univariate, q: Univariate) -> tuple[float, float]:
    """Return D_KL(p‖q), where p ≪ q, and a bound of its error, infinite where there is none."""
    value, error = _total(p, q, _far_terms(p, q), absolute=1e-12)
    noise, outside = 0.0, 0.0
    if value[_MAIN] <= _NEAR:
        value, error = _total(p, q, _near_terms(p, q), absolute=ABSOLUTE)
        noise = _EPSILON * np.sqrt(2 * value[_MAIN]) * np.sqrt(value[_SQUARE]) + _RESOLVED**2 * value[_SQUARE]
        outside = _mass_outside(p, q)
    return float(value[_MAIN] + outside), float(noise + _bound(value, error))


def cross_entropy_numerical(p: Univariate, q: Univariate) -> tuple[float, float]:
    """Return −E_p log q, where p ≪ q, and a bound of its error, infinite where there is none."""
    value, error = _total(p, q, _cross_terms(p, q), absolute=1e-12)
    return float(value[_MAIN]), _bound(value, error)


def expected_value(p: Distribution, f: BatchFunction) -> float | Array:
    """Integrate or sum f under one univariate distribution; f maps (n,) to (n, ...)."""
    origin = p.parameter_at("loc", ()) if _may_be_moved(p) else 0.0
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
    some = p.quantile(_SHARES) + origin
    shape = np.shape(f(some))[1:]
    typical = np.abs(evaluate("f", f, some, shape=(some.size, *shape))).max(axis=0).ravel()
    scale = np.where(typical > 0, typical, 1.0)

    def terms(x: Array, log_dx: Array, power: int) -> Array:
        """Give p, and p times a power of each entry of f over its scale."""
        weight = _weight(_log_density(p, x), log_dx)
        entries, points = np.zeros((scale.size, x.size)), x[weight > 0] + origin
        values = evaluate("f", f, points, shape=(points.size, *shape)).reshape(points.size, scale.size)
        entries[:, weight > 0] = (values / scale).T
        return np.vstack([weight, weight * entries**power])

    (_, *square), (_, *error) = _total(p, p, partial(terms, power=2), absolute=_TINY, relative=1e-3)
    if not np.all(np.array(error) <= 0.1 * np.array(square) + _TINY):
        return np.full(shape, np.nan), np.inf
    scale = scale * np.sqrt(np.where(np.array(square) > 0, square, 1.0))
    value, bound = _total(p, p, partial(terms, power=1), absolute=0.1 * RELATIVE, relative=0.0)
    whole = abs(value[_MASS] - 1) + bound[_MASS] <= RELATIVE
    return (scale * value[1:]).reshape(shape), float(bound.max()) if whole else np.inf


def _total(
    p: Univariate, q: Univariate, terms: Terms, absolute: float, relative: float = 0.1 * RELATIVE
) -> tuple[Array, Array]:
    if p.discrete:
        return summate(p, terms, relative=relative, absolute=absolute)
    landmarks = np.concatenate([p.landmarks(), q.landmarks()])
    return integrate(p, terms, landmarks, relative=relative, absolute=absolute)


def _bound(value: Array, error: Array) -> float:
    """Return the bound of the main integral's error; inf where p itself does not come out as 1."""
    if abs(value[_MASS] - 1) + error[_MASS] > RELATIVE:
        return np.inf
    return float(error[_MAIN] + _UNDERFLOWN * value[_LOST])


def absolutely_continuous(p: Univariate, q: Univariate) -> bool:
    """Whether q has mass wherever p has, p ≪ q, as far as their supports tell."""
    if p.atoms is not None and q.atoms is not None:
        return bool(np.all(np.isin(p.atoms, q.atoms)))
    if p.atoms is not None:
        lower, upper = q.intervals[0]
        return bool(np.all((p.atoms >= lower) & (p.atoms <= upper))) and _share_lattice(p, q)
    if q.atoms is not None:
        return False
    inside = all(any(c <= a and b <= d for c, d in q.intervals) for a, b in p.intervals)
    return inside and (not p.discrete or _share_lattice(p, q))


def _share_lattice(p: Univariate, q: Univariate) -> bool:
    """Whether the points of p and of q differ by integers."""
    points = p.quantile(np.asarray(0.5)) if p.atoms is None else p.atoms
    return bool(np.all((points - q.quantile(np.asarray(0.5))) % 1 == 0))


def _mass_outside(p: Univariate, q: Univariate) -> float:
    """Return the mass that q has where p has none."""
    if p.atoms is not None and q.atoms is not None:
        return float(np.sum(np.exp(q.log_density(np.setdiff1d(q.atoms, p.atoms)))))
    if p.atoms is not None:
        return max(float(1 - np.sum(np.exp(q.log_density(p.atoms)))), 0.0)
    lower, upper = p.intervals[0][0], p.intervals[-1][1]
    gaps = np.array([[b, c] for (_, b), (c, _) in pairwise(p.intervals)]).reshape(-1, 2)
    below = q.cdf(np.asarray(lower - 1 if p.discrete else lower))
    return float(below + q.survival(np.asarray(upper)) + np.sum(q.cdf(gaps[:, 1]) - q.cdf(gaps[:, 0])))


def _far_terms(p: Univariate, q: Univariate) -> Terms:
    """Give p, −p log(q/p), and p where q underflows."""

    def terms(x: Array, log_dx: Array) -> Array:
        log_p, log_q = _log_density(p, x), _log_density(q, x)
        weight = _weight(log_p, log_dx)
        known = (weight > 0) & (log_q > -np.inf)
        main = np.where(known, weight * (log_p - log_q), 0.0)
        return np.stack([weight, main, np.where(log_q > -np.inf, 0.0, weight)])

    return terms


def _cross_terms(p: Univariate, q: Univariate) -> Terms:
    """Give p, −p log q, and p where q underflows."""

    def terms(x: Array, log_dx: Array) -> Array:
        weight, log_q = _weight(_log_density(p, x), log_dx), _log_density(q, x)
        known = (weight > 0) & (log_q > -np.inf)
        return np.stack(
            [weight, np.where(known, -weight * log_q, 0.0), np.where(log_q > -np.inf, 0.0, weight)]
        )

    return terms


def _near_terms(p: Univariate, q: Univariate) -> Terms:
    """Give p, p ψ(log q/p) = q − p − p log(q/p), p where q underflows, and p(1 + log² p)."""

    def terms(x: Array, log_dx: Array) -> Array:
        log_p, log_q = _log_density(p, x), _log_density(q, x)
        weight = _weight(log_p, log_dx)
        known = (weight > 0) & (log_q > -np.inf)
        ratio = np.where(known, log_q - log_p, 0.0)
        # Below the rounding of SciPy's logarithms; a noise that never ends would leave no tail to bound.
        ratio[np.abs(ratio) <= _RESOLVED * (1 + np.abs(log_p))] = 0.0
        far = np.exp(log_q + log_dx) - np.where(known, weight * (1 + ratio), 0.0)
        near = known & (np.abs(ratio) < 1)
        main = np.where(near, weight * expm1x(np.where(near, ratio, 0.0)), far)
        square = np.where(weight > 0, weight * (1 + log_p**2), 0.0)
        return np.stack([weight, main, np.where(log_q > -np.inf, 0.0, weight), square])

    return terms


def _log_density(p: Univariate, x: Array) -> Array:
    """Return log p, −inf where SciPy's formula ends in nan: far out, or else the mass shows it."""
    values = p.log_density(x)
    return np.where(np.isnan(values), -np.inf, values)


def _weight(log_p: Array, log_dx: Array) -> Array:
    """Return p dx, or 0 where p is singular; its integral then shows what was missed."""
    return np.where(log_p < np.inf, np.exp(log_p + log_dx), 0.0)
