"""What `fit_reverse_kl` is tried on: gradients, exact bounds, and the comparison of two optimisers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from oracles.statistics import z_scores
from scipy import optimize, stats

from kl_book import comparison
from kl_book.comparison import STEP_SIZES, best_elbo, rows
from kl_book.targets import banana, cases, correlated, eight_schools, ill_conditioned, logistic
from kl_lib import fit_reverse_kl
from kl_lib.families import DiagonalNormal, FullNormal

ROOT = Path(__file__).parents[2]
CASES = cases(rng=np.random.default_rng(20260101))
every_target = pytest.mark.parametrize("target", {t.name: t for t, _ in CASES}.values(), ids=lambda t: t.name)
every_case = pytest.mark.parametrize(("target", "family"), CASES, ids=[f"{t.name}, {f}" for t, f in CASES])


@every_target
def test_the_gradient_is_that_of_log_p(target, rng):
    x = 0.5 * rng.standard_normal(target.d)
    expected = optimize.approx_fprime(x, lambda x: target.log_p(x[None])[0], 1e-7)
    scale = np.abs(expected).max()
    assert_allclose(target.grad_log_p(x[None])[0] / scale, expected / scale, atol=1e-5)


@every_case
def test_the_bound_without_sampling_is_that_of_samples(target, family, rng):
    theta = 0.3 * rng.standard_normal(family.size)
    if target.d > 50:
        theta[target.d :] -= 1
    terms = target.log_p(family.sample(theta, 50_000, rng=rng)) + family.entropy(theta)
    assert abs(z_scores(terms, target.elbo(family, theta))) < 4.5  # n = 50,000


def test_the_gaussian_targets_are_what_they_say(rng):
    target = ill_conditioned(1e4, 5, rng=rng)
    precision = target.grad_log_p(np.zeros((1, 5))) - target.grad_log_p(np.eye(5))
    assert_allclose(np.linalg.eigvalsh(precision), np.geomspace(1, 1e4, 5), rtol=1e-9)
    chain = correlated(4, 0.5)
    x = rng.standard_normal((3, 4))
    lag = np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
    expected = stats.multivariate_normal(np.linspace(-1, 1, 4), 0.5**lag)
    assert_allclose(np.diff(chain.log_p(x)), np.diff(expected.logpdf(x)))


def test_the_real_targets_are_what_they_say(rng):
    # against SciPy's densities, up to a constant
    x = rng.standard_normal((3, 10))
    effects = x[:, 8:9] + np.exp(x[:, 9:]) * x[:, :8]
    y, errors = [28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18]
    expected = stats.norm.logpdf(x[:, :8]).sum(axis=1) + stats.norm.logpdf(x[:, 8], 0, 5) + x[:, 9]
    expected += stats.halfcauchy.logpdf(np.exp(x[:, 9]), 0, 5)
    expected += stats.norm.logpdf(y, effects, errors).sum(axis=1)
    assert_allclose(np.diff(eight_schools().log_p(x)), np.diff(expected))
    x = rng.standard_normal((3, 2))
    expected = stats.norm.logpdf(x[:, 0], 0, 2) + stats.norm.logpdf(x[:, 1], 2 * (x[:, 0] ** 2 - 4))
    assert_allclose(np.diff(banana(2.0).log_p(x)), np.diff(expected))


def test_the_logistic_regression_is_on_the_data():
    table = np.loadtxt(ROOT / "kl_book/data/nodal.csv", delimiter=",", skiprows=1)
    assert table.shape == (53, 6)
    assert table.sum(axis=0).tolist() == [20, 24, 27, 21, 16, 30]
    # at zero every outcome has the probability ½; each coefficient then pulls by ½ Σ (±1) x
    target = logistic()
    zero = np.zeros((1, 6))
    assert_allclose(target.log_p(zero), 53 * np.log(0.5))
    design = np.column_stack([np.ones(53), table[:, 1:]])
    assert_allclose(target.grad_log_p(zero)[0], (table[:, 0] - 0.5) @ design)
    chances = stats.logistic.cdf(design.sum(axis=1))
    at_one = stats.bernoulli.logpmf(table[:, 0], chances).sum() - 3 / 6.25
    assert_allclose(target.log_p(zero + 1), at_one)


@every_case
@pytest.mark.parametrize("seed", range(2))
def test_fixed_noise_converges_on_every_target(target, family, seed):
    fit = fit_reverse_kl(family, target.log_p, target.grad_log_p, rng=np.random.default_rng(seed))
    assert fit.converged
    assert fit.gradient_norm <= 1e-6
    # a draw of n = 1000 costs about size / 2n nats, more where the tails of log p̃ are heavy
    lost = best_elbo(target, family, fit.theta) - target.elbo(family, fit.theta)
    assert -1e-9 < lost < family.size / 1000


def test_the_best_of_a_gaussian_is_known():
    target, family = CASES[-1]
    lag = np.abs(np.subtract.outer(np.arange(100), np.arange(100)))
    precision = np.linalg.inv(0.9**lag)
    exact = family.theta_of(np.linspace(-1, 1, 100), np.diag(precision) ** -0.5)
    assert isinstance(family, DiagonalNormal)
    assert_allclose(best_elbo(target, family, exact), target.elbo(family, exact), rtol=1e-12)
    fit = fit_reverse_kl(family, target.log_p, target.grad_log_p, rng=np.random.default_rng(0))
    assert_allclose(fit.theta, exact, atol=1e-5)


def test_both_optimisers_have_one_budget(rng):
    fixed, *adam = rows(banana(), FullNormal(2), n=200, draws=10, rng=rng)
    assert (fixed.method, fixed.converged) == ("fixed noise", True)
    assert fixed.gradients % 200 == 5  # five draws check the gradient
    assert [row.method for row in adam] == [f"Adam, step size {size:g}" for size in STEP_SIZES]
    # five draws check the gradient here too, a hundred judge where Adam came to
    whole = [row for row in adam if np.isfinite(row.lost)]
    assert all(0 <= row.gradients - fixed.gradients <= 105 for row in whole)
    assert min(row.lost for row in adam) > -1e-9
    assert 0 <= fixed.lost < 0.1
    broken = [row for row in adam if not np.isfinite(row.lost)]
    assert all(row.message and not row.converged for row in broken)
    assert adam[-1] in broken


def test_every_case_has_its_rows(rng, monkeypatch):
    few = [(banana(), FullNormal(2)), (banana(), DiagonalNormal(2))]
    monkeypatch.setattr(comparison, "cases", lambda **_: few)
    monkeypatch.setattr(comparison, "STEP_SIZES", (0.1,))
    found = [(row.target, row.family, row.method) for row in comparison.compare(rng=rng, n=50, draws=25)]
    methods = "fixed noise", "Adam, step size 0.1"
    assert found == [(target.name, repr(family), method) for target, family in few for method in methods]
