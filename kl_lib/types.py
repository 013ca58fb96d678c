"""The types that public signatures speak of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]
# A function of a batch of samples: (n,) of a univariate family, (n, d) of a d-variate one, integers (n,) of
# a discrete one. What it returns is (n,), or for a gradient of the shape of the batch.
BatchFunction: TypeAlias = Callable[[NDArray[Any]], ArrayLike]
# What an optimiser calls with θ, (size,), at each iteration.
Callback: TypeAlias = Callable[[Array], object]

KLMethod: TypeAlias = Literal["auto", "closed", "quadrature"]
Estimator: TypeAlias = Literal["k1", "k2", "k3"]
FitMethod: TypeAlias = Literal["fixed-noise", "stochastic"]
ElboMethod: TypeAlias = Literal["score-function", "reparameterization", "sticking-the-landing"]
# A number, one for each coordinate of θ, or how to find them.
Baseline: TypeAlias = ArrayLike | Literal["leave-one-out", "optimal"]


class FrozenDistribution(Protocol):
    """What all frozen distributions of SciPy share, ``stats.norm(0, 1)`` or ``stats.dirichlet([1, 2])``."""

    def rvs(self, size: Any = ..., random_state: Any = ...) -> Any:
        """Draw samples."""


class RandomVariable(Protocol):
    """What SciPy's newer random variables share, ``stats.Normal(mu=0, sigma=1)``."""

    def sample(self, shape: Any = ..., *, method: Any = ..., rng: Any = ...) -> Any:
        """Draw samples."""


SciPyDistribution: TypeAlias = FrozenDistribution | RandomVariable
