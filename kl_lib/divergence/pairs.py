"""Two distributions with array parameters, entry by entry."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.stats.distributions import rv_frozen

from kl_lib.divergence.distributions import Distribution
from kl_lib.divergence.numerical import RELATIVE, covers
from kl_lib.divergence.univariate import Univariate, univariate
from kl_lib.types import Array

Functional = Callable[[Univariate, Univariate], tuple[float, float]]


def float_or_array(value: Array) -> float | Array:
    """Return a float for scalar parameters, else the array."""
    return value if value.ndim else float(value)


def common_shape(p: Distribution, q: Distribution) -> tuple[int, ...]:
    """Return the shape that the parameters broadcast to; refuse distributions on different spaces."""
    if p.kind != q.kind and "other" not in (p.kind, q.kind):
        raise TypeError(f"p and q must be of one kind, got p {p.kind} and q {q.kind}")
    if p.dimension != q.dimension and p.dimension and q.dimension:
        raise ValueError(f"p and q must have the same dimension, got {p.dimension} and {q.dimension}")
    try:
        return np.broadcast_shapes(p.shape, q.shape)
    except ValueError:
        raise ValueError(
            f"the parameters of p and q must broadcast, got shapes {p.shape} and {q.shape}"
        ) from None


def completed(
    value: Array,
    covered: NDArray[np.bool_],
    functional: Functional,
    p: Distribution,
    q: Distribution,
    absolute: float,
) -> float | Array:
    """Integrate or sum the entries not covered, one after the other; inf where q does not cover p."""
    if np.all(covered):
        return float_or_array(value)
    if p.kind == "multivariate" or "other" in (p.kind, q.kind):
        raise NotImplementedError(
            f"nothing exact is known for p = {p.name} and q = {q.name}; estimate the divergence with "
            "kl_lib.kl_monte_carlo(p, q, n, rng=rng)"
        )
    for index in map(tuple, np.argwhere(~covered)):
        value[index] = _entry(functional, p, q, index, absolute)
    return float_or_array(value)


def _entry(
    functional: Functional, p: Distribution, q: Distribution, index: tuple[int, ...], absolute: float
) -> float:
    first, second = univariate(p, index), univariate(q, index)
    if not covers(second, first):
        return np.inf
    if p.kind == "continuous" and isinstance(p.source, rv_frozen) and isinstance(q.source, rv_frozen):
        # With p moved to 0, points close to where its support begins are told apart.
        origin = p.entry("loc", index)
        first, second = univariate(p, index, origin), univariate(q, index, origin)
    value, error = functional(first, second)
    if not error <= max(RELATIVE * abs(value), absolute):
        raise ArithmeticError(
            f"the quadrature or sum for p = {p.name} and q = {q.name} does not reach a relative error of "
            f"{RELATIVE}, got {value} with an error of {error}; the truth may be infinite"
        )
    return value
