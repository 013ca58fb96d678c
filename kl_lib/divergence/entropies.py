"""Closed forms of the entropy, each a formula of the parameters in which nothing large cancels.

Three pieces are shared: an entropy is the log of a volume less the divergence from the uniform distribution
on it; log Γ beside its slope ψ, without their leading terms, is what `_rest` returns; counts are summed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, xlog1py, xlogy

from kl_lib.divergence.closed_forms import both_logits, kl_beta, kl_dirichlet
from kl_lib.divergence.counts import (
    binomial_entropy,
    multinomial_entropy,
    negative_binomial_entropy,
    poisson_entropy,
)
from kl_lib.divergence.distributions import Distribution, Parameters, table_logits
from kl_lib.divergence.registry import ClosedValue
from kl_lib.numerics import bessel_bregman, log_product, log_ratio, remainder_and_slope, softmax_entropy
from kl_lib.numerics.bregman import legendre_rule
from kl_lib.types import Array

Formula = Callable[[Parameters], ArrayLike]

_HALF_LOG = 0.5 * float(np.log(2 * np.pi * np.e))
# A rule on [0, 1], of 24 times 12 nodes, for a density that falls by e⁻⁴⁵ at most.
_DECAY, _PANELS = 45.0, 24
_NODES, _WEIGHTS = legendre_rule(12)
_NODES, _WEIGHTS = (_NODES + np.arange(_PANELS)) / _PANELS, _WEIGHTS / _PANELS

# Of distributions that have no shape, at scale 1.
_CONSTANTS = {
    "norm": _HALF_LOG,
    "expon": 1.0,
    "laplace": 1 + np.log(2),
    "logistic": 2.0,
    "cauchy": np.log(4 * np.pi),
    "halfcauchy": np.log(2 * np.pi),
    "arcsine": np.log(np.pi / 4),
    "gumbel_r": 1 + np.euler_gamma,
    "gumbel_l": 1 + np.euler_gamma,
    "uniform": 0.0,
    "halfnorm": _HALF_LOG - np.log(2),
    "rayleigh": 1 + 0.5 * np.euler_gamma - 0.5 * np.log(2),
    "maxwell": 0.5 * np.log(2 * np.pi) + np.euler_gamma - 0.5,
}


def closed_entropy(p: Distribution) -> Array | None:
    """Return H(p), of the shape of p, by its closed form; by SciPy's where p is multivariate without one."""
    formula = _ENTROPIES.get(p.name)
    if formula is None and not (p.kind == "multivariate" and hasattr(p.source, "entropy")):
        return None
    # What overflows shows in the value.
    with np.errstate(all="ignore"):
        value = formula(p.parameters) if formula else p.source.entropy()
    value = np.array(np.broadcast_to(value, p.shape), dtype=np.float64)
    if not np.isfinite(value).all():
        raise ArithmeticError(
            f"the formula for the entropy of {p.label} = {p.name} overflows: it gives "
            f"{value[~np.isfinite(value)][0]}"
        )
    return value


def _of_constant(constant: float) -> Formula:
    return lambda p: constant + np.log(p.scale)


def _rest(a: Array, c: float | Array) -> Array:
    """Return log Γ(a) + (c − a) ψ(a) − (c − ½) log a + a − ½ log(2πe), which vanishes as a grows."""
    remainder, slope = remainder_and_slope(np.atleast_1d(a))
    value: Array = (remainder - a * slope) + c * (slope - 0.5 / a)
    return value.reshape(np.shape(a))


def _gamma(a: Array, scale: Array) -> ClosedValue:
    return _HALF_LOG + log_product((scale, 1), (a, 0.5)) + _rest(a, 1)


def _inverse_gamma(p: Parameters) -> ClosedValue:
    return _HALF_LOG + log_product((p.scale, 1), (p.a, -1.5)) + _rest(p.a, -1)


def _student(half: Array, dimension: int) -> ClosedValue:
    """Return that of `dimension` coordinates of scale 1 with twice `half` degrees of freedom."""
    whole = half + 0.5 * dimension
    rest = _rest(half, -0.5 * dimension) - _rest(whole, 0)
    return dimension * _HALF_LOG + log_product((whole, 0.5), (half, -0.5)) + rest


def _ratio_of_gammas(a: Array, b: Array) -> ClosedValue:
    """Return that of x/y for gamma variables x and y with the shapes a and b and the means 1."""
    both = _rest(a, 0) + _rest(b, 0) - _rest(a + b, 0)
    # log(x/y) has the mean ψ(a) − log a − (ψ(b) − log b), and ψ(a) = ψ(1 + a) − 1/a.
    mean = _beyond(a) - _beyond(b) + (a - b) / a / b
    return _HALF_LOG + log_product((a + b, 0.5), (a, -0.5), (b, -0.5)) + both + mean


def _beyond(a: Array) -> ClosedValue:
    """Return ψ(1 + a) − log a."""
    slope = remainder_and_slope(np.atleast_1d(1 + a))[1].reshape(np.shape(a))
    return slope - 0.5 / (1 + a) + np.log1p(1 / a)


def _f(p: Parameters) -> ClosedValue:
    return np.log(p.scale) + _ratio_of_gammas(0.5 * p.dfn, 0.5 * p.dfd)


def _beta(p: Parameters) -> ClosedValue:
    one = Parameters(a=np.ones(()), b=np.ones(()))
    return np.log(p.scale) - kl_beta(p, one)


def _dirichlet(p: Parameters) -> ClosedValue:
    return -gammaln(p.alpha.size) - kl_dirichlet(p, Parameters(alpha=np.ones(p.alpha.size)))


def _pareto(shape: Array, scale: Array) -> ClosedValue:
    return 1 + 1 / shape + log_ratio(scale, shape)


def _weibull(p: Parameters) -> ClosedValue:
    return 1 + np.euler_gamma - np.euler_gamma / p.c + log_ratio(p.scale, p.c)


def _truncated_normal(p: Parameters) -> ClosedValue:
    return np.vectorize(_truncated_at, otypes=[float])(p.a, p.b) + np.log(p.scale)


def _truncated_at(lower: float, upper: float) -> float:
    """Integrate each side of 0 by itself, so that all terms are positive."""
    sides = np.array([[max(lower, 0.0), upper], [max(-upper, 0.0), -lower]])
    start, width = sides[:, 0], np.maximum(sides[:, 1] - sides[:, 0], 0.0)
    # Beyond this, −log of the density over that at the start, t start + ½t², is above 45.
    reach = np.minimum(width, 2 * _DECAY / (start + np.hypot(start, np.sqrt(2 * _DECAY))))
    t = _NODES[..., np.newaxis] * reach
    energy = t * start + 0.5 * t * t
    density = _WEIGHTS[..., np.newaxis] * reach * np.exp(-energy)
    mass = np.sum(density)
    return float(np.log(mass) + np.sum(density * energy) / mass)


def _truncated_exponential(p: Parameters) -> ClosedValue:
    missing = np.exp(-p.b)
    return np.log(p.scale) + np.log(-np.expm1(-p.b)) + 1 + p.b * missing / np.expm1(-p.b)


def _trial(p: Parameters) -> ClosedValue:
    if hasattr(p, "logit"):
        return softmax_entropy(both_logits(p))
    return -xlogy(p.p, p.p) - xlog1py(1 - p.p, -p.p)


def _geometric(p: Parameters) -> ClosedValue:
    return -np.log(p.p) - xlog1py(1 - p.p, -p.p) / p.p


def _multivariate_normal(p: Parameters) -> ClosedValue:
    rank = p.covariance.factor.shape[-1]
    return rank * _HALF_LOG + p.covariance.log_volume


_ENTROPIES: dict[str, Formula] = {name: _of_constant(constant) for name, constant in _CONSTANTS.items()} | {
    "lognorm": lambda p: _HALF_LOG + log_product((p.s, 1), (p.scale, 1)),
    "vonmises": lambda p: np.log(2 * np.pi * p.scale) - bessel_bregman(0.0, p.kappa),
    "gamma": lambda p: _gamma(p.a, p.scale),
    "chi2": lambda p: _gamma(0.5 * p.df, 2 * p.scale),
    "chi": lambda p: np.log(p.scale) + _HALF_LOG - 0.5 * np.log(2) + _rest(0.5 * p.df, 0.5),
    "invgamma": _inverse_gamma,
    "t": lambda p: np.log(p.scale) + _student(0.5 * p.df, 1),
    "f": _f,
    "beta": _beta,
    "pareto": lambda p: _pareto(p.b, p.scale),
    "lomax": lambda p: _pareto(p.c, p.scale),
    "genpareto": lambda p: 1 + p.c + np.log(p.scale),
    "genextreme": lambda p: 1 + np.euler_gamma * (1 - p.c) + np.log(p.scale),
    "fisk": lambda p: 2 + log_ratio(p.scale, p.c),
    "powerlaw": lambda p: 1 - 1 / p.a + log_ratio(p.scale, p.a),
    "loguniform": lambda p: np.log(log_ratio(p.b, p.a)) + log_product((p.a, 0.5), (p.b, 0.5), (p.scale, 1)),
    "weibull_min": _weibull,
    "weibull_max": _weibull,
    "truncnorm": _truncated_normal,
    "truncexpon": _truncated_exponential,
    "bernoulli": _trial,
    "rv_discrete": lambda p: softmax_entropy(table_logits(p)),
    "geom": _geometric,
    "poisson": lambda p: np.vectorize(poisson_entropy, otypes=[float])(p.mu),
    "binom": lambda p: np.vectorize(binomial_entropy, otypes=[float])(p.n, p.p),
    "nbinom": lambda p: np.vectorize(negative_binomial_entropy, otypes=[float])(p.n, p.p),
    "randint": lambda p: np.log(p.high - p.low),
    "multivariate_normal": _multivariate_normal,
    "dirichlet": _dirichlet,
    "multinomial": lambda p: np.vectorize(multinomial_entropy, otypes=[float], signature="(),(k)->()")(
        p.n, p.p
    ),
}
