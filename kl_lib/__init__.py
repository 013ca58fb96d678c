"""Kullback–Leibler divergences, exact to the last digits, and the learning that rests on them."""

from __future__ import annotations

from kl_lib.diagnostics import effective_sample_size, pareto_k
from kl_lib.divergence import (
    cross_entropy,
    entropy,
    expectation,
    kl_categorical,
    kl_divergence,
    kl_integrand,
    kl_normal_cholesky,
    kl_normal_covariance,
    register_kl,
)
from kl_lib.estimators import k1, k2, k3, kl_monte_carlo, kl_nearest_neighbours
from kl_lib.forward import em, fit_forward_kl, fit_mle, negative_log_likelihood
from kl_lib.gradients import elbo_gradient, measure_valued, reparameterization, score_function
from kl_lib.monte_carlo import monte_carlo, z_scores
from kl_lib.results import Estimate, Fit, SampleMoments
from kl_lib.reverse import elbo, fit_reverse_kl, importance_weighted_bound

__version__ = "0.1.0"

__all__ = [
    "Estimate",
    "Fit",
    "SampleMoments",
    "cross_entropy",
    "effective_sample_size",
    "elbo",
    "elbo_gradient",
    "em",
    "entropy",
    "expectation",
    "fit_forward_kl",
    "fit_mle",
    "fit_reverse_kl",
    "importance_weighted_bound",
    "k1",
    "k2",
    "k3",
    "kl_categorical",
    "kl_divergence",
    "kl_integrand",
    "kl_monte_carlo",
    "kl_nearest_neighbours",
    "kl_normal_cholesky",
    "kl_normal_covariance",
    "measure_valued",
    "monte_carlo",
    "negative_log_likelihood",
    "pareto_k",
    "register_kl",
    "reparameterization",
    "score_function",
    "z_scores",
]
