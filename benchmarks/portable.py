"""The float32 formula that the chapter on computing prints, run by PyTorch and JAX, with its gradients."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import torch
from numpy.typing import NDArray
from oracles.closed_forms import exact, mp, normal

CHAPTER = Path(__file__).parents[1] / "book" / "computing-kl.ipynb"
Scales = NDArray[np.float32]


def portable_errors(rng: np.random.Generator) -> dict[str, Any]:
    """Return each library's worst relative error, of the values and of the gradients in both scales."""
    s_p, s_q = _scales(rng)
    divergence = _formula()
    truth = [normal(exact(0), exact(a), exact(0), exact(b)) for a, b in zip(s_p, s_q, strict=True)]
    difference = (s_p.astype(float) - s_q) * (s_p.astype(float) + s_q) / s_q.astype(float) ** 2
    slopes = difference / s_p, -difference / s_q  # of the divergence in s_p and in s_q
    rows: dict[str, Any] = {"pairs": s_p.size, "ratios": [float(np.min(s_p / s_q)), float(np.max(s_p / s_q))]}
    for library, differentiate in {"torch": _by_torch, "jax": _by_jax}.items():
        values, *gradients = (np.asarray(x) for x in differentiate(divergence, s_p, s_q))
        assert values.dtype == np.float32, values.dtype
        errors = [abs(mp.mpf(float(x)) / y - 1) for x, y in zip(values, truth, strict=True)]
        off = [np.max(np.abs(x / y - 1)) for x, y in zip(gradients, slopes, strict=True)]
        rows[library] = {"value": float(f"{float(max(errors)):.2g}"), "gradient": float(f"{max(off):.2g}")}
    return rows


def _scales(rng: np.random.Generator) -> tuple[Scales, Scales]:
    """Return pairs of scales whose ratios go from 1e-8 to 1e8, and pairs that are close, as float32."""
    far, near = 10.0 ** rng.uniform(-8, 8, 1000), 1 + 10.0 ** rng.uniform(-6, 0, 1000)
    s_q = np.exp(rng.uniform(-2, 2, 3000)).astype(np.float32)
    s_p = (s_q * np.concatenate([far, near, 1 / near])).astype(np.float32)
    return s_p, s_q


def _formula() -> Callable[..., Any]:
    """Return the function that the chapter's cell defines, as it is printed there."""
    cells = json.loads(CHAPTER.read_text(encoding="utf-8"))["cells"]
    (source,) = ("".join(cell["source"]) for cell in cells if cell["id"] == "portable")
    namespace: dict[str, Any] = {"np": np}
    exec(source, namespace)
    formula: Callable[..., Any] = namespace["kl_normal_float32"]
    return formula


def _by_torch(divergence: Callable[..., Any], s_p: Scales, s_q: Scales) -> list[Any]:
    scales = [torch.tensor(s, requires_grad=True) for s in (s_p, s_q)]
    values = divergence(0, scales[0], 0, scales[1], torch)
    return [x.detach() for x in (values, *torch.autograd.grad(values.sum(), scales))]


def _by_jax(divergence: Callable[..., Any], s_p: Scales, s_q: Scales) -> list[Any]:
    def total(a: Any, b: Any) -> tuple[Any, Any]:
        values = divergence(0, a, 0, b, jax.numpy)
        return values.sum(), values

    (_, values), gradients = jax.jit(jax.value_and_grad(total, (0, 1), has_aux=True))(s_p, s_q)
    return [values, *gradients]
