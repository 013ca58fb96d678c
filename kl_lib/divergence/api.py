"""The divergence of one SciPy distribution from another."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats.distributions import rv_frozen

from kl_lib.divergence.distributions import Distribution, read_distribution
from kl_lib.divergence.quadrature import ABSOLUTE, RELATIVE, covers, kl_quadrature
from kl_lib.divergence.registry import closed_form
from kl_lib.divergence.univariate import univariate
from kl_lib.validation import Array, as_choice


def kl_divergence(p: Any, q: Any, *, method: str = "auto") -> float | Array:
    r"""Return D_KL(p‖q) = E_{x∼p}[log p(x) − log q(x)], in nats.

    Parameters
    ----------
    p, q
        Frozen ``scipy.stats`` distributions, or SciPy's newer univariate random variables. Array
        parameters broadcast.
    method
        ``"closed"`` takes the registered closed form, ``"quadrature"`` integrates (continuous) or sums
        (discrete) to a relative error of 1e-9, ``"auto"`` takes the closed form where there is one.

    Returns
    -------
    float or ndarray
        Never negative; inf where p has mass that q has not.

    Raises
    ------
    TypeError
        If p or q is no distribution, or one is discrete and the other continuous.
    ValueError
        If a parameter is invalid, the dimensions or shapes do not match, or `method` is unknown.
    NotImplementedError
        If nothing exact is known for the pair.
    ArithmeticError
        If the integral or the sum does not converge to its tolerance.

    Examples
    --------
    >>> kl_divergence(stats.norm(0, 1), stats.norm(0, 2))
    0.3181471805599453
    >>> kl_divergence(stats.norm([0, 1, 2], 1), stats.norm(0, 1))
    array([0. , 0.5, 2. ])

    References
    ----------
    Kullback and Leibler (1951), "On information and sufficiency", equation 2.6.
    """
    method = as_choice("method", method, ("auto", "closed", "quadrature"))
    first, second = read_distribution("p", p), read_distribution("q", q)
    shape = _common_shape(first, second)
    if method != "quadrature":
        function = closed_form(first.name, second.name)
        value = NotImplemented if function is None else function(first.parameters, second.parameters)
        if value is not NotImplemented:
            return _float_or_array(np.broadcast_to(value, shape))
        if method == "closed":
            raise NotImplementedError(
                f"no closed form of D({first.name}‖{second.name}) covers these parameters; "
                "method='quadrature' may"
            )
    return _float_or_array(_numerical(first, second, shape))


def _float_or_array(value: Array) -> float | Array:
    return np.array(value) if value.ndim else float(value)


def _common_shape(p: Distribution, q: Distribution) -> tuple[int, ...]:
    """Return the shape that the parameters broadcast to; refuse kinds that have no divergence."""
    if p.kind != q.kind:
        raise TypeError(f"p and q must be of one kind, got p {p.kind} and q {q.kind}")
    try:
        return np.broadcast_shapes(p.shape, q.shape)
    except ValueError:
        raise ValueError(
            f"the parameters of p and q must broadcast, got shapes {p.shape} and {q.shape}"
        ) from None


def _numerical(p: Distribution, q: Distribution, shape: tuple[int, ...]) -> Array:
    """Integrate or sum, one pair of scalar distributions after the other."""
    if p.kind == "multivariate":
        raise NotImplementedError(
            f"nothing exact is known for D({p.name}‖{q.name}); "
            "estimate it with kl_lib.kl_monte_carlo(p, q, n, rng=rng)"
        )
    value = np.empty(shape)
    for index in np.ndindex(shape):
        value[index] = _scalar(p, q, index)
    return value


def _scalar(p: Distribution, q: Distribution, index: tuple[int, ...]) -> float:
    first, second = univariate(p, index), univariate(q, index)
    if not covers(second, first):
        return np.inf
    if isinstance(p.source, rv_frozen) and isinstance(q.source, rv_frozen):
        # With p moved to 0, points close to where its support begins are told apart.
        origin = p.entry("loc", index)
        first, second = univariate(p, index, origin), univariate(q, index, origin)
    value, error = kl_quadrature(first, second)
    if not error <= max(RELATIVE * value, ABSOLUTE):
        raise ArithmeticError(
            f"the quadrature of D({p.name}‖{q.name}) does not reach a relative error of {RELATIVE}, "
            f"got {value} with an error of {error}; it may be infinite"
        )
    return value
