"""How far a mean of samples lies from what it should be."""

from __future__ import annotations

from typing import Any

import numpy as np


def z_scores(samples: Any, expected: Any = 0.0, *, rounding: float = 1e-12) -> Any:
    """Return how many standard errors the mean over the first axis lies from `expected`.

    What does not vary, to rounding, must agree to rounding.
    """
    standard_error = samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    return (samples.mean(axis=0) - expected) / np.maximum(standard_error, rounding)
