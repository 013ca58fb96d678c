"""Closed forms between univariate continuous distributions."""

from __future__ import annotations

import numpy as np

from kl_lib.divergence.distributions import Parameters
from kl_lib.divergence.registry import ClosedValue, register_kl
from kl_lib.numerics import (
    LARGEST,
    bessel_bregman,
    bessel_ratio,
    gumbel_divergence,
    phi_ratio,
    phi_square_ratio,
    psi,
    two_quotient,
    two_sum,
)


@register_kl("norm", "norm")
def kl_normal(p: Parameters, q: Parameters) -> ClosedValue:
    """½[(Δμ/σq)² + φ(σp²/σq² − 1)]."""
    z = (p.loc - q.loc) / q.scale
    return 0.5 * z * z + phi_square_ratio(p.scale, q.scale, weight=0.5)


@register_kl("expon", "expon")
def kl_exponential(p: Parameters, q: Parameters) -> ClosedValue:
    """φ(sp/sq − 1) + Δloc/sq; inf where p begins before q."""
    shift = np.maximum(p.loc - q.loc, 0.0) / q.scale
    return np.where(p.loc >= q.loc, phi_ratio(p.scale, q.scale) + shift, np.inf)


@register_kl("laplace", "laplace")
def kl_laplace(p: Parameters, q: Parameters) -> ClosedValue:
    """φ(bp/bq − 1) + (bp/bq) ψ(−|Δμ|/bp)."""
    distance = np.abs(p.loc - q.loc)
    ratio = np.minimum(p.scale / q.scale, LARGEST)
    t = distance / p.scale
    far = distance / q.scale + ratio * np.expm1(-t)
    return phi_ratio(p.scale, q.scale) + np.where(t < 1, ratio * psi(-np.minimum(t, 1.0)), far)


@register_kl("cauchy", "cauchy")
def kl_cauchy(p: Parameters, q: Parameters) -> ClosedValue:
    """log(1 + ((σp − σq)² + Δμ²)/(4 σp σq)) (Chyzak and Nielsen 2019, equation 1)."""
    distance, difference = p.loc - q.loc, p.scale - q.scale
    small, large = np.minimum(p.scale, q.scale), np.maximum(p.scale, q.scale)
    excess = 0.25 * ((difference / small) * (difference / large) + (distance / small) * (distance / large))
    far = 2 * np.log(np.hypot(distance, large + small)) - np.log(4 * large) - np.log(small)
    return np.where(excess < np.inf, np.log1p(np.minimum(excess, LARGEST)), far)


@register_kl("gumbel_r", "gumbel_r")
def kl_gumbel_right(p: Parameters, q: Parameters) -> ClosedValue:
    """ψ(w) + log Γ(κ) + γ(κ − 1), κ = βp/βq, w = (μq − μp)/βq + log Γ(1 + κ)."""
    shift = two_quotient(*two_sum(q.loc, -p.loc), q.scale)
    return gumbel_divergence(shift, p.scale, q.scale)


@register_kl("gumbel_l", "gumbel_l")
def kl_gumbel_left(p: Parameters, q: Parameters) -> ClosedValue:
    """ψ(w) + log Γ(κ) + γ(κ − 1), κ = βp/βq, w = (μp − μq)/βq + log Γ(1 + κ)."""
    shift = two_quotient(*two_sum(p.loc, -q.loc), q.scale)
    return gumbel_divergence(shift, p.scale, q.scale)


@register_kl("vonmises", "vonmises", equal=("scale",))
def kl_von_mises(p: Parameters, q: Parameters) -> ClosedValue:
    """B_f(κq, κp) + 2 κq (I₁/I₀)(κp) sin²(Δμ/2), f = log I₀."""
    angle, lost = (0.5 * part for part in two_quotient(*two_sum(p.loc, -q.loc), q.scale))
    sine = np.sin(angle) + np.cos(angle) * lost
    return bessel_bregman(q.kappa, p.kappa) + 2 * q.kappa * bessel_ratio(p.kappa) * sine**2


@register_kl("uniform", "uniform")
def kl_uniform(p: Parameters, q: Parameters) -> ClosedValue:
    """log(width of q / width of p); inf where p reaches outside q, to the last digit of the ends."""
    lost_p, lost_q = (getattr(side, "scale_lost", 0.0) for side in (p, q))
    (upper_p, rest_p), (upper_q, rest_q) = (two_sum(side.loc, side.scale) for side in (p, q))
    beyond = (upper_p - upper_q) + ((rest_p + lost_p) - (rest_q + lost_q))
    excess = ((q.scale - p.scale) + (lost_q - lost_p)) / p.scale
    far = np.log(q.scale) - np.log(p.scale)
    value = np.where(excess < np.inf, np.log1p(np.clip(excess, 0.0, LARGEST)), far)
    return np.where((p.loc >= q.loc) & (beyond <= 0), value, np.inf)
