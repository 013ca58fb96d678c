"""What SciPy knows of a distribution and does not say in public: no other module touches its private names.

Each function says what it needs from SciPy, and raises an error that names SciPy's version where that is
gone. `tests/unit/test_scipy_adapter.py` pins what each must give.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy
from scipy import stats
from scipy.stats.distributions import rv_frozen

from kl_lib.types import Array, Mask


def private(owner: Any, name: str) -> Any:
    """Return an attribute of SciPy's that is not public, or say which SciPy has it no more."""
    try:
        return getattr(owner, name)
    except AttributeError:
        kind = owner if isinstance(owner, type) else type(owner)
        raise NotImplementedError(
            f"SciPy {scipy.__version__} has no {kind.__name__}.{name}, which kl_lib reads; "
            "install a version of SciPy that kl_lib was tested with"
        ) from None


# The base classes of SciPy's styles, which it does not export: of unfrozen and of frozen distributions,
# and of the newer random variables.
Generator: Any = stats.rv_continuous.__base__
MultivariateFrozen: Any = type(stats.multivariate_normal()).__base__
DiscreteFrozen: Any = type(stats.bernoulli(0.5))
NewerContinuous: Any = stats.Normal.__base__
Newer: Any = NewerContinuous.__base__


def shapes_loc_scale(frozen: rv_frozen) -> tuple[tuple[Any, ...], Any, Any]:
    """Return the shape parameters of a frozen distribution in their order, its location and its scale."""
    shapes, loc, scale = private(frozen.dist, "_parse_args")(*frozen.args, **frozen.kwds)
    return shapes, loc, scale


def in_domain(generator: Any, shapes: tuple[Array, ...]) -> Mask:
    """Return where shape parameters are in their domain."""
    return np.asarray(private(generator, "_argcheck")(*shapes), dtype=bool)


def may_be_infinite(generator: Any) -> list[str]:
    """Return the shape parameters whose domain has an infinite end, as the bounds of stats.truncnorm."""
    private(stats.truncnorm, "_shape_info")
    return [
        info.name
        for info in getattr(generator, "_shape_info", list)()  # generators of others need not have it
        if any(np.isinf(end) and closed for end, closed in zip(info.endpoints, info.inclusive, strict=True))
    ]


def histogram_bins(histogram: stats.rv_histogram) -> tuple[Array, Array]:
    """Return the edges of the bins of a histogram, (k + 1,), and the densities in the bins, (k,)."""
    return private(histogram, "_hbins"), private(histogram, "_hpdf")[1:-1]


def points(frozen: rv_frozen) -> tuple[Array, Array] | None:
    """Return the points and probabilities that a stats.rv_discrete was given; None for all others."""
    return (frozen.dist.xk, frozen.dist.pk) if hasattr(frozen.dist, "xk") else None


def multivariate_name(frozen: Any) -> str:
    """Return the name of the generator of a frozen multivariate distribution."""
    return type(frozen).__name__.removesuffix("_frozen")


def covariance_parts(frozen: Any) -> tuple[str, tuple[Any, ...], int]:
    """Return how a frozen stats.multivariate_normal was given its covariance, what by, and its rank."""
    covariance = private(frozen, "cov_object")
    kind = type(covariance).__name__.removeprefix("CovVia").lower()
    names = {"cholesky": ["_factor"], "precision": ["_precision"], "eigendecomposition": ["_w", "_v"]}
    parts = tuple(private(covariance, name) for name in names.get(kind, ["covariance"]))
    return kind, parts, int(covariance.rank)


def is_invalid_multinomial(frozen: Any) -> Mask:
    """Return where the parameters of a frozen stats.multinomial are outside their domain."""
    return np.asarray(private(frozen, "npcond"), dtype=bool)


def generator_inside(newer: Any) -> Any | None:
    """Return the generator that stats.make_distribution made the class of a newer random variable of."""
    methods = (getattr(method, "__self__", None) for method in vars(type(newer)).values())
    return next((owner for owner in methods if isinstance(owner, Generator)), None)


def shift(newer: Any) -> float:
    """Return the size of what was added to a newer random variable, by `+`, within it too."""
    inner = getattr(newer, "_dist", None)
    if inner is None:
        return 0.0
    # Not its attributes: SciPy gives those of one truncated variable to all others.
    parameters = private(newer, "_parameters")
    loc, scale = np.abs(parameters.get("loc", 0.0)), np.abs(parameters.get("scale", 1.0))
    return float(np.max(loc) + np.max(scale) * shift(inner))
