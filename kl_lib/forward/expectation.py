"""The E step of EM for normal mixtures, over weighted points."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kl_lib.families import NormalMixture
from kl_lib.types import Array

# Squares are multiplied out where ((x − μ)/σ)² stays so small that this loses four or five digits at most.
_SQUARED_OUT = 5e4


class Expectation(NamedTuple):
    """The mean log-likelihood, and each component's share: mass (k,), mean and variance (k, d)."""

    value: float
    mass: Array
    means: Array
    variances: Array


class WeightedPoints:
    """Points (n, d) with weights (n,) that sum to 1; `rows` holds their squares, themselves and ones.

    Sums over the points go by einsum: BLAS would share such thin products out to threads, which wait for each
    other where cores are busy.
    """

    def __init__(self, points: Array, weights: Array | None = None) -> None:
        self.points = points
        self.weights = np.full(len(points), 1 / len(points)) if weights is None else weights
        self.rows = np.vstack([points.T**2, points.T, np.ones(len(points))])
        self.reach = float(self.rows.max())

    def expectation(self, family: NormalMixture, theta: Array) -> Expectation:
        """Return the E step of EM; θ may be a stack (..., size), and all that is returned then is one."""
        logits, means, log_scales = parts(family, theta)
        shares = self._joint(logits - log_scales.sum(axis=-1), means, log_scales)
        top = shares.max(axis=-2)
        shares -= top[..., None, :]
        np.exp(shares, out=shares)
        total = shares.sum(axis=-2)
        constant = 0.5 * family.d * np.log(2 * np.pi) + np.logaddexp.reduce(logits, axis=-1)
        value = np.einsum("...n,n->...", np.log(total) + top, self.weights) - constant
        shares *= (self.weights / total)[..., None, :]
        return Expectation(value, *self.moments(shares, means))

    def _joint(self, constants: Array, means: Array, log_scales: Array) -> Array:
        """Return constant − ½ |(x − μ)/σ|², (..., k, n): where exact enough, as one product of matrices."""
        half = 0.5 * np.exp(-2 * log_scales)
        if self.reach * half.max() < _SQUARED_OUT:
            constants = constants - (half * means**2).sum(axis=-1)
            factors = np.concatenate([-half, 2 * half * means, constants[..., None]], axis=-1)
            return np.asarray(np.einsum("...kr,rn->...kn", factors, self.rows))
        joint = np.repeat(constants[..., None], len(self.points), axis=-1)
        for c in range(means.shape[-1]):
            z = (self.points[:, c] - means[..., c, None]) / np.exp(log_scales[..., c, None])
            joint -= 0.5 * z * z
        return joint

    def moments(self, shares: Array, means: Array) -> tuple[Array, Array, Array]:
        """Return the moments under the shares (..., k, n); what has no share stays where it is."""
        d = means.shape[-1]
        sums = np.einsum("...kn,rn->...kr", shares, self.rows)
        mass = sums[..., -1]
        some = np.maximum(mass, np.finfo(float).tiny)[..., None]
        means = np.where(mass[..., None] > 0, sums[..., d:-1] / some, means)
        variances = sums[..., :d] / some - means**2
        if self.reach > _SQUARED_OUT * variances.min():
            for c in range(d):
                deviations = self.points[:, c] - means[..., c, None]
                variances[..., c] = (shares * deviations**2).sum(axis=-1) / some[..., 0]
        return mass, means, variances


def parts(family: NormalMixture, theta: Array) -> tuple[Array, Array, Array]:
    """Return logits (..., k), means and log scales (..., k, d) of θ (..., size)."""
    k, locations = family.k, theta[..., family.k :].reshape(*theta.shape[:-1], 2, family.k, family.d)
    return theta[..., :k], locations[..., 0, :, :], locations[..., 1, :, :]


def joined(logits: Array, means: Array, log_scales: Array) -> Array:
    """Return θ of its parts, the logits centred."""
    stack = logits.shape[:-1]
    logits = logits - logits.mean(axis=-1, keepdims=True, where=logits > -np.inf)
    return np.concatenate([logits, means.reshape(*stack, -1), log_scales.reshape(*stack, -1)], axis=-1)
