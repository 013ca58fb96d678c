"""Divergences and entropies in mpmath, from textbook formulas at 70 digits; floats are taken as exact."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np

mp = mpmath.mp.clone()
mp.dps = 70


def exact(x: Any) -> Any:
    """Return a float, a list of floats or a matrix as mpmath's."""
    if np.ndim(x) == 2:
        return mp.matrix(np.asarray(x).tolist())
    return [mp.mpf(float(entry)) for entry in x] if np.ndim(x) else mp.mpf(float(x))


# p's parameters first.


def normal(m: Any, s: Any, n: Any, t: Any) -> Any:
    return mp.log(t / s) + (s**2 + (m - n) ** 2) / (2 * t**2) - mp.mpf(1) / 2


def exponential(x: Any, s: Any, y: Any, t: Any) -> Any:
    return mp.log(t / s) + (x - y + s) / t - 1 if x >= y else mp.inf


def laplace(m: Any, b: Any, n: Any, c: Any) -> Any:
    d = abs(m - n)
    return mp.log(c / b) + (b * mp.exp(-d / b) + d) / c - 1


def uniform(x: Any, v: Any, y: Any, w: Any) -> Any:
    ends = ((y, x), (x + v, y + w))
    slack = 4 * np.finfo(np.float64).eps
    inside = all(a - b <= slack * (abs(a) + abs(b) + abs(x) + abs(y)) for a, b in ends)
    return max(mp.log(w / v), mp.mpf(0)) if inside else mp.inf


def cauchy(m: Any, s: Any, n: Any, t: Any) -> Any:
    return mp.log(((s + t) ** 2 + (m - n) ** 2) / (4 * s * t))


def gumbel(m: Any, s: Any, n: Any, t: Any) -> Any:
    kappa, shift = s / t, (n - m) / t
    return mp.log(t / s) - shift + mp.euler * (kappa - 1) - 1 + mp.exp(shift + mp.loggamma(1 + kappa))


def gumbel_left(m: Any, s: Any, n: Any, t: Any) -> Any:
    return gumbel(-m, s, -n, t)


def weibull(k: Any, s: Any, c: Any, t: Any) -> Any:
    return gumbel_left(mp.log(s), 1 / k, mp.log(t), 1 / c)


def gamma(a: Any, s: Any, b: Any, t: Any) -> Any:
    return (a - b) * mp.digamma(a) - mp.loggamma(a) + mp.loggamma(b) + b * mp.log(t / s) + a * (s / t - 1)


def chi2(a: Any, s: Any, b: Any, t: Any) -> Any:
    return gamma(a / 2, s, b / 2, t)


def inverse_gamma(a: Any, s: Any, b: Any, t: Any) -> Any:
    return gamma(a, 1 / s, b, 1 / t)


def lognormal(s: Any, x: Any, t: Any, y: Any) -> Any:
    return normal(mp.log(x), s, mp.log(y), t)


def half_normal(x: Any, s: Any, y: Any, t: Any) -> Any:
    d = x - y
    moment = s**2 + d**2 + 2 * d * s * mp.sqrt(2 / mp.pi)
    return mp.log(t / s) + moment / (2 * t**2) - mp.mpf(1) / 2 if d >= 0 else mp.inf


def pareto(a: Any, x: Any, b: Any, y: Any) -> Any:
    return mp.log(a / b) + b * mp.log(x / y) + b / a - 1 if x >= y else mp.inf


def rayleigh(s: Any, t: Any) -> Any:
    return (s / t) ** 2 - 1 - 2 * mp.log(s / t)


def maxwell(s: Any, t: Any) -> Any:
    return mp.mpf(3) / 2 * rayleigh(s, t)


def von_mises(m: Any, k: Any, n: Any, c: Any) -> Any:
    with mp.workdps(mp.dps + 15):
        at_p, at_q, slope = mp.besseli(0, k), mp.besseli(0, c), mp.besseli(1, k)
        return mp.log(at_q / at_p) + slope / at_p * (k - c * mp.cos(m - n))


def beta(a: Any, b: Any, c: Any, d: Any) -> Any:
    return dirichlet(a, b, c, d)


def dirichlet(*parameters: Any) -> Any:
    alpha, beta = parameters[: len(parameters) // 2], parameters[len(parameters) // 2 :]
    total_p, total_q = mp.fsum(alpha), mp.fsum(beta)
    slope = mp.digamma(total_p)
    terms = ((a - b) * (mp.digamma(a) - slope) for a, b in zip(alpha, beta, strict=True))
    logs = mp.fsum(map(mp.loggamma, beta)) - mp.fsum(map(mp.loggamma, alpha))
    return mp.loggamma(total_p) - mp.loggamma(total_q) + logs + mp.fsum(terms)


def bernoulli(p: Any, q: Any) -> Any:
    return p * mp.log(p / q) + (1 - p) * mp.log((1 - p) / (1 - q))


def binomial(n: Any, p: Any, _: Any, q: Any) -> Any:
    return n * bernoulli(p, q)


def geometric(p: Any, q: Any) -> Any:
    return bernoulli(p, q) / p


def negative_binomial(n: Any, p: Any, _: Any, q: Any) -> Any:
    return n * bernoulli(p, q) / p


def poisson(a: Any, b: Any) -> Any:
    return a * mp.log(a / b) - a + b


def categorical(p: Any, q: Any) -> Any:
    """Return the divergence of weights, which stand for themselves over their sum."""
    total_p, total_q = mp.fsum(p), mp.fsum(q)
    return mp.fsum(x * mp.log(x / y * total_q / total_p) for x, y in zip(p, q, strict=True) if x) / total_p


def normal_cholesky(mean_p: Any, factor_p: Any, mean_q: Any, factor_q: Any) -> Any:
    """Return the divergence of normals with these means and lower triangular factors of the covariances."""
    inverse, size = factor_q**-1, factor_p.rows
    ratio, shift = inverse * factor_p, inverse * (mp.matrix(mean_p) - mp.matrix(mean_q))
    logs = mp.fsum(mp.log(ratio[i, i]) for i in range(size))
    return (mp.fsum(x**2 for x in ratio) + mp.fsum(x**2 for x in shift) - size) / 2 - logs


def normal_covariance(mean_p: Any, cov_p: Any, mean_q: Any, cov_q: Any) -> Any:
    """Return the divergence of normals with these means and covariances."""
    inverse, shift = cov_q**-1, mp.matrix(mean_p) - mp.matrix(mean_q)
    trace = mp.fsum(x * y for x, y in zip(inverse, cov_p.T, strict=True))
    logs = mp.log(mp.det(cov_q) / mp.det(cov_p))
    return (trace - cov_p.rows + logs + (shift.T * inverse * shift)[0]) / 2


def bernoulli_entropy(logit: float) -> Any:
    """Return −p log p − (1 − p) log(1 − p), where even the smaller probability keeps its digits."""
    with mp.workdps(700):
        p = 1 / (1 + mp.exp(-mp.mpf(logit)))
        return -p * mp.log(p) - (1 - p) * mp.log1p(-p)


def zipf(a: Any, b: Any) -> Any:
    return mp.log(mp.zeta(b) / mp.zeta(a)) - (b - a) * mp.zeta(a, derivative=1) / mp.zeta(a)
