"""The climb: what it does where its objective gives it nothing to climb by."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from kl_lib.families import DiagonalNormal, FullNormal, Normal
from kl_lib.optimization import maximize


@pytest.mark.parametrize("family", [Normal(), DiagonalNormal(3), FullNormal(2)])
def test_a_slope_too_steep_to_measure_is_not_followed(family):
    start = np.zeros(family.size)
    steep = np.full(family.size, 1e308)
    fit = maximize(family, lambda theta: (-float(theta @ theta), steep), start, tol=1e-6, max_iter=50)
    assert_array_equal(fit.theta, start)
    assert not fit.converged
    assert fit.message == "no step along the gradient leads higher"


@pytest.mark.parametrize("family", [Normal(), DiagonalNormal(3), FullNormal(2)])
def test_a_slope_that_leads_nowhere_is_given_up(family):
    start = np.zeros(family.size)
    fit = maximize(
        family, lambda theta: (-float(theta @ theta), np.ones(family.size)), start, tol=1e-6, max_iter=50
    )
    assert_array_equal(fit.theta, start)
    assert not fit.converged
    assert fit.message == "no step along the gradient leads higher"
