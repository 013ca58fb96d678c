"""Pairs of distributions near identity and far from it, with their divergence to as many digits as asked.

`make bench` holds kl_lib against the whole grid, the unit tests against a sample of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from oracles import closed_forms
from oracles.closed_forms import mp

Array = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], list[Array]]

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
    "norm": Oracle(stats.norm, closed_forms.normal, [*_LOCATIONS, (1e8, 1e-6)], _location_and_scale),
    "lognorm": Oracle(
        lambda s, x: stats.lognorm(s, scale=x), closed_forms.lognormal, _SHAPES[:4], _shape_and_scale
    ),
    "halfnorm": Oracle(stats.halfnorm, closed_forms.half_normal, _LOCATIONS, _location_and_scale),
    "expon": Oracle(stats.expon, closed_forms.exponential, [*_LOCATIONS, (-7, 1e9)], _location_and_scale),
    "gamma": Oracle(lambda a, s: stats.gamma(a, scale=s), closed_forms.gamma, _SHAPES, _shape_and_scale),
    "chi2": Oracle(lambda df, s: stats.chi2(df, scale=s), closed_forms.chi2, _SHAPES, _shape_and_scale),
    "invgamma": Oracle(
        lambda a, s: stats.invgamma(a, scale=s), closed_forms.inverse_gamma, _SHAPES, _shape_and_scale
    ),
    "beta": Oracle(
        stats.beta,
        closed_forms.beta,
        [(1, 1), (0.3, 7), (1e-6, 1e3), (40, 3e5), (1e12, 1e12), (1e-6, 1e-6)],
        _shapes(2),
    ),
    "dirichlet": Oracle(
        _dirichlet_row,
        closed_forms.dirichlet,
        [(1, 1, 1), (0.3, 7, 2), (1e-6, 1e3, 40), (1e12, 3e12, 1e12)],
        _shapes(3),
        batched=False,
    ),
    "laplace": Oracle(stats.laplace, closed_forms.laplace, _LOCATIONS, _location_and_scale),
    "cauchy": Oracle(stats.cauchy, closed_forms.cauchy, [*_LOCATIONS, (1e8, 1e-6)], _location_and_scale),
    "pareto": Oracle(lambda b, x: stats.pareto(b, scale=x), closed_forms.pareto, _SHAPES, _shape_and_scale),
    "weibull_min": Oracle(
        lambda c, s: stats.weibull_min(c, scale=s),
        closed_forms.weibull,
        [(1, 1), (0.3, 7), (40, 1e-9), (1e-3, 2), (1e6, 3)],
        _weibull_shape_and_scale,
    ),
    "gumbel_r": Oracle(stats.gumbel_r, closed_forms.gumbel, _LOCATIONS, _close_scales),
    "gumbel_l": Oracle(stats.gumbel_l, closed_forms.gumbel_left, _LOCATIONS, _close_scales),
    "uniform": Oracle(stats.uniform, closed_forms.uniform, _LOCATIONS, _location_and_scale),
    "rayleigh": Oracle(lambda s: stats.rayleigh(scale=s), closed_forms.rayleigh, _SCALES, _far_scales),
    "maxwell": Oracle(lambda s: stats.maxwell(scale=s), closed_forms.maxwell, _SCALES, _far_scales),
    "vonmises": Oracle(
        lambda m, k: stats.vonmises(k, loc=m),
        closed_forms.von_mises,
        [(0, 1), (3, 0.1), (-1.5, 1e-6), (1, 24.5), (2, 40), (1, 3e5)],
        _direction_and_concentration,
    ),
    "bernoulli": Oracle(stats.bernoulli, closed_forms.bernoulli, _CHANCES, _chances),
    "binom": Oracle(stats.binom, closed_forms.binomial, _MANY, _trials_and_chances, whole=(0,)),
    "geom": Oracle(stats.geom, closed_forms.geometric, _CHANCES, _chances),
    "nbinom": Oracle(stats.nbinom, closed_forms.negative_binomial, _MANY, _trials_and_chances, whole=(0,)),
    "poisson": Oracle(stats.poisson, closed_forms.poisson, [(1,), (1e-9,), (3e7,)], _rates),
}
