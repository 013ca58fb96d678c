"""What the estimators and the fits return: frozen dataclasses of plain numbers and arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kl_lib.validation import Array


@dataclass(frozen=True)
class Estimate:
    """A Monte-Carlo mean of `n` samples with its standard error.

    Examples
    --------
    >>> Estimate(value=0.5, standard_error=0.01, n=1000).value
    0.5
    """

    value: float
    standard_error: float
    n: int


@dataclass(frozen=True)
class Fit:
    """A fitted member of a family: the parameters, and how the optimiser came to them.

    `theta` is (size,), `distribution` is ``family.at(theta)``, `objective` is the value reached (mean
    log-likelihood on the data, or the ELBO on fresh noise) and `trace` the objective per iteration
    (iterations,).

    Examples
    --------
    >>> fit = Fit(np.zeros(2), stats.norm(), Estimate(-1.4, 0.1, 9), True, "converged", 0.0, np.zeros(3))
    >>> fit.converged, fit.trace.shape
    (True, (3,))
    """

    theta: Array
    distribution: Any
    objective: Estimate
    converged: bool
    message: str
    gradient_norm: float
    trace: Array
