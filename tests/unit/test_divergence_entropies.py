"""Entropy and cross-entropy: formulas, quadrature, sums, simulation, and where they are infinite."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from oracles.statistics import z_scores
from scipy import stats
from scipy.special import digamma, gammaln

from kl_lib import cross_entropy, entropy, kl_divergence

TWO_NORMALS = stats.Mixture([stats.Normal(mu=-1e4, sigma=1.0), stats.Normal(mu=1e4, sigma=2.0)])


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        (stats.norm(3, 2), 0.5 * np.log(8 * np.pi * np.e)),
        (stats.Normal(mu=3.0, sigma=2.0), 0.5 * np.log(8 * np.pi * np.e)),
        (stats.uniform(0, 0.5), -np.log(2)),
        (stats.Uniform(a=0.0, b=0.5), -np.log(2)),
        (stats.gamma(2.5, scale=3), 2.5 + np.log(3) + gammaln(2.5) - 1.5 * digamma(2.5)),
        (stats.cauchy(0, 3), np.log(12 * np.pi)),
        (stats.foldnorm(0.0), 0.5 * np.log(np.pi * np.e / 2)),
        (TWO_NORMALS, np.log(2) + 0.5 * np.log(2 * np.pi * np.e) + 0.5 * np.log(2)),
        (2.0 * stats.Normal() + 1.0, 0.5 * np.log(8 * np.pi * np.e)),
        (stats.bernoulli(0.25), 0.25 * np.log(4) + 0.75 * np.log(4 / 3)),
        (stats.bernoulli(0.0), 0.0),
        (stats.randint(0, 8), np.log(8)),
        (stats.geom(0.5), 2 * np.log(2)),
        (stats.rv_discrete(values=([3, 4], [0.5, 0.5])), np.log(2)),
        (stats.make_distribution(stats.binom)(n=1, p=0.5), np.log(2)),
        (stats.multivariate_normal([0, 1], [[2, 1], [1, 2]]), np.log(2 * np.pi * np.e) + 0.5 * np.log(3)),
        (stats.multinomial(1, [0.5, 0.25, 0.25]), 1.5 * np.log(2)),
    ],
)
def test_entropies(p: Any, expected: float) -> None:
    assert entropy(p) == pytest.approx(expected, rel=1e-9)


def test_entropies_of_arrays_of_parameters() -> None:
    assert_allclose(entropy(stats.norm([0, 1, 2], [[1], [2]])), entropy(stats.norm(0, [[1] * 3, [2] * 3])))
    assert_allclose(entropy(stats.poisson([1.0, 4.0]))[1], entropy(stats.poisson(4.0)), rtol=1e-14)
    assert isinstance(entropy(stats.norm()), float)
    entropy(stats.norm([0, 1]))[0] = 0.0  # The result is an array of its own.


def test_quadrature_agrees_with_the_formula() -> None:
    for p in (stats.norm(1, 2), stats.gamma(2.5), stats.laplace(), stats.t(3), stats.beta(2, 3)):
        assert cross_entropy(p, p) == pytest.approx(entropy(p), rel=1e-9)
        part = stats.Mixture([stats.Normal(mu=1.0, sigma=2.0)])
        assert entropy(part) == pytest.approx(entropy(stats.norm(1, 2)), rel=1e-9)


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (stats.norm(0, 1), stats.norm(1, 2)),
        (stats.norm(0, 1), stats.laplace(1, 2)),
        (stats.gamma(2), stats.gamma(3, scale=2)),
        (stats.Mixture([stats.Normal(mu=0.0, sigma=1.0)]), stats.norm(1, 2)),
        (stats.bernoulli(0.3), stats.bernoulli(0.6)),
        (stats.poisson(2.0), stats.geom(0.3, loc=-1)),
        (
            stats.multivariate_normal([0, 1], [[2, 1], [1, 2]]),
            stats.multivariate_normal([0, 0], [[1, 0], [0, 3]]),
        ),
    ],
)
def test_cross_entropy_is_entropy_and_divergence(p: Any, q: Any, rng: np.random.Generator) -> None:
    value = cross_entropy(p, q)
    assert value == pytest.approx(entropy(p) + kl_divergence(p, q), rel=1e-9)
    if hasattr(p, "rvs"):
        x = p.rvs(size=100_000, random_state=rng)
        minus_log = -(q.logpdf(x) if hasattr(q, "logpdf") and not hasattr(q, "pmf") else q.logpmf(x))
        assert abs(z_scores(minus_log, value)) < 4.5


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (stats.norm(), stats.expon()),
        (stats.uniform(0, 2), stats.uniform(0, 1)),
        (stats.bernoulli(0.3), stats.bernoulli(0.0)),
        (stats.poisson(2), stats.binom(5, 0.5)),
    ],
)
def test_cross_entropy_is_infinite_where_the_divergence_is(p: Any, q: Any) -> None:
    assert cross_entropy(p, q) == np.inf


def test_cross_entropy_broadcasts() -> None:
    value = cross_entropy(stats.norm([0, 1], 1), stats.laplace(0, [[1], [2], [3]]))
    assert value.shape == (3, 2)
    assert value[2, 1] == pytest.approx(cross_entropy(stats.norm(1), stats.laplace(0, 3)), rel=1e-9)


def test_a_cross_entropy_that_diverges_is_refused() -> None:
    with pytest.raises(ArithmeticError, match="p = cauchy and q = norm"):
        cross_entropy(stats.cauchy(), stats.norm())


def test_what_scipy_has_no_entropy_for() -> None:
    with pytest.raises(
        NotImplementedError, match="nothing exact is known for the cross-entropy of p = multivariate_t"
    ):
        cross_entropy(stats.multivariate_t([0, 0]), stats.multivariate_t([0, 1]))
    with pytest.raises(NotImplementedError, match="no formula is known for the entropy of unitary_group"):
        entropy(stats.unitary_group(3))
