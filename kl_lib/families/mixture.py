"""Mixtures of normals with diagonal covariance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from kl_lib.checks import as_count, as_generator, as_positive, as_shape, as_weights
from kl_lib.families.base import Family, refuse_overflow
from kl_lib.numerics import log_softmax
from kl_lib.types import Array


@final
@dataclass(frozen=True)
class NormalMixture(Family):
    """Mixtures of k normals, diagonal for d > 1: θ = (logits, means, log σ's), component by component.

    The logits are (k,), the means and the log σ's (k, d) row by row. `at` gives a `scipy.stats.Mixture`
    for d = 1, else a `DiagonalNormalMixture`.

    Examples
    --------
    >>> from kl_lib.families import NormalMixture
    >>> family = NormalMixture(2)
    >>> family.size, family.log_prob([0.0, 0.0, -1.0, 1.0, 0.0, 0.0], [0.0]).round(6)
    (6, array([-1.418939]))
    """

    k: int
    d: int = 1

    def __post_init__(self) -> None:
        as_count("k", self.k)
        as_count("d", self.d)

    @property
    def size(self) -> int:
        """A logit, d means and d log standard deviations for each component."""
        return self.k * (1 + 2 * self.d)

    @property
    def event_shape(self) -> tuple[int, ...]:
        """One number, or d."""
        return () if self.d == 1 else (self.d,)

    @property
    def outcomes(self) -> None:
        """None: continuous."""
        return

    @property
    def logits(self) -> slice:
        """The logits of the weights come first."""
        return slice(0, self.k)

    @property
    def log_scales(self) -> slice:
        """The log standard deviations come last."""
        return slice(self.k * (1 + self.d), self.size)

    def theta_of(self, weights: ArrayLike, means: ArrayLike, scales: ArrayLike) -> Array:
        """Return θ of weights, means and standard deviations.

        Parameters
        ----------
        weights
            Positive, (k,).
        means
            (k,), or (k, d) for d > 1.
        scales
            Standard deviations, of the shape of the means.

        Returns
        -------
        ndarray
            (size,).

        Examples
        --------
        >>> from kl_lib.families import NormalMixture
        >>> NormalMixture(2).theta_of([0.5, 0.5], [-3.0, 4.0], [1.0, 1.0])
        array([ 0.,  0., -3.,  4.,  0.,  0.])
        """
        weights = as_shape("weights", as_weights("weights", weights), (self.k,))
        means = as_shape("means", means, (self.k, *self.event_shape))
        scales = as_shape("scales", as_positive("scales", scales), (self.k, *self.event_shape))
        return self.centred(np.concatenate([np.log(weights), means.ravel(), np.log(scales).ravel()]))

    def responsibilities(self, theta: ArrayLike, x: ArrayLike) -> Array:
        """Return the probability of each component given each observation.

        Parameters
        ----------
        theta
            Parameters θ, (size,).
        x
            Observations, (n,) or (n, d).

        Returns
        -------
        ndarray
            (n, k).

        Examples
        --------
        >>> from kl_lib.families import NormalMixture
        >>> NormalMixture(2).responsibilities([0.0, 0.0, -1.0, 1.0, 0.0, 0.0], [0.0])
        array([[0.5, 0.5]])
        """
        theta, x = self.as_theta(theta), self.as_x(x)
        with np.errstate(over="ignore", invalid="ignore"):
            weights = special.softmax(self._joint(theta, x), axis=0).T
        return refuse_overflow("responsibilities", weights, np.isnan(weights))

    def grad_x(self, theta: ArrayLike, x: ArrayLike) -> Array:
        """Return ∇x log pθ(x): the slopes of the components' log densities, weighed by responsibility.

        Parameters
        ----------
        theta
            Parameters θ, (size,).
        x
            Where, (n,) or (n, d).

        Returns
        -------
        ndarray
            Of the shape of x.

        Examples
        --------
        >>> from kl_lib.families import NormalMixture
        >>> NormalMixture(2).grad_x([0.0, 0.0, -2.0, 2.0, 0.0, 0.0], [0.0, 2.0]).round(3)
        array([ 0.   , -0.001])
        """
        theta, x = self.as_theta(theta), self.as_x(x)
        with np.errstate(over="ignore", invalid="ignore"):
            weights = special.softmax(self._joint(theta, x), axis=0)[:, None, :]
            slopes = -self._standardised(theta, x) / np.exp(self._parts(theta)[2])[:, :, None]
            values = np.where(weights == 0, 0, weights * slopes).sum(axis=0).T.reshape(x.shape)
        return refuse_overflow("grad_x", values, ~np.isfinite(values))

    def _parts(self, theta: Array) -> tuple[Array, Array, Array]:
        """Return the log weights (k,), the means and the log σ's, both (k, d)."""
        logits, locations = theta[self.logits], theta[self.k :]
        means, log_scales = locations.reshape(2, self.k, self.d)
        return log_softmax(logits), means, log_scales

    def _standardised(self, theta: Array, x: Array) -> Array:
        """Return (x - mean) / σ for each component, coordinate and observation, (k, d, n)."""
        _, means, log_scales = self._parts(theta)
        columns = np.ascontiguousarray(x.reshape(len(x), self.d).T)
        z: Array = (columns - means[:, :, None]) / np.exp(log_scales)[:, :, None]
        return z

    def _joint(self, theta: Array, x: Array) -> Array:
        """Return the log density of each component together with each observation, (k, n)."""
        log_weights, _, log_scales = self._parts(theta)
        log_volume = log_scales.sum(axis=1) + 0.5 * self.d * math.log(2 * math.pi)
        z = self._standardised(theta, x)
        joint: Array = (log_weights - log_volume)[:, None] - 0.5 * np.einsum("kdn,kdn->kn", z, z)
        return joint

    def _at(self, theta: Array) -> Any:
        if self.d > 1:
            return DiagonalNormalMixture(self, theta)
        log_weights, means, log_scales = self._parts(theta)
        weights, scales = np.exp(log_weights), np.exp(log_scales)
        kept = weights > 0  # stats.Mixture takes the log of every weight
        components = [
            stats.Normal(mu=mean, sigma=scale)
            for mean, scale in zip(means[kept, 0], scales[kept, 0], strict=True)
        ]
        return stats.Mixture(components, weights=weights[kept])

    def _sample(self, theta: Array, n: int, rng: np.random.Generator) -> Array:
        log_weights, means, log_scales = self._parts(theta)
        component = rng.choice(self.k, size=n, p=np.exp(log_weights))
        x: Array = means[component] + np.exp(log_scales[component]) * rng.standard_normal((n, self.d))
        return x.reshape(n, *self.event_shape)

    def _log_prob(self, theta: Array, x: Array) -> Array:
        joint = self._joint(theta, x)
        top = joint.max(axis=0)
        top[top == -np.inf] = 0.0
        with np.errstate(divide="ignore"):
            values: Array = np.log(np.exp(joint - top).sum(axis=0)) + top
        return values

    def _score(self, theta: Array, x: Array) -> Array:
        log_weights, _, log_scales = self._parts(theta)
        weights = special.softmax(self._joint(theta, x), axis=0)
        # what is not responsible at all contributes nothing, however far off it is
        z = np.where(weights[:, None, :] == 0, 0, self._standardised(theta, x))
        by_mean = weights[:, None, :] * z / np.exp(log_scales)[:, :, None]
        by_log_scale = weights[:, None, :] * (z**2 - 1)
        locations = np.concatenate([by_mean, by_log_scale]).reshape(2 * self.k * self.d, len(x))
        return np.concatenate([weights - np.exp(log_weights)[:, None], locations]).T

    def _entropy(self, theta: Array) -> float:
        raise NotImplementedError(
            "the entropy of a mixture has no closed form; estimate it by "
            "-family.log_prob(theta, family.sample(theta, n, rng=rng)).mean()"
        )


@final
@dataclass(frozen=True, eq=False)
class DiagonalNormalMixture:
    """A d-variate mixture of diagonal normals: what SciPy lacks of one, `logpdf`, `rvs`, `mean` and `cov`.

    Examples
    --------
    >>> import numpy as np
    >>> mixture = NormalMixture(1, d=2).at(np.zeros(5))
    >>> mixture.logpdf([[0.0, 0.0]]).round(6), mixture.cov().tolist()
    (array([-1.837877]), [[1.0, 0.0], [0.0, 1.0]])
    """

    family: NormalMixture
    theta: Array

    def logpdf(self, x: ArrayLike) -> Array:
        """Return the log density, in nats.

        Parameters
        ----------
        x
            (n, d).

        Returns
        -------
        ndarray
            (n,).

        Examples
        --------
        >>> import numpy as np
        >>> from kl_lib.families import NormalMixture
        >>> NormalMixture(1, d=2).at(np.zeros(5)).logpdf([[0.0, 0.0]]).round(6)
        array([-1.837877])
        """
        return self.family.log_prob(self.theta, x)

    def rvs(self, size: int = 1, random_state: np.random.Generator | None = None) -> Array:
        """Return samples; SciPy's name for the generator, but a Generator it must be.

        Parameters
        ----------
        size
            How many.
        random_state
            The source of randomness.

        Returns
        -------
        ndarray
            (size, d).

        Examples
        --------
        >>> import numpy as np
        >>> from kl_lib.families import NormalMixture
        >>> NormalMixture(1, d=2).at(np.zeros(5)).rvs(3, np.random.default_rng(0)).shape
        (3, 2)
        """
        return self.family.sample(self.theta, size, rng=as_generator(random_state))

    def mean(self) -> Array:
        """Return the mean.

        Returns
        -------
        ndarray
            (d,).

        Examples
        --------
        >>> import numpy as np
        >>> from kl_lib.families import NormalMixture
        >>> NormalMixture(1, d=2).at(np.zeros(5)).mean()
        array([0., 0.])
        """
        log_weights, means, _ = self.family._parts(self.theta)
        mean: Array = np.exp(log_weights) @ means
        return mean

    def cov(self) -> Array:
        """Return the covariance: within the components plus between them.

        Returns
        -------
        ndarray
            (d, d).

        Examples
        --------
        >>> import numpy as np
        >>> from kl_lib.families import NormalMixture
        >>> NormalMixture(1, d=2).at(np.zeros(5)).cov()
        array([[1., 0.],
               [0., 1.]])
        """
        log_weights, means, log_scales = self.family._parts(self.theta)
        weights, deviations = np.exp(log_weights), means - self.mean()
        within, between = weights @ np.exp(2 * log_scales), (weights[:, None] * deviations).T @ deviations
        covariance: Array = np.diag(within) + between
        return covariance
