"""Exact divergences between SciPy distributions: closed forms, quadrature and sums."""

from kl_lib.divergence import continuous
from kl_lib.divergence.api import kl_divergence
from kl_lib.divergence.registry import register_kl

__all__ = ["continuous", "kl_divergence", "register_kl"]
