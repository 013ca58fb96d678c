"""The pathwise estimator."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from kl_lib.checks import evaluate
from kl_lib.families import Family, as_reparameterizable
from kl_lib.types import Array, BatchFunction


def reparameterization(
    family: Family,
    theta: ArrayLike,
    f: BatchFunction,
    grad_f: BatchFunction,
    n: int,
    *,
    rng: np.random.Generator,
) -> Array:
    """Return (∂x/∂θ)ᵀ ∇f(x) at n samples x = transform(θ, ε), (n, size): unbiased for ∇θ E[f(x)].

    f itself enters through its gradient alone; it is evaluated to refuse what is not finite, since an f with
    jumps has a gradient almost everywhere that says nothing of them. Kingma and Welling (2014); Rezende,
    Mohamed and Wierstra (2014); Mohamed et al. (2020), section 5.

    Raises
    ------
    TypeError
        If the family is not reparameterizable.
    ValueError
        If f or grad_f returns another shape or a value that is not finite.

    Examples
    --------
    >>> from kl_lib import families
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
