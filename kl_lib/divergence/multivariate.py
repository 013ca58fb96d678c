"""Closed forms between multivariate distributions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from kl_lib.checks import as_finite, as_positive
from kl_lib.divergence.distributions import Parameters, factor_of, float_or_array
from kl_lib.divergence.registry import ClosedValue, register_kl
from kl_lib.numerics import excess_factor, in_blocks, phi, phi_square_ratio, solve_lower
from kl_lib.types import Array

# So many entries of matrices at a time that all that is computed of them stays in the cache.
_BLOCK = 1 << 17
# Fewer matrices are faster one by one.
_FEW = 128


def kl_normal_cholesky(
    mean_p: ArrayLike, chol_p: ArrayLike, mean_q: ArrayLike, chol_q: ArrayLike
) -> float | Array:
    r"""Return D_KL(N(μp, Lp Lpᵀ) ‖ N(μq, Lq Lqᵀ)) in nats, from Cholesky factors.

    With E = Lq⁻¹(Lp − Lq) it is ½[Σ_{i>j} E²ᵢⱼ + Σᵢ φ(Eᵢᵢ(2 + Eᵢᵢ)) + ‖Lq⁻¹(μp − μq)‖²], a sum of
    positive terms.

    Parameters
    ----------
    mean_p, mean_q
        Means, (..., d).
    chol_p, chol_q
        Lower triangular factors of the covariances with a positive diagonal, (..., d, d).

    Returns
    -------
    float or ndarray
        The leading axes, broadcast.

    Raises
    ------
    ValueError
        If a factor is not lower triangular with a positive diagonal, a number is not finite, or the
        shapes do not match.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import kl_normal_cholesky
    >>> kl_normal_cholesky(np.zeros(2), np.eye(2), np.ones(2), np.eye(2))
    1.0
    >>> kl_normal_cholesky(np.zeros((5, 2)), np.eye(2), np.zeros(2), 2 * np.eye(2)).shape
    (5,)
    """
    factor_p, factor_q = _as_factor("chol_p", chol_p), _as_factor("chol_q", chol_q)
    shift, shape = _shift_and_shape(mean_p, factor_p, mean_q, factor_q, "chol_q")
    value = _by_blocks(_kl_from_factors, shape, shift, factor_p, factor_q)
    return float_or_array(value)


def _kl_from_factors(shift: Array, factor_p: Array, factor_q: Array) -> Array:
    """Take the index of the pair last: (d, 1, n), (d, d, n), (d, d, n) → (n,)."""
    scatter = np.sum(phi_square_ratio(_diagonal(factor_p), _diagonal(factor_q)), axis=0)
    below = _squares_below(solve_lower(factor_q, factor_p - factor_q))
    return _half(scatter + below, solve_lower(factor_q, shift))


def kl_normal_covariance(
    mean_p: ArrayLike, cov_p: ArrayLike, mean_q: ArrayLike, cov_q: ArrayLike
) -> float | Array:
    r"""Return D_KL(N(μp, Σp) ‖ N(μq, Σq)) in nats, from covariances.

    With Σq = Lq Lqᵀ and the lower triangular F of (I + F)(I + F)ᵀ = I + Lq⁻¹(Σp − Σq)Lq⁻ᵀ it is
    ½[Σ_{i>j} F²ᵢⱼ + Σᵢ φ(Fᵢᵢ(2 + Fᵢᵢ)) + ‖Lq⁻¹(μp − μq)‖²], a sum of positive terms. Its relative error is
    about the condition number of the covariances times 2⁻⁵³; `kl_normal_cholesky` has no such factor.

    Parameters
    ----------
    mean_p, mean_q
        Means, (..., d).
    cov_p, cov_q
        Covariances, (..., d, d), symmetric to within 1e-9 of their largest entry; their symmetric part
        is taken.

    Returns
    -------
    float or ndarray
        The leading axes, broadcast.

    Raises
    ------
    ValueError
        If a covariance is not symmetric or not positive definite to working precision, a number is not
        finite, or the shapes do not match.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import kl_normal_covariance
    >>> kl_normal_covariance(np.zeros(2), np.eye(2), np.ones(2), np.eye(2))
    1.0
    >>> kl_normal_covariance(np.zeros((5, 2)), np.eye(2), np.zeros(2), 4 * np.eye(2)).shape
    (5,)

    References
    ----------
    Golub and Van Loan (2013), *Matrix Computations*, section 4.2 (Cholesky's method).
    """
    sigma_p, sigma_q = _as_covariance("cov_p", cov_p), _as_covariance("cov_q", cov_q)
    shift, shape = _shift_and_shape(mean_p, sigma_p, mean_q, sigma_q, "cov_q")
    factor_p, factor_q = factor_of("cov_p", sigma_p), factor_of("cov_q", sigma_q)
    value = _by_blocks(_kl_from_covariances, shape, shift, sigma_p, factor_p, sigma_q, factor_q)
    return float_or_array(value)


def _kl_from_covariances(shift: Array, cov_p: Array, factor_p: Array, cov_q: Array, factor_q: Array) -> Array:
    """Take the index of the pair last: (d, 1, n), (d, d, n), … → (n,)."""
    excess = solve_lower(factor_q, solve_lower(factor_q, cov_p - cov_q).swapaxes(0, 1))
    factor = excess_factor(excess)
    pivots = _diagonal(factor) * (2 + _diagonal(factor))
    near = _squares_below(factor) + np.sum(phi(pivots), axis=0)
    # Where p is much narrower than q some way, a pivot close to −1 has lost the small determinant.
    logs = np.log(_diagonal(factor_p) / _diagonal(factor_q))
    narrow = np.sum(_diagonal(excess) - 2 * logs, axis=0)
    scatter = np.where(np.all(pivots > -0.5, axis=0), near, narrow)
    return _half(scatter, solve_lower(factor_q, shift))


def _half(scatter: Array, shift: Array) -> Array:
    value: Array = 0.5 * (scatter + _squares(shift))
    return value


def _squares(matrices: Array) -> Array:
    """Return the sum of the squares of all entries, (d, k, n) → (n,)."""
    squares: Array = np.einsum("ikn,ikn->n", matrices, matrices)
    return squares


def _diagonal(matrices: Array) -> Array:
    """Return the diagonals of (d, d, n), (d, n)."""
    index = np.arange(len(matrices))
    return matrices[index, index]


def _squares_below(lower: Array) -> Array:
    """Return the sum of the squares below the diagonal of lower triangular matrices, (d, d, n) → (n,)."""
    strict, index = lower.copy(), np.arange(len(lower))
    strict[index, index] = 0.0
    return _squares(strict)


@register_kl("multivariate_normal", "multivariate_normal")
def kl_multivariate_normal(p: Parameters, q: Parameters) -> ClosedValue:
    """Take the same formula as `kl_normal_covariance`."""
    shift = (p.mean - q.mean)[:, np.newaxis]
    return _by_blocks(_kl_from_covariances, (), shift, p.cov, p.factor, q.cov, q.factor)


def _by_blocks(function: Callable[..., Array], shape: tuple[int, ...], *stacks: Array) -> Array:
    """Call `function` for blocks of matrices (..., d, k), broadcast to `shape` and their index put last."""
    flat = [np.broadcast_to(x, shape + x.shape[-2:]).reshape(-1, *x.shape[-2:]) for x in stacks]
    count = _BLOCK // stacks[-1].shape[-1] ** 2
    if count < _FEW:
        count = 1
    return in_blocks(lambda *block: function(*map(_index_last, block)), flat, count).reshape(shape)


def _index_last(matrices: Array) -> Array:
    """Copy (n, d, k) to (d, k, n), by way of padded rows: those a power of two apart share cache lines."""
    count, *size = matrices.shape
    if count == 1:
        return np.moveaxis(matrices, 0, -1)
    length = np.prod(size, dtype=int)
    padded = np.empty((count, length + 8))
    padded[:, :length] = matrices.reshape(count, length)
    return np.ascontiguousarray(padded[:, :length].T).reshape(*size, count)


def _shift_and_shape(
    mean_p: ArrayLike, p: Array, mean_q: ArrayLike, q: Array, name_q: str
) -> tuple[Array, tuple[int, ...]]:
    """Return the difference of the means as columns, and what the leading axes broadcast to."""
    dimension = p.shape[-1]
    if q.shape[-1] != dimension:
        raise ValueError(f"{name_q} must have shape (..., {dimension}, {dimension}), got {q.shape}")
    mu_p, mu_q = _as_mean("mean_p", mean_p, dimension), _as_mean("mean_q", mean_q, dimension)
    leading = mu_p.shape[:-1], p.shape[:-2], mu_q.shape[:-1], q.shape[:-2]
    try:
        return (mu_p - mu_q)[..., np.newaxis], np.broadcast_shapes(*leading)
    except ValueError:
        raise ValueError(f"the leading axes of the arguments must broadcast, got shapes {leading}") from None


def _as_mean(name: str, value: ArrayLike, dimension: int) -> Array:
    mean = as_finite(name, value)
    if mean.ndim == 0 or mean.shape[-1] != dimension:
        raise ValueError(f"{name} must have shape (..., {dimension}), got {mean.shape}")
    return mean


def _as_matrices(name: str, value: ArrayLike) -> Array:
    matrices = as_finite(name, value)
    if matrices.ndim < 2 or matrices.shape[-1] != matrices.shape[-2] or matrices.shape[-1] == 0:
        raise ValueError(f"{name} must have shape (..., d, d), got {matrices.shape}")
    return matrices


def _as_factor(name: str, value: ArrayLike) -> Array:
    factor = _as_matrices(name, value)
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


def _as_covariance(name: str, value: ArrayLike) -> Array:
    """Return the symmetric part of what is symmetric but for rounding."""
    covariance = _as_matrices(name, value)
    transposed = covariance.swapaxes(-1, -2)
    if np.array_equal(covariance, transposed):
        return covariance
    largest = np.max(np.abs(covariance), axis=(-2, -1), keepdims=True)
    bad = np.abs(covariance - transposed) > 1e-9 * largest
    if np.any(bad):
        entry, other = covariance[bad][0], transposed[bad][0]
        raise ValueError(f"{name} must be symmetric, got {entry} across the diagonal from {other}")
    return 0.5 * (covariance + transposed)
