"""Logarithms of the chances of counts, of any size, against log Γ in mpmath."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from oracles.numerics import mp
from scipy import stats

from kl_lib import cross_entropy, entropy, kl_divergence
from kl_lib.numerics import log_densities

size = st.floats(0, 15).map(lambda power: float(np.floor(10**power)))
shape = st.floats(-6, 12).map(lambda power: float(10**power))
share = st.one_of(st.floats(1e-15, 1 - 1e-15), st.floats(-15, -1).map(lambda power: float(10**power)))


def choose(n: Any, k: Any) -> Any:
    return mp.loggamma(n + 1) - mp.loggamma(k + 1) - mp.loggamma(n - k + 1)


def log_beta(a: Any, b: Any) -> Any:
    return mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)


def poisson(k: Any, mean: Any) -> Any:
    return k * mp.log(mean) - mean - mp.loggamma(k + 1)


def binomial(k: Any, n: Any, p: Any) -> Any:
    return choose(n, k) + k * mp.log(p) + (n - k) * mp.log1p(-p)


def negative_binomial(k: Any, n: Any, p: Any) -> Any:
    return mp.loggamma(n + k) - mp.loggamma(n) - mp.loggamma(k + 1) + n * mp.log(p) + k * mp.log1p(-p)


def hypergeometric(k: Any, total: Any, n: Any, draws: Any) -> Any:
    return choose(n, k) + choose(total - n, draws - k) - choose(total, draws)


def beta_binomial(k: Any, n: Any, a: Any, b: Any) -> Any:
    return choose(n, k) + log_beta(k + a, n - k + b) - log_beta(a, b)


def beta_negative_binomial(k: Any, n: Any, a: Any, b: Any) -> Any:
    return mp.loggamma(n + k) - mp.loggamma(n) - mp.loggamma(k + 1) + log_beta(n + a, k + b) - log_beta(a, b)


def beta_density(x: Any, a: Any, b: Any) -> Any:
    return (a - 1) * mp.log(x) + (b - 1) * mp.log1p(-x) - log_beta(a, b)


def check(got: Any, exact: Any, k: float, *parameters: float) -> None:
    """Compare with what mpmath gives of the same floats."""
    right = exact(*map(mp.mpf, (k, *parameters)))
    assert abs(mp.mpf(float(got(np.array([k]), *parameters)[0])) - right) <= 3e-14 * max(1, abs(right))


@given(n=size, part=share, p=share, a=shape, b=shape)
@example(n=1e15, part=1e-10, p=1e-10, a=2.0, b=3.0)
@example(n=455.0, part=1e-9, p=0.5, a=27.9, b=1.8e10)
def test_chances_of_counts_keep_their_digits(n: float, part: float, p: float, a: float, b: float) -> None:
    k = float(np.floor(part * n))
    check(log_densities.log_poisson, poisson, k, a)
    check(log_densities.log_binomial, binomial, k, n, p)
    check(log_densities.log_negative_binomial, negative_binomial, k, a, p)
    check(log_densities.log_beta_binomial, beta_binomial, k, n, a, b)
    check(log_densities.log_beta_negative_binomial, beta_negative_binomial, k, n, a, b)


@given(a=shape, b=shape, z=st.floats(-6, 6), part=share)
@example(a=1e10, b=2e10, z=1.0, part=0.5)
def test_densities_akin_keep_their_digits(a: float, b: float, z: float, part: float) -> None:
    x = max(a + z * np.sqrt(a), part * a)
    check(log_densities.log_gamma, lambda x, a: (a - 1) * mp.log(x) - x - mp.loggamma(a), x, a)
    check(log_densities.log_beta, beta_density, part, a, b)
    mean = a / (a + b)
    near = min(max(mean + z * mean * np.sqrt(b / (a + b) / (a + 1)), mean / 2), 0.5 * (1 + mean))
    if 0 < near < 1:
        check(log_densities.log_beta, beta_density, near, a, b)


@given(z=st.floats(-12, 12), sign=st.sampled_from([-1.0, 1.0]), a=st.floats(0.1, 50), b=st.floats(0.1, 50))
@example(z=200, sign=-1.0, a=0.2, b=3.0)
def test_a_skewed_t_keeps_its_digits_in_both_tails(z: float, sign: float, a: float, b: float) -> None:
    def exact(x: Any, a: Any, b: Any) -> Any:
        ratio = x / mp.sqrt(a + b + x * x)
        constant = (a + b - 1) * mp.log(2) + log_beta(a, b) + mp.log(a + b) / 2
        return (a + 0.5) * mp.log(1 + ratio) + (b + 0.5) * mp.log(1 - ratio) - constant

    with mp.workdps(450):
        check(log_densities.LOG_DENSITIES["jf_skew_t"], exact, sign * 10.0**z, a, b)


@given(first=size, second=size, part=share, other=share)
def test_chances_of_draws_keep_their_digits(first: float, second: float, part: float, other: float) -> None:
    k, draws = float(np.floor(part * first)), float(np.floor(other * second))
    check(log_densities.log_hypergeometric, hypergeometric, k, first + second, first, k + draws)


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (stats.poisson(1e5), stats.nbinom(1e10, 1e10 / (1e10 + 1e5))),
        (stats.binom(10**12, 1e-7), stats.poisson(1.1e5)),
        (stats.betabinom(10**6, 2, 3), stats.betabinom(10**6, 3, 3)),
        (stats.hypergeom(10**9, 10**8, 10**7), stats.hypergeom(10**9, 10**8 + 1000, 10**7)),
        (stats.nhypergeom(10**6, 10**5, 10**4), stats.nhypergeom(10**6, 10**5 + 100, 10**4)),
        (stats.betanbinom(10**6, 20, 3), stats.betanbinom(10**6, 21, 3)),
        (stats.gamma(1e10), stats.norm(1e10, 1.01e5)),
        (stats.chi2(1e8), stats.norm(1e8, 1.5e4)),
        (stats.beta(1e8, 2e8), stats.norm(1 / 3, 3e-5)),
    ],
    ids=lambda p: p.dist.name,
)
def test_large_counts_are_summed(p: Any, q: Any) -> None:
    divergence = kl_divergence(p, q)
    assert cross_entropy(p, q) - entropy(p) == pytest.approx(divergence, rel=1e-9, abs=1e-10)
    assert 0 < divergence < np.inf


def test_a_small_divergence_of_draws_is_that_of_the_exact_chances() -> None:
    # SciPy's logarithms, sums of log Γ, are off by 1e-7 of it.
    first, second = ((mp.mpf(k), *map(mp.mpf, (2000, 300, n))) for n in (40, 41) for k in (0,))
    total = mp.mpf(0)
    for k in range(41):
        log_p, log_q = (hypergeometric(mp.mpf(k), *parameters[1:]) for parameters in (first, second))
        total += mp.exp(log_p) * (log_p - log_q)
    p, q = stats.hypergeom(2000, 300, 40), stats.hypergeom(2000, 300, 41)
    assert kl_divergence(p, q) == pytest.approx(float(total), rel=1e-12)


def test_sums_of_what_is_no_number_end_at_once() -> None:
    with pytest.raises(ArithmeticError, match="overflows"):
        entropy(stats.nbinom(1e308, 0.5))
