"""Where distributions live: ends and lattices that rounding alone tells apart are the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import stats

from kl_lib import kl_divergence, scipy_adapter
from kl_lib.divergence.distributions import beyond, common, on_lattice, union, without

EPSILON = np.finfo(np.float64).eps


def on_interval(spelling: int, lower: float, width: float, loc: float, scale: float) -> Any:
    """Return a distribution on [lower, lower + width] in one of SciPy's ways to write it."""
    upper = lower + width
    mean, scale = lower + loc * width, scale * width
    a, b = (lower - mean) / scale, (upper - mean) / scale
    return (
        lambda: stats.truncnorm(a, b, loc=mean, scale=scale),
        lambda: stats.truncate(stats.Normal(mu=mean, sigma=scale), lower, upper),
        lambda: scale * stats.truncate(stats.Normal(), a, b) + mean,
        lambda: stats.Uniform(a=lower, b=upper),
        lambda: stats.uniform(lower, upper - lower),
        lambda: (upper - lower) * stats.Uniform(a=0.0, b=1.0) + lower,
        lambda: stats.truncexpon((upper - lower) / scale, loc=lower, scale=scale),
        lambda: stats.genpareto(-0.5, loc=lower, scale=0.5 * (upper - lower)),
        lambda: stats.beta(2.0, 1.5, loc=lower, scale=upper - lower),
    )[spelling]()


spellings = st.tuples(st.integers(0, 8), st.floats(-1, 2), st.floats(0.2, 5))


@given(spellings, spellings, st.floats(-10, 10), st.floats(0.1, 10))
def test_one_interval_in_all_spellings(p: Any, q: Any, lower: float, width: float) -> None:
    first, second = (on_interval(i, lower, width, loc, scale) for i, loc, scale in (p, q))
    assert 0 <= kl_divergence(first, second, rtol=1e-6) < np.inf


def test_two_truncated_normals() -> None:
    def cut(mean: float, scale: float) -> Any:
        return stats.truncnorm((-1 - mean) / scale, (1 - mean) / scale, loc=mean, scale=scale)

    assert kl_divergence(cut(0.2, 0.1), cut(0.4, 0.2)) == pytest.approx(0.816796370594, rel=1e-11)


@pytest.mark.parametrize("shift", [1e-13, -1e-13])
def test_ends_that_differ_by_more_than_rounding(shift: float) -> None:
    p = stats.truncnorm(-1, 1)
    q = stats.truncnorm(-1, 1, loc=shift)
    assert kl_divergence(p, q) == np.inf


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (stats.expon(0.3), stats.expon(0.1 + 0.2)),
        (stats.halfnorm(0.3), stats.halfnorm(0.1 + 0.2)),
        (stats.pareto(2, scale=0.3), stats.pareto(2, scale=0.1 + 0.2)),
        (stats.uniform(0.1, 0.2), stats.uniform(0, 0.3)),
    ],
)
def test_closed_forms_look_at_ends_alike(p: Any, q: Any) -> None:
    assert kl_divergence(p, q) < 1
    moved = type(q)(q.dist, *q.args, **q.kwds)
    moved.kwds["loc"] = moved.kwds.get("loc", moved.args[0] if p.dist.name != "pareto" else 0.0) + 1e-14
    moved.args = moved.args[1:] if p.dist.name != "pareto" else moved.args
    if p.dist.name != "uniform":
        assert kl_divergence(p, moved) == np.inf


@given(st.floats(-1e6, 1e6), st.integers(-3, 0))
def test_lattices_at_any_offset(loc: float, steps: int) -> None:
    p, q = stats.poisson(2.0, loc=loc), stats.poisson(3.0, loc=loc + steps)
    expected = kl_divergence(stats.poisson(2.0), stats.poisson(3.0, loc=steps), method="quadrature")
    assert kl_divergence(p, q, method="quadrature") == pytest.approx(expected, rel=1e-9)
    assert kl_divergence(p, stats.poisson(3.0, loc=loc + steps - 0.4)) == np.inf
    if steps:
        assert kl_divergence(q, p) == np.inf


def test_lattices_of_large_numbers() -> None:
    assert kl_divergence(stats.poisson(1e15), stats.poisson(1e15, loc=-0.5)) == np.inf
    points = stats.rv_discrete(values=([0.3, 1.3], [0.5, 0.5]))
    assert kl_divergence(points, stats.bernoulli(0.5, loc=0.3)) == 0.0
    assert kl_divergence(stats.bernoulli(0.5, loc=0.3), points) == 0.0
    assert kl_divergence(stats.bernoulli(0.5, loc=0.4), points) == np.inf


def test_points_that_a_location_merges_share_their_mass() -> None:
    p = stats.rv_discrete(values=([0, 1e-17, 1], [0.25, 0.25, 0.5]))
    assert kl_divergence(p(loc=1), stats.bernoulli(0.5, loc=1)) == 0.0
    assert kl_divergence(p, stats.bernoulli(0.5)) == np.inf


def test_a_circle_is_an_interval() -> None:
    uniform = stats.uniform(-np.pi, 2 * np.pi)
    for loc in (0.0, 1.0, 10.0):
        assert kl_divergence(stats.vonmises(2, loc=loc), uniform) == pytest.approx(0.571555774445, rel=1e-11)
    assert kl_divergence(stats.norm(), stats.vonmises(2)) == np.inf


def test_rounding() -> None:
    assert_array_equal(
        beyond(np.array([-1.0, 0.0, 6 * EPSILON, 9 * EPSILON, np.inf]), 1.0, -1.0), [0, 0, 0, 1, 1]
    )
    assert_array_equal(on_lattice(np.array([3.0, 3 + 1e-15, 3.1, 3.5]), 0.0), [1, 1, 0, 0])
    assert not on_lattice(0.5, 1e30)
    assert union([(2.0, 3.0), (0.1 + 0.2, 1.0), (0.0, 0.3)], 0.0) == [(0.0, 1.0), (2.0, 3.0)]


def test_intervals_in_one_another() -> None:
    whole, half = [(-np.inf, np.inf)], [(0.0, np.inf)]
    assert common(half, whole, 0.0) == half
    assert common(whole, half, 0.0) is None
    assert common([(0.3, 1.0)], [(0.1 + 0.2, 1.0)], 0.0) == [(0.1 + 0.2, 1.0)]
    assert without(whole, half, 0.0) == [(-np.inf, 0.0)]
    assert without(whole, [(0.0, 1.0)], 0.0) == [(-np.inf, 0.0), (1.0, np.inf)]
    assert without([(0.0, 9.0)], [(2.0, 4.0)], 0.0, step=1.0) == [(0.0, 1.0), (5.0, 9.0)]
    assert without([(0.0, 4.0)], [(1.0, 4.0)], 0.0, step=1.0) == [(0.0, 0.0)]
    assert without(half, half, 0.0) == []


def test_a_truncated_variable_knows_nothing_of_another_one() -> None:
    """SciPy gives the attributes of one truncated variable to all."""
    plain = stats.truncate(stats.Normal(mu=998.5, sigma=0.08), 1000, 1002)
    moved = stats.truncate(stats.Normal() * 0.08 + 998.5, 1000, 1002)
    uniform = stats.Uniform(a=1000.0, b=1002.0)
    for side in (plain, moved):
        assert kl_divergence(side, uniform) == pytest.approx(5.1556988920, rel=1e-9)
    assert scipy_adapter.shift(plain) == 0 < 998.5 <= scipy_adapter.shift(moved)


# Classes that state no bounds live, as SciPy has it, on the whole line.


class Power(stats.rv_continuous):
    """A density (a + 1) x^a on [0, 1], 0 elsewhere."""

    def _pdf(self, x: Any, a: Any) -> Any:
        inside = (x > 0) & (x < 1)
        return np.where(inside, (a + 1) * np.where(inside, x, 1.0) ** a, 0.0)


class Die(stats.rv_discrete):
    """Each of n faces alike, from 0."""

    def _pmf(self, k: Any, n: Any) -> Any:
        return np.where((k >= 0) & (k < n), 1 / n, 0.0)


class Underflowing(stats.rv_continuous):
    """A standard normal density whose logarithm is taken after it underflows."""

    def _pdf(self, x: Any) -> Any:
        return np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi)


class Heavy(stats.rv_continuous):
    """A Cauchy density."""

    def _pdf(self, x: Any) -> Any:
        return 1 / np.pi / (1 + x * x)


POWER, DIE = Power(name="Power"), Die(name="Die")


@given(
    a=st.floats(0.1, 3),
    loc=st.floats(-100, 100),
    scale=st.floats(0.1, 10),
    below=st.floats(0, 2),
    above=st.floats(0, 2),
)
def test_a_density_that_ends_before_its_support_does(
    a: float, loc: float, scale: float, below: float, above: float
) -> None:
    p = POWER(a, loc=loc, scale=scale)
    q = stats.uniform(loc - below * scale, (1 + below + above) * scale)
    expected = np.log((a + 1) * (1 + below + above)) - a / (a + 1)
    assert kl_divergence(p, q, rtol=1e-7) == pytest.approx(expected, rel=1e-6, abs=1e-7)
    assert kl_divergence(p, stats.uniform(loc, 0.9 * scale)) == np.inf


@given(n=st.integers(1, 2000), more=st.integers(0, 50), loc=st.integers(-9, 9))
def test_a_mass_that_ends_before_its_support_does(n: int, more: int, loc: int) -> None:
    p = DIE(n, loc=loc)
    assert kl_divergence(p, stats.randint(0, n + more, loc=loc)) == pytest.approx(
        np.log((n + more) / n), rel=1e-9, abs=1e-12
    )
    faces = stats.rv_discrete(values=(loc + np.arange(n + more), np.full(n + more, 1 / (n + more))))
    assert kl_divergence(p, faces) == pytest.approx(np.log((n + more) / n), rel=1e-9, abs=1e-12)
    if n > 1:
        assert kl_divergence(p, stats.randint(0, n - 1, loc=loc)) == np.inf


@pytest.mark.parametrize("q", [stats.uniform(-50, 100), stats.uniform(-5, 10), stats.expon()])
@pytest.mark.parametrize("p", [Underflowing(name="Underflowing")(), Heavy(name="Heavy")()])
def test_a_density_that_underflows_has_not_ended(p: Any, q: Any) -> None:
    assert kl_divergence(p, q) == np.inf


def test_a_density_that_is_not_found_keeps_its_support() -> None:
    assert kl_divergence(POWER(1.0, loc=0.0, scale=1e-3), stats.uniform(5, 1)) == np.inf
    assert kl_divergence(DIE(3, loc=10**6), stats.randint(0, 9)) == np.inf
