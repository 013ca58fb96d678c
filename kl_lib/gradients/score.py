"""The score-function estimator and its baselines."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from kl_lib.checks import as_choice, as_count, as_finite, evaluate
from kl_lib.families import Family, as_family
from kl_lib.types import Array, BatchFunction

_BASELINES = ("leave-one-out", "optimal")


def score_function(
    family: Family,
    theta: ArrayLike,
    f: BatchFunction,
    n: int,
    *,
    rng: np.random.Generator,
    baseline: ArrayLike | str | None = None,
    pilot: int = 1000,
) -> Array:
    """Return (f(x) − b) ∇θ log pθ(x) at n samples x ∼ pθ, (n, size): unbiased for ∇θ E[f(x)].

    The baseline b does not move the mean, since the score has mean zero. It is a number, an array (size,),
    ``"leave-one-out"`` (for each sample the mean of f over the others; n >= 2), or ``"optimal"``: for each
    coordinate E[f s²] / E[s²] with s the score, which minimises the variance, from `pilot` independent
    samples. Williams (1992); Mohamed et al. (2020), section 4.

    Raises
    ------
    ValueError
        If f returns another shape than (n,) or a value that is not finite.

    Examples
    --------
    >>> from kl_lib import families
    >>> family, f = families.Bernoulli(), lambda x: 2.0 * x
    >>> score_function(family, [0.0], f, 1000, rng=rng).shape
    (1000, 1)
    >>> score_function(family, [0.0], f, 2, rng=rng, baseline=1.0)
    array([[0.5],
           [0.5]])
    """
    theta, n = as_family(family).as_theta(theta), as_count("n", n)
    pilot = as_count("pilot", pilot)
    x = family.sample(theta, n, rng=rng)
    values = evaluate("f", f, x)[:, None]
    return (values - _baseline(family, theta, f, values, baseline, pilot, rng)) * family.score(theta, x)


def _baseline(
    family: Family,
    theta: Array,
    f: BatchFunction,
    values: Array,
    baseline: ArrayLike | str | None,
    pilot: int,
    rng: np.random.Generator,
) -> Array:
    """Return what to subtract from the values (n, 1), of a shape that broadcasts to (n, size)."""
    if baseline is None:
        return np.zeros(())
    if not isinstance(baseline, str):
        return _given(baseline, family.size)
    if as_choice("baseline", baseline, _BASELINES) == "optimal":
        return _optimal(family, theta, f, pilot, rng)
    n = as_count("n", len(values), minimum=2)
    others: Array = (values.sum() - values) / (n - 1)
    return others


def _given(baseline: ArrayLike, size: int) -> Array:
    array = as_finite("baseline", baseline)
    if array.shape not in ((), (size,)):
        raise ValueError(f"baseline must be a number or have shape ({size},), got shape {array.shape}")
    return array


def _optimal(family: Family, theta: Array, f: BatchFunction, pilot: int, rng: np.random.Generator) -> Array:
    """Return E[f s²] / E[s²] for each coordinate; 0 where the score vanishes, and with it the estimate."""
    x = family.sample(theta, pilot, rng=rng)
    squares = family.score(theta, x) ** 2
    weight = squares.sum(axis=0)
    baseline: Array = evaluate("f", f, x) @ squares / np.where(weight > 0, weight, 1)
    return baseline
