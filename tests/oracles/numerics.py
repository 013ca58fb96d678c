"""The functions of `kl_lib.numerics` by their plain definitions, in mpmath with digits to spare."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np

mp = mpmath.mp.clone()
mp.dps = 120
mp_long = mpmath.mp.clone()  # room for ratios from 1e-200 to 1e200
mp_long.dps = 450


def worst_error(got: Any, reference: Callable[..., Any], *arguments: Any) -> float:
    """Return the largest relative error of `got` against the exact function of the same floats."""
    columns = np.broadcast_arrays(*arguments)
    errors = []
    for value, *floats in zip(np.ravel(got), *map(np.ravel, columns), strict=True):
        exact = reference(*(mp.mpf(float(x)) for x in floats))
        errors.append(abs(mp.mpf(float(value)) / exact - 1) if exact else abs(float(value)))
    return float(max(errors))


def phi(delta: Any) -> Any:
    return delta - mp_long.log(mp_long.fadd(1, delta))


def expm1x(w: Any) -> Any:
    return mp.expm1(w) - w


def phi_ratio(x: Any, y: Any) -> Any:
    return phi(mp_long.fdiv(x, y) - 1)


def phi_square_ratio(x: Any, y: Any) -> Any:
    return phi(mp_long.fdiv(x, y) ** 2 - 1)


def phi_product_ratio(a: Any, b: Any, c: Any, d: Any) -> Any:
    return phi_ratio(a * b, c * d)


def kl_term(p: Any, q: Any) -> Any:
    return p * phi_ratio(q, p)


def log_ratio(x: Any, y: Any) -> Any:
    return mp.log(x / y)


def gamma_curvature(a: Any) -> Any:
    return a * a * mp.psi(1, a) - a


def stirling_coefficients(first: float, count: int) -> list[float]:
    """Return c₀ = 1/6, c₁, … with a² g″(a) = ½ + Σ cₖ a^{−2k−1} at Chebyshev's points 1/a² < 1/first²."""
    points = [(1 + mp.cos(mp.pi * (2 * i + 1) / (2 * count - 2))) / (2 * first**2) for i in range(count - 1)]

    def rest(x: Any) -> Any:
        a = 1 / mp.sqrt(x)
        return ((gamma_curvature(a) - 0.5) * a - mp.mpf(1) / 6) / x

    matrix = mp.matrix([[x**k for k in range(count - 1)] for x in points])
    return [1 / 6, *map(float, mp.lu_solve(matrix, mp.matrix([rest(x) for x in points])))]


def stirling_remainder(a: Any) -> Any:
    return mp.loggamma(a) - (a - 0.5) * mp.log(a) + a - mp.log(2 * mp.pi) / 2


def gamma_bregman(x: Any, y: Any) -> Any:
    def g(a: Any) -> Any:
        return mp.loggamma(a) - a * mp.log(a) + a

    return g(x) - g(y) - (mp.digamma(y) - mp.log(y)) * (x - y)


def beta_bregman(a_p: Any, b_p: Any, a_q: Any, b_q: Any) -> Any:
    return gamma_bregman(a_q, a_p) + gamma_bregman(b_q, b_p) - gamma_bregman(a_q + b_q, a_p + b_p)


def beta_bregman_of_step(a: Any, b: Any, step: Any) -> Any:
    """Return the leading term where b alone moves, by a step beside which it is huge."""
    return step**2 / 2 * ((mp.psi(1, b) - 1 / b) - (mp.psi(1, a + b) - 1 / (a + b)))


def gumbel_divergence(shift: Any, x: Any, y: Any) -> Any:
    kappa = x / y
    return mp.exp(shift + mp.loggamma(1 + kappa)) - 1 - shift - mp.log(kappa) + mp.euler * (kappa - 1)


def bessel_ratio(x: Any) -> Any:
    return mp.besseli(1, x) / mp.besseli(0, x)


def bessel_bregman(x: Any, y: Any) -> Any:
    return mp.log(mp.besseli(0, x) / mp.besseli(0, y)) - bessel_ratio(y) * (x - y)
