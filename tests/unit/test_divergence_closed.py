"""Closed forms to the last digits, against mpmath at 60 digits, floats taken as exact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from kl_lib import kl_divergence

mp = mpmath.mp.clone()
mp.dps = 60
DISTANCES = [sign * 10.0**-k for k in range(1, 13) for sign in (1, -1)]


def log_beta(a: Any, b: Any) -> Any:
    return mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)


def normal(m: Any, s: Any, n: Any, t: Any) -> Any:
    return mp.log(t / s) + (s**2 + (m - n) ** 2) / (2 * t**2) - mp.mpf(1) / 2


def exponential(x: Any, s: Any, y: Any, t: Any) -> Any:
    return mp.log(t / s) + (x - y + s) / t - 1 if x >= y else mp.inf


def laplace(m: Any, b: Any, n: Any, c: Any) -> Any:
    d = abs(m - n)
    return mp.log(c / b) + (b * mp.exp(-d / b) + d) / c - 1


def uniform(x: Any, v: Any, y: Any, w: Any) -> Any:
    return mp.log(w / v) if x >= y and x + v <= y + w else mp.inf


def gamma(a: Any, s: Any, b: Any, t: Any) -> Any:
    return (a - b) * mp.digamma(a) - mp.loggamma(a) + mp.loggamma(b) + b * mp.log(t / s) + a * (s / t - 1)


def beta(a: Any, b: Any, c: Any, d: Any) -> Any:
    total = mp.digamma(a + b)
    return (
        log_beta(c, d)
        - log_beta(a, b)
        + (a - c) * (mp.digamma(a) - total)
        + (b - d) * (mp.digamma(b) - total)
    )


def bernoulli(p: Any, q: Any) -> Any:
    return p * mp.log(p / q) + (1 - p) * mp.log((1 - p) / (1 - q))


def poisson(a: Any, b: Any) -> Any:
    return a * mp.log(a / b) - a + b


@dataclass(frozen=True)
class Family:
    """How SciPy builds it, its divergence in mpmath, bases to move away from, and how far pairs are drawn."""

    build: Callable[..., Any]
    reference: Callable[..., Any]
    bases: list[tuple[float, ...]]
    draw: Callable[[np.random.Generator, int], list[np.ndarray]]


def location_and_scale(rng: np.random.Generator, n: int) -> list[np.ndarray]:
    return [rng.normal(size=n) * 10 ** rng.uniform(-3, 3, n), 10 ** rng.uniform(-8, 8, n)]


def two_shapes(rng: np.random.Generator, n: int) -> list[np.ndarray]:
    return list(10 ** rng.uniform(-6, 12, (2, n)))


FAMILIES = {
    "norm": Family(stats.norm, normal, [(0, 1), (3, 0.1), (-1e3, 7e5), (1e8, 1e-6)], location_and_scale),
    "expon": Family(stats.expon, exponential, [(0, 1), (3, 0.1), (-7, 1e9)], location_and_scale),
    "laplace": Family(stats.laplace, laplace, [(0, 1), (3, 0.1), (-1e3, 7e5)], location_and_scale),
    "uniform": Family(stats.uniform, uniform, [(0, 1), (3, 0.1), (-1e3, 7e5)], location_and_scale),
    "gamma": Family(
        lambda a, scale: stats.gamma(a, scale=scale),
        gamma,
        [(1, 1), (0.3, 7), (1e-6, 1e3), (40, 1e-9), (1e12, 3)],
        two_shapes,
    ),
    "beta": Family(
        stats.beta, beta, [(1, 1), (0.3, 7), (1e-6, 1e3), (40, 3e5), (1e12, 1e12), (1e-6, 1e-6)], two_shapes
    ),
    "bernoulli": Family(
        stats.bernoulli,
        bernoulli,
        [(0.5,), (0.3,), (1e-9,), (1 - 2.0**-30,)],
        lambda rng, n: [
            np.where(rng.uniform(size=n) < 0.5, 10 ** rng.uniform(-12, 0, n), rng.uniform(size=n))
        ],
    ),
    "poisson": Family(
        stats.poisson, poisson, [(1,), (1e-9,), (3e7,)], lambda rng, n: [10 ** rng.uniform(-9, 9, n)]
    ),
}
every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


def worst_error(family: Family, p: list[np.ndarray], q: list[np.ndarray]) -> float:
    """Return the largest relative error; where the divergence is 0 or infinite, that too must be exact."""
    got = kl_divergence(family.build(*p), family.build(*q), method="closed")
    errors = [0.0]
    for value, *floats in zip(np.ravel(got), *p, *q, strict=True):
        exact = family.reference(*(mp.mpf(float(x)) for x in floats))
        if exact == 0 or exact == mp.inf:
            assert value == float(exact), floats
        else:
            errors.append(float(abs(mp.mpf(float(value)) / exact - 1)))
    return max(errors)


def near_pairs(family: Family) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return every base with each parameter, and with all of them, moved by every relative distance."""
    rows_p, rows_q = [], []
    for base in family.bases:
        moves = [*np.eye(len(base)), np.ones(len(base))]
        for distance in DISTANCES:
            for move in moves:
                moved = np.asarray(base, dtype=float) * (1 + distance * move)
                # A location of 0 moves by parts of the scale.
                moved = np.where(np.equal(base, 0), distance * move * base[-1], moved)
                rows_p.append(base)
                rows_q.append(moved)
    return list(np.array(rows_p, dtype=float).T), list(np.array(rows_q).T)


@every_family
def test_near_identity(family: Family) -> None:
    p, q = near_pairs(family)
    inside = [np.minimum(x, 1 - 2.0**-53) if family.reference is bernoulli else x for x in q]
    assert worst_error(family, p, inside) < 1e-15


@every_family
def test_far_from_identity(family: Family, rng: np.random.Generator) -> None:
    assert worst_error(family, family.draw(rng, 150), family.draw(rng, 150)) < 8e-15


@every_family
def test_identity_is_exactly_0(family: Family, rng: np.random.Generator) -> None:
    p = family.draw(rng, 50)
    assert_array_equal(kl_divergence(family.build(*p), family.build(*p)), 0.0)


@every_family
def test_three_routes_agree(family: Family, rng: np.random.Generator) -> None:
    """The closed form, quadrature or a sum, and a Monte-Carlo mean of 1e5 samples."""
    ends = [np.asarray(base, dtype=float) for base in MIDDLE[family.reference.__name__]]
    p, q = (family.build(*end) for end in ends)
    closed = kl_divergence(p, q, method="closed")
    assert_allclose(kl_divergence(p, q, method="quadrature"), closed, rtol=1e-9)
    assert_allclose(
        closed, float(family.reference(*(mp.mpf(float(x)) for end in ends for x in end))), rtol=1e-14
    )
    x = p.rvs(100_000, random_state=rng)
    log = (lambda d: d.logpdf(x)) if hasattr(p.dist, "logpdf") else (lambda d: d.logpmf(x))
    ratio = log(p) - log(q)
    assert abs(np.mean(ratio) - closed) <= 4.5 * np.std(ratio) / np.sqrt(x.size) + 1e-12


MIDDLE = {
    "normal": [(0.3, 1.2), (-0.4, 2.0)],
    "exponential": [(0.5, 2.0), (0.0, 3.0)],
    "laplace": [(0.3, 1.2), (-0.4, 2.0)],
    "uniform": [(0.25, 0.5), (0.0, 1.0)],
    "gamma": [(2.0, 1.5), (3.5, 0.7)],
    "beta": [(2.0, 3.5), (1.5, 1.2)],
    "bernoulli": [(0.3,), (0.6,)],
    "poisson": [(3.0,), (4.5,)],
}


def test_published_values() -> None:
    narrow, wide = stats.norm(0, 1), stats.norm(0, 2)
    assert kl_divergence(narrow, wide) == pytest.approx(np.log(2) - 3 / 8, rel=1e-15)
    assert kl_divergence(wide, narrow) == pytest.approx(3 / 2 - np.log(2), rel=1e-15)
    moved = stats.norm(1, 2)
    assert kl_divergence(narrow, moved) == pytest.approx(0.4431472, abs=5e-8)
    assert kl_divergence(moved, narrow) == pytest.approx(1.3068528, abs=5e-8)


def test_the_divergence_is_not_symmetric() -> None:
    p, q = stats.norm(0, 1), stats.norm(0, [0.5, 2.0, 3.0])
    forward, reverse = kl_divergence(p, q), kl_divergence(q, p)
    assert np.all(forward + reverse > 0)
    assert np.all(np.abs(forward - reverse) > 0.1)


@pytest.mark.parametrize(
    ("p", "q", "expected"),
    [
        (stats.expon(0), stats.expon(1), np.inf),
        (stats.uniform(0, 2), stats.uniform(0, 1), np.inf),
        (stats.uniform(-0.5, 1), stats.uniform(0, 1), np.inf),
        (stats.uniform(0, 0.1), stats.uniform(0, 1), np.log(10)),
        (stats.uniform(0.1, 0.2), stats.uniform(0, 0.3), np.inf),  # 0.1 + 0.2 > 0.3 for these floats
        (stats.bernoulli(0.3), stats.bernoulli([0.0, 1.0]), [np.inf, np.inf]),
        (stats.bernoulli([0.0, 1.0]), stats.bernoulli(0.25), [-np.log(0.75), np.log(4)]),
        (stats.bernoulli([0.0, 1.0]), stats.bernoulli([0.0, 1.0]), [0.0, 0.0]),
        (stats.bernoulli([0.0, 1.0]), stats.bernoulli([1.0, 0.0]), [np.inf, np.inf]),
        (stats.poisson([0.0, 0.0, 2.0]), stats.poisson([0.0, 2.0, 0.0]), [0.0, 2.0, np.inf]),
        (stats.gamma(2, loc=-1), stats.gamma(2), np.inf),
        (stats.beta(2, 3, scale=2), stats.beta(2, 3), np.inf),
        (stats.laplace(0, 1e-310), stats.laplace(1, 1), -np.log(1e-310)),
        (stats.norm(0, 1e-300), stats.norm(0, 1), 300 * np.log(10) - 0.5),
    ],
)
def test_edges(p: Any, q: Any, expected: Any) -> None:
    assert_allclose(kl_divergence(p, q), expected, rtol=1e-14)


def test_locations_that_a_formula_does_not_cover_are_integrated() -> None:
    for p, q in (
        (stats.gamma(2, loc=1), stats.gamma(2)),
        (stats.beta(2, 3, loc=0.25, scale=0.5), stats.beta(2, 3)),
        (stats.bernoulli(0.3, loc=1), stats.poisson(1)),
        (stats.poisson(2, loc=1), stats.poisson(2)),
    ):
        assert kl_divergence(p, q) == kl_divergence(p, q, method="quadrature") > 0
        with pytest.raises(NotImplementedError, match="no closed form of D"):
            kl_divergence(p, q, method="closed")


def test_a_bernoulli_at_another_place_may_touch_it_at_a_point() -> None:
    assert kl_divergence(stats.bernoulli(0, loc=1), stats.bernoulli(0.25)) == pytest.approx(
        np.log(4), rel=1e-15
    )
    assert kl_divergence(stats.bernoulli(0.5, loc=1), stats.bernoulli(0.25)) == np.inf


def test_newer_random_variables_take_the_closed_form_of_their_generator() -> None:
    gamma_class = stats.make_distribution(stats.gamma)
    for newer, frozen in (
        (stats.Normal(mu=1.0, sigma=2.0), stats.norm(1, 2)),
        (stats.Normal(), stats.norm()),
        (gamma_class(a=2.5), stats.gamma(2.5)),
    ):
        for other in (stats.norm(0.3, 0.9), stats.gamma(1.2)):
            if other.dist is frozen.dist:
                assert kl_divergence(newer, other, method="closed") == kl_divergence(frozen, other)
                assert kl_divergence(other, newer, method="closed") == kl_divergence(other, frozen)


def test_a_newer_uniform_keeps_its_ends_exactly() -> None:
    inner, outer = stats.Uniform(a=0.1, b=0.3), stats.Uniform(a=0.0, b=0.3)
    exact = mp.log(mp.mpf(0.3) / (mp.mpf(0.3) - mp.mpf(0.1)))
    assert kl_divergence(inner, outer) == pytest.approx(float(exact), rel=1e-15)
    a, b = np.nextafter(0.1, 1), np.nextafter(0.3, 0)
    exact = mp.log((mp.mpf(0.3) - mp.mpf(0.1)) / (mp.mpf(float(b)) - mp.mpf(float(a))))
    assert kl_divergence(stats.Uniform(a=a, b=b), inner) == pytest.approx(float(exact), rel=1e-15)
    assert kl_divergence(inner, stats.Uniform(a=a, b=0.3)) == np.inf


def test_arguments_by_position_and_by_keyword_are_the_same() -> None:
    q = stats.gamma(3.0, 0.0, 2.0)
    assert kl_divergence(stats.gamma(2.0, 0, 1.5), q) == kl_divergence(stats.gamma(a=2.0, scale=1.5), q)


def test_array_parameters_broadcast() -> None:
    value = kl_divergence(stats.gamma([[1.0], [2.0]], scale=[1.0, 2.0, 3.0]), stats.gamma(1.5))
    assert value.shape == (2, 3)
    assert value[1, 2] == kl_divergence(stats.gamma(2.0, scale=3.0), stats.gamma(1.5))
    value[0, 0] = 0.0  # The result is an array of its own.
    assert isinstance(kl_divergence(stats.norm(), stats.norm()), float)
