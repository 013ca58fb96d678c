"""The cancellation-free pieces against mpmath."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from oracles import numerics as oracles
from oracles.numerics import mp, worst_error

from kl_lib.numerics import (
    bessel_bregman,
    bessel_ratio,
    beta_bregman,
    expm1x,
    gamma_bregman,
    gamma_curvature,
    gumbel_divergence,
    kl_term,
    log_ratio,
    log_ratio_parts,
    phi,
    phi_product_ratio,
    phi_ratio,
    phi_square_ratio,
    polynomial,
    stirling_remainder,
    two_product,
    two_quotient,
    two_sum,
)
from kl_lib.numerics.gamma import _SERIES, STIRLING

# Relative distances from identity, on both sides.
DISTANCES = np.concatenate([sign * 10.0 ** -np.arange(1, 16, 0.25) for sign in (1, -1)])


def test_phi_is_right_to_four_units_in_the_last_place(rng: np.random.Generator) -> None:
    delta = np.concatenate(
        [
            DISTANCES,
            rng.uniform(-1, 1, 400),
            10 ** rng.uniform(-40, 300, 200),
            -1 + 10 ** rng.uniform(-15, 0, 50),
        ]
    )
    assert worst_error(phi(delta), oracles.phi, delta) < 5e-16


def test_psi_is_right_to_four_units_in_the_last_place(rng: np.random.Generator) -> None:
    w = np.concatenate([DISTANCES, rng.uniform(-2, 2, 400), rng.uniform(-800, 700, 200)])
    assert worst_error(expm1x(w), oracles.expm1x, w) < 5e-16


def test_phi_and_psi_mirror_each_other() -> None:
    w = np.linspace(-5, 5, 101)
    np.testing.assert_allclose(phi(np.expm1(w)), expm1x(w), rtol=1e-13)


def test_the_ends_of_phi_and_psi() -> None:
    np.testing.assert_array_equal(phi([-1.0, 0.0, np.inf]), [np.inf, 0.0, np.inf])
    np.testing.assert_array_equal(expm1x([-np.inf, 0.0, 1e4, np.inf]), [np.inf, 0.0, np.inf, np.inf])


def test_the_textbook_difference_fails_where_phi_does_not() -> None:
    delta = np.logspace(-15, -8, 50)
    exact = delta**2 / 2 - delta**3 / 3
    assert np.max(np.abs((delta - np.log1p(delta)) / exact - 1)) > 1e-3
    assert np.max(np.abs(phi(delta) / exact - 1)) < 1e-15


def test_ratios_see_the_exact_difference_of_two_close_floats(rng: np.random.Generator) -> None:
    y = 10 ** rng.uniform(-100, 100, DISTANCES.size)
    x = y * (1 + DISTANCES)
    assert worst_error(phi_ratio(x, y), oracles.phi_ratio, x, y) < 1e-15
    assert worst_error(phi_square_ratio(x, y), oracles.phi_square_ratio, x, y) < 1.5e-15


def test_ratios_far_from_1(rng: np.random.Generator) -> None:
    x, y = 10 ** rng.uniform(-70, 70, (2, 300))
    assert worst_error(phi_ratio(x, y), oracles.phi_ratio, x, y) < 1e-15
    assert worst_error(phi_square_ratio(x, y), oracles.phi_square_ratio, x, y) < 1e-15


def test_a_ratio_may_underflow() -> None:
    assert phi_ratio(1e-200, 1e200) == pytest.approx(400 * np.log(10) - 1, rel=1e-15)
    assert phi_ratio(1e200, 1e-200) == np.inf


def test_ratios_of_products(rng: np.random.Generator) -> None:
    a, b, c = 10 ** rng.uniform(-60, 60, (3, DISTANCES.size))
    for factors in (1 + DISTANCES, 10 ** rng.uniform(-60, 60, DISTANCES.size), np.ones(DISTANCES.size)):
        d = a * b / c * factors
        exact = worst_error(phi_product_ratio(a, b, c, d), oracles.phi_product_ratio, a, b, c, d)
        assert exact < 1.5e-15


def test_terms_of_weights(rng: np.random.Generator) -> None:
    p = 10 ** rng.uniform(-200, 0, DISTANCES.size)
    for q in (p * (1 + DISTANCES), 10 ** rng.uniform(-200, 0, DISTANCES.size)):
        assert worst_error(kl_term(p, q), oracles.kl_term, p, q) < 1e-15


def test_terms_of_weights_that_are_zero() -> None:
    np.testing.assert_array_equal(kl_term([0.0, 0.0, 0.5], [0.0, 0.25, 0.0]), [0.0, 0.25, np.inf])


def test_a_term_takes_the_difference_it_is_told() -> None:
    assert kl_term(1.0, 1.0, 1e-20) == pytest.approx(5e-41, rel=1e-15)


def test_sums_and_products_without_their_rounding(rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(2, 500)) * 10 ** rng.uniform(-30, 30, (2, 500))
    for (rounded, lost), exact in (
        (two_sum(a, b), lambda a, b: a + b),
        (two_product(a, b), lambda a, b: a * b),
    ):
        for x, y, high, low in zip(a, b, rounded, lost, strict=True):
            assert mp.mpf(high) + mp.mpf(low) == exact(mp.mpf(x), mp.mpf(y))


def test_polynomial_agrees_with_numpy(rng: np.random.Generator) -> None:
    coefficients, x = rng.normal(size=7), rng.normal(size=11)
    np.testing.assert_allclose(
        polynomial(coefficients, x), np.polynomial.Polynomial(coefficients)(x), rtol=1e-12
    )


def test_curvature_of_log_gamma(rng: np.random.Generator) -> None:
    a = 10 ** rng.uniform(-8, 12, 200)
    assert worst_error(gamma_curvature(a), oracles.gamma_curvature, a) < 1e-15


def test_gamma_bregman_near(rng: np.random.Generator) -> None:
    y = 10 ** rng.uniform(-6, 12, DISTANCES.size)
    x = y * (1 + DISTANCES)
    assert worst_error(gamma_bregman(x, y), oracles.gamma_bregman, x, y) < 1e-15


def test_gamma_bregman_far(rng: np.random.Generator) -> None:
    for last in (12, 0):
        x, y = 10 ** rng.uniform(-6, last, (2, 300))
        assert worst_error(gamma_bregman(x, y), oracles.gamma_bregman, x, y) < 8e-15


def test_gamma_bregman_of_scalars() -> None:
    assert gamma_bregman(2.0, 1.0) == pytest.approx(1 - 2 * np.log(2) + np.euler_gamma, rel=1e-14)


def test_beta_bregman_near(rng: np.random.Generator) -> None:
    a, b = 10 ** rng.uniform(-6, 12, (2, DISTANCES.size))
    ends = a, b, a * (1 + DISTANCES), b * (1 + rng.permutation(DISTANCES))
    assert worst_error(beta_bregman(*ends), oracles.beta_bregman, *ends) < 2e-15


def test_beta_bregman_far(rng: np.random.Generator) -> None:
    ends = tuple(10 ** rng.uniform(-6, 12, (4, 120)))
    assert worst_error(beta_bregman(*ends), oracles.beta_bregman, *ends) < 4e-15


def test_beta_bregman_keeps_the_digits_of_the_sum(rng: np.random.Generator) -> None:
    ends = 10 ** rng.uniform(-3, 3, (4, 200))
    beside = 10 ** rng.uniform(-3, 3, 200)
    sums = np.asarray(beta_bregman(*ends, beside=beside)) + beside
    exact = [
        float(oracles.beta_bregman(*map(mp.mpf, each)) + b) for each, b in zip(ends.T, beside, strict=True)
    ]
    np.testing.assert_allclose(sums, exact, rtol=4e-15)


def test_gamma_bregman_takes_the_step_it_is_told() -> None:
    assert gamma_bregman(1e6, 1e6, step=1e-12) == pytest.approx(0.25 * 1e-36, rel=1e-6)
    assert gamma_bregman(1e6, 1e6, step=0.0) == 0


def test_beta_bregman_of_one_number_that_moves_far() -> None:
    assert beta_bregman(1.0, 1.0, 8.0, 1.0) == pytest.approx(
        float(oracles.beta_bregman(mp.mpf(1), mp.mpf(1), mp.mpf(8), mp.mpf(1))), rel=1e-14
    )


def test_beta_bregman_takes_the_step_it_is_told() -> None:
    """A step below the rounding of b."""
    told = beta_bregman(3.0, 1e6, 3.0, 1e6, b_step=1e-12)
    twice = beta_bregman(3.0, 1e6, 3.0, 1e6, b_step=2e-12)
    exact = oracles.beta_bregman_of_step(mp.mpf(3), mp.mpf(10) ** 6, mp.mpf(10) ** -12)
    assert told == pytest.approx(float(exact), rel=1e-14)
    assert twice == pytest.approx(4 * told, rel=1e-14)


def test_quotients_without_their_rounding(rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(2, 300)) * 10 ** rng.uniform(-140, 140, (2, 300))
    lost = x * 2.0**-60
    for a, b, c, high, low in zip(x, lost, y, *two_quotient(x, lost, y), strict=True):
        exact = (mp.mpf(a) + mp.mpf(b)) / mp.mpf(c)
        assert abs((mp.mpf(high) + mp.mpf(low)) / exact - 1) < 1e-30


def test_logarithms_of_ratios(rng: np.random.Generator) -> None:
    y = 10 ** rng.uniform(-300, 300, DISTANCES.size)
    for x in (y * (1 + DISTANCES), 10 ** rng.uniform(-300, 300, y.size), y * rng.uniform(0.4, 2.5, y.size)):
        assert worst_error(log_ratio(x, y), oracles.log_ratio, x, y) < 2.5e-16
        for a, b, high, low in zip(x, y, *log_ratio_parts(x, y), strict=True):
            exact = oracles.log_ratio(mp.mpf(float(a)), mp.mpf(float(b)))
            assert abs(mp.mpf(float(high)) + mp.mpf(float(low)) - exact) < 4e-18 * max(abs(exact), 1e-300)
    assert log_ratio(3.0, 3.0) == 0
    assert log_ratio(5e-324, 1.0) == pytest.approx(-1074 * np.log(2), rel=1e-15)


def test_the_coefficients_of_stirlings_series_come_from_the_curvature_alone() -> None:
    np.testing.assert_allclose(_SERIES, oracles.stirling_coefficients(STIRLING, _SERIES.size), rtol=1e-15)


def test_stirling_remainder(rng: np.random.Generator) -> None:
    a = np.append(STIRLING, 10 ** rng.uniform(np.log10(STIRLING), 12, 100))
    assert worst_error(stirling_remainder(a), oracles.stirling_remainder, a) < 1e-15


@pytest.mark.parametrize("spread", [1e-12, 1e-6, 1e-3, 1.0, 10.0, 60.0])
def test_gumbel_divergence(spread: float, rng: np.random.Generator) -> None:
    """Beside the identity, and where each digit of w counts in e^w."""
    n = DISTANCES.size
    y = 10 ** rng.uniform(-3, 3, n)
    for x in (y * (1 + min(spread, 1.0) * rng.uniform(-0.9, 0.9, n)), y * 10 ** rng.uniform(-4, 1.8, n)):
        shift = spread * rng.normal(size=n)
        got = gumbel_divergence((shift, np.zeros(n)), x, y)
        assert worst_error(got, oracles.gumbel_divergence, shift, x, y) < 2e-15


def test_gumbel_divergence_takes_what_was_lost_of_the_shift() -> None:
    with_it, without = (gumbel_divergence((100.0, lost), 1.0, 1.0) for lost in (1e-13, 0.0))
    assert with_it - without == pytest.approx(1e-13 * np.exp(100), rel=0.01)


def test_bessel_bregman_near(rng: np.random.Generator) -> None:
    y = 10 ** rng.uniform(-4, 4, DISTANCES.size)
    x = y * (1 + DISTANCES)
    assert worst_error(bessel_bregman(x, y), oracles.bessel_bregman, x, y) < 2e-15
    y = np.linspace(18, 32, 40)
    assert worst_error(bessel_bregman(1.01 * y, y), oracles.bessel_bregman, 1.01 * y, y) < 2e-15


def test_bessel_bregman_far(rng: np.random.Generator) -> None:
    x, y = 10 ** rng.uniform(-4, 5, (2, 100))
    assert worst_error(bessel_bregman(x, y), oracles.bessel_bregman, x, y) < 3e-15
    x, y = np.append(x, 0.0), np.append(0.0, x)
    assert worst_error(bessel_bregman(x, y)[[0, -1]], oracles.bessel_bregman, x[[0, -1]], y[[0, -1]]) < 3e-15


def test_bessel_ratio(rng: np.random.Generator) -> None:
    x = 10 ** rng.uniform(-8, 8, 100)
    assert worst_error(bessel_ratio(x), oracles.bessel_ratio, x) < 1e-15


@pytest.mark.parametrize(
    ("function", "argument", "message"),
    [
        (phi, -1.5, r"delta must be at least -1, got -1\.5"),
        (phi, [0.0, np.nan], "delta must be at least -1, got nan"),
        (expm1x, np.nan, "w must be a number, got nan"),
    ],
)
def test_phi_and_psi_refuse_what_they_cannot_mean(
    function: Callable[[Any], Any], argument: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        function(argument)
