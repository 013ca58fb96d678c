"""The families that are compared: how each library builds them, and pairs of parameters to try."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from oracles import closed_forms, grid
from oracles.closed_forms import mp
from scipy import stats

Values = tuple[Any, ...]
Truth = Callable[[Values, Values], Any]


@dataclass(frozen=True)
class ComparedFamily:
    """One family.

    `torch`, `tfp` and `numpyro` are the name of the class and the names of its parameters, in the order
    of those in `bases`. Where `rate` is set, these three take the rate and SciPy the scale: each is given
    the same floats, for what it calls them, so that no library pays for a rounded reciprocal.
    """

    scipy: Callable[..., Any]
    truth: Truth
    bases: tuple[Values, ...]
    torch: tuple[str, ...]
    tfp: tuple[str, ...]
    numpyro: tuple[str, ...]
    location: bool = False
    rate: int | None = None
    weights: bool = False

    def pairs(self, distance: float) -> list[tuple[Values, Values]]:
        """Return the bases, each beside itself moved by ±`distance`."""
        return [(p, self._moved(p, sign * distance)) for p in self.bases for sign in (1, -1)]

    def _moved(self, p: Values, distance: float) -> Values:
        moved = [_scaled(x, distance) for x in p]
        if self.location:
            moved[0] = p[0] + distance * (p[1] if np.ndim(p[1]) == 0 else 1.0)
        return tuple(x / np.sum(x) for x in moved) if self.weights else tuple(moved)


def _scaled(x: Any, distance: float) -> Any:
    """Move a number, or the entries of an array by turns up and down, by a relative `distance`."""
    signs = np.where(np.arange(np.shape(x)[-1]) % 2, -1, 1) if np.ndim(x) else 1
    return x * (1 + distance * signs)


def _covariance_factor(size: int) -> np.ndarray:
    lags = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    return np.linalg.cholesky(0.6**lags)


def _in_grid(name: str, complete: Callable[..., Values] = lambda *p: p) -> Truth:
    """Return the textbook formula of the grid, whose parameters are `complete` of ours."""
    reference = grid.FAMILIES[name].reference
    return lambda p, q: reference(*complete(*p), *complete(*q))


_WEIGHTS = (np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.7, 0.15, 0.1, 0.05]))
_LOC_SCALE = ("loc", "scale")

FAMILIES = {
    "normal": ComparedFamily(
        stats.norm, _in_grid("norm"), ((0.3, 1.7), (-20.0, 0.013)),
        ("Normal", *_LOC_SCALE), ("Normal", *_LOC_SCALE), ("Normal", *_LOC_SCALE), location=True,
    ),
    "lognormal": ComparedFamily(
        lambda m, s: stats.lognorm(s, scale=np.exp(m)),
        _in_grid("lognorm", lambda m, s: (s, mp.exp(m))), ((0.0, 0.7), (0.0, 3.1)),
        ("LogNormal", *_LOC_SCALE), ("LogNormal", *_LOC_SCALE), ("LogNormal", *_LOC_SCALE),
    ),
    "half-normal": ComparedFamily(
        lambda s: stats.halfnorm(scale=s), _in_grid("halfnorm", lambda s: (0, s)), ((1.7,), (0.013,)),
        ("HalfNormal", "scale"), ("HalfNormal", "scale"), ("HalfNormal", "scale"),
    ),
    "exponential": ComparedFamily(
        lambda s: stats.expon(scale=s), _in_grid("expon", lambda s: (0, s)), ((1.7,), (0.013,)),
        ("Exponential", "rate"), ("Exponential", "rate"), ("Exponential", "rate"), rate=0,
    ),
    "gamma": ComparedFamily(
        lambda a, s: stats.gamma(a, scale=s), _in_grid("gamma"), ((2.3, 1.7), (0.4, 0.013), (310.0, 5.1)),
        ("Gamma", "concentration", "rate"), ("Gamma", "concentration", "rate"),
        ("Gamma", "concentration", "rate"), rate=1,
    ),
    "chi-squared": ComparedFamily(
        stats.chi2, _in_grid("chi2", lambda df: (df, 1)), ((2.3,), (310.0,)),
        ("Chi2", "df"), ("Chi2", "df"), ("Chi2", "df"),
    ),
    "beta": ComparedFamily(
        stats.beta, _in_grid("beta"), ((2.3, 1.7), (0.4, 0.6), (120.0, 37.0)),
        ("Beta", "concentration1", "concentration0"), ("Beta", "concentration1", "concentration0"),
        ("Beta", "concentration1", "concentration0"),
    ),
    "gamma, shape 1e12": ComparedFamily(
        lambda a, s: stats.gamma(a, scale=s), _in_grid("gamma"), ((1e12, 3.0),),
        ("Gamma", "concentration", "rate"), ("Gamma", "concentration", "rate"),
        ("Gamma", "concentration", "rate"), rate=1,
    ),
    "beta, shapes 1e12": ComparedFamily(
        stats.beta, _in_grid("beta"), ((1e12, 2e12),),
        ("Beta", "concentration1", "concentration0"), ("Beta", "concentration1", "concentration0"),
        ("Beta", "concentration1", "concentration0"),
    ),
    "Dirichlet": ComparedFamily(
        stats.dirichlet, _in_grid("dirichlet", lambda a: a), ((np.array([2.3, 1.7, 0.4, 11.0]),),),
        ("Dirichlet", "concentration"), ("Dirichlet", "concentration"), ("Dirichlet", "concentration"),
    ),
    "Laplace": ComparedFamily(
        stats.laplace, _in_grid("laplace"), ((0.3, 1.7), (-2.0, 0.13)),
        ("Laplace", *_LOC_SCALE), ("Laplace", *_LOC_SCALE), ("Laplace", *_LOC_SCALE), location=True,
    ),
    "Cauchy": ComparedFamily(
        stats.cauchy, _in_grid("cauchy"), ((0.3, 1.7), (-2.0, 0.13)),
        ("Cauchy", *_LOC_SCALE), ("Cauchy", *_LOC_SCALE), ("Cauchy", *_LOC_SCALE), location=True,
    ),
    "Pareto": ComparedFamily(
        stats.pareto, _in_grid("pareto", lambda a: (a, 1)), ((2.3,), (0.4,)),
        ("Pareto", "alpha"), ("Pareto", "concentration"), ("Pareto", "alpha"),
    ),
    "Weibull": ComparedFamily(
        lambda k, s: stats.weibull_min(k, scale=s), _in_grid("weibull_min"), ((2.3, 1.7), (0.6, 0.13)),
        ("Weibull", "concentration", "scale"), ("Weibull", "concentration", "scale"),
        ("Weibull", "concentration", "scale"),
    ),
    "Gumbel": ComparedFamily(
        stats.gumbel_r, _in_grid("gumbel_r"), ((0.3, 1.7), (-2.0, 0.13)),
        ("Gumbel", *_LOC_SCALE), ("Gumbel", *_LOC_SCALE), ("Gumbel", *_LOC_SCALE), location=True,
    ),
    "von Mises": ComparedFamily(
        lambda m, k: stats.vonmises(k, loc=m), _in_grid("vonmises"), ((0.3, 1.7), (-2.0, 40.0)),
        ("VonMises", "loc", "concentration"), ("VonMises", "loc", "concentration"),
        ("VonMises", "loc", "concentration"),
    ),
    "Bernoulli": ComparedFamily(
        stats.bernoulli, _in_grid("bernoulli"), ((0.3,), (0.01,)),
        ("Bernoulli", "probs"), ("Bernoulli", "probs"), ("Bernoulli", "probs"),
    ),
    "geometric": ComparedFamily(
        stats.geom, _in_grid("geom"), ((0.3,), (0.01,)),
        ("Geometric", "probs"), ("Geometric", "probs"), ("Geometric", "probs"),
    ),
    "Poisson": ComparedFamily(
        stats.poisson, _in_grid("poisson"), ((2.3,), (410.0,)),
        ("Poisson", "rate"), ("Poisson", "rate"), ("Poisson", "rate"),
    ),
    "categorical": ComparedFamily(
        lambda w: w, lambda p, q: closed_forms.categorical(*p, *q), tuple((w,) for w in _WEIGHTS),
        ("Categorical", "probs"), ("Categorical", "probs"), ("CategoricalProbs", "probs"), weights=True,
    ),
    "multivariate normal": ComparedFamily(
        lambda m, factor: (m, factor), lambda p, q: closed_forms.normal_cholesky(*p, *q),
        ((np.zeros(4), _covariance_factor(4)),),
        ("MultivariateNormal", "loc", "scale_tril"), ("MultivariateNormalTriL", "loc", "scale_tril"),
        ("MultivariateNormal", "loc", "scale_tril"), location=True,
    ),
}  # fmt: skip
