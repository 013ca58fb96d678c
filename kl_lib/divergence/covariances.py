"""Covariances as they were given: by a matrix, its inverse, its eigenvalues, or its Cholesky factor.

A factor is never squared and factored again, and what is singular is taken on its range alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import cholesky

from kl_lib import scipy_adapter
from kl_lib.checks import as_finite, as_positive
from kl_lib.numerics import solve_lower, two_product
from kl_lib.types import Array

# Eigenvalues of d-dimensional matrices below so many times d largest are rounding.
_ROUNDING = 8 * np.finfo(np.float64).eps
# To this part of their size, matrices must be symmetric, and eigenvectors orthonormal.
_TOLERANCE = 1e-9
# Up to this part of the largest, SciPy takes the eigenvalues of a matrix as 0.
_SCIPY = 1e6 * np.finfo(np.float64).eps


@dataclass(frozen=True)
class Covariance:
    """A covariance A Aᵀ of rank r in d dimensions.

    `kind` is how it was given, `matrix` the covariance or the precision, where it was one. `factor` is A,
    (d, r), `lost` what its rounding lost, `log_volume` log |det A|, and `whitened` solves A z = x for x,
    (d, k), in the range of A. Where it may be singular, `basis` spans that range and `null` is orthogonal to
    it, both orthonormal, and `condition` is the ratio of its largest eigenvalue to the least positive one.
    """

    kind: str
    factor: Array
    whitened: Callable[[Array], Array]
    log_volume: float
    matrix: Any = None
    lost: Any = 0.0
    basis: Any = None
    null: Any = None
    condition: float = 1.0

    @property
    def triangular(self) -> bool:
        """Whether A is a Cholesky factor."""
        return self.kind in ("matrix", "cholesky") and self.basis is None

    def times_power(self, power: float) -> Covariance:
        """Return a covariance given by a matrix times a power of 2, without the factor."""
        log_volume = self.log_volume + 0.5 * len(self.factor) * power * np.log(2)
        return replace(self, matrix=np.ldexp(self.matrix, int(power)), log_volume=log_volume)


def read_covariance(label: str, frozen: Any) -> Covariance:
    """Return the covariance of a frozen stats.multivariate_normal, as it was given."""
    kind, parts, rank = scipy_adapter.covariance_parts(frozen)
    first, *others = (as_finite(f"the {kind} of cov of {label}", part) for part in parts)
    match kind:
        case "diagonal":
            if rank < len(first):
                return _from_spectrum(label, np.diagonal(first), np.eye(len(first)), first)
        case "eigendecomposition":
            return _from_spectrum(label, first, *others)
        case "cholesky":
            return from_factor(as_factor(f"the Cholesky factor of {label}", first))
        case "precision":
            return _from_precision(f"the precision of {label}", first)
    return _from_singular(label, first) if rank < len(first) else from_matrix(f"cov of {label}", first)


def from_matrix(name: str, value: ArrayLike) -> Covariance:
    """Return a covariance of full rank that is given by its matrix."""
    matrix = as_symmetric(name, value)
    return from_factor(factor_of(name, matrix), "matrix", matrix)


def from_factor(factor: Array, kind: str = "cholesky", matrix: Array | None = None) -> Covariance:
    """Return a covariance with this Cholesky factor."""
    log_volume = float(np.sum(np.log(np.diagonal(factor))))
    return Covariance(kind, factor, lambda x: _solve(factor, x), log_volume, matrix)


def _from_precision(name: str, value: Array) -> Covariance:
    precision = as_symmetric(name, value)
    factor = factor_of(name, precision)
    log_volume = -float(np.sum(np.log(np.diagonal(factor))))
    root = _solve(factor, np.eye(len(factor))).T
    return Covariance("precision", root, lambda x: factor.T @ x, log_volume, precision)


def _solve(factor: Array, x: Array) -> Array:
    return solve_lower(factor[..., np.newaxis], x[..., np.newaxis])[..., 0]


def _from_spectrum(label: str, values: Array, vectors: Array, matrix: Array | None = None) -> Covariance:
    """Return a covariance of these eigenvalues, some of which may be 0, and eigenvectors."""
    if np.max(np.abs(vectors.T @ vectors - np.eye(len(vectors)))) > _TOLERANCE:
        raise ValueError(f"the eigenvectors of {label} must be orthonormal to {_TOLERANCE}, got {vectors}")
    largest = np.max(values)
    if largest <= 0 or np.min(values) < -_ROUNDING * len(values) * largest:
        raise ValueError(f"the variances of {label} must not be negative nor all 0, got {values}")
    positive = values > 0
    basis, variances = vectors[:, positive], values[positive]
    scales = np.sqrt(variances)
    square, square_lost = two_product(scales, scales)
    lost = ((variances - square) - square_lost) / (2 * scales)
    factor, factor_lost = two_product(basis, scales)
    return Covariance(
        "spectrum" if matrix is None else "matrix",
        factor,
        lambda x: basis.T @ x / scales[:, np.newaxis],
        float(0.5 * np.sum(np.log(variances))),
        matrix=matrix,
        lost=factor_lost + basis * lost,
        basis=basis,
        null=vectors[:, ~positive],
        condition=float(largest / np.min(variances)),
    )


def _from_singular(label: str, value: Array) -> Covariance:
    """Return a covariance given by a matrix that SciPy takes as singular, and that is so within rounding."""
    matrix = as_symmetric(f"cov of {label}", value)
    values, vectors = np.linalg.eigh(matrix)
    unclear = (values > _ROUNDING * len(values) * values[-1]) & (values <= _SCIPY * values[-1])
    if unclear.any():
        raise ValueError(
            f"cov of {label} must be positive definite or singular to working precision, got the eigenvalues "
            f"{values}; stats.Covariance.from_diagonal or from_cholesky say which it is"
        )
    values = np.where(np.abs(values) <= _SCIPY * values[-1], 0.0, values)
    return _from_spectrum(label, values, vectors, matrix)


def share_support(p: Covariance, q: Covariance, shift: Array, size: Array) -> bool:
    """Whether the ranges are equal and hold the shift of the means, whose entries have this size."""
    d, rank = q.factor.shape
    if p.factor.shape[1] != rank or rank == d:
        return bool(p.factor.shape[1] == rank)
    rounding = _ROUNDING * d * max(p.condition, q.condition)
    tilt, off = np.max(np.abs(q.null.T @ p.basis)), np.max(np.abs(q.null.T @ shift))
    return bool(tilt <= rounding and off <= rounding * np.max(np.abs(shift)) + _ROUNDING * d * np.max(size))


def on_support(p: Covariance, q: Covariance) -> tuple[Covariance, Covariance]:
    """Return two covariances of equal range as they are on it, where both were given by singular matrices."""
    if not (p.kind == q.kind == "matrix") or q.triangular or p.triangular:
        return p, q
    first, second = (from_matrix("cov", q.basis.T @ side.matrix @ q.basis) for side in (p, q))
    return first, second


def factor_of(name: str, covariance: Array) -> Array:
    """Return the Cholesky factors of covariances (..., d, d)."""
    try:
        if covariance.ndim == 2:  # where it is large, twice as fast
            return np.asarray(cholesky(covariance, lower=True, check_finite=False), dtype=np.float64)
        return np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise ValueError(f"{name} must be positive definite to working precision, got {covariance}") from None


def as_matrices(name: str, value: ArrayLike) -> Array:
    """Return `value` as finite square matrices (..., d, d)."""
    matrices = as_finite(name, value)
    if matrices.ndim < 2 or matrices.shape[-1] != matrices.shape[-2] or matrices.shape[-1] == 0:
        raise ValueError(f"{name} must have shape (..., d, d), got {matrices.shape}")
    return matrices


def as_factor(name: str, value: ArrayLike) -> Array:
    """Return `value` as lower triangular matrices (..., d, d) with a positive diagonal."""
    factor = as_matrices(name, value)
    # The largest and the smallest over the batch first: much faster than to look above each diagonal.
    stack = factor.reshape(-1, *factor.shape[-2:])
    extremes = (np.max(stack, axis=0), np.min(stack, axis=0)) if len(stack) > 1 else stack
    if any(np.any(np.triu(extreme, 1)) for extreme in extremes):
        above = np.triu(factor, 1)
        raise ValueError(
            f"{name} must be lower triangular, got {above[above != 0].flat[0]} above the diagonal"
        )
    as_positive(f"the diagonal of {name}", np.diagonal(factor, axis1=-2, axis2=-1))
    return factor


def as_symmetric(name: str, value: ArrayLike) -> Array:
    """Return the symmetric part of matrices (..., d, d) that are symmetric but for rounding."""
    matrices = as_matrices(name, value)
    transposed = matrices.swapaxes(-1, -2)
    if np.array_equal(matrices, transposed):
        return matrices
    largest = np.max(np.abs(matrices), axis=(-2, -1), keepdims=True)
    bad = np.abs(matrices - transposed) > _TOLERANCE * largest
    if np.any(bad):
        entry, other = matrices[bad][0], transposed[bad][0]
        raise ValueError(f"{name} must be symmetric, got {entry} across the diagonal from {other}")
    return 0.5 * (matrices + transposed)
