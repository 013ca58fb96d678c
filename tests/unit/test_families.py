"""Families: densities, scores, pullbacks and entropies, each by several independent routes."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from oracles.closed_forms import bernoulli_entropy
from oracles.statistics import z_scores
from scipy import stats

from kl_lib import entropy, fit_forward_kl
from kl_lib.families import (
    LOG_SCALE_LIMIT,
    Bernoulli,
    Categorical,
    DiagonalNormal,
    FullNormal,
    Normal,
    NormalMixture,
    Reparameterizable,
)
from kl_lib.families.units import Units

CASES = [
    (Normal(), [0.7, -0.4]),
    (DiagonalNormal(3), [0.7, -1.2, 0.1, -0.4, 0.3, 0.9]),
    (FullNormal(3), [0.7, -1.2, 0.1, -0.4, 0.3, 0.2, 0.5, -0.8, 0.6]),
    (NormalMixture(3), [0.2, -0.5, 1.0, -2.0, 0.5, 1.5, -0.3, 0.1, 0.4]),
    (NormalMixture(2, d=2), [0.2, -0.5, -1.0, 0.5, 1.5, 0.3, -0.3, 0.1, 0.4, 0.0]),
    (Bernoulli(), [0.8]),
    (Categorical(4), [0.3, -0.9, 1.1, 0.0]),
]
NAMES = [str(family) for family, _ in CASES]
every_family = pytest.mark.parametrize(("family", "theta"), CASES, ids=NAMES)
PATHWISE = [(family, theta) for family, theta in CASES if isinstance(family, Reparameterizable)]
every_pathwise = pytest.mark.parametrize(("family", "theta"), PATHWISE, ids=[str(f) for f, _ in PATHWISE])
DIFFERENTIABLE = [(family, theta) for family, theta in CASES if hasattr(family, "grad_x")]
every_differentiable = pytest.mark.parametrize(
    ("family", "theta"), DIFFERENTIABLE, ids=[str(f) for f, _ in DIFFERENTIABLE]
)


def derivative(function, point, step=1e-3):
    """Fourth-order central differences along each coordinate of `point`, stacked last."""
    point = np.asarray(point, dtype=float)
    columns = []
    for direction in np.eye(point.size).reshape(-1, *point.shape) * step:
        near = function(point + direction) - function(point - direction)
        far = function(point + 2 * direction) - function(point - 2 * direction)
        columns.append((8 * near - far) / (12 * step))
    return np.stack(columns, axis=-1)


def log_density(family, theta, x):
    """Return log pθ(x) by SciPy alone, written out for each family."""
    theta = np.asarray(theta)
    match family:
        case Normal():
            return stats.norm.logpdf(x, theta[0], np.exp(theta[1]))
        case DiagonalNormal(d):
            return stats.norm.logpdf(x, theta[:d], np.exp(theta[d:])).sum(axis=1)
        case FullNormal(3):
            a, b, c = np.exp(theta[3:6])
            factor = np.array([[a, 0, 0], [theta[6], b, 0], [theta[7], theta[8], c]])
            return stats.multivariate_normal.logpdf(x, theta[:3], factor @ factor.T)
        case NormalMixture(k, d):
            means, scales = theta[k : k + k * d].reshape(k, d), np.exp(theta[k + k * d :]).reshape(k, d)
            weights = np.exp(theta[:k]) / np.exp(theta[:k]).sum()
            parts = [
                stats.norm.pdf(x.reshape(-1, d), *ms).prod(axis=1) for ms in zip(means, scales, strict=True)
            ]
            return np.log(weights @ np.array(parts))
        case Bernoulli():
            return stats.bernoulli.logpmf(x, 1 / (1 + np.exp(-theta[0])))
        case Categorical():
            return np.log(np.exp(theta[x]) / np.exp(theta).sum())


# densities and samples


@every_family
def test_log_prob_is_that_of_scipy(family, theta, rng):
    x = family.sample(theta, 50, rng=rng)
    assert_allclose(family.log_prob(theta, x), log_density(family, theta, x), rtol=1e-12, atol=1e-13)


@every_family
def test_at_has_the_same_density(family, theta, rng):
    x, distribution = family.sample(theta, 50, rng=rng), family.at(theta)
    log_density_at = distribution.logpdf if family.outcomes is None else distribution.logpmf
    assert_allclose(log_density_at(x), family.log_prob(theta, x), rtol=1e-12, atol=1e-13)


@every_family
def test_samples_have_the_documented_shape_and_follow_the_density(family, theta, rng):
    # E[g(x)] for moments of x, against samples that SciPy draws; n = 40,000 of each.
    n, distribution = 40_000, family.at(theta)
    ours = family.sample(theta, n, rng=rng)
    assert ours.shape == (n, *family.event_shape)
    assert ours.dtype == (np.float64 if family.outcomes is None else np.int64)
    draw = (
        distribution.sample((n,), rng=rng)
        if isinstance(distribution, stats.Mixture)
        else distribution.rvs(size=n, random_state=rng)
    )
    moments = [np.column_stack([x, x**2, np.abs(x)]).astype(float) for x in (ours, draw)]
    assert np.all(np.abs(z_scores(moments[0] - moments[1])) < 4.5)


@every_family
def test_sample_is_reproducible_from_the_generator(family, theta):
    first, second = (family.sample(theta, 20, rng=np.random.default_rng(1)) for _ in range(2))
    assert_array_equal(first, second)


@every_family
def test_no_samples_give_no_values(family, theta):
    x = np.empty((0, *family.event_shape), dtype=float if family.outcomes is None else int)
    assert family.log_prob(theta, x).shape == (0,)
    assert family.score(theta, x).shape == (0, family.size)


def test_a_mixture_of_one_component_is_that_component(rng):
    x = rng.standard_normal(20)
    assert_allclose(
        NormalMixture(1).log_prob([5.0, 0.3, 0.2], x), Normal().log_prob([0.3, 0.2], x), rtol=1e-13
    )


def test_moments_of_a_multivariate_mixture(rng):
    family, theta = CASES[4]
    mixture = family.at(theta)
    x = mixture.rvs(size=40_000, random_state=rng)
    centred = x - mixture.mean()
    assert np.all(np.abs(z_scores(x, mixture.mean())) < 4.5)  # n = 40,000
    assert np.all(np.abs(z_scores(centred[:, :, None] * centred[:, None, :], mixture.cov())) < 4.5)


def test_responsibilities_are_posterior_weights(rng):
    family, theta = CASES[3]
    weights = family.responsibilities(theta, x := family.sample(theta, 10, rng=rng))
    prior, means, scales = np.exp(theta[:3]), theta[3:6], np.exp(theta[6:])
    joint = prior / prior.sum() * stats.norm.pdf(x[:, None], means, scales)
    assert_allclose(weights, joint / joint.sum(axis=1, keepdims=True), rtol=1e-12)


# gradients


@every_family
def test_score_is_the_derivative_of_log_prob(family, theta, rng):
    x = family.sample(theta, 30, rng=rng)
    expected = derivative(lambda t: family.log_prob(t, x), theta)
    assert_allclose(family.score(theta, x), expected, rtol=1e-8, atol=1e-9)


@every_family
def test_score_has_mean_zero(family, theta, rng):
    score = family.score(theta, family.sample(theta, 20_000, rng=rng))
    assert np.all(np.abs(z_scores(score)) < 4.5)  # n = 20,000


@every_family
def test_fisher_information_is_minus_the_mean_hessian(family, theta, rng):
    x = family.sample(theta, 20_000, rng=rng)
    score = family.score(theta, x)
    hessian = derivative(lambda t: family.score(t, x), theta)
    assert_allclose(hessian, hessian.swapaxes(1, 2), rtol=1e-6, atol=1e-7)
    z = z_scores(score[:, :, None] * score[:, None, :] + hessian, rounding=1e-9)
    assert np.all(np.abs(z) < 4.5)  # n = 20,000


def test_fisher_information_of_the_normal_family(rng):
    # diag(1/σ², 2) in (μ, log σ); n = 100,000
    score = Normal().score([1.0, np.log(0.5)], Normal().sample([1.0, np.log(0.5)], 100_000, rng=rng))
    assert np.all(np.abs(z_scores(score[:, :, None] * score[:, None, :], np.diag([4.0, 2.0]))) < 4.5)


@every_differentiable
def test_grad_x_is_the_derivative_of_log_prob(family, theta, rng):
    x = family.sample(theta, 5, rng=rng)
    expected = [
        derivative(lambda point: family.log_prob(theta, point[None])[0], one).reshape(family.event_shape)
        for one in x
    ]
    assert_allclose(family.grad_x(theta, x), expected, rtol=1e-8, atol=1e-9)


@every_pathwise
def test_pullback_is_the_transposed_derivative_of_transform(family, theta, rng):
    noise = family.noise(20, rng=rng)
    dx = rng.standard_normal(noise.shape)
    jacobian = derivative(lambda t: family.transform(t, noise), theta)
    expected = (dx[..., None] * jacobian).reshape(20, -1, family.size).sum(axis=1)
    assert_allclose(family.pullback(theta, noise, dx), expected, rtol=1e-8, atol=1e-9)


@every_pathwise
def test_total_derivative_of_log_prob_along_the_path(family, theta, rng):
    # d/dθ log pθ(x(θ, ε)) = score + pullback of grad_x; for normals that is -1 for each log scale.
    noise = family.noise(20, rng=rng)
    x = family.transform(theta, noise)
    total = family.score(theta, x) + family.pullback(theta, noise, family.grad_x(theta, x))
    expected = derivative(lambda t: family.log_prob(t, family.transform(t, noise)), theta)
    assert_allclose(total, expected, rtol=1e-8, atol=1e-9)
    constant = np.zeros(family.size)
    constant[family.log_scales] = -1
    assert_allclose(total, np.broadcast_to(constant, total.shape), atol=1e-12)


@every_pathwise
def test_transform_has_the_moments_it_promises(family, theta, rng):
    noise = family.noise(30, rng=rng)
    factor = family.cholesky(theta)
    expected = np.array(theta[: len(factor)]) + noise.reshape(30, -1) @ factor.T
    assert_allclose(family.transform(theta, noise).reshape(30, -1), expected, rtol=1e-13)
    assert_allclose(
        np.atleast_2d(family.at(theta).var() if family.size == 2 else family.at(theta).cov), factor @ factor.T
    )


# entropy


@every_family
def test_entropy_is_minus_the_mean_log_prob(family, theta, rng):
    if isinstance(family, NormalMixture):
        with pytest.raises(NotImplementedError, match="no closed form; estimate it by"):
            family.entropy(theta)
        return
    log_prob = family.log_prob(theta, family.sample(theta, 40_000, rng=rng))
    assert abs(z_scores(-log_prob, family.entropy(theta))) < 4.5  # n = 40,000
    assert_allclose(family.entropy(theta), family.at(theta).entropy(), rtol=1e-12)


@given(logit=st.floats(-700, 700))
def test_bernoulli_entropy_to_the_last_digits(logit):
    assert_allclose(Bernoulli().entropy([logit]), float(bernoulli_entropy(logit)), rtol=1e-14)


@given(gap=st.floats(0, 600))
def test_categorical_of_two_is_bernoulli(gap):
    assert_allclose(Categorical(2).entropy([0.0, gap]), Bernoulli().entropy([gap]), atol=1e-15)
    assert_allclose(
        Categorical(2).log_prob([0.0, gap], [0, 1]), Bernoulli().log_prob([gap], [0, 1]), atol=1e-15
    )


# theta_of

small = st.floats(-3, 3)


@given(theta=hnp.arrays(float, 2, elements=small))
def test_theta_of_inverts_at_normal(theta):
    distribution = Normal().at(theta)
    assert_allclose(Normal().theta_of(distribution.mean(), distribution.std()), theta, atol=1e-14)


@given(theta=hnp.arrays(float, 6, elements=small))
def test_theta_of_inverts_at_diagonal(theta):
    family, distribution = DiagonalNormal(3), DiagonalNormal(3).at(theta)
    scale = np.sqrt(np.diag(distribution.cov))
    assert_allclose(family.theta_of(distribution.mean, scale), theta, atol=1e-14)


@given(theta=hnp.arrays(float, 5, elements=st.floats(-1, 1)))
def test_theta_of_inverts_at_full(theta):
    distribution = FullNormal(2).at(theta)
    assert_allclose(FullNormal(2).theta_of(distribution.mean, distribution.cov), theta, atol=1e-13)


@given(theta=hnp.arrays(float, 9, elements=small))
def test_theta_of_inverts_at_mixture(theta):
    family, mixture = NormalMixture(3), NormalMixture(3).at(theta)
    means = [component.mu for component in mixture.components]
    scales = [component.sigma for component in mixture.components]
    assert_allclose(family.theta_of(mixture.weights, means, scales), family.centred(theta), atol=1e-13)


@given(theta=hnp.arrays(float, 10, elements=small))
def test_theta_of_inverts_the_parts_of_a_multivariate_mixture(theta):
    family = NormalMixture(2, d=2)
    weights = np.exp(theta[:2]) / np.exp(theta[:2]).sum()
    means, scales = theta[2:6].reshape(2, 2), np.exp(theta[6:]).reshape(2, 2)
    assert_allclose(family.theta_of(weights, means, scales), family.centred(theta), atol=1e-13)


@given(logit=st.floats(-20, 20))
def test_theta_of_inverts_at_bernoulli(logit):
    p = Bernoulli().at([logit]).mean()
    assert_allclose(Bernoulli().theta_of(p), [logit], atol=1e-15 + np.exp(abs(logit)) * 1e-15)


@given(theta=hnp.arrays(float, 4, elements=small))
def test_theta_of_inverts_at_categorical(theta):
    recovered = Categorical(4).theta_of(Categorical(4).at(theta).pmf(np.arange(4)))
    assert_allclose(recovered, Categorical(4).centred(theta), atol=1e-13)
    assert abs(recovered.sum()) < 1e-13


@given(theta=hnp.arrays(float, 6, elements=small), shift=st.floats(-50, 50))
def test_logits_are_identified_up_to_a_constant(theta, shift):
    family, x = NormalMixture(2), np.linspace(-3, 3, 7)
    moved = theta + shift * np.array([1, 1, 0, 0, 0, 0])
    assert_allclose(family.log_prob(moved, x), family.log_prob(theta, x), rtol=1e-12)
    assert_allclose(family.centred(moved), family.centred(theta), atol=1e-12)


@every_family
def test_centring_changes_no_probability(family, theta, rng):
    x, centred = family.sample(theta, 10, rng=rng), family.centred(theta)
    assert_allclose(family.log_prob(centred, x), family.log_prob(theta, x), rtol=1e-13)
    if not isinstance(family, Categorical | NormalMixture):
        assert_array_equal(centred, theta)


# extremes


@pytest.mark.parametrize(
    ("family", "theta"),
    [
        (Normal(), [1.0, 300.0]),
        (Normal(), [1.0, -300.0]),
        (DiagonalNormal(2), [1.0, 2.0, 300.0, -300.0]),
        (FullNormal(2), [1.0, 2.0, -300.0, 300.0, 0.5]),
        (NormalMixture(2), [700.0, -700.0, 0.0, 1.0, -300.0, 300.0]),
        (NormalMixture(2, d=2), [-700.0, 700.0, 0.0, 1.0, 2.0, 3.0, -300.0, 300.0, 300.0, -300.0]),
        (Bernoulli(), [700.0]),
        (Bernoulli(), [-700.0]),
        (Categorical(3), [700.0, -700.0, 0.0]),
    ],
    ids=str,
)
def test_extreme_parameters_give_numbers(family, theta, rng):
    x = family.sample(theta, 20, rng=rng)
    elsewhere = x + 1.0 if family.outcomes is None else np.arange(20) % family.outcomes
    for points in (x, elsewhere):
        assert np.all(np.isfinite(family.log_prob(theta, points)))
        assert np.all(np.isfinite(family.score(theta, points)))
    if hasattr(family, "grad_x"):
        assert np.all(np.isfinite(family.grad_x(theta, elsewhere)))
    if isinstance(family, Reparameterizable):
        assert np.isfinite(family.entropy(theta))
    density = family.at(theta).logpdf if family.outcomes is None else family.at(theta).logpmf
    assert not np.any(np.isnan(density(x)))


def test_score_of_a_rare_outcome_keeps_its_digits():
    assert_allclose(Bernoulli().score([700.0], [1, 0])[:, 0], [np.exp(-700.0), -1.0], rtol=1e-12)


def test_log_prob_below_the_range_of_floats_is_minus_infinity():
    assert Normal().log_prob([0.0, -300.0], [1e150]) == -np.inf


@pytest.mark.parametrize(
    "call",
    [
        lambda: Normal().score([0.0, -300.0], [1e150]),
        lambda: Normal().grad_x([0.0, -300.0], [1e150]),
        lambda: Normal().pullback([0.0, 300.0], [1.0], [1e300]),
        lambda: FullNormal(2).transform([0.0, 0.0, 0.0, 0.0, 1e300], [[1e10, 0.0]]),
        lambda: FullNormal(3).log_prob([0.0] * 6 + [1e300] * 3, [[1e10, 0.0, 0.0]]),
        lambda: NormalMixture(2).responsibilities([0.0] * 4 + [-300.0] * 2, [1e150]),
        lambda: NormalMixture(2).grad_x([0.0] * 4 + [-300.0] * 2, [1e150]),
    ],
)
def test_overflow_raises_rather_than_giving_nan(call):
    with pytest.raises(OverflowError, match="out of the range of floats"):
        call()


# refusals


def test_families_are_frozen_values():
    assert DiagonalNormal(2) == DiagonalNormal(2) != DiagonalNormal(3)
    assert hash(NormalMixture(2)) == hash(NormalMixture(2, d=1))
    with pytest.raises(FrozenInstanceError):
        Categorical(3).k = 4


RNG = np.random.default_rng(0)
REFUSED = [
    (lambda: DiagonalNormal(0), ValueError, "d must be an integer >= 1, got 0"),
    (lambda: FullNormal(2.0), TypeError, "d must be an integer >= 1, got 2.0"),
    (lambda: NormalMixture(0), ValueError, "k must be an integer >= 1, got 0"),
    (lambda: NormalMixture(2, d=True), TypeError, "d must be an integer >= 1, got True"),
    (lambda: Categorical(-1), ValueError, "k must be an integer >= 1, got -1"),
    (lambda: Normal().at([0.0]), ValueError, r"theta must have shape \(2,\), got \(1,\)"),
    (lambda: Normal().at([0.0, np.nan]), ValueError, r"theta must be finite, got nan at index \(1,\)"),
    (lambda: Bernoulli().at("a"), TypeError, "theta must be a number or an array"),
    (lambda: Bernoulli().at(0.0), ValueError, r"theta must have shape \(1,\), got \(\)"),
    (lambda: Normal().at([0.0, LOG_SCALE_LIMIT + 1]), ValueError, r"theta\[1\] is the log of a scale.*351"),
    (lambda: NormalMixture(1).entropy([0, 0, -999]), ValueError, r"theta\[2\] is the log.*±350, got -999"),
    (lambda: Normal().sample([0, 0], 0, rng=RNG), ValueError, "n must be an integer >= 1, got 0"),
    (lambda: Normal().sample([0, 0], 1.5, rng=RNG), TypeError, "n must be an integer >= 1, got 1.5"),
    (lambda: Normal().sample([0, 0], 5, rng=0), TypeError, "rng must be a numpy.random.Generator.*got 0"),
    (lambda: Normal().noise(0, rng=RNG), ValueError, "n must be an integer >= 1, got 0"),
    (lambda: Normal().noise(5, rng=np.random), TypeError, "rng must be a numpy.random.Generator"),
    (lambda: Normal().log_prob([0, 0], [[1.0]]), ValueError, r"x must have shape \(n,\), got \(1, 1\)"),
    (lambda: Normal().log_prob([0, 0], 1.0), ValueError, r"x must have shape \(n,\), got \(\)"),
    (lambda: Normal().score([0, 0], [np.inf]), ValueError, r"x must be finite, got inf at index \(0,\)"),
    (lambda: FullNormal(2).score(np.zeros(5), [[1.0]]), ValueError, r"x must have shape \(n, 2\)"),
    (lambda: NormalMixture(2).log_prob(np.zeros(6), [[1.0]]), ValueError, r"x must have shape \(n,\)"),
    (lambda: Bernoulli().log_prob([0.0], [0.5]), ValueError, r"x must be integers from 0 to 1, got 0\.5 at"),
    (lambda: Bernoulli().log_prob([0.0], [1.0, np.nan]), ValueError, r"from 0 to 1, got nan at index \(1,\)"),
    (lambda: Bernoulli().log_prob([0.0], ["1"]), TypeError, "integers from 0 to 1, got <U1 entries"),
    (lambda: Bernoulli().at([-np.inf]), ValueError, r"theta must be finite, got -inf at index \(0,\)"),
    (lambda: Categorical(2).at([np.inf, 0]), ValueError, r"theta must be finite, got inf at index \(0,\)"),
    (lambda: Categorical(2).at([-np.inf] * 2), ValueError, "theta must have a logit above -inf, got none"),
    (lambda: Categorical(2).score([0, -np.inf], [0, 1]), ValueError, "whose logit is above -inf, got 1"),
    (lambda: Normal().at([-np.inf, 0]), ValueError, r"theta must be finite, got -inf at index \(0,\)"),
    (lambda: Bernoulli().score([0.0], [0, 2]), ValueError, r"from 0 to 1, got 2 at index \(1,\)"),
    (lambda: Categorical(3).score(np.zeros(3), [-1]), ValueError, r"from 0 to 2, got -1 at index \(0,\)"),
    (lambda: Categorical(3).log_prob(np.zeros(3), 1), ValueError, r"x must have shape \(n,\), got \(\)"),
    (lambda: Normal().transform([0, 0], [np.nan]), ValueError, "noise must be finite"),
    (lambda: DiagonalNormal(2).transform(np.zeros(4), [0.0]), ValueError, r"noise must have shape \(n, 2\)"),
    (lambda: Normal().pullback([0, 0], [0.0], [0.0, 1.0]), ValueError, r"dx must have shape \(1,\)"),
    (lambda: Normal().grad_x([0, 0], [[0.0]]), ValueError, r"x must have shape \(n,\)"),
    (lambda: Normal().theta_of(0.0, 0.0), ValueError, "scale must be positive, got 0.0"),
    (lambda: Normal().theta_of([0.0, 1.0], 1.0), ValueError, r"mean must have shape \(\), got \(2,\)"),
    (lambda: DiagonalNormal(2).theta_of([0, 0], [1, -1]), ValueError, r"scale must be.*-1.0 at index \(1,\)"),
    (lambda: FullNormal(2).theta_of([0, 0], [[1, 2], [2, 1]]), ValueError, "must be positive definite"),
    (lambda: FullNormal(2).theta_of([0, 0], [[1, 0.5], [0, 1]]), ValueError, "covariance must be symmetric"),
    (lambda: NormalMixture(2).theta_of([0.5, 0.6], [0, 1], [1, 1]), ValueError, "weights must sum to 1.*1.1"),
    (lambda: NormalMixture(2).theta_of([1.0, 0.0], [0, 1], [1, 1]), ValueError, "weights must be positive"),
    (lambda: NormalMixture(2).theta_of([0.5, 0.5], [[0], [1]], [1, 1]), ValueError, "means must have shape"),
    (lambda: Bernoulli().theta_of(1.0), ValueError, "probability must lie strictly between 0 and 1, got 1.0"),
    (lambda: Bernoulli().theta_of(0.0), ValueError, "probability must be positive, got 0.0"),
    (lambda: Categorical(2).theta_of([0.2, 0.3, 0.5]), ValueError, r"probabilities must have shape"),
    (lambda: Categorical(2).theta_of([0.5, 0.4]), ValueError, "probabilities must sum to 1"),
    (lambda: NormalMixture(1, d=2).at(np.zeros(5)).rvs(3), TypeError, "rng must be.*got None"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "match"), REFUSED)
def test_refuses(call, error, match):
    with pytest.raises(error, match=match):
        call()


@pytest.mark.parametrize("family", [Normal(), DiagonalNormal(3), FullNormal(3)], ids=str)
def test_the_mean_of_the_pullback_needs_no_rows(family, rng):
    theta = rng.standard_normal(family.size)
    noise, dx = family.noise(20, rng=rng), family.noise(20, rng=rng)
    expected = family.pullback(theta, noise, dx).mean(axis=0)
    assert_allclose(family.mean_pullback(theta, noise, dx), expected, rtol=1e-12, atol=1e-13)
    with pytest.raises(OverflowError, match="mean_pullback is out of the range of floats"):
        family.mean_pullback(theta, 1e300 * noise, 1e300 * dx)


def scaled(family, theta):
    """Return θ-steps of unit moves, one a row, from what moves mean: scales, or L (I + A) of a factor L."""
    if not isinstance(family, FullNormal):
        scales = np.ones(family.size)
        width = family.log_scales.stop - family.log_scales.start
        scales[family.log_scales.start - width : family.log_scales.start] = np.exp(theta[family.log_scales])
        return np.diag(scales)
    d, moves = family.d, np.eye(family.size)
    factor, below = family.cholesky(theta), np.tril_indices(family.d, -1)
    rows = []
    for move in moves:
        a = np.diag(move[d : 2 * d])
        a[below] = move[2 * d :]
        rows.append(np.concatenate([factor @ move[:d], np.diag(a), (factor @ a)[below]]))
    return np.array(rows)


@pytest.mark.parametrize(
    "family", [Normal(), DiagonalNormal(3), FullNormal(3), NormalMixture(2, d=2), Categorical(3)], ids=str
)
def test_units_are_those_of_the_distribution(family, rng):
    theta, slopes = rng.standard_normal(family.size), rng.standard_normal((4, family.size))
    at, expected = Units(family, theta), scaled(family, theta)
    assert_allclose([at.step(move) for move in np.eye(family.size)], expected, atol=1e-14)
    assert_allclose(at.gradient(slopes), slopes @ expected.T, atol=1e-13)  # the transpose, row by row


def test_units_by_weight_are_standard_errors():
    family = NormalMixture(2)
    theta = family.theta_of([0.2, 0.8], [0.0, 1.0], [1.0, 3.0])
    at = Units(family, theta, by_weight=True)
    roots = np.sqrt([0.2, 0.8, 0.2, 0.8, 0.2, 0.8])
    assert_allclose(at.gradient(np.ones(6)), [1, 1, 1, 3, 1, 1] / roots)
    dead = Units(family, np.array([0.0, -800.0, 0, 0, 0, 0]), by_weight=True)
    assert_allclose(dead.step(np.ones(6)), [1, 1e9**0.5] * 3)


@pytest.mark.parametrize("family", [Categorical(3), NormalMixture(3)])
@pytest.mark.parametrize("logits", [[1e308, 1e308, 1e308], [1.7e308, 1.7e308, -1.7e308], [1e308, -1e308, 0]])
def test_logits_at_the_ends_of_the_range_are_centred(family, logits):
    theta = np.concatenate([logits, np.zeros(family.size - 3)])
    centred = family.centred(theta)
    assert_allclose(family.log_prob(centred, [0, 1]), family.log_prob(theta, [0, 1]), atol=1e-12)
    assert family.sample(theta, 5, rng=np.random.default_rng(0)).shape == (5,)


def test_a_factor_whose_squares_are_no_floats_has_an_entropy():
    p = FullNormal(2).at([0, 0, 0, 0, 1e200])
    assert_allclose(entropy(p), 1 + np.log(2 * np.pi), rtol=1e-14)
    with pytest.raises(ValueError, match="the covariance of p must be finite"):
        fit_forward_kl(DiagonalNormal(2), p)
