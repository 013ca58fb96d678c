"""Closed forms between univariate continuous distributions."""

from __future__ import annotations

from kl_lib.divergence.registry import Parameters, register_kl
from kl_lib.numerics import phi_square_ratio
from kl_lib.validation import Array


@register_kl("norm", "norm")
def kl_normal(p: Parameters, q: Parameters) -> Array:
    """½[(Δμ/σq)² + φ(σp²/σq² − 1)]."""
    return 0.5 * (((p.loc - q.loc) / q.scale) ** 2 + phi_square_ratio(p.scale, q.scale))
