"""Monte-Carlo means of more samples than fit in memory, and what a mean says about a number it should be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from kl_lib.checks import as_count, as_finite, as_generator
from kl_lib.extras import import_extra
from kl_lib.results import SampleMoments
from kl_lib.types import Array

# The number of samples, their mean, and the sum of their squared distances from it.
_Sums = tuple[int, Array, Array]


def monte_carlo(
    draw: Callable[..., ArrayLike],
    n: int,
    *,
    rng: np.random.Generator,
    chunk: int = 1_000_000,
    n_jobs: int = 1,
    callback: Callable[[int, int], object] | None = None,
) -> SampleMoments:
    """Return the mean and the variance of n samples, drawn chunk by chunk in constant memory.

    Every chunk has a generator of its own, spawned from `rng`, and the chunks are merged in their order
    (Chan, Golub and LeVeque 1983): the result is the same to the last bit for any number of workers. It
    depends on `chunk`.

    Parameters
    ----------
    draw
        Called as ``draw(size, rng=generator)``: returns `size` independent samples (size, ...), finite ones.
        An estimator of gradients will do: ``functools.partial(score_function, family, theta, f)``.
    n
        How many samples in all, at least 2.
    rng
        The source of randomness, which spawns those of the chunks.
    chunk
        How many samples a call draws; the last call draws what is left.
    n_jobs
        1 draws here. Any other number of workers, or −1 for as many as there are, goes through joblib (extra
        ``[parallel]``), to the backend that ``joblib.parallel_config`` names: processes of this machine, or
        ``backend="dask"`` for a cluster. They import what `draw` imports.
    callback
        Called after each chunk with the number of samples that are done, and with n. A progress bar is
        ``with tqdm(total=n) as bar: monte_carlo(..., callback=lambda done, n: bar.update(done - bar.n))``.

    Returns
    -------
    SampleMoments
        The mean, the variance (unbiased), and the standard error of the mean, (...) each.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, or the samples of two chunks differ in shape.
    RuntimeError
        If `draw` raises, returns samples that are not (size, ...), not finite or have squares that overflow,
        or if a worker dies: with the number of the chunk, counted from 0.
    ModuleNotFoundError
        If `n_jobs` is not 1 and joblib is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import monte_carlo
    >>> draw = lambda size, rng: rng.normal(size=size) ** 2
    >>> square = monte_carlo(draw, 1_000_000, rng=np.random.default_rng(0), chunk=100_000)
    >>> print(f"{square.mean:.2f} ± {square.standard_error:.3f}")
    1.00 ± 0.001

    References
    ----------
    Chan, Golub and LeVeque (1983), "Algorithms for computing the sample variance", equation 2.1.
    """
    n, chunk, rng = as_count("n", n, minimum=2), as_count("chunk", chunk), as_generator(rng)
    if not callable(draw):
        raise TypeError(f"draw must be a function of a number of samples and rng, got {draw!r}")
    if n_jobs != -1:
        n_jobs = as_count("n_jobs", n_jobs)  # −1 is joblib's word for all
    count = -(-n // chunk)
    calls = ((draw, min(chunk, n - i * chunk), rng.spawn(1)[0]) for i in range(count))
    total: _Sums | None = None
    with closing(_outcomes(calls, n_jobs)) as outcomes:
        for i in range(count):
            part = _next_part(outcomes, f"chunk {i} of {count}")
            total = part if total is None else _merged(total, part, i)
            if callback is not None:
                callback(total[0], n)
    assert total is not None
    return SampleMoments(total[1][()], (total[2] / (n - 1))[()], n)


def _outcomes(calls: Iterator[tuple[Any, ...]], n_jobs: int) -> Any:
    """Return a generator of what becomes of each call, in their order, a few calls ahead of what is asked."""
    if n_jobs == 1:
        return (_outcome(*call) for call in calls)
    joblib = import_extra("joblib", "parallel", f"n_jobs={n_jobs}")
    return joblib.Parallel(n_jobs=n_jobs, return_as="generator")(
        joblib.delayed(_outcome)(*call) for call in calls
    )


def _outcome(draw: Callable[..., ArrayLike], size: int, rng: np.random.Generator) -> _Sums | Exception:
    """Return the sums of a chunk, or what went wrong with it: which chunk it was is known to the caller."""
    try:
        samples = as_finite("samples", draw(size, rng=rng))
        if samples.shape[:1] != (size,):
            raise ValueError(f"samples must have shape ({size}, ...), got {samples.shape}")
        with np.errstate(over="raise"):
            mean = samples.mean(axis=0)
            return size, mean, np.square(samples - mean).sum(axis=0)
    except Exception as error:
        return error


def _next_part(outcomes: Iterator[_Sums | Exception], name: str) -> _Sums:
    """Return the sums of the next chunk, or raise what went wrong under its name."""
    try:
        outcome = next(outcomes)
    except Exception as error:
        raise RuntimeError(f"{name} did not come back: {type(error).__name__}: {error}") from error
    if isinstance(outcome, Exception):
        raise RuntimeError(f"draw failed in {name}: {type(outcome).__name__}: {outcome}") from outcome
    return outcome


def _merged(first: _Sums, second: _Sums, number: int) -> _Sums:
    """Return the sums of the chunks so far and of one more: Chan, Golub and LeVeque (1983), equation 2.1."""
    (m, mean, squares), (n, other_mean, other_squares) = first, second
    if mean.shape != other_mean.shape:
        raise ValueError(
            f"draw must return samples of one shape, got {other_mean.shape} each in chunk {number} after "
            f"{mean.shape}"
        )
    step = other_mean - mean
    return m + n, mean + step * (n / (m + n)), squares + other_squares + step**2 * (m * (n / (m + n)))


def z_scores(samples: ArrayLike, expected: ArrayLike) -> Array:
    """Return (mean - expected) / standard error: how far sample means are from what is expected.

    About standard normal for many independent samples of finite variance whose mean is what is expected: one
    in 147,000 is beyond 4.5.

    Parameters
    ----------
    samples
        At least 2 independent ones, (n,) or (n, ...): per-sample gradients, say.
    expected
        Their means, a number or an array that broadcasts against (...).

    Returns
    -------
    ndarray
        (...), and so a number for samples (n,).

    Raises
    ------
    ValueError
        If there are fewer than 2 samples, if one or what is expected is not finite, or if the samples are
        all equal: these have no standard error.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import z_scores
    >>> x = np.random.default_rng(0).normal(3.0, 1.0, size=1000)
    >>> abs(z_scores(x, 3.0)) < 4.5, abs(z_scores(x, 3.5)) < 4.5
    (np.True_, np.False_)
    >>> z_scores(np.stack([x, -x], axis=1), [3.0, -3.0]).shape
    (2,)
    """
    samples, expected = as_finite("samples", samples), as_finite("expected", expected)
    if samples.ndim == 0 or len(samples) < 2:
        raise ValueError(f"samples must be at least 2, (n, ...), got an array of shape {samples.shape}")
    if np.any(np.ptp(samples, axis=0) == 0):
        raise ValueError("samples must differ, for their mean to have a standard error, got equal ones")
    error = samples.std(axis=0, ddof=1) / len(samples) ** 0.5
    scores: Array = (samples.mean(axis=0) - expected) / error
    return scores
