"""Functions of many entries, evaluated in blocks that stay in the cache, or each entry by its own formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from kl_lib.types import Array, Mask

# So few numbers are faster one by one, as floats of Python's.
_FEW = 4


def broadcast_floats(*values: ArrayLike) -> tuple[Array, ...]:
    """Return float arrays of one shape.

    Examples
    --------
    >>> from kl_lib.numerics.entrywise import broadcast_floats
    >>> [x.shape for x in broadcast_floats(1, [2, 3])]
    [(2,), (2,)]
    """
    arrays = tuple(np.asarray(value, dtype=np.float64) for value in values)
    same = all(array.shape == arrays[0].shape for array in arrays)
    return arrays if same else np.broadcast_arrays(*arrays)


def every(mask: Mask) -> bool:
    """Return whether a mask is true everywhere, for one that is a number at a tenth of the time of `all`.

    Parameters
    ----------
    mask
        An array of truths, or one of them.

    Returns
    -------
    bool
        Whether none is false.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics import every
    >>> every(np.array([True, False])), every(np.array(1.0) > 0)
    (False, True)
    """
    return bool(mask.all() if mask.ndim else mask)


def in_blocks(function: Callable[..., Array], arrays: Sequence[Array], size: int) -> Array:
    """Return `function` of arrays, taken in equal blocks that stay in the cache.

    Parameters
    ----------
    function
        Maps blocks of the arrays to one number an entry.
    arrays
        (n, ...) each.
    size
        How many entries a block has at most.

    Returns
    -------
    ndarray
        (n,).

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics import in_blocks
    >>> in_blocks(np.add, (np.arange(3.0), np.ones(3)), 2)
    array([1., 2., 3.])
    """
    n = len(arrays[0])
    value = np.empty(n)
    count = -(-n // size)
    for i in range(count):
        block = slice(i * n // count, (i + 1) * n // count)
        value[block] = function(*(x[block] for x in arrays))
    return value


def in_pieces(pieces: Sequence[tuple[Mask, Callable[..., Array]]], *arrays: Array) -> Array:
    """Return, entry by entry, the function whose mask is true there, of arrays of one shape.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics.entrywise import in_pieces
    >>> x = np.array([-1.0, 4.0])
    >>> in_pieces([(x > 0, np.sqrt), (x <= 0, np.zeros_like)], x)
    array([0., 2.])
    """
    value = np.empty(arrays[0].shape)
    for where, function in pieces:
        overwrite(value, where, function, *arrays)
    return value


def overwrite(value: Array, where: Mask, function: Callable[..., Array], *arrays: Array) -> None:
    """Put `function` of arrays of one shape into `value`, of that shape too, where the mask is true.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics.entrywise import overwrite
    >>> value = np.zeros(2)
    >>> overwrite(value, np.array([False, True]), np.sqrt, np.array([-1.0, 4.0]))
    >>> value
    array([0., 2.])
    """
    index = where.ravel().nonzero()[0]
    if index.size:
        value.put(index, function(*(x.take(index) for x in arrays)))


def polynomial(coefficients: Array, x: Array) -> Array:
    """Return Σ coefficients[k] xᵏ, by the scheme of Horner.

    Parameters
    ----------
    coefficients
        From the constant on, (k,).
    x
        Floats of any shape.

    Returns
    -------
    ndarray
        Of the shape of x.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib.numerics import polynomial
    >>> polynomial(np.array([1.0, 2.0, 3.0]), np.array([0.0, 2.0]))
    array([ 1., 17.])
    """
    if x.size <= _FEW:
        descending = coefficients[::-1].tolist()
        return np.reshape([_horner(descending, number) for number in x.ravel().tolist()], x.shape)
    total = np.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total *= x
        total += coefficient
    return total


def _horner(descending: list[float], x: float) -> float:
    total = descending[0]
    for coefficient in descending[1:]:
        total = total * x + coefficient
    return total
