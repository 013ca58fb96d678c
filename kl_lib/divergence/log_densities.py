"""Logarithms of densities and masses of which SciPy takes the logarithm after they underflow."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import zeta

from kl_lib.types import Array

_LOG_2PI = float(np.log(2 * np.pi))

# At location 0 and scale 1, under SciPy's names: of x and of the shape parameters.
LOG_DENSITIES: dict[str, Callable[..., Array]] = {
    "boltzmann": lambda k, a, n: np.log(np.expm1(-a) / np.expm1(-a * n)) - a * k,
    "dlaplace": lambda k, a: np.log(np.tanh(0.5 * a)) - a * np.abs(k),
    "foldnorm": lambda x, c: 0.5 * (np.log(0.5 / np.pi) - (x - c) ** 2) + np.log1p(np.exp(-2 * c * x)),
    "hypsecant": lambda x: np.log(2 / np.pi) - np.logaddexp(x, -x),
    "invweibull": lambda x, c: np.log(c) - (c + 1) * np.log(x) - x**-c,
    "laplace": lambda x: -np.abs(x) - np.log(2),
    "levy": lambda x: -0.5 * (_LOG_2PI + 1 / x) - 1.5 * np.log(x),
    "loglaplace": lambda x, c: np.log(0.5 * c) - np.log(x) - c * np.abs(np.log(x)),
    "logser": lambda k, p: k * np.log(p) - np.log(k) - np.log(-np.log1p(-p)),
    "moyal": lambda x: -0.5 * (_LOG_2PI + x + np.exp(-x)),
    "norm": lambda x: -0.5 * (_LOG_2PI + x * x),
    "pareto": lambda x, b: np.log(b) - (b + 1) * np.log(x),
    "planck": lambda k, a: np.log(-np.expm1(-a)) - a * k,
    "uniform": lambda x: np.zeros_like(x),
    "zipf": lambda k, a: -a * np.log(k) - np.log(zeta(a)),
}
