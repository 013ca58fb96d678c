"""PyTorch's arrays: precision, device and gradients kept, and what is descended when a loss is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from kl_lib import effective_sample_size, k1, k2, k3, pareto_k

TERMS = {"k1": k1, "k2": k2, "k3": k3}
DTYPES = (torch.bfloat16, torch.float16, torch.float32, torch.float64)
SLOPES: dict[str, Callable[[Any], Any]] = {
    "k1": lambda w: -np.ones_like(w),
    "k2": lambda w: w,
    "k3": np.expm1,
}
REAL = torch.float64


def ratios(dtype: torch.dtype) -> torch.Tensor:
    smallest = -7 if dtype is torch.float16 else -15
    sizes = np.logspace(smallest / 2 if dtype is torch.float16 else smallest, 0.8, 80)
    return torch.tensor(np.concatenate([-sizes, sizes]), dtype=dtype)


# Terms and diagnostics.


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", TERMS)
def test_terms_keep_their_precision_and_its_last_digits(name, dtype):
    ratio = ratios(dtype)
    value = TERMS[name](ratio)
    wanted = torch.tensor(TERMS[name](ratio.double().numpy()))
    room = torch.finfo(dtype).smallest_normal * torch.finfo(dtype).eps  # one subnormal
    assert value.dtype == dtype
    assert torch.all((value.double() - wanted).abs() <= 5 * torch.finfo(dtype).eps * wanted.abs() + room)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", TERMS)
def test_gradients_keep_their_last_digits_near_0(name, dtype):
    ratio = ratios(dtype).requires_grad_()
    TERMS[name](ratio).sum().backward()
    wanted = torch.tensor(SLOPES[name](ratio.detach().double().numpy()))
    error = (ratio.grad.double() - wanted).abs()
    assert ratio.grad.dtype == dtype
    assert torch.all(error <= 8 * torch.finfo(dtype).eps * wanted.abs())


@pytest.mark.parametrize("name", TERMS)
def test_where_q_has_no_mass_terms_are_infinite_and_slopes_those_of_the_formula(name):
    ratio = torch.tensor([-torch.inf, 0.0, 1.0], requires_grad=True)
    value = TERMS[name](ratio)
    value.sum().backward()
    assert value[0] == torch.inf
    assert value[1] == 0
    wanted = SLOPES[name](np.array([-np.inf, 0.0, 1.0]))
    np.testing.assert_allclose(ratio.grad.numpy(), wanted, rtol=1e-6)


def test_a_naive_k3_loses_what_this_one_keeps():
    ratio = torch.tensor(1e-4)
    naive = torch.exp(ratio) - 1 - ratio
    assert abs(naive / 5.0001667e-9 - 1) > 0.5
    assert abs(k3(ratio) / 5.0001667e-9 - 1) < 1e-6


@pytest.mark.parametrize("name", TERMS)
def test_shapes_and_devices_are_kept(name):
    assert TERMS[name](torch.zeros(2, 0, 3)).shape == (2, 0, 3)
    assert TERMS[name](torch.tensor(0.5)).shape == ()
    assert TERMS[name](torch.zeros(2, device="cpu")).device == torch.device("cpu")
    assert not TERMS[name](torch.zeros(2)).requires_grad


def log_weights(dtype: torch.dtype) -> torch.Tensor:
    return torch.tensor(0.6 * np.random.default_rng(20260101).exponential(size=500), dtype=dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", [effective_sample_size, pareto_k])
def test_diagnostics_keep_their_precision(function, dtype):
    weights = log_weights(dtype)
    value = function(weights)
    assert (value.dtype, value.shape, value.device) == (dtype, (), weights.device)
    wanted = function(weights.double().numpy())
    assert abs(value.item() - wanted) <= (2 * torch.finfo(dtype).eps + 1e-5) * wanted


@pytest.mark.parametrize("function", [effective_sample_size, pareto_k])
def test_diagnostics_carry_gradients(function):
    weights = log_weights(REAL)[:60].requires_grad_()
    assert torch.autograd.gradcheck(function, (weights,))


@pytest.mark.parametrize("function", [k1, k2, k3, effective_sample_size, pareto_k])
@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (torch.tensor([[0.0, torch.nan]]), ValueError, r"finite or -inf, got nan at index \(0, 1\)"),
        (torch.tensor([0.0, torch.inf], dtype=torch.bfloat16), ValueError, r"got inf at index \(1,\)"),
        (torch.tensor([1, 2]), TypeError, r"floating-point numbers, got torch\.int64 entries"),
        (torch.tensor([1j]), TypeError, r"got torch\.complex64 entries"),
    ],
)
def test_what_is_no_log_ratio_is_refused(function, value, error, message):
    with pytest.raises(error, match=message):
        function(value)


def test_importing_the_library_imports_numpy_and_scipy_alone():
    program = "import sys, kl_lib; print({'torch', 'array_api_compat', 'joblib', 'dask'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "set()\n"


# What is descended: p = N(0, s²), q = N(0, 1), and samples of o = N(0, s0²), by quadrature.


def log_normal(x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    return -0.5 * (x / scale) ** 2 - torch.log(scale)


def gradient(s: float, s0: float, loss: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], Any]) -> float:
    """Return d/ds of the mean over o of a loss of (L, log p, log w)."""
    scale, older = torch.tensor(s, dtype=REAL, requires_grad=True), torch.tensor(s0, dtype=REAL)
    reach = 38.5 * min(s0, 1)  # as far as the terms are floats
    x = torch.linspace(-reach, reach, 40_001, dtype=REAL)
    log_o = log_normal(x, older)
    share = torch.exp(log_o) * (x[1] - x[0]) / (2 * torch.pi) ** 0.5
    log_p = log_normal(x, scale)
    terms = share * loss(log_normal(x, torch.ones((), dtype=REAL)) - log_p, log_p, log_p - log_o)
    return float(torch.autograd.grad(terms.sum(), scale)[0])


def on_the_value(estimator: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda ratio, _log_p, _log_w: estimator(ratio)


def in_the_reward(estimator: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda ratio, log_p, _log_w: log_p * estimator(ratio.detach())


def weighted(estimator: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda ratio, _log_p, log_w: torch.exp(log_w) * estimator(ratio)


def weighted_detached(estimator: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda ratio, _log_p, log_w: torch.exp(log_w).detach() * estimator(ratio)


@pytest.mark.parametrize(
    ("loss", "wanted"),
    [
        (on_the_value(k1), (0, 0)),
        (on_the_value(k2), (-1.5, 1.5)),
        (on_the_value(k3), (-6, 0.375)),
        (in_the_reward(k1), (-1.5, 1.5)),
        (in_the_reward(k3), (-1.5 + 6, 1.5 - 0.375)),
    ],
)
def test_what_is_descended_on_policy(loss, wanted):
    for s, value in zip((0.5, 2.0), wanted, strict=True):
        assert gradient(s, s, loss) == pytest.approx(value, rel=1e-9, abs=1e-9)


def test_k2_in_the_reward_descends_neither():
    for s in (0.5, 2.0):
        found = gradient(s, s, in_the_reward(k2))
        assert abs(found - (s - 1 / s)) > 0.3
        assert abs(found - (1 / s - 1 / s**3)) > 0.3


@pytest.mark.parametrize(
    ("form", "estimator", "wanted"),
    [
        (on_the_value, k1, (-0.292969, -0.21875)),
        (on_the_value, k2, (-0.288781, 0.441665)),
        (on_the_value, k3, (-0.359877, 0.263571)),
        (weighted_detached, k1, (0, 0)),
        (weighted_detached, k2, (-0.45, 1.5)),
        (weighted_detached, k3, (-0.703125, 0.375)),
        (weighted, k1, (-0.45, 1.5)),
        (weighted, k2, (-0.307415, 7.210279)),
        (weighted, k3, (-0.45, 1.5)),
    ],
)
def test_what_is_descended_off_policy(form, estimator, wanted):
    for (s, s0), value in zip(((0.8, 0.7), (2.0, 1.5)), wanted, strict=True):
        assert gradient(s, s0, form(estimator)) == pytest.approx(value, abs=6e-7)


def test_on_policy_the_weight_matters_where_it_is_differentiated():
    assert gradient(0.8, 0.8, weighted_detached(k3)) == pytest.approx(1 / 0.8 - 1 / 0.8**3, rel=1e-9)
    assert gradient(0.8, 0.8, weighted(k3)) == pytest.approx(0.8 - 1 / 0.8, rel=1e-9)


# Sequences: two steps of two tokens.


def sequence_losses() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the first logits, the divergence, and the loss whose prefixes are not differentiated."""
    first = torch.tensor([0.3, -0.4], dtype=REAL, requires_grad=True)
    second = torch.tensor([[0.2, -0.5], [1.0, -0.8]], dtype=REAL)
    reference = torch.tensor([[0.5, 0.5], [0.1, 0.9]], dtype=REAL)
    log_first, log_second = torch.log_softmax(first, 0), torch.log_softmax(second, 1)
    step_one = torch.sum(log_first.exp() * (log_first - np.log(0.5)))
    step_two = torch.sum(log_second.exp() * (log_second - reference.log()), 1)
    full = step_one + torch.sum(log_first.exp() * step_two)
    return first, full, step_one + torch.sum(log_first.exp().detach() * step_two)


def test_a_loss_that_drops_the_prefixes_goes_the_other_way():
    first, full, dropped = sequence_losses()
    assert full.item() == pytest.approx(0.6213671, abs=5e-8)
    (right,) = torch.autograd.grad(full, first, retain_graph=True)
    (wrong,) = torch.autograd.grad(dropped, first)
    np.testing.assert_allclose(right, [-0.1828919, 0.1828919], atol=5e-8)
    np.testing.assert_allclose(wrong, [0.1551990, -0.1551990], atol=5e-8)
