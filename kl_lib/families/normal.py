"""The normal families: univariate, diagonal and full covariance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg, stats

from kl_lib.checks import as_count, as_positive, as_shape
from kl_lib.families.reparameterizable import Reparameterizable
from kl_lib.types import Array


class IndependentNormal(Reparameterizable):
    """Independent normal coordinates: θ = (μ, log σ), each of the shape of one sample."""

    @property
    def size(self) -> int:
        """A mean and a log standard deviation for each coordinate."""
        return 2 * self.dimension

    def _mean_and_scale(self, theta: Array) -> tuple[Array, Array]:
        mean, log_scale = theta.reshape(2, *self.event_shape)
        return mean, np.exp(log_scale)

    def _cholesky(self, theta: Array) -> Array:
        return np.diag(np.exp(theta[self.log_scales]))

    def _transform(self, theta: Array, noise: Array) -> Array:
        mean, scale = self._mean_and_scale(theta)
        return mean + scale * noise

    def _noise_of(self, theta: Array, x: Array) -> Array:
        mean, scale = self._mean_and_scale(theta)
        z: Array = x - mean
        z /= scale
        return z

    def _pullback(self, theta: Array, noise: Array, dx: Array) -> Array:
        _, scale = self._mean_and_scale(theta)
        return np.stack([dx, dx * (noise * scale)], axis=1).reshape(len(dx), self.size)

    def _mean_pullback(self, theta: Array, noise: Array, dx: Array) -> Array:
        _, scale = self._mean_and_scale(theta)
        return np.stack([dx.mean(axis=0), (dx * noise).mean(axis=0) * scale]).reshape(self.size)

    def _grad_x(self, theta: Array, noise: Array) -> Array:
        _, scale = self._mean_and_scale(theta)
        return -noise / scale


@final
@dataclass(frozen=True)
class Normal(IndependentNormal):
    """The univariate normal family, θ = (μ, log σ).

    Examples
    --------
    >>> from kl_lib.families import Normal
    >>> family = Normal()
    >>> family.size, family.log_prob([0.0, 0.0], [0.0, 1.0]).round(6)
    (2, array([-0.918939, -1.418939]))
    """

    @property
    def event_shape(self) -> tuple[int, ...]:
        """One number."""
        return ()

    def theta_of(self, mean: ArrayLike, scale: ArrayLike) -> Array:
        """Return θ = (mean, log scale).

        Parameters
        ----------
        mean
            A number.
        scale
            The standard deviation.

        Returns
        -------
        ndarray
            (2,).

        Examples
        --------
        >>> from kl_lib.families import Normal
        >>> Normal().theta_of(3.0, 1.0)
        array([3., 0.])
        """
        mean = as_shape("mean", mean, ())
        scale = as_shape("scale", as_positive("scale", scale), ())
        return np.array([mean, np.log(scale)])

    def _at(self, theta: Array) -> Any:
        return stats.norm(theta[0], np.exp(theta[1]))


@final
@dataclass(frozen=True)
class DiagonalNormal(IndependentNormal):
    """The d-variate normal family with diagonal covariance, θ = (μ, log σ), each (d,).

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.families import DiagonalNormal
    >>> family = DiagonalNormal(2)
    >>> family.size, family.log_prob(np.zeros(4), [[0.0, 0.0], [0.0, 2.0]]).round(6)
    (4, array([-1.837877, -3.837877]))
    """

    d: int

    def __post_init__(self) -> None:
        as_count("d", self.d)

    @property
    def event_shape(self) -> tuple[int, ...]:
        """One number for each of the d coordinates."""
        return (self.d,)

    def theta_of(self, mean: ArrayLike, scale: ArrayLike) -> Array:
        """Return θ = (mean, log scale).

        Parameters
        ----------
        mean
            (d,).
        scale
            Standard deviations, (d,).

        Returns
        -------
        ndarray
            (2 d,).

        Examples
        --------
        >>> from kl_lib.families import DiagonalNormal
        >>> DiagonalNormal(2).theta_of([3.0, 4.0], [1.0, 1.0])
        array([3., 4., 0., 0.])
        """
        mean = as_shape("mean", mean, (self.d,))
        scale = as_shape("scale", as_positive("scale", scale), (self.d,))
        return np.concatenate([mean, np.log(scale)])

    def _at(self, theta: Array) -> Any:
        return stats.multivariate_normal(
            theta[: self.d], stats.Covariance.from_cholesky(self._cholesky(theta))
        )


@final
@dataclass(frozen=True)
class FullNormal(Reparameterizable):
    """The d-variate normal family, θ = (μ, log diagonal of L, strict lower triangle of L row by row).

    L is the Cholesky factor of the covariance, L Lᵀ.

    Examples
    --------
    >>> from kl_lib.families import FullNormal
    >>> family = FullNormal(2)
    >>> family.size, family.at([0.0, 0.0, 0.0, 0.0, 2.0]).cov.tolist()
    (5, [[1.0, 2.0], [2.0, 5.0]])
    """

    d: int

    def __post_init__(self) -> None:
        as_count("d", self.d)

    @property
    def size(self) -> int:
        """Means, log diagonal, strict lower triangle."""
        return 2 * self.d + self.d * (self.d - 1) // 2

    @property
    def event_shape(self) -> tuple[int, ...]:
        """One number for each of the d coordinates."""
        return (self.d,)

    def theta_of(self, mean: ArrayLike, covariance: ArrayLike) -> Array:
        """Return θ of a mean and a covariance.

        Parameters
        ----------
        mean
            (d,).
        covariance
            Symmetric positive definite, (d, d).

        Returns
        -------
        ndarray
            (size,).

        Raises
        ------
        ValueError
            If the covariance is not symmetric and positive definite.

        Examples
        --------
        >>> from kl_lib.families import FullNormal
        >>> FullNormal(2).theta_of([3.0, 4.0], [[1.0, 2.0], [2.0, 5.0]])
        array([3., 4., 0., 0., 2.])
        """
        mean = as_shape("mean", mean, (self.d,))
        covariance = as_shape("covariance", covariance, (self.d, self.d))
        if not np.allclose(covariance, covariance.T, rtol=1e-10, atol=0):
            raise ValueError(f"covariance must be symmetric, got {covariance.tolist()}")
        try:
            factor = np.linalg.cholesky(covariance)
        except np.linalg.LinAlgError:
            message = f"covariance must be positive definite, got {covariance.tolist()}"
            raise ValueError(message) from None
        return np.concatenate([mean, np.log(np.diag(factor)), factor[np.tril_indices(self.d, -1)]])

    def _at(self, theta: Array) -> Any:
        return stats.multivariate_normal(
            theta[: self.d], stats.Covariance.from_cholesky(self._cholesky(theta))
        )

    def _cholesky(self, theta: Array) -> Array:
        factor = np.diag(np.exp(theta[self.log_scales]))
        factor[np.tril_indices(self.d, -1)] = theta[2 * self.d :]
        return factor

    def _transform(self, theta: Array, noise: Array) -> Array:
        return theta[: self.d] + noise @ self._cholesky(theta).T

    def _noise_of(self, theta: Array, x: Array) -> Array:
        solution: Array = linalg.solve_triangular(
            self._cholesky(theta), (x - theta[: self.d]).T, lower=True
        ).T
        return solution

    def _pullback(self, theta: Array, noise: Array, dx: Array) -> Array:
        rows, columns = np.tril_indices(self.d, -1)
        scale = np.exp(theta[self.log_scales])
        return np.concatenate([dx, dx * (noise * scale), dx[:, rows] * noise[:, columns]], axis=1)

    def _mean_pullback(self, theta: Array, noise: Array, dx: Array) -> Array:
        by_factor = dx.T @ noise / len(dx)
        by_log_scale = np.diag(by_factor) * np.exp(theta[self.log_scales])
        return np.concatenate([dx.mean(axis=0), by_log_scale, by_factor[np.tril_indices(self.d, -1)]])

    def _grad_x(self, theta: Array, noise: Array) -> Array:
        solution: Array = linalg.solve_triangular(self._cholesky(theta), -noise.T, lower=True, trans="T").T
        return solution
