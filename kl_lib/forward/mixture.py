"""Normal mixtures: the climb of a weighted log-likelihood, and the EM algorithm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from kl_lib.checks import as_count, as_finite, as_generator, as_tolerance
from kl_lib.families import NormalMixture
from kl_lib.families.units import Units
from kl_lib.forward.expectation import Expectation, WeightedPoints, joined, parts
from kl_lib.forward.moments import location_and_scale, observations, varying_points
from kl_lib.optimization import STOPPED, maximize
from kl_lib.results import Estimate, Fit
from kl_lib.types import Array, Mask

# A scale this much below the distance to the second nearest value sees one value alone.
_COLLAPSED = 1e-2
# EM: standard deviations stay above this fraction of that of the group the component starts from.
_FLOOR = 1e-3
# Starts are compared on so many points at most, after so many rounds of k-means and steps of EM.
_STARTS = 8
_TRIAL = 1000
_GROUPINGS = 6
_TRIAL_STEPS = 10
# Where EM has not arrived after so many iterations, BFGS takes over.
_STEPS = 4


def _gradient(family: NormalMixture, theta: Array, e: Expectation) -> Array:
    logits, means, log_scales = parts(family, theta)
    weights = np.exp(logits - logits.max())
    z = (e.means - means) / np.exp(log_scales)
    by_mean = e.mass[:, None] * z / np.exp(log_scales)
    by_log_scale = e.mass[:, None] * (z**2 + e.variances / np.exp(2 * log_scales) - 1)
    return np.concatenate([e.mass - weights / weights.sum(), by_mean.ravel(), by_log_scale.ravel()])


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

    With a component of a weight below `least_mass` it has not converged.
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

    fit = _climb(family, start, WeightedPoints(points, weights), tol, max_iter)
    _refuse_collapse(family, fit.theta, points)
    return _restored(family, fit, location, scale, least_mass)


def _climb(family: NormalMixture, start: Array, data: WeightedPoints, tol: float, max_iter: int) -> Fit:
    def objective(theta: Array) -> tuple[float, Array]:
        e = data.expectation(family, theta)
        return e.value, _gradient(family, theta, e)

    return maximize(family, objective, start, tol=tol, max_iter=max_iter)


def _moved(family: NormalMixture, theta: Array, location: Array, scale: Array) -> Array:
    """Return the θ of location + scale · x where x has θ."""
    logits, means, log_scales = parts(family, theta)
    return joined(logits, location + scale * means, log_scales + np.log(scale))


def _restored(family: NormalMixture, fit: Fit, location: Array, scale: Array, least_mass: float) -> Fit:
    """Return the fit in the unit of the data, with a word on a component that has lost its weight."""
    theta = _moved(family, fit.theta, location, scale)
    weights = special.softmax(theta[family.logits])
    weakest = int(np.argmin(weights))
    if weights[weakest] < least_mass:
        message = (
            f"the weight of component {weakest}, {weights[weakest]:.1e}, is below {least_mass:.1e}: "
            "start from elsewhere, or take fewer components"
        )
        fit = replace(fit, converged=False, message=message)
    shift = np.log(scale).sum()
    objective = Estimate.exact(fit.objective.value - shift)
    return replace(fit, theta=theta, objective=objective, trace=fit.trace - shift)


def _refuse_collapse(family: NormalMixture, theta: Array, points: Array) -> None:
    _, means, log_scales = parts(family, theta)
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
    return joined(np.zeros(family.k), means, log_scales)


def _refuse_few(points: Array, k: int) -> None:
    distinct = len({point.tobytes() for point in points + 0.0})  # -0.0 becomes 0.0
    if distinct < k:
        raise ValueError(f"x must hold at least {k} distinct observations for {k} components, got {distinct}")


def em(k: int, x: ArrayLike, *, rng: np.random.Generator, tol: float = 1e-6, max_iter: int = 10_000) -> Fit:
    """Fit a `NormalMixture` of k components by expectation-maximisation.

    Starts from the best of 8 groupings by k-means, each seeded as in k-means++ (Arthur and Vassilvitskii
    2007), compared after 10 steps of EM on 1,000 to 2,000 of the observations. After 4 steps on all of them
    BFGS takes over. No standard deviation falls below 1e-3 of that of the group its component started from,
    or of all groups where that is zero: there the likelihood would have no bound.
    The result is a local maximum, the same for the same rng, its components in ascending order of their
    means, by the first coordinate that differs. Dempster, Laird and Rubin (1977).

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
        The most iterations.

    Returns
    -------
    Fit
        `objective` is the mean log-likelihood with its standard error, `trace` that of each iteration. It has
        not converged where a variance falls to its floor, or a component is responsible for less than one
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
    >>> fit.theta[2:4].round(), bool(np.all(np.diff(fit.trace) >= 0))
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
    fit, fallen = _climb_above(family, start, WeightedPoints(points), floor, tol, max_iter)
    order = np.lexsort(parts(family, fit.theta)[1].T[::-1])
    fit = replace(fit, theta=joined(*(part[order] for part in parts(family, fit.theta))))
    fit = _restored(family, fit, location, scale, 1 / len(points))
    if np.any(fallen):
        first = np.flatnonzero(fallen[order])[0]
        message = f"the variance of component {first} falls to its floor: the likelihood has no bound there"
        fit = replace(fit, converged=False, message=message)
    return replace(fit, objective=Estimate.of(family.log_prob(fit.theta, x)))


def _climb_above(
    family: NormalMixture, start: Array, data: WeightedPoints, floor: Array, tol: float, max_iter: int
) -> tuple[Fit, Mask]:
    """Climb by EM and BFGS; return the fit, that of EM where BFGS falls to a floor, and what has fallen."""
    fit = _ascend(family, start, data, floor, tol, min(_STEPS, max_iter))
    fallen = _at_floor(family, fit.theta, floor)
    if fit.converged or max_iter <= _STEPS or np.any(fallen):
        return fit, fallen
    end = _climb(family, fit.theta, data, tol, max_iter - _STEPS)
    fallen = _at_floor(family, end.theta, floor)
    if np.any(fallen):
        return fit, fallen
    return replace(end, trace=np.concatenate([fit.trace, end.trace[1:]])), fallen


def _at_floor(family: NormalMixture, theta: Array, floor: Array) -> Mask:
    """Whether each component has a variance at or below its floor, (..., k)."""
    at_floor: Mask = np.any(parts(family, theta)[2] <= floor, axis=-1)
    return at_floor


def _ascend(
    family: NormalMixture, theta: Array, data: WeightedPoints, floor: Array, tol: float, max_iter: int
) -> Fit:
    """Climb by EM."""
    e = data.expectation(family, theta)
    trace, gains = [e.value], True
    while (norm := _norm(family, theta, e, floor)) > tol and gains and len(trace) <= max_iter:
        following = _maximised(e, floor)
        after = data.expectation(family, following)
        gains = bool(after.value > e.value)
        if gains:
            theta, e = following, after
            trace.append(e.value)
    converged = norm <= tol or not gains
    message = (
        "the norm of the gradient is at most tol" if norm <= tol else "the log-likelihood gains nothing more"
    )
    if not converged:
        message = STOPPED
    return Fit(family, theta, Estimate.exact(e.value), converged, message, norm, np.array(trace))


def _maximised(e: Expectation, floor: Array) -> Array:
    """Return θ of the M step."""
    tiny = np.finfo(float).tiny
    log_scales = np.maximum(0.5 * np.log(np.maximum(e.variances, tiny)), floor)
    return joined(np.log(np.maximum(e.mass, tiny)), e.means, log_scales)


def _norm(family: NormalMixture, theta: Array, e: Expectation, floor: Array) -> float:
    """Return the norm of the gradient by steps of one standard error, where no floor forbids them."""
    gradient = _gradient(family, theta, e)
    _, _, log_scales = parts(family, theta)
    _, _, by_log_scale = parts(family, gradient)
    by_log_scale[(log_scales <= floor) & (by_log_scale < 0)] = 0  # parts of it, and not copies
    return float(np.linalg.norm(Units(family, theta, by_weight=True).gradient(gradient)))


def _best_start(family: NormalMixture, points: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return θ of the grouping that a few steps of EM like best, and its floors; by some of many points."""
    some = WeightedPoints(points[:: max(1, len(points) // _TRIAL)])
    seeds = np.array([_seeds(some.points, family.k, stream) for stream in (rng, *rng.spawn(_STARTS - 1))])
    theta, floor = _groupings(family, some, seeds)
    for _ in range(_TRIAL_STEPS):
        e = some.expectation(family, theta)
        theta = _maximised(e, floor)
    stuck = np.any(_at_floor(family, theta, floor), axis=-1)
    best = np.lexsort((e.value, ~stuck))[-1]
    return theta[best], floor[best]


def _groupings(family: NormalMixture, data: WeightedPoints, means: Array) -> tuple[Array, Array]:
    """Return θ of the groups that k-means finds from each of the means, and the floors of its log scales."""
    components = np.arange(family.k)[:, None]
    for _ in range(_GROUPINGS):
        distance = (means**2).sum(axis=-1)[..., None] - 2 * means @ data.points.T
        shares = (components == distance.argmin(axis=-2)[..., None, :]) * data.weights
        mass, means, variances = data.moments(shares, means)
    # Of the mean of equal values, a sum of as many terms.
    rounding = (len(data.points) * np.finfo(float).eps * np.abs(data.points).max(axis=0)) ** 2
    within = (mass[..., None] * variances).sum(axis=-2, keepdims=True)
    within = np.where(within > rounding, within, 1)
    log_scales = 0.5 * np.log(np.where(variances > rounding, variances, within))
    logits = np.log(np.maximum(mass, 1 / len(data.points)))
    return joined(logits, means, log_scales), log_scales + np.log(_FLOOR)


def _seeds(points: Array, k: int, rng: np.random.Generator) -> Array:
    """Draw k of the points, each with odds of its squared distance to the nearest one drawn before."""
    drawn = [int(rng.integers(len(points)))]
    nearest = np.full(len(points), np.inf)
    for _ in range(k - 1):
        nearest = np.minimum(nearest, ((points - points[drawn[-1]]) ** 2).sum(axis=1))
        reached = nearest.cumsum()
        drawn.append(int(np.searchsorted(reached, rng.random() * reached[-1], side="right")))
    return points[drawn]
