"""Closed forms to the last digit, against mpmath at 70 digits, floats taken as exact."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from oracles import closed_forms
from oracles.closed_forms import exact, mp
from oracles.grid import (
    FAMILIES,
    Oracle,
    evaluate,
    exact_values,
    far_pairs,
    near_pairs,
    relative_errors,
)
from oracles.statistics import z_scores
from scipy import stats
from scipy.special import iv

from kl_lib import kl_divergence

# Every second power of ten of the grid's distances, and the two ends.
SAMPLE = [sign * 10.0**-k for k in (1, 2, 4, 6, 8, 10, 12) for sign in (1, -1)]
every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


def closed(p: Any, q: Any) -> Any:
    return kl_divergence(p, q, method="closed")


def worst_error(family: Oracle, p: list[np.ndarray], q: list[np.ndarray]) -> float:
    errors = relative_errors(evaluate(closed, family, p, q), exact_values(family, p, q))
    return float(np.max(errors))


@every_family
def test_near_identity(family: Oracle) -> None:
    assert worst_error(family, *near_pairs(family, SAMPLE)) < 2e-15


@every_family
def test_far_from_identity(family: Oracle, rng: np.random.Generator) -> None:
    assert worst_error(family, *far_pairs(family, 60, rng=rng)) < 8e-15


@every_family
def test_identity_is_exactly_0(family: Oracle, rng: np.random.Generator) -> None:
    p = family.far(rng, 30)
    assert_array_equal(evaluate(closed, family, p, p), 0.0)


@pytest.mark.parametrize("name", FAMILIES)
def test_three_routes_agree(name: str, rng: np.random.Generator) -> None:
    """The closed form, quadrature or a sum where there is one, and a Monte-Carlo mean of 1e5 samples."""
    ends = MIDDLE[name]
    p, q = (FAMILIES[name].build(*end) for end in ends)
    value = closed(p, q)
    assert_allclose(value, float(FAMILIES[name].reference(*exact([*ends[0], *ends[1]]))), rtol=1e-14)
    if name not in ("dirichlet", "vonmises"):
        assert_allclose(kl_divergence(p, q, method="quadrature"), value, rtol=1e-9)
    x = p.rvs(100_000, random_state=rng)
    x = x.T if name == "dirichlet" else x
    log = (lambda d: d.logpdf(x)) if hasattr(p, "logpdf") else (lambda d: d.logpmf(x))
    assert abs(z_scores(log(p) - log(q), value)) < 4.5


MIDDLE: dict[str, list[tuple[float, ...]]] = {
    "norm": [(0.3, 1.2), (-0.4, 2.0)],
    "lognorm": [(0.8, 1.2), (1.1, 2.0)],
    "halfnorm": [(0.5, 1.2), (0.25, 2.0)],
    "expon": [(0.5, 2.0), (0.0, 3.0)],
    "gamma": [(2.0, 1.5), (3.5, 0.7)],
    "chi2": [(4.0, 1.5), (7.0, 0.7)],
    "invgamma": [(2.0, 1.5), (3.5, 0.7)],
    "beta": [(2.0, 3.5), (1.5, 1.2)],
    "dirichlet": [(2.0, 3.5, 0.7), (1.5, 1.2, 1.0)],
    "laplace": [(0.3, 1.2), (-0.4, 2.0)],
    "cauchy": [(0.3, 1.2), (-0.4, 2.0)],
    "pareto": [(3.0, 1.2), (2.0, 0.9)],
    "weibull_min": [(1.5, 1.2), (1.9, 1.6)],
    "gumbel_r": [(0.3, 1.2), (-0.4, 1.9)],
    "gumbel_l": [(0.3, 1.2), (-0.4, 1.9)],
    "uniform": [(0.25, 0.5), (0.0, 1.0)],
    "rayleigh": [(1.2,), (2.0,)],
    "maxwell": [(1.2,), (2.0,)],
    "vonmises": [(0.3, 1.2), (-0.4, 2.0)],
    "bernoulli": [(0.3,), (0.6,)],
    "binom": [(7, 0.3), (7, 0.6)],
    "geom": [(0.3,), (0.6,)],
    "nbinom": [(7, 0.3), (7, 0.6)],
    "poisson": [(3.0,), (4.5,)],
}


# log I₀(0) − log I₀(2.5) + 2.5 (I₁/I₀)(2.5).
VON_MISES = 2.5 * iv(1, 2.5) / iv(0, 2.5) - np.log(np.i0(2.5))


def test_published_values() -> None:
    narrow, wide = stats.norm(0, 1), stats.norm(0, 2)
    assert kl_divergence(narrow, wide) == pytest.approx(np.log(2) - 3 / 8, rel=1e-15)
    assert kl_divergence(wide, narrow) == pytest.approx(3 / 2 - np.log(2), rel=1e-15)
    moved = stats.norm(1, 2)
    assert kl_divergence(narrow, moved) == pytest.approx(0.4431472, abs=5e-8)
    assert kl_divergence(moved, narrow) == pytest.approx(1.3068528, abs=5e-8)


def test_the_divergence_is_not_symmetric() -> None:
    p, q = stats.norm(0, 1), stats.norm(0, [0.5, 2.0, 3.0])
    forward, reverse = kl_divergence(p, q), kl_divergence(q, p)
    assert np.all(forward + reverse > 0)
    assert np.all(np.abs(forward - reverse) > 0.1)


@pytest.mark.parametrize(
    ("p", "q", "expected"),
    [
        (stats.expon(0), stats.expon(1), np.inf),
        (stats.uniform(0, 2), stats.uniform(0, 1), np.inf),
        (stats.uniform(-0.5, 1), stats.uniform(0, 1), np.inf),
        (stats.uniform(0, 0.1), stats.uniform(0, 1), np.log(10)),
        (stats.uniform(0.1, 0.2), stats.uniform(0, 0.3), np.log(1.5)),  # though 0.1 + 0.2 > 0.3 for floats
        (stats.uniform(0.1, 0.2 + 1e-14), stats.uniform(0, 0.3), np.inf),
        (stats.bernoulli(0.3), stats.bernoulli([0.0, 1.0]), [np.inf, np.inf]),
        (stats.bernoulli([0.0, 1.0]), stats.bernoulli(0.25), [-np.log(0.75), np.log(4)]),
        (stats.bernoulli([0.0, 1.0]), stats.bernoulli([0.0, 1.0]), [0.0, 0.0]),
        (stats.bernoulli([0.0, 1.0]), stats.bernoulli([1.0, 0.0]), [np.inf, np.inf]),
        (stats.poisson([0.0, 0.0, 2.0]), stats.poisson([0.0, 2.0, 0.0]), [0.0, 2.0, np.inf]),
        (stats.gamma(2, loc=-1), stats.gamma(2), np.inf),
        (stats.beta(2, 3, scale=2), stats.beta(2, 3), np.inf),
        (stats.laplace(0, 1e-310), stats.laplace(1, 1), -np.log(1e-310)),
        (stats.laplace(0, 1e200), stats.laplace(0, 1e-200), np.inf),
        (stats.laplace(0, 1e200), stats.laplace(1e250, 1e-100), np.inf),
        (stats.halfnorm(0, 1e200), stats.halfnorm(0, 1e-200), np.inf),
        (stats.uniform(0, 1e-250), stats.uniform(0, 1e250), 500 * np.log(10)),
        (stats.chi2(0.5, scale=1e200), stats.chi2(0.5, scale=4e-109), 6.25e307),
        (stats.gumbel_r(0, 1), stats.gumbel_r(709.5, 1), np.expm1(709.5) - 709.5),
        (stats.norm(0, 1e-300), stats.norm(0, 1), 300 * np.log(10) - 0.5),
        (stats.halfnorm(0), stats.halfnorm(1), np.inf),
        (stats.pareto(2, scale=1), stats.pareto(3, scale=2), np.inf),
        (stats.pareto(2, loc=1), stats.pareto(3, loc=2), np.inf),
        (stats.lognorm(1, loc=-1), stats.lognorm(1), np.inf),
        (stats.cauchy(0, 1e300), stats.cauchy(0, 1e-300), 600 * np.log(10) - np.log(4)),
        (stats.cauchy(0, 1), stats.cauchy(1e300, 1), 600 * np.log(10) - np.log(4)),
        (stats.gumbel_r(0, 1e-300), stats.gumbel_r(0, 1e300), 600 * np.log(10) - np.euler_gamma),
        (stats.gumbel_r(0, 1e300), stats.gumbel_r(0, 1e-300), np.inf),
        (stats.gumbel_r(0, 1e22), stats.gumbel_r(1e26, 1), np.inf),
        (stats.gumbel_l(0, 1e22), stats.gumbel_l(1e30, 1), 1e30 + np.euler_gamma * 1e22),
        (stats.vonmises([0, 0, 2.5]), stats.vonmises([0, 2.5, 0]), [0, np.log(np.i0(2.5)), VON_MISES]),
        (stats.geom(1), stats.geom(0.25), np.log(4)),
        (stats.binom(5, 0.3), stats.binom(4, 0.3), np.inf),
        (stats.binom(0, 0.3), stats.binom(4, 0.5), 4 * np.log(2)),
        (stats.binom(3, [0.0, 1.0]), stats.binom(3, [0.0, 0.5]), [0.0, 3 * np.log(2)]),
        (stats.dirichlet([2.0]), stats.dirichlet([3.0]), 0.0),
    ],
)
def test_edges(p: Any, q: Any, expected: Any) -> None:
    assert_allclose(kl_divergence(p, q), expected, rtol=1e-14)


def test_locations_that_a_formula_does_not_cover_are_integrated() -> None:
    for p, q in (
        (stats.gamma(2, loc=1), stats.gamma(2)),
        (stats.beta(2, 3, loc=0.25, scale=0.5), stats.beta(2, 3)),
        (stats.bernoulli(0.3, loc=1), stats.poisson(1)),
        (stats.poisson(2, loc=1), stats.poisson(2)),
        (stats.lognorm(1, loc=1), stats.lognorm(1)),
        (stats.chi2(3, loc=1), stats.chi2(3)),
        (stats.invgamma(3, loc=1), stats.invgamma(3)),
        (stats.pareto(3, loc=1), stats.pareto(3)),
        (stats.weibull_min(3, loc=1), stats.weibull_min(3)),
        (stats.rayleigh(loc=1), stats.rayleigh()),
        (stats.maxwell(loc=1), stats.maxwell()),
        (stats.geom(0.3, loc=1), stats.geom(0.3)),
        (stats.binom(2, 0.3, loc=1), stats.binom(3, 0.3)),
        (stats.binom(2, 0.3), stats.binom(3, 0.3)),
        (stats.nbinom(2, 0.3, loc=1), stats.nbinom(2, 0.3)),
        (stats.nbinom(2, 0.3), stats.nbinom(3, 0.3)),
    ):
        assert kl_divergence(p, q) == kl_divergence(p, q, method="quadrature") > 0
        with pytest.raises(NotImplementedError, match="no closed form of D"):
            kl_divergence(p, q, method="closed")


def test_a_bernoulli_at_another_place_may_touch_it_at_a_point() -> None:
    assert kl_divergence(stats.bernoulli(0, loc=1), stats.bernoulli(0.25)) == pytest.approx(
        np.log(4), rel=1e-15
    )
    assert kl_divergence(stats.bernoulli(0.5, loc=1), stats.bernoulli(0.25)) == np.inf


def test_newer_random_variables_take_the_closed_form_of_their_generator() -> None:
    gamma_class = stats.make_distribution(stats.gamma)
    for newer, frozen in (
        (stats.Normal(mu=1.0, sigma=2.0), stats.norm(1, 2)),
        (stats.Normal(), stats.norm()),
        (gamma_class(a=2.5), stats.gamma(2.5)),
    ):
        for other in (stats.norm(0.3, 0.9), stats.gamma(1.2)):
            if other.dist is frozen.dist:
                assert kl_divergence(newer, other, method="closed") == kl_divergence(frozen, other)
                assert kl_divergence(other, newer, method="closed") == kl_divergence(other, frozen)


def test_a_newer_uniform_keeps_its_ends_exactly() -> None:
    inner, outer = stats.Uniform(a=0.1, b=0.3), stats.Uniform(a=0.0, b=0.3)
    width = mp.mpf(0.3) - mp.mpf(0.1)
    truth = closed_forms.uniform(mp.mpf(0.1), width, 0, mp.mpf(0.3))
    assert kl_divergence(inner, outer) == pytest.approx(float(truth), rel=1e-15)
    a, b = np.nextafter(0.1, 1), np.nextafter(0.3, 0)
    truth = closed_forms.uniform(exact(a), exact(b) - exact(a), mp.mpf(0.1), width)
    assert kl_divergence(stats.Uniform(a=a, b=b), inner) == pytest.approx(float(truth), rel=1e-15)
    assert kl_divergence(inner, stats.Uniform(a=0.1 + 1e-15, b=0.3)) == np.inf


def test_arguments_by_position_and_by_keyword_are_the_same() -> None:
    q = stats.gamma(3.0, 0.0, 2.0)
    assert kl_divergence(stats.gamma(2.0, 0, 1.5), q) == kl_divergence(stats.gamma(a=2.0, scale=1.5), q)


@pytest.mark.parametrize("ratio", [0.1, 0.79, 0.81, 1 - 1e-9, 1.0, 1 + 1e-9, 1.19, 1.21, 7.0])
def test_scalars_and_arrays_agree(ratio: float) -> None:
    for q in (stats.norm(0.5, 2.0), stats.norm(scale=2, loc=3)):
        p = stats.norm(0.5, 2.0 * ratio)
        (array,) = kl_divergence(stats.norm([0.5], 2.0 * ratio), q)
        assert kl_divergence(p, q) == pytest.approx(array, rel=1e-15)


def test_large_arrays_are_evaluated_in_blocks(rng: np.random.Generator) -> None:
    shapes, scales = rng.uniform(1, 9, (30_000, 1)), np.array([1.0, 2.0])
    value = kl_divergence(stats.rayleigh(scale=shapes), stats.rayleigh(scale=scales))
    assert value.shape == (30_000, 2)
    for i in (0, 16_383, 29_999):
        assert_array_equal(
            value[i], kl_divergence(stats.rayleigh(scale=shapes[i]), stats.rayleigh(scale=scales))
        )
    with pytest.raises(NotImplementedError, match="no closed form"):
        closed(stats.rayleigh(shapes, scale=scales), stats.rayleigh(0, 1))


def test_array_parameters_broadcast() -> None:
    value = kl_divergence(stats.gamma([[1.0], [2.0]], scale=[1.0, 2.0, 3.0]), stats.gamma(1.5))
    assert value.shape == (2, 3)
    assert value[1, 2] == kl_divergence(stats.gamma(2.0, scale=3.0), stats.gamma(1.5))
    value[0, 0] = 0.0  # The result is an array of its own.
    assert isinstance(kl_divergence(stats.norm(), stats.norm()), float)


@pytest.mark.parametrize("family", [stats.vonmises(2), stats.gumbel_r(), stats.halfnorm()])
def test_scaled_and_moved_together(family: Any) -> None:
    p, q = family.dist(*family.args, loc=0.5), family.dist(*family.args, loc=0.25)
    moved = [family.dist(*family.args, loc=4 * loc + 1, scale=4) for loc in (0.5, 0.25)]
    assert closed(*moved) == pytest.approx(closed(p, q), rel=1e-15)


def test_once_around_the_circle_is_as_far_as_the_floats_say() -> None:
    turned = 1 + 2 * np.pi
    truth = closed_forms.von_mises(*exact([1, 2, turned, 2]))
    value = closed(stats.vonmises(2, loc=1), stats.vonmises(2, loc=turned))
    assert 0 < value == pytest.approx(float(truth), rel=1e-13)


def test_a_circle_of_another_length_is_left_to_quadrature_which_refuses() -> None:
    with pytest.raises(NotImplementedError, match="no closed form"):
        closed(stats.vonmises(2), stats.vonmises(2, scale=2))
    with pytest.raises(ArithmeticError, match=r"the mass of q = vonmises comes out as 0\.92"):
        kl_divergence(stats.vonmises(2), stats.vonmises(2, scale=2))


def test_a_dirichlet_of_two_shares_is_a_beta(rng: np.random.Generator) -> None:
    for a, b, c, d in 10 ** rng.uniform(-3, 3, (20, 4)):
        value = closed(stats.dirichlet([a, b]), stats.dirichlet([c, d]))
        assert value == pytest.approx(closed(stats.beta(a, b), stats.beta(c, d)), rel=1e-14)


def test_long_dirichlets(rng: np.random.Generator) -> None:
    alpha = 10 ** rng.uniform(-2, 3, 400)
    for distance in (1e-1, 1e-6, 1e-11):
        beta = alpha * (1 + distance * rng.uniform(-1, 1, 400))
        truth = closed_forms.dirichlet(*exact([*alpha, *beta]))
        assert relative_errors(closed(stats.dirichlet(alpha), stats.dirichlet(beta)), [truth]) < 3e-15
