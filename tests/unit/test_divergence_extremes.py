"""Closed forms at the ends of the range of floats: a right number or an error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from oracles.entropies import kl_beta, mp
from scipy import stats

from kl_lib import kl_divergence, kl_normal_cholesky, kl_normal_covariance, register_kl
from kl_lib.divergence import registry

exponents = st.floats(-307, 307.9)


def is_right_or_refused(p: Any, q: Any, exact: Any) -> bool:
    try:
        value = kl_divergence(p, q)
    except ArithmeticError:
        return False
    largest = float(np.finfo(np.float64).max)
    assert value == np.inf if exact > largest else abs(value - exact) <= 1e-14 * exact
    return True


@given(shapes=st.tuples(exponents, exponents, exponents, exponents), step=st.floats(-12, 0) | st.none())
def test_beta_of_any_shapes(shapes: tuple[float, ...], step: float | None) -> None:
    a, b, c, d = (10.0**k for k in shapes)
    if step is not None:
        c, d = a * (1 + 0.5 * 10.0**step), b * (1 - 0.25 * 10.0**step)
    is_right_or_refused(stats.beta(a, b), stats.beta(c, d), kl_beta(a, b, c, d))


@given(shapes=st.tuples(*[st.floats(-70, 70)] * 4))
def test_beta_of_shapes_well_inside_the_range_is_not_refused(shapes: tuple[float, ...]) -> None:
    a, b, c, d = (10.0**k for k in shapes)
    exact = kl_beta(a, b, c, d)
    assert is_right_or_refused(stats.beta(a, b), stats.beta(c, d), exact)
    assert is_right_or_refused(stats.dirichlet([a, b]), stats.dirichlet([c, d]), exact)


def test_entries_of_an_array_that_are_not_known() -> None:
    with pytest.raises(ArithmeticError, match=r"D\(beta‖beta\) gives nan for the parameters at index \(1,\)"):
        kl_divergence(stats.beta([1.0, 1e308], 1e30), stats.beta(2.0, 1e30))
    with pytest.raises(ArithmeticError, match=r"D\(dirichlet‖dirichlet\) gives nan .* at index \(\)"):
        kl_divergence(stats.dirichlet([1e308, 1e307]), stats.dirichlet([1.0, 1.0]))


def test_any_formula_that_gives_nan_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_CLOSED_FORMS", {})
    register_kl("expon", "expon")(lambda p, q: np.log(p.scale - q.scale))
    p, q = stats.expon(scale=[3.0, 1.0]), stats.expon(scale=2.0)
    with pytest.raises(ArithmeticError, match=r"D\(expon‖expon\) gives nan .* index \(1,\); method='quad"):
        kl_divergence(p, q)
    assert np.all(kl_divergence(p, q, method="quadrature") > 0)


LARGE = 1e308


@pytest.mark.parametrize(
    ("p", "q", "expected"),
    [
        (stats.beta(1, 1e154), stats.beta(2, 1e154), 0.577215664901532861),
        (stats.beta(1, 1e270), stats.beta(2, 1e270), 0.577215664901532861),
        (stats.geom(1e-300), stats.geom(1e-300 * (1 + 1e-9)), 5.000001314524877e-19),
        (stats.nbinom(3, 1e-300), stats.nbinom(3, 1e-300 * (1 + 1e-9)), 3 * 5.000001314524877e-19),
        (stats.norm(LARGE, LARGE), stats.norm(-LARGE, LARGE), 2.0),
        (stats.norm([LARGE, 0], 1), stats.norm([-LARGE, 2], 1), [np.inf, 2.0]),
        (stats.expon(LARGE, LARGE), stats.expon(-LARGE, LARGE), 2.0),
        (stats.halfnorm(LARGE, LARGE), stats.halfnorm(-LARGE, LARGE), 2 + 2 * np.sqrt(2 / np.pi)),
        (stats.laplace(LARGE, LARGE), stats.laplace(-LARGE, LARGE), 1 + np.exp(-2)),
        (stats.cauchy(LARGE, LARGE), stats.cauchy(-LARGE, LARGE), np.log(2)),
    ],
)
def test_products_and_differences_at_the_ends_of_the_range(p: Any, q: Any, expected: Any) -> None:
    assert_allclose(kl_divergence(p, q), expected, rtol=1e-14)


@given(exponent=st.floats(-300, 0), step=st.floats(-12, -1), trials=st.floats(0, 300))
def test_rare_successes(exponent: float, step: float, trials: float) -> None:
    p, n = 10.0**exponent, np.floor(10.0**trials)
    q = p * (1 - 10.0**step)
    x, y = mp.mpf(p), mp.mpf(q)
    rest = (1 - x) * mp.log((1 - x) / (1 - y)) if p < 1 else mp.mpf(0)
    per_success = mp.log(x / y) + rest / x
    for build, factor in (
        (stats.geom, mp.mpf(1)),
        (lambda chance: stats.nbinom(7.5, chance), mp.mpf(7.5)),
        (lambda chance: stats.binom(n, chance), n * x),
    ):
        exact = factor * per_success
        value = kl_divergence(build(p), build(q))
        assert abs(value - exact) <= 1e-14 * exact + mp.mpf(1e-320)


@given(kappa=st.floats(-3, 3), loc=st.floats(-1e12, 1e12), other=st.floats(-1e3, 1e3))
def test_angles_of_many_turns(kappa: float, loc: float, other: float) -> None:
    k, angle = mp.mpf(10.0**kappa), mp.mpf(loc) - mp.mpf(other)
    with mp.workdps(60):
        exact = k * mp.hyp0f1(2, k**2 / 4) * k / 2 / mp.hyp0f1(1, k**2 / 4) * 2 * mp.sin(angle / 2) ** 2
    value = kl_divergence(stats.vonmises(10.0**kappa, loc=loc), stats.vonmises(10.0**kappa, loc=other))
    assert abs(value - exact) <= 1e-14 * exact + 1e-30


@given(a=st.floats(-3, 12), ratio=st.floats(0.2, 5), scale=st.floats(0.5, 2))
def test_gamma_where_its_methods_meet(a: float, ratio: float, scale: float) -> None:
    x, s = 10.0**a, 1 / scale
    y = x * ratio
    with mp.workdps(60):
        p, q, t = mp.mpf(x), mp.mpf(y), mp.mpf(s)
        exact = mp.loggamma(q) - mp.loggamma(p) + (p - q) * mp.psi(0, p) - q * mp.log(t) + p * (t - 1)
    value = kl_divergence(stats.gamma(x, scale=s), stats.gamma(y))
    assert abs(value - exact) <= 1e-14 * exact


@pytest.mark.parametrize("small", [1e-200, 1e-300])
def test_normals_whose_divergence_overflows(small: float) -> None:
    wide, narrow = np.diag([1e300, 1.0, 1e300]), np.diag([small, 1.0, small])
    zero = np.zeros(3)
    assert kl_normal_covariance(zero, wide, zero, narrow) == np.inf
    assert kl_normal_cholesky(zero, np.sqrt(wide), zero, np.sqrt(narrow)) == np.inf
    assert kl_normal_cholesky(wide[0], np.eye(3), zero, np.sqrt(narrow)) == np.inf
    round_p, round_q = (stats.multivariate_normal(zero, size * np.eye(3)) for size in (1e300, small))
    assert kl_divergence(round_p, round_q) == np.inf
    # The other way it is tr T − 3 − log det T, where T is next to nothing.
    back = kl_normal_covariance(zero, narrow, zero, wide)
    assert back == pytest.approx(np.log(1e300) - np.log(small) - 1, rel=1e-14)
