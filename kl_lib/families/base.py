"""What every family can do: the public methods, with their checks, over the few that a family writes."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kl_lib.checks import as_count, as_generator, as_outcomes, as_shape
from kl_lib.families.parameters import Parameters
from kl_lib.types import Array, SciPyDistribution


class Family(Parameters):
    """A map θ ↦ pθ from unconstrained vectors of length `size` to distributions.

    Samples of a univariate family are (n,), of a d-variate one (n, d), of a discrete one integers (n,).
    Every public method refuses a θ that `as_theta` refuses; what would overflow raises `OverflowError`
    instead of returning nan.
    """

    @property
    @abstractmethod
    def event_shape(self) -> tuple[int, ...]:
        """The shape of one sample: () for a univariate family, (d,) for a d-variate one."""

    @property
    @abstractmethod
    def outcomes(self) -> int | None:
        """How many outcomes 0, 1, … a discrete family has; None for a continuous one."""

    @abstractmethod
    def _at(self, theta: Array) -> Any: ...

    @abstractmethod
    def _sample(self, theta: Array, n: int, rng: np.random.Generator) -> NDArray[Any]: ...

    @abstractmethod
    def _log_prob(self, theta: Array, x: NDArray[Any]) -> Array: ...

    @abstractmethod
    def _score(self, theta: Array, x: NDArray[Any]) -> Array: ...

    @abstractmethod
    def _entropy(self, theta: Array) -> float: ...

    def at(self, theta: ArrayLike) -> SciPyDistribution:
        """Return the distribution pθ.

        Parameters
        ----------
        theta
            Parameters θ, (size,).

        Returns
        -------
        SciPyDistribution
            A SciPy distribution where there is one, else an object with `logpdf` and `rvs`.

        Examples
        --------
        >>> from kl_lib.families import Normal
        >>> float(Normal().at([1.0, 0.0]).mean())
        1.0
        """
        distribution: SciPyDistribution = self._at(self.as_theta(theta))
        return distribution

    def sample(self, theta: ArrayLike, n: int, *, rng: np.random.Generator) -> NDArray[Any]:
        """Return n independent samples of pθ.

        Parameters
        ----------
        theta
            Parameters θ, (size,).
        n
            How many.
        rng
            The source of randomness.

        Returns
        -------
        ndarray
            (n,), (n, d), or integers (n,).

        Examples
        --------
        >>> import numpy as np
        >>> from kl_lib.families import DiagonalNormal
        >>> rng = np.random.default_rng(0)
        >>> DiagonalNormal(2).sample(np.zeros(4), 5, rng=rng).shape
        (5, 2)
        """
        theta = self.as_theta(theta)
        return self._sample(theta, as_count("n", n), as_generator(rng))

    def log_prob(self, theta: ArrayLike, x: ArrayLike) -> Array:
        """Return log pθ(x), in nats.

        Parameters
        ----------
        theta
            Parameters θ, (size,).
        x
            Samples, (n,), (n, d) or integers (n,).

        Returns
        -------
        ndarray
            (n,); -inf only where it is below the range of floats, or the probability is 0.

        Examples
        --------
        >>> from kl_lib.families import Bernoulli
        >>> Bernoulli().log_prob([700.0], [0, 0])
        array([-700., -700.])
        """
        theta, x = self.as_theta(theta), self.as_x(x)
        with np.errstate(over="ignore", invalid="ignore"):
            values = self._log_prob(theta, x)
        return refuse_overflow("log_prob", values, np.isnan(values))

    def score(self, theta: ArrayLike, x: ArrayLike) -> Array:
        """Return the score ∇θ log pθ(x), whose mean under pθ is zero.

        Parameters
        ----------
        theta
            Parameters θ, (size,).
        x
            Samples, (n,), (n, d) or integers (n,).

        Returns
        -------
        ndarray
            (n, size).

        Examples
        --------
        >>> from kl_lib.families import Normal
        >>> Normal().score([0.0, 0.0], [0.0, 2.0])
        array([[ 0., -1.],
               [ 2.,  3.]])
        """
        theta, x = self.as_theta(theta), self.as_x(x)
        with np.errstate(over="ignore", invalid="ignore"):
            values = self._score(theta, x)
        return refuse_overflow("score", values, ~np.isfinite(values))

    def entropy(self, theta: ArrayLike) -> float:
        """Return H(pθ) = -E[log pθ(x)] in nats.

        Parameters
        ----------
        theta
            Parameters θ, (size,).

        Returns
        -------
        float
            For a density the differential entropy, which may be negative.

        Raises
        ------
        NotImplementedError
            If it has no closed form, as that of a mixture.

        Examples
        --------
        >>> import numpy as np
        >>> from kl_lib.families import Categorical
        >>> round(Categorical(4).entropy(np.zeros(4)), 6)
        1.386294
        """
        return self._entropy(self.as_theta(theta))

    def as_x(self, x: ArrayLike) -> NDArray[Any]:
        """Return x as the samples it must be: finite floats of the right shape, or outcomes in range.

        Parameters
        ----------
        x
            Samples, (n,), (n, d) or integers (n,).

        Returns
        -------
        ndarray
            The same, floats or integers.

        Raises
        ------
        TypeError
            If x does not hold numbers.
        ValueError
            If x has another shape, or an entry is not finite or no outcome.

        Examples
        --------
        >>> from kl_lib.families import Normal
        >>> Normal().as_x([0, 1])
        array([0., 1.])
        """
        if self.outcomes is None:
            return as_shape("x", x, (None, *self.event_shape))
        return as_outcomes("x", x, self.outcomes)


def refuse_overflow(method: str, values: Array, bad: NDArray[np.bool_]) -> Array:
    """Return `values`, or raise where overflow made them meaningless."""
    if bad.any():
        index = int(np.argwhere(bad)[0][0])
        raise OverflowError(
            f"{method} is out of the range of floats at sample {index}: move theta or x closer"
        )
    return values


def as_family(family: object) -> Family:
    """Return `family` if it is one.

    Parameters
    ----------
    family
        Any object.

    Returns
    -------
    Family
        The same object.

    Raises
    ------
    TypeError
        If it is none of `kl_lib.families`.

    Examples
    --------
    >>> from kl_lib.families import Normal, as_family
    >>> as_family(Normal())
    Normal()
    """
    if not isinstance(family, Family):
        raise TypeError(f"family must be one of kl_lib.families, such as families.Normal(), got {family!r}")
    return family
