"""Checks of arguments, shared by every public function.

Each check returns the argument in the form the caller computes with, or raises an error that names
the argument, the value it got, and what would have been right.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kl_lib.numerics.entrywise import every
from kl_lib.types import Array, BatchFunction

# The kinds of dtypes of complex numbers, texts and times.
_NO_REALS = "cSUmM"


def as_finite(name: str, value: ArrayLike, *, minus_infinity: bool = False) -> Array:
    """Return `value` as a float array, every entry of which is finite.

    `minus_infinity` lets a logit be -inf, which stands for a probability of 0.
    """
    array = _as_floats(name, value)
    finite = array < np.inf if minus_infinity else np.isfinite(array)
    if not every(finite):
        bad = np.argwhere(~finite)
        raise ValueError(f"{name} must be finite, got {array[tuple(bad[0])]}{_at(bad[0])}")
    return array


def check_aligned(**values: Any) -> None:
    """Refuse labelled arrays, such as those of pandas, whose labels differ where their entries would meet."""
    labelled = [(name, value.axes) for name, value in values.items() if hasattr(value, "axes")]
    for (name, axes), (other, others) in combinations(labelled, 2):
        for labels, more in zip(reversed(axes), reversed(others), strict=False):
            if len(labels) == len(more) and not np.array_equal(labels, more):
                first, second = next(pair for pair in zip(labels, more, strict=True) if pair[0] != pair[1])
                raise ValueError(
                    f"{name} and {other} must have the same labels in the same order, got {first!r} beside "
                    f"{second!r}; to_numpy() drops the labels"
                )


def as_log_ratio(name: str, value: ArrayLike) -> NDArray[Any]:
    """Return `value` as an array of floats below inf, of their own precision; integers become floats."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} must be real numbers, got {array.dtype} entries")
    bad = np.argwhere(~(array < np.inf))
    if len(bad):
        raise ValueError(f"{name} must be finite or -inf, got {array[tuple(bad[0])]}{_at(bad[0])}")
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def as_positive(name: str, value: ArrayLike) -> Array:
    """Return `value` as a float array, every entry of which is finite and above zero."""
    array = as_finite(name, value)
    positive = array > 0
    if not every(positive):
        bad = np.argwhere(~positive)
        raise ValueError(f"{name} must be positive, got {array[tuple(bad[0])]}{_at(bad[0])}")
    return array


def as_fraction(name: str, value: ArrayLike) -> float:
    """Return `value` as a float between 0 and 1."""
    array = as_positive(name, as_shape(name, value, ()))
    if array >= 1:
        raise ValueError(f"{name} must be below 1, got {array}")
    return float(array)


def as_shape(
    name: str, value: ArrayLike, shape: tuple[int | None, ...], *, minus_infinity: bool = False
) -> Array:
    """Return `value` as a finite float array of `shape`, where None stands for any length."""
    array = as_finite(name, value, minus_infinity=minus_infinity)
    matches = len(array.shape) == len(shape) and all(
        want is None or got == want for got, want in zip(array.shape, shape, strict=True)
    )
    if not matches:
        wanted = str(tuple("n" if size is None else size for size in shape)).replace("'", "")
        raise ValueError(f"{name} must have shape {wanted}, got {array.shape}")
    return array


def as_count(name: str, value: object, *, minimum: int = 1) -> int:
    """Return `value` as an int of at least `minimum`; booleans and floats are refused."""
    if not isinstance(value, Integral) or isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be an integer >= {minimum}, got {value!r}")
    if value < minimum:
        raise ValueError(f"{name} must be an integer >= {minimum}, got {value}")
    return int(value)


def as_tolerance(tol: ArrayLike) -> float:
    """Return a tolerance as a positive float."""
    return float(as_shape("tol", as_positive("tol", tol), ()))


def as_generator(rng: object) -> np.random.Generator:
    """Return `rng` if it is a NumPy Generator; seeds and legacy states are refused."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"rng must be a numpy.random.Generator, such as numpy.random.default_rng(0), got {rng!r}"
        )
    return rng


def as_choice(name: str, value: object, choices: Sequence[str]) -> str:
    """Return `value` if it is one of the strings in `choices`."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")
    return str(value)


def as_weights(name: str, value: ArrayLike) -> Array:
    """Return `value` as a float array (k,) of positive weights that sum to 1 within 1e-9."""
    array = as_shape(name, as_positive(name, value), (None,))
    if abs(array.sum() - 1) > 1e-9:
        raise ValueError(f"{name} must sum to 1 within 1e-9, got a sum of {array.sum():.17g}")
    return array


def as_outcomes(name: str, value: ArrayLike, k: int) -> NDArray[np.int64]:
    """Return `value` as an integer array (n,) of outcomes from 0 to k - 1; True is 1, and 1.0 too."""
    _refuse_masked(name, value)
    array = np.asarray(value)
    if array.dtype.kind not in "iufb":
        raise TypeError(f"{name} must be integers from 0 to {k - 1}, got {array.dtype} entries")
    if array.ndim != 1:
        raise ValueError(f"{name} must have shape (n,), got {array.shape}")
    bad = np.argwhere(~((array >= 0) & (array < k) & (array == np.floor(array))))
    if len(bad):
        raise ValueError(
            f"{name} must be integers from 0 to {k - 1}, got {array[tuple(bad[0])]}{_at(bad[0])}"
        )
    return array.astype(np.int64)


def evaluate(
    name: str,
    function: BatchFunction,
    x: NDArray[Any],
    *,
    shape: tuple[int, ...] | None = None,
    minus_infinity: bool = False,
) -> Array:
    """Return function(x) as a float array (n,), or of `shape`, every entry of which is finite.

    `minus_infinity` lets the log of a density be -inf where the density is zero. The function may change the
    x that it gets: it is a copy.
    """
    if not callable(function):
        raise TypeError(f"{name} must be a function of a batch of samples, got {function!r}")
    values = _as_floats(f"what {name} returns", function(x.copy()))
    shape = (len(x),) if shape is None else shape
    if values.shape != shape:
        raise ValueError(f"{name} must map a batch of shape {x.shape} to {shape}, got {values.shape}")
    bad = np.argwhere(~(np.isfinite(values) | (minus_infinity & (values == -np.inf))))
    if len(bad):
        value, sample = values[tuple(bad[0])], x[bad[0][0]]
        raise ValueError(f"{name} must be finite, got {value}{_at(bad[0])}, where x is {sample}")
    return values


def _as_floats(name: str, value: Any) -> Array:
    """Return `value` as a float array; refuse what NumPy would parse, or drop the imaginary part of."""
    _refuse_masked(name, value)
    try:
        array = np.asarray(value)
        if array.dtype.kind not in _NO_REALS:
            return array.astype(np.float64, copy=False)
    except (TypeError, ValueError):
        pass
    raise TypeError(f"{name} must be a number or an array of numbers, got {value!r}")


def _refuse_masked(name: str, value: Any) -> None:
    """Refuse an array with masked entries, whose mask NumPy drops."""
    if np.ma.is_masked(value):
        raise ValueError(f"{name} must have no masked entries, got {value!r}; leave them out, or fill them")


def _at(index: NDArray[np.intp]) -> str:
    """Say where in an array an entry stands; nothing for a scalar."""
    return f" at index {tuple(map(int, index))}" if index.size else ""
