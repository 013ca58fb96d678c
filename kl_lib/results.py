"""What the estimators and the fits return: frozen dataclasses of plain numbers and arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kl_lib.families import Family
from kl_lib.types import Array, SciPyDistribution


@dataclass(frozen=True)
class Estimate:
    """A value in nats with its standard error, a mean of `n` samples; or computed, and not sampled: `exact`.

    Examples
    --------
    >>> from kl_lib import Estimate
    >>> Estimate(value=0.5, standard_error=0.01, n=1000).value
    0.5
    """

    value: float
    standard_error: float
    n: int | None

    @classmethod
    def exact(cls, value: float) -> Estimate:
        """Return a value that was computed: of no samples, `n` None, and so of standard error 0.

        Parameters
        ----------
        value
            In nats.

        Returns
        -------
        Estimate
            With `n` None.

        Examples
        --------
        >>> from kl_lib import Estimate
        >>> Estimate.exact(0.5)
        Estimate(value=0.5, standard_error=0.0, n=None)
        """
        return cls(value, 0.0, None)

    @classmethod
    def of(cls, samples: Array) -> Estimate:
        """Return the mean of independent samples; a mean of -inf has no finite error.

        Parameters
        ----------
        samples
            At least 2, (n,).

        Returns
        -------
        Estimate
            Their mean and its standard error.

        Examples
        --------
        >>> import numpy as np
        >>> from kl_lib import Estimate
        >>> Estimate.of(np.array([1.0, 3.0]))
        Estimate(value=2.0, standard_error=1.0, n=2)
        """
        value, n = float(samples.mean()), len(samples)
        if not np.isfinite(value):
            return cls(value, np.inf, n)
        deviations = samples - value
        with np.errstate(over="ignore"):  # an error beyond floats is inf
            square = np.einsum("n,n", deviations, deviations)  # by no threads, which wait for a busy core
        return cls(value, float(np.sqrt(square / (n - 1) / n)), n)


@dataclass(frozen=True)
class SampleMoments:
    """The mean and the variance of `n` samples, coordinate by coordinate: arrays (...), or numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import SampleMoments
    >>> moments = SampleMoments(mean=np.float64(0.5), variance=np.float64(4.0), n=100)
    >>> moments.standard_error
    np.float64(0.2)
    """

    mean: Array
    variance: Array
    n: int

    @property
    def standard_error(self) -> Array:
        """The standard error of the mean, if the samples are independent."""
        error: Array = (self.variance / self.n) ** 0.5
        return error


@dataclass(frozen=True)
class Fit:
    """A fitted member of a family: the parameters, and how the optimiser came to them.

    `theta` is (size,), `distribution` is ``family.at(theta)``, made when it is asked for, `objective` is the
    value reached (mean log-likelihood on the data, or the ELBO on fresh noise), `gradient_norm` that of its
    gradient by steps in standard deviations, those of a component over the root of its weight, whatever the
    unit of x, and `trace` the objective per iteration
    (iterations,).

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import Estimate, Fit, families
    >>> fit = Fit(families.Normal(), np.zeros(2), Estimate(-1.4, 0.1, 9), True, "converged", 0.0, np.zeros(3))
    >>> fit.converged, fit.trace.shape
    (True, (3,))
    """

    family: Family
    theta: Array
    objective: Estimate
    converged: bool
    message: str
    gradient_norm: float
    trace: Array

    @cached_property
    def distribution(self) -> SciPyDistribution:
        """The fitted member of the family."""
        return self.family.at(self.theta)
