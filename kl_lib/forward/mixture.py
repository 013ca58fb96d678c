"""Normal mixtures: the climb of a weighted log-likelihood, and the EM algorithm."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from kl_lib.checks import as_count, as_finite, as_generator, as_tolerance
from kl_lib.families import NormalMixture
from kl_lib.forward.moments import location_and_scale, observations, varying_points
from kl_lib.optimization import maximize
from kl_lib.results import Estimate, Fit
from kl_lib.types import Array, Mask

# A scale this much below the distance to the second nearest value sees one value alone.
_COLLAPSED = 1e-2
# EM: standard deviations stay above this fraction of that of the group the component starts from.
_FLOOR = 1e-3
_STARTS = 4
_GROUPINGS = 10
_TRIAL = 2000
_TRIAL_STEPS = 15
_TRIAL_TOL = 1e-3
# Where EM has not arrived after so many iterations, BFGS takes over.
_STEPS = 20


class Expectation(NamedTuple):
    """The mean log-likelihood, and each component's share: mass (k,), mean and variance (k, d)."""

    value: float
    mass: Array
    means: Array
    variances: Array


def expectation(family: NormalMixture, theta: Array, points: Array, weights: Array) -> Expectation:
    """Return the E step of EM, one component at a time: as exact as (x − μ)/σ, as fast as products."""
    logits, means, log_scales = _parts(family, theta)
    joint = np.empty((family.k, len(points)))
    for j in range(family.k):
        z = (points - means[j]) / np.exp(log_scales[j])
        joint[j] = logits[j] - log_scales[j].sum() - 0.5 * np.einsum("nd,nd->n", z, z)
    top = joint.max(axis=0)
    shares = np.exp(joint - top)
    total = shares.sum(axis=0)
    constant = 0.5 * family.d * np.log(2 * np.pi) + np.log(np.exp(logits).sum())
    value = float(weights @ (np.log(total) + top)) - constant
    return _maximisation(points, shares * (weights / total), value, means)


def _maximisation(points: Array, shares: Array, value: float, means: Array) -> Expectation:
    """Return the moments of the points under the shares (k, n); what has no share stays where it is."""
    mass = shares.sum(axis=1)
    some = np.maximum(mass, np.finfo(float).tiny)[:, None]
    means = np.where(mass[:, None] > 0, shares @ points / some, means)
    squares = np.array([share @ (points - mean) ** 2 for share, mean in zip(shares, means, strict=True)])
    return Expectation(value, mass, means, squares / some)


def _gradient(family: NormalMixture, theta: Array, e: Expectation) -> Array:
    logits, means, log_scales = _parts(family, theta)
    weights = np.exp(logits - logits.max())
    z = (e.means - means) / np.exp(log_scales)
    by_mean = e.mass[:, None] * z / np.exp(log_scales)
    by_log_scale = e.mass[:, None] * (z**2 + e.variances / np.exp(2 * log_scales) - 1)
    return np.concatenate([e.mass - weights / weights.sum(), by_mean.ravel(), by_log_scale.ravel()])


def _parts(family: NormalMixture, theta: Array) -> tuple[Array, Array, Array]:
    means, log_scales = theta[family.k :].reshape(2, family.k, family.d)
    return theta[family.logits], means, log_scales


def _joined(logits: Array, means: Array, log_scales: Array) -> Array:
    return np.concatenate([logits - logits.mean(), means.ravel(), log_scales.ravel()])


def climb(
    family: NormalMixture,
    x: Array,
    weights: Array,
    theta0: Array | None,
    *,
    tol: float,
    max_iter: int,
    least_mass: float,
) -> Fit:
    """Maximise Σ wᵢ log pθ(xᵢ) by its exact gradient, in units of the data; the weights sum to 1.

    A component of a weight below `least_mass` is dead.
    """
    points = varying_points(x)
    if theta0 is not None:
        impossible = np.flatnonzero(np.isneginf(family.log_prob(theta0, x)))
        if len(impossible):
            first = impossible[0]
            raise ValueError(
                f"theta0 must give every x a density, got log density -inf at x[{first}] = {x[first]}"
            )
    location, scale = location_and_scale(points, weights)
    points = (points - location) / scale
    start = (
        _spread_start(family, points, weights)
        if theta0 is None
        else _moved(family, theta0, -location / scale, 1 / scale)
    )

    fit = _climb(family, start, points, weights, tol, max_iter)
    _refuse_collapse(family, fit.theta, points)
    return _restored(family, fit, location, scale, least_mass)


def _climb(
    family: NormalMixture, start: Array, points: Array, weights: Array, tol: float, max_iter: int
) -> Fit:
    def objective(theta: Array) -> tuple[float, Array]:
        e = expectation(family, theta, points, weights)
        return e.value, _gradient(family, theta, e)

    return maximize(family, objective, start, tol=tol, max_iter=max_iter)


def _moved(family: NormalMixture, theta: Array, location: Array, scale: Array) -> Array:
    """Return the θ of location + scale · x where x has θ."""
    logits, means, log_scales = _parts(family, theta)
    return _joined(logits, location + scale * means, log_scales + np.log(scale))


def _restored(family: NormalMixture, fit: Fit, location: Array, scale: Array, least_mass: float) -> Fit:
    """Return the fit in the unit of the data, with a word on a component that died."""
    theta = _moved(family, fit.theta, location, scale)
    weights = np.exp(theta[family.logits] - theta[family.logits].max())
    weights /= weights.sum()
    weakest = int(np.argmin(weights))
    if weights[weakest] < least_mass:
        message = f"component {weakest} is dead, of weight {weights[weakest]:.1e}: start from elsewhere"
        fit = replace(fit, converged=False, message=message)
    shift = np.log(scale).sum()
    objective = Estimate.exact(fit.objective.value - shift)
    return replace(fit, theta=theta, objective=objective, trace=fit.trace - shift)


def _refuse_collapse(family: NormalMixture, theta: Array, points: Array) -> None:
    _, means, log_scales = _parts(family, theta)
    for c in range(family.d):
        values = np.unique(points[:, c])
        distance = np.partition(np.abs(values - means[:, c, None]), 1, axis=1)
        collapsed = np.flatnonzero(np.exp(log_scales[:, c]) < _COLLAPSED * distance[:, 1])
        if len(collapsed):
            raise ArithmeticError(
                f"component {collapsed[0]} has collapsed onto an observation, where the likelihood has no "
                "bound; start from another theta0, or use em, whose variances have a floor"
            )


def _spread_start(family: NormalMixture, points: Array, weights: Array) -> Array:
    """Cut the standardised points into k groups of equal weight along their first principal component."""
    _refuse_few(points, family.k)
    axis = np.linalg.svd(np.sqrt(weights)[:, None] * points, full_matrices=False)[2][0]
    axis = axis * np.sign(axis[np.argmax(np.abs(axis))])
    order = np.argsort(points @ axis)
    rank = np.empty(len(points))
    rank[order] = np.cumsum(weights[order]) - 0.5 * weights[order]
    membership = np.floor(family.k * rank / weights.sum()) == np.arange(family.k)[:, None]
    shares = membership * weights
    means = shares @ points / shares.sum(axis=1, keepdims=True)
    # Unequal scales: from a symmetric start, symmetric points would lead to equal components.
    log_scales = np.tile(np.log(np.linspace(1 / family.k, 1, family.k)), (family.d, 1)).T
    return _joined(np.zeros(family.k), means, log_scales)


def _refuse_few(points: Array, k: int) -> None:
    distinct = len({point.tobytes() for point in points + 0.0})  # -0.0 becomes 0.0
    if distinct < k:
        raise ValueError(f"x must hold at least {k} distinct observations for {k} components, got {distinct}")


def em(k: int, x: ArrayLike, *, rng: np.random.Generator, tol: float = 1e-6, max_iter: int = 10_000) -> Fit:
    """Fit a `NormalMixture` of k components by expectation-maximisation.

    Starts from the best of 4 groupings by k-means, each seeded as in k-means++ (Arthur and Vassilvitskii
    2007). Its steps are lengthened by what two of them show, if the likelihood rises (Varadhan and Roland
    2008); after 20 of them BFGS takes over. No standard deviation falls below 1e-3 of that of the group its
    component started from, or of all groups where that is zero: there the likelihood would have no bound.
    The result is a local maximum, the same for the same rng. Dempster, Laird and Rubin (1977).

    Parameters
    ----------
    k
        How many components.
    x
        Observations, (n,) or (n, d).
    rng
        The source of randomness.
    tol
        The norm of the gradient at which to stop, by steps in standard deviations of a component and
        relative to the root of its weight: √n times it is a number of standard errors.
    max_iter
        The most iterations, of up to three steps each.

    Returns
    -------
    Fit
        `objective` is the mean log-likelihood with its standard error, `trace` that of each iteration. It has
        not converged where a variance is at its floor, or a component is responsible for less than one
        observation.

    Raises
    ------
    ValueError
        If x is not finite, has less than 2 observations or k distinct ones, or is constant in a coordinate.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import stats
    >>> from kl_lib import em
    >>> rng = np.random.default_rng(0)
    >>> x = np.concatenate([stats.norm(-3, 1).rvs(100, rng), stats.norm(4, 1).rvs(100, rng)])
    >>> fit = em(2, x, rng=rng)
    >>> np.sort(fit.theta[2:4]).round(), bool(np.all(np.diff(fit.trace) >= 0))
    (array([-3.,  4.]), True)
    """
    k, x, rng = as_count("k", k), as_finite("x", x), as_generator(rng)
    tol, max_iter = as_tolerance(tol), as_count("max_iter", max_iter)
    family = NormalMixture(k, d=x.shape[1] if x.ndim > 1 else 1)
    points = varying_points(observations(family, x))
    _refuse_few(points, k)
    location, scale = location_and_scale(points)
    points = (points - location) / scale
    start, floor = _best_start(family, points, rng)
    weights = np.full(len(points), 1 / len(points))
    fit = _ascend(family, start, points, weights, floor, tol, min(_STEPS, max_iter))
    if not fit.converged and max_iter > _STEPS and not np.any(_at_floor(family, fit.theta, floor)):
        end = _climb(family, fit.theta, points, weights, tol, max_iter - _STEPS)
        if not np.any(_at_floor(family, end.theta, floor)):
            fit = replace(end, trace=np.concatenate([fit.trace, end.trace[1:]]))
    stuck = np.flatnonzero(_at_floor(family, fit.theta, floor))
    if len(stuck):
        message = f"the variance of component {stuck[0]} is at its floor: the likelihood has no bound there"
        fit = replace(fit, converged=False, message=message)
    fit = _restored(family, fit, location, scale, 1 / len(points))
    return replace(fit, objective=Estimate.of(family.log_prob(fit.theta, x)))


def _at_floor(family: NormalMixture, theta: Array, floor: Array) -> Mask:
    """Whether each component has a variance at or below its floor, (k,)."""
    at_floor: Mask = np.any(_parts(family, theta)[2] <= floor, axis=1)
    return at_floor


def _ascend(
    family: NormalMixture,
    theta: Array,
    points: Array,
    weights: Array,
    floor: Array,
    tol: float,
    max_iter: int,
) -> Fit:
    """Climb by EM, its steps lengthened where two of them show a trend."""

    def step(e: Expectation) -> Array:
        tiny = np.finfo(float).tiny
        logits, log_scales = np.log(np.maximum(e.mass, tiny)), 0.5 * np.log(np.maximum(e.variances, tiny))
        return floored(_joined(logits, e.means, log_scales))

    def floored(theta: Array) -> Array:
        logits, means, log_scales = _parts(family, theta)
        return _joined(logits, means, np.maximum(log_scales, floor))

    e = expectation(family, theta, points, weights)
    trace, gains = [e.value], True
    while (norm := _norm(family, theta, e, floor)) > tol and gains and len(trace) <= max_iter:
        first = step(e)
        after = expectation(family, first, points, weights)
        velocity, bend = first - theta, step(after) - 2 * first + theta
        size = np.linalg.norm(velocity) / max(float(np.linalg.norm(bend)), np.finfo(float).tiny)
        longer = floored(theta + 2 * size * velocity + size**2 * bend)
        candidate = expectation(family, longer, points, weights)
        if not candidate.value > after.value:
            longer, candidate = first, after
        gains = bool(candidate.value > e.value)
        theta, e = (longer, candidate) if gains else (theta, e)
        trace += [e.value] * gains
    converged = norm <= tol or not gains
    message = (
        "the norm of the gradient is at most tol" if norm <= tol else "the log-likelihood gains nothing more"
    )
    if not converged:
        message = f"stopped after {max_iter} iterations"
    return Fit(family, theta, Estimate.exact(e.value), converged, message, norm, np.array(trace))


def _norm(family: NormalMixture, theta: Array, e: Expectation, floor: Array) -> float:
    """Return the norm of the gradient by steps of one standard error, where no floor forbids them."""
    logits, _, log_scales = _parts(family, theta)
    by_logit, by_mean, by_log_scale = _parts(family, _gradient(family, theta, e))
    by_log_scale = np.where((log_scales <= floor) & (by_log_scale < 0), 0, by_log_scale)
    slopes = np.column_stack([by_logit, by_mean * np.exp(log_scales), by_log_scale])
    shares = np.exp(logits - logits.max())
    return float(np.linalg.norm(slopes / np.sqrt(shares / shares.sum())[:, None]))


def _best_start(family: NormalMixture, points: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return θ of the grouping that a few steps of EM like best, and its floors; by some of many points."""
    some = points[:: max(1, len(points) // _TRIAL)]
    weights = np.full(len(some), 1 / len(some))
    trials = []
    for stream in (rng, *rng.spawn(_STARTS - 1)):
        start, floor = _grouping(family, some, _seeds(points, family.k, stream))
        fit = _ascend(family, start, some, weights, floor, _TRIAL_TOL, _TRIAL_STEPS)
        trials.append(
            (not np.any(_at_floor(family, fit.theta, floor)), fit.objective.value, fit.theta, floor)
        )
    return max(trials, key=lambda trial: trial[:2])[2:]


def _grouping(family: NormalMixture, points: Array, means: Array) -> tuple[Array, Array]:
    """Return θ of the groups that k-means finds from these means, and the floors (k, d) of its log scales."""
    for _ in range(_GROUPINGS):
        distance = np.array([((points - mean) ** 2).sum(axis=1) for mean in means])
        shares = (np.arange(family.k)[:, None] == distance.argmin(axis=0)) / len(points)
        groups = _maximisation(points, shares, 0.0, means)
        means = groups.means
    rounding = (8 * np.finfo(float).eps * np.abs(points).max(axis=0)) ** 2  # of the mean of equal values
    within = groups.mass @ groups.variances
    within = np.where(within > rounding, within, 1)
    log_scales = 0.5 * np.log(np.where(groups.variances > rounding, groups.variances, within))
    logits = np.log(np.maximum(groups.mass, 1 / len(points)))
    return _joined(logits, means, log_scales), log_scales + np.log(_FLOOR)


def _seeds(points: Array, k: int, rng: np.random.Generator) -> Array:
    """Draw k of the points, each with odds of its squared distance to the nearest one drawn before."""
    drawn = [int(rng.integers(len(points)))]
    nearest = np.full(len(points), np.inf)
    for _ in range(k - 1):
        nearest = np.minimum(nearest, ((points - points[drawn[-1]]) ** 2).sum(axis=1))
        drawn.append(int(rng.choice(len(points), p=nearest / nearest.sum())))
    return points[drawn]
