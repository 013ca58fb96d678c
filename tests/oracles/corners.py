"""Densities with a corner or a pole within, in mpmath, and integrals that are cut there."""

from __future__ import annotations

from typing import Any

import mpmath

mp = mpmath.mp.clone()
mp.dps = 30


def _asymmetric_laplace(x: Any, kappa: Any) -> Any:
    return -mp.log(kappa + 1 / kappa) - (x * kappa if x > 0 else -x / kappa)


def _double_gamma(x: Any, a: Any) -> Any:
    return (a - 1) * mp.log(abs(x)) - abs(x) - mp.log(2) - mp.loggamma(a)


def _double_weibull(x: Any, c: Any) -> Any:
    return mp.log(c / 2) + (c - 1) * mp.log(abs(x)) - abs(x) ** c


def _generalised_normal(x: Any, beta: Any) -> Any:
    return mp.log(beta / 2) - mp.loggamma(1 / beta) - abs(x) ** beta


def _skew_cauchy(x: Any, a: Any) -> Any:
    return -mp.log(mp.pi * (1 + (x / (1 + a * mp.sign(x))) ** 2))


def _triangle(x: Any, c: Any) -> Any:
    return mp.log(2 * x / c if x < c else 2 * (1 - x) / (1 - c))


# Under SciPy's names: log densities of x and of a shape. The triangle has its corner at the shape, the others
# at 0.
LOG_DENSITIES = {
    "dgamma": _double_gamma,
    "dweibull": _double_weibull,
    "gennorm": _generalised_normal,
    "laplace_asymmetric": _asymmetric_laplace,
    "skewcauchy": _skew_cauchy,
    "triang": _triangle,
}


def divergence(name: str, a: float, b: float, shift: float, ratio: float) -> float:
    """Return D(p‖q), p of shape a, and q of shape b, location `shift` and scale `ratio`."""
    log_density, (a, b, shift, ratio) = LOG_DENSITIES[name], map(mp.mpf, (a, b, shift, ratio))
    corners, ends = ((a, b), (0, 1)) if name == "triang" else ((mp.zero, mp.zero), (-mp.inf, mp.inf))

    def term(x: Any) -> Any:
        log_p = log_density(x, a)
        return mp.exp(log_p) * (log_p - log_density((x - shift) / ratio, b) + mp.log(ratio))

    within = {x for x in (corners[0], shift + ratio * corners[1]) if ends[0] < x < ends[1]}
    return float(mp.quad(term, sorted({*ends, *within})))


def entropy_of_two_gammas(shape: float, apart: float) -> float:
    """Return the entropy of an even mixture of a gamma distribution and the same one moved."""

    def term(x: Any) -> Any:
        parts = [y ** (shape - mp.one) * mp.exp(-y) for y in (x, x - apart) if y > 0]
        density = mp.fsum(parts) / (2 * mp.gamma(shape))
        return -density * mp.log(density)

    return float(mp.quad(term, [0, 1, apart, apart + 1, apart + 4, apart + 18, mp.inf]))
