"""Closed forms between distributions of positive numbers.

Where the locations differ, the supports begin at different points, and quadrature takes over.
"""

from __future__ import annotations

import numpy as np

from kl_lib.divergence.distributions import Parameters
from kl_lib.divergence.registry import ClosedValue, register_kl
from kl_lib.numerics import (
    LARGEST,
    gamma_bregman,
    gumbel_divergence,
    log_ratio,
    log_ratio_parts,
    phi_product_ratio,
    phi_ratio,
    phi_square_ratio,
    two_product,
)
from kl_lib.types import Array


@register_kl("gamma", "gamma", equal=("loc",))
def kl_gamma(p: Parameters, q: Parameters) -> ClosedValue:
    """Shapes a, scales s: aq φ(ap sp/(aq sq) − 1) + B_g(aq, ap)."""
    return _gamma(p.a, p.scale, q.a, q.scale)


@register_kl("chi2", "chi2", equal=("loc",))
def kl_chi2(p: Parameters, q: Parameters) -> ClosedValue:
    """Return that of gamma distributions of the shapes df/2."""
    return _gamma(0.5 * p.df, p.scale, 0.5 * q.df, q.scale)


@register_kl("invgamma", "invgamma", equal=("loc",))
def kl_inverse_gamma(p: Parameters, q: Parameters) -> ClosedValue:
    """Return that of gamma distributions with the reciprocal scales."""
    return _gamma(p.a, q.scale, q.a, p.scale)


def _gamma(a_p: Array, scale_p: Array, a_q: Array, scale_q: Array) -> Array:
    return phi_product_ratio(a_p, scale_p, a_q, scale_q, weight=a_q) + gamma_bregman(a_q, a_p)


@register_kl("lognorm", "lognorm", equal=("loc",))
def kl_lognormal(p: Parameters, q: Parameters) -> ClosedValue:
    """½[(log(xp/xq)/sq)² + φ(sp²/sq² − 1)], x the scales."""
    z = log_ratio(p.scale, q.scale) / q.s
    return 0.5 * z * z + phi_square_ratio(p.s, q.s, weight=0.5)


@register_kl("pareto", "pareto", equal=("loc",))
def kl_pareto(p: Parameters, q: Parameters) -> ClosedValue:
    """φ(αq/αp − 1) + αq log(xp/xq), x the scales; inf where p begins before q."""
    rise = q.b * np.maximum(log_ratio(p.scale, q.scale), 0.0)
    return np.where(p.scale >= q.scale, phi_ratio(q.b, p.b) + rise, np.inf)


@register_kl("weibull_min", "weibull_min", equal=("loc",))
def kl_weibull(p: Parameters, q: Parameters) -> ClosedValue:
    """Return that of the logarithms, Gumbel distributions of locations log λ and scales 1/k."""
    log, log_lost = log_ratio_parts(p.scale, q.scale)
    shift, shift_lost = two_product(q.c, log)
    return gumbel_divergence((shift, shift_lost + q.c * log_lost), q.c, p.c)


@register_kl("halfnorm", "halfnorm")
def kl_half_normal(p: Parameters, q: Parameters) -> ClosedValue:
    """½[φ(sp²/sq² − 1) + d(d + 2 √(2/π) sp/sq)], d = Δloc/sq; inf where p begins before q."""
    d = np.maximum(p.loc - q.loc, 0.0) / q.scale
    rise = d * (0.5 * d + np.sqrt(2 / np.pi) * np.minimum(p.scale / q.scale, LARGEST))
    return np.where(p.loc >= q.loc, phi_square_ratio(p.scale, q.scale, weight=0.5) + rise, np.inf)


@register_kl("rayleigh", "rayleigh", equal=("loc",))
def kl_rayleigh(p: Parameters, q: Parameters) -> ClosedValue:
    """φ(sp²/sq² − 1)."""
    return phi_square_ratio(p.scale, q.scale)


@register_kl("maxwell", "maxwell", equal=("loc",))
def kl_maxwell(p: Parameters, q: Parameters) -> ClosedValue:
    """3/2 φ(sp²/sq² − 1)."""
    return phi_square_ratio(p.scale, q.scale, weight=1.5)
