"""The closed forms, found by the names of the two distributions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from kl_lib.divergence.distributions import Distribution, Parameters
from kl_lib.numerics import every, in_blocks
from kl_lib.types import Array, Mask

# Of the parameters of p and of q, an array, or what NumPy makes one of.
Formula = Callable[[Parameters, Parameters], ArrayLike]
# What NumPy's stubs say of the closed forms' values.
ClosedValue = Any

_BLOCK = 1 << 15


@dataclass(frozen=True)
class ClosedForm:
    """A formula, and the parameters that p and q must have in common for it to hold."""

    formula: Formula
    equal: tuple[str, ...]


_CLOSED_FORMS: dict[tuple[str, str], ClosedForm] = {}


def register_kl(name_p: str, name_q: str, *, equal: Sequence[str] = ()) -> Callable[[Formula], Formula]:
    r"""Register a closed form of D_KL(p‖q) for two distributions of these names (decorator).

    The names are those of SciPy's generators (``stats.norm.name`` is ``"norm"``), also for the newer
    random variables: a ``stats.Normal`` is found under ``"norm"``. The function gets the parameters of
    p and of q as two namespaces, under SciPy's names (``loc``, ``scale`` and the shape parameters),
    checked, as float arrays that broadcast, and returns the divergence in nats.

    Parameters
    ----------
    name_p, name_q
        The names of the distributions.
    equal
        The parameters that p and q, univariate, must have in common for the formula to hold. Entries in
        which they differ are left to quadrature or a sum.

    Returns
    -------
    callable
        A decorator that registers a function and returns it.

    Raises
    ------
    TypeError
        If a name is no string.
    ValueError
        If the pair has a closed form already.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import stats
    >>> from kl_lib import kl_divergence, register_kl
    >>> @register_kl("expon", "rayleigh", equal=("loc",))
    ... def kl_expon_rayleigh(p, q):
    ...     r = p.scale / q.scale
    ...     return r**2 - 1 + np.euler_gamma - 2 * np.log(r)
    >>> kl_divergence(stats.expon(), stats.rayleigh(), method="closed")
    0.5772156649015329
    """
    for argument, name in (("name_p", name_p), ("name_q", name_q)):
        if not isinstance(name, str) or not name:
            raise TypeError(f"{argument} must be the name of a distribution, such as 'norm', got {name!r}")
    if isinstance(equal, str) or not all(isinstance(name, str) for name in equal):
        raise TypeError(f"equal must be the names of parameters, such as ('loc',), got {equal!r}")
    if (name_p, name_q) in _CLOSED_FORMS:
        raise ValueError(f"name_p, name_q: {name_p!r} and {name_q!r} have a closed form already")

    def register(formula: Formula) -> Formula:
        _CLOSED_FORMS[name_p, name_q] = ClosedForm(formula, tuple(equal))
        return formula

    return register


def registered_pairs() -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the pairs that have a closed form, and the parameters that it asks p and q to share.

    Examples
    --------
    >>> from kl_lib.divergence.registry import registered_pairs
    >>> registered_pairs()["binom", "binom"]
    ('loc', 'n')
    """
    return {pair: closed_form.equal for pair, closed_form in _CLOSED_FORMS.items()}


def closed_values(p: Distribution, q: Distribution, shape: tuple[int, ...]) -> tuple[Array, Mask]:
    """Return D_KL(p‖q) by the closed form of the pair, and where it holds, as a mask that broadcasts."""
    closed_form = _CLOSED_FORMS.get((p.name, q.name)) or _of_one_family(p, q)
    if closed_form is None:
        return no_values(shape)
    agree = _agree(p, q, closed_form.equal)
    if every(agree):
        return _evaluate(closed_form.formula, p, q, shape), agree
    value, covered = np.full(shape, np.nan), np.broadcast_to(agree, shape)
    count = int(np.count_nonzero(covered))
    value[covered] = _evaluate(
        closed_form.formula, _restricted(p, covered), _restricted(q, covered), (count,)
    )
    return value, covered


def _of_one_family(p: Distribution, q: Distribution) -> ClosedForm | None:
    """Return what holds for each of SciPy's families: 0 where all parameters are equal."""
    own = type(getattr(stats, p.name, None))
    generators = [getattr(side.source, "dist", None) for side in (p, q)]
    if own is type(None) or any(type(generator) is not own for generator in generators):
        return None
    # One class makes vonmises and vonmises_line, and a poisson_binom has any number of parameters.
    (first, second), (names, others) = map(_settings, generators), (vars(p.parameters), vars(q.parameters))
    if first != second or names.keys() != others.keys():
        return None
    return ClosedForm(lambda *_: 0.0, tuple(names))


def _settings(generator: Any) -> dict[str, str]:
    """Return what a generator is set to beside its parameters, as its name, or to S0 or S1."""
    return {key: repr(value) for key, value in vars(generator).items() if isinstance(value, str | float)}


def no_values(shape: tuple[int, ...]) -> tuple[Array, Mask]:
    """Return what `closed_values` does where no closed form holds."""
    return np.empty(shape), np.zeros(shape, dtype=bool)


def _agree(p: Distribution, q: Distribution, names: Sequence[str]) -> Mask:
    """Return where p and q have these parameters in common."""
    agree: Mask = np.ones((), dtype=bool)
    for name in names:
        agree = agree & (getattr(p.parameters, name) == getattr(q.parameters, name))
    return agree


def _restricted(p: Distribution, where: Mask) -> Distribution:
    """Return the entries of p in which the mask is true."""
    parameters = {name: np.broadcast_to(x, where.shape)[where] for name, x in vars(p.parameters).items()}
    return replace(p, parameters=Parameters(**parameters))


def _evaluate(formula: Formula, p: Distribution, q: Distribution, shape: tuple[int, ...]) -> Array:
    """Evaluate a formula, and refuse what it does not know."""
    # The divergence of distributions far apart may itself overflow to inf; what is lost shows as nan.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        value = _by_blocks(formula, p, q, shape)
    known = ~np.isnan(value)
    if not every(known):
        first = tuple(np.argwhere(~known)[0].tolist())
        raise ArithmeticError(
            f"the closed form of D({p.name}‖{q.name}) gives nan for the parameters at index {first}; "
            "method='quadrature' may give a number"
        )
    return value


def _by_blocks(formula: Formula, p: Distribution, q: Distribution, shape: tuple[int, ...]) -> Array:
    """Evaluate so many pairs at a time that all that is computed of them stays in the cache."""
    if prod(shape) <= _BLOCK or p.kind == "multivariate" or p.name == "rv_discrete":
        value = np.array(formula(p.parameters, q.parameters), dtype=np.float64)
        return value if value.shape == shape else np.array(np.broadcast_to(value, shape))
    of_p, of_q = vars(p.parameters), vars(q.parameters)
    flat = [np.broadcast_to(x, shape).ravel() for x in (*of_p.values(), *of_q.values())]

    def block(*parts: Array) -> Array:
        first = Parameters(**dict(zip(of_p, parts[: len(of_p)], strict=True)))
        second = Parameters(**dict(zip(of_q, parts[len(of_p) :], strict=True)))
        return np.asarray(formula(first, second))

    return in_blocks(block, flat, _BLOCK).reshape(shape)
