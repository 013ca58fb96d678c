"""Pairs of different families by quadrature, against cross-entropies from moments in mpmath."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import pytest
from scipy import stats

from kl_lib import kl_divergence

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


BUILD: dict[Any, Callable[[float, float], Any]] = {
    beta: stats.beta,
    to_beta: stats.beta,
    gamma: lambda a, s: stats.expon(scale=s) if a == 1 else stats.gamma(a, scale=s),
    to_gamma: lambda a, s: stats.expon(scale=s) if a == 1 else stats.gamma(a, scale=s),
    gumbel: stats.gumbel_r,
    to_gumbel: stats.gumbel_r,
    laplace: stats.laplace,
    to_laplace_from_normal: stats.laplace,
    normal: stats.norm,
    to_normal: stats.norm,
    pareto: lambda b, x: stats.pareto(b, scale=x),
    to_pareto: lambda b, x: stats.pareto(b, scale=x),
    uniform: lambda a, b: stats.uniform(a, b - a),
    to_uniform: lambda a, b: stats.uniform(a, b - a),
}
# The pairs that torch has a formula for. A gamma of shape 1 is an exponential.
PAIRS: dict[str, tuple[Any, tuple[float, float], Any, tuple[float, float]]] = {
    "beta-expon": (beta, (2.5, 1.5), to_gamma, (1, 0.7)),
    "beta-gamma": (beta, (2.5, 1.5), to_gamma, (2.2, 0.3)),
    "beta-norm": (beta, (0.6, 3.0), to_normal, (0.3, 0.4)),
    "beta-uniform": (beta, (2.5, 1.5), to_uniform, (-0.5, 1.5)),
    "expon-gamma": (gamma, (1, 1.3), to_gamma, (0.4, 2.0)),
    "expon-gumbel_r": (gamma, (1, 1.3), to_gumbel, (0.5, 0.9)),
    "expon-norm": (gamma, (1, 1.3), to_normal, (0.5, 2.0)),
    "gamma-expon": (gamma, (0.4, 1.3), to_gamma, (1, 0.8)),
    "gamma-gumbel_r": (gamma, (3.5, 1.3), to_gumbel, (3.5, 1.9)),
    "gamma-norm": (gamma, (3.5, 1.3), to_normal, (4.0, 2.5)),
    "gumbel_r-norm": (gumbel, (0.4, 1.7), to_normal, (0.9, 2.0)),
    "laplace-norm": (laplace, (0.4, 1.7), to_normal, (0.9, 2.0)),
    "norm-gumbel_r": (normal, (0.4, 1.7), to_gumbel, (-0.3, 1.5)),
    "norm-laplace": (normal, (0.4, 1.7), to_laplace_from_normal, (-0.3, 1.5)),
    "pareto-expon": (pareto, (2.2, 0.8), to_gamma, (1, 1.5)),
    "pareto-gamma": (pareto, (2.2, 0.8), to_gamma, (1.8, 0.9)),
    "pareto-norm": (pareto, (3.5, 0.8), to_normal, (1.1, 0.7)),
    "uniform-beta": (uniform, (0.1, 0.7), to_beta, (0.6, 3.0)),
    "uniform-expon": (uniform, (0.1, 0.7), to_gamma, (1, 0.8)),
    "uniform-gamma": (uniform, (0.1, 0.7), to_gamma, (2.2, 0.3)),
    "uniform-gumbel_r": (uniform, (0.1, 0.7), to_gumbel, (0.3, 0.5)),
    "uniform-norm": (uniform, (0.1, 0.7), to_normal, (0.3, 0.4)),
    "uniform-pareto": (uniform, (0.1, 0.7), to_pareto, (2.2, 0.05)),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_pairs_of_two_families(pair: str) -> None:
    first, parameters_p, second, parameters_q = PAIRS[pair]
    p, q = BUILD[first](*parameters_p), BUILD[second](*parameters_q)
    assert f"{p.dist.name}-{q.dist.name}" == pair
    moments = first(*map(mp.mpf, parameters_p))
    exact = second(moments, *map(mp.mpf, parameters_q)) - moments.entropy
    assert kl_divergence(p, q) == pytest.approx(float(exact), rel=1e-9)


def test_bernoulli_and_poisson() -> None:
    exact = -stats.bernoulli(0.3).entropy() + 2.0 - 0.3 * np.log(2.0)
    assert kl_divergence(stats.bernoulli(0.3), stats.poisson(2.0)) == pytest.approx(exact, rel=1e-12)


def test_the_formulas_are_those_of_the_closed_forms() -> None:
    """Where p and q are of one family, the moments give what the closed form does."""
    for first, second, ends in (
        (beta, to_beta, ((2.5, 1.5), (0.6, 3.0))),
        (gamma, to_gamma, ((3.5, 1.3), (2.2, 0.3))),
        (normal, to_normal, ((0.4, 1.7), (0.9, 2.0))),
        (pareto, to_pareto, ((2.2, 0.8), (3.5, 0.5))),
        (uniform, to_uniform, ((0.1, 0.7), (0.0, 0.9))),
    ):
        p, q = (BUILD[first](*end) for end in ends)
        moments = first(*map(mp.mpf, ends[0]))
        exact = second(moments, *map(mp.mpf, ends[1])) - moments.entropy
        assert kl_divergence(p, q, method="closed") == pytest.approx(float(exact), rel=1e-13)
