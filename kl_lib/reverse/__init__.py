"""Reverse KL: the evidence lower bound of a target known up to its normalizer ℵ, and its maximiser.

log ℵ − ELBO(θ) = D_KL(pθ‖p⋆): the ELBO is a lower bound of log ℵ, and its maximiser minimises the reverse
divergence. Throughout, `log_p` is the log of the unnormalized density p̃, mapping a batch of n samples to
(n,), and `grad_log_p` its gradient in x, of the shape of x.
"""

from __future__ import annotations

from kl_lib.reverse.bounds import elbo, importance_weighted_bound
from kl_lib.reverse.fitting import fit_reverse_kl

__all__ = ["elbo", "fit_reverse_kl", "importance_weighted_bound"]
