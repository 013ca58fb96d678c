"""The divergence from samples alone: the formula, its limit, its symmetries, and what it refuses."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kl_lib import kl_divergence, kl_nearest_neighbours


def by_the_formula(x: np.ndarray, y: np.ndarray, k: int) -> float:
    """Sort all distances: equation 14 of Wang, Kulkarni and Verdú (2009) as it is printed."""
    x, y = (points.reshape(len(points), -1) for points in (x, y))
    terms = []
    for i, point in enumerate(x):
        own = sorted(math.dist(point, other) for j, other in enumerate(x) if j != i)
        others = sorted(math.dist(point, other) for other in y)
        terms.append(math.log(others[k - 1] / own[k - 1]))
    return x.shape[1] / len(x) * math.fsum(terms) + math.log(len(y) / (len(x) - 1))


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("shape", [(20,), (20, 1), (20, 3)])
def test_it_is_the_formula(shape, k, rng):
    x, y = rng.normal(size=shape), rng.normal(0.5, 2, size=(30, *shape[1:]))
    assert kl_nearest_neighbours(x, y, k=k) == pytest.approx(by_the_formula(x, y, k), rel=1e-12)


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (stats.norm(), stats.norm(1)),
        (stats.norm(), stats.norm(0, 2)),
        (stats.gamma(3), stats.gamma(2, scale=1.5)),
        (stats.norm(), stats.laplace()),
    ],
)
@pytest.mark.parametrize("k", [1, 5, 20])
def test_on_the_line_its_mean_is_close_to_the_divergence(p, q, k, rng):
    n = 2000
    found = np.array(
        [
            kl_nearest_neighbours(p.rvs(n, random_state=rng), q.rvs(n, random_state=rng), k=k)
            for _ in range(30)
        ]
    )
    error = found.std(ddof=1) / 30**0.5
    assert abs(found.mean() - kl_divergence(p, q)) < 4.5 * error + 0.03
    assert error < 0.03


def test_it_converges(rng):
    p, q = stats.norm(), stats.norm(1)
    errors = []
    for n in (100, 10_000):
        found = [
            kl_nearest_neighbours(p.rvs(n, random_state=rng), q.rvs(n, random_state=rng)) for _ in range(20)
        ]
        errors.append(np.mean((np.array(found) - 0.5) ** 2) ** 0.5)
    assert errors[1] < errors[0] / 5


def test_a_larger_k_spreads_less(rng):
    spread = {}
    for k in (1, 20):
        found = [
            kl_nearest_neighbours(rng.normal(size=500), rng.normal(1, 1, size=500), k=k) for _ in range(60)
        ]
        spread[k] = np.std(found)
    assert spread[20] < 0.8 * spread[1]


@pytest.mark.parametrize(("p", "least"), [(stats.norm(0, 2), 0.2), (stats.laplace(), 0.1)])
def test_where_q_has_no_sample_near_it_is_too_small(p, least, rng):
    x, y = p.rvs(2000, random_state=rng), rng.normal(size=2000)
    assert kl_nearest_neighbours(x, y) < kl_divergence(p, stats.norm()) - least


def test_in_many_dimensions_it_is_far_too_small(rng):
    d = 20
    shift = np.zeros(d)
    shift[0] = 4.0  # D = 8
    x, y = rng.normal(size=(1000, d)), rng.normal(size=(1000, d)) + shift
    assert kl_nearest_neighbours(x, y) < 6.5


@given(st.integers(-900, 900), st.integers(2, 12), st.integers(1, 3), st.integers(0, 2**32), st.floats(-5, 5))
def test_moving_turning_and_scaling_change_nothing(exponent, n, d, seed, angle):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, d)), rng.normal(1, 2, size=(n + 1, d))
    wanted = kl_nearest_neighbours(x, y, k=1)
    assert kl_nearest_neighbours(np.ldexp(x, exponent), np.ldexp(y, exponent), k=1) == pytest.approx(wanted)
    assert kl_nearest_neighbours(x + 3, y + 3, k=1) == pytest.approx(wanted, rel=1e-6, abs=1e-6)
    turn = np.eye(d)
    if d > 1:
        turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    assert kl_nearest_neighbours(x @ turn, y @ turn, k=1) == pytest.approx(wanted, rel=1e-6, abs=1e-6)


@given(st.integers(0, 2**32))
def test_the_order_of_the_samples_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(9, 2)), rng.normal(size=(8, 2))
    wanted = kl_nearest_neighbours(x, y, k=2)
    assert kl_nearest_neighbours(rng.permutation(x), rng.permutation(y), k=2) == pytest.approx(
        wanted, rel=1e-12
    )


def test_the_fewest_samples():
    assert kl_nearest_neighbours([0.0, 1.0], [3.0], k=1) == pytest.approx((math.log(3) + math.log(2)) / 2)


GRID = np.arange(20.0)


@pytest.mark.parametrize(
    ("x", "y", "k", "error", "message"),
    [
        (GRID, GRID + 0.5, 0, ValueError, "k must be an integer >= 1, got 0"),
        (GRID, GRID + 0.5, 2.0, TypeError, "k must be an integer"),
        (GRID[:5], GRID + 0.5, 5, ValueError, "x must be at least 6 samples for this k, got 5"),
        (GRID, GRID[:4] + 0.5, 5, ValueError, "y must be at least 5 samples for this k, got 4"),
        (GRID, np.zeros((20, 2)), 5, ValueError, "x and y must have one dimension, got 1 and 2"),
        (np.zeros((20, 0)), GRID, 5, ValueError, r"x must have shape \(n,\) or \(n, d\), got \(20, 0\)"),
        (3.0, GRID, 5, ValueError, r"x must have shape \(n,\) or \(n, d\), got \(\)"),
        (np.append(GRID, np.nan), GRID, 5, ValueError, r"x must be finite, got nan at index \(20,\)"),
        (GRID, np.append(GRID, np.inf), 5, ValueError, "y must be finite, got inf"),
        (
            np.append(GRID, 3.0),
            GRID + 0.5,
            5,
            ValueError,
            r"must all differ, .* got x\[3\] and x\[20\] at one",
        ),
        (GRID, np.append(GRID + 0.5, 2.5), 5, ValueError, r"got y\[2\] and y\[20\] at one point"),
        (GRID, np.append(GRID + 0.5, 7), 5, ValueError, r"got x\[7\] and y\[20\] at one point"),
        (np.zeros(9), np.zeros(9), 2, ValueError, "at one point"),
        (["a"], GRID, 5, TypeError, "x must be a number or an array of numbers"),
    ],
)
def test_what_cannot_be_estimated_is_refused_by_name(x, y, k, error, message):
    with pytest.raises(error, match=message):
        kl_nearest_neighbours(x, y, k=k)
