"""Exact divergences between SciPy distributions: closed forms, quadrature and sums."""

from kl_lib.divergence import closed_forms as closed_forms  # registers them
from kl_lib.divergence.api import cross_entropy, entropy, expectation, kl_divergence, kl_integrand
from kl_lib.divergence.categorical import kl_categorical
from kl_lib.divergence.multivariate import kl_normal_cholesky, kl_normal_covariance
from kl_lib.divergence.registry import register_kl

__all__ = [
    "cross_entropy",
    "entropy",
    "expectation",
    "kl_categorical",
    "kl_divergence",
    "kl_integrand",
    "kl_normal_cholesky",
    "kl_normal_covariance",
    "register_kl",
]
