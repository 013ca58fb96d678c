"""The cancellation-free pieces that the closed forms are made of."""

from kl_lib.numerics.bessel import bessel_bregman, bessel_ratio
from kl_lib.numerics.elementary import (
    LARGEST,
    expm1x,
    kl_term,
    log_product,
    phi,
    phi_product_ratio,
    phi_ratio,
    phi_square_ratio,
)
from kl_lib.numerics.entrywise import every, in_blocks, polynomial
from kl_lib.numerics.error_free import log_ratio, log_ratio_parts, two_product, two_quotient, two_sum
from kl_lib.numerics.gamma import (
    beta_bregman,
    gamma_bregman,
    gamma_curvature,
    remainder_and_slope,
    stirling_remainder,
)
from kl_lib.numerics.gumbel import gumbel_divergence
from kl_lib.numerics.logits import log_softmax, softmax, softmax_divergence, softmax_entropy
from kl_lib.numerics.triangular import excess_factor, solve_lower

__all__ = [
    "LARGEST",
    "bessel_bregman",
    "bessel_ratio",
    "beta_bregman",
    "every",
    "excess_factor",
    "expm1x",
    "gamma_bregman",
    "gamma_curvature",
    "gumbel_divergence",
    "in_blocks",
    "kl_term",
    "log_product",
    "log_ratio",
    "log_ratio_parts",
    "log_softmax",
    "phi",
    "phi_product_ratio",
    "phi_ratio",
    "phi_square_ratio",
    "polynomial",
    "remainder_and_slope",
    "softmax",
    "softmax_divergence",
    "softmax_entropy",
    "solve_lower",
    "stirling_remainder",
    "two_product",
    "two_quotient",
    "two_sum",
]
