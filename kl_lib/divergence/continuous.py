"""Closed forms between univariate continuous distributions."""

from __future__ import annotations

import numpy as np

from kl_lib.divergence.distributions import Parameters
from kl_lib.divergence.registry import ClosedValue, register_kl
from kl_lib.numerics import (
    beta_bregman,
    gamma_bregman,
    kl_term,
    phi_product_ratio,
    phi_ratio,
    phi_square_ratio,
    psi,
    two_product,
    two_sum,
)
from kl_lib.validation import Array


@register_kl("norm", "norm")
def kl_normal(p: Parameters, q: Parameters) -> ClosedValue:
    """½[(Δμ/σq)² + φ(σp²/σq² − 1)]."""
    return 0.5 * (((p.loc - q.loc) / q.scale) ** 2 + phi_square_ratio(p.scale, q.scale))


@register_kl("expon", "expon")
def kl_exponential(p: Parameters, q: Parameters) -> ClosedValue:
    """φ(sp/sq − 1) + Δloc/sq; inf where p begins before q."""
    shift = (p.loc - q.loc) / q.scale
    return np.where(shift >= 0, phi_ratio(p.scale, q.scale) + shift, np.inf)


@register_kl("laplace", "laplace")
def kl_laplace(p: Parameters, q: Parameters) -> ClosedValue:
    """φ(bp/bq − 1) + (bp/bq) ψ(−|Δμ|/bp)."""
    distance = np.abs(p.loc - q.loc)
    ratio = p.scale / q.scale
    t = distance / p.scale
    far = distance / q.scale + ratio * np.expm1(-t)
    return phi_ratio(p.scale, q.scale) + np.where(t < 1, ratio * psi(-np.minimum(t, 1.0)), far)


@register_kl("uniform", "uniform")
def kl_uniform(p: Parameters, q: Parameters) -> ClosedValue:
    """log(width of q / width of p); inf where p reaches outside q, to the last digit of the ends."""
    lost_p, lost_q = (getattr(side, "scale_lost", 0.0) for side in (p, q))
    (upper_p, rest_p), (upper_q, rest_q) = (two_sum(side.loc, side.scale) for side in (p, q))
    beyond = (upper_p - upper_q) + ((rest_p + lost_p) - (rest_q + lost_q))
    excess = ((q.scale - p.scale) + (lost_q - lost_p)) / p.scale
    return np.where((p.loc >= q.loc) & (beyond <= 0), np.log1p(np.maximum(excess, 0.0)), np.inf)


@register_kl("gamma", "gamma")
def kl_gamma(p: Parameters, q: Parameters) -> ClosedValue:
    """Shapes a, scales s: aq φ(ap sp/(aq sq) − 1) + B_g(aq, ap)."""
    if np.any(p.loc != q.loc):
        return NotImplemented
    return q.a * phi_product_ratio(p.a, p.scale, q.a, q.scale) + gamma_bregman(q.a, p.a)


@register_kl("beta", "beta")
def kl_beta(p: Parameters, q: Parameters) -> ClosedValue:
    """(aq + bq) KL(mean of q ‖ mean of p) + B_g(aq, ap) + B_g(bq, bp) − B_g(aq + bq, ap + bp)."""
    if np.any(p.loc != q.loc) or np.any(p.scale != q.scale):
        return NotImplemented
    (first, first_lost), (second, second_lost) = two_product(p.a, q.b), two_product(q.a, p.b)
    # The means differ by this over (ap + bp)(aq + bq).
    determinant = (first - second) + (first_lost - second_lost)
    sum_p, sum_q = p.a + p.b, q.a + q.b
    means = _mean_term(q.a, sum_p, p.a, sum_q, determinant) + _mean_term(q.b, sum_p, p.b, sum_q, -determinant)
    return means + beta_bregman(p.a, p.b, q.a, q.b)


def _mean_term(a_q: Array, sum_p: Array, a_p: Array, sum_q: Array, determinant: Array) -> Array:
    """a_q φ(mean of p / mean of q − 1), where the means are a_p/sum_p and a_q/sum_q."""
    return kl_term(a_q, a_p / sum_p * sum_q, determinant / sum_p)
