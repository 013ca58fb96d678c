"""The closed forms of the entropy against mpmath, floats taken as exact, to the ends of the range."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.entropies import (
    beta,
    binomial,
    close,
    f_ratio,
    gamma,
    half,
    lgamma,
    log,
    mp,
    multivariate_student,
    negative_binomial,
    poisson,
    psi,
    student,
    trial,
    truncated_normal,
    von_mises,
    von_mises_fisher,
    wishart,
)
from oracles.statistics import z_scores
from scipy import stats

from kl_lib import cross_entropy, entropy, scipy_adapter
from kl_lib.divergence.distributions import read_distribution
from kl_lib.divergence.entropies import _ENTROPIES
from kl_lib.divergence.numerical import completed, cross_entropy_numerical
from kl_lib.divergence.registry import no_values

# The entropy of each at scale 1, and what the exponents of its parameters may be.
Reference = tuple[Callable[..., Any], list[tuple[float, float]]]
CONTINUOUS: dict[str, Reference] = {
    "gamma": (gamma, [(-300, 300)]),
    "chi2": (lambda df: gamma(df / 2, 2), [(-300, 300)]),
    "chi": (lambda df: lgamma(df / 2) + (df - log(2) - (df - 1) * psi(df / 2)) / 2, [(-300, 300)]),
    "invgamma": (lambda a: a + lgamma(a) - (1 + a) * psi(a), [(-300, 300)]),
    "beta": (beta, [(-150, 150), (-150, 150)]),
    "f": (f_ratio, [(-150, 150), (-150, 150)]),
    "t": (student, [(-300, 300)]),
    "weibull_min": (lambda k: 1 + mp.euler * (1 - 1 / k) - log(k), [(-300, 300)]),
    "weibull_max": (lambda k: 1 + mp.euler * (1 - 1 / k) - log(k), [(-300, 300)]),
    "lognorm": (lambda s: log(s) + half * log(2 * mp.pi * mp.e), [(-300, 300)]),
    "pareto": (lambda b: 1 + 1 / b - log(b), [(-300, 300)]),
    "lomax": (lambda c: 1 + 1 / c - log(c), [(-300, 300)]),
    "genpareto": (lambda c: 1 + c, [(-300, 300)]),
    "genextreme": (lambda c: 1 + mp.euler * (1 - c), [(-300, 300)]),
    "fisk": (lambda c: 2 - log(c), [(-300, 300)]),
    "powerlaw": (lambda a: 1 - 1 / a - log(a), [(-300, 300)]),
    "loguniform": (lambda a, b: half * log(a * b) + log(log(b / a)), [(-300, -1), (0, 300)]),
    "vonmises": (von_mises, [(-300, 6)]),
    "truncexpon": (lambda b: log(-mp.expm1(-b)) + 1 - b / mp.expm1(b), [(-300, 5)]),
}
DISCRETE: dict[str, Reference] = {
    "bernoulli": (trial, [(-300, 0)]),
    "geom": (lambda p: trial(p) / p, [(-300, 0)]),
}


def powers(bounds: list[tuple[float, float]]) -> st.SearchStrategy[tuple[float, ...]]:
    return st.tuples(*(st.one_of(st.floats(*b), st.floats(max(b[0], -2), min(b[1], 3))) for b in bounds))


@pytest.mark.parametrize("name", [*CONTINUOUS, *DISCRETE])
@given(data=st.data())
def test_one_formula_at_any_parameters(name: str, data: st.DataObject) -> None:
    reference, bounds = (CONTINUOUS | DISCRETE)[name]
    shapes = [10.0**k for k in data.draw(powers(bounds))]
    exact = reference(*map(mp.mpf, shapes))
    assert close(entropy(getattr(stats, name)(*shapes)), exact, 1e-14)
    if name in CONTINUOUS:
        scale = 10.0 ** data.draw(st.floats(-3, 3))
        assert close(entropy(getattr(stats, name)(*shapes, scale=scale)), exact + log(scale), 2e-14)


@given(
    middle=st.floats(-1e4, 1e4) | st.floats(-10, 10),
    width=st.floats(-9, 5),
    infinite=st.sampled_from(["neither", "upper", "lower"]),
    scale=st.floats(-3, 3),
)
def test_normals_cut_anywhere(middle: float, width: float, infinite: str, scale: float) -> None:
    a = -np.inf if infinite == "lower" else middle
    b = np.inf if infinite == "upper" else middle + 10.0**width
    exact = truncated_normal(a, b) + scale * log(10)
    assert close(entropy(stats.truncnorm(a, b, scale=10.0**scale)), exact, 1e-14)


@given(mean=st.floats(-300, 2.5), p=st.floats(1e-12, 1 - 1e-12), n=st.integers(0, 400))
def test_few_counts(mean: float, p: float, n: int) -> None:
    assert close(entropy(stats.poisson(10.0**mean)), poisson(10.0**mean), 1e-14)
    assert close(entropy(stats.binom(n, p)), binomial(n, p), 1e-14)


@settings(max_examples=6)
@given(n=st.floats(-8, 3), p=st.floats(-2, -1e-9))
def test_few_failures(n: float, p: float) -> None:
    assert close(entropy(stats.nbinom(10.0**n, 10.0**p)), negative_binomial(10.0**n, 10.0**p), 1e-14)


@given(mean=st.floats(6, 300), p=st.floats(-3, np.log10(0.5)), other=st.booleans())
def test_many_counts_by_their_asymptotic_series(mean: float, p: float, other: bool) -> None:
    """Knessl (1998), "Integral representations and asymptotic expansions for Shannon and Renyi entropies"."""
    m = mp.mpf(10.0**mean)
    series = -1 / (12 * m) - 1 / (24 * m**2)
    assert close(entropy(stats.poisson(10.0**mean)), half * log(2 * mp.pi * mp.e * m) + series, 1e-14)
    n, chance = np.floor(10.0 ** (mean + 6)), 1 - 10.0**p if other else 10.0**p
    spread = mp.mpf(chance) * (1 - mp.mpf(chance))
    first = (4 * spread - 1) / (12 * mp.mpf(n) * spread)
    assert close(entropy(stats.binom(n, chance)), half * log(2 * mp.pi * mp.e * n * spread) + first, 1e-14)


@pytest.mark.parametrize("n", [1.0, 7.5, 1e6])
def test_waits_without_end_are_gamma_variables(n: float) -> None:
    expected = mp.mpf(entropy(stats.gamma(n, scale=1e300)))
    assert close(entropy(stats.nbinom(n, 1e-300)), expected, 1e-14)


@pytest.mark.parametrize("p", [1e-300, 1e-16, 1e-6, 0.3, 1.0])
def test_the_wait_for_one_success_is_geometric(p: float) -> None:
    assert close(entropy(stats.nbinom(1, p)), mp.mpf(entropy(stats.geom(p))), 1e-14)


def test_counts_without_chance() -> None:
    assert entropy(stats.poisson(0)) == entropy(stats.binom([0, 5, 5], [0.3, 0.0, 1.0])).sum() == 0
    # Two outcomes, one of them rare: p (1 − log p).
    assert entropy(stats.binom(1, 1e-20)) == pytest.approx(1e-20 * (1 + 20 * np.log(10)), rel=1e-14)
    assert entropy(stats.nbinom(1e-3, 1e-10)) > 0


@given(exponents=st.lists(st.floats(-100, 100), min_size=2, max_size=6))
def test_dirichlet(exponents: list[float]) -> None:
    alpha = [10.0**k for k in exponents]
    exact_alpha = [mp.mpf(a) for a in alpha]
    total = sum(exact_alpha)
    exact = sum(lgamma(a) - (a - 1) * psi(a) for a in exact_alpha) - lgamma(total)
    assert close(entropy(stats.dirichlet(alpha)), exact + (total - len(alpha)) * psi(total), 2e-14)


@given(n=st.integers(0, 5), weights=st.lists(st.floats(0, 1), min_size=2, max_size=4))
def test_multinomial(n: int, weights: list[float]) -> None:
    p = (np.array(weights) + 1e-3) / np.sum(np.array(weights) + 1e-3)
    frozen = stats.multinomial(n, p)
    counts = [k for k in np.ndindex(*[n + 1] * len(p)) if sum(k) == n]
    logs = np.array([frozen.logpmf(k) for k in counts])
    assert entropy(frozen) == pytest.approx(-np.sum(np.exp(logs) * logs), rel=1e-12, abs=1e-12)


def test_multinomials_of_many_draws() -> None:
    both = entropy(stats.multinomial(10**12, [0.3, 0.7]))
    assert both == pytest.approx(entropy(stats.binom(10**12, 0.3)), rel=1e-14)
    # Normal in the limit: the determinant of the covariance of two of the three counts is n²/27.
    normal = np.log(2 * np.pi * np.e * 1e15) + 1.5 * np.log(1 / 3)
    assert entropy(stats.multinomial(10**15, [1 / 3] * 3)) == pytest.approx(normal, rel=1e-14)


@pytest.mark.parametrize("scale", [1e-60, 1.0, 1e60])
def test_multivariate_normals_of_any_scale(scale: float) -> None:
    factor = np.array([[scale**2, 0.0, 0.0], [0.0, 1 / scale, 0.0], [0.0, 0.3, 2.0]])
    p = stats.multivariate_normal(cov=stats.Covariance.from_cholesky(factor))
    expected = 3 * half * log(2 * mp.pi * mp.e) + log(mp.mpf(scale)) + log(2)
    assert close(entropy(p), expected, 1e-14)


@given(d=st.integers(1, 6), more=st.floats(-3, 12), scale=st.floats(-30, 30))
def test_wishart_matrices_and_their_inverses(d: int, more: float, scale: float) -> None:
    n, factor = d - 1 + 10.0**more, 10.0**scale
    for family, power in ((stats.wishart, 1), (stats.invwishart, -1)):
        exact = wishart(mp.mpf(n), d, power) + d * (d + 1) * half * log(factor)
        got = entropy(family(n, factor * np.eye(d)))
        # The shapes of the gamma variables, (n − d + 1)/2 and so on, are known to within a rounding of n.
        assert close(got, exact, 1e-13 * (1 + n / (n - d + 1)))


def test_an_inverse_wishart_matrix_by_simulation(rng: np.random.Generator) -> None:
    """SciPy's own formula is 1.04 too large here."""
    p = stats.invwishart(4, [[1, 0.3], [0.3, 2]])
    x = p.rvs(20_000, random_state=rng)
    assert abs(z_scores(-p.logpdf(np.moveaxis(x, 0, -1)), entropy(p))) < 4.5


@given(d=st.integers(1, 9), df=st.floats(-3, 15), scale=st.floats(-30, 30))
def test_multivariate_t(d: int, df: float, scale: float) -> None:
    exact = multivariate_student(mp.mpf(10.0**df), d) + d * half * log(10.0**scale)
    assert close(entropy(stats.multivariate_t(np.zeros(d), 10.0**scale * np.eye(d), 10.0**df)), exact, 2e-14)
    limit = entropy(stats.multivariate_normal(np.zeros(d), 10.0**scale * np.eye(d)))
    assert entropy(stats.multivariate_t(np.zeros(d), 10.0**scale * np.eye(d), np.inf)) == limit


@given(d=st.integers(2, 40), kappa=st.floats(-5, 6))
def test_directions(d: int, kappa: float) -> None:
    p = stats.vonmises_fisher(np.eye(d)[0], 10.0**kappa)
    assert close(entropy(p), von_mises_fisher(mp.mpf(10.0**kappa), d), 1e-13)


def test_directions_of_too_many_dimensions_are_refused() -> None:
    with pytest.raises(ArithmeticError, match="the formula for the entropy of p = vonmises_fisher"):
        entropy(stats.vonmises_fisher(np.eye(200)[0], 1e6))


def test_matrix_normals_are_normals() -> None:
    rows, columns = np.array([[1, 0.3], [0.3, 2]]), np.diag([1.0, 2.0, 3.0])
    whole = entropy(stats.multivariate_normal(np.zeros(6), np.kron(columns, rows)))
    assert entropy(stats.matrix_normal(np.zeros((2, 3)), rows, columns)) == pytest.approx(whole, rel=1e-14)


SHAPES: dict[str, tuple[float, ...]] = {
    **dict.fromkeys(CONTINUOUS | {"poisson": ()}, (2.3,)),
    "beta": (2.3, 1.7),
    "f": (2.3, 5.0),
    "genextreme": (0.3,),
    "loguniform": (0.3, 5.0),
    "truncnorm": (-0.4, 1.7),
    "bernoulli": (0.3,),
    "geom": (0.3,),
    "binom": (9, 0.3),
    "nbinom": (2.3, 0.3),
    "randint": (-2, 5),
}
# For SciPy the von Mises distribution lives on the whole line; arcsine has poles at both ends.
UNIVARIATE = [
    name
    for name in _ENTROPIES
    if isinstance(getattr(stats, name), scipy_adapter.Generator) and name not in ("vonmises", "arcsine")
]


@pytest.mark.parametrize("name", UNIVARIATE)
def test_each_closed_form_is_what_is_integrated_or_summed(name: str) -> None:
    discrete = isinstance(getattr(stats, name), stats.rv_discrete)
    p = getattr(stats, name)(*SHAPES.get(name, ()), **({} if discrete else {"scale": 1.7}))
    one = read_distribution("p", p)
    integrated = completed(*no_values(()), cross_entropy_numerical, one, one)
    assert entropy(p) == pytest.approx(integrated, rel=1e-9, abs=1e-11)


def test_reported_entropies() -> None:
    """Small inputs of people's bug reports, with values of mpmath's."""
    for p, expected in (
        (stats.poisson(5e15), 19.4930456869),
        (stats.binom(10**16, 0.5), 19.1464720966),
        (stats.truncnorm(-40, -39), -2.66487334254),
        (stats.truncnorm(5, 5 + 1e-8), -18.4206807500),
        (stats.truncnorm(0, np.inf), 0.7257913526),
        (stats.truncexpon(1e4), 1.0),
        (stats.f(1000, 1e12), -1.689032516),
        (stats.beta(4.9e6, 4.9e6), -7.3231551702),
        (stats.dirichlet([1e12] * 3), -27.539674771),
        (stats.dirichlet([1e15] * 3), -34.4474300502),
        (stats.geom(1e-6), 14.8155100580),
    ):
        assert entropy(p) == pytest.approx(expected, rel=1e-9)
    assert cross_entropy(stats.beta(4.9e6, 4.9e6), stats.beta(1, 1)) == pytest.approx(0, abs=1e-14)


def test_entropies_of_poles_and_of_the_circle() -> None:
    assert entropy(stats.arcsine(scale=3)) == pytest.approx(np.log(3 * np.pi / 4), rel=1e-14)
    assert entropy(stats.vonmises(1e-9, scale=2)) == pytest.approx(np.log(4 * np.pi), rel=1e-14)


@given(n=st.floats(-300, 308), p=st.floats(-300, 0))
def test_counts_at_the_ends_of_the_range(n: float, p: float) -> None:
    """A number between 0 and the largest that the variance allows, or refused where that is beyond floats."""
    for frozen in (
        stats.poisson(10.0**n),
        stats.binom(np.floor(10.0**n), 10.0**p),
        stats.nbinom(10.0**n, 10.0**p),
    ):
        try:
            value = entropy(frozen)
        except ArithmeticError:
            assert (frozen.dist.name, abs(n) - p > 300) == ("nbinom", True)
            continue
        # A uniform variable between 0 and 1 makes of the count a density of the same entropy.
        with np.errstate(all="ignore"):
            largest = 0.5 * (np.log(2 * np.pi * np.e) + np.log(frozen.var() + 1 / 12))
        assert 0 <= value <= largest * (1 + 1e-12)
    with pytest.raises(ArithmeticError, match="p = nbinom overflows: it gives nan"):
        entropy(stats.nbinom(1e308, 0.1))


def test_an_entropy_beyond_the_range_of_floats_is_refused() -> None:
    with pytest.raises(ArithmeticError, match="the formula for the entropy of p = gamma overflows"):
        entropy(stats.gamma([1.0, 5e-324]))
    assert entropy(stats.gamma(1e-308)) == pytest.approx(-1e308, rel=1e-12)
