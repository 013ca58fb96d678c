"""Quadrature and sums: against known integrals, at edges, and where they must refuse."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from oracles.moments import normal_to_cauchy
from scipy import stats

from kl_lib import entropy, kl_categorical, kl_divergence

TWO_NORMALS = stats.Mixture(
    [stats.Normal(mu=1.0, sigma=1.0), stats.Normal(mu=10.0, sigma=1.5)], weights=np.array([0.5, 0.5])
)


def two_modes(a: float) -> Any:
    return stats.Mixture([stats.Normal(mu=-a, sigma=1.0), stats.Normal(mu=a, sigma=1.0)])


@pytest.mark.parametrize(
    ("p", "q", "expected"),
    [
        # Chyzak and Nielsen (2019), equation 1.
        (stats.cauchy(1, 2), stats.cauchy(0, 1), np.log(((2 + 1) ** 2 + 1) / 8)),
        (stats.cauchy(1, 2), stats.cauchy(1e6, 3), np.log((5**2 + (1e6 - 1) ** 2) / 24)),
        (stats.lognorm(2), stats.lognorm(3), np.log(1.5) + 4 / 18 - 0.5),
        (stats.pareto(1.01), stats.pareto(2), np.log(1.01 / 2) + 2 / 1.01 - 1),
        (stats.weibull_min(2.0), stats.expon(), np.log(2) - 0.5 * np.euler_gamma - 1 + np.sqrt(np.pi) / 2),
        (stats.laplace(0, 1), stats.norm(0, 1), 1.0 + 0.5 * np.log(2 * np.pi) - 1 - np.log(2)),
        (
            stats.norm(0, 1),
            stats.laplace(0, 1),
            np.log(2) + np.sqrt(2 / np.pi) - 0.5 * np.log(2 * np.pi * np.e),
        ),
        (stats.t(3), stats.norm(), 0.5 * np.log(2 * np.pi) + 1.5 - stats.t(3).entropy()),
        (stats.uniform(2, 3), stats.norm(1, 2), 0.5 * np.log(8 * np.pi) + (4**3 - 1) / 3 / 3 / 8 - np.log(3)),
        (stats.expon(), stats.gamma(2), np.euler_gamma),
        (stats.rayleigh(), stats.halfnorm(), np.log(np.sqrt(np.pi / 2)) + 0.5 * (np.log(2) - np.euler_gamma)),
    ],
)
def test_known_integrals(p: Any, q: Any, expected: float) -> None:
    assert kl_divergence(p, q, method="quadrature") == pytest.approx(expected, rel=1e-10)


def test_an_integral_without_a_closed_form_agrees_with_mpmath() -> None:
    assert kl_divergence(stats.norm(), stats.cauchy()) == pytest.approx(float(normal_to_cauchy()), rel=1e-10)


@pytest.mark.parametrize("distance", [1e-1, 1e-2, 1e-3, 1e-4, 1e-5])
def test_quadrature_does_not_cancel_near_identity(distance: float) -> None:
    for p, q in (
        (stats.norm(), stats.norm(distance, 1 + distance)),
        (stats.gamma(2.5), stats.gamma(2.5 + distance, scale=1 - distance)),
        (stats.laplace(), stats.laplace(distance, 1 + distance)),
        (stats.beta(2.0, 3.0), stats.beta(2.0, 3.0 + distance)),
        (stats.poisson(3.0), stats.poisson(3.0 + distance)),
    ):
        closed = kl_divergence(p, q, method="closed")
        assert_allclose(kl_divergence(p, q, method="quadrature"), closed, rtol=1e-9)


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (stats.norm(0, 1), stats.norm(0, 1e-6)),
        (stats.norm(0, 1e-6), stats.norm(0, 1)),
        (stats.norm(0, 1), stats.norm(1e3, 1)),
        (stats.norm(1e8, 1e-6), stats.norm(1e8, 2e-6)),
        (stats.norm(0, 1e200), stats.norm(0, 2e200)),
        (stats.laplace(0.3, 0.01), stats.laplace(1, 2)),
        (stats.expon(scale=1e-9), stats.expon(scale=1e3)),
        (stats.gamma(30), stats.gamma(0.5, scale=2)),
        (stats.gamma(0.3), stats.gamma(0.5, scale=2)),
        (stats.gamma(0.5, loc=7), stats.gamma(0.7, loc=7)),
        (stats.beta(0.5, 2, loc=3), stats.beta(0.7, 3, loc=3)),
        (stats.uniform(0.25, 0.5), stats.uniform(0, 1)),
    ],
)
def test_quadrature_finds_narrow_far_and_singular_densities(p: Any, q: Any) -> None:
    closed = kl_divergence(p, q, method="closed")
    assert kl_divergence(p, q, method="quadrature") == pytest.approx(closed, rel=1e-9)


def test_q_may_have_mass_where_p_has_none() -> None:
    """Close to p all the same, so that the mass outside is part of the answer."""
    p = stats.truncnorm(-3, np.inf)
    assert kl_divergence(p, stats.norm()) == pytest.approx(-stats.norm.logsf(-3), rel=1e-9)
    left = stats.Mixture([stats.Uniform(a=0.0, b=1.0), stats.Uniform(a=2.0, b=3.0)])
    three = stats.Mixture(
        [stats.Uniform(a=2.0 * k, b=2.0 * k + 1) for k in range(2)] + [stats.Uniform(a=1.0, b=2.0)],
        weights=np.array([0.498, 0.498, 0.004]),
    )
    assert kl_divergence(left, three) == pytest.approx(-np.log(0.996), rel=1e-9)


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (stats.cauchy(), stats.norm()),
        (stats.cauchy(), stats.laplace()),
        (stats.cauchy(), stats.logistic()),
        (stats.t(2), stats.norm()),
        (stats.pareto(0.9), stats.expon()),
        (stats.norm(), stats.norm(1e-9, 1)),
        (stats.zipf(1.01), stats.zipf(1.02)),
    ],
)
def test_what_diverges_or_cannot_be_told_is_refused(p: Any, q: Any) -> None:
    with pytest.raises(ArithmeticError, match="does not reach a relative error of 1e-09"):
        kl_divergence(p, q, method="quadrature")


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (stats.norm(), stats.expon()),
        (stats.expon(-1), stats.gamma(2)),
        (stats.beta(2, 2), stats.uniform(0, 0.5)),
        (stats.norm(), stats.Mixture([stats.Uniform(a=0.0, b=1.0)])),
        (
            stats.Uniform(a=0.0, b=3.0),
            stats.Mixture([stats.Uniform(a=0.0, b=1.0), stats.Uniform(a=2.0, b=3.0)]),
        ),
        (stats.uniform(0, 10), stats.rv_histogram(np.histogram([1, 2, 9, 9], bins=3))),
        (stats.poisson(2), stats.binom(5, 0.3)),
        (stats.poisson(2), stats.geom(0.3)),
        (stats.binom(6, 0.3), stats.binom(5, 0.3)),
        (stats.skellam(1, 2), stats.poisson(3)),
        (stats.bernoulli(0.5, loc=0.5), stats.poisson(3)),
        (stats.poisson(3, loc=0.5), stats.poisson(3)),
        (stats.rv_discrete(values=([0, 7], [0.5, 0.5])), stats.binom(5, 0.3)),
        (stats.binom(2, 0.3), stats.rv_discrete(values=([0, 1], [0.5, 0.5]))),
        (stats.poisson(2), stats.rv_discrete(values=([0, 1], [0.5, 0.5]))),
        (stats.randint(0, 10**6), stats.randint(1, 10**6)),
    ],
)
def test_infinite_where_q_has_no_mass(p: Any, q: Any) -> None:
    assert kl_divergence(p, q) == np.inf


def test_a_mixture_and_one_normal() -> None:
    """Forward optimum, and the two local minima of the reverse divergence."""
    assert kl_divergence(TWO_NORMALS, stats.norm(5.5, 4.677072)) == pytest.approx(0.647268, abs=5e-7)
    reverse = kl_divergence(stats.norm([1.00150, 9.99654], [1.00265, 1.50630]), TWO_NORMALS)
    assert_allclose(reverse, [0.692750, 0.692567], atol=6e-7)


def test_when_one_mode_beats_covering_both() -> None:
    covering = kl_divergence(stats.norm(0, 2.60), two_modes(2.8))
    assert covering == pytest.approx(0.684, abs=1e-3)
    scales = np.linspace(0.8, 1.6, 9)
    for a, better in ((2.6, "covering"), (3.0, "one mode")):
        one_mode = np.min(kl_divergence(stats.norm(a - 0.1, scales), two_modes(a)))
        both = np.min(kl_divergence(stats.norm(0, np.linspace(1.8, 3.2, 8)), two_modes(a)))
        assert (one_mode < both) == (better == "one mode")


def test_components_without_weight_are_no_part_of_a_mixture() -> None:
    mixture = stats.Mixture(
        [stats.Normal(mu=0.0, sigma=1.0), stats.Normal(mu=0.0, sigma=1e-8)], weights=np.array([1.0, 0.0])
    )
    assert kl_divergence(stats.norm(1, 2), mixture) == pytest.approx(
        kl_divergence(stats.norm(1, 2), stats.norm()), rel=1e-9
    )


def test_newer_random_variables_without_a_known_name() -> None:
    shifted = 2.0 * stats.Normal() + 1.0
    assert kl_divergence(shifted, stats.norm()) == pytest.approx(
        kl_divergence(stats.norm(1, 2), stats.norm()), rel=1e-9
    )
    assert kl_divergence(stats.exp(stats.Normal()), stats.lognorm(2.0)) == pytest.approx(
        kl_divergence(stats.norm(0, 1), stats.norm(0, 2)), rel=1e-9
    )


def test_arrays_of_parameters_are_integrated_entry_by_entry() -> None:
    p = stats.Normal(mu=np.array([0.0, 1.0]), sigma=np.array([[1.0], [2.0]]))
    q = stats.norm([[[0.5]], [[-0.5]]], 1.5)
    value = kl_divergence(p, q, method="quadrature")
    assert value.shape == (2, 2, 2)
    assert_allclose(value, kl_divergence(p, q, method="closed"), rtol=1e-9)
    assert_allclose(
        kl_divergence(stats.laplace([0, 1]), stats.norm(0, [[1], [2]]))[0, 1],
        kl_divergence(stats.laplace(1), stats.norm()),
        rtol=1e-12,
    )


def test_histograms() -> None:
    p = stats.rv_histogram(([1, 0, 3], [0.0, 1.0, 2.0, 3.0]))
    q = stats.rv_histogram(([1, 1, 2], [0.0, 1.0, 2.0, 3.0]))
    assert kl_divergence(p, q) == pytest.approx(0.75 * np.log(0.75 / 0.5), rel=1e-9)
    assert kl_divergence(q, p) == np.inf
    assert kl_divergence(p(loc=1, scale=2), q(loc=1, scale=2)) == pytest.approx(kl_divergence(p, q), rel=1e-9)
    assert kl_divergence(p, stats.norm()) > 0


def _of_uniforms(edges: list[float], weights: list[float]) -> stats.Mixture:
    """Return the density that is constant between the edges, with these masses over their sum."""
    pieces = [stats.Uniform(a=a, b=b) for a, b in itertools.pairwise(edges)]
    return stats.Mixture(pieces, weights=np.array(weights) / np.sum(weights))


@given(
    widths=st.lists(st.floats(0.1, 3), min_size=2, max_size=5),
    data=st.data(),
    start=st.sampled_from([0.0, -1.5, 1e3]),
)
def test_steps_of_uniform_components_that_touch(widths: list[float], data: Any, start: float) -> None:
    edges = (start + np.cumsum([0.0, *widths])).tolist()
    masses = st.lists(st.floats(0.05, 1), min_size=len(widths), max_size=len(widths))
    first, second = data.draw(masses), data.draw(masses)
    p, q = _of_uniforms(edges, first), _of_uniforms(edges, second)
    assert kl_divergence(p, q) == pytest.approx(
        kl_categorical(first / np.sum(first), second / np.sum(second)), rel=1e-9, abs=1e-12
    )
    of_width = np.log(np.diff(edges))
    shares = first / np.sum(first)
    assert entropy(p) == pytest.approx(np.sum(shares * (of_width - np.log(shares))), abs=1e-9)


def test_a_middle_piece_of_the_mean_height_says_nothing_of_the_others() -> None:
    p, q = _of_uniforms([0.0, 1.0, 2.0, 3.0], [3.0, 2.0, 1.0]), stats.Uniform(a=0.0, b=3.0)
    assert kl_divergence(p, q) == pytest.approx(0.5 * np.log(1.5) + np.log(0.5) / 6, rel=1e-12)


@pytest.mark.parametrize(
    ("p", "q", "expected"),
    [
        (stats.geom(0.3), stats.geom(0.5), np.log(0.3 / 0.5) + (1 / 0.3 - 1) * np.log(0.7 / 0.5)),
        (stats.binom(5, 0.3), stats.binom(5, 0.4), 5 * (0.3 * np.log(0.75) + 0.7 * np.log(0.7 / 0.6))),
        (stats.nbinom(3, 0.3), stats.nbinom(3, 0.5), 3 * np.log(0.6) + 7 * np.log(0.7 / 0.5)),
        (stats.randint(2, 5), stats.randint(0, 9), np.log(3)),
        (stats.randint(0, 10**5), stats.randint(0, 2 * 10**5), np.log(2)),
        (stats.poisson(0), stats.bernoulli(0.3), -np.log(0.7)),
        (stats.geom(1.0), stats.poisson(2), 2 - np.log(2)),
        (stats.bernoulli(0.5), stats.poisson(1.0), 1 - np.log(2)),
        (stats.dlaplace(1.0), stats.dlaplace(2.0), np.log(np.tanh(0.5) / np.tanh(1.0)) + 1 / np.sinh(1.0)),
    ],
)
def test_known_sums(p: Any, q: Any, expected: float) -> None:
    assert kl_divergence(p, q) == pytest.approx(expected, rel=1e-11)


def test_sums_over_both_directions_agree_with_a_plain_sum() -> None:
    k = np.arange(-80, 60)
    p, q = stats.skellam(20, 30), stats.skellam(21, 29)
    plain = np.sum(p.pmf(k) * (p.logpmf(k) - q.logpmf(k)))
    assert kl_divergence(p, q) == pytest.approx(plain, rel=1e-9)


def test_newer_discrete_random_variables() -> None:
    p = stats.make_distribution(stats.binom)(n=5, p=0.3)
    assert kl_divergence(p, stats.binom(5, 0.4)) == pytest.approx(
        kl_divergence(stats.binom(5, 0.3), stats.binom(5, 0.4)), rel=1e-12
    )


def test_distributions_given_by_their_points() -> None:
    p = stats.rv_discrete(values=([0, 1, 5], [0.25, 0.25, 0.5]))
    q = stats.rv_discrete(values=([5, 1, 0, 7, 8], [0.25, 0.25, 0.25, 0.25, 0.0]))
    assert kl_divergence(p, q) == pytest.approx(0.5 * np.log(2), rel=1e-14)
    assert kl_divergence(q, p) == np.inf
    assert_array_equal(kl_divergence(p(loc=[0, 0.5]), p()), [0.0, np.inf])
    poisson = stats.poisson(2)
    assert kl_divergence(p, poisson) == pytest.approx(
        np.sum(p.pk * (np.log(p.pk) - poisson.logpmf(p.xk))), rel=1e-12
    )


def test_close_distributions_with_points_of_their_own() -> None:
    """The mass of q outside p: at its other points, beyond a finite p, and below an infinite one."""
    tiny = 0.004
    p = stats.rv_discrete(values=([0, 1], [0.5, 0.5]))
    q = stats.rv_discrete(values=([0, 1, 2], [0.5 - tiny / 2, 0.5 - tiny / 2, tiny]))
    assert kl_divergence(p, q) == pytest.approx(-np.log1p(-tiny), rel=1e-9)
    k = np.arange(9)
    truncated = stats.poisson(2).pmf(k) / stats.poisson(2).cdf(8)
    assert kl_divergence(stats.rv_discrete(values=(k, truncated)), stats.poisson(2)) == pytest.approx(
        -np.log(stats.poisson(2).cdf(8)), rel=1e-9
    )
    assert kl_divergence(stats.planck(5.0, loc=1), stats.planck(5.0)) == pytest.approx(5.0, rel=1e-9)
    assert kl_divergence(stats.zipfian(2.0, 10**5), stats.zipfian(2.0, 10**5 + 1)) > 0


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_half_line_that_the_median_is_not_on(sign: float) -> None:
    exponential = stats.make_distribution(stats.expon)()
    parts = [stats.Uniform(a=-0.5, b=0.5), sign * (exponential + 3.0)]
    p = stats.Mixture(parts, weights=np.array([0.8, 0.2]))
    q = stats.Mixture(parts, weights=np.array([0.7, 0.3]))
    expected = 0.8 * np.log(0.8 / 0.7) + 0.2 * np.log(0.2 / 0.3)
    assert kl_divergence(p, q) == pytest.approx(expected, rel=1e-9)


def normals(*parts: tuple[float, float, float]) -> Any:
    weights = np.array([weight for weight, _, _ in parts])
    return stats.Mixture([stats.Normal(mu=m, sigma=s) for _, m, s in parts], weights=weights)


def test_a_mixture_is_at_no_distance_from_itself() -> None:
    p = normals((0.2, -2.0, 1.0), (0.3, 2.0, 1.3), (0.5, 9.0, 0.1))
    turned = normals((0.5, 9.0, 0.1), (0.3, 2.0, 1.3), (0.2, -2.0, 1.0))
    assert kl_divergence(p, p) == 0.0
    assert 0 <= kl_divergence(p, turned) < 1e-28
    twice = normals((0.5, 0.0, 1.0), (0.5, 0.0, 1.0))
    assert 0 <= kl_divergence(twice, stats.norm()) < 1e-28
    assert 0 <= kl_divergence(stats.norm(), twice) < 1e-28


@pytest.mark.parametrize("distance", [1e-2, 1e-4, 1e-6])
def test_mixtures_close_to_each_other(distance: float) -> None:
    """Half the Fisher information of the weight, times the square of its change."""
    share = 0.3
    p, q = (normals((1 - a, 0.0, 1.0), (a, 3.0, 1.0)) for a in (share, share + distance))
    x = np.linspace(-12, 15, 20_001)
    difference = stats.norm(3).pdf(x) - stats.norm(0).pdf(x)
    information = np.sum(difference**2 / p.pdf(x)) * (x[1] - x[0])
    assert kl_divergence(p, q) == pytest.approx(0.5 * information * distance**2, rel=3 * distance + 1e-9)


def test_heavy_tails_that_cancel() -> None:
    student = stats.make_distribution(stats.t)(df=3.0)
    p, q = (stats.Mixture([student, stats.Normal(mu=m, sigma=1.0)]) for m in (0.0, 1e-3))
    assert kl_divergence(p, q) == pytest.approx(1.1638987e-7, rel=1e-6)
