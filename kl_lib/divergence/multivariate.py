"""Closed forms between multivariate distributions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import solve_triangular

from kl_lib.divergence.distributions import Parameters
from kl_lib.divergence.registry import ClosedValue, register_kl
from kl_lib.numerics import phi, phi_square_ratio
from kl_lib.validation import Array, as_finite, as_positive

# So many systems at a time that all of them stay in the cache.
_BLOCK = 256
# From this dimension on one system fills the cache.
_LARGE = 64


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
    >>> kl_normal_cholesky(np.zeros(2), np.eye(2), np.ones(2), np.eye(2))
    1.0
    >>> kl_normal_cholesky(np.zeros((5, 2)), np.eye(2), np.zeros(2), 2 * np.eye(2)).shape
    (5,)
    """
    factor_p, factor_q = _as_factor("chol_p", chol_p), _as_factor("chol_q", chol_q)
    dimension = factor_p.shape[-1]
    if factor_q.shape[-1] != dimension:
        raise ValueError(f"chol_q must have shape (..., {dimension}, {dimension}), got {factor_q.shape}")
    mu_p, mu_q = _as_mean("mean_p", mean_p, dimension), _as_mean("mean_q", mean_q, dimension)
    leading = (mu_p.shape[:-1], factor_p.shape[:-2], mu_q.shape[:-1], factor_q.shape[:-2])
    try:
        np.broadcast_shapes(*leading)
    except ValueError:
        raise ValueError(f"the leading axes of the arguments must broadcast, got shapes {leading}") from None
    value = _kl_factors(mu_p - mu_q, factor_p, factor_q)
    return value if np.ndim(value) else float(value)


def _kl_factors(difference: Array, factor_p: Array, factor_q: Array) -> Array:
    excess, shift = factor_p - factor_q, difference[..., np.newaxis]
    if excess.shape[:-2] == shift.shape[:-2]:
        solved = solve_lower(factor_q, np.concatenate([excess, shift], axis=-1))
        excess, shift = solved[..., :-1], solved[..., -1]
    else:
        excess, shift = solve_lower(factor_q, excess), solve_lower(factor_q, shift)[..., 0]
    below = np.sum(np.tril(excess, -1) ** 2, axis=(-2, -1))
    diagonals = (np.diagonal(factor, axis1=-2, axis2=-1) for factor in (factor_p, factor_q))
    value: Array = below + np.sum(phi_square_ratio(*diagonals), axis=-1) + np.sum(shift**2, axis=-1)
    return 0.5 * value


@register_kl("multivariate_normal", "multivariate_normal")
def kl_multivariate_normal(p: Parameters, q: Parameters) -> ClosedValue:
    """½[Σ φ(eᵢ) + ‖Lq⁻¹Δμ‖²], where e are the eigenvalues of Lq⁻¹(Σp − Σq)Lq⁻ᵀ.

    Where p is much narrower than q some way, eᵢ → −1 loses the small determinant: there Σ φ(eᵢ) is
    taken as the trace less the logarithms of the factors' diagonals.
    """
    half = solve_lower(q.factor, p.cov - q.cov)
    excess = solve_lower(q.factor, half.T)
    eigenvalues = np.linalg.eigvalsh(excess)
    shift = solve_lower(q.factor, (p.mean - q.mean)[:, np.newaxis])
    if np.all(eigenvalues > -0.5):
        scatter = np.sum(phi(eigenvalues))
    else:
        scatter = np.trace(excess) - 2 * np.sum(np.log(np.diag(p.factor) / np.diag(q.factor)))
    return 0.5 * (scatter + np.sum(shift**2))


def solve_lower(factor: Array, right: Array) -> Array:
    """Solve factor @ x = right by forward substitution, (..., d, d), (..., d, k) → (..., d, k).

    Unlike a general solver it never exchanges rows, which keeps each entry accurate however the rows
    are scaled.
    """
    size = factor.shape[-1]
    if factor.ndim == 2:
        columns = np.moveaxis(right, -2, 0)
        solved = solve_triangular(factor, columns.reshape(size, -1), lower=True, check_finite=False)
        return np.moveaxis(solved.reshape(columns.shape), 0, -2)
    shape = np.broadcast_shapes(factor.shape[:-2], right.shape[:-2])
    factors = np.broadcast_to(factor, (*shape, size, size)).reshape(-1, size, size)
    x = np.broadcast_to(right, shape + right.shape[-2:]).reshape(-1, *right.shape[-2:]).copy()
    if size >= _LARGE:
        for one, single in zip(x, factors, strict=True):
            one[:] = solve_triangular(single, one, lower=True, check_finite=False)
    else:
        for start in range(0, len(x), _BLOCK):
            block = slice(start, start + _BLOCK)
            x[block] = _solve_block(factors[block], x[block])
    return x.reshape(shape + right.shape[-2:])


def _solve_block(factors: Array, right: Array) -> Array:
    """Solve for all of a batch at once, which comes last in memory: (n, d, d), (n, d, k) → (n, d, k)."""
    factors, x = (np.ascontiguousarray(np.moveaxis(side, 0, -1)) for side in (factors, right))
    for i, row in enumerate(x):
        row -= np.einsum("jn,jkn->kn", factors[i, :i], x[:i])
        row /= factors[i, i]
    return np.moveaxis(x, -1, 0)


def _as_mean(name: str, value: ArrayLike, dimension: int) -> Array:
    mean = as_finite(name, value)
    if mean.ndim == 0 or mean.shape[-1] != dimension:
        raise ValueError(f"{name} must have shape (..., {dimension}), got {mean.shape}")
    return mean


def _as_factor(name: str, value: ArrayLike) -> Array:
    factor = as_finite(name, value)
    if factor.ndim < 2 or factor.shape[-1] != factor.shape[-2]:
        raise ValueError(f"{name} must have shape (..., d, d), got {factor.shape}")
    above = np.triu(factor, 1)
    if np.any(above):
        raise ValueError(
            f"{name} must be lower triangular, got {above[above != 0].flat[0]} above the diagonal"
        )
    as_positive(f"the diagonal of {name}", np.diagonal(factor, axis1=-2, axis2=-1))
    return factor
