"""Monte-Carlo gradients of an expectation over pθ, one signature for every estimator.

Each returns n per-sample gradients of ∇θ E[f(x)], x ∼ pθ, as (n, size): their mean is the estimate, their
spread its variance. `f` maps a batch of n samples to (n,), `grad_f` to its gradient in x, of the shape of
x. Mohamed, Rosca, Figurnov and Mnih (2020), "Monte Carlo Gradient Estimation in Machine Learning", JMLR
21(132), derive them all.
"""

from __future__ import annotations

from kl_lib.gradients.elbo import elbo_gradient
from kl_lib.gradients.expectation import reparameterization, score_function
from kl_lib.gradients.measure import measure_valued

__all__ = ["elbo_gradient", "measure_valued", "reparameterization", "score_function"]
