"""The terms of an estimate of D_KL(p‖q), out of the log-ratios L = log q(x) − log p(x) at samples x ∼ p.

The names k1, k2 and k3 are those of Schulman (2020), "Approximating KL divergence".
"""

from __future__ import annotations

from collections.abc import Callable
from math import factorial
from typing import Any

import numpy as np

from kl_lib.arrays import as_logarithms, in_precision
from kl_lib.numerics import expm1x

# The last power of the series of e^w that counts for |w| < 1, by the bits of a float.
_LAST = {32: 12, 64: 19}


def k1(log_ratio: Any) -> Any:
    """Return −L, elementwise: the unbiased estimator of D_KL(p‖q), some of whose terms are negative.

    Parameters
    ----------
    log_ratio
        L = log q(x) − log p(x) in nats at samples x ∼ p, any shape; −inf where q has no mass. An array of
        NumPy, of PyTorch, or of another library of the array API standard (with ``array-api-compat``, extra
        ``[arrays]``), on any device.

    Returns
    -------
    array or number
        Of the shape, the dtype and the library of `log_ratio`; it carries PyTorch's gradients.
        It is inf where it is −inf.

    Raises
    ------
    TypeError
        If `log_ratio` is no real number.
    ValueError
        If an entry is nan or inf.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import k1
    >>> k1(np.array([0.5, -1.0, -np.inf]))
    array([-0.5,  1. ,  inf])
    """
    return _elementwise(lambda _, w: 0 - w, log_ratio)


def k2(log_ratio: Any) -> Any:
    """Return L²/2, elementwise: an estimator of D_KL(p‖q) that is biased but for p and q close by.

    Its terms are never negative. Its bias is of third order in L: E[L²/2] − D_KL(p‖q) = E[L²/2 + L].

    Parameters
    ----------
    log_ratio
        L = log q(x) − log p(x) in nats at samples x ∼ p, any shape; −inf where q has no mass. An array of
        NumPy, of PyTorch, or of another library of the array API standard (with ``array-api-compat``, extra
        ``[arrays]``), on any device.

    Returns
    -------
    array or number
        Of the shape, the dtype and the library of `log_ratio`; it carries PyTorch's gradients.
        It is inf where it is −inf, or where the square overflows.

    Raises
    ------
    TypeError
        If `log_ratio` is no real number.
    ValueError
        If an entry is nan or inf.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import k2
    >>> k2(np.array([0.5, -1.0, -np.inf]))
    array([0.125, 0.5  ,   inf])
    """
    return _elementwise(lambda _, w: 0.5 * w * w, log_ratio)


def k3(log_ratio: Any) -> Any:
    """Return e^L − 1 − L, elementwise: unbiased where q has mass only where p has, and never negative.

    Near 0 it keeps the relative accuracy that the difference loses. It is k1 with the control variate
    e^L − 1, whose mean is 0 if p has mass wherever q has.

    Parameters
    ----------
    log_ratio
        L = log q(x) − log p(x) in nats at samples x ∼ p, any shape; −inf where q has no mass. An array of
        NumPy, of PyTorch, or of another library of the array API standard (with ``array-api-compat``, extra
        ``[arrays]``), on any device.

    Returns
    -------
    array or number
        Of the shape, the dtype and the library of `log_ratio`; it carries PyTorch's gradients.
        It is inf where it is −inf, or where e^L overflows.

    Raises
    ------
    TypeError
        If `log_ratio` is no real number.
    ValueError
        If an entry is nan or inf.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import k3
    >>> k3(np.array([1e-4, -1e-4, -np.inf], dtype=np.float32))
    array([5.0001665e-09, 4.9998330e-09,           inf], dtype=float32)
    """
    return _elementwise(_expm1x, log_ratio)


ESTIMATORS = {"k1": k1, "k2": k2, "k3": k3}


def _elementwise(formula: Callable[[Any, Any], Any], log_ratio: Any) -> Any:
    """Evaluate in double precision, of other libraries in at least single, and return in what came."""
    xp, values, dtype = as_logarithms("log_ratio", log_ratio)
    with np.errstate(over="ignore", under="ignore"):
        return in_precision(xp, formula(xp, values), dtype)


def _expm1x(xp: Any, w: Any) -> Any:
    """Return ψ(w) = e^w − 1 − w in any library, and by operations that have its gradient e^w − 1."""
    if xp is np:
        return expm1x(w)
    near = xp.abs(w) < 1
    small = xp.where(near, w, xp.zeros_like(w))  # each branch is finite where the other one counts
    large = xp.where(near, xp.ones_like(w), w)
    last = _LAST[xp.finfo(w.dtype).bits]
    series = xp.full_like(w, 1 / factorial(last))
    for k in range(last - 1, 1, -1):
        series = series * small + 1 / factorial(k)
    return xp.where(near, small * small * series, xp.expm1(large) - large)
