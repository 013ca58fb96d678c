"""Entropy and cross-entropy of SciPy distributions."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats
from scipy.stats.distributions import rv_frozen

from kl_lib.divergence.distributions import Distribution, read_distribution
from kl_lib.divergence.numerical import cross_entropy_numerical
from kl_lib.divergence.pairs import common_shape, completed, float_or_array
from kl_lib.divergence.registry import Mask, closed_values, no_values
from kl_lib.types import Array

# In nats; an entropy may be 0, where no relative error can be promised.
_ABSOLUTE = 1e-11


def entropy(p: Any) -> float | Array:
    r"""Return H(p) = −E_{x∼p} log p(x) in nats: the entropy, or for a density the differential entropy.

    SciPy's formula where it has one, else quadrature or a sum to a relative error of 1e-9 (or 1e-11
    nats). A differential entropy may be negative.

    Parameters
    ----------
    p
        A frozen ``scipy.stats`` distribution, or one of SciPy's newer random variables.

    Returns
    -------
    float or ndarray
        The shape of the parameters of p.

    Raises
    ------
    TypeError
        If p is no distribution.
    ValueError
        If a parameter of p is invalid.
    NotImplementedError
        If p is multivariate and SciPy has no formula.
    ArithmeticError
        If the integral or the sum does not converge to its tolerance.

    Examples
    --------
    >>> round(entropy(stats.bernoulli(0.5)), 12)
    0.69314718056
    >>> entropy(stats.norm(0, [1, 2]))
    array([1.41893853, 2.11208571])

    References
    ----------
    Shannon (1948), "A mathematical theory of communication", sections 6 and 20.
    """
    distribution = read_distribution("p", p)
    formula = _formula(distribution)
    if formula is not None:
        return float_or_array(np.array(np.broadcast_to(formula, distribution.shape)))
    if distribution.kind in ("multivariate", "other"):
        raise NotImplementedError(f"no formula is known for the entropy of {distribution.name}")
    return _numerical(*no_values(distribution.shape), distribution, distribution)


def cross_entropy(p: Any, q: Any) -> float | Array:
    r"""Return H(p, q) = −E_{x∼p} log q(x) in nats.

    It is H(p) + D_KL(p‖q) where both are finite, and inf where p has mass that q has not. Where H(p) is
    infinite, the sum says nothing, and D_KL(p‖q) may still be finite: ask `kl_divergence` for it.

    Parameters
    ----------
    p, q
        As for `kl_divergence`. Array parameters broadcast.

    Returns
    -------
    float or ndarray
        To a relative error of 1e-9 (or 1e-11 nats). For densities it may be negative.

    Raises
    ------
    TypeError, ValueError, NotImplementedError, ArithmeticError
        As for `kl_divergence`.

    Examples
    --------
    >>> cross_entropy(stats.bernoulli(0.5), stats.bernoulli([0.5, 0.0]))
    array([0.69314718,        inf])
    >>> from kl_lib import kl_divergence
    >>> p, q = stats.norm(0, 1), stats.norm(1, 2)
    >>> bool(np.isclose(cross_entropy(p, q), entropy(p) + kl_divergence(p, q)))
    True

    References
    ----------
    Cover and Thomas (2006), *Elements of Information Theory*, section 5.4.
    """
    first, second = read_distribution("p", p), read_distribution("q", q)
    shape = common_shape(first, second)
    formula = _formula(first)
    if formula is None:
        return _numerical(*no_values(shape), first, second)
    divergence, covered = closed_values(first, second, shape)
    return _numerical(np.asarray(divergence + formula), covered, first, second)


def _numerical(value: Array, covered: Mask, p: Distribution, q: Distribution) -> float | Array:
    return completed(value, covered, cross_entropy_numerical, p, q, _ABSOLUTE)


def _formula(p: Distribution) -> Array | None:
    """Return the entropy by SciPy's formula, if it has one."""
    if p.kind in ("multivariate", "other"):
        return p.source.entropy() if p.kind == "multivariate" and hasattr(p.source, "entropy") else None
    if not isinstance(p.source, rv_frozen):
        return _newer_formula(p.source)
    generic = type(p.source.dist)._entropy in (stats.rv_continuous._entropy, stats.rv_discrete._entropy)
    return None if generic or p.kind == "discrete" else p.source.entropy()


def _newer_formula(source: Any) -> Array | None:
    try:
        formula: Array = source.entropy(method="formula")
    except NotImplementedError:
        return None
    return formula
