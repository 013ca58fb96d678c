"""Forward KL: maximum likelihood, projections and EM, against closed forms and quadrature."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from oracles.statistics import z_scores
from scipy import integrate, stats

from kl_lib import cross_entropy, em, fit_forward_kl, fit_mle, negative_log_likelihood
from kl_lib.families import Bernoulli, Categorical, DiagonalNormal, FullNormal, Normal, NormalMixture
from kl_lib.families.units import Units
from kl_lib.forward.expectation import WeightedPoints

TWO_MODES = stats.Mixture([stats.Normal(mu=1, sigma=1), stats.Normal(mu=10, sigma=1.5)], weights=[0.5, 0.5])


def expectation(p, g, points=None):
    """E[g(x)] under a univariate density, by adaptive quadrature; g may return an array."""
    lower, upper = (float(end) for end in p.support())
    ends = max(lower, -60.0), min(upper, 80.0)
    return integrate.quad_vec(lambda x: p.pdf(x) * g(x), *ends, points=points, epsabs=1e-11)[0]


# the likelihood


def test_negative_log_likelihood_is_the_mean_of_minus_log_prob(rng):
    x = rng.standard_normal(50)
    expected = -stats.norm.logpdf(x, 0.3, np.exp(0.2)).sum() / 50
    assert_allclose(negative_log_likelihood(Normal(), [0.3, 0.2], x), expected, rtol=1e-13)


def test_its_expectation_is_the_cross_entropy(rng):
    # p = Γ(2, 1), q = N(1, 4): −E[log q] = log 2 + ½ log 2π + E(x − 1)²/8; n = 200,000
    x = rng.gamma(2.0, size=200_000)
    cross_entropy = np.log(2) + 0.5 * np.log(2 * np.pi) + (2 + 1) / 8
    theta = [1.0, np.log(2)]
    assert abs(z_scores(-Normal().log_prob(theta, x), cross_entropy)) < 4.5
    assert_allclose(negative_log_likelihood(Normal(), theta, x), -Normal().log_prob(theta, x).mean())


# maximum likelihood

DATA = [
    (Normal(), lambda rng: 3 + 2 * rng.standard_normal(40)),
    (DiagonalNormal(2), lambda rng: [3, -1] + [2, 0.1] * rng.standard_normal((40, 2))),
    (FullNormal(3), lambda rng: rng.standard_normal((40, 3)) @ [[1, 0.5, 0], [0, 1, 2], [0, 0, 3.0]]),
    (Bernoulli(), lambda rng: rng.binomial(1, 0.3, 40)),
    (Categorical(3), lambda rng: rng.choice(3, 40, p=[0.2, 0.3, 0.5])),
    (NormalMixture(2), lambda rng: np.concatenate([rng.normal(-2, 1, 60), rng.normal(3, 0.5, 40)])),
    (
        NormalMixture(2, d=2),
        lambda rng: np.concatenate([rng.normal(-2, 1, (60, 2)), rng.normal(3, 0.5, (40, 2))]),
    ),
]
every_family = pytest.mark.parametrize(("family", "draw"), DATA, ids=[str(family) for family, _ in DATA])


@every_family
def test_the_maximum_is_one(family, draw, rng):
    x = draw(rng)
    fit = fit_mle(family, x)
    assert fit.converged
    assert fit.gradient_norm < 1e-8
    gradient = Units(family, fit.theta, by_weight=True).gradient(family.score(fit.theta, x).mean(axis=0))
    assert_allclose(np.linalg.norm(gradient), fit.gradient_norm, atol=1e-13)
    nearby = fit.theta + 0.01 * rng.standard_normal((20, family.size))
    assert all(negative_log_likelihood(family, theta, x) > -fit.objective.value for theta in nearby)


@every_family
def test_the_fit_reports_the_likelihood(family, draw, rng):
    x = draw(rng)
    fit = fit_mle(family, x)
    log_prob = family.log_prob(fit.theta, x)
    assert_allclose(fit.objective.value, log_prob.mean())
    assert_allclose(fit.objective.standard_error, log_prob.std(ddof=1) / np.sqrt(len(x)))
    assert fit.objective.n == len(x)
    assert_allclose(fit.trace[-1], fit.objective.value, rtol=1e-9)
    assert_allclose(fit.theta, family.centred(fit.theta), atol=1e-15)
    density = fit.distribution.logpdf if family.outcomes is None else fit.distribution.logpmf
    assert_allclose(density(x), log_prob, rtol=1e-10)


def test_closed_forms(rng):
    x = rng.standard_normal(30)
    assert_allclose(fit_mle(Normal(), x).distribution.args, stats.norm.fit(x))
    mean, covariance = stats.multivariate_normal.fit(
        points := rng.standard_normal((30, 3)) @ np.triu(np.ones((3, 3)))
    )
    full, diagonal = (
        fit_mle(FullNormal(3), points).distribution,
        fit_mle(DiagonalNormal(3), points).distribution,
    )
    assert_allclose(full.mean, mean)
    assert_allclose(full.cov, covariance)
    assert_allclose(diagonal.cov, np.diag(np.diag(covariance)))
    for outcomes in ([0, 1, 1, 1], [False, True, True, True], [0.0, 1.0, 1.0, 1.0]):
        assert_allclose(fit_mle(Bernoulli(), outcomes).distribution.mean(), 0.75)
    assert_allclose(fit_mle(Categorical(3), [0, 1, 1, 2]).distribution.pmf([0, 1, 2]), [0.25, 0.5, 0.25])


def test_a_start_chooses_among_the_maxima_of_a_mixture(rng):
    x = DATA[5][1](rng)
    found = fit_mle(NormalMixture(2), x)
    mirrored = fit_mle(NormalMixture(2), x, theta0=[0, 0, 3, -2, 0, 0])
    assert_allclose(mirrored.theta.reshape(3, 2)[:, ::-1].ravel(), found.theta, atol=1e-6)
    assert_allclose(fit_mle(Normal(), x, theta0=[5.0, 0.0]).theta, fit_mle(Normal(), x).theta)


def test_the_mixture_start_breaks_symmetry():
    # Student's t with 20 degrees of freedom is best served by two scales at one mean.
    fit = fit_forward_kl(NormalMixture(2), stats.t(20))
    assert fit.converged
    assert_allclose(fit.theta[2:4], 0, atol=1e-5)
    assert np.ptp(fit.theta[4:]) > 0.1


def test_a_collapsing_component_is_refused(rng):
    x = rng.standard_normal(30)
    with pytest.raises(ArithmeticError, match="component 0 has collapsed onto an observation"):
        fit_mle(NormalMixture(2), x, theta0=[0, 0, x[0], 0, -8, 0])


@pytest.mark.parametrize("p", [stats.gamma(2), stats.norm(1, 2)], ids=["misspecified", "well specified"])
def test_the_maximiser_scatters_by_the_sandwich(p, rng):
    # √n (θ̂ − θ*) → N(0, J⁻¹KJ⁻¹), K = E[s sᵀ], J = −E[∇s] = diag(1/σ², 2): White (1982); 500 fits, n = 4000.
    n, fits = 4000, 500
    theta = fit_forward_kl(Normal(), p).theta
    k = expectation(p, lambda x: np.outer(*2 * [Normal().score(theta, [x])[0]]))
    inverse = np.diag([np.exp(2 * theta[1]), 0.5])
    errors = np.array([fit_mle(Normal(), p.rvs(n, random_state=rng)).theta for _ in range(fits)]) - theta
    errors *= np.sqrt(n)
    assert np.all(np.abs(z_scores(errors, 0)) < 4.5)
    assert np.all(np.abs(z_scores(errors[:, :, None] * errors[:, None, :], inverse @ k @ inverse)) < 4.5)


# projections


def test_the_projection_of_two_modes_covers_both():
    fit = fit_forward_kl(Normal(), TWO_MODES)
    assert_allclose([fit.distribution.mean(), fit.distribution.std()], [5.5, 4.677072], atol=5e-7)
    divergence = expectation(
        TWO_MODES, lambda x: TWO_MODES.logpdf(x) - fit.distribution.logpdf(x), points=[-4, 1, 5, 10, 16]
    )
    assert_allclose(divergence, 0.647268, atol=5e-7)


@pytest.mark.parametrize("rho", [0.0, 0.6, -0.95])
def test_the_mean_field_projection_of_a_correlated_normal_keeps_the_marginals(rho):
    p = stats.multivariate_normal([1.0, 2.0], [[1, rho], [rho, 1]])
    fit = fit_forward_kl(DiagonalNormal(2), p)
    assert_allclose(fit.theta, [1, 2, 0, 0], atol=1e-14)
    # D(p‖q) = −H(p) − E_p[log q]
    assert_allclose(-p.entropy() - fit.objective.value, -0.5 * np.log(1 - rho**2), atol=1e-14)


@pytest.mark.parametrize(
    "p",
    [
        stats.gamma(2.5),
        stats.make_distribution(stats.gamma)(a=2.5),
        stats.uniform(-1, 3),
        TWO_MODES,
        stats.t(3),
    ],
)
def test_the_normal_projection_matches_two_moments(p):
    fit = fit_forward_kl(Normal(), p)
    variance = p.variance() if hasattr(p, "variance") else p.var()
    assert_allclose(
        [fit.distribution.mean(), fit.distribution.var()], [p.mean(), variance], rtol=1e-12, atol=1e-12
    )
    assert fit.converged
    assert fit.objective.standard_error == 0
    if variance < 3:
        assert_allclose(fit.objective.value, expectation(p, fit.distribution.logpdf), rtol=1e-6)


@given(mean=st.floats(-5, 5), scale=st.floats(0.1, 10), correlation=st.floats(-0.9, 0.9))
def test_a_member_of_the_family_is_its_own_projection(mean, scale, correlation):
    covariance = np.array([[scale, correlation], [correlation, 1 / scale]])
    p = stats.multivariate_normal([mean, -mean], covariance)
    fit = fit_forward_kl(FullNormal(2), p)
    assert_allclose(fit.distribution.cov, covariance, atol=1e-12)
    assert_allclose(fit.objective.value, -p.entropy(), atol=1e-12)
    assert_allclose(
        fit_forward_kl(Normal(), stats.norm(mean, scale)).theta, [mean, np.log(scale)], atol=1e-14
    )


def test_the_projection_of_a_multivariate_mixture():
    mixture = NormalMixture(2, d=2).at([0, 0, -1, 0, 1, 2, 0, 0, 0.5, 0])
    fit = fit_forward_kl(FullNormal(2), mixture)
    assert_allclose(fit.distribution.mean, [0, 1])
    assert_allclose(fit.distribution.cov, [[0.5 + np.e / 2 + 1, 1], [1, 2]])


def test_discrete_projections():
    p = stats.binom(3, 0.4)
    fit = fit_forward_kl(Categorical(4), p)
    assert_allclose(fit.distribution.pmf(np.arange(4)), p.pmf(np.arange(4)))
    assert_allclose(fit.objective.value, -p.entropy())
    assert_allclose(fit_forward_kl(Bernoulli(), stats.bernoulli(0.3)).distribution.mean(), 0.3)
    assert_allclose(fit_forward_kl(Bernoulli(), Categorical(2).at([0, 1])).theta, [1.0])


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize(
    "p", [stats.gamma(2), stats.norm(1, 2), TWO_MODES], ids=["gamma", "normal", "mixture"]
)
def test_the_mixture_projection_is_stationary(k, p):
    family = NormalMixture(k)
    fit = fit_forward_kl(family, p)
    points = [-4, 1, 5, 10, 16] if p is TWO_MODES else None
    score = expectation(p, lambda x: family.score(fit.theta, [x])[0], points)
    assert_allclose(score, 0, atol=1e-6)
    assert_allclose(
        fit.objective.value, expectation(p, lambda x: family.log_prob(fit.theta, [x])[0], points), atol=1e-9
    )
    single = fit_forward_kl(Normal(), p).objective.value
    assert fit.objective.value >= single - 1e-9


def test_a_mixture_is_its_own_projection():
    fit = fit_forward_kl(NormalMixture(2), TWO_MODES)
    assert fit.converged
    assert_allclose(fit.theta, NormalMixture(2).theta_of([0.5, 0.5], [1, 10], [1, 1.5]), atol=1e-6)


# EM


def test_em_climbs_to_the_maximum_likelihood(rng):
    for family, draw in DATA[5:]:
        x = draw(rng)
        fit, best = em(2, x, rng=rng), fit_mle(family, x)
        assert fit.converged
        assert np.all(np.diff(fit.trace) >= 0)
        assert fit.gradient_norm < 1e-5
        assert_allclose(fit.objective.value, best.objective.value, atol=1e-10)
        means = [f.theta[2 : 2 + 2 * family.d].reshape(2, -1) for f in (fit, best)]
        assert_allclose(*(m[np.argsort(m[:, 0])] for m in means), atol=1e-4)


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_em_never_lowers_the_likelihood(k, seed):
    x = np.random.default_rng(seed).standard_t(4, size=50)
    fit = em(k, x, rng=np.random.default_rng(seed))
    assert np.all(np.diff(fit.trace) > 0)
    assert_allclose(fit.trace[-1], fit.objective.value, atol=1e-12)


def test_em_of_one_component_is_the_closed_form(rng):
    x = rng.standard_normal((50, 2))
    assert_allclose(em(1, x, rng=rng).theta[1:], fit_mle(DiagonalNormal(2), x).theta, atol=1e-12)


def test_em_has_arrived_where_rounding_hides_what_it_gains(rng):
    fits = [em(1, 3 + 10 * rng.standard_normal(50), rng=rng, tol=1e-300) for _ in range(5)]
    assert all(fit.converged for fit in fits)
    assert "the log-likelihood gains nothing more" in {fit.message for fit in fits}


def test_em_is_deterministic_given_the_generator(rng):
    x = rng.standard_normal(50)
    first, second = (em(3, x, rng=np.random.default_rng(2)) for _ in range(2))
    assert_array_equal(first.theta, second.theta)


def test_em_keeps_variances_above_the_floor_and_says_so():
    # Twenty equal values: their group has no spread, so the floor is 1e-3 of that of all groups.
    x = np.concatenate([np.full(20, 5.0), spread := np.linspace(-1, 1, 30)])
    fit = em(2, x, rng=np.random.default_rng(0))
    assert_allclose(np.exp(2 * fit.theta[4:].min()), 1e-6 * 0.6 * spread.var())
    assert not fit.converged
    assert fit.message.startswith("the variance of component 1 falls to its floor")


@given(
    counts=st.lists(st.integers(1, 400), min_size=2, max_size=5),
    seed=st.integers(0, 2**32 - 1),
    exponent=st.integers(-9, 9),
    offset=st.sampled_from([0.0, 1.0, 1e3]),
)
@example(counts=[300, 200], seed=17, exponent=7, offset=0.0)
def test_em_finds_no_maximum_where_each_component_has_one_value(counts, seed, exponent, offset):
    rng = np.random.default_rng(seed)
    values = np.arange(len(counts)) + rng.uniform(0, 0.5, len(counts))
    x = offset + 10.0**exponent * np.repeat(values, counts)
    assume(np.unique(x).size == len(counts))
    fit = em(len(counts), x, rng=rng)
    assert not fit.converged
    assert "falls to its floor" in fit.message


@pytest.mark.parametrize("n", [6, 12, 20])
def test_em_names_the_floor_and_not_the_steps_or_the_weight_that_it_costs(n):
    for seed in range(20):
        fit = em(3, np.random.default_rng(seed).normal(size=n), rng=np.random.default_rng(seed))
        assert fit.converged or "falls to its floor" in fit.message


@pytest.mark.parametrize("d", [1, 2])
def test_em_puts_components_in_ascending_order_of_their_means(d, rng):
    family = NormalMixture(4, d=d)
    means = 4.0 * np.arange(8).reshape(4, 2)[:, :d]
    x = family.sample(family.theta_of([0.1, 0.4, 0.2, 0.3], means.reshape(4, *family.event_shape),
                                      np.ones((4, *family.event_shape))), 500, rng=rng)  # fmt: skip
    first, *others = (em(4, x, rng=np.random.default_rng(seed)) for seed in range(5))
    assert_allclose(first.theta[4 : 4 + 4 * d].reshape(4, d), means, atol=0.6)
    for fit in others:
        assert_allclose(fit.theta, first.theta, atol=1e-4)


@pytest.mark.parametrize("far", [1e3, 1e8, 1e12])
def test_an_outlier_does_not_widen_the_others(far, rng):
    x = np.append(3.58 * rng.standard_normal(200), far)
    fit = em(2, x, rng=rng)
    widest = np.exp(fit.theta[4:])[np.argmax(fit.theta[:2])]
    assert_allclose(widest, x[:-1].std(), rtol=1e-6)
    assert not fit.converged  # the outlier has a component of its own


@pytest.mark.slow
@pytest.mark.parametrize(
    ("k", "d", "n"), [(2, 1, 200), (3, 1, 2000), (4, 2, 1000), (5, 3, 5000), (4, 8, 20_000)]
)
def test_em_reaches_what_starts_at_the_truth_reach(k, d, n):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        family = NormalMixture(k, d=d)
        shape = (k, *family.event_shape)
        weights = np.arange(1, k + 1) / np.arange(1, k + 1).sum()
        truth = family.theta_of(weights, rng.normal(0, 4, shape), np.exp(rng.normal(0, 0.4, shape)))
        x = family.sample(truth, n, rng=rng)
        best = fit_mle(family, x, theta0=truth).objective.value
        fit = em(k, x, rng=rng)
        assert fit.converged
        assert fit.objective.value > best - 1e-3


@given(seed=st.integers(0, 200), scale=st.floats(-3, 3), spread=st.floats(0, 8))
def test_the_expectation_is_the_same_by_products_and_by_differences(seed, scale, spread):
    rng = np.random.default_rng(seed)
    family = NormalMixture(3, d=2)
    theta = np.concatenate([rng.normal(0, 1, 3), rng.normal(0, spread, 6), rng.normal(scale, 1, 6)])
    points = rng.normal(0, spread + 1, (20, 2))
    e = WeightedPoints(points).expectation(family, theta)
    weights = family.responsibilities(theta, points) / 20
    assert_allclose(e.value, family.log_prob(theta, points).mean(), rtol=1e-9, atol=1e-10)
    assert_allclose(e.mass, weights.sum(axis=0), rtol=1e-8, atol=1e-12)
    some = e.mass > 1e-9
    assert_allclose((e.mass[:, None] * e.means)[some], (weights.T @ points)[some], rtol=1e-8, atol=1e-10)
    squares = (weights[:, :, None] * (points[:, None] - e.means) ** 2).sum(axis=0)
    assert_allclose((e.mass[:, None] * e.variances)[some], squares[some], rtol=1e-6, atol=1e-13)


def test_em_says_when_it_was_stopped(rng):
    x = rng.standard_normal(100)
    fit = em(3, x, rng=rng, max_iter=3)
    assert not fit.converged
    assert fit.message == "stopped at max_iter, short of a maximum"
    assert len(fit.trace) == 4  # the start, and what each iteration reached
    assert em(3, x, rng=rng, tol=10.0).converged


def test_em_finds_the_truth_in_eight_dimensions(rng):
    family = NormalMixture(4, d=8)
    truth = family.theta_of(
        [0.1, 0.2, 0.3, 0.4], rng.normal(0, 2, (4, 8)), np.exp(rng.normal(0, 0.4, (4, 8)))
    )
    x = family.sample(truth, 3000, rng=rng)
    best = fit_mle(family, x, theta0=truth).objective.value
    for seed in range(5):
        fit = em(4, x, rng=np.random.default_rng(seed))
        assert fit.converged
        assert_allclose(fit.objective.value, best, atol=1e-9)


# what converged means

SCALES = st.sampled_from([1e-12, 1e-8, 1e-4, 1e-1, 10.0, 1e3, 1e8, 1e12])


def in_unit(family, theta, scale, offset):
    """θ of offset + scale · x where x has theta, and the unit of each coordinate of θ."""
    matrix, shift = np.ones(family.size), np.zeros(family.size)
    d = family.log_scales.stop - family.log_scales.start
    start = family.log_scales.start
    matrix[start - d : start], shift[start - d : start] = scale, offset
    matrix[start + d :] = scale
    shift[family.log_scales] = np.log(scale)
    return matrix * theta + shift, matrix


@pytest.mark.parametrize(
    ("family", "draw"), [DATA[i] for i in (0, 1, 2, 5, 6)], ids=[str(DATA[i][0]) for i in (0, 1, 2, 5, 6)]
)
@given(scale=SCALES, offset=st.floats(-1e3, 1e3), seed=st.integers(0, 20))
def test_a_change_of_unit_changes_nothing_but_the_unit(family, draw, scale, offset, seed):
    x = np.asarray(draw(np.random.default_rng(seed)))
    fits = [lambda x: fit_mle(family, x)]
    if isinstance(family, NormalMixture):
        fits.append(lambda x: em(family.k, x, rng=np.random.default_rng(seed)))
    for fit in fits:
        once, again = fit(x), fit(scale * (x + offset))
        assert (again.converged, again.message) == (once.converged, once.message)
        theta, unit = in_unit(family, once.theta, scale, scale * offset)
        assert_allclose((again.theta - theta) / unit, 0, atol=1e-5)
        dimension = np.prod(family.event_shape)
        assert_allclose(again.objective.value + dimension * np.log(scale), once.objective.value, rtol=1e-8)


@given(scale=SCALES, offset=st.floats(-1e3, 1e3), k=st.integers(1, 3))
def test_a_projection_keeps_its_shape_in_every_unit(scale, offset, k):
    once = fit_forward_kl(NormalMixture(k), stats.gamma(2))
    again = fit_forward_kl(NormalMixture(k), stats.gamma(2, offset * scale, scale))
    assert once.converged
    assert again.converged
    theta, unit = in_unit(NormalMixture(k), once.theta, scale, scale * offset)
    assert_allclose((again.theta - theta) / unit, 0, atol=1e-4)


def test_nearly_collinear_columns_keep_their_digits(rng):
    # log L₂₂ = log 1e-8 + ½ log of the mean square of what x leaves of the noise, by projection.
    x, noise = rng.standard_normal((2, 200))
    fit = fit_mle(FullNormal(2), np.column_stack([x, x + 1e-8 * noise]))
    x = x - x.mean()
    rest = noise - noise.mean()
    rest = rest - (x @ rest) / (x @ x) * x
    assert_allclose(fit.theta[3], np.log(1e-8) + 0.5 * np.log((rest**2).mean()), atol=1e-7)


def test_equal_components_are_shaken_apart(rng):
    # A saddle: two components that are one.
    x = DATA[5][1](rng)
    single = fit_mle(Normal(), x)
    mean, log_scale = single.theta
    fit = fit_mle(NormalMixture(2), x, theta0=[0, 0, mean, mean, log_scale, log_scale])
    assert fit.converged
    assert fit.objective.value > single.objective.value + 0.1
    assert_allclose(fit.objective.value, fit_mle(NormalMixture(2), x).objective.value, atol=1e-10)


def test_a_component_without_weight_is_named(rng):
    x = rng.standard_normal(200)
    fit = fit_mle(NormalMixture(2), x, theta0=[17.0, -17.0, 0.0, 100.0, 0.0, 0.0])
    assert not fit.converged
    assert fit.message.startswith("the weight of component 1, 1.7e-15, is below 5.0e-03")


@given(
    first=st.tuples(st.floats(-3, 3), st.floats(-1, 1)), second=st.tuples(st.floats(-9, 9), st.floats(0, 9))
)
def test_a_start_without_one_component_leads_to_the_others_and_names_it(first, second):
    x = np.random.default_rng(0).standard_normal(50)
    fit = fit_mle(NormalMixture(2), x, theta0=[3.0, -np.inf, first[0], second[0], first[1], second[1]])
    assert not fit.converged
    assert fit.message.startswith("the weight of component 1, 0.0e+00, is below 2.0e-02")
    assert_allclose(fit.theta[[0, 2, 4]], [0.0, *fit_mle(Normal(), x).theta], atol=1e-6)


def test_the_iterations_of_a_climb_can_be_limited(rng):
    fit = fit_mle(NormalMixture(2), DATA[5][1](rng), max_iter=2)
    assert not fit.converged
    assert fit.message == "stopped at max_iter, short of a maximum"


@pytest.mark.parametrize("size", [1e200, 1e307, 1e-200])
@pytest.mark.parametrize(
    "fit",
    [lambda x: fit_mle(Normal(), x), lambda x: fit_mle(NormalMixture(2), x), lambda x: em(2, x, rng=RNG)],
)
def test_data_outside_the_range_of_the_family_are_refused(fit, size):
    with pytest.raises(ValueError, match=r"x lies outside the range of the family.*got data of size"):
        fit(size * X)


@pytest.mark.parametrize("size", [1e200, 1e160, 1e-160, 1e-200])
@pytest.mark.parametrize("family", [Normal(), NormalMixture(2)], ids=str)
@pytest.mark.parametrize("build", [lambda s: stats.norm(0, s), lambda s: stats.Normal(mu=0, sigma=s)])
def test_a_distribution_outside_the_range_of_the_family_is_refused(family, build, size):
    with pytest.raises(ValueError, match=r"p lies outside the range of the family, .*: got "):
        fit_forward_kl(family, build(size))


def test_distributions_at_the_ends_of_the_range_are_projected():
    assert_allclose(fit_forward_kl(Normal(), stats.norm(0, 1e152)).theta, [0, np.log(1e152)])
    wide = stats.multivariate_normal(np.zeros(2), 1e303 * np.eye(2))
    assert_allclose(fit_forward_kl(DiagonalNormal(2), wide).theta[2:], 0.5 * np.log(1e303))
    covariance = stats.Covariance.from_diagonal([1, 1e306])
    for family in (DiagonalNormal(2), FullNormal(2)):
        with pytest.raises(ValueError, match=r"p lies outside the range .* got 1e\+153 in coordinate 1"):
            fit_forward_kl(family, stats.multivariate_normal(np.zeros(2), covariance))


@pytest.mark.parametrize("size", [1e150, 1e-150])
def test_data_at_the_ends_of_the_range_are_fitted(size):
    assert_allclose(fit_mle(Normal(), size * X).theta[1], np.log(size) + np.log(X.std()))
    assert_allclose(em(1, size * X, rng=RNG).theta[2], np.log(size) + np.log(X.std()))


# refusals

RNG = np.random.default_rng(0)
X = np.linspace(-1, 1, 9)
FLAT = np.column_stack([X, np.ones(9)])

REFUSED = [
    (
        lambda: negative_log_likelihood("normal", [0, 0], X),
        TypeError,
        "family must be one of kl_lib.families",
    ),
    (
        lambda: negative_log_likelihood(Normal(), [0, 0], []),
        ValueError,
        "x must hold at least one observation",
    ),
    (
        lambda: negative_log_likelihood(Normal(), [0], X),
        ValueError,
        r"theta must have shape \(2,\), got \(1,\)",
    ),
    (lambda: negative_log_likelihood(Normal(), [0, 0], [np.nan]), ValueError, r"x must be finite, got nan"),
    (lambda: fit_mle(stats.norm, X), TypeError, "family must be one of kl_lib.families"),
    (lambda: fit_mle(Normal(), []), ValueError, "x must hold at least 2 observations, got 0"),
    (lambda: fit_mle(Normal(), [1.0]), ValueError, "x must hold at least 2 observations, got 1"),
    (lambda: fit_mle(Normal(), [1.0, np.inf]), ValueError, r"x must be finite, got inf at index \(1,\)"),
    (lambda: fit_mle(Normal(), [0.1] * 10), ValueError, "x must not be constant, got 0.1 throughout$"),
    (lambda: fit_mle(Normal(), FLAT), ValueError, r"x must have shape \(n,\), got \(9, 2\)"),
    (lambda: fit_mle(DiagonalNormal(2), FLAT), ValueError, "got 1.0 throughout in coordinate 1"),
    (lambda: fit_mle(FullNormal(2), np.column_stack([X, 1e-9 * X])), ValueError, "span 1 of 2 dimensions"),
    (
        lambda: fit_mle(FullNormal(3), np.eye(3)),
        ValueError,
        "must not lie in a hyperplane: its 3 observations",
    ),
    (lambda: fit_mle(Bernoulli(), [1, 1, 1]), ValueError, "x must have every outcome, got none of 0"),
    (lambda: fit_mle(Bernoulli(), [0, np.nan, 1]), ValueError, r"from 0 to 1, got nan at index \(1,\)"),
    (lambda: fit_mle(FullNormal(2), FLAT), ValueError, "got 1.0 throughout in coordinate 1"),
    (lambda: fit_mle(NormalMixture(2, d=2), FLAT), ValueError, "got 1.0 throughout in coordinate 1"),
    (lambda: em(1, [1.0], rng=RNG), ValueError, "x must hold at least 2 observations, got 1"),
    (
        lambda: fit_forward_kl(
            DiagonalNormal(2),
            stats.multivariate_normal(np.zeros(2), np.diag([1.0, 0.0]), allow_singular=True),
        ),
        ValueError,
        r"the variances of p must be positive, got 0.0 at index \(1,\)",
    ),
    (lambda: fit_mle(Bernoulli(), [0.5, 1.0]), ValueError, "x must be integers from 0 to 1, got 0.5"),
    (lambda: fit_mle(Categorical(3), [0, 1, 0]), ValueError, "got none of 2: its logit would be -inf"),
    (lambda: fit_mle(Categorical(3), [0, 1, 3]), ValueError, r"x must be integers from 0 to 2, got 3"),
    (lambda: fit_mle(Normal(), X, theta0=[0.0]), ValueError, r"theta0 must have shape \(2,\)"),
    (lambda: fit_mle(NormalMixture(2), np.ones(5)), ValueError, "x must not be constant"),
    (lambda: fit_mle(NormalMixture(4), [1, 2, 2, 3]), ValueError, "at least 4 distinct observations.*got 3"),
    (
        lambda: fit_mle(NormalMixture(2), 1e4 * X, theta0=[0, 0, 5, 5, -350, -350]),
        ValueError,
        r"theta0 must give every x a density, got log density -inf at x\[0\] = -10000.0",
    ),
    (lambda: em(0, X, rng=RNG), ValueError, "k must be an integer >= 1, got 0"),
    (lambda: em(2.0, X, rng=RNG), TypeError, "k must be an integer >= 1, got 2.0"),
    (lambda: em(2, X, rng=1), TypeError, "rng must be a numpy.random.Generator"),
    (lambda: em(2, [], rng=RNG), ValueError, "x must hold at least 2 observations, got 0"),
    (lambda: em(2, [1.0, np.nan], rng=RNG), ValueError, "x must be finite, got nan"),
    (lambda: em(2, np.ones(9), rng=RNG), ValueError, "x must not be constant, got 1.0 throughout"),
    (lambda: em(2, FLAT, rng=RNG), ValueError, "throughout in coordinate 1"),
    (
        lambda: em(3, [1, 1, 2, 2], rng=RNG),
        ValueError,
        "at least 3 distinct observations for 3 components, got 2",
    ),
    (lambda: em(2, X[:, None], rng=RNG), ValueError, r"x must have shape \(n,\), got \(9, 1\)"),
    (lambda: fit_forward_kl(None, stats.norm()), TypeError, "family must be one of kl_lib.families"),
    (lambda: fit_forward_kl(Normal(), X), TypeError, "p must be a frozen scipy.stats distribution"),
    (
        lambda: fit_forward_kl(Normal(), stats.poisson(2)),
        TypeError,
        "p must be continuous.*which is discrete",
    ),
    (lambda: fit_forward_kl(Bernoulli(), stats.norm()), TypeError, "p must be discrete.*which is continuous"),
    (lambda: fit_forward_kl(FullNormal(2), stats.norm()), TypeError, "p must be multivariate"),
    (
        lambda: fit_forward_kl(Normal(), stats.norm([0, 1])),
        ValueError,
        r"one distribution, got.*shape \(2,\)",
    ),
    (lambda: fit_forward_kl(Normal(), stats.cauchy()), ValueError, "the mean of p must be finite, got nan"),
    (lambda: fit_forward_kl(Normal(), stats.t(2)), ValueError, "the covariance of p must be finite, got inf"),
    (
        lambda: fit_forward_kl(FullNormal(2), stats.multivariate_normal(np.zeros(3))),
        ValueError,
        r"the mean of p must have shape \(2,\), got \(3,\)",
    ),
    (
        lambda: fit_forward_kl(FullNormal(2), stats.multivariate_t(np.zeros(2))),
        NotImplementedError,
        r"draw samples of p and use fit_mle\(family, x\)",
    ),
    (
        lambda: fit_forward_kl(FullNormal(3), stats.dirichlet([1, 2, 3])),
        ValueError,
        "must not lie in a hyperplane: the coordinates of dirichlet have one sum",
    ),
    (
        lambda: fit_forward_kl(Categorical(3), stats.poisson(2)),
        ValueError,
        "all its mass on 0 to 2, got 0.67",
    ),
    (
        lambda: fit_forward_kl(Categorical(4), stats.binom(2, 0.5)),
        ValueError,
        "p must have every outcome.*none of 3",
    ),
    (
        lambda: fit_forward_kl(NormalMixture(2, d=2), stats.multivariate_normal(np.zeros(2))),
        NotImplementedError,
        r"use fit_mle\(family, x\) or em",
    ),
    (lambda: fit_forward_kl(NormalMixture(2), stats.f(1e6, 1e8)), ArithmeticError, "misses a fraction"),
]


@pytest.mark.parametrize(("call", "error", "match"), REFUSED)
def test_refuses(call, error, match):
    with pytest.raises(error, match=match):
        call()


# kernel densities and hyperplanes as targets


@given(seed=st.integers(0, 2**32 - 1), d=st.integers(1, 3), exponent=st.integers(-9, 9))
def test_the_moments_of_a_kernel_density_are_those_of_its_normals(seed, d, exponent):
    rng = np.random.default_rng(seed)
    points, weights = 10.0**exponent * rng.normal(size=(d, 9)), rng.dirichlet(np.ones(9))
    p = stats.gaussian_kde(points, weights=weights)
    fit = fit_forward_kl(Normal() if d == 1 else FullNormal(d), p)
    second = np.einsum("n,in,jn->ij", weights, points, points) + p.covariance
    mean = np.average(points, axis=1, weights=weights)
    assert_allclose(fit.theta[:d], mean, rtol=1e-12, atol=1e-12 * 10.0**exponent)
    covariance = fit.distribution.cov if d > 1 else fit.distribution.var()
    assert_allclose(covariance, second - np.outer(mean, mean), rtol=1e-9, atol=1e-12 * 100.0**exponent)


# Poles, heavy tails, jumps, holes, kernels, narrow components, moved far off.
ROUGH = [
    stats.beta(0.5, 0.5),
    stats.gamma(0.1),
    stats.t(2.1, loc=1e3),
    stats.loguniform(1e-5, 1e5),
    stats.rv_histogram((np.array([1, 0, 0, 3.0]), np.array([0, 1, 2, 3, 4.0]))),
    stats.gaussian_kde([0.0, 1.0, 2.0, 5.0]),
    stats.Mixture([stats.Normal(sigma=1), stats.Normal(sigma=1e-6)], weights=[0.5, 0.5]),
    stats.truncnorm(40, 41),
]


@pytest.mark.parametrize("p", ROUGH, ids=range(len(ROUGH)))
@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_objective_of_a_projection_is_the_cross_entropy(p, k):
    fit = fit_forward_kl(NormalMixture(k), p)
    assert fit.converged
    assert_allclose(fit.objective.value, -cross_entropy(p, fit.distribution), rtol=1e-8, atol=1e-8)


def test_a_projection_on_one_component_matches_the_moments():
    for p in ROUGH:
        theta = fit_forward_kl(NormalMixture(1), p).theta[1:]
        assert_allclose(theta, fit_forward_kl(Normal(), p).theta, rtol=1e-7, atol=1e-7)


def test_a_quadrature_that_does_not_settle_has_not_converged(monkeypatch):
    monkeypatch.setattr("kl_lib.forward.fitting._RULES", 1)
    fit = fit_forward_kl(NormalMixture(2), stats.norm())
    assert not fit.converged
    assert "does not settle" in fit.message


@given(width=st.floats(-7, 0).map(lambda power: 10**power), start=st.floats(0, 8))
@example(width=1e-6, start=5.0)
def test_moments_that_scipy_rounds_away_are_integrated(width, start):
    # SciPy's variance of this one is 1.7e5 times too large: to the first order in the width it is width²/12.
    theta = fit_forward_kl(Normal(), stats.truncnorm(start, start + width)).theta
    s = np.linspace(0, 1, 2001)
    density = np.exp(-start * width * s - 0.5 * (width * s) ** 2)
    mass = integrate.simpson(density, x=s)
    mean = integrate.simpson(s * density, x=s) / mass
    variance = integrate.simpson((s - mean) ** 2 * density, x=s) / mass
    # The floats of the support have these digits.
    rounding = 1e-8 + 1e-14 / width
    assert_allclose(theta[0], start + width * mean, atol=rounding * width)
    assert_allclose(theta[1], 0.5 * np.log(variance) + np.log(width), atol=rounding)


@pytest.mark.parametrize("p", [stats.rice(1e4), stats.truncexpon(1e-6), stats.gompertz(1e6)])
def test_wrong_and_missing_variances_are_replaced(p):
    # Close to N(1e4, 1), to a uniform distribution on [0, 1e-6] and to an exponential one of scale 1e-6.
    right = {"rice": 0.0, "truncexpon": np.log(1e-6 / np.sqrt(12)), "gompertz": np.log(1e-6)}
    assert_allclose(fit_forward_kl(Normal(), p).theta[1], right[p.dist.name], atol=3e-6)


@given(alpha=st.lists(st.floats(0.1, 100), min_size=2, max_size=5))
@example(alpha=[15.0, 0.25])
def test_a_distribution_in_a_hyperplane_has_no_full_normal(alpha):
    counts = np.ceil(alpha).astype(int) + 1
    for p in (
        stats.dirichlet(alpha),
        stats.dirichlet_multinomial(alpha, 5),
        stats.multinomial(5, np.array(alpha) / np.sum(alpha)),
        stats.multivariate_hypergeom(counts, 2),
    ):
        with pytest.raises(ValueError, match="hyperplane"):
            fit_forward_kl(FullNormal(len(alpha)), p)


@given(factor=hnp.arrays(float, 3, elements=st.floats(0.1, 10)), scale=st.floats(1e-6, 1e6))
def test_nor_has_a_singular_normal(factor, scale):
    covariance = np.outer(scale * factor, scale * factor)
    with pytest.raises(ValueError, match=r"hyperplane|positive definite"):
        fit_forward_kl(FullNormal(3), stats.multivariate_normal(np.zeros(3), covariance, allow_singular=True))
