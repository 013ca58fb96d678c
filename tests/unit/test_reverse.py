"""Reverse KL: bounds of log ℵ and the fits that raise them, against closed forms and dense quadrature."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from oracles.statistics import z_scores
from scipy import optimize, special, stats

from kl_lib import elbo, fit_reverse_kl, importance_weighted_bound
from kl_lib.families import Bernoulli, Categorical, DiagonalNormal, FullNormal, Normal, NormalMixture
from kl_lib.reverse.fixed_noise import whitened_noise

# A Gaussian target N(1, ¼) with ℵ = 5.
LOG_NORMALIZER = np.log(5)


def log_p(x):
    return stats.norm.logpdf(x, 1, 0.5) + LOG_NORMALIZER


def grad_log_p(x):
    return -4 * (x - 1)


def divergence(theta):
    """D_KL(N(μ, σ²) ‖ N(1, ¼))."""
    mean, log_scale = theta
    return np.log(0.5) - log_scale + (np.exp(2 * log_scale) + (mean - 1) ** 2) * 2 - 0.5


# bounds


@pytest.mark.parametrize("theta", [[0.3, 0.2], [1.0, np.log(0.5)]])
def test_log_normalizer_less_elbo_is_the_divergence(theta, rng):
    bound = elbo(Normal(), theta, log_p, 100_000, rng=rng)
    z = (bound.value - (LOG_NORMALIZER - divergence(theta))) / bound.standard_error
    assert abs(z) < 4.5  # n = 100,000
    assert bound.n == 100_000


def test_elbo_of_a_mixture_estimates_its_entropy(rng):
    # pθ = p⋆: every term is log ℵ.
    family, theta = NormalMixture(2), [0.3, -0.3, -1.0, 2.0, 0.0, 0.4]
    bound = elbo(family, theta, lambda x: family.log_prob(theta, x) + LOG_NORMALIZER, 100, rng=rng)
    assert_allclose([bound.value, bound.standard_error], [LOG_NORMALIZER, 0], atol=1e-14)


def test_elbo_of_a_discrete_family(rng):
    weights, theta = np.array([1.0, 2.0, 4.0]), [0.2, -0.1, 0.4]
    q = special.softmax(theta)
    bound = elbo(Categorical(3), theta, lambda x: np.log(weights[x]), 100_000, rng=rng)
    exact = np.log(7) - q @ np.log(q / (weights / 7))
    assert abs(bound.value - exact) < 4.5 * bound.standard_error  # n = 100,000


@pytest.mark.parametrize("bound", [elbo, lambda *a, rng: importance_weighted_bound(*a[:3], 1, a[3], rng=rng)])
def test_a_target_that_vanishes_has_no_finite_bound(bound, rng):
    result = bound(Normal(), [0.0, 0.0], lambda x: np.where(x > 0, -x, -np.inf), 100, rng=rng)
    assert (result.value, result.standard_error) == (-np.inf, np.inf)


def test_importance_weighting_tightens_the_bound(rng):
    # n = 20,000 batches; for k = 1 the ELBO, with k growing towards log ℵ from below.
    theta = [0.3, 0.2]
    bounds = [importance_weighted_bound(Normal(), theta, log_p, k, 20_000, rng=rng) for k in (1, 2, 8, 64)]
    assert abs(bounds[0].value - (LOG_NORMALIZER - divergence(theta))) < 4.5 * bounds[0].standard_error
    for looser, tighter in pairwise(bounds):
        error = np.hypot(looser.standard_error, tighter.standard_error)
        assert (tighter.value - looser.value) / error > 4.5
    assert bounds[-1].value < LOG_NORMALIZER
    # Delta method: log ℵ − bound = Var(w/ℵ)/2k + O(1/k²), the second moment of w by quadrature.
    x = np.linspace(-15, 15, 20_001)
    square = np.trapezoid(np.exp(2 * log_p(x) - Normal().log_prob(theta, x)), x) / 25
    expected = LOG_NORMALIZER - (square - 1) / 128
    assert abs(bounds[-1].value - expected) < 4.5 * bounds[-1].standard_error


def test_importance_weights_at_the_target_are_exact(rng):
    bound = importance_weighted_bound(Normal(), [1.0, np.log(0.5)], log_p, 3, 10, rng=rng)
    assert_allclose([bound.value, bound.standard_error], [LOG_NORMALIZER, 0], atol=1e-14)


# whitening


@pytest.mark.parametrize("family", [Normal(), DiagonalNormal(3), FullNormal(2)], ids=str)
def test_whitened_noise(family, rng):
    noise = whitened_noise(family, 10, rng=rng)
    assert noise.shape == (10, *family.event_shape)
    flat = noise.reshape(10, -1)
    assert_allclose(flat.mean(axis=0), 0, atol=1e-15)
    assert_allclose(flat.T @ flat / 10, np.eye(flat.shape[1]), atol=1e-14)


# fits of Gaussian targets


def gaussian(mean, covariance, constant=0.0):
    precision = np.linalg.inv(covariance)

    def log_density(x):
        return constant - 0.5 * (((x - mean) @ precision) * (x - mean)).sum(axis=1)

    return log_density, lambda x: -(x - mean) @ precision


@given(
    mean=hnp.arrays(float, 2, elements=st.floats(-20, 20)),
    parts=hnp.arrays(float, 3, elements=st.floats(-1.5, 1.5)),
    seed=st.integers(0, 1000),
)
def test_a_gaussian_target_is_recovered_whatever_the_draw(mean, parts, seed):
    factor = np.array([[np.exp(parts[0]), 0], [parts[1], np.exp(parts[2])]])
    covariance = factor @ factor.T
    fit = fit_reverse_kl(
        FullNormal(2), *gaussian(mean, covariance), n=5, rng=np.random.default_rng(seed), tol=1e-9
    )
    assert fit.converged
    assert_allclose(fit.distribution.mean, mean, atol=1e-6)
    assert_allclose(fit.distribution.cov, covariance, atol=1e-6)


@pytest.mark.parametrize("rho", [0.0, 0.6, -0.95])
def test_mean_field_shrinks_to_the_conditional_variance(rho, rng):
    covariance = np.array([[1, rho], [rho, 1]])
    target = gaussian(np.zeros(2), covariance, -0.5 * np.linalg.slogdet(2 * np.pi * covariance)[1])
    fit = fit_reverse_kl(DiagonalNormal(2), *target, rng=rng)
    assert_allclose(np.diag(fit.distribution.cov), 1 - rho**2, atol=2e-6)
    # log ℵ = 0, so that the divergence is minus the fixed-noise ELBO.
    assert_allclose(-fit.trace[-1], -0.5 * np.log(1 - rho**2), atol=1e-9)


def test_the_fit_reports_what_happened(rng):
    seen = []
    fit = fit_reverse_kl(Normal(), log_p, grad_log_p, rng=rng, callback=seen.append)
    assert fit.converged
    assert fit.message == "the norm of the gradient is at most tol"
    assert fit.gradient_norm <= 1e-6
    assert_allclose(fit.theta, [1, np.log(0.5)], atol=1e-6)
    assert fit.distribution.args == (fit.theta[0], np.exp(fit.theta[1]))
    assert len(seen) == len(fit.trace)
    assert_array_equal(seen[0], [0, 0])
    assert_allclose(fit.trace, [LOG_NORMALIZER - divergence(theta) for theta in seen], atol=1e-9)
    assert np.all(np.diff(fit.trace) > 0)
    assert abs(fit.objective.value - LOG_NORMALIZER) < 4.5 * fit.objective.standard_error  # n = 1000
    assert fit.objective.n == 1000


def test_the_fit_maximises_the_sample_average_over_its_noise():
    # A quartic target, whose average depends on the draw; the same by a search without gradients.
    quartic = lambda x: x - x**4 / 4, lambda x: 1 - x**3
    first = fit_reverse_kl(Normal(), *quartic, rng=np.random.default_rng(1), tol=1e-10)
    noise = whitened_noise(Normal(), 1000, rng=np.random.default_rng(1))

    def loss(theta):
        return -quartic[0](theta[0] + np.exp(theta[1]) * noise).mean() - theta[1]

    second = optimize.minimize(loss, [0, 0], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-14})
    assert_allclose(first.theta, second.x, atol=1e-7)


@pytest.mark.parametrize("method", ["fixed-noise", "stochastic"])
def test_the_normalizer_changes_nothing(method):
    fits = [
        fit_reverse_kl(
            Normal(),
            lambda x, constant=constant: log_p(x) + constant,
            grad_log_p,
            rng=np.random.default_rng(1),
            method=method,
        )
        for constant in (0.0, 50.0)
    ]
    assert_allclose(fits[0].theta, fits[1].theta, atol=1e-6)
    assert_allclose(fits[1].trace[-1] - fits[0].trace[-1], 50, atol=1e-6)


@pytest.mark.parametrize("scale", [1e4, 1e6])
def test_a_sharp_target_is_fitted_to_the_gradient_not_to_the_flat_objective(scale, rng):
    fit = fit_reverse_kl(
        DiagonalNormal(2),
        lambda x: 1e4 + scale * (x - x**4 / 4).sum(axis=1),
        lambda x: scale * (1 - x**3),
        rng=rng,
    )
    assert fit.converged
    assert_allclose(fit.theta[:2], 1, atol=1e-3)
    assert_allclose(fit.theta[2:], -0.5 * np.log(3 * scale), atol=1e-2)


def test_the_line_search_steps_back_from_where_the_target_vanishes(rng):
    # A Γ(6) target on the half-line, from a narrow start inside it.
    fit = fit_reverse_kl(
        Normal(),
        lambda x: np.where(x > 0, 5 * np.log(np.maximum(x, 1e-300)) - x, -np.inf),
        lambda x: 5 / x - 1,
        theta0=[20.0, -4.0],
        n=100,
        rng=rng,
    )
    assert 5 < fit.theta[0] < 6.5
    # a normal reaches below 0
    assert not fit.converged
    assert fit.message.startswith("the divergence is infinite: p̃ vanishes at")


def test_an_improper_target_is_reported(rng):
    fit = fit_reverse_kl(Normal(), np.zeros_like, np.zeros_like, rng=rng)
    assert not fit.converged
    assert fit.message.startswith("the ELBO has no maximum: it led to a scale of e^3")


def test_a_target_that_rises_without_end_is_reported(rng):
    fit = fit_reverse_kl(Normal(), lambda x: x**2, lambda x: 2 * x, rng=rng)
    assert not fit.converged
    assert fit.message.startswith("the ELBO has no maximum: it led to a scale of e^")


# stochastic fits


def test_pathwise_adam(rng):
    fit = fit_reverse_kl(Normal(), log_p, grad_log_p, rng=rng, method="stochastic")
    assert fit.converged
    assert_allclose(fit.theta, [1, np.log(0.5)], atol=0.02)
    assert fit.trace.shape == (2000,)
    # 4.5 standard errors of a term whose standard deviation at the target is √½; n = 1000 × 200.
    assert abs(fit.trace[-200:].mean() - LOG_NORMALIZER) < 4.5 * np.sqrt(0.5 / 200_000)


def test_adam_takes_whole_steps_up_a_constant_slope_from_the_first_on(rng):
    seen = []
    fit_reverse_kl(
        Normal(), lambda x: x, np.ones_like, steps=9, rng=rng, method="stochastic", callback=seen.append
    )
    rates = 0.1 * (1 + np.cos(np.pi * np.arange(8) / 9)) / 2
    assert_allclose(np.diff([theta[0] for theta in seen]), rates, rtol=1e-6)


def test_without_a_gradient_the_score_function_drives_adam(rng):
    seen = []
    fit = fit_reverse_kl(Normal(), log_p, n=200, rng=rng, callback=seen.append)
    assert fit.converged
    assert fit.message == "the ELBO could gain no more than its error"
    # At the target every term is log ℵ, and the leave-one-out baseline takes the variance away.
    assert_allclose(fit.theta, [1, np.log(0.5)], atol=1e-5)
    assert_array_equal(seen[0], [0, 0])
    assert len(seen) == 2000


def test_discrete_targets(rng):
    weights = np.array([1.0, 2.0, 4.0])
    fit = fit_reverse_kl(Categorical(3), lambda x: np.log(weights[x]), n=200, rng=rng)
    assert_allclose(fit.theta, np.log(weights) - np.log(weights).mean(), atol=1e-5)
    assert_allclose(fit.theta.sum(), 0, atol=1e-12)
    fit = fit_reverse_kl(Bernoulli(), lambda x: np.log(weights[x]), n=200, rng=rng)
    assert_allclose(fit.theta, [np.log(2)], atol=1e-5)


def test_a_mixture_is_fitted_from_a_start(rng):
    family = NormalMixture(2)
    target = family.theta_of([0.3, 0.7], [-2, 2], [0.5, 1])
    fit = fit_reverse_kl(
        family, lambda x: family.log_prob(target, x), theta0=[0, 0, -1, 1, 0, 0], n=100, rng=rng
    )
    assert_allclose(fit.theta, target, atol=1e-3)
    assert_allclose(fit.objective.value, 0, atol=1e-3)


def test_adam_says_when_it_has_not_arrived(rng):
    # 2000 steps of at most 0.1, decaying, go no further than 100.
    fit = fit_reverse_kl(
        Normal(), lambda x: -np.abs(x - 1e4), lambda x: np.sign(1e4 - x), n=10, rng=rng, method="stochastic"
    )
    assert not fit.converged
    assert fit.message == "the gradient is not yet zero: take more steps, or larger ones"


# what converged means

SCALES = st.sampled_from([1e-12, 1e-8, 1e-4, 1e-1, 10.0, 1e3, 1e8, 1e12])


def in_unit(family, theta, log_density, grad, scale, offset):
    """θ and the target of offset + scale · x, where x has theta and the target log_density."""
    d = family.dimension
    moved = np.concatenate(
        [offset + scale * theta[:d], theta[d : 2 * d] + np.log(scale), scale * theta[2 * d :]]
    )

    def back(x):
        return (x - offset) / scale

    return moved, lambda x: log_density(back(x)), lambda x: grad(back(x)) / scale


@given(scale=SCALES, offset=st.floats(-1e3, 1e3), seed=st.integers(0, 20))
@pytest.mark.parametrize("family", [Normal(), DiagonalNormal(2), FullNormal(2)], ids=str)
def test_a_change_of_unit_changes_nothing_but_the_unit(family, scale, offset, seed):
    def quartic(x):
        y = x.reshape(len(x), -1)
        return -0.1 * ((y - 1) ** 4).sum(axis=1) - 0.3 * y.sum(axis=1) ** 2

    def slope(x):
        y = x.reshape(len(x), -1)
        return (-0.4 * (y - 1) ** 3 - 0.6 * y.sum(axis=1)[:, None]).reshape(x.shape)

    start = np.random.default_rng(seed).normal(0, 0.5, family.size)
    once = fit_reverse_kl(family, quartic, slope, theta0=start, n=50, rng=np.random.default_rng(1))
    theta0, log_p, grad = in_unit(family, start, quartic, slope, scale, offset * scale)
    again = fit_reverse_kl(family, log_p, grad, theta0=theta0, n=50, rng=np.random.default_rng(1))
    assert once.converged
    assert again.converged
    expected = in_unit(family, once.theta, quartic, slope, scale, offset * scale)[0]
    d = family.dimension
    size = np.concatenate([np.full(d, scale), np.ones(d), np.full(family.size - 2 * d, scale)])
    assert_allclose((again.theta - expected) / size, 0, atol=3e-6)


@given(scale=SCALES, offset=st.floats(-5, 5))
def test_a_gaussian_of_any_size_is_reached_from_zeros(scale, offset):
    fit = fit_reverse_kl(
        Normal(),
        lambda x: -0.5 * ((x - offset * scale) / scale) ** 2,
        lambda x: -(x - offset * scale) / scale**2,
        n=50,
        rng=np.random.default_rng(1),
    )
    assert fit.converged
    assert_allclose([fit.theta[0] / scale, fit.theta[1] - np.log(scale)], [offset, 0], atol=1e-6)


SPECTRA = {
    "even": lambda condition, d: np.geomspace(1, condition, d) if d > 1 else np.ones(1),
    "one wide": lambda condition, d: np.r_[np.ones(d - 1), condition],
    "one narrow": lambda condition, d: np.r_[np.ones(1), np.full(d - 1, condition)],
    "halves": lambda condition, d: np.r_[np.ones(d // 2), np.full(d - d // 2, condition)],
}


def normal_target(spectrum, condition, d, size, rng):
    """Return a mean, the symmetric root of a precision, log p̃ and its gradient; scales up to `size`."""
    rotation = np.linalg.qr(rng.standard_normal((d, d)))[0]
    variances = SPECTRA[spectrum](condition, d)
    roots = size * np.sqrt(variances / variances.max())
    mean, root = size * rng.standard_normal(d), (rotation / roots) @ rotation.T
    log_density = lambda x: -0.5 * (((x - mean) @ root) ** 2).sum(axis=1)  # noqa: E731
    return mean, root, log_density, lambda x: -((x - mean) @ root) @ root


def holds_ill_conditioned_gaussians(spectrum, condition, d, power, seed):
    rng = np.random.default_rng(seed)
    mean, root, *target = normal_target(spectrum, condition, d, 10.0**power, rng)
    fit = fit_reverse_kl(FullNormal(d), *target, n=d + 30, rng=rng)
    assert fit.converged
    assert fit.gradient_norm <= 1e-6
    whitened = root @ FullNormal(d).cholesky(fit.theta)
    assert np.linalg.norm(whitened @ whitened.T - np.eye(d), 2) < 1e-6
    assert np.linalg.norm(root @ (fit.theta[:d] - mean)) < 1e-6


HARD = {
    "spectrum": st.sampled_from(sorted(SPECTRA)),
    "condition": st.sampled_from([1.0, 1e2, 1e4, 1e6]),
    "d": st.integers(1, 20),
    "power": st.integers(-3, 3),
    "seed": st.integers(0, 10_000),
}


@given(**HARD)
def test_ill_conditioned_gaussian_targets_are_recovered(spectrum, condition, d, power, seed):
    holds_ill_conditioned_gaussians(spectrum, condition, d, power, seed)


@pytest.mark.slow
@settings(max_examples=1500)
@given(**HARD)
def test_many_ill_conditioned_gaussian_targets_are_recovered(spectrum, condition, d, power, seed):
    holds_ill_conditioned_gaussians(spectrum, condition, d, power, seed)


@settings(max_examples=15)
@given(condition=st.sampled_from([1.0, 1e2, 1e4]), power=st.integers(-3, 3), seed=st.integers(0, 10_000))
def test_the_mean_field_of_a_gaussian_in_many_dimensions(condition, power, seed):
    # its factors have the means and, for variances, the reciprocals of the precision's diagonal
    rng, family = np.random.default_rng(seed), DiagonalNormal(100)
    mean, root, *target = normal_target("even", condition, 100, 10.0**power, rng)
    fit = fit_reverse_kl(family, *target, n=200, rng=rng)
    assert fit.converged
    precision = np.diag(root @ root)
    assert_allclose(fit.theta[100:], -0.5 * np.log(precision), atol=1e-5)
    # a gradient of 1e-6 leaves a mean that far along the flattest axis, in the factors' units
    assert np.abs((fit.theta[:100] - mean) * np.sqrt(precision)).max() < 1e-6 * max(10, condition)


@pytest.mark.parametrize("seed", range(5))
def test_an_infinite_divergence_is_not_converged(seed):
    target = stats.gamma(3)
    fit = fit_reverse_kl(
        Normal(),
        target.logpdf,
        lambda x: 2 / np.where(x > 0, x, 1) - 1,
        theta0=[3.0, np.log(0.2)],
        rng=np.random.default_rng(seed),
    )
    assert not fit.converged
    assert "divergence is infinite" in fit.message


def test_an_outcome_that_is_never_drawn_counts(rng):
    # 100 x: the outcome 0 has a chance of e⁻¹⁰⁰, which few steps do not reach; of 1 alone every draw is.
    fit = fit_reverse_kl(Bernoulli(), lambda x: 100.0 * x, rng=rng)
    assert not fit.converged
    fit = fit_reverse_kl(
        Bernoulli(), lambda x: np.where(x == 1, 0.0, -np.inf), theta0=[60.0], steps=3, rng=rng
    )
    assert not fit.converged
    assert fit.message == "the divergence is infinite: p̃ vanishes at 0, where pθ has mass"


@given(target=st.tuples(*3 * [st.floats(-2, 2)]), start=st.floats(-2, 2), masked=st.integers(0, 2))
@settings(max_examples=4, deadline=None)
@pytest.mark.parametrize("elsewhere", [-np.inf, 0.0, 700.0])
def test_an_outcome_without_probability_at_the_start_has_none_at_the_end(elsewhere, target, start, masked):
    log_p, theta0 = np.array(target), np.array([start, 0.0, -start])
    theta0[masked], log_p[masked] = -np.inf, elsewhere
    rng = np.random.default_rng(0)
    fit = fit_reverse_kl(Categorical(3), lambda x: log_p[x], theta0=theta0, n=50, steps=200, rng=rng)
    assert "infinite" not in fit.message
    log_p[masked] = -np.inf
    assert_allclose(fit.distribution.pmf([0, 1, 2]), special.softmax(log_p), atol=0.1)


@given(height=st.floats(1, 100), width=st.floats(0.01, 1), seed=st.integers(0, 99))
@settings(max_examples=4, deadline=None)
def test_steps_without_a_slope_lead_nowhere(height, width, seed):
    """A staircase, whose slope is 0 wherever it has one: entropy alone leads, and the ELBO ends lower."""
    fit = fit_reverse_kl(
        Normal(), lambda x: -height * np.floor(np.abs(x / width)), np.zeros_like,
        n=50, steps=200, rng=np.random.default_rng(seed), method="stochastic",
    )  # fmt: skip
    assert not fit.converged
    assert fit.message == "the ELBO ends lower than it began: take smaller steps, or check grad_log_p"


def test_noise_is_not_taken_for_a_maximum(rng):
    # Student's t with 3 degrees of freedom at 1000, whose pull is lost in noise after few steps.
    fit = fit_reverse_kl(
        Normal(), lambda x: stats.t.logpdf(x, 3, 1000), lambda x: -4 * (x - 1000) / (3 + (x - 1000) ** 2),
        n=100, steps=200, rng=rng, method="stochastic",
    )  # fmt: skip
    assert not fit.converged
    fit = fit_reverse_kl(Normal(), lambda x: -0.5 * (x - 1) ** 2, n=2, steps=5, step_size=1e-9, rng=rng)
    assert not fit.converged


@given(power=st.floats(0.3, 0.49), n=st.sampled_from([20, 100, 300]), seed=st.integers(0, 99))
@settings(max_examples=6)
def test_a_slope_below_the_noise_that_never_ends_is_no_maximum(power, n, seed):
    """(1 + x²)^−a with a < ½ has infinite mass: the ELBO rises by 1 − 2a for each factor e of the scale."""
    fit = fit_reverse_kl(
        Normal(), lambda x: -power * np.log1p(x * x), n=n, steps=500, rng=np.random.default_rng(seed)
    )
    assert not fit.converged


def test_a_maximum_is_told_from_an_endless_slope_by_a_step(rng):
    fit = fit_reverse_kl(Normal(), lambda x: -0.45 * np.log1p(x * x), n=100, rng=rng)
    assert fit.message.startswith("the ELBO has no maximum near: a step of a standard deviation gains")
    fit = fit_reverse_kl(Normal(), lambda x: -2 * np.log1p(x * x), n=100, rng=rng)
    assert fit.converged


def test_noise_that_hides_the_slope_is_named(rng):
    # The waves of the target cancel in the mean of the slope and not in its terms.
    options = {"n": 20, "steps": 20, "step_size": 1e-9}
    fits = [
        fit_reverse_kl(Normal(), lambda x: 200 * np.cos(5 * x) - x**2 / 2, rng=stream, **options)
        for stream in rng.spawn(12)
    ]
    assert not any(fit.converged for fit in fits)
    assert "the noise of the gradient hides the slope: raise n" in {fit.message for fit in fits}


def test_a_far_target_is_reached_by_larger_steps(rng):
    options = {"method": "stochastic", "rng": rng, "n": 20}
    target = lambda x: -0.5 * (x - 1000) ** 2, lambda x: 1000 - x
    fit = fit_reverse_kl(Normal(), *target, step_size=1.0, steps=10_000, **options)
    assert fit.converged
    assert_allclose(fit.theta, [1000, 0], atol=0.1)
    short = fit_reverse_kl(Normal(), *target, steps=10, **options)
    assert short.trace.shape == (10,)
    assert not short.converged


def test_the_iterations_can_be_limited(rng):
    fit = fit_reverse_kl(
        Normal(), lambda x: -((x - 9) ** 4), lambda x: -4 * (x - 9) ** 3, max_iter=2, rng=rng
    )
    assert not fit.converged
    assert fit.message == "stopped at max_iter, short of a maximum"
    assert len(fit.trace) == 3


def test_a_component_without_weight_is_named(rng):
    family = NormalMixture(2)
    fit = fit_reverse_kl(
        family, lambda x: -0.5 * x**2, theta0=[20.0, -20.0, 0, 50.0, 0, 0], n=20, steps=5, rng=rng
    )
    assert not fit.converged
    assert fit.message.startswith("the weight of component 1, ")


@given(factor=st.sampled_from([-1.0, 0.5, 0.98, 2.0]), coordinate=st.integers(0, 1), seed=st.integers(0, 50))
def test_a_wrong_gradient_is_named(factor, coordinate, seed):
    def gradient(x):
        slopes = -(x**3) - 3
        slopes[:, coordinate] *= factor
        return slopes

    with pytest.raises(ValueError, match=rf"gradient of log_p, got .* in coordinate {coordinate} where x is"):
        fit_reverse_kl(
            DiagonalNormal(2),
            lambda x: -(x**4 / 4 + 3 * x).sum(axis=1),
            gradient,
            n=10,
            rng=np.random.default_rng(seed),
        )


@given(seed=st.integers(0, 50))
def test_a_right_gradient_is_not_accused(seed):
    rng = np.random.default_rng(seed)
    targets = [
        (lambda x: -np.abs(x), lambda x: -np.sign(x)),
        (lambda x: -(x**2).astype(np.float32) / 2, lambda x: -x.astype(np.float32)),
        (lambda x: 1e9 - 0.5 * x**2, lambda x: -x),
        (lambda x: -0.5e12 * (x - 1e-3) ** 2, lambda x: -1e12 * (x - 1e-3)),
        (lambda x: -np.exp(3 * x), lambda x: -3 * np.exp(3 * x)),
        (np.zeros_like, np.zeros_like),
    ]
    for target in targets:
        fit_reverse_kl(Normal(), *target, n=10, rng=rng, max_iter=1)


# two modes, by dense quadrature in the noise

NOISE = np.linspace(-12, 12, 4001)
WEIGHTS = stats.norm.pdf(NOISE) * (NOISE[1] - NOISE[0])


class TwoModes:
    """Half of each of two normals: log density with two derivatives in x."""

    def __init__(self, means, scales):
        self.means, self.scales = np.array(means), np.array(scales)

    def __call__(self, x):
        z = (x[:, None] - self.means) / self.scales
        logs = np.log(0.5) - np.log(self.scales) - 0.5 * np.log(2 * np.pi) - 0.5 * z**2
        weights = special.softmax(logs, axis=1)
        slopes, curvatures = -z / self.scales, -1 / self.scales**2
        first = (weights * slopes).sum(axis=1)
        return (
            special.logsumexp(logs, axis=1),
            first,
            (weights * (slopes**2 + curvatures)).sum(axis=1) - first**2,
        )

    def divergence(self, mean, log_scale):
        """D_KL(N(mean, scale²)‖p), its gradient and its Hessian in (mean, log scale)."""
        noise = np.exp(log_scale) * NOISE
        value, first, second = self(mean + noise)
        entropy = log_scale + 0.5 * np.log(2 * np.pi * np.e)
        gradient = -WEIGHTS @ np.stack([first, first * noise], axis=1) - [0, 1]
        cross = -WEIGHTS @ (second * noise)
        hessian = [[-WEIGHTS @ second, cross], [cross, -WEIGHTS @ (second * noise**2 + first * noise)]]
        return -entropy - WEIGHTS @ value, gradient, np.array(hessian)

    def minimum(self, mean, scale):
        result = optimize.root(
            lambda t: self.divergence(*t)[1], [mean, np.log(scale)], jac=lambda t: self.divergence(*t)[2]
        )
        assert result.success
        value, _, hessian = self.divergence(*result.x)
        assert np.linalg.eigvalsh(hessian)[0] > 0
        return result.x, value


@pytest.mark.parametrize(
    ("start", "mean", "scale", "value"),
    [((1, 1), 1.00150, 1.00265, 0.692750), ((10, 1.5), 9.99654, 1.50630, 0.692567)],
)
def test_reverse_kl_settles_on_one_of_two_modes(start, mean, scale, value):
    target = TwoModes([1, 10], [1, 1.5])
    theta, found = target.minimum(*start)
    assert_allclose([theta[0], np.exp(theta[1]), found], [mean, scale, value], atol=1e-5)
    # 25 fits, each on n = 500 noises of its own, scatter about it.
    rng = np.random.default_rng(1)
    theta0 = [start[0], np.log(start[1])]
    fits = [
        fit_reverse_kl(
            Normal(), lambda x: target(x)[0], lambda x: target(x)[1], theta0=theta0, n=500, rng=rng
        )
        for _ in range(25)
    ]
    thetas = np.array([fit.theta for fit in fits])
    assert all(fit.converged for fit in fits)
    assert np.all(np.abs(z_scores(thetas, theta)) < 4.5)


def test_one_mode_appears_by_a_fold():
    # Unknowns (mean, log scale, a): the gradient vanishes and the Hessian becomes singular.
    def fold(unknowns):
        _, gradient, hessian = TwoModes([-unknowns[2], unknowns[2]], [1, 1]).divergence(*unknowns[:2])
        return [*gradient, np.linalg.det(hessian)]

    result = optimize.root(fold, [2.1, 0.25, 2.4], options={"eps": 1e-6})
    mean, log_scale, a = result.x
    assert result.success
    assert_allclose([a, mean, np.exp(log_scale)], [2.412, 2.146, 1.291], atol=1e-3)


def test_the_covering_solution_stays_a_local_minimum():
    for a in (1.0, 2.0, 2.412, 3.0, 5.0):
        theta, _ = TwoModes([-a, a], [1, 1]).minimum(0.0, np.hypot(1, 0.85 * a))
        assert abs(theta[0]) < 1e-8


def test_the_global_minimum_switches_from_covering_to_one_mode():
    def advantage(a):
        target = TwoModes([-a, a], [1, 1])
        return target.minimum(0.0, 0.93 * a)[1] - target.minimum(a, 1.05)[1]

    switch = optimize.brentq(advantage, 2.6, 3.2)
    assert_allclose(switch, 2.800, atol=1e-3)
    (_, log_scale), value = TwoModes([-switch, switch], [1, 1]).minimum(0.0, 2.6)
    assert_allclose(value, 0.684, atol=5e-4)
    assert_allclose(np.exp(log_scale), 2.60, atol=5e-3)


def test_dropping_the_entropy_collapses_on_the_mode():
    # ∂/∂log σ of E[log p̃] alone is −4σ² < 0 for the Gaussian target: only the entropy's +1 holds σ up.
    rng = np.random.default_rng(0)
    theta0 = np.array([1.0, np.log(0.5)])
    noise = whitened_noise(Normal(), 1000, rng=rng)
    without = Normal().pullback(theta0, noise, grad_log_p(Normal().transform(theta0, noise))).mean(axis=0)
    assert_allclose(without, [0, -1], atol=1e-12)


# refusals

RNG = np.random.default_rng(0)
NORMAL = Normal()


def nan_at_three(x):
    return np.where(np.arange(len(x)) == 3, np.nan, -(x**2))


def half_line(x):
    return np.where(x > 0, -x, -np.inf)


def bound(family=NORMAL, theta=(0.0, 0.0), f=log_p, n=10, *, rng=RNG):
    return elbo(family, theta, f, n, rng=rng)


def weighted(k=2, n=10, *, family=NORMAL, f=log_p):
    return importance_weighted_bound(family, np.zeros(2), f, k, n, rng=RNG)


def fit(family=NORMAL, f=log_p, grad=grad_log_p, *, n=10, rng=RNG, **options):
    return fit_reverse_kl(family, f, grad, n=n, rng=rng, **options)


REFUSED = [
    (lambda: bound("normal"), TypeError, "family must be one of kl_lib.families.*got 'normal'"),
    (lambda: bound(theta=[0.0]), ValueError, r"theta must have shape \(2,\), got \(1,\)"),
    (lambda: bound(f=1.0), TypeError, "log_p must be a function of a batch of samples, got 1.0"),
    (lambda: bound(f=np.sum), ValueError, r"log_p must map a batch of shape \(10,\) to \(10,\), got \(\)"),
    (lambda: bound(f=nan_at_three), ValueError, r"log_p must be finite, got nan at index \(3,\), where x is"),
    (lambda: bound(f=lambda x: x + np.inf), ValueError, r"log_p must be finite, got inf at index \(0,\)"),
    (lambda: bound(n=1), ValueError, "n must be an integer >= 2, got 1"),
    (lambda: bound(n=10.0), TypeError, "n must be an integer >= 2, got 10.0"),
    (lambda: bound(rng=0), TypeError, "rng must be a numpy.random.Generator.*got 0"),
    (lambda: weighted(k=0), ValueError, "k must be an integer >= 1, got 0"),
    (lambda: weighted(n=1), ValueError, "n must be an integer >= 2, got 1"),
    (lambda: weighted(family=None), TypeError, "family must be one of kl_lib.families.*got None"),
    (lambda: weighted(f=nan_at_three), ValueError, r"log_p must be finite, got nan at index \(3,\)"),
    (lambda: fit(stats.norm()), TypeError, "family must be one of kl_lib.families"),
    (lambda: fit(theta0=[0.0]), ValueError, r"theta0 must have shape \(2,\), got \(1,\)"),
    (lambda: fit(NormalMixture(2)), ValueError, "theta0 must be given for a mixture"),
    (lambda: fit(n=1), ValueError, "n must be an integer >= 2, got 1"),
    (lambda: fit(DiagonalNormal(10)), ValueError, "n must exceed the dimension 10.*got 10"),
    (lambda: fit(rng=None), TypeError, "rng must be a numpy.random.Generator"),
    (lambda: fit(max_iter=0), ValueError, "max_iter must be an integer >= 1, got 0"),
    (lambda: fit(steps=2.5), TypeError, "steps must be an integer >= 1, got 2.5"),
    (lambda: fit(step_size=-0.1), ValueError, "step_size must be positive, got -0.1"),
    (lambda: fit(tol=0.0), ValueError, "tol must be positive, got 0.0"),
    (lambda: fit(tol=[1e-6, 1e-6]), ValueError, r"tol must have shape \(\), got \(2,\)"),
    (lambda: fit(method="adam"), ValueError, "method must be one of 'fixed-noise', 'stochastic', got 'adam'"),
    (lambda: fit(callback=3), TypeError, "callback must be a function of theta, got 3"),
    (lambda: fit(grad=None, method="fixed-noise"), ValueError, "needs grad_log_p.*use method='stochastic'"),
    (lambda: fit(Categorical(3), method="fixed-noise"), ValueError, r"got .* and Categorical\(k=3\)"),
    (lambda: fit(f=half_line), ValueError, "log_p at theta0 must be finite, got -inf at index"),
    (lambda: fit(f=half_line, method="stochastic"), ValueError, "log_p must be finite, got -inf at index"),
    (lambda: fit(f=half_line, grad=None), ValueError, "log_p must be finite, got -inf at index"),
    (lambda: fit(f=nan_at_three), ValueError, r"log_p at theta0 must be finite, got nan at index \(3,\)"),
    (lambda: fit(f=lambda x: x[:, None]), ValueError, r"log_p at theta0 must map.*to \(10,\), got \(10, 1\)"),
    (lambda: fit(grad=nan_at_three), ValueError, r"grad_log_p must be finite, got nan at index \(3,\)"),
    (lambda: fit(grad=lambda x: x[:, None]), ValueError, r"grad_log_p must map.*to \(5,\), got \(5, 1\)"),
    (
        lambda: fit(grad=np.cos, method="stochastic"),
        ValueError,
        "must be the gradient of log_p.*coordinate 0",
    ),
    (lambda: fit(grad=2.0), TypeError, "grad_log_p must be a function of a batch of samples, got 2.0"),
]


@pytest.mark.parametrize(("call", "error", "match"), REFUSED)
def test_refuses(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_steps_out_of_the_range_of_floats_are_named():
    with pytest.raises(ValueError, match=r"step 0 leads out of .* theta = .*smaller steps"):
        fit_reverse_kl(
            Normal(), log_p, grad_log_p, method="stochastic", step_size=1e6, rng=np.random.default_rng(0)
        )
    with pytest.raises(ValueError, match=r"leads out of the range.* log_p has a maximum"):
        fit_reverse_kl(
            Normal(), lambda x: x * x, lambda x: 2 * x, method="stochastic", rng=np.random.default_rng(0)
        )
