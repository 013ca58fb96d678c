"""The score-function estimator with its baselines, and the pathwise estimator."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from kl_lib.checks import as_choice, as_count, as_finite, evaluate
from kl_lib.families import (
    Family,
    as_family,
    as_reparameterizable,
)
from kl_lib.types import Array, Baseline, BatchFunction

_BASELINES = ("leave-one-out", "optimal")


def score_function(
    family: Family,
    theta: ArrayLike,
    f: BatchFunction,
    n: int,
    *,
    rng: np.random.Generator,
    baseline: Baseline | None = None,
    pilot: int = 1000,
) -> Array:
    """Return (f(x) − b) ∇θ log pθ(x) at n samples x ∼ pθ: unbiased for ∇θ E[f(x)].

    The baseline b does not move the mean, since the score has mean zero. Williams (1992); Mohamed et al.
    (2020), section 4.

    Parameters
    ----------
    family
        A family of `kl_lib.families`.
    theta
        Its parameters θ, (size,).
    f
        Maps a batch of samples, (n,), (n, d) or integers (n,), to (n,).
    n
        How many samples.
    rng
        The source of randomness.
    baseline
        A number, an array (size,), ``"leave-one-out"`` (for each sample the mean of f over the others;
        n >= 2), or ``"optimal"``: for each coordinate E[f s²] / E[s²] with s the score, which minimises the
        variance.
    pilot
        How many independent samples the optimal baseline is estimated from.

    Returns
    -------
    ndarray
        One gradient a sample, (n, size).

    Raises
    ------
    ValueError
        If f returns another shape than (n,) or a value that is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import families, score_function
    >>> rng = np.random.default_rng(0)
    >>> family, f = families.Bernoulli(), lambda x: 2.0 * x
    >>> score_function(family, [0.0], f, 1000, rng=rng).shape
    (1000, 1)
    >>> score_function(family, [0.0], f, 2, rng=rng, baseline=1.0)
    array([[0.5],
           [0.5]])
    """
    return draw_with_score(family, theta, f, n, rng=rng, baseline=baseline, pilot=pilot)[1]


def draw_with_score(
    family: Family,
    theta: ArrayLike,
    f: BatchFunction,
    n: int,
    *,
    rng: np.random.Generator,
    baseline: Baseline | None,
    pilot: int = 1000,
) -> tuple[Array, Array]:
    """Return f at n samples, (n,), and the gradients of `score_function` at the same samples."""
    theta, n = as_family(family).as_theta(theta), as_count("n", n)
    pilot = as_count("pilot", pilot)
    x = family.sample(theta, n, rng=rng)
    values = evaluate("f", f, x)
    subtrahend = _baseline(family, theta, f, values[:, None], baseline, pilot, rng)
    return values, (values[:, None] - subtrahend) * family.score(theta, x)


def _baseline(
    family: Family,
    theta: Array,
    f: BatchFunction,
    values: Array,
    baseline: Baseline | None,
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


def reparameterization(
    family: Family,
    theta: ArrayLike,
    f: BatchFunction,
    grad_f: BatchFunction,
    n: int,
    *,
    rng: np.random.Generator,
) -> Array:
    """Return (∂x/∂θ)ᵀ ∇f(x) at n samples x = transform(θ, ε): unbiased for ∇θ E[f(x)].

    f itself enters through its gradient alone; it is evaluated to refuse what is not finite, since an f with
    jumps has a gradient almost everywhere that says nothing of them. Kingma and Welling (2014); Rezende,
    Mohamed and Wierstra (2014); Mohamed et al. (2020), section 5.

    Parameters
    ----------
    family
        A reparameterizable family: `Normal`, `DiagonalNormal` or `FullNormal`.
    theta
        Its parameters θ, (size,).
    f
        Maps a batch of samples, (n,) or (n, d), to (n,).
    grad_f
        The gradient of f by x: maps a batch to an array of its shape.
    n
        How many samples.
    rng
        The source of randomness.

    Returns
    -------
    ndarray
        One gradient a sample, (n, size).

    Raises
    ------
    TypeError
        If the family is not reparameterizable.
    ValueError
        If f or grad_f returns another shape or a value that is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import families, reparameterization
    >>> rng = np.random.default_rng(0)
    >>> gradients = reparameterization(
    ...     families.Normal(), [3.0, 0.0], lambda x: 2 * x, lambda x: np.full_like(x, 2.0), 5, rng=rng
    ... )
    >>> gradients.shape, gradients[:, 0].tolist()
    ((5, 2), [2.0, 2.0, 2.0, 2.0, 2.0])
    """
    family = as_reparameterizable(family, instead="score_function or measure_valued")
    noise = family.noise(n, rng=rng)
    x = family.transform(theta, noise)
    evaluate("f", f, x)
    return family.pullback(theta, noise, evaluate("grad_f", grad_f, x, shape=x.shape))
