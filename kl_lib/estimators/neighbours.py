"""An estimate of D_KL(p‖q) from samples of both alone, by the distances to their nearest neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial import KDTree

from kl_lib.checks import as_count, as_finite
from kl_lib.types import Array


def kl_nearest_neighbours(x: ArrayLike, y: ArrayLike, *, k: int = 5) -> float:
    r"""Estimate D_KL(p‖q) in nats from samples x ∼ p and y ∼ q, where neither density is known.

    (d/n) Σ log(ν(i)/ρ(i)) + log(m/(n − 1)), where ρ(i) is the distance from x[i] to the k-th nearest of the
    other samples of p, and ν(i) that to the k-th nearest sample of q. A larger k has less spread and more
    bias. Both densities are taken as constant over such distances. So the estimate is too small, the more so
    the higher the dimension d, and where samples of p lie beyond all of q.

    Parameters
    ----------
    x
        Independent samples of p, a density: (n,) or (n, d), at least k + 1.
    y
        Independent samples of q, (m,) or (m, d), at least k.
    k
        Which neighbour, at least 1.

    Returns
    -------
    float
        The estimate. Coordinates all in another unit, or moved, do not change it; one alone in another unit
        does. By accident it may be negative.

    Raises
    ------
    TypeError
        If k is no integer, or the samples are no numbers.
    ValueError
        If k is below 1, there are too few samples, one is not finite, the dimensions differ, or two samples
        are equal: those of a density are not, unless they were rounded.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import kl_nearest_neighbours
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(0, 1, size=5000), rng.normal(1, 1, size=5000)
    >>> print(f"{kl_nearest_neighbours(x, y):.1f}")  # of N(0, 1) and N(1, 1): 0.5
    0.5

    References
    ----------
    Wang, Kulkarni and Verdú (2009), "Divergence estimation for multidimensional densities via
    k-nearest-neighbor distances", equation 14.
    """
    k = as_count("k", k)
    x, y = _as_points("x", x, k + 1), _as_points("y", y, k)
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"x and y must have one dimension, got {x.shape[1]} and {y.shape[1]}")
    largest = max(np.abs(x).max(), np.abs(y).max())
    x, y = (np.ldexp(points, -int(np.frexp(largest)[1])) for points in (x, y))  # or squares would overflow
    _check_distinct(np.concatenate([x, y]), len(x))
    # Each sample of p is its own nearest one.
    own = KDTree(x).query(x, k=[k + 1])[0]
    other = KDTree(y).query(x, k=[k])[0]
    return float(x.shape[1] * np.mean(np.log(other / own)) + np.log(len(y) / (len(x) - 1)))


def _as_points(name: str, value: ArrayLike, fewest: int) -> Array:
    """Return samples as (n, d)."""
    array = as_finite(name, value)
    if array.ndim not in (1, 2) or 0 in array.shape[1:]:
        raise ValueError(f"{name} must have shape (n,) or (n, d), got {array.shape}")
    if len(array) < fewest:
        raise ValueError(f"{name} must be at least {fewest} samples for this k, got {len(array)}")
    return array.reshape(len(array), -1)


def _check_distinct(points: Array, n: int) -> None:
    """Refuse samples that coincide, or lie too close for floats to hold the square of their distance."""
    distances, neighbours = KDTree(points).query(points, k=2)
    equal = neighbours[distances[:, 1] == 0]
    if len(equal):
        names = [f"x[{i}]" if i < n else f"y[{i - n}]" for i in sorted(equal[0])]
        raise ValueError(
            f"the samples must all differ, as those of densities do, got {' and '.join(names)} at one point"
        )
