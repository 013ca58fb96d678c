"""The closed forms, found by the names of the two distributions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kl_lib.divergence.distributions import Distribution, Parameters

# Of the parameters of p and of q, an array, or NotImplemented.
ClosedValue = Any
ClosedForm = Callable[[Parameters, Parameters], ClosedValue]

_BLOCK = 1 << 14
_CLOSED_FORMS: dict[tuple[str, str], ClosedForm] = {}


def register_kl(name_p: str, name_q: str) -> Callable[[ClosedForm], ClosedForm]:
    r"""Register a closed form of D_KL(p‖q) for two distributions of these names (decorator).

    The names are those of SciPy's generators (``stats.norm.name`` is ``"norm"``), also for the newer
    random variables: a ``stats.Normal`` is found under ``"norm"``. The function gets the parameters of
    p and of q as two namespaces, under SciPy's names (``loc``, ``scale`` and the shape parameters),
    checked, as float arrays that broadcast, and returns the divergence in nats. It returns
    ``NotImplemented`` for parameters that its formula does not cover: quadrature or a sum takes over.

    Raises
    ------
    ValueError
        If the pair has a closed form already.

    Examples
    --------
    >>> from kl_lib import kl_divergence, register_kl
    >>> @register_kl("expon", "rayleigh")
    ... def kl_expon_rayleigh(p, q):
    ...     if np.any(p.loc != 0) or np.any(q.loc != 0):
    ...         return NotImplemented
    ...     r = p.scale / q.scale
    ...     return r**2 - 1 + np.euler_gamma - 2 * np.log(r)
    >>> kl_divergence(stats.expon(), stats.rayleigh(), method="closed")
    0.5772156649015329
    """
    for argument, name in (("name_p", name_p), ("name_q", name_q)):
        if not isinstance(name, str) or not name:
            raise TypeError(f"{argument} must be the name of a distribution, such as 'norm', got {name!r}")
    if (name_p, name_q) in _CLOSED_FORMS:
        raise ValueError(f"name_p, name_q: {name_p!r} and {name_q!r} have a closed form already")

    def register(closed_form: ClosedForm) -> ClosedForm:
        _CLOSED_FORMS[name_p, name_q] = closed_form
        return closed_form

    return register


def closed_value(p: Distribution, q: Distribution) -> ClosedValue:
    """Return D_KL(p‖q) by the closed form of the pair, or None where none covers it."""
    function = _CLOSED_FORMS.get((p.name, q.name))
    if function is None:
        return None
    # The divergence of distributions far apart may itself overflow to inf.
    with np.errstate(over="ignore"):
        size = max(np.prod(side.shape, dtype=int) for side in (p, q))
        entrywise = size > _BLOCK and p.kind != "multivariate" and p.name != "rv_discrete"
        value = _in_blocks(function, p, q) if entrywise else function(p.parameters, q.parameters)
    return None if value is NotImplemented else value


def _in_blocks(function: ClosedForm, p: Distribution, q: Distribution) -> ClosedValue:
    """Evaluate so many pairs at a time that all that is computed of them stays in the cache."""
    shape = np.broadcast_shapes(p.shape, q.shape)
    flat = [
        {name: np.broadcast_to(value, shape).ravel() for name, value in vars(side.parameters).items()}
        for side in (p, q)
    ]
    value = np.empty(np.prod(shape, dtype=int))
    for start in range(0, value.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        parts = (Parameters(**{name: x[block] for name, x in side.items()}) for side in flat)
        part = function(*parts)
        if part is NotImplemented:
            return part
        value[block] = part
    return value.reshape(shape)
