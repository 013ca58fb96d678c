"""Kullback–Leibler divergences, exact to the last digits, and the learning that rests on them."""

from __future__ import annotations

from kl_lib.divergence import kl_divergence, register_kl
from kl_lib.results import Estimate, Fit

__all__ = ["Estimate", "Fit", "kl_divergence", "register_kl"]
