"""Whether a gradient is that of log p̃, by differences."""

from __future__ import annotations

import numpy as np

from kl_lib.checks import evaluate
from kl_lib.families import Reparameterizable
from kl_lib.types import Array, BatchFunction

# Differences by this many standard deviations, and half of it, tell the slope of log p̃ at so many draws.
_DIFFERENCE = 1e-3
_CHECKED = 5


def check_gradient(
    family: Reparameterizable,
    theta: Array,
    log_p: BatchFunction,
    grad_log_p: BatchFunction,
    *,
    rng: np.random.Generator,
) -> None:
    """Refuse a gradient that differs from differences of log p̃ wherever two of them agree, at each point."""
    x = family.sample(theta, _CHECKED, rng=rng)
    slopes = evaluate("grad_log_p", grad_log_p, x, shape=x.shape).reshape(len(x), -1)
    scales = np.exp(theta[family.log_scales])
    for i, scale in enumerate(scales):
        move = np.zeros(len(scales))
        move[i] = _DIFFERENCE * scale
        moved = np.concatenate([x + (c * move).reshape(x.shape[1:]) for c in (1, -1, 0.5, -0.5)])
        values = np.asarray(evaluate("log_p", log_p, moved, minus_infinity=True)).reshape(4, len(x))
        with np.errstate(invalid="ignore"):
            coarse, fine = (values[0] - values[1]) / (2 * move[i]), (values[2] - values[3]) / move[i]
        slope, size = slopes[:, i], np.abs(values).max(axis=0)
        error = np.abs(coarse - fine) + 1e-3 * np.abs(slope) + 1e-12 * size / move[i]
        wrong = np.abs(fine - slope) > 10 * error
        if wrong.all():
            raise ValueError(
                f"grad_log_p must be the gradient of log_p, got {slope[0]:.6g} in coordinate {i} where x is "
                f"{x[0]}; differences of log_p give {fine[0]:.6g}"
            )
