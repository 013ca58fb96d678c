"""Normal mixtures: the climb of a weighted log-likelihood, and the EM algorithm."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from kl_lib.checks import as_count, as_finite, as_generator
from kl_lib.families import NormalMixture
from kl_lib.forward.moments import observations, varying_points
from kl_lib.optimization import maximize
from kl_lib.results import Estimate, Fit
from kl_lib.types import Array

# A component this much narrower than the data has collapsed onto one observation.
_COLLAPSED = 1e-6
_GRADIENT_NORM = 1e-8
# EM: variances stay above this fraction of the data's; gains below this end the climb.
_VARIANCE_FLOOR = 1e-6
_LEAST_GAIN = 1e-12
_ITERATIONS = 10_000


def climb(family: NormalMixture, x: Array, weights: Array, theta0: Array | None) -> Fit:
    """Maximise Σ wᵢ log pθ(xᵢ) by its exact gradient; the weights sum to 1."""
    points = x.reshape(len(x), family.d)
    theta0 = _spread_start(family, points, weights) if theta0 is None else theta0
    impossible = np.flatnonzero(np.isneginf(family.log_prob(theta0, x)))
    if len(impossible):
        first = impossible[0]
        raise ValueError(
            f"theta0 must give every x a density, got log density -inf at x[{first}] = {x[first]}"
        )

    def objective(theta: Array) -> tuple[float, Array]:
        return float(weights @ family.log_prob(theta, x)), weights @ family.score(theta, x)

    fit = maximize(family, objective, theta0, tol=_GRADIENT_NORM, max_iter=2000)
    scales = np.exp(fit.theta[family.log_scales]).reshape(family.k, family.d)
    if np.any(scales < _COLLAPSED * _standard_deviation(points, weights)):
        raise ArithmeticError(
            "a component has collapsed onto an observation, where the likelihood has no bound; start from "
            "another theta0, or use em, whose variances have a floor"
        )
    return fit


def _standard_deviation(points: Array, weights: Array) -> Array:
    return np.sqrt(weights @ (points - weights @ points) ** 2)


def _spread_start(family: NormalMixture, points: Array, weights: Array) -> Array:
    """Cut the points into k groups of equal weight along their first principal component."""
    _refuse_few(points, family.k)
    deviations = points - weights @ points
    axis = np.linalg.eigh((weights * deviations.T) @ deviations)[1][:, -1]
    axis = axis * np.sign(axis[np.argmax(np.abs(axis))])
    order = np.argsort(deviations @ axis)
    rank = np.empty(len(points))
    rank[order] = np.cumsum(weights[order]) - 0.5 * weights[order]
    membership = np.floor(family.k * rank / weights.sum()) == np.arange(family.k)[:, None]
    shares = membership * weights
    means = shares @ points / shares.sum(axis=1, keepdims=True)
    # Unequal scales: from a symmetric start, symmetric points would lead to equal components.
    scales = np.linspace(1 / family.k, 1, family.k)[:, None] * _standard_deviation(points, weights)
    return np.concatenate([np.zeros(family.k), means.ravel(), np.log(scales).ravel()])


def _refuse_few(points: Array, k: int) -> None:
    distinct = len(np.unique(points, axis=0))
    if distinct < k:
        raise ValueError(f"x must hold at least {k} distinct observations for {k} components, got {distinct}")


def em(k: int, x: ArrayLike, *, rng: np.random.Generator) -> Fit:
    """Fit a `NormalMixture` of k components by expectation-maximisation.

    Starts from centres drawn as in k-means++ (Arthur and Vassilvitskii 2007), equal weights and the standard
    deviations of x; stops when an iteration gains less than 1e-12 of mean log-likelihood, which no iteration
    lowers, or after 10,000. No variance falls below 1e-6 of that of x in its coordinate, where the
    likelihood would have no bound. The result is a local maximum, the same for the same rng. Dempster, Laird
    and Rubin (1977).

    Parameters
    ----------
    k
        How many components.
    x
        Observations, (n,) or (n, d).
    rng
        The source of randomness.

    Returns
    -------
    Fit
        `objective` is the mean log-likelihood with its standard error, `trace` that of each iteration.

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
    family = NormalMixture(k, d=x.shape[1] if x.ndim > 1 else 1)
    points = varying_points(observations(family, x))
    _refuse_few(points, k)
    variances = np.tile(points.var(axis=0), (k, 1))
    floor = _VARIANCE_FLOOR * variances
    theta = _theta(family, np.full(k, 1 / k), _seeds(points, k, rng), variances)
    trace, converged = [float(family.log_prob(theta, x).mean())], False
    while not converged and len(trace) <= _ITERATIONS:
        weights, means, variances = _maximisation(points, family.responsibilities(theta, x))
        candidate = _theta(family, weights, means, np.maximum(variances, floor))
        value = float(family.log_prob(candidate, x).mean())
        if value - trace[-1] <= _LEAST_GAIN:
            converged = True
        else:
            theta = candidate
            trace.append(value)
    message = (
        "the log-likelihood gains nothing more" if converged else f"stopped after {_ITERATIONS} iterations"
    )
    if np.any(variances < floor):
        message += "; a variance is at its floor"
    gradient_norm = float(np.linalg.norm(family.score(theta, x).mean(axis=0)))
    objective = Estimate.of(family.log_prob(theta, x))
    return Fit(theta, family.at(theta), objective, converged, message, gradient_norm, np.array(trace))


def _theta(family: NormalMixture, weights: Array, means: Array, variances: Array) -> Array:
    shape = (family.k, *family.event_shape)
    return family.theta_of(weights, means.reshape(shape), np.sqrt(variances).reshape(shape))


def _seeds(points: Array, k: int, rng: np.random.Generator) -> Array:
    """Draw k of the points, each with odds of its squared distance to the nearest one drawn before."""
    scaled = points / points.std(axis=0)
    drawn = [int(rng.integers(len(points)))]
    for _ in range(k - 1):
        distance = np.min([((scaled - scaled[i]) ** 2).sum(axis=1) for i in drawn], axis=0)
        drawn.append(int(rng.choice(len(points), p=distance / distance.sum())))
    return points[drawn]


def _maximisation(points: Array, responsibilities: Array) -> tuple[Array, Array, Array]:
    """Return the weights (k,), means and variances, both (k, d), that the responsibilities (n, k) ask for."""
    mass = responsibilities.sum(axis=0)
    means = responsibilities.T @ points / mass[:, None]
    squares = (points[:, None, :] - means) ** 2
    variances = np.einsum("nk,nkd->kd", responsibilities, squares) / mass[:, None]
    return mass / len(points), means, variances
