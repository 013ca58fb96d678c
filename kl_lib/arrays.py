"""Logarithms in arrays of NumPy, of PyTorch, or of any other library of the array API standard."""

from __future__ import annotations

from typing import Any

import numpy as np

from kl_lib.checks import as_log_ratio
from kl_lib.extras import import_extra


def as_logarithms(name: str, value: Any) -> tuple[Any, Any, Any]:
    """Return the namespace of an array of logarithms, the array to compute with, and the dtype to return.

    What NumPy reads is computed in double precision. Another library's array stays on its device, in its
    own precision, or in single precision if that is less.

    Parameters
    ----------
    name
        What errors call it.
    value
        Logarithms of any shape, below inf.

    Returns
    -------
    namespace, array, dtype
        The array's library, the floats, and the precision that came.

    Raises
    ------
    TypeError
        If they are no real numbers.
    ValueError
        If one is nan or inf.
    ModuleNotFoundError
        If they are another library's, and ``array-api-compat`` is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.arrays import as_logarithms
    >>> xp, array, dtype = as_logarithms("x", np.float32([0.5, -np.inf]))
    >>> xp.__name__, array.dtype, dtype
    ('numpy', dtype('float64'), dtype('float32'))
    """
    if isinstance(value, np.ndarray | np.generic) or not hasattr(value, "__dlpack__"):
        array = as_log_ratio(name, value)
        return np, array.astype(np.float64), array.dtype
    compat = import_extra("array_api_compat", "arrays", f"an array of {type(value).__module__} for {name}")
    xp = compat.array_namespace(value)
    if not xp.isdtype(value.dtype, "real floating"):
        raise TypeError(f"{name} must be floating-point numbers, got {value.dtype} entries")
    bad = ~(value < xp.inf)
    if bool(xp.any(bad)):
        index = tuple(int(axis[0]) for axis in xp.nonzero(bad)) if value.ndim else ()
        at = f" at index {index}" if index else ""
        raise ValueError(f"{name} must be finite or -inf, got {float(value[index])}{at}")
    narrow = xp.finfo(value.dtype).bits < 32
    return xp, xp.astype(value, xp.float32) if narrow else value, value.dtype


def in_precision(xp: Any, value: Any, dtype: Any) -> Any:
    """Return an array of the library xp in a precision; what has no shape of NumPy's as a number.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.arrays import in_precision
    >>> in_precision(np, np.ones(2), np.dtype("float32"))
    array([1., 1.], dtype=float32)
    """
    if xp is np:
        with np.errstate(over="ignore", under="ignore"):
            return np.asarray(value).astype(dtype)[()]
    return xp.astype(value, dtype)
