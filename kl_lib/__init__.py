"""Kullback–Leibler divergences, exact to the last digits, and the learning that rests on them."""

from __future__ import annotations

from kl_lib.divergence import (
    cross_entropy,
    entropy,
    kl_categorical,
    kl_divergence,
    kl_normal_cholesky,
    register_kl,
)
from kl_lib.results import Estimate, Fit

__all__ = [
    "Estimate",
    "Fit",
    "cross_entropy",
    "entropy",
    "kl_categorical",
    "kl_divergence",
    "kl_normal_cholesky",
    "register_kl",
]
