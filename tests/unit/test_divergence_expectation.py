"""Expectations under univariate distributions, and the integrand of the divergence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from kl_lib import expectation, kl_divergence, kl_integrand
from kl_lib.families import Normal

MIXTURE = stats.Mixture([stats.Normal(mu=-2, sigma=0.5), stats.Normal(mu=3)], weights=[0.3, 0.7])
KNOWN = {
    "cosine under a normal": (stats.norm(0.5, 2), np.cos, np.cos(0.5) * np.exp(-2)),
    "|x|, with a kink": (stats.norm(0, 1), np.abs, np.sqrt(2 / np.pi)),
    "an indicator": (stats.norm(0, 1), lambda x: (x > 0.7).astype(float), stats.norm.sf(0.7)),
    "of mean zero": (stats.norm(0, 3), lambda x: x, 0.0),
    "zero itself": (stats.norm(0, 1), np.zeros_like, 0.0),
    "a singular density": (stats.gamma(0.3), lambda x: x**2, 0.3 * 1.3),
    "a logarithm": (stats.expon(), np.log, -np.euler_gamma),
    "heavy tails": (stats.t(5), lambda x: np.abs(x) ** 1.5, None),
    "far from 0 and narrow": (stats.norm(1e6, 1e-3), lambda x: x - 1e6, 0.0),
    "two bumps": (MIXTURE, lambda x: x**2, 0.3 * 4.25 + 0.7 * 10),
    "Poisson": (stats.poisson(2.5), lambda x: x**2, 2.5 + 2.5**2),
    "few outcomes": (stats.binom(10, 0.3), lambda x: 2.0**x, 1.3**10),
    "given points": (stats.rv_discrete(values=([1, 4], [0.25, 0.75])), lambda x: 1 / x, 0.25 + 0.75 / 4),
}


@pytest.mark.parametrize(("p", "f", "expected"), KNOWN.values(), ids=KNOWN)
def test_known_expectations(p, f, expected):
    if expected is None:
        expected = 2 * integrate.quad(lambda x: p.pdf(x) * f(x), 0, np.inf, epsabs=0, epsrel=1e-12)[0]
    value = expectation(p, f)
    assert isinstance(value, float)
    assert np.isclose(value, expected, rtol=1e-9, atol=1e-12)


@given(st.floats(-5, 5), st.floats(0.05, 20), st.lists(st.integers(-9, 9), min_size=1, max_size=6))
def test_polynomials_against_gauss_hermite(mu, sigma, coefficients):
    nodes, weights = np.polynomial.hermite_e.hermegauss(10)
    x, share = mu + sigma * nodes, weights / weights.sum()
    values = np.polyval(coefficients, x)
    mean = expectation(stats.norm(mu, sigma), lambda x: np.polyval(coefficients, x))
    assert abs(mean - share @ values) <= 1e-9 * np.sqrt(share @ values**2)


def test_f_may_return_arrays():
    family, theta = Normal(), np.array([0.5, 0.3])
    assert np.allclose(expectation(family.at(theta), lambda x: family.score(theta, x)), 0, rtol=0, atol=1e-12)
    powers = expectation(stats.uniform(0, 1), lambda x: x[:, None, None] ** np.arange(6).reshape(2, 3))
    assert np.allclose(powers, 1 / np.arange(1, 7).reshape(2, 3), rtol=1e-12, atol=0)
    assert expectation(stats.norm(), lambda x: np.zeros((len(x), 0))).shape == (0,)


def test_entries_of_other_sizes_keep_their_digits():
    small, large = expectation(stats.norm(0, 1), lambda x: np.stack([1e-200 * x**2, 1e200 * x**2], axis=1))
    assert np.allclose([small * 1e200, large * 1e-200], 1, rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    ("p", "f"),
    [
        (stats.cauchy(), lambda x: x),
        (stats.t(3), lambda x: x**2),  # a mean, but no variance
        (stats.zipf(2.5), lambda x: x),
        (stats.norm(0, 1), lambda x: np.cos(1e7 * x)),
    ],
)
def test_what_does_not_converge_raises(p, f):
    with pytest.raises(
        ArithmeticError, match=r"does not reach an error of 1e-09 of the root mean square of f"
    ):
        expectation(p, f)


@pytest.mark.parametrize(
    ("p", "f", "error", "words"),
    [
        (0.5, np.cos, TypeError, "p must be a frozen scipy.stats distribution"),
        (stats.norm(), 3, TypeError, "f must be a function of a batch of points, got 3"),
        (stats.norm([0, 1]), np.cos, ValueError, "p must be one univariate distribution"),
        (stats.multivariate_normal(np.zeros(2)), np.cos, ValueError, "p must be one univariate distribution"),
        (
            stats.norm(),
            lambda _: 1.0,
            ValueError,
            r"f must map a batch of shape \(19,\) to \(19,\), got \(\)",
        ),
        (stats.norm(5), lambda x: 1 / (x - 5), ValueError, r"f must be finite, got inf .* where x is 5"),
        (stats.norm(), lambda x: np.exp(x**2), ValueError, "f must be finite, got inf"),
    ],
)
def test_what_is_no_expectation_is_refused(p, f, error, words):
    with np.errstate(divide="ignore"), pytest.raises(error, match=words):
        expectation(p, f)


@pytest.mark.parametrize("pair", [(MIXTURE, stats.norm(0, 3)), (stats.norm(0, 3), MIXTURE)])
def test_the_integrand_integrates_to_the_divergence(pair):
    x, step = np.linspace(-40, 40, 40_001, retstep=True)
    assert np.isclose(kl_integrand(*pair, x).sum() * step, kl_divergence(*pair), rtol=1e-9, atol=0)


def test_the_integrand_where_a_density_vanishes():
    narrow, wide = stats.uniform(0, 1), stats.uniform(0, 2)
    assert kl_integrand(narrow, wide, [-1, 0.5, 1.5]).tolist() == [0, np.log(2), 0]
    assert kl_integrand(wide, narrow, [-1, 0.5, 1.5]).tolist() == [0, -np.log(2) / 2, np.inf]


@pytest.mark.parametrize(("p", "q", "name"), [(stats.poisson(1), stats.norm(), "p"),
                                              (stats.norm(), stats.dirichlet([1, 2]), "q")])  # fmt: skip
def test_an_integrand_of_no_density_on_the_line_is_refused(p, q, name):
    with pytest.raises(ValueError, match=f"{name} must be a continuous univariate distribution"):
        kl_integrand(p, q, 0.0)
