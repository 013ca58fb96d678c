"""What the weights w = p/q of samples of q say about the means that they are meant for."""

from __future__ import annotations

from typing import Any

import numpy as np

from kl_lib.arrays import as_logarithms, in_precision

# The fewest weights that have a tail: a fifth of them, 5.
_FEWEST = 25
# The logarithm that stands for that of 0.
_ZERO = -1e30


def effective_sample_size(log_weights: Any) -> Any:
    r"""Return (Σw)² / Σw²: how many equal weights would have the relative spread of these.

    Between 1, where one weight is all, and n, where all are equal. A mean of n samples of q that are weighted
    by w has about the variance of a mean of so many samples of p (Kong 1992). Weights whose variance is
    infinite rarely show it here: `pareto_k` tells.

    Parameters
    ----------
    log_weights
        log w, (n,), up to a constant; −inf for a weight of 0. An array of NumPy, of PyTorch, or of another
        library of the array API standard (with ``array-api-compat``, extra ``[arrays]``), on any device.

    Returns
    -------
    number or array
        Of the dtype, the library and the device of `log_weights`; it carries PyTorch's gradients.

    Raises
    ------
    TypeError
        If `log_weights` are no real numbers.
    ValueError
        If they are not (n,), one is nan or inf, there is none, or all are −inf.
    ArithmeticError
        If n is more than the largest number of half precision.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import effective_sample_size
    >>> effective_sample_size(np.log([0.5, 0.25, 0.25]))
    np.float64(2.6666666666666665)

    References
    ----------
    Kong (1992), "A note on importance sampling using standardized weights".
    """
    xp, values, dtype = _as_log_weights(log_weights, fewest=1)
    if values.shape[0] > float(xp.finfo(dtype).max):
        raise ArithmeticError(
            f"the size of {values.shape[0]} weights may not fit {dtype}: convert log_weights"
        )
    weights = xp.exp(values)
    return in_precision(xp, xp.sum(weights) ** 2 / xp.sum(weights**2), dtype)


def pareto_k(log_weights: Any) -> Any:
    r"""Return k̂, the shape of the generalized Pareto distribution of the largest weights.

    They have finite moments of order below 1/k. The fit is to the largest min(n/5, 3√n). Above k̂ = ½ the
    variance is in doubt, above 0.7 no mean of these weights is to be relied on, above 1 there is none; with
    fewer than some 2,000 weights the middle one of these is 1 − 1/log₁₀ n (Vehtari et al. 2024, section 3).

    Parameters
    ----------
    log_weights
        log w, (n,) with n ≥ 25, up to a constant; −inf for a weight of 0. An array of NumPy, of PyTorch, or
        of another library of the array API standard (with ``array-api-compat``, extra ``[arrays]``), on any
        device.

    Returns
    -------
    number or array
        Of the dtype, the library and the device of `log_weights`; it carries PyTorch's gradients.

    Raises
    ------
    TypeError
        If `log_weights` are no real numbers.
    ValueError
        If they are not (n,), one is nan or inf, there are fewer than 25, all are −inf, or so many of the
        largest are equal that they have no tail.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import pareto_k
    >>> rng = np.random.default_rng(0)
    >>> print(f"{pareto_k(0.9 * rng.exponential(size=10_000)):.1f}")  # P(w > t) = t^(−1/0.9)
    0.9

    References
    ----------
    Vehtari, Simpson, Gelman, Yao and Gabry (2024), "Pareto smoothed importance sampling", JMLR 25. Zhang and
    Stephens (2009), "A new and efficient estimation method for the generalized Pareto distribution".
    """
    xp, values, dtype = _as_log_weights(log_weights, fewest=_FEWEST)
    n = values.shape[0]
    count = min(n // 5, int(3 * n**0.5))
    tail = xp.sort(values)[-count - 1 :]
    threshold, largest = tail[0], tail[1:]
    if not (largest[_quartile(count)] > threshold and largest[-1] > largest[0]):
        raise ValueError(
            f"log_weights must differ to have a tail, got too many equal ones among the largest {count + 1}"
        )
    above = largest > threshold
    gap = xp.where(above, largest - threshold, xp.ones_like(largest))
    # As a difference of weights it would cancel where they are close, and underflow where they are not.
    log_excess = xp.where(above, largest + xp.log(-xp.expm1(-gap)), xp.full_like(gap, -xp.inf))
    return in_precision(xp, pareto_shape(xp, log_excess), dtype)


def pareto_shape(xp: Any, log_excess: Any) -> Any:
    """Return k̂ of the generalized Pareto distribution of values with these logarithms, in ascending order.

    The posterior mean of Zhang and Stephens (2009), equations 7 to 9, drawn to ½ as by ten more values
    (Vehtari et al. 2024).

    Parameters
    ----------
    xp
        The array's library.
    log_excess
        (n,) with n ≥ 5, of positive values but for the first quarter, where −inf stands for 0.

    Returns
    -------
    array
        Without axes.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import stats
    >>> from kl_lib.diagnostics import pareto_shape
    >>> values = stats.genpareto(0.5).ppf((np.arange(999) + 0.5) / 999)
    >>> print(f"{pareto_shape(np, np.log(values)):.2f}")
    0.50
    """
    n = log_excess.shape[0]
    log_excess = log_excess - log_excess[_quartile(n)]
    count = 30 + int(n**0.5)
    steps = xp.arange(1, count + 1, dtype=log_excess.dtype, device=log_excess.device) - 0.5
    b = xp.exp(-log_excess[-1]) + (1 - (count / steps) ** 0.5) / 3
    # log(1 − bx) for all b at once, where x itself may overflow.
    zeros = xp.zeros_like(log_excess)
    large, small = xp.maximum(log_excess, zeros), xp.exp(xp.minimum(log_excess, zeros))

    def shape(b: Any) -> Any:
        return xp.mean(large + xp.log1p(xp.expm1(-large) - b * small), axis=-1)

    k = shape(b[:, None])
    log_likelihood = n * (xp.log(-b / k) - k)
    weights = xp.exp(log_likelihood - xp.max(log_likelihood))
    return (n * shape(xp.sum(b * weights) / xp.sum(weights)) + 5) / (n + 10)


def _quartile(n: int) -> int:
    return int(n / 4 + 0.5) - 1


def _as_log_weights(log_weights: Any, *, fewest: int) -> tuple[Any, Any, Any]:
    """Return the weights' library, their logarithms with the largest 0, and their precision."""
    xp, values, dtype = as_logarithms("log_weights", log_weights)
    if values.ndim != 1 or values.shape[0] < fewest:
        raise ValueError(f"log_weights must have shape (n,) with n >= {fewest}, got {tuple(values.shape)}")
    largest = xp.max(values)
    if not largest > -xp.inf:
        raise ValueError("log_weights must not all be -inf, got weights that are all 0")
    with np.errstate(over="ignore"):
        below = values - largest
    # Differences of −inf would be nan.
    return xp, xp.maximum(below, xp.full_like(values, _ZERO)), dtype
