"""Triangular systems and factors, many at once: the index of the system comes last in memory.

Every entry is computed in the order of the textbook, without exchanging rows, which keeps it accurate
however the rows are scaled.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg.blas import dtrsm

from kl_lib.types import Array

# From this size on, one matrix is split in two, so that most of the work is done by matrix products.
_LARGE = 32


def solve_lower(factor: Array, right: Array) -> Array:
    """Solve factor @ x = right by forward substitution.

    Parameters
    ----------
    factor
        Lower triangular, (d, d, n).
    right
        (d, k, n).

    Returns
    -------
    ndarray
        x, (d, k, n).

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics import solve_lower
    >>> factor = np.array([[2.0, 0.0], [1.0, 1.0]])
    >>> solve_lower(factor[..., np.newaxis], np.ones((2, 1, 1)))[:, 0, 0]
    array([0.5, 0.5])
    """
    if factor.shape[-1] == 1:
        return _solve_one(factor[..., 0], right[..., 0])[..., np.newaxis]
    x = right.copy()
    for i, row in enumerate(x):
        row -= np.einsum("jn,jkn->kn", factor[i, :i], x[:i])
        row /= factor[i, i]
    return x


def _solve_one(factor: Array, right: Array) -> Array:
    """Solve for x, (d, d), (d, k) → (d, k): xᵀ factorᵀ = rightᵀ, whose arrays lie in memory as BLAS wants."""
    x: Array = dtrsm(1.0, factor.T, right.T, side=1).T
    return x


def excess_factor(excess: Array) -> Array:
    """Return the lower triangular F with (I + F)(I + F)ᵀ = I + excess, from the excess alone.

    Cholesky's method, with the 1 of each pivot kept apart from what is small beside it. A pivot below ¼ is
    taken as ¼.

    Parameters
    ----------
    excess
        Symmetric, (d, d, n); only the lower triangle is read.

    Returns
    -------
    ndarray
        F, (d, d, n).

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics import excess_factor
    >>> excess = 1e-20 * np.array([[2.0, 0.0], [1.0, 4.0]])
    >>> excess_factor(excess[..., np.newaxis])[..., 0]
    array([[1.e-20, 0.e+00],
           [1.e-20, 2.e-20]])
    """
    if excess.shape[-1] == 1:
        return _excess_factor_in_halves(excess[..., 0])[..., np.newaxis]
    return _excess_factor_by_columns(excess)


def _excess_factor_by_columns(excess: Array) -> Array:
    factor = np.zeros_like(excess)
    for j in range(len(excess)):
        column = excess[j:, j] - np.einsum("ik...,k...->i...", factor[j:, :j], factor[j, :j])
        pivot = np.maximum(column[0], -0.75)
        root = np.sqrt(1 + pivot)
        column[0] = pivot / (1 + root)
        column[1:] /= root
        factor[j:, j] = column
    return factor


def _excess_factor_in_halves(excess: Array) -> Array:
    """Factor the leading half, then what the rows below it leave, (d, d)."""
    if len(excess) <= _LARGE:
        return _excess_factor_by_columns(excess)
    half, factor = len(excess) // 2, np.zeros_like(excess)
    first = _excess_factor_in_halves(excess[:half, :half])
    rows = _solve_one(first + np.eye(half), excess[half:, :half].T).T
    rest = excess[half:, half:] - rows @ rows.T
    factor[:half, :half], factor[half:, :half] = first, rows
    factor[half:, half:] = _excess_factor_in_halves(rest)
    return factor
