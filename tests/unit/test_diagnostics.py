"""The diagnostics of importance weights, held against ArviZ, mpmath, and the tails of known laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from arviz_stats.base import array_stats
from hypothesis import given
from hypothesis import strategies as st
from oracles import estimators as oracles

from kl_lib import effective_sample_size, pareto_k

SIZES = (25, 60, 224, 225, 226, 1000, 20_000)


def weights_of(law: str, n: int) -> np.ndarray:
    rng = np.random.default_rng(20260101)
    draws = {
        "normal": lambda: rng.normal(size=n),
        "exponential": lambda: 0.9 * rng.exponential(size=n),
        "uniform": lambda: np.log(rng.random(n)),
        "chi-squared": lambda: 0.4 * rng.normal(size=n) ** 2 + 700,
        "far apart": lambda: 30 * rng.normal(size=n) - 1e3,
    }
    return draws[law]()


LAWS = ("normal", "exponential", "uniform", "chi-squared", "far apart")


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("law", LAWS)
def test_the_tail_index_is_that_of_arviz(law, n):
    log_weights = weights_of(law, n)
    wanted = array_stats.psislw(-log_weights, r_eff=1)[1]  # its weights are of minus what it takes
    assert abs(pareto_k(log_weights) - wanted) < 1e-10


@pytest.mark.parametrize("n", SIZES[:-1])
@pytest.mark.parametrize("law", LAWS)
def test_the_effective_sample_size_is_the_formula(law, n):
    log_weights = weights_of(law, n)
    found = effective_sample_size(log_weights)
    assert found == pytest.approx(oracles.effective_sample_size(log_weights), rel=1e-12)
    # As ArviZ has it where it corrects a variance: of the normalised weights.
    weights = np.exp(log_weights - np.logaddexp.reduce(log_weights))
    assert found == pytest.approx(1 / np.sum(weights**2), rel=1e-10)


def test_weights_beyond_the_range_of_floats_have_the_tail_of_the_formula():
    log_weights = np.concatenate([np.linspace(-1, 0, 80), np.linspace(1, 2000, 20)])
    cutoff = np.sort(log_weights)[79]
    wanted = oracles.pareto_shape_of_logs([w for w in log_weights if w > cutoff], cutoff)
    assert pareto_k(log_weights) == pytest.approx(wanted, rel=1e-10)
    assert wanted > 100


@given(st.lists(st.floats(-40, 40), min_size=25, max_size=90, unique=True), st.floats(-1e3, 1e3))
def test_a_factor_of_all_weights_changes_nothing(values, shift):
    log_weights = np.round(np.array(values), 6) + 1e-4 * np.arange(len(values))
    assert pareto_k(log_weights + shift) == pytest.approx(pareto_k(log_weights), rel=1e-6, abs=1e-6)
    assert effective_sample_size(log_weights + shift) == pytest.approx(
        effective_sample_size(log_weights), rel=1e-9
    )


@given(st.lists(st.floats(-700, 700), min_size=1, max_size=50))
def test_the_effective_sample_size_is_between_1_and_n(log_weights):
    value = effective_sample_size(np.array(log_weights))
    assert 1 - 1e-12 <= value <= len(log_weights) * (1 + 1e-12)
    assert value == pytest.approx(oracles.effective_sample_size(log_weights), rel=1e-12)


def test_equal_weights_are_all_effective_and_one_alone_is_one():
    assert effective_sample_size(np.full(7, -1e4)) == 7
    assert effective_sample_size([0.0]) == effective_sample_size([3.0, -np.inf, -np.inf]) == 1


@pytest.mark.parametrize("k", [0.2, 0.5, 0.9, 1.5])
def test_the_index_of_a_pareto_law_is_found(k, rng):
    n = 200_000
    tail = int(3 * n**0.5)
    estimates = [pareto_k(k * rng.exponential(size=n)) for _ in range(20)]
    # The spread of the maximum-likelihood index is (1 + k)/√tail (Smith 1987), and the prior draws it to ½.
    wanted = (tail * k + 5) / (tail + 10)
    assert abs(np.mean(estimates) - wanted) < 4.5 * (1 + k) / (tail * 20) ** 0.5
    assert np.std(estimates) < 2 * (1 + k) / tail**0.5


def test_weights_of_0_are_below_every_other():
    log_weights = weights_of("exponential", 400)
    with_zeros = np.where(np.arange(400) < 100, -np.inf, log_weights)
    smallest = np.where(np.arange(400) < 100, -1e5, log_weights)
    assert pareto_k(with_zeros) == pareto_k(smallest)
    without = effective_sample_size(log_weights[100:])
    assert effective_sample_size(with_zeros) == pytest.approx(without, rel=1e-14)


def test_a_tail_whose_threshold_is_0_is_that_of_the_weights():
    positive = np.log([1.0, 2, 3, 4, 6, 9, 14, 30, 80, 99])
    log_weights = np.concatenate([np.full(40, -np.inf), positive])
    assert pareto_k(log_weights) == pytest.approx(oracles.pareto_shape(list(np.exp(positive))), rel=1e-10)


@given(size=st.floats(0.6, 1.7), n=st.integers(25, 200))
def test_logarithms_whose_difference_overflows(size, n):
    """The small weights are 0 beside the large one."""
    log_weights = np.concatenate([np.full(n, -size * 1e308), [size * 1e308]])
    assert effective_sample_size(log_weights) == 1
    with pytest.raises(ValueError, match="log_weights must differ to have a tail"):
        pareto_k(log_weights)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_precision_is_kept(dtype):
    log_weights = weights_of("exponential", 1000).astype(dtype)
    for function in (pareto_k, effective_sample_size):
        value, wanted = function(log_weights), function(log_weights.astype(np.float64))
        assert value.dtype == dtype
        assert value == dtype(wanted)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (np.zeros(24), ValueError, r"log_weights must have shape \(n,\) with n >= 25, got \(24,\)"),
        (np.zeros((5, 9)), ValueError, r"must have shape \(n,\) with n >= 25, got \(5, 9\)"),
        (np.zeros(30), ValueError, "log_weights must differ to have a tail, got too many equal ones"),
        ([0.0] * 40 + [1.0] * 40, ValueError, "got too many equal ones among the largest 17"),
        ([0.0] * 40 + [1.0] * 10, ValueError, "got too many equal ones among the largest 11"),
        ([-np.inf] * 30, ValueError, "log_weights must not all be -inf"),
        ([-np.inf] * 30 + [0.0], ValueError, "got too many equal ones"),
        ([0.0] * 30 + [math.nan], ValueError, r"finite or -inf, got nan at index \(30,\)"),
        ([0.0, math.inf], ValueError, r"got inf at index \(1,\)"),
        (["a"], TypeError, "log_weights must be real numbers"),
    ],
)
def test_what_has_no_tail_is_refused_by_name(value, error, message):
    with pytest.raises(error, match=message):
        pareto_k(value)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ([], ValueError, r"log_weights must have shape \(n,\) with n >= 1, got \(0,\)"),
        (0.0, ValueError, r"n >= 1, got \(\)"),
        ([-np.inf], ValueError, "must not all be -inf"),
        ([math.nan], ValueError, "got nan at index"),
        ([1j], TypeError, "got complex128 entries"),
    ],
)
def test_what_has_no_size_is_refused_by_name(value, error, message):
    with pytest.raises(error, match=message):
        effective_sample_size(value)


def test_a_size_that_half_precision_cannot_hold_is_refused():
    assert effective_sample_size(np.zeros(65_504, dtype=np.float16)) == 65_504
    with pytest.raises(ArithmeticError, match="size of 65505 weights may not fit float16: convert"):
        effective_sample_size(np.zeros(65_505, dtype=np.float16))
    assert effective_sample_size(np.zeros(65_505, dtype=np.float32)) == 65_505


def test_25_weights_have_a_tail():
    assert math.isfinite(pareto_k(weights_of("normal", 25)))
