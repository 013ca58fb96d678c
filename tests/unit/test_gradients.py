"""Gradient estimators: their means against exact gradients, their variances against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from oracles.statistics import z_scores
from scipy import optimize, stats

from kl_lib import (
    elbo,
    elbo_gradient,
    expectation,
    importance_weighted_bound,
    measure_valued,
    reparameterization,
    score_function,
)
from kl_lib.families import Bernoulli, Categorical, DiagonalNormal, FullNormal, Normal, NormalMixture

# f(x) = (x − k)ᵀ A (x − k), of which ∇μ E f = 2A(μ − k) and ∇L E f = 2AL

A = np.array([[2.0, 0.5, -0.3], [0.5, 1.0, 0.4], [-0.3, 0.4, 1.5]])
K = np.array([0.4, -0.2, 0.1])


def f(x):
    x = x.reshape(len(x), -1)
    d = x.shape[1]
    return np.einsum("ni,ij,nj->n", x - K[:d], A[:d, :d], x - K[:d])


def grad_f(x):
    d = x.reshape(len(x), -1).shape[1]
    return (2 * (x.reshape(len(x), -1) - K[:d]) @ A[:d, :d]).reshape(x.shape)


def exact_gradient(family, theta):
    factor = family.cholesky(theta)
    d = len(factor)
    by_factor = 2 * A[:d, :d] @ factor
    parts = [2 * A[:d, :d] @ (np.array(theta[:d]) - K[:d]), np.diag(by_factor) * np.diag(factor)]
    if isinstance(family, FullNormal):
        parts.append(by_factor[np.tril_indices(d, -1)])
    return np.concatenate(parts)


NORMALS = [
    (Normal(), [0.7, -0.4]),
    (DiagonalNormal(2), [0.7, -1.2, -0.4, 0.3]),
    (FullNormal(3), [0.7, -1.2, 0.1, -0.4, 0.3, 0.2, 0.5, -0.8, 0.6]),
]
every_normal = pytest.mark.parametrize(
    ("family", "theta"), NORMALS, ids=[str(family) for family, _ in NORMALS]
)


@every_normal
@pytest.mark.parametrize("baseline", [None, 2.5, "array", "leave-one-out", "optimal"])
def test_score_function_is_unbiased(family, theta, baseline, rng):
    baseline = (
        np.linspace(-1, 1, family.size) if isinstance(baseline, str) and baseline == "array" else baseline
    )
    gradients = score_function(family, theta, f, 50_000, rng=rng, baseline=baseline)
    assert gradients.shape == (50_000, family.size)
    assert np.all(np.abs(z_scores(gradients, exact_gradient(family, theta))) < 4.5)  # n = 50,000


@every_normal
def test_reparameterization_is_unbiased(family, theta, rng):
    gradients = reparameterization(family, theta, f, grad_f, 50_000, rng=rng)
    assert gradients.shape == (50_000, family.size)
    assert np.all(np.abs(z_scores(gradients, exact_gradient(family, theta))) < 4.5)  # n = 50,000


@every_normal
@pytest.mark.parametrize("coupled", [True, False])
def test_measure_valued_is_unbiased(family, theta, coupled, rng):
    gradients = measure_valued(family, theta, f, 50_000, rng=rng, coupled=coupled)
    assert gradients.shape == (50_000, family.size)
    assert np.all(np.abs(z_scores(gradients, exact_gradient(family, theta))) < 4.5)  # n = 50,000


def test_coupled_samples_share_what_the_coordinate_does_not_move(rng):
    family, theta = DiagonalNormal(2), np.zeros(4)

    def spread(coupled):
        gradients = measure_valued(
            family, theta, lambda x: x[:, 0] + 1000 * x[:, 1] ** 2, 1000, rng=rng, coupled=coupled
        )
        return gradients[:, 0].std()

    assert spread(True) < 1 < 100 < spread(False)


def test_coupled_coordinates_share_the_outcome(rng):
    values = np.array([1.0, 2.0, 4.0])
    for coupled in (True, False):
        gradients = measure_valued(
            Categorical(3), np.zeros(3), lambda x: values[x], 100, rng=rng, coupled=coupled
        )
        drawn = values - 3 * gradients  # f(x), of which the gradient is pₖ(f(k) − f(x))
        assert np.allclose(drawn, drawn[:, :1]) == coupled


@pytest.mark.parametrize("coupled", [True, False])
def test_measure_valued_of_a_cubic_with_cross_terms(coupled, rng):
    # f = x₀² x₁ with x = μ + Lε: E f = (μ₀² + L₀₀²)μ₁ + 2μ₀ L₀₀ L₁₀
    family, (m0, m1, a, b, c) = FullNormal(2), (0.5, -0.7, 0.8, 1.1, 0.6)
    theta = [m0, m1, np.log(a), np.log(b), c]
    exact = [2 * m0 * m1 + 2 * a * c, m0**2 + a**2, (2 * a * m1 + 2 * m0 * c) * a, 0.0, 2 * m0 * a]
    gradients = measure_valued(
        family, theta, lambda x: x[:, 0] ** 2 * x[:, 1], 50_000, rng=rng, coupled=coupled
    )
    assert np.all(np.abs(z_scores(gradients, exact)) < 4.5)  # n = 50,000


def test_a_step_has_no_pathwise_gradient_but_the_others_see_it(rng):
    # E[1(x > 0)] = Φ(μ/σ)
    mean, scale = 0.3, 0.8
    theta, slope = [mean, np.log(scale)], stats.norm.pdf(mean / scale) / scale
    exact = [slope, -slope * mean]

    def step(x):
        return (x > 0).astype(float)

    for gradients in (
        score_function(Normal(), theta, step, 50_000, rng=rng, baseline="optimal"),
        measure_valued(Normal(), theta, step, 50_000, rng=rng),
        measure_valued(Normal(), theta, step, 50_000, rng=rng, coupled=False),
    ):
        assert np.all(np.abs(z_scores(gradients, exact)) < 4.5)  # n = 50,000
    assert np.all(reparameterization(Normal(), theta, step, np.zeros_like, 10, rng=rng) == 0)


# the table of variances for f(x) = (x − k)², x ∼ N(μ, σ²), d = μ − k


def variance_table(d, s):
    """Variances with respect to μ and σ."""
    return {
        "score": (d**4 / s**2 + 14 * d**2 + 15 * s**2, 2 * d**4 / s**2 + 60 * d**2 + 74 * s**2),
        "mean baseline": (8 * d**2 + 10 * s**2, 40 * d**2 + 56 * s**2),
        "optimal baseline": (8 * d**2 + 6 * s**2, 40 * d**2 + 24 * s**2),
        "pathwise": (4 * s**2, 4 * d**2 + 8 * s**2),
        "coupled": (4 * d**2 * (4 / np.pi - 1), 4 * d**2 + 4 * s**2),
        "independent": (4 / np.pi * (d**2 * (2 - np.pi / 2) + s**2), 16 * d**2 + 8 * s**2),
    }


def table_gradients(name, d, s, n, rng):
    theta, k = [0.5 + d, np.log(s)], 0.5
    family, arguments = Normal(), (Normal(), theta, lambda x: (x - k) ** 2)
    match name:
        case "score":
            return score_function(*arguments, n, rng=rng)
        case "mean baseline":
            return score_function(*arguments, n, rng=rng, baseline=d**2 + s**2)
        case "optimal baseline":
            exact = [d**2 + 3 * s**2, d**2 + 5 * s**2]
            return score_function(*arguments, n, rng=rng, baseline=exact)
        case "pathwise":
            return reparameterization(*arguments, lambda x: 2 * (x - k), n, rng=rng)
    return measure_valued(family, theta, arguments[2], n, rng=rng, coupled=name == "coupled")


@pytest.mark.parametrize("name", variance_table(1.0, 1.0))
@pytest.mark.parametrize(("d", "s"), [(1.1, 0.7), (-2.0, 0.5), (0.0, 1.5)])
def test_variances_of_the_table(name, d, s, rng):
    gradients = table_gradients(name, d, s, 400_000, rng) / [1, s]  # log σ to σ
    deviations = gradients - [2 * d, 2 * s]
    assert np.all(np.abs(z_scores(deviations, 0)) < 4.5)  # n = 400,000
    assert np.all(np.abs(z_scores(deviations**2, variance_table(d, s)[name])) < 4.5)  # n = 400,000


@pytest.mark.parametrize(("d", "s"), [(1.1, 0.7), (-2.0, 0.5), (0.0, 1.5)])
def test_the_table_by_quadrature(d, s):
    # The integrands are polynomials in the noise: 20 Gauss-Hermite nodes are exact.
    noise, weights = np.polynomial.hermite_e.hermegauss(20)
    weights = weights / weights.sum()
    theta, value = [d, np.log(s)], (d + s * noise) ** 2
    score = Normal().score(theta, d + s * noise) / [1, s]
    path = Normal().pullback(theta, noise, 2 * (d + s * noise)) / [1, s]
    optimal = (weights * value) @ score**2 / (weights @ score**2)
    assert_allclose(optimal, [d**2 + 3 * s**2, d**2 + 5 * s**2])
    by_name = {
        "score": value[:, None] * score,
        "mean baseline": (value - weights @ value)[:, None] * score,
        "optimal baseline": (value[:, None] - optimal) * score,
        "pathwise": path,
    }
    for name, gradients in by_name.items():
        assert_allclose(weights @ gradients, [2 * d, 2 * s], atol=1e-12)
        assert_allclose(
            weights @ gradients**2 - (weights @ gradients) ** 2, variance_table(d, s)[name], atol=1e-12
        )


def test_coupling_is_not_always_better():
    table = variance_table(1.1, 0.7)
    assert round(table["independent"][0], 3) == 1.285
    assert round(table["coupled"][0], 3) == 1.322


def test_the_estimated_optimal_baseline_approaches_the_exact_one(rng):
    theta, d, s = [1.6, np.log(0.7)], 1.1, 0.7
    gradients = score_function(
        Normal(), theta, lambda x: (x - 0.5) ** 2, 200_000, rng=rng, baseline="optimal", pilot=1_000_000
    ) / [1, s]
    variance = variance_table(d, s)["optimal baseline"]
    assert np.all(np.abs(z_scores((gradients - [2 * d, 2 * s]) ** 2, variance)) < 4.5)  # n = 200,000


def test_leave_one_out_is_each_value_less_the_mean_of_the_others():
    theta, n = [0.3, 0.1], 5
    gradients = score_function(Normal(), theta, f, n, rng=np.random.default_rng(3), baseline="leave-one-out")
    x = Normal().sample(theta, n, rng=np.random.default_rng(3))
    others = [np.delete(f(x), i).mean() for i in range(n)]
    assert_allclose(gradients, (f(x) - others)[:, None] * Normal().score(theta, x), rtol=1e-12)


# discrete families


def quadratic(b):
    return (b - 0.45) ** 2


def test_bernoulli_at_one_half(rng):
    # Gradient 0.025 in the logit, that is 0.1 in p; variances 0.255025/16 and, optimally, 0.
    n = 200_000
    plain = score_function(Bernoulli(), [0.0], quadratic, n, rng=rng)
    assert np.abs(z_scores(plain, 0.025)) < 4.5  # n = 200,000
    assert np.abs(z_scores((plain - 0.025) ** 2, 0.255025 / 16)) < 4.5
    assert_allclose(0.255025 / 16, 0.0159391, atol=5e-8)
    best = score_function(Bernoulli(), [0.0], quadratic, 100, rng=rng, baseline=(0.55**2 + 0.45**2) / 2)
    assert_allclose(best, 0.025, atol=1e-15)
    assert_allclose(measure_valued(Bernoulli(), [0.0], quadratic, 7, rng=rng), np.full((7, 1), 0.025))
    pilot = score_function(Bernoulli(), [0.0], quadratic, 1000, rng=rng, baseline="optimal", pilot=10_000)
    assert pilot.var() < 1e-6


@pytest.mark.parametrize("logit", [-3.0, 0.4, 40.0])
def test_bernoulli_gradient(logit, rng):
    p = stats.logistic.cdf(logit)
    exact = p * stats.logistic.sf(logit) * (quadratic(1) - quadratic(0))
    assert_allclose(measure_valued(Bernoulli(), [logit], quadratic, 3, rng=rng), np.full((3, 1), exact))


def test_a_score_that_vanishes_leaves_nothing_to_estimate(rng):
    # At a logit of 800 the score of the sure outcome underflows to 0.
    assert_array_equal(
        score_function(Bernoulli(), [800.0], quadratic, 4, rng=rng, baseline="optimal"), np.zeros((4, 1))
    )


@pytest.mark.parametrize(
    "estimate",
    [
        lambda *arguments, rng: score_function(*arguments, rng=rng, baseline="leave-one-out"),
        lambda *arguments, rng: measure_valued(*arguments, rng=rng),
        lambda *arguments, rng: measure_valued(*arguments, rng=rng, coupled=False),
    ],
)
def test_categorical_gradient(estimate, rng):
    theta, reward = np.array([0.3, -0.9, 1.1, 0.0]), np.array([1.0, -2.0, 0.5, 3.0])
    probabilities = np.exp(theta) / np.exp(theta).sum()
    exact = probabilities * (reward - probabilities @ reward)
    gradients = estimate(Categorical(4), theta, lambda x: reward[x], 50_000, rng=rng)
    assert gradients.shape == (50_000, 4)
    assert np.all(np.abs(z_scores(gradients, exact)) < 4.5)  # n = 50,000


def test_score_function_of_a_mixture(rng):
    # E[x] = Σ π m: the gradient is π(m − E x) in the logits, π in the means, 0 in the log scales.
    family, theta = NormalMixture(2), [0.4, -0.2, -1.0, 2.0, 0.1, -0.3]
    weights, means = np.exp(theta[:2]) / np.exp(theta[:2]).sum(), np.array(theta[2:4])
    exact = np.concatenate([weights * (means - weights @ means), weights, [0, 0]])
    gradients = score_function(family, theta, lambda x: x, 50_000, rng=rng, baseline=0.5)
    assert np.all(np.abs(z_scores(gradients, exact)) < 4.5)  # n = 50,000


# pathwise is not always best: f(x) = cos(kx), x ∼ N(μ, σ²), gradient −k e^{−k²σ²/2} sin(kμ) in μ


def cosine_variances(k, mean, scale):
    """Variances of the pathwise and the score-function estimator with respect to μ."""
    squared_mean = (k * np.sin(k * mean)) ** 2 * np.exp(-((k * scale) ** 2))
    ripple = np.exp(-2 * (k * scale) ** 2) * np.cos(2 * k * mean)
    path = k**2 * (1 - ripple) / 2 - squared_mean
    score = (1 + (1 - 4 * (k * scale) ** 2) * ripple) / (2 * scale**2) - squared_mean
    return path, score


def test_pathwise_and_score_function_cross_over(rng):
    mean, scale = 0.3, 0.8
    crossing = optimize.brentq(lambda k: np.subtract(*cosine_variances(k, mean, scale)), 0.1, 5)
    for k, best in ((0.5 * crossing, 0), (2 * crossing, 1)):
        theta = [mean, np.log(scale)]
        arguments = (Normal(), theta, lambda x, k=k: np.cos(k * x))
        path = reparameterization(*arguments, lambda x, k=k: -k * np.sin(k * x), 100_000, rng=rng)[:, 0]
        score = score_function(*arguments, 100_000, rng=rng)[:, 0]
        exact = -k * np.exp(-((k * scale) ** 2) / 2) * np.sin(k * mean)
        variances = cosine_variances(k, mean, scale)
        assert np.argmin(variances) == best
        for gradients, variance in zip((path, score), variances, strict=True):
            assert abs(z_scores(gradients, exact)) < 4.5  # n = 100,000
            assert abs(z_scores((gradients - exact) ** 2, variance)) < 4.5


# the ELBO


METHODS = ["score-function", "reparameterization", "sticking-the-landing"]


def log_p(x):
    return -2 * (x - 1) ** 2 + 3  # N(1, ¼), unnormalized


def grad_log_p(x):
    return -4 * (x - 1)


@pytest.mark.parametrize("method", METHODS)
def test_elbo_gradient_is_unbiased(method, rng):
    # ELBO = −2((μ − 1)² + σ²) + log σ + constant
    mean, scale = 0.4, 0.8
    exact = [-4 * (mean - 1), -4 * scale**2 + 1]
    gradients = elbo_gradient(
        Normal(), [mean, np.log(scale)], log_p, 50_000, rng=rng, method=method, grad_log_p=grad_log_p
    )
    assert gradients.shape == (50_000, 2)
    assert np.all(np.abs(z_scores(gradients, exact)) < 4.5)  # n = 50,000


@pytest.mark.parametrize("method", METHODS)
def test_elbo_gradient_of_a_full_normal(method, rng):
    # p̃ = exp(−½ xᵀPx): ELBO = −½(μᵀPμ + tr(P L Lᵀ)) + Σ log Lᵢᵢ + constant
    family, theta = FullNormal(2), [0.3, -0.5, 0.2, -0.1, 0.4]
    precision = np.array([[2.0, -0.7], [-0.7, 1.0]])
    factor = family.cholesky(theta)
    by_factor = -precision @ factor
    exact = np.concatenate(
        [-precision @ theta[:2], np.diag(by_factor) * np.diag(factor) + 1, [by_factor[1, 0]]]
    )
    gradients = elbo_gradient(
        family,
        theta,
        lambda x: -0.5 * ((x @ precision) * x).sum(axis=1),
        50_000,
        rng=rng,
        method=method,
        grad_log_p=lambda x: -x @ precision,
    )
    assert np.all(np.abs(z_scores(gradients, exact)) < 4.5)  # n = 50,000


def test_elbo_gradient_of_a_discrete_family(rng):
    # ∇ of Σ π(log w − log π) is π(log w − log π + H − E log w) in the logits.
    theta, log_weights = np.array([0.3, -0.5, 0.2]), np.log([1.0, 2.0, 4.0])
    probabilities = np.exp(theta) / np.exp(theta).sum()
    terms = log_weights - np.log(probabilities)
    exact = probabilities * (terms - probabilities @ terms)
    gradients = elbo_gradient(
        Categorical(3),
        theta,
        lambda x: log_weights[x],
        50_000,
        rng=rng,
        method="score-function",
        baseline="optimal",
    )
    assert np.all(np.abs(z_scores(gradients, exact)) < 4.5)  # n = 50,000


def test_sticking_the_landing_at_the_posterior(rng):
    theta = [1.0, np.log(0.5)]
    arguments = {"rng": rng, "grad_log_p": grad_log_p}
    stuck = elbo_gradient(Normal(), theta, log_p, 1000, method="sticking-the-landing", **arguments)
    assert_allclose(stuck, 0, atol=1e-12)
    full = elbo_gradient(Normal(), theta, log_p, 100_000, method="reparameterization", **arguments)
    assert np.all(np.abs(z_scores(full, 0)) < 4.5)  # n = 100,000
    assert np.abs(z_scores(full[:, 0] ** 2, 1 / 0.5**2)) < 4.5


@pytest.mark.parametrize("method", METHODS)
def test_the_normalizer_drops_from_the_gradient(method):
    baseline = "leave-one-out" if method == "score-function" else None
    with_and_without = [
        elbo_gradient(
            Normal(),
            [0.4, 0.2],
            lambda x, constant=constant: log_p(x) + constant,
            100,
            rng=np.random.default_rng(1),
            method=method,
            grad_log_p=grad_log_p,
            baseline=baseline,
        )
        for constant in (0.0, 100.0)
    ]
    assert_allclose(*with_and_without, rtol=1e-10, atol=1e-10)


PATHWISE = {"method": "reparameterization", "grad_log_p": lambda x: np.multiply(x, 2, out=x)}


@pytest.mark.parametrize(
    "call",
    [
        lambda f, rng: score_function(NormalMixture(2), np.arange(6) / 9, f, 9, rng=rng, baseline="optimal"),
        lambda f, rng: measure_valued(Normal(), [0.1, 0.2], f, 9, rng=rng),
        lambda f, rng: reparameterization(Normal(), [0.1, 0.2], f, PATHWISE["grad_log_p"], 9, rng=rng),
        lambda f, rng: elbo_gradient(FullNormal(2), np.ones(5), lambda x: f(x)[:, 0], 9, rng=rng, **PATHWISE),
        lambda f, rng: elbo(NormalMixture(2), np.arange(6) / 9, f, 9, rng=rng),
        lambda f, rng: importance_weighted_bound(Normal(), [0.1, 0.2], f, 2, 9, rng=rng),
        lambda f, _: expectation(stats.norm(), f),
    ],
)
@given(factor=st.floats(-2, 2), shift=st.floats(-2, 2))
@settings(max_examples=5)
def test_a_function_may_change_the_batch_that_it_gets(call, factor, shift):
    def in_place(x):
        x *= factor
        x += shift
        return x

    changed, same = (call(f, np.random.default_rng(0)) for f in (in_place, lambda x: in_place(x.copy())))
    assert_array_equal(changed, same)


# refusals

RNG = np.random.default_rng(0)
NORMAL = Normal()


def nan_at_three(x):
    return np.where(np.arange(len(x)) == 3, np.nan, 1.0)


def start(family):
    return np.zeros(getattr(family, "size", 2))


def score(family=NORMAL, f=f, n=5, *, rng=RNG, theta=None, **options):
    return score_function(family, start(family) if theta is None else theta, f, n, rng=rng, **options)


def path(family=NORMAL, f=f, grad=grad_f, n=5, *, rng=RNG):
    return reparameterization(family, start(family), f, grad, n, rng=rng)


def measure(family=NORMAL, f=f, n=5, *, rng=RNG, **options):
    return measure_valued(family, start(family), f, n, rng=rng, **options)


def bound(method, family=NORMAL, f=log_p, n=5, *, grad=grad_log_p, **options):
    return elbo_gradient(family, start(family), f, n, rng=RNG, method=method, grad_log_p=grad, **options)


COLUMN = r"must map a batch of shape \(5,\) to \(5,\), got \(5, 1\)"

REFUSED = [
    (lambda: score(stats.norm()), TypeError, "family must be one of kl_lib.families"),
    (lambda: score(theta=[0.0]), ValueError, r"theta must have shape \(2,\), got \(1,\)"),
    (lambda: score(theta=[0.0, np.inf]), ValueError, r"theta must be finite, got inf at index \(1,\)"),
    (lambda: score(n=0), ValueError, "n must be an integer >= 1, got 0"),
    (lambda: score(n=2.5), TypeError, "n must be an integer >= 1, got 2.5"),
    (lambda: score(rng=7), TypeError, "rng must be a numpy.random.Generator.*got 7"),
    (lambda: score(f=3.0), TypeError, "f must be a function of a batch.*got 3.0"),
    (lambda: score(f=np.mean), ValueError, r"f must map a batch of shape \(5,\) to \(5,\), got \(\)"),
    (lambda: score(f=lambda x: x[:, None]), ValueError, "f " + COLUMN),
    (lambda: score(f=nan_at_three), ValueError, r"f must be finite, got nan at index \(3,\)"),
    (lambda: score(baseline="best"), ValueError, "baseline must be one of.*got 'best'"),
    (lambda: score(baseline=[1, 2, 3]), ValueError, r"have shape \(2,\), got shape \(3,\)"),
    (lambda: score(baseline=np.nan), ValueError, "baseline must be finite, got nan"),
    (lambda: score(n=1, baseline="leave-one-out"), ValueError, "n must be an integer >= 2, got 1"),
    (lambda: score(pilot=0), ValueError, "pilot must be an integer >= 1, got 0"),
    (lambda: path(Bernoulli()), TypeError, r"got Bernoulli\(\); use score_function or measure_valued"),
    (lambda: path(NormalMixture(2)), TypeError, "family must be reparameterizable"),
    (lambda: path("normal"), TypeError, "family must be one of kl_lib.families.*got 'normal'"),
    (lambda: path(grad=lambda x: x[:, None]), ValueError, "grad_f " + COLUMN),
    (lambda: path(grad=nan_at_three), ValueError, r"grad_f must be finite, got nan at index \(3,\)"),
    (lambda: path(f=nan_at_three), ValueError, r"f must be finite, got nan at index \(3,\)"),
    (lambda: path(n=-1), ValueError, "n must be an integer >= 1, got -1"),
    (lambda: measure(NormalMixture(1)), TypeError, "use score_function instead"),
    (lambda: measure(f=nan_at_three), ValueError, r"f must be finite, got nan at index \(3,\)"),
    (lambda: measure(Bernoulli(), lambda x: x + np.inf), ValueError, "f must be finite, got inf"),
    (lambda: measure(Categorical(4), nan_at_three), ValueError, r"f must be finite, got nan.*x is 3"),
    (lambda: measure(rng=None), TypeError, "rng must be a numpy.random.Generator.*got None"),
    (lambda: measure(n=-1), ValueError, "n must be an integer >= 1, got -1"),
    (lambda: measure(coupled="yes"), TypeError, "coupled must be True or False, got 'yes'"),
    (lambda: bound("pathwise"), ValueError, "method must be one of 'score-function'.*got 'pathwise'"),
    (lambda: bound("reparameterization", grad=None), ValueError, "grad_log_p must be given for method"),
    (lambda: bound("reparameterization", Categorical(3)), TypeError, "use method='score-function' instead"),
    (lambda: bound("reparameterization", baseline=1.0), ValueError, "baseline must be None unless"),
    (lambda: bound("score-function", f=nan_at_three), ValueError, r"log_p must be finite.*\(3,\)"),
    (
        lambda: bound("sticking-the-landing", f=lambda x: np.where(x < 99, -np.inf, 0)),
        ValueError,
        r"log_p must be finite, got -inf at index \(0,\), where x is",
    ),
    (lambda: bound("sticking-the-landing", grad=lambda x: x[:, None]), ValueError, "grad_log_p " + COLUMN),
    (lambda: bound("score-function", n=True), TypeError, "n must be an integer >= 1, got True"),
]


@pytest.mark.parametrize(("call", "error", "match"), REFUSED)
def test_refuses(call, error, match):
    with pytest.raises(error, match=match):
        call()
