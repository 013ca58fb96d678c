"""The textbook formula of each family, evaluated by mpmath with digits to spare.

Sixty digits lose half of them at distance 1e-15 and still leave thirty. Floats are taken as exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mpmath as mp
import numpy as np

mp.mp.dps = 60

Numbers = Sequence[Any]
Truth = Callable[[Numbers, Numbers], Any]


def exact(parameters: Numbers) -> list[Any]:
    """Return the parameters as mpmath numbers, arrays as nested lists of them."""
    return [
        mp.mpf(x) if np.ndim(x) == 0 else exact(np.asarray(x).tolist()) if np.ndim(x) == 1 else mp.matrix(x)
        for x in parameters
    ]


def normal(p: Numbers, q: Numbers) -> Any:
    """Means and standard deviations."""
    (mean_p, s_p), (mean_q, s_q) = p, q
    return mp.log(s_q / s_p) + (s_p**2 + (mean_p - mean_q) ** 2) / (2 * s_q**2) - mp.mpf(1) / 2


def half_normal(p: Numbers, q: Numbers) -> Any:
    """Scales."""
    return normal((mp.mpf(0), p[0]), (mp.mpf(0), q[0]))


def exponential(p: Numbers, q: Numbers) -> Any:
    """Scales."""
    return mp.log(q[0] / p[0]) + p[0] / q[0] - 1


def gamma(p: Numbers, q: Numbers) -> Any:
    """Shapes and scales."""
    (a_p, s_p), (a_q, s_q) = p, q
    shapes = (a_p - a_q) * mp.digamma(a_p) - mp.loggamma(a_p) + mp.loggamma(a_q)
    return shapes + a_q * mp.log(s_q / s_p) + a_p * (s_p / s_q - 1)


def dirichlet(p: Numbers, q: Numbers) -> Any:
    """Arrays of concentrations."""
    (a_p,), (a_q,) = p, q
    total_p, total_q = mp.fsum(a_p), mp.fsum(a_q)
    value = mp.loggamma(total_p) - mp.loggamma(total_q)
    for x, y in zip(a_p, a_q, strict=True):
        value += mp.loggamma(y) - mp.loggamma(x) + (x - y) * (mp.digamma(x) - mp.digamma(total_p))
    return value


def beta(p: Numbers, q: Numbers) -> Any:
    """Both shapes."""
    return dirichlet((p,), (q,))


def laplace(p: Numbers, q: Numbers) -> Any:
    """Locations and scales."""
    (mean_p, b_p), (mean_q, b_q) = p, q
    distance = abs(mean_p - mean_q)
    return mp.log(b_q / b_p) + (b_p * mp.exp(-distance / b_p) + distance) / b_q - 1


def pareto(p: Numbers, q: Numbers) -> Any:
    """Shapes, for equal scales."""
    return mp.log(p[0] / q[0]) + q[0] / p[0] - 1


def weibull(p: Numbers, q: Numbers) -> Any:
    """Shapes and scales."""
    (k_p, s_p), (k_q, s_q) = p, q
    logs = mp.log(k_p / k_q) - k_p * mp.log(s_p) + k_q * mp.log(s_q)
    power = (s_p / s_q) ** k_q * mp.gamma(k_q / k_p + 1)
    return logs + (k_p - k_q) * (mp.log(s_p) - mp.euler / k_p) + power - 1


def gumbel(p: Numbers, q: Numbers) -> Any:
    """Locations and scales."""
    (mean_p, b_p), (mean_q, b_q) = p, q
    ratio = b_p / b_q
    power = mp.exp((mean_q - mean_p) / b_q) * mp.gamma(ratio + 1)
    return -mp.log(ratio) + mp.euler * (ratio - 1) + power - 1 + (mean_p - mean_q) / b_q


def cauchy(p: Numbers, q: Numbers) -> Any:
    """Locations and scales."""
    (mean_p, s_p), (mean_q, s_q) = p, q
    return mp.log(((s_p + s_q) ** 2 + (mean_p - mean_q) ** 2) / (4 * s_p * s_q))


def poisson(p: Numbers, q: Numbers) -> Any:
    """Means."""
    return p[0] * mp.log(p[0] / q[0]) - p[0] + q[0]


def categorical(p: Numbers, q: Numbers) -> Any:
    """Weights, which stand for themselves over their sum."""
    (w_p,), (w_q,) = p, q
    total_p, total_q = mp.fsum(w_p), mp.fsum(w_q)
    return mp.fsum(x / total_p * mp.log((x / total_p) / (y / total_q)) for x, y in zip(w_p, w_q, strict=True))


def bernoulli(p: Numbers, q: Numbers) -> Any:
    """Probabilities."""
    return categorical(([p[0], 1 - p[0]],), ([q[0], 1 - q[0]],))


def geometric(p: Numbers, q: Numbers) -> Any:
    """Probabilities."""
    return bernoulli(p, q) / p[0]


def normal_cholesky(p: Numbers, q: Numbers) -> Any:
    """Means, and lower triangular factors of the covariances."""
    (mean_p, chol_p), (mean_q, chol_q) = p, q
    size = chol_p.rows
    inverse = chol_q**-1
    ratio, shift = inverse * chol_p, inverse * (mp.matrix(mean_p) - mp.matrix(mean_q))
    logs = mp.fsum(mp.log(chol_q[i, i] / chol_p[i, i]) for i in range(size))
    return logs + (mp.fsum(x**2 for x in ratio) + mp.fsum(x**2 for x in shift) - size) / 2
