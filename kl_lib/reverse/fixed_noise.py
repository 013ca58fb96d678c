"""The ELBO over noise that is drawn once, centred and whitened: a function of θ alone, with its gradient."""

from __future__ import annotations

import numpy as np

from kl_lib.checks import evaluate
from kl_lib.families import Family, Reparameterizable
from kl_lib.optimization import Objective
from kl_lib.reverse.slopes import check_gradient
from kl_lib.types import Array, BatchFunction


def whitened_noise(family: Reparameterizable, n: int, *, rng: np.random.Generator) -> Array:
    """Return n > d noise vectors whose sample mean is 0 and whose sample covariance is the identity.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import families
    >>> from kl_lib.reverse.fixed_noise import whitened_noise
    >>> rng = np.random.default_rng(0)
    >>> noise = whitened_noise(families.DiagonalNormal(2), 5, rng=rng)
    >>> np.allclose(noise.T @ noise / 5, np.eye(2))
    True
    """
    if n <= family.dimension:
        raise ValueError(
            f"n must exceed the dimension {family.dimension} for the noise to be whitened, got {n}"
        )
    noise = family.noise(n, rng=rng).reshape(n, family.dimension)
    noise -= noise.mean(axis=0)
    factor = np.linalg.cholesky(noise.T @ noise / n)
    whitened: Array = noise @ np.linalg.inv(factor).T
    return whitened.reshape(n, *family.event_shape)


def on_fixed_noise(
    family: Family,
    log_p: BatchFunction,
    grad_log_p: BatchFunction | None,
    theta0: Array,
    n: int,
    rng: np.random.Generator,
) -> Objective:
    """Return the ELBO and its gradient as functions of θ alone, over noise that is drawn here."""
    if grad_log_p is None or not isinstance(family, Reparameterizable):
        raise ValueError(
            "method 'fixed-noise' needs grad_log_p and a reparameterizable family (Normal, DiagonalNormal "
            f"or FullNormal), got grad_log_p={grad_log_p!r} and {family!r}; use method='stochastic'"
        )
    noise = whitened_noise(family, n, rng=rng)
    evaluate("log_p at theta0", log_p, family.transform(theta0, noise))
    check_gradient(family, theta0, log_p, grad_log_p, rng=rng.spawn(1)[0])

    def objective(theta: Array) -> tuple[float, Array]:
        x = family.transform(theta, noise)
        value = float(evaluate("log_p", log_p, x, minus_infinity=True).mean())
        if value == -np.inf:  # the line search will step back
            return value, np.zeros(family.size)
        gradient = family.mean_pullback(theta, noise, evaluate("grad_log_p", grad_log_p, x, shape=x.shape))
        gradient[family.log_scales] += 1  # of the entropy
        return value + family.entropy(theta), gradient

    return objective
