"""Exact divergences between SciPy distributions: closed forms, quadrature and sums."""

from kl_lib.divergence import continuous as continuous  # registers its closed forms
from kl_lib.divergence import positive as positive  # and so do these
from kl_lib.divergence import shares as shares
from kl_lib.divergence.api import kl_divergence
from kl_lib.divergence.discrete import kl_categorical
from kl_lib.divergence.entropies import cross_entropy, entropy
from kl_lib.divergence.multivariate import kl_normal_cholesky, kl_normal_covariance
from kl_lib.divergence.registry import register_kl

__all__ = [
    "cross_entropy",
    "entropy",
    "kl_categorical",
    "kl_divergence",
    "kl_normal_cholesky",
    "kl_normal_covariance",
    "register_kl",
]
