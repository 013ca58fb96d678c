"""Samples and log densities of distributions in all of SciPy's styles, one sample a row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kl_lib.checks import evaluate
from kl_lib.divergence.distributions import Distribution
from kl_lib.types import Array

# What SciPy draws as (n, ...) and evaluates as (..., n), and what it takes apart into several arguments.
_ROWS_LAST = ("dirichlet", "wishart", "invwishart", "gaussian_kde")
_APART = ("normal_inverse_gamma",)


def density_name(p: Distribution) -> str | None:
    """Return the name of p's method for the log of its density, or of its mass; None if it has neither."""
    names = ("logpmf", "logpdf") if p.kind == "discrete" else ("logpdf", "logpmf")
    return next((name for name in names if hasattr(p.source, name)), None)


def can_be_sampled(p: Distribution) -> bool:
    """Whether p has a method that draws samples."""
    return any(hasattr(p.source, name) for name in ("rvs", "sample", "resample"))


def draw(p: Distribution, n: int, rng: np.random.Generator) -> NDArray[Any]:
    """Return n samples, (n, ...)."""
    if hasattr(p.source, "resample"):  # of a kernel density estimate, (d, n)
        x = p.source.resample(n, rng).T
        return np.asarray(x[:, 0] if p.dimension == 1 else x)
    if not hasattr(p.source, "rvs"):
        return np.asarray(p.source.sample(n, rng=rng))
    x = p.source.rvs(size=n, random_state=rng)
    array = np.stack(x, axis=-1) if p.name in _APART else np.asarray(x)
    if array.shape[:1] != (n,):
        raise ValueError(f"{p.label}.rvs must return samples of shape ({n}, ...), got {array.shape}")
    return array


def log_density(p: Distribution, x: NDArray[Any], *, minus_infinity: bool = False) -> Array:
    """Return log p, (n,), at samples (n, ...)."""
    name = str(density_name(p))

    def function(x: NDArray[Any]) -> Any:
        arguments = tuple(np.moveaxis(x, -1, 0)) if p.name in _APART else (x,)
        if p.name in _ROWS_LAST:
            arguments = (np.moveaxis(x, 0, -1),)
        try:
            with np.errstate(all="ignore"):
                return getattr(p.source, name)(*arguments)
        except ValueError as error:
            raise ValueError(f"{p.label}.{name} must take samples of shape {x.shape}: {error}") from error

    return evaluate(f"{p.label}.{name}", function, x, minus_infinity=minus_infinity)
