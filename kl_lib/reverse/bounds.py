"""Lower bounds of log ℵ: the ELBO, and the importance-weighted bound."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from kl_lib.checks import as_count, evaluate
from kl_lib.families import Family, as_family
from kl_lib.results import Estimate
from kl_lib.types import BatchFunction


def elbo(
    family: Family, theta: ArrayLike, log_p: BatchFunction, n: int, *, rng: np.random.Generator
) -> Estimate:
    """Estimate the evidence lower bound E[log p̃(x)] + H(pθ), x ∼ pθ, in nats.

    The entropy is exact where the family has it in closed form. See Jordan, Ghahramani, Jaakkola and Saul
    (1999).

    Parameters
    ----------
    family
        A family of `kl_lib.families`.
    theta
        Its parameters θ, (size,).
    log_p
        The log of the unnormalized density p̃ in nats: maps a batch of samples, (n,), (n, d) or integers (n,),
        to (n,).
    n
        How many samples, at least 2.
    rng
        The source of randomness.

    Returns
    -------
    Estimate
        The value is -inf if p̃ vanishes at a sample.

    Raises
    ------
    ValueError
        If log_p returns nan, inf or another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import elbo, families
    >>> rng = np.random.default_rng(0)
    >>> bound = elbo(families.Normal(), [0.0, 0.0], lambda x: -0.5 * x**2, 1000, rng=rng)
    >>> bool(abs(bound.value - 0.5 * np.log(2 * np.pi)) < 4 * bound.standard_error)
    True
    """
    theta = as_family(family).as_theta(theta)
    x = family.sample(theta, as_count("n", n, minimum=2), rng=rng)
    values = evaluate("log_p", log_p, x, minus_infinity=True)
    try:
        return Estimate.of(values + family.entropy(theta))
    except NotImplementedError:
        return Estimate.of(values - family.log_prob(theta, x))


def importance_weighted_bound(
    family: Family, theta: ArrayLike, log_p: BatchFunction, k: int, n: int, *, rng: np.random.Generator
) -> Estimate:
    """Estimate E[log (1/k) Σ p̃(xᵢ)/pθ(xᵢ)], x₁ … x_k ∼ pθ, in nats.

    A lower bound of log ℵ for every k: the ELBO for k = 1, growing with k (Burda, Grosse and Salakhutdinov
    2016, theorem 1).

    Parameters
    ----------
    family
        A family of `kl_lib.families`.
    theta
        Its parameters θ, (size,).
    log_p
        The log of the unnormalized density p̃ in nats: maps a batch of samples, (n,), (n, d) or integers (n,),
        to (n,).
    k
        How many samples one bound weighs.
    n
        How many bounds are averaged, at least 2.
    rng
        The source of randomness.

    Returns
    -------
    Estimate
        The mean of the n bounds.

    Raises
    ------
    ValueError
        If log_p returns nan, inf or another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import families, importance_weighted_bound
    >>> rng = np.random.default_rng(0)
    >>> bound = importance_weighted_bound(families.Normal(), [0.0, 0.0], lambda x: -0.5 * x**2, 8, 9, rng=rng)
    >>> round(bound.value, 6), round(bound.standard_error, 6)
    (0.918939, 0.0)
    """
    theta = as_family(family).as_theta(theta)
    n, k = as_count("n", n, minimum=2), as_count("k", k)
    x = family.sample(theta, n * k, rng=rng)
    log_weights = evaluate("log_p", log_p, x, minus_infinity=True) - family.log_prob(theta, x)
    return Estimate.of(special.logsumexp(log_weights.reshape(n, k), axis=1) - np.log(k))
