"""The terms of estimates from samples in mpmath, and the shape of a Pareto tail as the paper writes it."""

from __future__ import annotations

import math
from typing import Any

import mpmath

mp = mpmath.mp.clone()
mp.dps = 700  # e^w − 1 − w of the smallest w


def k1(w: float) -> Any:
    return -mp.mpf(w)


def k2(w: float) -> Any:
    return mp.mpf(w) ** 2 / 2


def k3(w: float) -> Any:
    return mp.expm1(w) - mp.mpf(w)


def effective_sample_size(log_weights: Any) -> float:
    with mp.workdps(30):
        weights = [mp.exp(float(w)) for w in log_weights]
        return float(mp.fsum(weights) ** 2 / mp.fsum(w**2 for w in weights))


def pareto_shape_of_logs(log_weights: list[float], cutoff: float) -> float:
    """Take logarithms of any size, ascending: `pareto_shape` in mpmath."""
    x = [mp.exp(float(w)) - mp.exp(float(cutoff)) for w in log_weights]
    n, grid = len(x), 30 + math.floor(math.sqrt(len(x)))
    quartile = x[math.floor(n / 4 + 0.5) - 1]
    thetas = [
        1 / x[-1] + (1 - mp.sqrt(mp.mpf(grid) / (j - 0.5))) / (3 * quartile) for j in range(1, grid + 1)
    ]

    def shape(theta: Any) -> Any:
        return mp.fsum(mp.log1p(-theta * value) for value in x) / n

    logs = [n * (mp.log(-theta / shape(theta)) - shape(theta)) for theta in thetas]
    weights = [mp.exp(log - max(logs)) for log in logs]
    fitted = shape(mp.fsum(t * w for t, w in zip(thetas, weights, strict=True)) / mp.fsum(weights))
    return float((n * fitted + 10 * 0.5) / (n + 10))


def pareto_shape(x: list[float]) -> float:
    """Take ascending values: Zhang and Stephens (2009), section 2, where k has the other sign."""
    n, grid = len(x), 30 + math.floor(math.sqrt(len(x)))
    quartile = x[math.floor(n / 4 + 0.5) - 1]
    thetas = [1 / x[-1] + (1 - math.sqrt(grid / (j - 0.5))) / (3 * quartile) for j in range(1, grid + 1)]

    def shape(theta: float) -> float:
        return math.fsum(math.log1p(-theta * value) for value in x) / n

    logs = [n * (math.log(-theta / shape(theta)) - shape(theta) - 1) for theta in thetas]
    weights = [1 / math.fsum(math.exp(min(other - own, 700)) for other in logs) for own in logs]
    fitted = shape(math.fsum(theta * weight for theta, weight in zip(thetas, weights, strict=True)))
    # The weak prior of Vehtari and others (2024), appendix C: ten observations of shape one half.
    return (n * fitted + 10 * 0.5) / (n + 10)
