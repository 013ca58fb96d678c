"""Registering closed forms, and how distributions are named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from scipy import stats

from kl_lib import cross_entropy, entropy, kl_divergence, register_kl
from kl_lib.divergence import registry


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    before = dict(registry._CLOSED_FORMS)
    yield
    registry._CLOSED_FORMS.clear()
    registry._CLOSED_FORMS.update(before)


def test_a_registered_function_is_used_and_returned() -> None:
    @register_kl("rayleigh", "expon")
    def kl(p: Any, q: Any) -> Any:
        return p.scale / q.scale

    assert kl_divergence(stats.rayleigh(scale=[1, 2]), stats.expon()).tolist() == [1.0, 2.0]
    assert kl.__name__ == "kl"
    assert kl_divergence(stats.expon(), stats.rayleigh()) == pytest.approx(np.euler_gamma, rel=1e-9)


def test_a_function_sees_the_shape_parameters_by_name() -> None:
    @register_kl("beta", "norm")
    def kl(p: Any, q: Any) -> Any:
        with pytest.raises(AttributeError, match="no parameter 'mu'; there are a, b, loc, scale"):
            _ = p.mu
        return p.a + 10 * p.b + 100 * q.loc

    assert kl_divergence(stats.beta(2, b=3), stats.norm(4)) == 432.0


def test_entries_that_do_not_share_a_parameter_are_integrated_and_only_they() -> None:
    calls = []

    @register_kl("maxwell", "rayleigh", equal=("loc",))
    def kl(p: Any, _q: Any) -> Any:
        calls.append(p.scale)
        return np.full(p.scale.shape, 7.0)

    p, q = stats.maxwell(scale=[1, 2, 3, 4]), stats.rayleigh(loc=[0, -1, 0, 1])
    value = kl_divergence(p, q)
    assert value[[0, 2]].tolist() == [7.0, 7.0]
    assert value[1] == kl_divergence(stats.maxwell(scale=2), stats.rayleigh(-1))
    assert value[3] == np.inf
    assert calls[0].tolist() == [1.0, 3.0]
    assert cross_entropy(p, q)[0] == 7.0 + entropy(stats.maxwell())
    with pytest.raises(NotImplementedError, match="D\\(maxwell‖rayleigh\\) covers these parameters"):
        kl_divergence(p, q, method="closed")


def test_many_entries_of_which_the_formula_covers_some_are_taken_in_blocks() -> None:
    register_kl("maxwell", "rayleigh", equal=("loc",))(lambda p, q: p.scale - q.scale)
    scale = np.arange(1.0, 40_001.0)
    loc = np.zeros(40_000)
    loc[[5, 39_999]] = 1.0
    value = kl_divergence(stats.maxwell(scale=scale), stats.rayleigh(loc=loc))
    assert np.flatnonzero(np.isinf(value)).tolist() == [5, 39_999]
    assert np.array_equal(np.delete(value, [5, 39_999]), np.delete(scale - 1, [5, 39_999]))


def test_what_is_shared_is_named_by_strings() -> None:
    with pytest.raises(
        TypeError, match="equal must be the names of parameters, such as \\('loc',\\), got 'loc'"
    ):
        register_kl("maxwell", "rayleigh", equal="loc")


def test_a_pair_is_registered_once() -> None:
    with pytest.raises(ValueError, match="'norm' and 'norm' have a closed form already"):
        register_kl("norm", "norm")


@pytest.mark.parametrize("name", [stats.norm, "", None])
def test_a_name_is_a_string(name: Any) -> None:
    with pytest.raises(TypeError, match="name_q must be the name of a distribution"):
        register_kl("norm", name)


class Tilted(stats.rv_continuous):
    """Density 2x on [0, 1], under the name of another distribution."""

    def _pdf(self, x: Any) -> Any:
        return 2 * x


def test_a_borrowed_name_does_not_borrow_the_closed_form() -> None:
    impostor = Tilted(a=0, b=1, name="uniform")
    assert kl_divergence(impostor, stats.uniform()) == pytest.approx(np.log(2) - 0.5, rel=1e-9)
    with pytest.raises(NotImplementedError, match="D\\(Tilted‖uniform\\)"):
        kl_divergence(impostor, stats.uniform(), method="closed")


def test_a_distribution_of_ones_own_is_registered_under_its_own_name() -> None:
    register_kl("tilted", "uniform")(lambda *_: np.array(0.25))
    assert kl_divergence(Tilted(a=0, b=1, name="tilted"), stats.uniform()) == 0.25


def test_a_generator_without_shapes_stands_for_its_standard_member() -> None:
    assert kl_divergence(stats.norm, stats.norm(0, 2)) == kl_divergence(stats.norm(), stats.norm(0, 2))


class Foreign:
    """A density of somebody else's."""

    def rvs(self, size: int) -> Any:
        return np.zeros(size)

    def logpdf(self, x: Any) -> Any:
        return np.zeros_like(x)


@pytest.mark.parametrize("other", [stats.norm(), stats.multivariate_normal([0, 0]), Foreign()])
def test_an_object_with_samples_and_log_densities_is_left_to_simulation(other: Any) -> None:
    for p, q in ((Foreign(), other), (other, Foreign())):
        for function in (kl_divergence, cross_entropy):
            with pytest.raises(NotImplementedError, match=r"kl_monte_carlo\(p, q, n, rng=rng\)"):
                function(p, q)
    with pytest.raises(NotImplementedError, match="no formula is known for the entropy of Foreign"):
        entropy(Foreign())


def test_an_object_of_a_foreign_class_is_registered_under_the_name_of_its_class() -> None:
    register_kl("Foreign", "norm")(lambda *_: np.array(0.5))
    assert kl_divergence(Foreign(), stats.norm()) == 0.5
