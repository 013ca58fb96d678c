"""Bregman divergences f(x) − f(y) − f′(y)(x − y) as integrals of positive terms.

They are the integral over t in [0, 1] of (1 − t) times the second derivative of f along the way from y
to x: near by Gauss and Legendre's rule, far by the trapezoidal rule in log(t/(1 − t)).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from kl_lib.numerics.entrywise import in_blocks
from kl_lib.types import Array

# Of t, 1 − t (nodes, 1 or n) and the arrays (n,) that say what the way is, the second derivative in t.
Curvature = Callable[..., Array]

# So many ways at a time that all their nodes stay in the cache.
_LEGENDRE_BLOCK, _LOGIT_BLOCK = 1 << 7, 1 << 4


def legendre_rule(count: int) -> tuple[Array, Array]:
    """Return the nodes and the weights of Gauss and Legendre's rule on [0, 1], (count, 1) each.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics.bregman import legendre_rule
    >>> nodes, weights = legendre_rule(2)
    >>> print(f"{np.sum(weights * nodes**3):.12f}")
    0.250000000000
    """
    nodes, weights = (0.5 * part[:, np.newaxis] for part in np.polynomial.legendre.leggauss(count))
    return nodes + 0.5, weights


_NODES, _WEIGHTS = legendre_rule(12)


def legendre_integral(curvature: Curvature, *way: Array) -> Array:
    """Return ∫ (1 − t) `curvature` dt over twelve nodes, where the way is no longer than a factor of 2.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics.bregman import legendre_integral
    >>> legendre_integral(lambda t, rest, y: 2 * y, np.array([1.0, 3.0]))
    array([1., 3.])
    """
    return in_blocks(lambda *part: _sum(curvature, _NODES, 1 - _NODES, _WEIGHTS, part), way, _LEGENDRE_BLOCK)


def logit_integral(curvature: Curvature, first: Array, last: Array, step: float, *way: Array) -> Array:
    """Return ∫ (1 − t) `curvature` dt in steps of v = log(t/(1 − t)) from `first` to `last`.

    The error is e^{−2πa/step}, where the integrand is analytic for |Im v| < a. The step has few bits.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics.bregman import logit_integral
    >>> ends = np.full(1, -40.0), np.full(1, 20.0)
    >>> print(f"{logit_integral(lambda t, rest, y: 2 * y, *ends, 0.5, np.ones(1))[0]:.12f}")
    1.000000000000
    """

    def block(first: Array, last: Array, *part: Array) -> Array:
        # Multiples of the step: rounding v would cost t as many digits as v has before the point.
        first = step * np.floor(first / step)
        v = first + step * np.arange(np.max(last - first) // step + 2)[:, np.newaxis]
        t, rest = expit(v), expit(-v)
        return _sum(curvature, t, rest, step * t * rest, part)

    return in_blocks(block, (first, last, *way), _LOGIT_BLOCK)


def _sum(curvature: Curvature, t: Array, rest: Array, weights: Array, way: Sequence[Array]) -> Array:
    value: Array = np.sum(weights * rest * curvature(t, rest, *way), axis=0)
    return value


def within_factor(factor: float, x: Array, y: Array) -> NDArray[np.bool_]:
    """Return where neither of two positive numbers is more than so many times the other.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics.bregman import within_factor
    >>> within_factor(2, np.array([1.0, 1.0]), np.array([2.0, 2.5]))
    array([ True, False])
    """
    near: NDArray[np.bool_] = (x <= factor * y) & (y <= factor * x)
    return near
