"""Masses, tails and poles: what is accepted is right within its bound, and what is refused says why."""

from __future__ import annotations

from dataclasses import replace
from math import fsum
from time import perf_counter
from typing import Any

import numpy as np
import pytest
import scipy
from hypothesis import example, given
from hypothesis import strategies as st
from oracles import closed_forms, corners, moments
from oracles.closed_forms import exact
from packaging.version import Version
from scipy import stats
from scipy.special import digamma, gammaln

from kl_lib import cross_entropy, entropy, kl_divergence
from kl_lib.divergence import numerical
from kl_lib.divergence.distributions import read_distribution
from kl_lib.divergence.summation import center


def value_and_bound(p: Any, q: Any, relative: float = 1e-9) -> tuple[float, float]:
    """Return the divergence and what it says its error is at most."""
    with np.errstate(all="ignore"):
        pair = numerical.paired(read_distribution("p", p), read_distribution("q", q), ())
        assert pair is not None
        value, errors, _ = numerical.kl_numerical(pair, relative)
    return value, sum(errors.values())


# Shapes of families with a corner or a pole within.
SHAPES = {
    "dgamma": (0.5, 3),
    "dweibull": (0.5, 3),
    "gennorm": (0.6, 3),
    "laplace_asymmetric": (0.4, 2.5),
    "skewcauchy": (-0.7, 0.7),
    "triang": (0.1, 0.9),
}


@given(st.sampled_from(sorted(SHAPES)), st.floats(0, 1), st.floats(0, 1), st.floats(0.3, 3), st.floats(-1, 1))
@example("dgamma", 0.0, 0.4, 1.0, 0.3)
@example("triang", 0.15, 0.15, 1.5, 0.0)
def test_corners_and_poles_within_are_ends_of_panels(
    name: str, first: float, second: float, ratio: float, shift: float
) -> None:
    """They lie at different places in p and in q, and where q has a pole, p is smooth."""
    low, high = SHAPES[name]
    a, b = (low + (high - low) * part for part in (first, second))
    if name == "triang":  # which must lie within that of q
        ratio = 1 + ratio
        shift = (shift - 1) / 2 * (ratio - 1)
    p, q = getattr(stats, name)(a), getattr(stats, name)(b, shift, ratio)
    expected = corners.divergence(name, a, b, shift, ratio)
    assert kl_divergence(p, q) == pytest.approx(expected, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("shape", [0.5, 0.8])
def test_a_pole_within_a_mixture_is_integrated(shape: float) -> None:
    kind = stats.make_distribution(stats.gamma)
    mixture = stats.Mixture([kind(a=shape), kind(a=shape) + 2.0], weights=[0.5, 0.5])
    assert entropy(mixture) == pytest.approx(corners.entropy_of_two_gammas(shape, 2), rel=1e-9)


@given(st.floats(0.2, 3), st.sampled_from([-1, 1]))
def test_a_pearson3_ends_where_its_gamma_does(skew: float, side: int) -> None:
    """SciPy states the whole line, of which it leaves a part that few draws tell from none."""
    bounded, further = stats.pearson3(side * skew), stats.pearson3(side * skew / 2)
    assert kl_divergence(further, bounded) == np.inf
    assert 0 < kl_divergence(bounded, further) < np.inf


@pytest.mark.parametrize("n", [2, 50])
def test_a_spline_of_many_knots_is_integrated_in_a_second_or_two(n: int) -> None:
    """Its variance n/12 gives the cross-entropy to a normal distribution."""
    p, q = stats.irwinhall(n), stats.norm(n / 2, 2)
    expected = np.log(2 * np.sqrt(2 * np.pi)) + n / 96
    assert entropy(p) + kl_divergence(p, q) == pytest.approx(expected, rel=1e-9)


@given(st.floats(-2.5, 1), st.floats(-2.5, 1))
@example(-2.0, np.log10(0.5))
def test_poles_at_both_ends_are_integrated_however_strong(first: float, second: float) -> None:
    p = stats.beta(10**first, 10**second)
    assert kl_divergence(p, stats.uniform(), rtol=1e-8) == pytest.approx(-entropy(p), rel=1e-8, abs=1e-9)


@given(st.integers(-300, 300))
@example(332)
@example(40)
def test_integrals_do_not_depend_on_the_unit(power: int) -> None:
    unit = 2.0**power
    p = stats.Mixture([stats.Normal(sigma=unit), stats.Normal(mu=2 * unit, sigma=unit)], weights=[0.3, 0.7])
    q = stats.Mixture([stats.Normal(sigma=unit), stats.Normal(mu=2 * unit, sigma=unit)], weights=[0.4, 0.6])
    assert kl_divergence(p, p) == 0
    assert kl_divergence(p, q) == pytest.approx(0.0116657597923, rel=1e-9)
    narrow, wide = stats.gengamma(3, 2, scale=unit), stats.gengamma(3, 2.1, scale=unit)
    assert kl_divergence(narrow, wide) == pytest.approx(0.0083807812922, rel=1e-9)


def test_a_tail_that_underflows_after_it_has_grown_has_no_rest() -> None:
    p, q = (
        stats.Mixture([stats.Normal()], weights=[1.0]),
        stats.Mixture([stats.Normal(sigma=np.exp(300))], weights=[1.0]),
    )
    assert kl_divergence(p, q) == pytest.approx(300 - 0.5, rel=1e-9)
    assert kl_divergence(q, q) == 0


@pytest.mark.parametrize("scale", [0.5, 0.9])
def test_a_circle_of_another_length_is_where_scipy_draws(scale: float, rng: np.random.Generator) -> None:
    p, q = (stats.vonmises(kappa, scale=scale) for kappa in (2, 3))
    assert kl_divergence(p, q, method="quadrature") == pytest.approx(kl_divergence(p, q), rel=1e-9)
    wide = stats.norm(0, 1)
    draws = p.rvs(200_000, random_state=rng)
    terms = p.logpdf(draws) - wide.logpdf(draws)
    assert abs(terms.mean() - kl_divergence(p, wide)) < 4.5 * terms.std() / np.sqrt(terms.size)


def custom(factor: float, spike: float = 0.0) -> Any:
    """Return a normal density times a factor, with a spike of width 1e-4 at 0.3."""

    class Density(stats.rv_continuous):
        def _pdf(self, x: Any) -> Any:
            return factor * stats.norm.pdf(x) + spike * stats.norm.pdf(x, 0.3, 1e-4)

    return Density(name="Density")()


class EvenNumbers(stats.rv_discrete):
    """Half as likely with each even number."""

    def _pmf(self, k: Any) -> Any:
        return np.where(k % 2 == 0, 0.5 * 0.5 ** (k / 2.0), 0.0)


@pytest.mark.parametrize("factor", [2.0, 0.3, 1 + 1e-7])
def test_a_density_that_is_not_normalised_is_named(factor: float) -> None:
    for p in (stats.norm(), stats.truncnorm(-np.inf, 0), stats.uniform(1, 2)):
        with pytest.raises(ArithmeticError, match="the mass of q = Density comes out as"):
            kl_divergence(p, custom(factor))
    with pytest.raises(ArithmeticError, match="the mass of q = Density comes out as"):
        cross_entropy(stats.norm(), custom(factor))
    with pytest.raises(ArithmeticError, match="the mass of p = Density comes out as"):
        kl_divergence(custom(factor), stats.norm())


def test_a_mass_that_rounding_makes_is_accepted() -> None:
    assert kl_divergence(stats.norm(1), custom(1 + 1e-13)) == pytest.approx(0.5, rel=1e-9)
    assert kl_divergence(stats.norm(1), custom(1 + 1e-7), rtol=1e-5) == pytest.approx(0.5, rel=1e-6)


def test_a_spike_that_is_not_seen_is_refused() -> None:
    with pytest.raises(ArithmeticError, match=r"the mass of q = Density comes out as 0\.9"):
        kl_divergence(stats.norm(), custom(0.9, 0.1))


def test_noise_of_scipys_densities_is_refused_or_in_the_bound() -> None:
    with pytest.raises(ArithmeticError, match="the mass of q = f"):
        kl_divergence(stats.uniform(0.999, 2e-3), stats.f(1e6, 1e8))
    narrow = kl_divergence(stats.uniform(0.33333, 1e-5), stats.beta(1e8, 2e8))
    assert narrow == pytest.approx(1.927681253136, rel=1e-9)


@pytest.mark.parametrize("distance", [1e-1, 1e-3, 1e-5])
@pytest.mark.parametrize("a", [1e1, 1e3, 1e5, 1e7])
def test_noise_is_in_the_bound(a: float, distance: float) -> None:
    p, q = stats.gamma(a), stats.gamma(a * (1 + distance))
    try:
        value, bound = value_and_bound(p, q, 1e-4)
    except ArithmeticError:
        assert a > 1e6
    else:
        assert abs(value - kl_divergence(p, q, method="closed")) <= bound


def test_mass_of_q_where_p_underflows() -> None:
    parts = [stats.Normal(mu=0.0, sigma=1.0), stats.Normal(mu=100.0, sigma=1.0)]
    q = stats.Mixture(parts, weights=np.array([0.995, 0.005]))
    assert kl_divergence(stats.norm(), q) == pytest.approx(-np.log(0.995), rel=1e-9)


@given(st.floats(1.1, 8), st.floats(1.1, 8))
def test_sums_with_power_law_tails(a: float, b: float) -> None:
    if abs(a - b) > 1e-3:
        value, bound = value_and_bound(stats.zipf(a), stats.zipf(b))
        assert abs(value - float(closed_forms.zipf(exact(a), exact(b)))) <= min(bound, 1e-9 * value)


@given(st.floats(-9, -0.5), st.floats(-9, -0.5))
def test_sums_with_slow_geometric_tails(log_p: float, log_q: float) -> None:
    p, q = stats.geom(10**log_p), stats.geom(10**log_q)
    if abs(log_p - log_q) > 1e-3:
        value, bound = value_and_bound(p, q)
        assert abs(value - kl_divergence(p, q, method="closed")) <= min(bound + 1e-14 * value, 1e-9 * value)


def test_sums_of_reports() -> None:
    assert kl_divergence(stats.zipf(2.5), stats.zipf(2)) == pytest.approx(0.0595510677, rel=1e-8)
    assert kl_divergence(stats.zipf(4.0), stats.zipf(5.0)) == pytest.approx(0.020822151537, rel=1e-10)
    assert kl_divergence(stats.yulesimon(4.0), stats.yulesimon(3.0)) == pytest.approx(
        0.0102235413561, rel=1e-11
    )
    assert cross_entropy(stats.geom(1e-6), stats.geom(1e-6)) == pytest.approx(14.8155100580, rel=1e-11)


# Older releases of SciPy take minutes for the quantiles of so many words.
VOCABULARY = 200_000 if Version(scipy.__version__) >= Version("1.17") else 2_000


@given(
    a=st.floats(0, 3),
    step=st.floats(-0.5, 0.5),
    n=st.integers(1, VOCABULARY),
    further=st.sampled_from([0, 1, 9]),
)
@example(a=0.8, step=0.2, n=VOCABULARY, further=0)
def test_zipfs_law_over_a_vocabulary(a: float, step: float, n: int, further: int) -> None:
    b, logs = max(a + step, 0.0), np.log(np.arange(1.0, n + further + 1))
    log_p, log_q = (
        -a * logs[:n] - np.log(fsum(np.exp(-a * logs[:n]))),
        -b * logs - np.log(fsum(np.exp(-b * logs))),
    )
    p, q = stats.zipfian(a, n), stats.zipfian(b, n + further)
    start = perf_counter()
    value, entropy_of_p = kl_divergence(p, q), entropy(p)
    assert perf_counter() - start < 5
    assert value == pytest.approx(fsum(np.exp(log_p) * (log_p - log_q[:n])), rel=1e-8, abs=1e-12)
    assert entropy_of_p == pytest.approx(-fsum(np.exp(log_p) * log_p), rel=1e-9, abs=1e-11)


def test_a_tail_that_is_too_slow_is_refused_within_seconds() -> None:
    start = perf_counter()
    with pytest.raises(
        ArithmeticError, match=r"error of up to 0\.0063, most of it because its terms decay too"
    ):
        kl_divergence(stats.zipf(1.01), stats.zipf(1.02))
    assert kl_divergence(stats.zipf(1.01), stats.zipf(1.02), rtol=0.03) == pytest.approx(
        float(closed_forms.zipf(exact(1.01), exact(1.02))), rel=0.03
    )
    assert perf_counter() - start < 20


def test_p_in_a_hole_of_q() -> None:
    assert kl_divergence(stats.poisson(3), EvenNumbers(a=0)()) == np.inf
    assert cross_entropy(stats.poisson(3), EvenNumbers(a=0)()) == np.inf
    assert kl_divergence(stats.rv_discrete(values=([0, 3], [0.5, 0.5])), EvenNumbers(a=0)()) == np.inf
    even = stats.rv_discrete(values=([0, 2], [0.5, 0.5]))
    assert kl_divergence(even, EvenNumbers(a=0)()) == pytest.approx(0.5 * np.log(2), rel=1e-12)


@given(st.floats(0.02, 3), st.floats(0.2, 3), st.sampled_from([0.0, 1.0, -3.0]))
def test_poles_at_any_end(b: float, a: float, loc: float) -> None:
    value, bound = value_and_bound(stats.beta(a, b, loc=loc), stats.uniform(loc, 1))
    truth = -float(moments.beta(exact(a), exact(b)).entropy)
    assert abs(value - truth) <= max(bound, 1e-14)
    assert bound <= 1e-9 * value + 1e-14 or value < 1e-2


def test_heavy_tails_and_poles_of_reports() -> None:
    assert kl_divergence(stats.beta(2, 0.5), stats.uniform()) == pytest.approx(0.7652789553, rel=1e-9)
    assert kl_divergence(stats.norm(750, 1), stats.laplace()) == pytest.approx(749.2742086474, rel=1e-12)
    assert kl_divergence(stats.pareto(0.5), stats.lomax(0.5)) == pytest.approx(0.3959152610, rel=1e-9)
    gammas = stats.gamma(0.01), stats.gamma(0.02)
    assert kl_divergence(*gammas, method="quadrature") == pytest.approx(kl_divergence(*gammas), rel=1e-9)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9), st.floats(0.01, 5)), min_size=2, max_size=12))
def test_histograms_on_the_same_bins(bins: list[tuple[int, int, float]]) -> None:
    first, second, widths = (np.array(column) for column in zip(*bins, strict=True))
    first[0] += 1
    edges = np.concatenate([[0.3], 0.3 + np.cumsum(widths)])
    p, q = (stats.rv_histogram((counts, edges), density=False) for counts in (first, second))
    mass_p, mass_q = first / first.sum(), second / second.sum()
    known = mass_p > 0
    expected = np.sum(mass_p[known] * np.log(mass_p[known] / mass_q[known]))
    assert kl_divergence(p, q) == pytest.approx(expected, rel=1e-9, abs=1e-14)
    uniform = stats.uniform(0.3, edges[-1] - 0.3)
    heights = mass_p / widths
    expected = np.sum(mass_p[known] * np.log(heights[known] * (edges[-1] - 0.3)))
    assert kl_divergence(p, uniform) == pytest.approx(expected, rel=1e-9, abs=1e-14)


def test_components_in_single_precision() -> None:
    single = [stats.Normal(mu=np.float32(m), sigma=np.float32(1.7)) for m in (0.3, 2.0, 5.0)]
    double = [stats.Normal(mu=float(part.mu), sigma=float(part.sigma)) for part in single]
    values = [kl_divergence(stats.Mixture(parts), stats.norm()) for parts in (single, double)]
    assert values[0] == pytest.approx(values[1], rel=1e-12)


def test_kernel_densities_are_mixtures_of_normals(rng: np.random.Generator) -> None:
    kernels = stats.gaussian_kde(rng.normal(size=40), weights=rng.uniform(size=40))
    scale = float(np.sqrt(kernels.covariance[0, 0]))
    parts = [stats.Normal(mu=mean, sigma=scale) for mean in kernels.dataset[0]]
    mixture = stats.Mixture(parts, weights=kernels.weights)
    for q in (stats.norm(), stats.t(3)):
        assert kl_divergence(kernels, q) == pytest.approx(kl_divergence(mixture, q), rel=1e-9)
    assert kl_divergence(stats.norm(), kernels) == pytest.approx(
        kl_divergence(stats.norm(), mixture), rel=1e-9
    )
    x = np.linspace(-8, 8, 4001)
    plain = np.sum(kernels(x) * (kernels.logpdf(x) - stats.norm.logpdf(x))) * 0.004
    assert kl_divergence(kernels, stats.norm()) == pytest.approx(plain, rel=1e-8)
    plane = stats.gaussian_kde(rng.normal(size=(2, 40)))
    with pytest.raises(NotImplementedError, match="p = gaussian_kde"):
        kl_divergence(plane, stats.multivariate_normal([0, 0]))


def test_a_mixture_of_a_thousand_components(rng: np.random.Generator) -> None:
    start = perf_counter()
    parts = [stats.Normal(mu=mean, sigma=0.2) for mean in rng.normal(size=1000)]
    value = kl_divergence(stats.Mixture(parts), stats.norm())
    assert 0 < value < 0.1
    assert perf_counter() - start < 20


@pytest.mark.parametrize(
    "frozen",
    [
        stats.foldnorm(1.5),
        stats.hypsecant(),
        stats.invweibull(2.5),
        stats.laplace(),
        stats.levy(),
        stats.loglaplace(2.5),
        stats.moyal(),
        stats.norm(),
        stats.pareto(1.5),
        stats.uniform(),
    ],
)
def test_logarithms_of_densities(frozen: Any) -> None:
    x = frozen.ppf([0.01, 0.2, 0.5, 0.9, 0.999])
    np.testing.assert_allclose(log_density(frozen)(x), frozen.logpdf(x), rtol=1e-13, atol=1e-14)
    lower = frozen.support()[0]
    with np.errstate(all="ignore"):
        assert log_density(frozen)(np.array([max(lower, -1e200) - 1]))[0] < -1e100


@pytest.mark.parametrize(
    "frozen",
    [stats.boltzmann(0.5, 20), stats.dlaplace(0.7), stats.logser(0.6), stats.planck(0.4), stats.zipf(2.5)],
)
def test_logarithms_of_masses(frozen: Any) -> None:
    k = np.arange(1.0, 15)
    np.testing.assert_allclose(log_density(frozen)(k), frozen.logpmf(k), rtol=1e-13)


def log_density(frozen: Any) -> Any:
    return numerical.univariate(read_distribution("p", frozen), ()).log_density


@pytest.mark.parametrize(
    ("rtol", "error", "message"),
    [
        (0.0, ValueError, "rtol must be positive, got 0.0"),
        (1.0, ValueError, "rtol must be below 1, got 1.0"),
        (np.nan, ValueError, "rtol must be finite"),
        ([1e-3], ValueError, "rtol must have shape"),
        ("small", TypeError, "rtol must be a number"),
    ],
)
def test_tolerances_that_are_none(rtol: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        kl_divergence(stats.norm(), stats.norm(), rtol=rtol)


@pytest.mark.parametrize("mean", [0.0, np.nan, 9000.0, 1e6])
def test_the_likeliest_integer_is_found_whatever_the_mean_is_said_to_be(mean: float) -> None:
    p = numerical.univariate(read_distribution("p", stats.poisson(12345.6)), ())
    assert abs(center(replace(p, mean=mean)) - 12345) < 64


def test_long_finite_sums() -> None:
    p, q = stats.binom(10**7, 0.3), stats.binom(10**7, 0.3001)
    assert kl_divergence(p, q, method="quadrature", rtol=1e-6) == pytest.approx(kl_divergence(p, q), rel=1e-6)
    p, q = stats.zipfian(1.5, 10**6), stats.zipfian(1.6, 10**6)
    k = np.arange(1, 10**6 + 1)
    expected = np.sum(p.pmf(k) * (p.logpmf(k) - q.logpmf(k)))
    assert kl_divergence(p, q) == pytest.approx(expected, rel=1e-10)


def kl_gamma_of_inverse_gamma(a: float, b: float) -> float:
    """Return D(gamma(a)‖invgamma(b)), whose −log q holds 1/x, of mean 1/(a − 1) or inf."""
    return float(a * digamma(a) - a - gammaln(a) + gammaln(b) + b * digamma(a) + 1 / (a - 1))


@given(a=st.floats(1.2, 30), b=st.floats(0.1, 30))
def test_a_pole_of_log_q_that_p_leaves_finite(a: float, b: float) -> None:
    value = kl_divergence(stats.gamma(a), stats.invgamma(b))
    assert value == pytest.approx(kl_gamma_of_inverse_gamma(a, b), rel=1e-9)


@pytest.mark.parametrize(
    "p",
    [
        stats.expon(),
        stats.uniform(),
        stats.gamma(0.3),
        stats.gamma(1.0 + 1e-4),
        stats.halfnorm(),
        stats.beta(0.5, 2),
    ],
)
@pytest.mark.parametrize("q", [stats.invgamma(2.0), stats.levy(), stats.invgauss(1.0), stats.invweibull(1.0)])
@pytest.mark.parametrize("shift", [0.0, 3.0])
def test_a_pole_of_log_q_that_p_does_not_is_no_number(p: Any, q: Any, shift: float) -> None:
    """At 0 the integrand is that of 1/x, whose integral over all floats is but 700."""
    pair = (part.dist(*part.args, loc=shift) for part in (p, q))
    with pytest.raises(ArithmeticError, match=r"its terms decay too slowly, or not at all|q underflows"):
        kl_divergence(*pair)


def test_a_mass_whose_tail_shows_no_decay_is_named() -> None:
    with pytest.raises(
        ArithmeticError, match=r"the mass of q = Endless is not known: it comes to .* no decay"
    ):
        kl_divergence(stats.norm(), endless())


def endless() -> Any:
    """Return half a normal density and a half whose integral grows with the logarithm of x."""

    class Endless(stats.rv_continuous):
        def _logpdf(self, x: Any) -> Any:
            return np.log(0.5) + np.maximum(-0.5 * x**2, -np.log1p(np.abs(x)) - 12)

        def _ppf(self, u: Any) -> Any:
            return stats.norm.ppf(u)

    return Endless(name="Endless")()
