"""Families whose samples are a differentiable map of noise.

They share one identity. With z = L⁻¹(x − μ), log pθ(x) depends on θ through the point x(θ, z) and the
volume det L alone, so that its gradient is the pullback of −∇x log pθ(x), less one for each log scale.
"""

from __future__ import annotations

import math
from abc import abstractmethod

import numpy as np
from numpy.typing import ArrayLike

from kl_lib.checks import as_count, as_generator, as_shape
from kl_lib.families.base import Family, as_family, refuse_overflow
from kl_lib.types import Array


class Reparameterizable(Family):
    """A family whose samples are a differentiable map of noise, x = μ + L ε, with ε standard normal."""

    @property
    def outcomes(self) -> None:
        """None: continuous."""
        return

    @property
    def logits(self) -> slice:
        """Empty: θ holds no logits."""
        return slice(0, 0)

    @property
    def dimension(self) -> int:
        """The number of coordinates of one sample."""
        return math.prod(self.event_shape)

    @property
    def log_scales(self) -> slice:
        """The logs of the diagonal of L follow the means."""
        return slice(self.dimension, 2 * self.dimension)

    @abstractmethod
    def _cholesky(self, theta: Array) -> Array: ...

    @abstractmethod
    def _transform(self, theta: Array, noise: Array) -> Array: ...

    @abstractmethod
    def _noise_of(self, theta: Array, x: Array) -> Array: ...

    @abstractmethod
    def _pullback(self, theta: Array, noise: Array, dx: Array) -> Array: ...

    @abstractmethod
    def _mean_pullback(self, theta: Array, noise: Array, dx: Array) -> Array: ...

    @abstractmethod
    def _grad_x(self, theta: Array, noise: Array) -> Array: ...

    def noise(self, n: int, *, rng: np.random.Generator) -> Array:
        """Return n standard normal draws ε.

        Parameters
        ----------
        n
            How many.
        rng
            The source of randomness.

        Returns
        -------
        ndarray
            Of the shape of x, (n,) or (n, d).

        Examples
        --------
        >>> import numpy as np
        >>> from kl_lib.families import FullNormal
        >>> rng = np.random.default_rng(0)
        >>> FullNormal(3).noise(5, rng=rng).shape
        (5, 3)
        """
        return as_generator(rng).standard_normal((as_count("n", n), *self.event_shape))

    def transform(self, theta: ArrayLike, noise: ArrayLike) -> Array:
        """Return the samples x = μ + L ε that the noise becomes.

        Parameters
        ----------
        theta
            Parameters θ, (size,).
        noise
            Draws ε, (n,) or (n, d).

        Returns
        -------
        ndarray
            Of the shape of the noise.

        Examples
        --------
        >>> import numpy as np
        >>> from kl_lib.families import Normal
        >>> Normal().transform([1.0, np.log(2.0)], [-1.0, 0.0, 1.0])
        array([-1.,  1.,  3.])
        """
        theta = self.as_theta(theta)
        noise = as_shape("noise", noise, (None, *self.event_shape))
        with np.errstate(over="ignore", invalid="ignore"):
            values = self._transform(theta, noise)
        return refuse_overflow("transform", values, ~np.isfinite(values))

    def pullback(self, theta: ArrayLike, noise: ArrayLike, dx: ArrayLike) -> Array:
        """Return (∂x/∂θ)ᵀ dx for x = transform(θ, noise).

        With dx = ∇f(x) this is the gradient of f(transform(θ, noise)) with respect to θ.

        Parameters
        ----------
        theta
            Parameters θ, (size,).
        noise
            Draws ε, (n,) or (n, d).
        dx
            Of the shape of the noise.

        Returns
        -------
        ndarray
            (n, size).

        Examples
        --------
        >>> import numpy as np
        >>> from kl_lib.families import Normal
        >>> Normal().pullback([1.0, np.log(2.0)], [-1.0, 3.0], [1.0, 1.0])
        array([[ 1., -2.],
               [ 1.,  6.]])
        """
        theta = self.as_theta(theta)
        noise = as_shape("noise", noise, (None, *self.event_shape))
        dx = as_shape("dx", dx, noise.shape)
        with np.errstate(over="ignore", invalid="ignore"):
            values = self._pullback(theta, noise, dx)
        return refuse_overflow("pullback", values, ~np.isfinite(values))

    def mean_pullback(self, theta: ArrayLike, noise: ArrayLike, dx: ArrayLike) -> Array:
        """Return the mean of `pullback` over the draws, by products of matrices and not row by row.

        Parameters
        ----------
        theta
            Parameters θ, (size,).
        noise
            Draws ε, (n,) or (n, d).
        dx
            Of the shape of the noise.

        Returns
        -------
        ndarray
            (size,).

        Examples
        --------
        >>> import numpy as np
        >>> from kl_lib.families import Normal
        >>> Normal().mean_pullback([1.0, np.log(2.0)], [-1.0, 3.0], [1.0, 1.0])
        array([1., 2.])
        """
        theta = self.as_theta(theta)
        noise = as_shape("noise", noise, (None, *self.event_shape))
        dx = as_shape("dx", dx, noise.shape)
        with np.errstate(over="ignore", invalid="ignore"):
            values = self._mean_pullback(theta, noise, dx)
        return refuse_overflow("mean_pullback", values, ~np.isfinite(values))

    def grad_x(self, theta: ArrayLike, x: ArrayLike) -> Array:
        """Return ∇x log pθ(x).

        Parameters
        ----------
        theta
            Parameters θ, (size,).
        x
            Samples, (n,) or (n, d).

        Returns
        -------
        ndarray
            Of the shape of x.

        Examples
        --------
        >>> import numpy as np
        >>> from kl_lib.families import Normal
        >>> Normal().grad_x([1.0, np.log(2.0)], [1.0, 5.0])
        array([-0., -1.])
        """
        theta, x = self.as_theta(theta), self.as_x(x)
        with np.errstate(over="ignore", invalid="ignore"):
            values = self._grad_x(theta, self._noise_of(theta, x))
        return refuse_overflow("grad_x", values, ~np.isfinite(values))

    def cholesky(self, theta: ArrayLike) -> Array:
        """Return the Cholesky factor L of the covariance.

        Parameters
        ----------
        theta
            Parameters θ, (size,).

        Returns
        -------
        ndarray
            Lower triangular, (d, d); d = 1 for a univariate family.

        Examples
        --------
        >>> import numpy as np
        >>> from kl_lib.families import FullNormal
        >>> FullNormal(2).cholesky([0.0, 0.0, 0.0, np.log(2.0), 3.0])
        array([[1., 0.],
               [3., 2.]])
        """
        return self._cholesky(self.as_theta(theta))

    def _sample(self, theta: Array, n: int, rng: np.random.Generator) -> Array:
        return self.transform(theta, self.noise(n, rng=rng))

    def _log_prob(self, theta: Array, x: Array) -> Array:
        z = self._noise_of(theta, x).reshape(len(x), self.dimension)
        log_volume = theta[self.log_scales].sum() + 0.5 * self.dimension * math.log(2 * math.pi)
        values: Array = np.einsum("nd,nd->n", z, z)
        values *= -0.5
        values -= log_volume
        return values

    def _score(self, theta: Array, x: Array) -> Array:
        z = self._noise_of(theta, x)
        score = self._pullback(theta, z, -self._grad_x(theta, z))
        score[:, self.log_scales] -= 1
        return score

    def _entropy(self, theta: Array) -> float:
        constant = 0.5 * self.dimension * (1 + math.log(2 * math.pi))
        return float(theta[self.log_scales].sum() + constant)


def as_reparameterizable(family: object, *, instead: str) -> Reparameterizable:
    """Return `family` if its samples are a differentiable map of noise, else say what works instead.

    Parameters
    ----------
    family
        Any object.
    instead
        What to use for other families, for the error message.

    Returns
    -------
    Reparameterizable
        The same object.

    Raises
    ------
    TypeError
        If it is no such family.

    Examples
    --------
    >>> from kl_lib.families import Normal, as_reparameterizable
    >>> as_reparameterizable(Normal(), instead="score_function")
    Normal()
    """
    family = as_family(family)
    if not isinstance(family, Reparameterizable):
        raise TypeError(
            "family must be reparameterizable (Normal, DiagonalNormal or FullNormal), "
            f"got {family!r}; use {instead} instead"
        )
    return family
