"""The z-scores of sample means, and means of any size: their laws, their shapes, and what has none."""

from __future__ import annotations

import os
import tracemalloc
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kl_lib import Estimate, families, monte_carlo, score_function, z_scores


def test_they_are_students_t(rng):
    x = rng.normal(3.0, 2.0, size=(50, 7))
    t = stats.ttest_1samp(x, 3.0).statistic
    np.testing.assert_allclose(z_scores(x, 3.0), t, rtol=1e-13)


def test_their_spread_is_one(rng):
    scores = z_scores(rng.exponential(size=(1000, 4000)), 1.0)
    assert stats.kstest(scores, stats.norm.cdf).pvalue > 1e-5
    assert abs(scores.std() - 1) < 4.5 / np.sqrt(2 * 4000)


@given(st.floats(-5, 5), st.floats(0.1, 10))
def test_moving_and_scaling_change_nothing(shift, factor):
    x = np.random.default_rng(1).normal(size=100)
    moved = z_scores(shift + factor * x, shift + factor * 0.2)
    assert np.isclose(moved, z_scores(x, 0.2), rtol=1e-9, atol=0)


def test_they_agree_with_an_estimate(rng):
    x = rng.normal(size=30)
    estimate = Estimate.of(x)
    assert np.isclose(z_scores(x, 1.0), (estimate.value - 1) / estimate.standard_error, rtol=1e-14, atol=0)


def test_what_is_expected_broadcasts(rng):
    x = rng.normal(size=(10, 3, 2))
    assert z_scores(x, 0.0).shape == z_scores(x, np.zeros((3, 1))).shape == (3, 2)
    assert np.ndim(z_scores(x[:, 0, 0], 0.0)) == 0


@pytest.mark.parametrize(
    ("samples", "expected", "words"),
    [
        ([1.0], 0.0, r"samples must be at least 2, \(n, ...\), got an array of shape \(1,\)"),
        (1.0, 0.0, r"samples must be at least 2, .* shape \(\)"),
        ([[1.0, 2.0], [1.0, 3.0]], 0.0, "samples must differ, .* got equal ones"),
        ([1.0, np.nan], 0.0, r"samples must be finite, got nan at index \(1,\)"),
        ([1.0, 2.0], np.inf, "expected must be finite, got inf"),
    ],
)
def test_what_has_no_standard_error_is_refused(samples, expected, words):
    with pytest.raises(ValueError, match=words):
        z_scores(samples, expected)


# Means of more samples than fit in memory.


def normal(size: int, rng: np.random.Generator) -> np.ndarray:
    return rng.normal([1.0, -2.0], [3.0, 0.5], size=(size, 2))


def one_batch(n: int, chunk: int) -> np.ndarray:
    """Draw what `monte_carlo` draws, and keep it."""
    generators = np.random.default_rng(20260101).spawn(-(-n // chunk))
    return np.concatenate([normal(min(chunk, n - i * chunk), rng) for i, rng in enumerate(generators)])


@pytest.mark.parametrize(("n", "chunk"), [(1000, 1000), (1000, 300), (1000, 1), (2, 5), (1001, 1000)])
def test_the_moments_are_those_of_all_samples_together(n, chunk, rng):
    moments = monte_carlo(normal, n, rng=rng, chunk=chunk)
    samples = one_batch(n, chunk)
    np.testing.assert_allclose(moments.mean, samples.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(moments.variance, samples.var(axis=0, ddof=1), rtol=1e-12)
    np.testing.assert_allclose(moments.standard_error, samples.std(axis=0, ddof=1) / n**0.5, rtol=1e-12)
    assert moments.n == n


@pytest.mark.parametrize("n_jobs", [2, -1])
def test_the_number_of_workers_changes_no_bit(n_jobs, rng):
    again = np.random.default_rng(20260101)
    alone = monte_carlo(normal, 7500, rng=rng, chunk=1000)
    shared = monte_carlo(normal, 7500, rng=again, chunk=1000, n_jobs=n_jobs)
    np.testing.assert_array_equal(alone.mean, shared.mean)
    np.testing.assert_array_equal(alone.variance, shared.variance)
    assert rng.random() == again.random()


def test_a_second_call_draws_anew(rng):
    first, second = (monte_carlo(normal, 100, rng=rng, chunk=50) for _ in range(2))
    assert np.all(first.mean != second.mean)


def test_a_small_spread_on_a_large_mean_is_kept(rng):
    moments = monte_carlo(lambda size, rng: 1e9 + rng.random(size), 100_000, rng=rng, chunk=1000)
    assert moments.variance == pytest.approx(1 / 12, rel=0.02)


def test_an_estimator_of_gradients_will_do(rng):
    family, theta = families.Normal(), np.array([0.5, 0.0])
    draw = partial(score_function, family, theta, lambda x: x**2)
    moments = monte_carlo(draw, 40_000, rng=rng, chunk=10_000)
    assert np.all(np.abs(moments.mean - [1.0, 2.0]) < 4.5 * moments.standard_error)


def test_numbers_stay_numbers(rng):
    moments = monte_carlo(lambda size, rng: rng.random(size), 50, rng=rng)
    assert np.ndim(moments.mean) == np.ndim(moments.variance) == np.ndim(moments.standard_error) == 0


def test_the_callback_hears_of_every_chunk(rng):
    heard = []
    monte_carlo(normal, 25, rng=rng, chunk=10, callback=lambda done, n: heard.append((done, n)))
    assert heard == [(10, 25), (20, 25), (25, 25)]


def test_memory_is_that_of_a_chunk(rng):
    def draw(size: int, rng: np.random.Generator) -> np.ndarray:
        return rng.random(size)

    peaks = []
    for chunks in (2, 40):
        tracemalloc.start()
        monte_carlo(draw, chunks * 50_000, rng=rng, chunk=50_000)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]


def fails_late(size: int, rng: np.random.Generator) -> np.ndarray:
    """Raise in the last, shorter chunk."""
    if size < 10:
        raise OSError("no such disk")
    return rng.random(size)


def dies_late(size: int, rng: np.random.Generator) -> np.ndarray:
    """End the process in the last, shorter chunk."""
    if size < 10:
        os._exit(1)
    return rng.random(size)


def shrinks(size: int, rng: np.random.Generator) -> np.ndarray:
    return rng.random((size, size))


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_draw_that_raises_is_named_by_its_chunk(n_jobs, rng):
    with pytest.raises(RuntimeError, match="draw failed in chunk 2 of 3: OSError: no such disk"):
        monte_carlo(fails_late, 25, rng=rng, chunk=10, n_jobs=n_jobs)


@pytest.mark.filterwarnings("ignore:A worker stopped:UserWarning")
def test_a_worker_that_dies_is_named_by_its_chunk(rng):
    with pytest.raises(RuntimeError, match=r"chunk [0-2] of 3 did not come back: TerminatedWorkerError"):
        monte_carlo(dies_late, 25, rng=rng, chunk=10, n_jobs=2)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (
            lambda size, rng: rng.random(size + 1),
            r"chunk 0 of 3: ValueError: samples must have shape \(10, ...\)",
        ),
        (lambda _, rng: rng.random(), r"samples must have shape \(10, ...\), got \(\)"),
        (lambda size, rng: np.full(size, np.nan) * rng.random(), r"finite, got nan at index \(0,\)"),
        (lambda size, rng: np.where(rng.random(size) < 0.5, -1e200, 1e200), "FloatingPointError: overflow"),
        (lambda size, **_: ["a"] * size, "TypeError: samples must be a number"),
        (lambda size: size, "TypeError: .* unexpected keyword argument 'rng'"),
    ],
)
def test_samples_that_are_none_are_refused_with_their_chunk(draw, message, rng):
    with pytest.raises(RuntimeError, match=message):
        monte_carlo(draw, 25, rng=rng, chunk=10)


def test_samples_of_two_shapes_are_refused(rng):
    with pytest.raises(ValueError, match=r"one shape, got \(5,\) each in chunk 2 after \(10,\)"):
        monte_carlo(shrinks, 25, rng=rng, chunk=10)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n": 1}, ValueError, "n must be an integer >= 2, got 1"),
        ({"n": 1e3}, TypeError, "n must be an integer"),
        ({"chunk": 0}, ValueError, "chunk must be an integer >= 1, got 0"),
        ({"n_jobs": 0}, ValueError, "n_jobs must be an integer >= 1, got 0"),
        ({"n_jobs": -2}, ValueError, "n_jobs must be an integer >= 1, got -2"),
        ({"draw": 3}, TypeError, "draw must be a function of a number of samples and rng, got 3"),
        ({"rng": 0}, TypeError, "rng must be a numpy.random.Generator"),
    ],
)
def test_what_cannot_be_drawn_is_refused(arguments, error, message, rng):
    call = {"draw": normal, "n": 20, "rng": rng} | arguments
    with pytest.raises(error, match=message):
        monte_carlo(**call)


def test_without_joblib_several_workers_are_refused_by_its_extra(rng, monkeypatch):
    def import_nothing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr("kl_lib.extras.import_module", import_nothing)
    with pytest.raises(ModuleNotFoundError, match=r"n_jobs=2 needs joblib, .* \"kl_lib\[parallel\]\""):
        monte_carlo(normal, 20, rng=rng, n_jobs=2)
    assert monte_carlo(normal, 20, rng=rng).n == 20
