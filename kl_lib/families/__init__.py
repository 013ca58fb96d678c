"""Families of distributions pθ, each a map from an unconstrained vector θ to a distribution.

A family holds no parameters: they are the first argument of every method, so that gradients with respect
to them have a plain meaning. `Family` says what each one can do, `Reparameterizable` what the normal ones
can do besides.
"""

from __future__ import annotations

from kl_lib.families.base import Family, as_family
from kl_lib.families.discrete import Bernoulli, Categorical
from kl_lib.families.mixture import DiagonalNormalMixture, NormalMixture
from kl_lib.families.normal import DiagonalNormal, FullNormal, Normal
from kl_lib.families.parameters import LOG_SCALE_LIMIT
from kl_lib.families.reparameterizable import Reparameterizable, as_reparameterizable

__all__ = [
    "LOG_SCALE_LIMIT",
    "Bernoulli",
    "Categorical",
    "DiagonalNormal",
    "DiagonalNormalMixture",
    "Family",
    "FullNormal",
    "Normal",
    "NormalMixture",
    "Reparameterizable",
    "as_family",
    "as_reparameterizable",
]
