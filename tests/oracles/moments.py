"""Divergences of p and q of two families: a cross-entropy from moments of p less its entropy, in mpmath."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath

mp = mpmath.mp.clone()
mp.dps = 40


@dataclass(frozen=True)
class Moments:
    """What the cross-entropies need of p: −E log p, and the means of x, x², log x, log(1 − x), e^{−sx}."""

    entropy: Any
    mean: Any
    square: Any = None
    log: Any = None
    log_rest: Any = None
    decay: Callable[[Any], Any] | None = None


def beta(a: Any, b: Any) -> Moments:
    log, log_rest = mp.digamma(a) - mp.digamma(a + b), mp.digamma(b) - mp.digamma(a + b)
    entropy = mp.log(mp.beta(a, b)) - (a - 1) * log - (b - 1) * log_rest
    return Moments(entropy, a / (a + b), a * (a + 1) / ((a + b) * (a + b + 1)), log, log_rest)


def gamma(a: Any, s: Any) -> Moments:
    entropy = a + mp.log(s) + mp.loggamma(a) + (1 - a) * mp.digamma(a)
    log = mp.digamma(a) + mp.log(s)
    return Moments(entropy, a * s, a * (a + 1) * s**2, log, decay=lambda t: (1 + s * t) ** -a)


def gumbel(m: Any, s: Any) -> Moments:
    mean = m + mp.euler * s
    return Moments(mp.log(s) + mp.euler + 1, mean, mean**2 + (mp.pi * s) ** 2 / 6)


def laplace(m: Any, b: Any) -> Moments:
    return Moments(1 + mp.log(2 * b), m, m**2 + 2 * b**2)


def normal(m: Any, s: Any) -> Moments:
    entropy = mp.log(2 * mp.pi * mp.e * s**2) / 2
    return Moments(entropy, m, m**2 + s**2, decay=lambda t: mp.exp(-m * t + (s * t) ** 2 / 2))


def pareto(b: Any, x: Any) -> Moments:
    log = mp.log(x) + 1 / b
    return Moments(mp.log(x / b) + 1 + 1 / b, b * x / (b - 1), b * x**2 / (b - 2), log)


def uniform(a: Any, b: Any) -> Moments:
    def primitive_mean(f: Callable[[Any], Any]) -> Any:
        return (f(b) - f(a)) / (b - a)

    return Moments(
        mp.log(b - a),
        (a + b) / 2,
        primitive_mean(lambda x: x**3 / 3),
        primitive_mean(lambda x: x * mp.log(x) - x),
        primitive_mean(lambda x: -(1 - x) * mp.log(1 - x) - x),
        lambda t: primitive_mean(lambda x: -mp.exp(-t * x) / t),
    )


def to_beta(p: Moments, a: Any, b: Any) -> Any:
    return mp.log(mp.beta(a, b)) - (a - 1) * p.log - (b - 1) * p.log_rest


def to_gamma(p: Moments, a: Any, s: Any) -> Any:
    return mp.loggamma(a) + a * mp.log(s) - (a - 1) * p.log + p.mean / s


def to_gumbel(p: Moments, m: Any, s: Any) -> Any:
    assert p.decay is not None
    return mp.log(s) + (p.mean - m) / s + mp.exp(m / s) * p.decay(1 / s)


def to_normal(p: Moments, m: Any, s: Any) -> Any:
    return mp.log(2 * mp.pi * s**2) / 2 + (p.square - 2 * m * p.mean + m**2) / (2 * s**2)


def to_pareto(p: Moments, b: Any, x: Any) -> Any:
    return -mp.log(b) - b * mp.log(x) + (b + 1) * p.log


def to_uniform(_: Moments, a: Any, b: Any) -> Any:
    return mp.log(b - a)


def to_laplace_from_normal(p: Moments, m: Any, b: Any) -> Any:
    d, s = p.mean - m, mp.sqrt(p.square - p.mean**2)
    distance = s * mp.sqrt(2 / mp.pi) * mp.exp(-((d / s) ** 2) / 2) + d * mp.erf(d / s / mp.sqrt(2))
    return mp.log(2 * b) + distance / b


def divergence(
    first: Callable[..., Moments], p: tuple[float, float], second: Callable[..., Any], q: tuple[float, float]
) -> Any:
    """Return the divergence of the family `first` at `p` to the one that `second` leads to, at `q`."""
    moments = first(*map(mp.mpf, p))
    return second(moments, *map(mp.mpf, q)) - moments.entropy


def normal_to_cauchy() -> Any:
    """Return the divergence of the standard normal to the standard Cauchy distribution, an integral."""

    def integrand(x: Any) -> Any:
        density = mp.exp(-(x**2) / 2) / mp.sqrt(2 * mp.pi)
        return density * (mp.log(density) + mp.log(mp.pi * (1 + x**2)))

    return mp.quad(integrand, [-40, -4, 0, 4, 40])
