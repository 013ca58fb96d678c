"""Pairs of different families by quadrature, against cross-entropies from moments in mpmath."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from oracles.moments import (
    beta,
    divergence,
    gamma,
    gumbel,
    laplace,
    normal,
    pareto,
    to_beta,
    to_gamma,
    to_gumbel,
    to_laplace_from_normal,
    to_normal,
    to_pareto,
    to_uniform,
    uniform,
)
from scipy import stats

from kl_lib import kl_divergence

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
    exact = divergence(first, parameters_p, second, parameters_q)
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
        exact = divergence(first, ends[0], second, ends[1])
        assert kl_divergence(p, q, method="closed") == pytest.approx(float(exact), rel=1e-13)
