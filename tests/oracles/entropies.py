"""Entropies by their textbook formulas, or as sums, in mpmath with digits to the ends of the range."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np

mp = mpmath.mp.clone()
mp.dps = 700
mp_sum = mpmath.mp.clone()
mp_sum.dps = 40

log, lgamma, psi, half = mp.log, mp.loggamma, mp.digamma, mp.mpf(0.5)


def gamma(a: Any, s: Any = 1) -> Any:
    return a + log(s) + lgamma(a) + (1 - a) * psi(a)


def log_beta(a: Any, b: Any) -> Any:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def beta(a: Any, b: Any) -> Any:
    return log_beta(a, b) - (a - 1) * psi(a) - (b - 1) * psi(b) + (a + b - 2) * psi(a + b)


def f_ratio(m: Any, n: Any) -> Any:
    a, b = m / 2, n / 2
    mean_log = psi(b) - psi(a + b)  # of 1 − y, where y is a beta variable
    return beta(a, b) + log(b / a) - 2 * mean_log


def student(df: Any) -> Any:
    return half * log(df) + log_beta(half, df / 2) + (df + 1) / 2 * (psi((df + 1) / 2) - psi(df / 2))


def von_mises(kappa: Any) -> Any:
    with mp.workdps(40):
        ratio = mp.hyp0f1(2, kappa**2 / 4) * kappa / 2 / mp.hyp0f1(1, kappa**2 / 4)
        return log(2 * mp.pi) + log(mp.hyp0f1(1, kappa**2 / 4)) - kappa * ratio


def wishart(n: Any, d: int, power: int) -> Any:
    """Return that of a Wishart matrix of scale I, or with `power` −1 of its inverse, from E log |W|."""
    shapes = [(n - j) / 2 for j in range(d)]
    log_gamma = sum(map(lgamma, shapes)) + log(mp.pi) * d * (d - 1) / 4
    mean_log = sum(map(psi, shapes)) + d * log(2)
    entropy = n * d / 2 * (1 + log(2)) + log_gamma - (n - d - 1) / 2 * mean_log
    return entropy - (d + 1) * mean_log if power < 0 else entropy


def multivariate_student(df: Any, d: int) -> Any:
    whole = (df + d) / 2
    return d * half * log(df * mp.pi) + lgamma(df / 2) - lgamma(whole) + whole * (psi(whole) - psi(df / 2))


def von_mises_fisher(kappa: Any, d: int) -> Any:
    with mp.workdps(60):
        v = mp.mpf(d) / 2 - 1
        first, second = mp.besseli(v, kappa), mp.besseli(v + 1, kappa)
        return mp.mpf(d) / 2 * log(2 * mp.pi) + log(first) - v * log(kappa) - kappa * second / first


def trial(p: Any) -> Any:
    return sum(-w * log(w) for w in (p, 1 - p) if w > 0)


def close(value: float, exact: Any, tolerance: float) -> bool:
    return bool(abs(mp.mpf(value) - exact) <= tolerance * max(1, abs(exact)))


def truncated_normal(a: float, b: float) -> Any:
    """Return log Z + ½ E[x²] + ½ log 2π over [a, b], with Z from the nearer tail."""
    with mp.workdps(80):
        lower, upper = (mp.mpf(x) for x in ((a, b) if a + b > 0 else (-b, -a)))

        def tail(x: Any) -> Any:
            return mp.erfc(x / mp.sqrt(2)) / 2

        def moment(x: Any) -> Any:
            return x * mp.npdf(x) if mp.isfinite(x) else mp.mpf(0)

        mass = tail(lower) - tail(upper)
        square = 1 + (moment(lower) - moment(upper)) / mass
        return log(mass) + square / 2 + log(2 * mp.pi) / 2


def summed(log_mass: Callable[[int], Any], mean: float, reach: float, last: float = np.inf) -> Any:
    points = range(int(max(mean - reach, 0)), int(min(mean + reach, last)) + 1)
    return mp_sum.fsum(-mp_sum.exp(x) * x for x in map(log_mass, points))


def poisson(mean: float) -> Any:
    m = mp_sum.mpf(mean)
    return summed(lambda k: k * mp_sum.log(m) - m - mp_sum.loggamma(k + 1), mean, 15 * np.sqrt(mean) + 60)


def binomial(n: int, p: float) -> Any:
    x, y = mp_sum.mpf(p), 1 - mp_sum.mpf(p)
    whole = mp_sum.loggamma(n + 1)

    def log_mass(k: int) -> Any:
        ways = whole - mp_sum.loggamma(k + 1) - mp_sum.loggamma(n - k + 1)
        return ways + k * mp_sum.log(x) + (n - k) * mp_sum.log(y)

    return summed(log_mass, n * p, 15 * np.sqrt(n * p * (1 - p)) + 60, n)


def negative_binomial(n: float, p: float) -> Any:
    x, y, gamma_n = mp_sum.mpf(p), 1 - mp_sum.mpf(p), mp_sum.loggamma(n)

    def log_mass(k: int) -> Any:
        ways = mp_sum.loggamma(k + mp_sum.mpf(n)) - mp_sum.loggamma(k + 1) - gamma_n
        return ways + n * mp_sum.log(x) + k * mp_sum.log(y)

    return summed(log_mass, n * (1 - p) / p, (15 * np.sqrt(n * (1 - p)) + 60) / p)


def kl_beta(*shapes: float) -> Any:
    a, b, c, d = map(mp.mpf, shapes)
    slopes = (a - c) * mp.psi(0, a) + (b - d) * mp.psi(0, b) + (c - a + d - b) * mp.psi(0, a + b)
    return log_beta(c, d) - log_beta(a, b) + slopes
