"""Closed forms between distributions of one family, each a formula of their parameters.

Where a formula asks for equal locations and these differ, the supports begin at different points, and
quadrature or a sum takes over.
"""

from __future__ import annotations

from math import fsum

import numpy as np

from kl_lib.divergence.distributions import Parameters
from kl_lib.divergence.registry import ClosedValue, register_kl
from kl_lib.divergence.supports import beyond
from kl_lib.numerics import (
    LARGEST,
    bessel_bregman,
    bessel_ratio,
    beta_bregman,
    expm1x,
    gamma_bregman,
    gumbel_divergence,
    kl_term,
    log_ratio,
    log_ratio_parts,
    phi_product_ratio,
    phi_ratio,
    phi_square_ratio,
    two_product,
    two_quotient,
    two_sum,
)
from kl_lib.types import Array, Mask


@register_kl("norm", "norm")
def kl_normal(p: Parameters, q: Parameters) -> ClosedValue:
    """½[(Δμ/σq)² + φ(σp²/σq² − 1)]."""
    z = (p.loc - q.loc) / q.scale
    return 0.5 * z * z + phi_square_ratio(p.scale, q.scale, weight=0.5)


@register_kl("expon", "expon")
def kl_exponential(p: Parameters, q: Parameters) -> ClosedValue:
    """φ(sp/sq − 1) + Δloc/sq; inf where p begins before q."""
    shift = np.maximum(p.loc - q.loc, 0.0) / q.scale
    return np.where(_begins_before(p, q), np.inf, phi_ratio(p.scale, q.scale) + shift)


def _begins_before(p: Parameters, q: Parameters) -> Mask:
    return beyond(q.loc - p.loc, p.loc, q.loc)


@register_kl("laplace", "laplace")
def kl_laplace(p: Parameters, q: Parameters) -> ClosedValue:
    """φ(bp/bq − 1) + (bp/bq) ψ(−|Δμ|/bp)."""
    distance = np.abs(p.loc - q.loc)
    ratio = np.minimum(p.scale / q.scale, LARGEST)
    t = distance / p.scale
    far = distance / q.scale + ratio * np.expm1(-t)
    return phi_ratio(p.scale, q.scale) + np.where(t < 1, ratio * expm1x(-np.minimum(t, 1.0)), far)


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
    """log(width of q / width of p); inf where p reaches outside q."""
    lost_p, lost_q = (getattr(side, "scale_lost", 0.0) for side in (p, q))
    (upper_p, rest_p), (upper_q, rest_q) = (two_sum(side.loc, side.scale) for side in (p, q))
    above = (upper_p - upper_q) + ((rest_p + lost_p) - (rest_q + lost_q))
    outside = _begins_before(p, q) | beyond(above, p.loc, upper_p, q.loc, upper_q)
    excess = ((q.scale - p.scale) + (lost_q - lost_p)) / p.scale
    far = np.log(q.scale) - np.log(p.scale)
    value = np.where(excess < np.inf, np.log1p(np.clip(excess, 0.0, LARGEST)), far)
    return np.where(outside, np.inf, value)


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
    before = beyond(q.scale - p.scale, p.scale, q.scale, p.loc)
    return np.where(before, np.inf, phi_ratio(q.b, p.b) + rise)


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
    return np.where(_begins_before(p, q), np.inf, phi_square_ratio(p.scale, q.scale, weight=0.5) + rise)


@register_kl("rayleigh", "rayleigh", equal=("loc",))
def kl_rayleigh(p: Parameters, q: Parameters) -> ClosedValue:
    """φ(sp²/sq² − 1)."""
    return phi_square_ratio(p.scale, q.scale)


@register_kl("maxwell", "maxwell", equal=("loc",))
def kl_maxwell(p: Parameters, q: Parameters) -> ClosedValue:
    """3/2 φ(sp²/sq² − 1)."""
    return phi_square_ratio(p.scale, q.scale, weight=1.5)


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


@register_kl("bernoulli", "bernoulli", equal=("loc",))
def kl_bernoulli(p: Parameters, q: Parameters) -> ClosedValue:
    """Σ over both outcomes, whose weights differ by the same amount, of w_p φ(w_q/w_p − 1)."""
    return _one_trial(p, q)


@register_kl("binom", "binom", equal=("loc", "n"))
def kl_binomial(p: Parameters, q: Parameters) -> ClosedValue:
    """As many times the divergence of one trial as there are trials."""
    return p.n * _one_trial(p, q)


@register_kl("geom", "geom", equal=("loc",))
def kl_geometric(p: Parameters, q: Parameters) -> ClosedValue:
    """1/p, the mean number of trials, times the divergence of one trial."""
    return _one_trial(p, q) / p.p


@register_kl("nbinom", "nbinom", equal=("loc", "n"))
def kl_negative_binomial(p: Parameters, q: Parameters) -> ClosedValue:
    """n/p, the mean number of trials, times the divergence of one trial."""
    return p.n * (_one_trial(p, q) / p.p)


def _one_trial(p: Parameters, q: Parameters) -> Array:
    return kl_term(p.p, q.p) + kl_term(1 - p.p, 1 - q.p, p.p - q.p)


@register_kl("poisson", "poisson", equal=("loc",))
def kl_poisson(p: Parameters, q: Parameters) -> ClosedValue:
    """λp φ(λq/λp − 1)."""
    return kl_term(p.mu, q.mu)
