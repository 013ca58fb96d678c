"""Closed forms between distributions of shares of a whole: beta and Dirichlet."""

from __future__ import annotations

from math import fsum

import numpy as np

from kl_lib.divergence.distributions import Parameters
from kl_lib.divergence.registry import ClosedValue, register_kl
from kl_lib.numerics import beta_bregman, kl_term, two_product
from kl_lib.types import Array


@register_kl("beta", "beta", equal=("loc", "scale"))
def kl_beta(p: Parameters, q: Parameters) -> ClosedValue:
    """(aq + bq) KL(mean of q ‖ mean of p) + B_g(aq, ap) + B_g(bq, bp) − B_g(aq + bq, ap + bp)."""
    # The means differ by this over (ap + bp)(aq + bq).
    determinant = _determinant(p.a, q.b, q.a, p.b)
    sum_p, sum_q = p.a + p.b, q.a + q.b
    means = _mean_term(q.a, sum_p, p.a, sum_q, determinant) + _mean_term(q.b, sum_p, p.b, sum_q, -determinant)
    return means + beta_bregman(p.a, p.b, q.a, q.b)


@register_kl("dirichlet", "dirichlet")
def kl_dirichlet(p: Parameters, q: Parameters) -> ClosedValue:
    """Σαq KL(mean of q ‖ mean of p) + Σ B_g(αq, αp) − B_g(Σαq, Σαp).

    The Bregman terms are those of the beta distributions of each share in what the ones before it left.
    """
    (sum_p, lost_p), (sum_q, lost_q) = (_sum(side.alpha) for side in (p, q))
    determinant = _determinant(p.alpha, sum_q, q.alpha, sum_p) + (p.alpha * lost_q - q.alpha * lost_p)
    means = _mean_term(q.alpha, sum_p, p.alpha, sum_q, determinant)
    rest_p, rest_q, step = (np.cumsum(x[::-1])[-2::-1] for x in (p.alpha, q.alpha, q.alpha - p.alpha))
    shares = beta_bregman(p.alpha[:-1], rest_p, q.alpha[:-1], rest_q, b_step=step)
    return np.sum(means) + np.sum(shares)


def _sum(values: Array) -> tuple[Array, Array]:
    """Return the sum rounded, and what rounding lost."""
    total = fsum(values)
    return np.asarray(total), np.asarray(fsum([*values, -total]))


def _determinant(a: Array, d: Array, b: Array, c: Array) -> Array:
    """Return ad − bc from the products without their rounding."""
    (first, first_lost), (second, second_lost) = two_product(a, d), two_product(b, c)
    return (first - second) + (first_lost - second_lost)


def _mean_term(a_q: Array, sum_p: Array, a_p: Array, sum_q: Array, determinant: Array) -> Array:
    """a_q φ(mean of p / mean of q − 1), where the means are a_p/sum_p and a_q/sum_q."""
    return kl_term(a_q, a_p / sum_p * sum_q, determinant / sum_p)
