"""What every divergence obeys, on what hypothesis makes up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose
from scipy import stats

from kl_lib import cross_entropy, entropy, kl_categorical, kl_divergence, kl_normal_cholesky

# On a grid, so that the square of a difference does not underflow.
locations = st.integers(-(10**8), 10**8).map(lambda k: k / 2**20)
scales = st.floats(1e-3, 1e3)
shapes = st.floats(1e-2, 1e4)
chances = st.floats(1e-9, 1 - 1e-9)
MEMBERS: dict[str, tuple[Callable[..., Any], tuple[st.SearchStrategy[float], ...]]] = {
    "norm": (stats.norm, (locations, scales)),
    "laplace": (stats.laplace, (locations, scales)),
    "expon": (stats.expon, (locations, scales)),
    "gamma": (lambda a, s: stats.gamma(a, scale=s), (shapes, scales)),
    "beta": (stats.beta, (shapes, shapes)),
    "bernoulli": (stats.bernoulli, (chances,)),
    "poisson": (stats.poisson, (shapes,)),
    "uniform": (stats.uniform, (locations, scales)),
}
every_member = pytest.mark.parametrize("name", MEMBERS)


def weights(*shape: int) -> st.SearchStrategy[Any]:
    """Probabilities over the last axis, zeros among them."""
    raw = hnp.arrays(float, shape, elements=st.one_of(st.just(0.0), st.floats(1e-6, 1.0)))
    return raw.map(_normalized)


def _normalized(x: Any) -> Any:
    x = x + (x.sum(axis=-1, keepdims=True) == 0)
    return x / x.sum(axis=-1, keepdims=True)


@every_member
@given(data=st.data())
def test_never_negative_and_0_only_at_equality(name: str, data: st.DataObject) -> None:
    build, strategies = MEMBERS[name]
    p = [data.draw(s) for s in strategies]
    if data.draw(st.booleans()):
        # The next float but a few is another distribution already.
        steps = data.draw(st.integers(0, 3))
        q = list(p)
        for _ in range(steps):
            q[-1] = float(np.nextafter(q[-1], 0.5))
    else:
        q = [data.draw(s) for s in strategies]
    value = kl_divergence(build(*p), build(*q))
    assert value >= 0
    # Ends of supports that rounding alone tells apart are the same.
    same = np.allclose(p, q, rtol=1e-15, atol=0) if name == "uniform" and value == 0 else p == q
    assert (value == 0) == same


@given(weights(5), weights(5))
def test_probabilities_never_negative(p: Any, q: Any) -> None:
    assert kl_categorical(p, q) >= 0
    assert kl_categorical(p, p) == 0


@given(weights(4), weights(4))
def test_pinsker(p: Any, q: Any) -> None:
    assert kl_categorical(p, q) >= 0.5 * np.abs(p - q).sum() ** 2 * (1 - 1e-12)


@given(weights(3), weights(3), weights(4), weights(4))
def test_additive_over_independent_parts(p: Any, q: Any, r: Any, s: Any) -> None:
    joint = kl_categorical(np.outer(p, r).ravel(), np.outer(q, s).ravel())
    assert_allclose(joint, kl_categorical(p, q) + kl_categorical(r, s), rtol=1e-11, atol=1e-28)


@given(hnp.arrays(float, (2, 3), elements=locations), hnp.arrays(float, (2, 3), elements=scales))
def test_normals_are_additive_over_coordinates(means: Any, spreads: Any) -> None:
    (mean_p, mean_q), (scale_p, scale_q) = means, spreads
    joint = kl_normal_cholesky(mean_p, np.diag(scale_p), mean_q, np.diag(scale_q))
    parts = kl_divergence(stats.norm(mean_p, scale_p), stats.norm(mean_q, scale_q))
    assert_allclose(joint, np.sum(parts), rtol=1e-13)


@given(weights(3), weights(3), weights(3, 4), weights(3, 4))
def test_chain_rule(first_p: Any, first_q: Any, then_p: Any, then_q: Any) -> None:
    joint = kl_categorical((first_p[:, None] * then_p).ravel(), (first_q[:, None] * then_q).ravel())
    conditional = kl_categorical(then_p, then_q)
    mean = np.sum(first_p[first_p > 0] * conditional[first_p > 0])
    assert_allclose(joint, kl_categorical(first_p, first_q) + mean, rtol=1e-11, atol=1e-28)


@given(weights(2, 4), weights(2, 4), st.floats(0, 1))
def test_jointly_convex(p: Any, q: Any, share: float) -> None:
    mixed = [share * x[0] + (1 - share) * x[1] for x in (p, q)]
    values = kl_categorical(p, q)
    parts = [part * value for part, value in zip((share, 1 - share), values, strict=True) if part > 0]
    assert kl_categorical(*mixed) <= sum(parts) * (1 + 1e-12) + 1e-28


@given(weights(4), weights(4), weights(4, 3))
def test_processing_never_adds_divergence(p: Any, q: Any, channel: Any) -> None:
    assert kl_categorical(p @ channel, q @ channel) <= kl_categorical(p, q) * (1 + 1e-9) + 1e-25


@given(locations, scales, locations, scales)
def test_rounding_to_cells_never_adds_divergence(m: float, s: float, n: float, t: float) -> None:
    p, q = stats.norm(m, s), stats.norm(n, t)
    edges = np.concatenate([[-np.inf], np.linspace(min(m, n), max(m, n) + 1, 7), [np.inf]])
    cells_p, cells_q = np.diff(p.cdf(edges)), np.diff(q.cdf(edges))
    assert np.all(cells_q >= 0)
    if np.all(cells_q[cells_p > 0] > 0):
        assert kl_categorical(cells_p, cells_q) <= kl_divergence(p, q) * (1 + 1e-9) + 1e-15


@given(st.permutations(range(5)), weights(5), weights(5))
def test_invariant_under_renaming_outcomes(order: list[int], p: Any, q: Any) -> None:
    assert_allclose(kl_categorical(p[order], q[order]), kl_categorical(p, q), rtol=1e-12, atol=1e-28)


@given(locations, scales, locations, scales, st.sampled_from([2.0**-20, 0.5, 4.0, 2.0**30]))
def test_invariant_under_a_change_of_unit(m: float, s: float, n: float, t: float, unit: float) -> None:
    for family in (stats.norm, stats.laplace, stats.expon):
        value = kl_divergence(family(m, s), family(n, t))
        assert kl_divergence(family(unit * m, unit * s), family(unit * n, unit * t)) == value


@settings(max_examples=10)
@given(st.floats(-2, 2), st.floats(0.2, 2), st.floats(-2, 2), st.floats(0.2, 2))
def test_invariant_under_the_exponential(m: float, s: float, n: float, t: float) -> None:
    value = kl_divergence(stats.lognorm(s, scale=np.exp(m)), stats.lognorm(t, scale=np.exp(n)))
    assert_allclose(value, kl_divergence(stats.norm(m, s), stats.norm(n, t)), rtol=1e-9, atol=1e-13)


@settings(max_examples=10)
@given(st.floats(0.5, 20), st.floats(0.1, 10), st.floats(0.5, 20), st.floats(0.1, 10))
def test_invariant_under_the_reciprocal(a: float, s: float, b: float, t: float) -> None:
    value = kl_divergence(stats.invgamma(a, scale=1 / s), stats.invgamma(b, scale=1 / t))
    assert_allclose(
        value, kl_divergence(stats.gamma(a, scale=s), stats.gamma(b, scale=t)), rtol=2e-9, atol=1e-13
    )


@given(st.integers(0, 2**32 - 1))
def test_normals_are_invariant_under_linear_maps(seed: int) -> None:
    rng = np.random.default_rng(seed)
    means, factors = rng.normal(size=(2, 3)), np.tril(rng.uniform(0.5, 1.5, size=(3, 3, 3)))
    value = kl_normal_cholesky(means[0], factors[0], means[1], factors[1])
    image = [factors[2] @ factors[i] for i in range(2)]
    shifted = [factors[2] @ means[i] for i in range(2)]
    assert_allclose(kl_normal_cholesky(shifted[0], image[0], shifted[1], image[1]), value, rtol=1e-9)


@given(weights(4), weights(4))
def test_cross_entropy_of_points(p: Any, q: Any) -> None:
    x = np.arange(4)
    first, second = (stats.rv_discrete(values=(x, w)) for w in (p, q))
    divergence = kl_divergence(first, second)
    assert_allclose(divergence, kl_categorical(p, q), rtol=1e-9, atol=1e-25)
    assert_allclose(cross_entropy(first, second), entropy(first) + divergence, rtol=1e-9, atol=1e-15)
