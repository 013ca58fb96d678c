"""The cancellation-free pieces that the closed forms are made of."""

from kl_lib.numerics.elementary import (
    kl_term,
    phi,
    phi_product_ratio,
    phi_ratio,
    phi_square_ratio,
    polynomial,
    psi,
)
from kl_lib.numerics.error_free import two_product, two_sum
from kl_lib.numerics.gamma import beta_bregman, gamma_bregman, gamma_curvature

__all__ = [
    "beta_bregman",
    "gamma_bregman",
    "gamma_curvature",
    "kl_term",
    "phi",
    "phi_product_ratio",
    "phi_ratio",
    "phi_square_ratio",
    "polynomial",
    "psi",
    "two_product",
    "two_sum",
]
