"""The z-scores of sample means: their law, their shapes, and what has none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kl_lib import Estimate, z_scores


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
