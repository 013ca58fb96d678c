"""Gradients of the evidence lower bound."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from kl_lib.checks import as_choice, evaluate
from kl_lib.families import Family, Reparameterizable, as_family, as_reparameterizable
from kl_lib.gradients.expectation import draw_with_score
from kl_lib.types import Array, Baseline, BatchFunction, ElboMethod

_METHODS = ("score-function", "reparameterization", "sticking-the-landing")


class ElboDraw(NamedTuple):
    """Of n samples, terms (n,) whose mean estimates the ELBO, and gradients (n, size) for its gradient."""

    terms: Array
    gradients: Array


def elbo_gradient(
    family: Family,
    theta: ArrayLike,
    log_p: BatchFunction,
    n: int,
    *,
    rng: np.random.Generator,
    method: ElboMethod,
    grad_log_p: BatchFunction | None = None,
    baseline: Baseline | None = None,
) -> Array:
    """Return n per-sample gradients of the ELBO, E[log p̃(x) − log pθ(x)], x ∼ pθ, unbiased.

    ``"score-function"``: (log p̃(x) − log pθ(x) − b) ∇θ log pθ(x). ``"reparameterization"``: the total
    derivative along x = transform(θ, ε), which is the pullback of ∇x [log p̃(x) − log pθ(x)], less the score.
    ``"sticking-the-landing"``: the pullback alone, since the score has mean zero; exactly zero at every
    sample where pθ = p⋆ (Roeder, Wu and Duvenaud 2017). The last two need `grad_log_p` and a
    reparameterizable family.

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
        How many samples.
    rng
        The source of randomness.
    method
        ``"score-function"``, ``"reparameterization"`` or ``"sticking-the-landing"``.
    grad_log_p
        The gradient of `log_p` by x: maps a batch, (n,) or (n, d), to an array of its shape.
    baseline
        What ``"score-function"`` subtracts, as in `score_function`.

    Returns
    -------
    ndarray
        One gradient a sample, (n, size).

    Raises
    ------
    TypeError
        If the method needs a reparameterizable family and this is none.
    ValueError
        If the method lacks grad_log_p, or has a baseline and no use for it; if log_p or grad_log_p returns
        another shape or a value that is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import elbo_gradient, families
    >>> rng = np.random.default_rng(0)
    >>> gradients = elbo_gradient(families.Normal(), [0.0, 0.0], lambda x: -0.5 * x**2, 4, rng=rng,
    ...                           method="sticking-the-landing", grad_log_p=lambda x: -x)
    >>> bool(np.all(gradients == 0))
    True
    """
    return draw_elbo(
        family, theta, log_p, n, rng=rng, method=method, grad_log_p=grad_log_p, baseline=baseline
    ).gradients


def draw_elbo(
    family: Family,
    theta: ArrayLike,
    log_p: BatchFunction,
    n: int,
    *,
    rng: np.random.Generator,
    method: ElboMethod,
    grad_log_p: BatchFunction | None = None,
    baseline: Baseline | None = None,
) -> ElboDraw:
    """Return the gradients of `elbo_gradient`, and the terms of the ELBO at the same samples."""
    theta = as_family(family).as_theta(theta)
    if as_choice("method", method, _METHODS) == "score-function":

        def f(x: Array) -> Array:
            return evaluate("log_p", log_p, x) - family.log_prob(theta, x)

        return ElboDraw(*draw_with_score(family, theta, f, n, rng=rng, baseline=baseline))
    if baseline is not None:
        raise ValueError(f"baseline must be None unless method is 'score-function', got {baseline!r}")
    if grad_log_p is None:
        raise ValueError(f"grad_log_p must be given for method {method!r}; 'score-function' does without")
    path = as_reparameterizable(family, instead="method='score-function'")
    noise = path.noise(n, rng=rng)
    x = path.transform(theta, noise)
    terms = evaluate("log_p", log_p, x) + path.entropy(theta)
    along = along_fixed_point if method == "sticking-the-landing" else along_path
    return ElboDraw(terms, along(path, theta, noise, x, grad_log_p))


def along_path(
    family: Reparameterizable, theta: Array, noise: Array, x: Array, grad_log_p: BatchFunction
) -> Array:
    """Return the total derivative of log p̃(x) − log pθ(x) by θ at x = transform(θ, ε), (n, size).

    The second term is the sum of the log scales and what the noise alone says, so it adds 1 to each of them.
    """
    dx = evaluate("grad_log_p", grad_log_p, x, shape=x.shape)
    gradients = family.pullback(theta, noise, dx)
    gradients[:, family.log_scales] += 1
    return gradients


def along_fixed_point(
    family: Reparameterizable, theta: Array, noise: Array, x: Array, grad_log_p: BatchFunction
) -> Array:
    """Return the same derivative with θ held fixed in log pθ, (n, size)."""
    dx = evaluate("grad_log_p", grad_log_p, x, shape=x.shape)
    return family.pullback(theta, noise, dx - family.grad_x(theta, x))
