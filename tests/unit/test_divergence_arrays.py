"""Probabilities in arrays, Cholesky factors and covariances, against mpmath."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from oracles import closed_forms
from oracles.closed_forms import exact
from oracles.grid import relative_errors
from oracles.statistics import z_scores
from scipy import stats
from scipy.special import rel_entr

from kl_lib import kl_categorical, kl_divergence, kl_normal_cholesky, kl_normal_covariance
from kl_lib.numerics import excess_factor

UNIT = 2.0**-53


def of_floats(formula: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *floats: formula(*map(exact, floats))


mp_categorical, mp_normal = of_floats(closed_forms.categorical), of_floats(closed_forms.normal_cholesky)
mp_normal_from_covariances = of_floats(closed_forms.normal_covariance)


def error(value: Any, reference: Any) -> float:
    return float(relative_errors(value, [reference])[0])


@pytest.mark.parametrize("distance", 10.0 ** -np.arange(1, 13))
def test_categorical_near_identity(distance: float, rng: np.random.Generator) -> None:
    p = rng.dirichlet(np.full(7, 0.6), size=5)
    q = p * (1 + distance * rng.uniform(-1, 1, p.shape))
    q /= q.sum(axis=-1, keepdims=True)
    got = kl_categorical(p, q)
    assert max(error(*pair) for pair in zip(got, map(mp_categorical, p, q), strict=True)) < 1e-15


def test_categorical_far_from_identity(rng: np.random.Generator) -> None:
    p, q = rng.dirichlet(np.full(9, 0.2), size=(2, 60))
    got = kl_categorical(p, q)
    assert max(error(*pair) for pair in zip(got, map(mp_categorical, p, q), strict=True)) < 2e-15
    assert_allclose(got, rel_entr(p, q).sum(axis=-1), rtol=1e-9)


def test_weights_stand_for_themselves_over_their_sum(rng: np.random.Generator) -> None:
    p = rng.dirichlet(np.ones(5)) * (1 + 9e-10)
    q = p * (1 + 1e-8 * rng.uniform(-1, 1, 5))
    q *= (1 - 9e-10) / q.sum()
    assert error(kl_categorical(p, q), mp_categorical(p, q)) < 2e-15
    proportional = kl_categorical([0.25, 0.75], np.array([0.25, 0.75]) * (1 - 2.0**-31))
    assert 0 <= proportional < 1e-33


def test_single_precision_may_sum_to_1_more_loosely() -> None:
    p = np.array([0.1, 0.2, 0.7], dtype=np.float32) * np.float32(1 + 3e-6)
    assert error(kl_categorical(p, [0.25, 0.25, 0.5]), mp_categorical(p, np.array([0.25, 0.25, 0.5]))) < 1e-15
    with pytest.raises(ValueError, match="p must sum to 1 within 1e-09"):
        kl_categorical(p.astype(np.float64), [0.25, 0.25, 0.5])


def test_outcomes_without_probability() -> None:
    assert kl_categorical([0.0, 1.0], [0.5, 0.5]) == pytest.approx(np.log(2), rel=1e-15)
    assert kl_categorical([0.5, 0.5], [0.0, 1.0]) == np.inf
    assert kl_categorical([0.0, 1.0], [0.0, 1.0]) == 0.0
    assert kl_categorical([1, 0], [1, 0]) == 0.0


def test_long_categoricals(rng: np.random.Generator) -> None:
    p, q = rng.dirichlet(np.ones(40_000), size=2)
    assert kl_categorical(p, q) == pytest.approx(kl_categorical(p[None], q[None])[0], rel=1e-13)
    assert kl_categorical(p, q) == pytest.approx(rel_entr(p, q).sum(), rel=1e-11)


def test_categorical_axis_and_broadcasting(rng: np.random.Generator) -> None:
    p, q = rng.dirichlet(np.ones(4), size=(3, 1)), rng.dirichlet(np.ones(4), size=5)
    value = kl_categorical(p, q)
    assert value.shape == (3, 5)
    assert value[2, 4] == kl_categorical(p[2, 0], q[4])
    assert_array_equal(kl_categorical(np.moveaxis(p, -1, 0), np.moveaxis(q, -1, 0)[:, None], axis=0), value)
    assert isinstance(kl_categorical(p[0, 0], q[0]), float)


def test_multinomial_is_n_times_one_draw() -> None:
    p, q = [0.2, 0.3, 0.5], [0.4, 0.4, 0.2]
    one = kl_categorical(p, q)
    value = kl_divergence(stats.multinomial([1, 5], p), stats.multinomial([[1], [5]], q))
    assert_allclose(value, [[one, np.inf], [np.inf, 5 * one]], rtol=1e-14)


def random_factor(rng: np.random.Generator, d: int, condition: float) -> np.ndarray:
    """Return the Cholesky factor of a covariance of this condition number."""
    basis = np.linalg.qr(rng.normal(size=(d, d)))[0]
    return np.linalg.cholesky(basis * np.geomspace(1, condition, d) @ basis.T)


@pytest.mark.parametrize("condition", [1.0, 1e6, 1e12])
@pytest.mark.parametrize("distance", [1e-1, 1e-4, 1e-8, 1e-12])
def test_cholesky_factors_near_identity(condition: float, distance: float, rng: np.random.Generator) -> None:
    factor_q = random_factor(rng, 6, condition)
    factor_p = factor_q * (1 + distance * rng.uniform(-1, 1, (6, 6)))
    mean_q = rng.normal(size=6)
    mean_p = mean_q + distance * factor_q @ rng.normal(size=6)
    skeel = np.linalg.norm(np.abs(np.linalg.inv(factor_q)) @ np.abs(factor_q), 2)
    reference = mp_normal(mean_p, factor_p, mean_q, factor_q)
    difference = error(kl_normal_cholesky(mean_p, factor_p, mean_q, factor_q), reference)
    assert difference < 10 * UNIT * skeel + 5e-15


def test_cholesky_factors_far_apart(rng: np.random.Generator) -> None:
    for _ in range(20):
        mean_p, mean_q = rng.normal(size=(2, 4))
        factor_p, factor_q = random_factor(rng, 4, 1e8) * 1e-6, random_factor(rng, 4, 10.0)
        reference = mp_normal(mean_p, factor_p, mean_q, factor_q)
        assert error(kl_normal_cholesky(mean_p, factor_p, mean_q, factor_q), reference) < 5e-15


def test_cholesky_factors_in_batches(rng: np.random.Generator) -> None:
    mean_p, mean_q = rng.normal(size=(3, 1, 2)), rng.normal(size=(5, 2))
    factor_p = np.stack([random_factor(rng, 2, 10.0) for _ in range(3)])[:, None]
    factor_q = random_factor(rng, 2, 10.0)
    value = kl_normal_cholesky(mean_p, factor_p, mean_q, factor_q)
    assert value.shape == (3, 5)
    assert value[2, 4] == pytest.approx(kl_normal_cholesky(mean_p[2, 0], factor_p[2, 0], mean_q[4], factor_q))


def test_many_systems_are_solved_in_blocks(rng: np.random.Generator) -> None:
    mean_p, mean_q = rng.normal(size=(2, 300, 3))
    factor_p, factor_q = np.tril(rng.uniform(0.5, 1.5, size=(2, 300, 3, 3)))
    value = kl_normal_cholesky(mean_p, factor_p, mean_q, factor_q)
    for i in (0, 255, 256, 299):
        reference = mp_normal(mean_p[i], factor_p[i], mean_q[i], factor_q[i])
        assert error(value[i], reference) < 5e-15
    large = np.stack([random_factor(rng, 70, 10.0) for _ in range(4)])
    pairs = kl_normal_cholesky(np.zeros(70), large[:2], np.ones(70), large[2:])
    singly = [kl_normal_cholesky(np.zeros(70), large[i], np.ones(70), large[i + 2]) for i in range(2)]
    assert_allclose(pairs, singly, rtol=1e-14)
    shared = kl_normal_cholesky(mean_p, factor_p[0], mean_q, factor_q)
    assert shared[7] == pytest.approx(
        kl_normal_cholesky(mean_p[7], factor_p[0], mean_q[7], factor_q[7]), rel=1e-14
    )


def test_upper_entries_that_cancel_over_the_batch_are_seen() -> None:
    factor = np.stack([np.eye(3), np.eye(3)])
    factor[:, 0, 2] = 1e-300, -1e-300
    with pytest.raises(ValueError, match="chol_q must be lower triangular, got 1e-300 above"):
        kl_normal_cholesky(np.zeros(3), np.eye(3), np.zeros(3), factor)


@pytest.mark.parametrize("size", [3, 16, 40])
def test_many_covariances_are_as_exact_as_one(size: int, rng: np.random.Generator) -> None:
    count = 600
    roots = rng.normal(size=(2, count, size, size))
    cov_p, cov_q = roots @ roots.swapaxes(-1, -2) + size * np.eye(size)
    cov_p[::3] = cov_q[::3] * (1 + 1e-9)
    cov_p[1::3] *= 1e-6
    mean_p, mean_q = rng.normal(size=(2, count, size))
    mean_p[::3] = mean_q[::3]
    value = kl_normal_covariance(mean_p, cov_p, mean_q, cov_q)
    for i in (0, 1, 2, 300, 511, 512, 599)[: 100 // size]:
        ends = mean_p[i], cov_p[i], mean_q[i], cov_q[i]
        bound = 10 * np.linalg.cond(cov_q[i]) * UNIT + 2e-15
        reference = mp_normal_from_covariances(*ends)
        assert error(value[i], reference) < bound
        assert error(kl_normal_covariance(*ends), reference) < bound


def test_covariances_broadcast_and_are_symmetric_but_for_rounding(rng: np.random.Generator) -> None:
    factors = np.stack([random_factor(rng, 2, 10.0) for _ in range(3)])
    cov_p, mean_q = factors @ factors.swapaxes(-1, -2), rng.normal(size=(5, 1, 2))
    value = kl_normal_covariance(np.zeros(2), cov_p, mean_q, np.eye(2))
    assert value.shape == (5, 3)
    assert isinstance(kl_normal_covariance(np.zeros(2), cov_p[0], mean_q[0, 0], np.eye(2)), float)
    rounded = cov_p * (1 + 1e-15 * np.tri(2))
    assert_allclose(kl_normal_covariance(np.zeros(2), rounded, mean_q, np.eye(2)), value, rtol=1e-13)
    assert kl_normal_covariance(np.zeros((0, 2)), np.eye(2), np.zeros(2), np.eye(2)).shape == (0,)


@pytest.mark.parametrize("size", [2, 33, 100])
@pytest.mark.parametrize("scale", [1e-12, 0.1, 100.0])
def test_the_factor_of_an_excess(size: int, scale: float, rng: np.random.Generator) -> None:
    root = rng.uniform(-1, 1, (size, size))
    lower = scale * (np.tril(root) + size * np.eye(size))
    excess = lower + lower.T + lower @ lower.T
    for batch in (excess[..., np.newaxis], np.stack([excess] * 3, axis=-1)):
        found = excess_factor(batch)
        assert_allclose(found[..., -1], lower, atol=1e-13 * size * scale, rtol=0)
        assert not np.any(np.triu(found[..., 0], 1))


@pytest.mark.parametrize("condition", [1.0, 1e4, 1e8])
@pytest.mark.parametrize("distance", [1e-1, 1e-4, 1e-8])
def test_covariances_near_identity(condition: float, distance: float, rng: np.random.Generator) -> None:
    factor = random_factor(rng, 4, condition)
    cov_q = factor @ factor.T
    cov_q = (cov_q + cov_q.T) / 2
    symmetric = rng.uniform(-1, 1, (4, 4))
    cov_p = cov_q + distance / condition * (symmetric + symmetric.T)
    mean_p, mean_q = distance * factor @ rng.normal(size=4), np.zeros(4)
    reference = mp_normal_from_covariances(mean_p, cov_p, mean_q, cov_q)
    value = kl_divergence(stats.multivariate_normal(mean_p, cov_p), stats.multivariate_normal(mean_q, cov_q))
    assert error(value, reference) < 10 * np.linalg.cond(cov_q) * UNIT + 2e-15


def test_covariances_far_apart(rng: np.random.Generator) -> None:
    for scale in (1e-12, 1e-3, 1e6):
        cov_p, cov_q = (np.cov(rng.normal(size=(3, 20))) for _ in range(2))
        ends = rng.normal(size=3), scale * cov_p, rng.normal(size=3), cov_q
        p, q = stats.multivariate_normal(*ends[:2]), stats.multivariate_normal(*ends[2:])
        assert error(kl_divergence(p, q), mp_normal_from_covariances(*ends)) < 2e-14


def test_covariances_and_factors_agree_with_simulation(rng: np.random.Generator) -> None:
    mean_p, mean_q = rng.normal(size=(2, 3))
    factor_p, factor_q = (random_factor(rng, 3, 20.0) for _ in range(2))
    p = stats.multivariate_normal(mean_p, factor_p @ factor_p.T)
    q = stats.multivariate_normal(mean_q, stats.Covariance.from_cholesky(factor_q))
    value = kl_divergence(p, q)
    assert value == pytest.approx(kl_normal_cholesky(mean_p, factor_p, mean_q, factor_q), rel=1e-12)
    x = p.rvs(100_000, random_state=rng)
    assert abs(z_scores(p.logpdf(x) - q.logpdf(x), value)) < 4.5


def test_one_dimension_is_the_normal() -> None:
    value = kl_divergence(
        stats.multivariate_normal([1.0], [[4.0]]), stats.multivariate_normal([0.0], [[9.0]])
    )
    assert value == pytest.approx(kl_divergence(stats.norm(1, 2), stats.norm(0, 3)), rel=1e-15)
    assert kl_normal_cholesky([1.0], [[2.0]], [0.0], [[3.0]]) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize("distance", [1e-1, 1e-5, 1e-9, 1e-12])
def test_distributions_given_by_their_points_near_identity(distance: float, rng: np.random.Generator) -> None:
    p = rng.dirichlet(np.ones(6))
    q = p * (1 + distance * rng.uniform(-1, 1, 6))
    q /= q.sum()
    points = rng.permutation(6)
    first, second = stats.rv_discrete(values=(points, p)), stats.rv_discrete(values=(points + 3, q))(loc=-3)
    assert error(kl_divergence(first, second, method="closed"), mp_categorical(p, q)) < 2e-15
