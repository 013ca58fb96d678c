"""The divergence of one SciPy distribution from another."""

from __future__ import annotations

from typing import Any

import numpy as np

from kl_lib.checks import as_choice
from kl_lib.divergence.distributions import read_distribution
from kl_lib.divergence.numerical import ABSOLUTE, kl_numerical
from kl_lib.divergence.pairs import common_shape, completed
from kl_lib.divergence.registry import closed_values, no_values
from kl_lib.divergence.scalar import kl_scalar_normal
from kl_lib.types import Array


def kl_divergence(p: Any, q: Any, *, method: str = "auto") -> float | Array:
    r"""Return D_KL(p‖q) = E_{x∼p}[log p(x) − log q(x)], in nats.

    Parameters
    ----------
    p, q
        Frozen ``scipy.stats`` distributions, or SciPy's newer univariate random variables. Array
        parameters broadcast.
    method
        ``"closed"`` takes the registered closed form, right to the last digits; ``"quadrature"``
        integrates (continuous) or sums (discrete) to a relative error of 1e-9; ``"auto"`` takes the
        closed form where there is one.

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
    if method != "quadrature" and (scalar := kl_scalar_normal(p, q)) is not None:
        return scalar
    first, second = read_distribution("p", p), read_distribution("q", q)
    shape = common_shape(first, second)
    value, covered = no_values(shape) if method == "quadrature" else closed_values(first, second, shape)
    if method == "closed" and not np.all(covered):
        raise NotImplementedError(
            f"no closed form of D({first.name}‖{second.name}) covers these parameters; "
            "method='quadrature' may"
        )
    return completed(value, covered, kl_numerical, first, second, ABSOLUTE)
