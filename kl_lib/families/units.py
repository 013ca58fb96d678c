"""Steps of θ in standard deviations of pθ: what makes an optimiser blind to the unit of x."""

from __future__ import annotations

from typing import final

import numpy as np
from scipy import special

from kl_lib.families.base import Family
from kl_lib.families.mixture import NormalMixture
from kl_lib.families.normal import FullNormal
from kl_lib.types import Array

# A lighter component is as good as dead.
_LEAST_WEIGHT = 1e-9


@final
class Units:
    """The linear map from steps in standard deviations of pθ to steps of θ, and its transpose.

    A mean moves by its scale, a factor L to L (I + A) with A lower triangular; logs of scales and logits have
    no unit. So the gradient by these steps is the same in whatever unit x is measured. `by_weight` divides
    the steps of a component of a mixture by the root of its weight, as its standard errors are.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.families import Normal
    >>> from kl_lib.families.units import Units
    >>> at = Units(Normal(), np.array([3.0, np.log(2.0)]))
    >>> at.step(np.array([1.0, 1.0])).round(12), at.gradient(np.array([1.0, 1.0])).round(12)
    (array([2., 1.]), array([2., 1.]))
    """

    def __init__(self, family: Family, theta: Array, *, by_weight: bool = False) -> None:
        logs = family.log_scales
        width = logs.stop - logs.start
        self.means = slice(logs.start - width, logs.start)
        self.logs, self.below = logs, slice(logs.stop, None)
        self.scales = np.ones(family.size)
        self.factor = None
        if isinstance(family, FullNormal):
            self.factor = family.cholesky(theta)
            self.rows, self.columns = np.tril_indices(family.d, -1)
        else:
            self.scales[self.means] = np.exp(theta[logs])
        if by_weight and isinstance(family, NormalMixture):
            weights = np.maximum(special.softmax(theta[family.logits]), _LEAST_WEIGHT)
            self.scales /= np.sqrt(np.concatenate([weights, np.tile(np.repeat(weights, family.d), 2)]))

    def step(self, move: Array) -> Array:
        """Return the step of θ, (size,), that is this move in standard deviations."""
        if self.factor is None:
            return np.asarray(self.scales * move)
        relative = np.diag(move[self.logs])
        relative[self.rows, self.columns] = move[self.below]
        below = (self.factor @ relative)[self.rows, self.columns]
        return np.concatenate([self.factor @ move[self.means], move[self.logs], below])

    def gradient(self, slopes: Array) -> Array:
        """Return the gradient by such moves, (..., size), of one by θ."""
        if self.factor is None:
            return np.asarray(slopes * self.scales)
        by_factor = np.zeros((*slopes.shape[:-1], *self.factor.shape))
        by_factor[..., self.rows, self.columns] = slopes[..., self.below]
        by_factor = self.factor.T @ by_factor
        logs = slopes[..., self.logs] + np.diagonal(by_factor, axis1=-2, axis2=-1)
        below = by_factor[..., self.rows, self.columns]
        return np.concatenate([slopes[..., self.means] @ self.factor, logs, below], axis=-1)
