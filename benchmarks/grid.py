"""Pairs of distributions near identity and far from it, with their divergence to as many digits as asked.

Each family has its textbook formula in mpmath, floats taken as exact. `make bench` holds kl_lib against
the whole grid, the unit tests against a sample of it; `families.py` says on what the libraries are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], list[Array]]

mp = mpmath.mp.clone()
mp.dps = 70
# Relative distances from identity, on both sides.
DISTANCES = [sign * 10.0**-k for k in range(1, 13) for sign in (1, -1)]
_NORMAL = np.finfo(np.float64).tiny, np.finfo(np.float64).max


@dataclass(frozen=True)
class Oracle:
    """How SciPy builds it, its divergence in mpmath, bases to move away from, and how far pairs are drawn.

    `build`, `reference` (parameters of p, then of q), the rows of `bases` and what `far` returns have the
    parameters in one order. `far` draws n members. `whole` numbers the parameters that do not move.
    `batched` says whether SciPy takes arrays of parameters.
    """

    build: Callable[..., Any]
    reference: Callable[..., Any]
    bases: Sequence[tuple[float, ...]]
    far: Draw
    whole: tuple[int, ...] = ()
    batched: bool = True


def near_pairs(family: Oracle, distances: Iterable[float] = DISTANCES) -> tuple[list[Array], list[Array]]:
    """Return every base with each parameter, and with all of them, moved by every relative distance."""
    rows_p, rows_q = [], []
    for base in family.bases:
        moving = np.array([float(k not in family.whole) for k in range(len(base))])
        moves = [move for move in (*np.eye(len(base)), np.ones(len(base))) if np.any(move * moving)]
        for distance in distances:
            for move in moves:
                moved = np.asarray(base, dtype=float) * (1 + distance * move * moving)
                # A location of 0 moves by parts of the scale.
                moved = np.where(np.equal(base, 0), distance * move * base[-1], moved)
                rows_p.append(base)
                rows_q.append(moved)
    return list(np.array(rows_p, dtype=float).T), list(np.array(rows_q).T)


def far_pairs(family: Oracle, n: int, *, rng: np.random.Generator) -> tuple[list[Array], list[Array]]:
    """Return n pairs of members that have nothing to do with each other, but for `whole` parameters."""
    p, q = family.far(rng, n), family.far(rng, n)
    return p, [p[k] if k in family.whole else q[k] for k in range(len(q))]


def evaluate(
    divergence: Callable[[Any, Any], Any], family: Oracle, p: Sequence[Array], q: Sequence[Array]
) -> Array:
    """Return `divergence` of SciPy's distributions with the parameters of each pair."""
    if family.batched:
        return np.asarray(divergence(family.build(*p), family.build(*q)))
    rows = zip(zip(*p, strict=True), zip(*q, strict=True), strict=True)
    return np.array([divergence(family.build(*row_p), family.build(*row_q)) for row_p, row_q in rows])


def exact_values(family: Oracle, p: Sequence[Array], q: Sequence[Array]) -> list[Any]:
    """Return the divergence of each pair to 50 digits and more, as mpmath numbers."""
    return [family.reference(*map(mp.mpf, map(float, row))) for row in zip(*p, *q, strict=True)]


def relative_errors(values: Any, exact: Sequence[Any]) -> Array:
    """Return |value/exact − 1|; 0, inf and what lies beyond the normal floats must be hit.

    A miss of these, a negative value and a nan count as inf.
    """
    return np.array(
        [_relative_error(float(value), truth) for value, truth in zip(np.ravel(values), exact, strict=True)]
    )


def _relative_error(value: float, truth: Any) -> float:
    if truth == 0 or truth == mp.inf:
        return 0.0 if value == float(truth) else np.inf
    if truth < _NORMAL[0]:
        return 0.0 if 0 <= value < 2 * _NORMAL[0] else np.inf
    if truth > _NORMAL[1]:
        return 0.0 if value >= (1 - 1e-14) * _NORMAL[1] else np.inf
    return float(abs(mp.mpf(value) / truth - 1)) if value >= 0 else np.inf


# The divergences, p's parameters first.


def _log_beta(a: Any, b: Any) -> Any:
    return mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)


def _normal(m: Any, s: Any, n: Any, t: Any) -> Any:
    return mp.log(t / s) + (s**2 + (m - n) ** 2) / (2 * t**2) - mp.mpf(1) / 2


def _exponential(x: Any, s: Any, y: Any, t: Any) -> Any:
    return mp.log(t / s) + (x - y + s) / t - 1 if x >= y else mp.inf


def _laplace(m: Any, b: Any, n: Any, c: Any) -> Any:
    d = abs(m - n)
    return mp.log(c / b) + (b * mp.exp(-d / b) + d) / c - 1


def _uniform(x: Any, v: Any, y: Any, w: Any) -> Any:
    return mp.log(w / v) if x >= y and x + v <= y + w else mp.inf


def _cauchy(m: Any, s: Any, n: Any, t: Any) -> Any:
    return mp.log(((s + t) ** 2 + (m - n) ** 2) / (4 * s * t))


def _gumbel(m: Any, s: Any, n: Any, t: Any) -> Any:
    kappa, shift = s / t, (n - m) / t
    return mp.log(t / s) - shift + mp.euler * (kappa - 1) - 1 + mp.exp(shift + mp.loggamma(1 + kappa))


def _gumbel_left(m: Any, s: Any, n: Any, t: Any) -> Any:
    return _gumbel(-m, s, -n, t)


def _weibull(k: Any, s: Any, c: Any, t: Any) -> Any:
    return _gumbel_left(mp.log(s), 1 / k, mp.log(t), 1 / c)


def _gamma(a: Any, s: Any, b: Any, t: Any) -> Any:
    return (a - b) * mp.digamma(a) - mp.loggamma(a) + mp.loggamma(b) + b * mp.log(t / s) + a * (s / t - 1)


def _chi2(a: Any, s: Any, b: Any, t: Any) -> Any:
    return _gamma(a / 2, s, b / 2, t)


def _inverse_gamma(a: Any, s: Any, b: Any, t: Any) -> Any:
    return _gamma(a, 1 / s, b, 1 / t)


def _lognormal(s: Any, x: Any, t: Any, y: Any) -> Any:
    return _normal(mp.log(x), s, mp.log(y), t)


def _half_normal(x: Any, s: Any, y: Any, t: Any) -> Any:
    d = x - y
    moment = s**2 + d**2 + 2 * d * s * mp.sqrt(2 / mp.pi)
    return mp.log(t / s) + moment / (2 * t**2) - mp.mpf(1) / 2 if d >= 0 else mp.inf


def _pareto(a: Any, x: Any, b: Any, y: Any) -> Any:
    return mp.log(a / b) + b * mp.log(x / y) + b / a - 1 if x >= y else mp.inf


def _rayleigh(s: Any, t: Any) -> Any:
    return (s / t) ** 2 - 1 - 2 * mp.log(s / t)


def _maxwell(s: Any, t: Any) -> Any:
    return mp.mpf(3) / 2 * _rayleigh(s, t)


def _von_mises(m: Any, k: Any, n: Any, c: Any) -> Any:
    with mp.workdps(mp.dps + 15):
        at_p, at_q, slope = mp.besseli(0, k), mp.besseli(0, c), mp.besseli(1, k)
        return mp.log(at_q / at_p) + slope / at_p * (k - c * mp.cos(m - n))


def _beta(a: Any, b: Any, c: Any, d: Any) -> Any:
    return _dirichlet(a, b, c, d)


def _dirichlet(*parameters: Any) -> Any:
    alpha, beta = parameters[: len(parameters) // 2], parameters[len(parameters) // 2 :]
    total_p, total_q = mp.fsum(alpha), mp.fsum(beta)
    slope = mp.digamma(total_p)
    terms = ((a - b) * (mp.digamma(a) - slope) for a, b in zip(alpha, beta, strict=True))
    logs = mp.fsum(map(mp.loggamma, beta)) - mp.fsum(map(mp.loggamma, alpha))
    return mp.loggamma(total_p) - mp.loggamma(total_q) + logs + mp.fsum(terms)


def _bernoulli(p: Any, q: Any) -> Any:
    return p * mp.log(p / q) + (1 - p) * mp.log((1 - p) / (1 - q))


def _binomial(n: Any, p: Any, _: Any, q: Any) -> Any:
    return n * _bernoulli(p, q)


def _geometric(p: Any, q: Any) -> Any:
    return _bernoulli(p, q) / p


def _negative_binomial(n: Any, p: Any, _: Any, q: Any) -> Any:
    return n * _bernoulli(p, q) / p


def _poisson(a: Any, b: Any) -> Any:
    return a * mp.log(a / b) - a + b


# How far pairs are drawn.


def _scales(rng: np.random.Generator, n: int, power: float) -> Array:
    """Draw powers of ten, a quarter of them from nearly all that a float can be."""
    powers = np.where(rng.uniform(size=n) < 0.25, rng.uniform(-300, 300, n), rng.uniform(-power, power, n))
    return 10**powers


def _location_and_scale(rng: np.random.Generator, n: int) -> list[Array]:
    return [rng.normal(size=n) * 10 ** rng.uniform(-3, 3, n), _scales(rng, n, 8)]


def _close_scales(rng: np.random.Generator, n: int) -> list[Array]:
    """Draw scales so close together that e^w does not always overflow."""
    return [rng.normal(size=n) * 10 ** rng.uniform(-2, 2, n), 10 ** rng.uniform(-1, 1, n)]


def _shape_and_scale(rng: np.random.Generator, n: int) -> list[Array]:
    return [10 ** rng.uniform(-6, 12, n), _scales(rng, n, 12)]


def _weibull_shape_and_scale(rng: np.random.Generator, n: int) -> list[Array]:
    shape = 10 ** rng.uniform(-2, 2, n)
    return [shape, 10 ** np.clip(rng.normal(size=n) / shape, -300, 300)]


def _far_scales(rng: np.random.Generator, n: int) -> list[Array]:
    return [_scales(rng, n, 70)]


def _shapes(count: int) -> Draw:
    return lambda rng, n: list(10 ** rng.uniform(-6, 12, (count, n)))


def _direction_and_concentration(rng: np.random.Generator, n: int) -> list[Array]:
    return [rng.uniform(-np.pi, np.pi, n), 10 ** rng.uniform(-6, 6, n)]


def _chances(rng: np.random.Generator, n: int) -> list[Array]:
    return [np.where(rng.uniform(size=n) < 0.5, 10 ** rng.uniform(-12, 0, n), rng.uniform(size=n))]


def _trials_and_chances(rng: np.random.Generator, n: int) -> list[Array]:
    return [np.floor(10 ** rng.uniform(0, 6, n)), *_chances(rng, n)]


def _rates(rng: np.random.Generator, n: int) -> list[Array]:
    return [10 ** rng.uniform(-9, 9, n)]


def _dirichlet_row(*alpha: float) -> Any:
    return stats.dirichlet(np.array(alpha))


_LOCATIONS = [(0, 1), (3, 0.1), (-1e3, 7e5)]
_SCALES = [(1,), (1e-9,), (3e7,)]
_SHAPES = [(1, 1), (0.3, 7), (1e-6, 1e3), (40, 1e-9), (1e12, 3)]
_CHANCES = [(0.5,), (0.3,), (1e-9,), (0.85,)]
_MANY = [(5, 0.5), (1, 0.3), (1000, 1e-9), (37, 0.85)]
FAMILIES = {
    "norm": Oracle(stats.norm, _normal, [*_LOCATIONS, (1e8, 1e-6)], _location_and_scale),
    "lognorm": Oracle(lambda s, x: stats.lognorm(s, scale=x), _lognormal, _SHAPES[:4], _shape_and_scale),
    "halfnorm": Oracle(stats.halfnorm, _half_normal, _LOCATIONS, _location_and_scale),
    "expon": Oracle(stats.expon, _exponential, [*_LOCATIONS, (-7, 1e9)], _location_and_scale),
    "gamma": Oracle(lambda a, s: stats.gamma(a, scale=s), _gamma, _SHAPES, _shape_and_scale),
    "chi2": Oracle(lambda df, s: stats.chi2(df, scale=s), _chi2, _SHAPES, _shape_and_scale),
    "invgamma": Oracle(lambda a, s: stats.invgamma(a, scale=s), _inverse_gamma, _SHAPES, _shape_and_scale),
    "beta": Oracle(
        stats.beta,
        _beta,
        [(1, 1), (0.3, 7), (1e-6, 1e3), (40, 3e5), (1e12, 1e12), (1e-6, 1e-6)],
        _shapes(2),
    ),
    "dirichlet": Oracle(
        _dirichlet_row,
        _dirichlet,
        [(1, 1, 1), (0.3, 7, 2), (1e-6, 1e3, 40), (1e12, 3e12, 1e12)],
        _shapes(3),
        batched=False,
    ),
    "laplace": Oracle(stats.laplace, _laplace, _LOCATIONS, _location_and_scale),
    "cauchy": Oracle(stats.cauchy, _cauchy, [*_LOCATIONS, (1e8, 1e-6)], _location_and_scale),
    "pareto": Oracle(lambda b, x: stats.pareto(b, scale=x), _pareto, _SHAPES, _shape_and_scale),
    "weibull_min": Oracle(
        lambda c, s: stats.weibull_min(c, scale=s),
        _weibull,
        [(1, 1), (0.3, 7), (40, 1e-9), (1e-3, 2), (1e6, 3)],
        _weibull_shape_and_scale,
    ),
    "gumbel_r": Oracle(stats.gumbel_r, _gumbel, _LOCATIONS, _close_scales),
    "gumbel_l": Oracle(stats.gumbel_l, _gumbel_left, _LOCATIONS, _close_scales),
    "uniform": Oracle(stats.uniform, _uniform, _LOCATIONS, _location_and_scale),
    "rayleigh": Oracle(lambda s: stats.rayleigh(scale=s), _rayleigh, _SCALES, _far_scales),
    "maxwell": Oracle(lambda s: stats.maxwell(scale=s), _maxwell, _SCALES, _far_scales),
    "vonmises": Oracle(
        lambda m, k: stats.vonmises(k, loc=m),
        _von_mises,
        [(0, 1), (3, 0.1), (-1.5, 1e-6), (1, 24.5), (2, 40), (1, 3e5)],
        _direction_and_concentration,
    ),
    "bernoulli": Oracle(stats.bernoulli, _bernoulli, _CHANCES, _chances),
    "binom": Oracle(stats.binom, _binomial, _MANY, _trials_and_chances, whole=(0,)),
    "geom": Oracle(stats.geom, _geometric, _CHANCES, _chances),
    "nbinom": Oracle(stats.nbinom, _negative_binomial, _MANY, _trials_and_chances, whole=(0,)),
    "poisson": Oracle(stats.poisson, _poisson, [(1,), (1e-9,), (3e7,)], _rates),
}
