"""Estimates of D_KL(p‖q) from samples: of p with both densities, or of p and q alone."""

from kl_lib.estimators.neighbours import kl_nearest_neighbours
from kl_lib.estimators.sampled import kl_monte_carlo
from kl_lib.estimators.terms import k1, k2, k3

__all__ = ["k1", "k2", "k3", "kl_monte_carlo", "kl_nearest_neighbours"]
