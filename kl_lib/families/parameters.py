"""The parameters of a family: where θ holds what, which θ there are, and which are the same."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import ArrayLike

from kl_lib.checks import as_finite, as_shape
from kl_lib.types import Array

# exp(±350) is a scale whose square and whose reciprocal's square are still ordinary floats.
LOG_SCALE_LIMIT = 350.0


class Parameters(ABC):
    """Unconstrained vectors θ of length `size`: logits, logs of scales, and what else there is.

    No entry is nan or inf, but that a logit of -inf stands for a probability of 0, and the log of a scale
    lies within ±350.
    """

    @property
    @abstractmethod
    def size(self) -> int:
        """The length of θ."""

    @property
    @abstractmethod
    def logits(self) -> slice:
        """Where θ holds logits that are identified only up to a common constant."""

    @property
    @abstractmethod
    def log_scales(self) -> slice:
        """Where θ holds logs of scales."""

    def as_theta(self, theta: ArrayLike, name: str = "theta") -> Array:
        """Return θ as a float array whose scales neither overflow nor underflow.

        It is finite, but that a logit of -inf stands for a probability of 0.

        Parameters
        ----------
        theta
            Parameters θ, (size,).
        name
            What the caller calls it, for errors.

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
        theta = as_shape(name, theta, (self.size,), minus_infinity=True)
        if self.admits(theta):
            return theta
        as_finite(name, self._unmasked(theta))
        logits = theta[self.logits]
        if logits.size and logits.max() == -np.inf:
            raise ValueError(f"{name} must have a logit above -inf, got none")
        index = self.log_scales.start + int(np.argmax(np.abs(theta[self.log_scales])))
        raise ValueError(
            f"{name}[{index}] is the log of a scale and must lie within ±{LOG_SCALE_LIMIT:g}, "
            f"got {theta[index]}"
        )

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
        if logits.size:
            finite = logits[logits > -np.inf]
            # Divided by a power of 2, the sum does not overflow.
            power = int(finite.size).bit_length()
            with np.errstate(over="ignore"):
                logits -= np.ldexp(np.ldexp(finite, -power).sum() / finite.size, power)
        return theta
