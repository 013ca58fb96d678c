"""What a Monte-Carlo mean says about a number that it should be."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from kl_lib.checks import as_finite
from kl_lib.types import Array


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
