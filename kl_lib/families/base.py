"""What every family can do: the public methods, with their checks, over the few that a family writes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kl_lib.checks import as_count, as_finite, as_generator, as_outcomes, as_shape
from kl_lib.types import Array, SciPyDistribution

# exp(±350) is a scale whose square and whose reciprocal's square are still ordinary floats.
LOG_SCALE_LIMIT = 350.0


class Family(ABC):
    """A map θ ↦ pθ from unconstrained vectors of length `size` to distributions.

    Samples of a univariate family are (n,), of a d-variate one (n, d), of a discrete one integers (n,).
    Every public method refuses a θ of another length, with entries that are not finite (but for logits of
    -inf, which stand for a probability of 0), or with the log of a scale beyond ±350; what would overflow
    raises `OverflowError` instead of returning nan.
    """

    @property
    @abstractmethod
    def size(self) -> int:
        """The length of θ."""

    @property
    @abstractmethod
    def event_shape(self) -> tuple[int, ...]:
        """The shape of one sample: () for a univariate family, (d,) for a d-variate one."""

    @property
    @abstractmethod
    def outcomes(self) -> int | None:
        """How many outcomes 0, 1, … a discrete family has; None for a continuous one."""

    @property
    @abstractmethod
    def logits(self) -> slice:
        """Where θ holds logits that are identified only up to a common constant."""

    @property
    @abstractmethod
    def log_scales(self) -> slice:
        """Where θ holds logs of scales."""

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

    def as_theta(self, theta: ArrayLike) -> Array:
        """Return θ as a float array whose scales neither overflow nor underflow.

        It is finite, but that a logit of -inf stands for a probability of 0.

        Parameters
        ----------
        theta
            Parameters θ, (size,).

        Returns
        -------
        ndarray
            (size,).

        Raises
        ------
        ValueError
            If θ is not finite or of another shape, no logit is above -inf, or the log of a scale lies
            beyond ±350.

        Examples
        --------
        >>> from kl_lib.families import Normal
        >>> Normal().as_theta([0, 1])
        array([0., 1.])
        """
        theta = as_shape("theta", theta, (self.size,), minus_infinity=True)
        as_finite("theta", self._unmasked(theta))
        logits = theta[self.logits]
        if logits.size and logits.max() == -np.inf:
            raise ValueError("theta must have a logit above -inf, got none")
        if not self.admits(theta):
            index = self.log_scales.start + int(np.argmax(np.abs(theta[self.log_scales])))
            raise ValueError(
                f"theta[{index}] is the log of a scale and must lie within ±{LOG_SCALE_LIMIT:g}, "
                f"got {theta[index]}"
            )
        return theta

    def admits(self, theta: Array) -> bool:
        """Whether θ is one that `as_theta` takes; optimisers ask before they evaluate.

        Parameters
        ----------
        theta
            Floats, (size,).

        Returns
        -------
        bool
            Whether it is finite, or -inf for some logits but not all, and its scales are in range.

        Examples
        --------
        >>> import numpy as np
        >>> from kl_lib.families import Normal
        >>> Normal().admits(np.array([0.0, 400.0]))
        False
        """
        if not np.abs(theta[self.log_scales]).max(initial=0.0) <= LOG_SCALE_LIMIT:
            return False
        if np.isfinite(theta).all():
            return True
        logits = theta[self.logits]
        return bool(logits.size and logits.max() > -np.inf and np.isfinite(self._unmasked(theta)).all())

    def _unmasked(self, theta: Array) -> Array:
        """Return θ with 0 for logits of -inf."""
        unmasked = theta.copy()
        logits = unmasked[self.logits]
        logits[logits == -np.inf] = 0.0
        return unmasked

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

    def centred(self, theta: ArrayLike) -> Array:
        """Return the θ of the same distribution whose logits have mean zero.

        Parameters
        ----------
        theta
            Parameters θ, (size,).

        Returns
        -------
        ndarray
            (size,); the same where the family has no logits.

        Examples
        --------
        >>> from kl_lib.families import Categorical
        >>> Categorical(2).centred([3.0, 1.0])
        array([ 1., -1.])
        """
        theta = self.as_theta(theta).copy()
        logits = theta[self.logits]
        finite = logits > -np.inf
        logits -= logits[finite].sum() / max(np.count_nonzero(finite), 1)
        return theta


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
