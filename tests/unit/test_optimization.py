"""The climb: what it does where its objective gives it nothing to climb by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from kl_lib.families import Bernoulli, DiagonalNormal, FullNormal, Normal
from kl_lib.optimization import maximize


@pytest.mark.parametrize("slope", [1.0, 1e308], ids=["to nowhere", "too steep to measure"])
@pytest.mark.parametrize("family", [Normal(), DiagonalNormal(3), FullNormal(2)])
def test_a_slope_that_gains_nothing_is_given_up(family, slope):
    start, slopes = np.zeros(family.size), np.full(family.size, slope)
    fit = maximize(family, lambda theta: (-float(theta @ theta), slopes), start, tol=1e-6, max_iter=50)
    assert_array_equal(fit.theta, start)
    assert not fit.converged
    assert fit.message == "no step along the gradient leads higher"


@given(power=st.floats(-12, -7))
def test_a_slope_whose_change_has_a_square_that_underflows_is_climbed(power):
    """The change times the step is above 0: a curvature, but none that a float tells."""
    curvature = 10.0**power
    slope = np.sqrt(1e-318 / curvature)

    def hill(theta):
        return slope * theta[0] - curvature * theta[0] ** 2 / 2, np.array([slope - curvature * theta[0]])

    fit = maximize(Bernoulli(), hill, np.zeros(1), tol=1e-200, max_iter=5)
    assert 0 < fit.theta[0] < slope / curvature
    assert not fit.converged


@given(height=st.floats(0, 40), slope=st.floats(-12, 12))
def test_a_maximum_whose_value_is_lost_in_rounding_is_one_to_a_millionth_of_a_nat(height, slope):
    """A peak at 0, which no step leaves, has a slope still: flat if it and what it gains are lost."""
    value, slope = -(10.0**height), 10.0**slope

    def peak(theta):
        return value - slope * abs(theta[0]), -slope * np.sign(theta + 1e-300)

    fit = maximize(Bernoulli(), peak, np.array([-0.0]), tol=1e-9, max_iter=50)
    assert fit.converged == (slope <= 1e-9 or slope**2 / 2 <= min(8 * 2.0**-52 * -value, 1e-6))


@given(st.floats(-3, 3), st.floats(-1, 1))
def test_where_rounding_hides_what_is_gained_the_slopes_lead(mean, log_scale):
    """The value falls by one unit in the last place each time that it is asked for."""
    units = iter(range(10**6))

    def objective(theta):
        slopes = [(mean - theta[0]) / np.exp(2 * log_scale), 1 - np.exp(2 * (theta[1] - log_scale))]
        return 1e17 - np.spacing(1e17) * next(units), np.array(slopes)

    fit = maximize(Normal(), objective, np.zeros(2), tol=1e-9, max_iter=20)
    assert fit.converged
    assert_allclose(fit.theta, [mean, log_scale], atol=1e-8)
