"""Estimates from samples: terms to the last digits, means to their errors, and what none can be told."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import estimators as oracles
from oracles.estimators import mp
from scipy import integrate, stats

from kl_lib import Estimate, expectation, families, k1, k2, k3, kl_divergence, kl_monte_carlo
from kl_lib.diagnostics import pareto_shape
from kl_lib.divergence.distributions import read_distribution
from kl_lib.divergence.sampling import can_be_sampled, density_name
from kl_lib.estimators.sampled import _is_heavy, _is_off

SEED = 20260101
FORMULAS: dict[Callable[..., Any], Callable[[float], Any]] = {k1: oracles.k1, k2: oracles.k2, k3: oracles.k3}
DTYPES = (np.float16, np.float32, np.float64)
PLANE = stats.multivariate_normal(np.zeros(2))


def generator() -> np.random.Generator:
    return np.random.default_rng(SEED)


class Flat(stats.rv_continuous):
    """A density on [0, 1] that integrates to `mass`, and a generator that takes no notice."""

    def __init__(self, mass: float) -> None:
        super().__init__(a=0, b=1, name="flat")
        self.mass = mass

    def __call__(self) -> Any:
        return self

    def logpdf(self, x: Any) -> Any:
        return np.where((x >= 0) & (x <= 1), np.log(self.mass), -np.inf)

    def rvs(self, size: Any, random_state: np.random.Generator) -> Any:
        return random_state.random(size)


class Plain:
    """A density of nobody's class: a Flat that SciPy does not know."""

    def __init__(self, mass: float, name: str = "logpdf") -> None:
        self.rvs = Flat(mass).rvs
        setattr(self, name, Flat(mass).logpdf)


class BareNormal(stats.rv_continuous):
    """A normal distribution without a formula of its logarithm."""

    def _pdf(self, x: Any) -> Any:
        return np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)


class BarePoisson(stats.rv_discrete):
    """A Poisson distribution of mean 2, without a formula of its logarithm."""

    def _pmf(self, k: Any) -> Any:
        return np.exp(stats.poisson(2).logpmf(k))


class EvenPoisson(stats.rv_discrete):
    """Twice a Poisson variable."""

    def _pmf(self, k: Any) -> Any:
        return np.where(k % 2 == 0, stats.poisson(2).pmf(k // 2), 0.0)


# The terms.


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("estimator", FORMULAS)
@given(data=st.data())
def test_terms_are_right_to_the_last_digits_of_their_precision(estimator, dtype, data):
    width = np.finfo(dtype).bits
    ratio = dtype(data.draw(st.floats(-5, 5, width=width)))
    value = estimator(ratio)
    wanted = FORMULAS[estimator](float(ratio))
    error = abs(mp.mpf(float(value)) - wanted)
    assert error <= 4 * float(np.finfo(dtype).eps) * abs(wanted) + float(np.finfo(dtype).smallest_subnormal)
    assert value.dtype == dtype


@pytest.mark.parametrize("estimator", FORMULAS)
def test_float32_close_to_0_keeps_its_relative_accuracy(estimator):
    ratios = np.float32(10.0) ** -np.arange(1, 18, dtype=np.float32)
    wanted = [float(FORMULAS[estimator](float(ratio))) for ratio in ratios]
    np.testing.assert_allclose(estimator(ratios), wanted, rtol=2e-7)


@pytest.mark.parametrize("estimator", FORMULAS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_where_q_has_no_mass_the_terms_are_infinite(estimator, dtype):
    values = estimator(np.array([[-np.inf, 0.0]], dtype=dtype))
    np.testing.assert_array_equal(values, np.array([[np.inf, 0.0]], dtype=dtype), strict=True)
    assert not np.signbit(values).any()


@pytest.mark.parametrize("estimator", FORMULAS)
def test_integers_become_floats_and_numbers_stay_numbers(estimator):
    assert estimator([1, 2]).dtype == np.float64
    assert estimator(-2).shape == ()
    assert estimator(np.empty(0)).shape == (0,)


def test_terms_that_overflow_are_infinite_and_nothing_warns():
    assert k2(np.float32(1e30)) == k3(np.float16(100)) == k3(1e3) == np.inf


@pytest.mark.parametrize(
    ("estimator", "mu", "bias", "spread"),
    [
        (k1, 0.1, 0.0, 20.0),
        (k2, 0.1, 0.0025, 1.41774),
        (k3, 0.1, 0.0, 1.41657),
        (k1, 1.0, 0.0, 2.0),
        (k2, 1.0, 0.25, 1.73205),
        (k3, 1.0, 0.0, 1.69503),
    ],
)
def test_bias_and_spread_are_those_of_schulman_s_table(estimator, mu, bias, spread):
    p, q = stats.norm(), stats.norm(mu)

    def term(x: Any) -> Any:
        return estimator(q.logpdf(x) - p.logpdf(x)) / kl_divergence(p, q)

    mean = expectation(p, term)
    assert mean - 1 == pytest.approx(bias, abs=1e-7)
    assert expectation(p, lambda x: (term(x) - mean) ** 2) ** 0.5 == pytest.approx(spread, rel=5e-6)


def test_the_textbook_formula_loses_in_float32_what_k3_keeps(rng):
    mu = 1e-4
    ratios = (mu * rng.normal(size=10_000) - mu**2 / 2).astype(np.float32)
    right = k3(ratios.astype(np.float64))
    textbook = np.exp(ratios) - np.float32(1) - ratios
    assert textbook.mean(dtype=np.float64) / right.mean() > 2
    assert np.mean(textbook < 0) > 0.3
    np.testing.assert_allclose(k3(ratios), right, rtol=2e-7)


def test_on_stale_samples_k3_without_a_weight_may_have_no_mean():
    p, o, q = stats.norm(0, 0.5), stats.norm(0, 0.6), stats.norm()
    within = [
        integrate.quad(lambda x: o.pdf(x) * k3(q.logpdf(x) - p.logpdf(x)), -reach, reach)[0]
        for reach in (10, 15, 20)
    ]
    assert within[2] / within[1] > within[1] / within[0] > 1e5


@pytest.mark.parametrize("estimator", FORMULAS)
@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ([0.0, np.nan, np.inf], ValueError, r"log_ratio must be finite or -inf, got nan at index \(1,\)"),
        ([[0.0, np.inf]], ValueError, r"got inf at index \(0, 1\)"),
        (np.inf, ValueError, "got inf$"),
        ("half", TypeError, "log_ratio must be real numbers, got <U4 entries"),
        ([True], TypeError, "got bool entries"),
        ([1j], TypeError, "got complex128 entries"),
    ],
)
def test_log_ratios_that_are_none_are_refused(estimator, value, error, message):
    with pytest.raises(error, match=message):
        estimator(value)


# Their means.


MIXTURE = stats.Mixture([stats.Normal(mu=-1, sigma=1), stats.Normal(mu=2, sigma=0.5)], weights=[0.3, 0.7])
PAIRS = {
    "norm": (stats.norm(), stats.norm(0.5, 1.2)),
    "newer": (stats.Normal(mu=0, sigma=1), stats.norm(0.3)),
    "mixture": (MIXTURE, stats.Normal(mu=1.0, sigma=1.5)),
    "gamma": (stats.gamma(3), stats.gamma(2, scale=1.5)),
    "points": (
        stats.rv_discrete(values=([0, 1], [0.3, 0.7])),
        stats.rv_discrete(values=([0, 1], [0.5, 0.5])),
    ),
    "poisson": (stats.poisson(3), stats.geom(0.3, loc=-1)),
    "newer binomial": (stats.Binomial(n=5, p=0.3), stats.binom(5, 0.4)),
    "normals": (PLANE, stats.multivariate_normal([0.3, 0], [[1.2, 0.1], [0.1, 1]])),
    "one-dimensional": (stats.multivariate_normal(0, 1), stats.multivariate_normal(0.5, 1)),
    "dirichlet": (stats.dirichlet([1, 2, 3]), stats.dirichlet([1, 1.5, 2])),
    "multinomial": (stats.multinomial(4, [0.2, 0.8]), stats.multinomial(4, [0.4, 0.6])),
    "family": (families.FullNormal(2).at([0, 0, 0.1, -0.1, 0.3]), families.DiagonalNormal(2).at(np.zeros(4))),
}


@pytest.mark.parametrize("estimator", ["k1", "k3"])
@pytest.mark.parametrize("name", PAIRS)
def test_the_estimate_is_the_divergence_within_its_error(name, estimator, rng):
    p, q = PAIRS[name]
    estimate = kl_monte_carlo(p, q, 20_000, rng=rng, estimator=estimator)
    assert estimate.n == 20_000
    assert 0 < estimate.standard_error < 0.03
    assert abs(estimate.value - kl_divergence(p, q)) < 4.5 * estimate.standard_error


@given(shift=st.floats(-3, 3), log_scale=st.floats(-0.3, 0.3), seed=st.integers(0, 2**32))
def test_between_normals_k1_and_k3_agree_with_the_closed_form(shift, log_scale, seed):
    p, q = stats.norm(), stats.norm(shift, np.exp(log_scale))
    for estimator, most in (("k1", 5), ("k3", 7)):  # k3's tail is heavier than a normal error tells
        if estimator == "k1" or abs(shift) < 1:
            estimate = kl_monte_carlo(p, q, 2000, rng=np.random.default_rng(seed), estimator=estimator)
            assert abs(estimate.value - kl_divergence(p, q)) <= most * estimate.standard_error + 1e-15


def test_the_second_estimator_has_its_own_mean(rng):
    p, q = stats.norm(), stats.norm(1)
    estimate = kl_monte_carlo(p, q, 20_000, rng=rng, estimator="k2")
    wanted = 0.5 * (1 + 0.25)  # L = x − ½ has mean −½ and variance 1
    assert abs(estimate.value - wanted) < 4.5 * estimate.standard_error < 0.05


def test_what_nothing_exact_is_known_of(rng):
    p, q = stats.multivariate_t([0, 0], np.eye(2), df=9), PLANE
    wanted, _ = integrate.quad(
        lambda r: 2 * np.pi * r * p.pdf([r, 0]) * (p.logpdf([r, 0]) - q.logpdf([r, 0])), 0, 100
    )
    estimate = kl_monte_carlo(p, q, 50_000, rng=rng)
    assert abs(estimate.value - wanted) < 4.5 * estimate.standard_error < 0.05


def test_kernel_densities_and_mixtures_in_the_plane(rng):
    points = rng.normal(size=(2, 60))
    kernels = stats.gaussian_kde(points)
    family = families.NormalMixture(60, d=2)
    same = family.at(family.theta_of(np.full(60, 1 / 60), points.T, np.ones((60, 2)))), kernels
    for p, q in (same, same[::-1]):
        estimate = kl_monte_carlo(p, q, 4000, rng=rng)
        grid = np.moveaxis(np.mgrid[-6:6:0.1, -6:6:0.1], 0, -1).reshape(-1, 2)
        log_p, log_q = (d.logpdf(grid.T if d is kernels else grid) for d in (p, q))
        wanted = 0.01 * np.sum(np.exp(log_p) * (log_p - log_q))
        assert abs(estimate.value - wanted) < 4.5 * estimate.standard_error < 0.2


def test_kernel_densities_on_the_line(rng):
    kernels = stats.gaussian_kde(rng.normal(size=100))
    estimate = kl_monte_carlo(kernels, stats.norm(0, 2), 4000, rng=rng)
    x = np.arange(-9, 9, 0.01)
    density = kernels.pdf(x)
    wanted = 0.01 * np.sum(density * (np.log(density + 1e-300) - stats.norm(0, 2).logpdf(x)))
    assert abs(estimate.value - wanted) < 4.5 * estimate.standard_error < 0.05


@pytest.mark.parametrize("name", ["logpdf", "logpmf"])
def test_anybody_s_class_will_do(name, rng):
    assert kl_monte_carlo(Plain(1, name), Plain(1, name), 9, rng=rng) == Estimate(0.0, 0.0, 9)
    if name == "logpdf":
        estimate = kl_monte_carlo(Plain(1), stats.norm(), 4000, rng=rng)
        assert abs(estimate.value - (0.5 * np.log(2 * np.pi) + 1 / 6)) < 4.5 * estimate.standard_error


MULTIVARIATE = [
    stats.dirichlet([1, 2, 3]),
    stats.invwishart(4, np.eye(2)),
    stats.matrix_normal(np.zeros((2, 3))),
    stats.multivariate_hypergeom([3, 4], 2),
    stats.multivariate_t([0, 1], np.eye(2)),
    stats.random_table([1, 2], [2, 1]),
    stats.vonmises_fisher([1, 0, 0], 2),
    stats.wishart(4, np.eye(3)),
    stats.normal_inverse_gamma(),
    stats.dirichlet_multinomial([1, 2], 3),  # cannot be sampled
    stats.special_ortho_group(3),  # has no density
    stats.uniform_direction(3),
    stats.gaussian_kde(np.array([[0.0, 1.0, 3.0], [1.0, 0.0, 2.0]])),
]


@pytest.mark.parametrize("p", MULTIVARIATE, ids=lambda p: type(p).__name__)
def test_every_distribution_is_estimated_or_refused_by_what_it_lacks(p, rng):
    read = read_distribution("p", p)
    if can_be_sampled(read) and density_name(read):
        assert kl_monte_carlo(p, p, 30, rng=rng, estimator="k3").value == 0
    else:
        with pytest.raises(TypeError, match=r"p must have a method rvs|must both have logpdf"):
            kl_monte_carlo(p, p, 30, rng=rng)


# Infinite, or not to be told.


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (stats.norm(), stats.expon()),
        (stats.uniform(0, 3), stats.rv_histogram(([1, 0, 2], [0, 1, 2, 3]))),
        (stats.poisson(3), stats.poisson(3, loc=0.5)),
        (stats.poisson(3), stats.poisson(3, loc=2)),
        (stats.poisson(3), EvenPoisson(name="even")()),
        (stats.poisson(900), BarePoisson(name="bare")(loc=0.5)),  # off the lattice, and far out
        (stats.Binomial(n=5, p=0.5), stats.Binomial(n=3, p=0.5)),
        (stats.multinomial(3, [0.5, 0.5]), stats.multinomial(3, [1, 0])),
    ],
)
def test_a_sample_where_q_has_no_mass_makes_it_infinite(p, q, rng):
    assert kl_monte_carlo(p, q, 99, rng=rng) == Estimate(np.inf, np.inf, 99)


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (stats.norm(60), BareNormal(name="bare")()),
        (stats.norm(-60), BareNormal(name="bare")()),
        (stats.poisson(900), BarePoisson(name="bare")()),
        (stats.poisson(900, loc=1800), BarePoisson(name="bare")()),
    ],
)
def test_a_density_that_underflows_is_not_taken_for_a_hole(p, q, rng):
    with pytest.raises(ArithmeticError, match="the log density of q underflows to -inf at"):
        kl_monte_carlo(p, q, 99, rng=rng)


def test_the_first_sample_at_which_a_density_underflows_is_named(rng, monkeypatch):
    p = stats.norm(60)
    monkeypatch.setattr(p, "rvs", lambda size, **_: 60.0 + np.arange(size), raising=False)
    with pytest.raises(ArithmeticError, match=r"underflows to -inf at 60\.0, within"):
        kl_monte_carlo(p, BareNormal(name="bare")(), 9, rng=rng)


@pytest.mark.parametrize("wrap", [Flat, Plain])
@pytest.mark.parametrize("factor", [1e-3, 0.5, 0.9, 1.1, 2.0, 1e3])
@pytest.mark.parametrize("estimator", ["k1", "k3"])
def test_what_is_not_normalised_is_named_with_the_factor(factor, wrap, estimator, rng):
    for p, q in ((stats.uniform(), wrap(factor)), (wrap(factor), stats.uniform())):
        ratio = factor if isinstance(q, wrap) else 1 / factor
        found = f"q has {ratio:.6g} times" if ratio > 1 else f"p has {1 / ratio:.6g} times"
        with pytest.raises(ArithmeticError, match=f"p and q must be normalised: {found}"):
            kl_monte_carlo(p, q, 1000, rng=rng, estimator=estimator)


class Scaled:
    """A normal density times a factor."""

    rvs = staticmethod(stats.norm(0.3, 1.1).rvs)

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def logpdf(self, x: Any) -> Any:
        return math.log(self.factor) + stats.norm(0.3, 1.1).logpdf(x)


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.2, 2.0])
def test_what_is_not_normalised_is_named_where_the_ratio_varies(factor, rng):
    with pytest.raises(ArithmeticError, match="p and q must be normalised: ") as refusal:
        kl_monte_carlo(stats.norm(), Scaled(factor), 10_000, rng=rng)
    who, number = re.findall(r"(\w) has (\S+) times", str(refusal.value))[0]
    assert who == ("q" if factor > 1 else "p")
    assert float(number) == pytest.approx(max(factor, 1 / factor), rel=0.05)


@given(ratio=st.floats(1e-9, 1e-3), seed=st.integers(0, 2**32))
def test_an_event_that_is_not_drawn_is_not_taken_for_missing_mass(ratio, seed):
    rare = stats.bernoulli(ratio)
    estimate = kl_monte_carlo(rare, stats.bernoulli(ratio / 2), 1000, rng=np.random.default_rng(seed))
    assert abs(estimate.value - kl_divergence(rare, stats.bernoulli(ratio / 2))) < 6 * estimate.standard_error


def test_masses_elsewhere_are_no_fault_of_k1(rng):
    estimate = kl_monte_carlo(stats.uniform(), stats.uniform(0, 2), 100, rng=rng)
    assert abs(estimate.value - np.log(2)) < 1e-15
    assert estimate.standard_error < 1e-15


@pytest.mark.parametrize("q", [stats.uniform(0, 2), stats.norm(0.5, 1e3), stats.norm(9)])
def test_k3_is_refused_where_it_misses_mass_of_q(q, rng):
    with pytest.raises(ArithmeticError, match=r"k3 needs the mass of q .* got .* take estimator='k1'"):
        kl_monte_carlo(stats.uniform(), q, 1000, rng=rng, estimator="k3")


def test_terms_that_overflow_are_no_infinite_divergence(rng):
    p, q = stats.norm(), stats.norm(0, 1e-80)
    with pytest.raises(ArithmeticError, match="k2 overflows: log q - log p reaches -"):
        kl_monte_carlo(p, q, 99, rng=rng, estimator="k2")
    estimate = kl_monte_carlo(p, q, 99, rng=rng)  # here the squares alone do
    assert estimate.standard_error == np.inf
    assert 0.5 < estimate.value / kl_divergence(p, q) < 2


# What the spread of the terms says.


@pytest.mark.parametrize("k", [-0.5, 0.0, 0.3, 0.7, 1.0, 2.0])
@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_the_shape_of_a_pareto_tail_is_found(k, scale, rng):
    excess = np.sort(stats.genpareto(k, scale=scale).rvs(20_000, random_state=rng))
    assert abs(pareto_shape(np, np.log(excess)) - k) < 4.5 * (1 + max(k, 0)) / 20_000**0.5 + 0.005


@given(st.lists(st.floats(0.01, 100), min_size=5, max_size=60), st.floats(0, 4))
def test_the_shape_is_that_of_the_paper(values, power):
    x = sorted(value**power + i * 1e-3 for i, value in enumerate(values))
    assert pareto_shape(np, np.log(x)) == pytest.approx(oracles.pareto_shape(x), rel=1e-8, abs=1e-8)


def share_of_heavy(p: Any, q: Any, estimator: str, n: int, seeds: int = 40) -> float:
    found = [
        kl_monte_carlo(p, q, n, rng=np.random.default_rng(seed), estimator=estimator).standard_error == np.inf
        for seed in range(seeds)
    ]
    return float(np.mean(found))


@pytest.mark.parametrize("n", [1000, 10_000])
@pytest.mark.parametrize("case", [(2.2, "k1"), (1.5, "k1"), (2.2, "k2")], ids=str)
def test_an_error_that_says_nothing_is_infinite(case, n):
    freedom, estimator = case
    assert share_of_heavy(stats.t(freedom), stats.norm(), estimator, n) > 0.8


def test_k3_says_when_its_control_variate_is_off():
    # e^L has the mean 1, of draws that 300 samples rarely hold.
    p, q = stats.norm(), stats.norm(2)
    assert share_of_heavy(p, q, "k1", 300) <= 0.05
    outcomes = set()
    for seed in range(100):
        try:
            estimate = kl_monte_carlo(p, q, 300, rng=np.random.default_rng(seed), estimator="k3")
        except ArithmeticError:
            outcomes.add("refused")
        else:
            outcomes.add("unknown" if estimate.standard_error == np.inf else "known")
            assert abs(estimate.value - 2) <= 5 * estimate.standard_error
    assert outcomes == {"refused", "unknown", "known"}


def test_k3_is_believed_where_its_control_variate_is_close():
    assert share_of_heavy(stats.norm(), stats.norm(0.3), "k3", 1000) <= 0.05


def test_three_standard_errors_are_a_reason_for_doubt():
    for mean, off in ((2.99, False), (3.01, True), (-3.01, True), (0.0, False)):
        assert _is_off(np.array([mean - 1.0, mean + 1.0])) == off
    assert not _is_off(np.zeros(9))


@pytest.mark.parametrize("n", [2, 49, 50, 100, 1000, 10_000])
@pytest.mark.parametrize("estimator", ["k1", "k2"])
def test_an_error_of_light_terms_is_finite(estimator, n):
    assert share_of_heavy(stats.norm(), stats.norm(0.3), estimator, n) <= 0.05


@pytest.mark.parametrize(("n", "terms"), [(49, 9), (50, 10)])
def test_a_tail_has_ten_terms(n, terms):
    assert _is_heavy(np.exp(np.exp(np.arange(float(n)) / 9))) == (terms == 10)


@pytest.mark.parametrize("power", [20, 99, 300])
def test_a_tail_may_be_as_heavy_as_floats_allow(power):
    assert _is_heavy(10.0 ** np.linspace(-power, power, 100))


@pytest.mark.parametrize("rare", [0, 1, 4, 5, 6, 50])
@pytest.mark.parametrize("differ", [0.0, 0.1])
def test_a_spread_that_rests_on_few_terms_says_nothing(rare, differ):
    terms = np.zeros(1000)
    terms[:rare] = 9 + differ * np.arange(rare)
    assert _is_heavy(terms) == (0 < rare < 5)
    assert not _is_heavy(-terms)


@pytest.mark.parametrize(
    ("p", "error"),
    [
        (stats.bernoulli(1e-9), np.inf),  # the other outcome is never seen
        (stats.bernoulli(0), 0),  # there is no other
        (stats.multinomial(5, [1 - 1e-12, 1e-12]), np.inf),
        (stats.multinomial(0, [0.5, 0.5]), 0),
    ],
)
def test_one_outcome_alone_says_nothing_unless_it_is_certain(p, error, rng):
    q = stats.bernoulli(0.5) if hasattr(p, "dist") else stats.multinomial(p.n, [0.5, 0.5])
    assert kl_monte_carlo(p, q, 64, rng=rng).standard_error == error


# What is refused.


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda rng: kl_monte_carlo(3.0, PLANE, 9, rng=rng), TypeError, "p must be a frozen"),
        (lambda rng: kl_monte_carlo(PLANE, None, 9, rng=rng), TypeError, "q must be a frozen"),
        (
            lambda rng: kl_monte_carlo(PLANE, PLANE, 1, rng=rng),
            ValueError,
            "n must be an integer >= 2, got 1",
        ),
        (lambda rng: kl_monte_carlo(PLANE, PLANE, 9.0, rng=rng), TypeError, r"n must be .* got 9\.0"),
        (lambda _: kl_monte_carlo(PLANE, PLANE, 9, rng=0), TypeError, "rng must be"),
        (
            lambda rng: kl_monte_carlo(PLANE, PLANE, 9, rng=rng, estimator="k4"),
            ValueError,
            "estimator must be one of 'k1', 'k2', 'k3', got 'k4'",
        ),
        (
            lambda rng: kl_monte_carlo(stats.norm([0, 1]), stats.norm(), 9, rng=rng),
            ValueError,
            r"must have scalar parameters, got shapes \(2,\) and \(\)",
        ),
        (lambda rng: kl_monte_carlo(PLANE, stats.norm(), 9, rng=rng), TypeError, "of one kind"),
        (
            lambda rng: kl_monte_carlo(PLANE, stats.multinomial(2, [0.5, 0.5]), 9, rng=rng),
            TypeError,
            "must both have logpdf, or both logpmf, got logpdf of p and logpmf of q",
        ),
        (
            lambda rng: kl_monte_carlo(PLANE, Space(), 9, rng=rng),
            ValueError,
            r"q\.logpdf must take samples of shape \(9, 2\): ",
        ),
        (
            lambda rng: kl_monte_carlo(stats.gamma(1e-3), stats.gamma(1), 9, rng=rng),
            ValueError,
            r"p\.logpdf must be finite, got inf at index .* where x is 0\.0",
        ),
        (lambda rng: kl_monte_carlo(Scalar(), stats.norm(), 9, rng=rng), ValueError, r"p\.rvs must return"),
    ],
)
def test_what_cannot_be_estimated_is_named(call, error, message, rng):
    with pytest.raises(error, match=message):
        call(rng)


class Space:
    """A distribution of points (n, 3), of somebody else's class."""

    def rvs(self, size, random_state):
        return random_state.normal(size=(size, 3))

    def logpdf(self, x):
        return stats.multivariate_normal(np.zeros(3)).logpdf(x)


class Scalar:
    """A distribution that returns one sample, whatever it is asked for."""

    logpdf = staticmethod(stats.norm().logpdf)

    def rvs(self, size: int, random_state: np.random.Generator) -> float:
        return size * random_state.random()


def test_the_same_generator_gives_the_same_estimate():
    p, q = stats.norm(), stats.norm(1)
    assert kl_monte_carlo(p, q, 99, rng=generator()) == kl_monte_carlo(p, q, 99, rng=generator())
