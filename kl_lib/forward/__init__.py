"""Forward KL: minimising D_KL(p⋆‖pθ) from samples of p⋆, which is maximum likelihood, or from p⋆ itself.

D_KL(p⋆‖pθ) = −H(p⋆) − E[log pθ(x)], x ∼ p⋆, and only the second term depends on θ: a mean over the data in
`fit_mle` and `em`, an expectation in `fit_forward_kl`. For an exponential family its maximiser matches the
moments of pθ to those of the data or of p⋆.
"""

from __future__ import annotations

from kl_lib.forward.fitting import fit_forward_kl, fit_mle, negative_log_likelihood
from kl_lib.forward.mixture import em

__all__ = ["em", "fit_forward_kl", "fit_mle", "negative_log_likelihood"]
