"""Closed forms between multivariate distributions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from kl_lib.checks import as_finite, check_aligned
from kl_lib.divergence.covariances import (
    Covariance,
    as_factor,
    as_symmetric,
    factor_of,
    on_support,
    share_support,
)
from kl_lib.divergence.distributions import Parameters, float_or_array
from kl_lib.divergence.registry import ClosedValue, register_kl
from kl_lib.numerics import excess_factor, gamma_bregman, in_blocks, phi, phi_square_ratio, solve_lower
from kl_lib.types import Array

# So many entries of matrices at a time that all that is computed of them stays in the cache.
_BLOCK = 1 << 17
# Fewer matrices are faster one by one.
_FEW = 128
# Where a pivot falls below this, or a scatter is beyond that, the logs of the determinants are taken.
_NARROW, _WIDE = -0.5, 1e150


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
        If a factor is not lower triangular with a positive diagonal, a number is not finite, the shapes do
        not match, or the arguments have labels, as in pandas, that differ.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import kl_normal_cholesky
    >>> kl_normal_cholesky(np.zeros(2), np.eye(2), np.ones(2), np.eye(2))
    1.0
    >>> kl_normal_cholesky(np.zeros((5, 2)), np.eye(2), np.zeros(2), 2 * np.eye(2)).shape
    (5,)
    """
    check_aligned(mean_p=mean_p, chol_p=chol_p, mean_q=mean_q, chol_q=chol_q)
    factor_p, factor_q = as_factor("chol_p", chol_p), as_factor("chol_q", chol_q)
    shift, shape = _shift_and_shape(mean_p, factor_p, mean_q, factor_q, "chol_q")
    value = _by_blocks(_kl_from_factors, shape, shift, factor_p, factor_q)
    return float_or_array(value)


def _kl_from_factors(shift: Array, factor_p: Array, factor_q: Array) -> Array:
    """Take the index of the pair last: (d, 1, n), (d, d, n), (d, d, n) → (n,)."""
    return _half(_scatter_of_factors(factor_p, factor_q), solve_lower(factor_q, shift))


def _scatter_of_factors(factor_p: Array, factor_q: Array) -> Array:
    """Return tr T − d − log det T for T = Lq⁻¹ Lp Lpᵀ Lq⁻ᵀ, (d, d, n), (d, d, n) → (n,)."""
    below = _or_infinite(_squares_below(solve_lower(factor_q, factor_p - factor_q)))
    scatter: Array = np.sum(phi_square_ratio(_diagonal(factor_p), _diagonal(factor_q)), axis=0) + below
    return scatter


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
        finite, the shapes do not match, or the arguments have labels, as in pandas, that differ.

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
    check_aligned(mean_p=mean_p, cov_p=cov_p, mean_q=mean_q, cov_q=cov_q)
    sigma_p, sigma_q = as_symmetric("cov_p", cov_p), as_symmetric("cov_q", cov_q)
    shift, shape = _shift_and_shape(mean_p, sigma_p, mean_q, sigma_q, "cov_q")
    factor_p, factor_q = factor_of("cov_p", sigma_p), factor_of("cov_q", sigma_q)
    value = _by_blocks(_kl_from_covariances, shape, shift, sigma_p, factor_p, sigma_q, factor_q)
    return float_or_array(value)


def _kl_from_covariances(shift: Array, cov_p: Array, factor_p: Array, cov_q: Array, factor_q: Array) -> Array:
    """Take the index of the pair last: (d, 1, n), (d, d, n), … → (n,)."""
    excess = solve_lower(factor_q, solve_lower(factor_q, cov_p - cov_q).swapaxes(0, 1))
    log_ratio = np.sum(np.log(_diagonal(factor_p) / _diagonal(factor_q)), axis=0)
    return _half(_scatter_of_excess(excess, log_ratio), solve_lower(factor_q, shift))


def _scatter_of_excess(excess: Array, log_ratio: Array) -> Array:
    """Return tr T − d − log det T from T − I and ½ log det T, (d, d, n), (n,) → (n,)."""
    wide = ~np.all(np.abs(excess) < _WIDE, axis=(0, 1))
    below, pivots = _pivots(np.where(wide, 0.0, excess))
    near = below + np.sum(phi(pivots), axis=0)
    # Where p is much narrower than q some way, a pivot close to −1 has lost the small determinant.
    plain = np.sum(_diagonal(excess), axis=0) - 2 * log_ratio
    return _or_infinite(np.where(wide | ~np.all(pivots > _NARROW, axis=0), plain, near))


def _or_infinite(value: Array) -> Array:
    """Return inf for nan, which comes of what has overflowed, times 0 or less itself."""
    return np.where(np.isnan(value), np.inf, value)


def _pivots(excess: Array) -> tuple[Array, Array]:
    """Return Σ_{i>j} F²ᵢⱼ, (n,), and the squares on the diagonal of I + F less 1, (d, n)."""
    factor = excess_factor(excess)
    return _squares_below(factor), _diagonal(factor) * (2 + _diagonal(factor))


def _half(scatter: Array, shift: Array) -> Array:
    return 0.5 * (scatter + _or_infinite(_squares(shift)))


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
    """½[scatter + ‖A_q⁻¹(μp − μq)‖²] on the support of both; inf where they have not the same."""
    first, second = p.covariance, q.covariance
    shift, size = (p.mean - q.mean)[:, np.newaxis], np.maximum(np.abs(p.mean), np.abs(q.mean))
    if not share_support(first, second, shift, size):
        return np.inf
    squares = _or_infinite(np.sum(second.whitened(shift) ** 2))
    return 0.5 * (_scatter(*on_support(first, second)) + squares)


def _scatter(p: Covariance, q: Covariance) -> float:
    """Return tr T − r − log det T for T = A_q⁻¹ Σp A_q⁻ᵀ, by what both were given by."""
    if p.triangular and q.triangular and not p.kind == q.kind == "matrix":
        return float(_scatter_of_factors(p.factor[..., np.newaxis], q.factor[..., np.newaxis])[0])
    return _scatter_of_one(_excess(p, q), p.log_volume - q.log_volume)


def _excess(p: Covariance, q: Covariance) -> Array:
    """Return T − I, or what has the same scatter, from the difference of what was given."""
    if p.kind == q.kind == "matrix":
        return q.whitened(q.whitened(p.matrix - q.matrix).T)
    if p.kind == q.kind == "precision":
        return np.asarray(p.factor.T @ (q.matrix - p.matrix) @ p.factor)
    ratio = q.whitened((p.factor - q.factor) + (p.lost - q.lost))
    return ratio + ratio.T + ratio @ ratio.T


def _scatter_of_one(excess: Array, log_ratio: float) -> float:
    return float(_scatter_of_excess(excess[..., np.newaxis], np.array([log_ratio]))[0])


@register_kl("wishart", "wishart")
def kl_wishart(p: Parameters, q: Parameters) -> ClosedValue:
    """½ nq (tr T − d − log det T) + Σⱼ [B_g(nq/2 − j/2, np/2 − j/2) + …], T = np/nq Sq⁻¹ Sp.

    In each of d dimensions the shapes n/2 − j/2 of gamma distributions, j < d, add B_g and, since T takes
    n/2 for all of them, (j/2) φ(y) − (nq/2) φ((j/nq) y), y = (nq − np)/(np − j).
    """
    d = len(p.covariance.factor)
    ratio, growth = p.df / q.df, (p.df - q.df) / q.df
    excess = ratio * _excess(p.covariance, q.covariance) + growth * np.eye(d)
    log_ratio = p.covariance.log_volume - q.covariance.log_volume + 0.5 * d * np.log(ratio)
    lag = 0.5 * np.arange(d)
    half_p, half_q = 0.5 * p.df, 0.5 * q.df
    shapes = gamma_bregman(half_q - lag, half_p - lag)
    change = (half_q - half_p) / (half_p - lag)
    shapes += lag * phi(change) - half_q * phi(lag / half_q * change)
    return half_q * _scatter_of_one(excess, log_ratio) + np.sum(shapes)


@register_kl("invwishart", "invwishart")
def kl_inverse_wishart(p: Parameters, q: Parameters) -> ClosedValue:
    """Return that of the inverses, whose T has the eigenvalues of the one with the scales exchanged."""
    return kl_wishart(
        Parameters(df=p.df, covariance=q.covariance), Parameters(df=q.df, covariance=p.covariance)
    )


@register_kl("matrix_normal", "matrix_normal")
def kl_matrix_normal(p: Parameters, q: Parameters) -> ClosedValue:
    """Return that of the normal distributions of all entries, whose covariances are V ⊗ U.

    The factor of a product of T's is the product of their factors, entry by entry.
    """
    rows = len(p.mean)
    # Only V ⊗ U is determined: a power of 2 from V to U makes det T of the rows about 1.
    power = -np.rint(2 * (p.rows.log_volume - q.rows.log_volume) / (rows * np.log(2)))
    first, second = p.rows.times_power(power), p.columns.times_power(-power)
    excess = _excess(first, q.rows), _excess(second, q.columns)
    scatter = _scatter_of_product(
        *excess, first.log_volume - q.rows.log_volume, second.log_volume - q.columns.log_volume
    )
    shift = q.columns.whitened(q.rows.whitened(p.mean - q.mean).T)
    return 0.5 * (scatter + np.sum(shift**2))


def _scatter_of_product(first: Array, second: Array, log_first: float, log_second: float) -> float:
    """Return tr T − nm − log det T for T = T₂ ⊗ T₁ from T₁ − I, (n, n), and T₂ − I, (m, m)."""
    (below, pivots), (below_2, pivots_2) = (_pivots(part[..., np.newaxis]) for part in (first, second))
    both = pivots + pivots_2.T + pivots * pivots_2.T
    if min(pivots.min(), pivots_2.min(), both.min()) > _NARROW:
        across = below * np.sum(1 + pivots_2) + below_2 * np.sum(1 + pivots) + below * below_2
        return float(np.sum(phi(both)) + across[0])
    trace, trace_2 = np.trace(first), np.trace(second)
    n, m = len(first), len(second)
    return float(m * trace + n * trace_2 + trace * trace_2 - 2 * (m * log_first + n * log_second))


def _by_blocks(function: Callable[..., Array], shape: tuple[int, ...], *stacks: Array) -> Array:
    """Call `function` for blocks of matrices (..., d, k), broadcast to `shape` and their index put last."""
    flat = [np.broadcast_to(x, shape + x.shape[-2:]).reshape(-1, *x.shape[-2:]) for x in stacks]
    count = _BLOCK // stacks[-1].shape[-1] ** 2
    if count < _FEW:
        count = 1
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # the divergence may be inf
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
