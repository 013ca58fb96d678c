"""Arrays of another library: the strict one, which allows nothing but the array API standard."""

from __future__ import annotations

from importlib import import_module

import array_api_strict as xp
import numpy as np
import pytest

from kl_lib import effective_sample_size, k1, k2, k3, pareto_k
from kl_lib.extras import import_extra

TERMS = (k1, k2, k3)
DIAGNOSTICS = (effective_sample_size, pareto_k)
VALUES = np.concatenate([[-np.inf, -800, 1e-30, 0], -np.logspace(-9, 2, 23), np.logspace(-9, 1.9, 22)])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("estimator", TERMS)
def test_terms_are_those_of_numpy(estimator, dtype):
    values = VALUES.reshape(7, 7).astype(dtype)
    found = estimator(xp.asarray(values))
    assert found.dtype == getattr(xp, dtype)
    with np.errstate(over="ignore"):
        wanted = estimator(values.astype(np.float64)).astype(dtype)
    np.testing.assert_allclose(np.asarray(found), wanted, rtol=6 * np.finfo(dtype).eps, strict=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("function", DIAGNOSTICS)
def test_diagnostics_are_those_of_numpy(function, dtype, rng):
    values = (0.8 * rng.exponential(size=3000)).astype(dtype)
    values[::100] = -np.inf
    found = function(xp.asarray(values))
    assert found.dtype == getattr(xp, dtype)
    assert found.shape == ()
    assert float(found) == pytest.approx(
        float(function(values.astype(np.float64))), rel=300 * float(np.finfo(dtype).eps)
    )


@pytest.mark.parametrize("function", [*TERMS, *DIAGNOSTICS])
@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (
            xp.asarray([[0.0, xp.nan], [xp.inf, 0.0]]),
            ValueError,
            r"finite or -inf, got nan at index \(0, 1\)",
        ),
        (xp.asarray(xp.inf), ValueError, "finite or -inf, got inf$"),
        (xp.asarray([1, 2]), TypeError, "must be floating-point numbers, got .*int64 entries"),
        (xp.asarray([True]), TypeError, "got .*bool entries"),
    ],
)
def test_what_is_no_logarithm_is_refused(function, value, error, message):
    with pytest.raises(error, match=message):
        function(value)


def test_diagnostics_refuse_shapes_and_weights_of_0():
    with pytest.raises(ValueError, match=r"\(n,\) with n >= 25, got \(24,\)"):
        pareto_k(xp.zeros(24))
    with pytest.raises(ValueError, match=r"\(n,\) with n >= 1, got \(2, 2\)"):
        effective_sample_size(xp.zeros((2, 2)))
    with pytest.raises(ValueError, match="must not all be -inf"):
        effective_sample_size(xp.full(3, -xp.inf))
    with pytest.raises(ValueError, match="too many equal ones"):
        pareto_k(xp.zeros(30))


def test_a_library_that_is_missing_is_named_with_its_extra(monkeypatch):
    def import_nothing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr("kl_lib.extras.import_module", import_nothing)
    with pytest.raises(
        ModuleNotFoundError, match=r"log_ratio needs array_api_compat, .* \"kl_lib\[arrays\]\""
    ):
        k3(xp.zeros(3))
    assert k3(np.zeros(3)).shape == (3,)


def test_an_extra_that_is_there_is_imported():
    assert import_extra("joblib", "parallel", "this test") is import_module("joblib")
