"""The climb: what it does where its objective gives it nothing to climb by."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from kl_lib.families import DiagonalNormal, FullNormal, Normal
from kl_lib.optimization import maximize


@pytest.mark.parametrize("slope", [1.0, 1e308], ids=["to nowhere", "too steep to measure"])
@pytest.mark.parametrize("family", [Normal(), DiagonalNormal(3), FullNormal(2)])
def test_a_slope_that_gains_nothing_is_given_up(family, slope):
    start, slopes = np.zeros(family.size), np.full(family.size, slope)
    fit = maximize(family, lambda theta: (-float(theta @ theta), slopes), start, tol=1e-6, max_iter=50)
    assert_array_equal(fit.theta, start)
    assert not fit.converged
    assert fit.message == "no step along the gradient leads higher"
