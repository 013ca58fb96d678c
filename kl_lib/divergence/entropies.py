"""Closed forms of the entropy, each a formula of the parameters in which nothing large cancels.

Three pieces are shared: an entropy is the log of a volume less the divergence from the uniform distribution
on it; log Γ beside its slope ψ, without their leading terms, is what `_rest` returns; and counts are summed,
few points however many there are. With S(k) = log k! − k log k + k and T(k, m) = k log(k/m) − k + m the
chance of a count is the exponential of a few S and −T, none of which cancels (Loader 2000, "Fast and accurate
computation of binomial probabilities").
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, hyp1f1, xlog1py, xlogy

from kl_lib.divergence.closed_forms import kl_beta, kl_dirichlet
from kl_lib.divergence.distributions import Distribution, Parameters
from kl_lib.divergence.registry import ClosedValue
from kl_lib.divergence.summation import sum_integers
from kl_lib.families.discrete import DiscreteFromLogits
from kl_lib.numerics import (
    bessel_bregman,
    kl_term,
    log_product,
    log_ratio,
    remainder_and_slope,
)
from kl_lib.numerics.bregman import legendre_rule
from kl_lib.numerics.log_densities import excess
from kl_lib.types import Array

Formula = Callable[[Parameters], ArrayLike]

_HALF_LOG = 0.5 * float(np.log(2 * np.pi * np.e))
# A rule on [0, 1], of 24 times 12 nodes, for a density that falls by e⁻⁴⁵ at most.
_DECAY, _PANELS = 45.0, 24
_NODES, _WEIGHTS = legendre_rule(12)
_NODES, _WEIGHTS = (_NODES + np.arange(_PANELS)) / _PANELS, _WEIGHTS / _PANELS

# From so many successes on, no number of failures close to 0 has a chance.
_NARROW = 4096
# A mean from here on has its digits.
_NO_UNDERFLOW = 1e-290
# Of the total of all chances of a count.
_TOLERANCE = 1e-11

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
    """Return H(p), of the shape of p, by its closed form; None where there is none."""
    from_logits = isinstance(p.source, DiscreteFromLogits)
    formula = (lambda _: p.source.entropy()) if from_logits else _ENTROPIES.get(p.name)
    if formula is None:
        return None
    # What overflows shows in the value.
    with np.errstate(all="ignore"):
        value = formula(p.parameters)
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
    return -xlogy(p.p, p.p) - xlog1py(1 - p.p, -p.p)


def _geometric(p: Parameters) -> ClosedValue:
    return -np.log(p.p) - xlog1py(1 - p.p, -p.p) / p.p


# Of a count and of what it is above the mean, a part of −log of its chance.
Part = Callable[[Array, Array], Array]


def _poisson(mean: float) -> float:
    return sum(_means(mean, lambda k, above: excess(k) + kl_term(k, mean, -above)))


def _binomial(n: float, p: float) -> float:
    return sum(_binomial_parts(n, min(p, 1 - p)))


def _multinomial(n: float, p: Array) -> float:
    """Return Σᵢ E[S(kᵢ) + T(kᵢ, n pᵢ)] − S(n), where each count is binomial."""
    total = 0.0 if np.max(p) > 0.5 else -float(excess(np.asarray(n)))
    for chance in p.tolist():
        total += _binomial_parts(n, chance)[0] if chance <= 0.5 else _binomial_parts(n, 1 - chance)[1]
    return total


def _binomial_parts(n: float, p: float) -> list[float]:
    """Return E[S(k) + T(k, np)] of the count k with the chance p ≤ ½, and that of n − k less S(n)."""
    whole, mean = excess(np.asarray(n)), n * p

    def rest(k: Array, above: Array) -> Array:
        return np.asarray((excess(n - k) - whole) + kl_term(n - k, n * (1 - p), above))

    return _means(mean, lambda k, above: excess(k) + kl_term(k, mean, -above), rest, last=n)


def _negative_binomial(n: float, p: float) -> float:
    whole, rest = excess(np.asarray(n)), 1 - p

    def part(k: Array, above: Array) -> Array:
        trials = n + k
        both = kl_term(n, p * trials, p * above) + kl_term(k, rest * trials, -p * above)
        return np.asarray((whole - excess(trials)) + log_ratio(trials, n) + excess(k) + both)

    mode = max((n - 1) * rest / p, 0.0)
    return sum(_means(n * rest / p, part, wide_mode=mode if n < _NARROW else None))


def _means(mean: float, *parts: Part, last: float = np.inf, wide_mode: float | None = None) -> list[float]:
    """Return the means of the parts of −log of the chance; nan where the chances do not sum to 1.

    Summed is over the steps from the mean, which itself may have lost its digits, or, of a distribution as
    wide as its mean is large, whose mode is given, over the counts from 0.
    """
    if not mean < np.inf:
        return [np.nan]
    origin, center = (np.round(mean), 0.0) if wide_mode is None else (0.0, np.floor(wide_mode))
    logs = [lambda step, part=part: -part(origin + step, step + (origin - mean)) for part in parts]

    def terms(_step: Array, logs: Array, _doubt: Array, log_weight: Array) -> Array:
        chance = np.exp(np.sum(logs, axis=0) + log_weight)
        # inf, of a count without a chance, matters no more.
        return np.vstack([chance, np.where(chance > 0, -chance * logs, 0.0)])

    sums = sum_integers(logs, terms, (-origin, last - origin), [center], relative=1e-12, absolute=0.0)
    total, *means = sums.value
    return [float(value / total) if abs(total - 1) < _TOLERANCE else np.nan for value in means]


def _multivariate_normal(p: Parameters) -> ClosedValue:
    covariance: Any = p.covariance
    return covariance.factor.shape[-1] * _HALF_LOG + covariance.log_volume


def _matrix_normal(p: Parameters) -> ClosedValue:
    (n, m), rows, columns = p.mean.shape, cast("Any", p.rows), cast("Any", p.columns)
    return n * m * _HALF_LOG + m * rows.log_volume + n * columns.log_volume


def _multivariate_t(p: Parameters) -> ClosedValue:
    covariance: Any = p.covariance
    d = len(covariance.factor)
    return covariance.log_volume + (_student(0.5 * p.df, d) if p.df < np.inf else d * _HALF_LOG)


def _wishart(p: Parameters, power: int = 1) -> ClosedValue:
    """Return that of a Wishart matrix, or with `power` −1 that of an inverse one.

    In d dimensions the determinant is a product of gamma variables of the shapes a = n/2 − j/2, j < d, and
    that of the Jacobian of the inverse is the determinant to the power −d − 1.
    """
    covariance: Any = p.covariance
    d = len(covariance.factor)
    j = np.arange(d, dtype=np.float64)
    a, c = 0.5 * (p.df - j), np.asarray(0.5 * (power * (d + 1) - j))
    volumes = (d + 1) * (covariance.log_volume + power * 0.5 * d * np.log(2))
    return (
        volumes
        + 0.25 * d * (d - 1) * (1 + np.log(np.pi))
        + np.sum(_rest(a, c) + (c - 0.5) * np.log(a) + _HALF_LOG)
    )


def _on_sphere(p: Parameters) -> ClosedValue:
    """Return log of the area + log M + κ M′/M for the mean M of e^{κ(t − 1)}, a function of Kummer's."""
    d, kappa = p.mu.size, p.kappa
    a = 0.5 * (d - 1)
    mean, slope = hyp1f1(a, 2 * a, -2 * kappa), hyp1f1(a + 1, 2 * a + 1, -2 * kappa)
    log_area = np.log(2) + 0.5 * d * np.log(np.pi) - gammaln(0.5 * d)
    return np.where(mean > _NO_UNDERFLOW, log_area + np.log(mean) + kappa * slope / mean, np.nan)


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
    "geom": _geometric,
    "poisson": lambda p: np.vectorize(_poisson, otypes=[float])(p.mu),
    "binom": lambda p: np.vectorize(_binomial, otypes=[float])(p.n, p.p),
    "nbinom": lambda p: np.vectorize(_negative_binomial, otypes=[float])(p.n, p.p),
    "randint": lambda p: np.log(p.high - p.low),
    "multivariate_normal": _multivariate_normal,
    "matrix_normal": _matrix_normal,
    "multivariate_t": _multivariate_t,
    "wishart": _wishart,
    "invwishart": partial(_wishart, power=-1),
    "vonmises_fisher": _on_sphere,
    "dirichlet": _dirichlet,
    "multinomial": lambda p: np.vectorize(_multinomial, otypes=[float], signature="(),(k)->()")(p.n, p.p),
}
