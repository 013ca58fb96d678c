"""Divergences of normal and Wishart distributions from covariances given in every way, in mpmath."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np

mp = mpmath.mp.clone()
mp.dps = 60


def exact(values: Any) -> Any:
    return mp.matrix([[mp.mpf(float(x)) for x in row] for row in np.atleast_2d(values)])


def exact_covariance(kind: str, given: Any) -> Any:
    if kind == "eigendecomposition":
        vectors = exact(given[1])
        return vectors * exact(np.diag(given[0])) * vectors.T
    if kind == "cholesky":
        return exact(given) * exact(given).T
    return (
        mp.inverse(exact(given))
        if kind == "precision"
        else exact(np.diag(given) if kind == "diagonal" else given)
    )


def scatter(cov_p: Any, cov_q: Any) -> Any:
    ratio = mp.inverse(cov_q) * cov_p
    return mp.fsum(ratio[i, i] for i in range(ratio.rows)) - ratio.rows - mp.log(mp.det(ratio))


def normal(mean_p: Any, cov_p: Any, mean_q: Any, cov_q: Any) -> Any:
    shift = exact(np.subtract(mean_p, mean_q)).T
    return (scatter(cov_p, cov_q) + (shift.T * mp.inverse(cov_q) * shift)[0]) / 2


def error(value: Any, reference: Any) -> float:
    return float(abs(mp.mpf(float(value)) / reference - 1))


def wishart(df_p: float, cov_p: Any, df_q: float, cov_q: Any) -> Any:
    d, p, q = cov_p.rows, mp.mpf(df_p) / 2, mp.mpf(df_q) / 2
    ratio = mp.inverse(cov_q) * cov_p
    trace = mp.fsum(ratio[i, i] for i in range(d))
    halves = [mp.mpf(j) / 2 for j in range(d)]
    shapes = mp.fsum(mp.loggamma(q - j) - mp.loggamma(p - j) + (p - q) * mp.digamma(p - j) for j in halves)
    return shapes - q * mp.log(mp.det(ratio)) + p * (trace - d)


def kronecker(first: Any, second: Any) -> Any:
    n = second.rows
    return mp.matrix(
        [
            [first[i // n, j // n] * second[i % n, j % n] for j in range(first.rows * n)]
            for i in range(first.rows * n)
        ]
    )
