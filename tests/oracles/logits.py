"""Softmax and its divergence, in mpmath."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np

# Enough for 1 - p of probabilities that differ by 300 decades.
mp = mpmath.mp.clone()
mp.dps = 700


def softmax(logits: Any) -> list[Any]:
    powers = [mp.mpf(0) if x == -np.inf else mp.exp(mp.mpf(float(x))) for x in logits]
    return [x / mp.fsum(powers) for x in powers]


def softmax_divergence(x: Any, y: Any) -> Any:
    pairs = list(zip(softmax(x), softmax(y), strict=True))
    if any(p and not q for p, q in pairs):
        return mp.inf
    return mp.fsum(p * mp.log(p / q) for p, q in pairs if p)


def close(value: Any, reference: Any, relative: float = 2e-15) -> bool:
    """Whether they agree to the last digits, or to the smallest normal float."""
    if mp.isinf(reference):
        return bool(value == np.inf)
    return bool(abs(mp.mpf(float(value)) - reference) <= relative * abs(reference) + mp.mpf("3e-308"))
