"""Closed forms between distributions of one family, each a formula of their parameters.

Where a formula asks for equal locations and these differ, the supports begin at different points, and
quadrature or a sum takes over.
"""

from __future__ import annotations

from math import fsum

import numpy as np

from kl_lib.divergence.distributions import Parameters, beyond
from kl_lib.divergence.registry import ClosedValue, register_kl
from kl_lib.numerics import (
    LARGEST,
    bessel_bregman,
    bessel_ratio,
    beta_bregman,
    every,
    expm1x,
    gamma_bregman,
    gumbel_divergence,
    kl_term,
    log_ratio,
    log_ratio_parts,
    phi_product_ratio,
    phi_ratio,
    phi_square_ratio,
    softmax_divergence,
    two_product,
    two_quotient,
    two_sum,
)
from kl_lib.numerics.bregman import within_factor
from kl_lib.types import Array, Mask


@register_kl("norm", "norm")
def kl_normal(p: Parameters, q: Parameters) -> ClosedValue:
    """½[(Δμ/σq)² + φ(σp²/σq² − 1)]."""
    z = _distance(p, q, q.scale)
    return 0.5 * z * z + phi_square_ratio(p.scale, q.scale, weight=0.5)


def _distance(p: Parameters, q: Parameters, scale: Array) -> ClosedValue:
    """Return (μp − μq)/scale, by halves where the difference overflows."""
    difference = p.loc - q.loc
    if every(np.isfinite(difference)):
        return difference / scale
    return 2 * ((0.5 * p.loc - 0.5 * q.loc) / scale)


@register_kl("expon", "expon")
def kl_exponential(p: Parameters, q: Parameters) -> ClosedValue:
    """φ(sp/sq − 1) + Δloc/sq; inf where p begins before q."""
    shift = np.maximum(_distance(p, q, q.scale), 0.0)
    return np.where(_begins_before(p, q), np.inf, phi_ratio(p.scale, q.scale) + shift)


def _begins_before(p: Parameters, q: Parameters) -> Mask:
    return beyond(q.loc - p.loc, p.loc, q.loc)


@register_kl("laplace", "laplace")
def kl_laplace(p: Parameters, q: Parameters) -> ClosedValue:
    """φ(bp/bq − 1) + (bp/bq) ψ(−|Δμ|/bp)."""
    ratio = np.minimum(p.scale / q.scale, LARGEST)
    t = np.abs(_distance(p, q, p.scale))
    far = np.abs(_distance(p, q, q.scale)) + ratio * np.expm1(-t)
    return phi_ratio(p.scale, q.scale) + np.where(t < 1, ratio * expm1x(-np.minimum(t, 1.0)), far)


@register_kl("cauchy", "cauchy")
def kl_cauchy(p: Parameters, q: Parameters) -> ClosedValue:
    """log(1 + ((σp − σq)² + Δμ²)/(4 σp σq)) (Chyzak and Nielsen 2019, equation 1)."""
    difference = p.scale - q.scale
    small, large = np.minimum(p.scale, q.scale), np.maximum(p.scale, q.scale)
    distances = _distance(p, q, small) * _distance(p, q, large)
    excess = 0.25 * ((difference / small) * (difference / large) + distances)
    halves = np.hypot(0.5 * p.loc - 0.5 * q.loc, 0.5 * large + 0.5 * small)
    far = 2 * np.log(halves) - np.log(large) - np.log(small)
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
    sine = np.sin(angle) * np.cos(lost) + np.cos(angle) * np.sin(lost)
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
    d = np.maximum(_distance(p, q, q.scale), 0.0)
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
    known = _known(p.a, p.a + p.b, q.a, q.a + q.b) & _known(p.b, p.a + p.b, q.b, q.a + q.b)
    ends = [p.a, p.b, q.a, q.b] if every(known) else [np.where(known, x, 1.0) for x in (p.a, p.b, q.a, q.b)]
    (a, b), _ = _of_order_1(np.maximum(*ends[:2]), *ends[:2])
    (c, d), exponent = _of_order_1(np.maximum(*ends[2:]), *ends[2:])
    # The means differ by this over (a + b)(c + d).
    determinant = _determinant(a, d, c, b)
    means = _mean_term(c, a + b, a, c + d, determinant) + _mean_term(d, a + b, b, c + d, -determinant)
    means = np.ldexp(means, exponent)
    value = means + beta_bregman(*ends, beside=means)
    return value if every(known) else np.where(known, value, np.nan)


def _known(a_p: Array, sum_p: Array, a_q: Array, sum_q: Array) -> Mask:
    """Return where the shapes are near enough to one another to keep the digits of what is computed."""
    shares = within_factor(1e280, a_p, sum_p) & within_factor(1e280, a_q, sum_q)
    return within_factor(1e152, a_p, a_q) & shares & np.isfinite(sum_p + sum_q)


def _of_order_1(largest: Array, *shapes: Array) -> tuple[list[Array], Array]:
    """Return shapes over a power of 2, so that their products stay within the range, and its exponent."""
    exponent = np.frexp(largest)[1]
    return [np.ldexp(x, -exponent) for x in shapes], exponent


@register_kl("dirichlet", "dirichlet")
def kl_dirichlet(p: Parameters, q: Parameters) -> ClosedValue:
    """Σαq KL(mean of q ‖ mean of p) + Σ B_g(αq, αp) − B_g(Σαq, Σαp).

    The Bregman terms are those of the beta distributions of each share in what the ones before it left.
    """
    if not every(_known(p.alpha, np.sum(p.alpha), q.alpha, np.sum(q.alpha))):
        return np.nan
    (a,), _ = _of_order_1(np.max(p.alpha), p.alpha)
    (c,), exponent = _of_order_1(np.max(q.alpha), q.alpha)
    (sum_p, lost_p), (sum_q, lost_q) = _sum(a), _sum(c)
    determinant = _determinant(a, sum_q, c, sum_p) + (a * lost_q - c * lost_p)
    means = np.ldexp(_mean_term(c, sum_p, a, sum_q, determinant), exponent)
    rest_p, rest_q, step = (np.cumsum(x[::-1])[-2::-1] for x in (p.alpha, q.alpha, q.alpha - p.alpha))
    shares = beta_bregman(p.alpha[:-1], rest_p, q.alpha[:-1], rest_q, b_step=step, beside=means[:-1])
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
    """Σ over both outcomes, whose weights differ by the same amount, of w_p φ(w_q/w_p − 1).

    Where a logit is known, the probabilities may have been rounded to 0 or 1, and their logits are taken.
    """
    if hasattr(p, "logit") or hasattr(q, "logit"):
        return softmax_divergence(*np.broadcast_arrays(both_logits(p), both_logits(q)))
    return _one_trial(p, q)


def both_logits(side: Parameters) -> Array:
    """Return the logits of 0 and 1, (..., 2)."""
    if hasattr(side, "logit"):
        return np.stack([np.zeros_like(side.logit), side.logit], axis=-1)
    with np.errstate(divide="ignore"):
        return np.stack([np.log1p(-side.p), np.log(side.p)], axis=-1)


@register_kl("binom", "binom", equal=("loc", "n"))
def kl_binomial(p: Parameters, q: Parameters) -> ClosedValue:
    """As many times the divergence of one trial as there are trials."""
    step = p.n * (q.p - p.p)
    return kl_term(p.n * p.p, p.n * q.p, step) + kl_term(p.n * (1 - p.p), p.n * (1 - q.p), -step)


@register_kl("geom", "geom", equal=("loc",))
def kl_geometric(p: Parameters, q: Parameters) -> ClosedValue:
    """1/p, the mean number of trials, times the divergence of one trial."""
    return _per_success(p, q)


@register_kl("nbinom", "nbinom", equal=("loc", "n"))
def kl_negative_binomial(p: Parameters, q: Parameters) -> ClosedValue:
    """n/p, the mean number of trials, times the divergence of one trial."""
    return p.n * _per_success(p, q)


def _one_trial(p: Parameters, q: Parameters) -> Array:
    return kl_term(p.p, q.p) + kl_term(1 - p.p, 1 - q.p, p.p - q.p)


def _per_success(p: Parameters, q: Parameters) -> ClosedValue:
    return phi_ratio(q.p, p.p) + kl_term(1 - p.p, 1 - q.p, p.p - q.p) / p.p


@register_kl("poisson", "poisson", equal=("loc",))
def kl_poisson(p: Parameters, q: Parameters) -> ClosedValue:
    """λp φ(λq/λp − 1)."""
    return kl_term(p.mu, q.mu)
