"""The libraries that are compared: each builds a distribution and computes a divergence in float64."""

from __future__ import annotations

import importlib.metadata
import inspect
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import numpyro.distributions
import numpyro.distributions.kl
import tensorflow_probability.substrates.numpy as tfp
import torch
from families import ComparedFamily, Values
from scipy import special, stats
from tensorflow_probability.substrates.numpy.distributions import kullback_leibler as tfp_kl

from kl_lib import kl_categorical, kl_divergence, kl_normal_cholesky

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
jax.config.update("jax_enable_x64", True)

Divergence = Callable[[Any, Any], Any]


def in_torch(family: ComparedFamily, parameters: Values) -> Any:
    """Build the distribution of torch."""
    name, *names = family.torch
    given = {key: torch.tensor(value) for key, value in zip(names, parameters, strict=True)}
    if name == "Pareto":
        given["scale"] = torch.tensor(1.0)
    return getattr(torch.distributions, name)(**given)


def in_tfp(family: ComparedFamily, parameters: Values) -> Any:
    """Build the distribution of TensorFlow Probability, on NumPy."""
    name, *names = family.tfp
    given = {key: np.asarray(value, np.float64) for key, value in zip(names, parameters, strict=True)}
    if name == "Pareto":
        given["scale"] = np.float64(1.0)
    return getattr(tfp.distributions, name)(**given)


def in_numpyro(family: ComparedFamily, parameters: Values) -> Any:
    """Build the distribution of NumPyro."""
    name, *names = family.numpyro
    given = dict(zip(names, parameters, strict=True))
    if name == "Pareto":
        given["scale"] = 1.0
    return getattr(numpyro.distributions, name)(**given)


def in_scipy(family: ComparedFamily, parameters: Values) -> Any:
    """Build the distribution of SciPy that `kl_lib` takes, or the arrays that it takes instead."""
    return family.scipy(*parameters)


def kl_here(p: Any, q: Any) -> Any:
    """Call the function of `kl_lib` for p and q."""
    if isinstance(p, np.ndarray):
        return kl_categorical(p, q)
    if isinstance(p, tuple):
        return kl_normal_cholesky(*p, *q)
    return kl_divergence(p, q, method="closed")


def kl_scipy(p: Any, q: Any) -> Any:
    """Call SciPy, which has probabilities alone."""
    if isinstance(p, np.ndarray):
        return stats.entropy(p, q)
    if getattr(getattr(p, "dist", None), "name", "") == "bernoulli":
        (a,), (b,) = p.args, q.args
        return special.rel_entr(a, b) + special.rel_entr(1 - a, 1 - b)
    raise NotImplementedError


LIBRARIES: dict[str, tuple[Callable[[ComparedFamily, Values], Any], Divergence]] = {
    "kl_lib": (in_scipy, kl_here),
    "torch": (in_torch, torch.distributions.kl_divergence),
    "TFP": (in_tfp, tfp.distributions.kl_divergence),
    "NumPyro": (in_numpyro, numpyro.distributions.kl_divergence),
    "SciPy": (in_scipy, kl_scipy),
}


def versions() -> dict[str, str]:
    """Return the version of each library, and of what it computes with."""
    packages = ("kl_lib", "numpy", "scipy", "torch", "tfp-nightly", "numpyro", "jax", "mpmath")
    return {name: importlib.metadata.version(name) for name in packages}


def processor() -> str:
    """Return the name of the processor, or of its kind where the system does not tell."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def registered_pairs() -> dict[str, list[list[str]]]:
    """Return the pairs of distributions with a closed form, as each library's own registry lists them."""
    registries = {
        "torch": torch.distributions.kl._KL_REGISTRY,
        "TFP": tfp_kl._DIVERGENCES,
        "NumPyro": numpyro.distributions.kl.kl_divergence.funcs,
    }
    return {
        name: sorted({(p.__name__, q.__name__) for p, q in registry if inspect.isclass(p)})
        for name, registry in registries.items()
    }


def kl_div_loss() -> dict[str, float]:
    """Return what torch.nn.KLDivLoss makes of q = (1/4, 3/4) and p = (1/2, 1/2), twice in a batch.

    The last call gets a batch of 2 sequences of 3 tokens each.
    """
    loss, q, p = torch.nn.KLDivLoss, torch.tensor([[0.25, 0.75]] * 2), torch.tensor([[0.5, 0.5]] * 2)
    calls = {
        'KLDivLoss(reduction="batchmean")(q.log(), p)': loss(reduction="batchmean")(q.log(), p),
        'KLDivLoss(reduction="sum")(q.log(), p)': loss(reduction="sum")(q.log(), p),
        "KLDivLoss()(q.log(), p)": loss()(q.log(), p),
        'KLDivLoss(reduction="batchmean")(q, p)': loss(reduction="batchmean")(q, p),
        'KLDivLoss(reduction="batchmean")(p.log(), q)': loss(reduction="batchmean")(p.log(), q),
        'KLDivLoss(reduction="batchmean")(Q.log(), P)': loss(reduction="batchmean")(
            q[:, None].log().expand(2, 3, 2), p[:, None].expand(2, 3, 2)
        ),
    }
    return {call: float(value) for call, value in calls.items()}
