"""From logits to distributions: probabilities that round to 0 or 1, masked outcomes, rounded softmaxes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from oracles.logits import close, mp
from oracles.logits import softmax as mp_softmax
from oracles.logits import softmax_divergence as mp_divergence
from scipy import special, stats

from kl_lib import cross_entropy, entropy, fit_mle, kl_categorical, kl_divergence
from kl_lib.families import Bernoulli, Categorical, NormalMixture
from kl_lib.numerics import softmax_divergence

LOGITS = st.one_of(st.floats(-300, 300), st.floats(-1, 1), st.just(-np.inf))


@st.composite
def pairs_of_logits(draw: Any) -> tuple[np.ndarray, np.ndarray]:
    """Two vectors of logits: unrelated, or apart by a constant and by a little."""
    k = draw(st.integers(1, 6))
    x = draw(hnp.arrays(float, k, elements=LOGITS).filter(lambda x: x.max() > -np.inf))
    y = draw(hnp.arrays(float, k, elements=LOGITS).filter(lambda y: y.max() > -np.inf))
    if draw(st.booleans()):
        small = draw(hnp.arrays(float, k, elements=st.floats(-1, 1)))
        y = x + draw(st.sampled_from([0.0, 1.0, -700.0])) + small * 10.0 ** draw(st.integers(-14, 1))
    return x, y


@given(pair=pairs_of_logits())
def test_the_divergence_of_logits_to_the_last_digits(pair: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = pair
    reference = mp_divergence(x, y)
    assert close(kl_categorical(x, y, logits=True), reference)
    assert kl_categorical(x, x, logits=True) == 0
    if len(x) > 1:
        family = Categorical(len(x))
        assert close(kl_divergence(family.at(x), family.at(y)), reference)


@given(x=hnp.arrays(float, 4, elements=LOGITS).filter(lambda x: x.max() > -np.inf))
def test_a_categorical_to_the_last_digits(x: np.ndarray) -> None:
    family, p = Categorical(4), mp_softmax(x)
    possible = np.flatnonzero(x > -np.inf)
    log_p = [mp.log(p[i]) for i in possible]
    assert all(map(close, family.log_prob(x, possible), log_p))
    assert all(map(close, family.at(x).logpmf(possible), log_p))
    assert np.all(family.log_prob(x, np.setdiff1d(np.arange(4), possible)) == -np.inf)
    h = -mp.fsum(p[i] * log for i, log in zip(possible, log_p, strict=True))
    for value in (family.entropy(x), family.at(x).entropy(), entropy(family.at(x))):
        assert close(value, h)
    for i, row in zip(possible, family.score(x, possible), strict=True):
        assert all(close(row[j], (1 if i == j else 0) - p[j]) for j in range(4))


@given(a=st.floats(-300, 300), b=st.floats(-300, 300), near=st.booleans())
def test_a_coin_to_the_last_digits(a: float, b: float, near: bool) -> None:
    b = a + 1e-9 * b if near else b
    p, q = Bernoulli().at([a]), Bernoulli().at([b])
    reference = mp_divergence([0, a], [0, b])
    for value in (
        kl_divergence(p, q),
        kl_divergence(p, q, method="closed"),
        kl_categorical([0, a], [0, b], logits=True),
        kl_divergence(Categorical(2).at([0, a]), Categorical(2).at([0, b])),
    ):
        assert close(value, reference)
    chances = mp_softmax([0, a])
    assert all(map(close, p.logpmf([0, 1]), map(mp.log, chances)))
    assert all(map(close, p.pmf([0, 1]), chances))
    assert close(entropy(p), -mp.fsum(x * mp.log(x) for x in chances))


def test_the_reported_coins() -> None:
    value = kl_divergence(Bernoulli().at([20.0]), Bernoulli().at([-20.0]))
    assert value == pytest.approx(20 * np.tanh(10), rel=1e-15)


@pytest.mark.parametrize("logit", [-800.0, -40.0, 0.3, 40.0, 800.0])
def test_a_coin_from_a_logit_against_what_is_written_otherwise(logit: float) -> None:
    coin, fair = Bernoulli().at([logit]), stats.bernoulli(0.5)
    forward = mp_divergence([0, 0], [0, logit])
    others = [fair, stats.binom(1, 0.5), stats.rv_discrete(values=([0, 1], [0.5, 0.5]))()]
    others += [Categorical(2).at([3.0, 3.0]), stats.Binomial(n=1, p=0.5)]
    for other in others:
        assert close(kl_divergence(other, coin), forward, 1e-9)
        assert close(kl_divergence(coin, other), mp_divergence([0, logit], [0, 0]), 1e-9)
    assert close(cross_entropy(fair, coin), forward + mp.log(2), 1e-9)
    arrays = kl_divergence(stats.bernoulli([0.0, 0.5, 1.0]), coin)
    expected = [mp_divergence(x, [0, logit]) for x in ([0, -np.inf], [0, 0], [-np.inf, 0])]
    assert all(map(close, arrays, expected))
    assert kl_divergence(coin, stats.bernoulli([0.0, 1.0])).tolist() == [np.inf, np.inf]


def test_outcomes_beside_those_of_a_coin_have_no_probability() -> None:
    coin = Bernoulli().at([40.0])
    assert coin.logpmf([-1, 0.5, 2]).tolist() == [-np.inf] * 3
    assert coin.pmf([-1, 0.5, 2]).tolist() == [0.0] * 3
    assert kl_divergence(coin, stats.bernoulli(0.5, loc=1)) == np.inf


def test_masked_outcomes(rng: np.random.Generator) -> None:
    family, theta = Categorical(3), np.array([1.0, -np.inf, 2.0])
    assert not np.any(family.sample(theta, 1000, rng=rng) == 1)
    assert family.centred(theta).tolist() == [-0.5, -np.inf, 0.5]
    assert family.admits(theta)
    assert not family.admits(np.full(3, -np.inf))
    assert not family.admits(np.array([np.inf, 0.0, 0.0]))
    assert kl_divergence(family.at(theta), family.at([1.0, 5.0, 2.0])) > 0
    assert kl_divergence(family.at([1.0, 5.0, 2.0]), family.at(theta)) == np.inf
    table = stats.rv_discrete(values=([0, 1, 2], special.softmax(theta)))()
    assert kl_divergence(table, family.at(theta)) == pytest.approx(0, abs=1e-30)
    mixture = NormalMixture(2)
    x, one = np.linspace(-3, 3, 5), [-np.inf, 1.0, 0.0, 1.0, 0.0, 0.3]
    assert mixture.log_prob(one, x) == pytest.approx(stats.norm.logpdf(x, 1, np.exp(0.3)))
    assert np.all(mixture.score(one, x)[:, [0, 2, 4]] == 0)


def test_logits_too_far_apart_for_floats() -> None:
    far = [1e308, -1e308]
    assert Categorical(2).entropy(far) == 0
    assert Categorical(2).log_prob(far, [0]) == 0
    assert kl_categorical(far, far, logits=True) == 0


@pytest.mark.parametrize("outcomes", [[True, False], [1.0, 0.0], np.array([1, 0], dtype=np.int8)])
def test_outcomes_are_what_equals_an_integer(outcomes: Any) -> None:
    assert Bernoulli().log_prob([2.0], outcomes).tolist() == Bernoulli().log_prob([2.0], [1, 0]).tolist()


def test_logits_along_an_axis_broadcast(rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(3, 1, 4)), rng.normal(size=(5, 4))
    value = kl_categorical(x, y, logits=True)
    assert value.shape == (3, 5)
    assert value[2, 4] == softmax_divergence(x[2, 0], y[4])
    assert np.array_equal(
        kl_categorical(np.moveaxis(x, -1, 0), np.moveaxis(y, -1, 0)[:, None], axis=0, logits=True), value
    )
    assert value == pytest.approx(kl_categorical(special.softmax(x, axis=-1), special.softmax(y, axis=-1)))
    assert value == pytest.approx(kl_categorical(special.log_softmax(x, axis=-1), y, logits=True), rel=1e-13)


def test_coins_are_added_at_many_locations() -> None:
    sums, draws = stats.poisson_binom([0.3, 0.3, 0.3], loc=[0, 1]), stats.binom(3, 0.4, loc=[0, 1])
    expected = kl_divergence(stats.binom(3, 0.3), stats.binom(3, 0.4))
    assert kl_divergence(sums, draws) == pytest.approx([expected] * 2, rel=1e-9)


def test_data_of_booleans_and_of_floats_are_fitted() -> None:
    theta = fit_mle(Bernoulli(), [1, 0, 1]).theta
    for x in ([True, False, True], [1.0, 0.0, 1.0]):
        assert fit_mle(Bernoulli(), x).theta == theta


# Probabilities rounded to few digits.


def to_bfloat16(x: np.ndarray) -> np.ndarray:
    """Round float32 to the upper half of its bits, to even."""
    bits = x.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)


def one_by_one(logits: np.ndarray) -> np.ndarray:
    """Return the softmax in single precision, summed in order."""
    powers = np.exp(logits.astype(np.float32) - np.float32(logits.max()))
    return powers / np.cumsum(powers, dtype=np.float32)[-1]


@pytest.mark.parametrize("k", [2, 3, 10, 1000, 32_000, 128_256])
@pytest.mark.parametrize("spread", [0.0, 1e-3, 1.0, 3.0, 10.0])
def test_softmaxes_of_every_precision_and_length_are_taken(
    k: int, spread: float, rng: np.random.Generator
) -> None:
    logits = spread * rng.normal(size=(2, k))
    exact = special.softmax(logits, axis=-1)
    single = np.stack([one_by_one(row) for row in logits])
    for p, q in (exact, single, exact.astype(np.float16), to_bfloat16(exact)):
        value = kl_categorical(p, q)
        wide = [side.astype(np.float64) / side.astype(np.float64).sum() for side in (p, q)]
        assert value == pytest.approx(kl_categorical(*wide), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(np.float64, 1e-9), (np.float32, 1e-5 + 3 * 2.0**-24), (np.float16, 2.0**-9)]
)
def test_how_far_from_1_probabilities_may_sum(dtype: Any, tolerance: float) -> None:
    p = np.array([0.1, 0.2, 0.7])
    inside, outside = (np.array(p * (1 + factor * tolerance), dtype=dtype) for factor in (0.75, 1.35))
    assert kl_categorical(inside, p) < tolerance
    with pytest.raises(ValueError, match="p must sum to 1 within"):
        kl_categorical(outside, p)
    # Some that are rounded to bfloat16 may miss more than those that are not.
    loose, off = np.array([0.25, 0.75 + 2.0**-8], dtype=np.float32), [0.25, 0.75 + 2.0**-6]
    assert kl_categorical(loose, [0.25, 0.75]) < 1e-4
    for refused in (np.array(off, dtype=np.float32), loose * np.float32(1 + 1e-4), loose.astype(np.float64)):
        with pytest.raises(ValueError, match="p must sum to 1 within"):
            kl_categorical(refused, [0.25, 0.75])


# Tables of points.


def test_points_merged_by_a_location() -> None:
    p = stats.rv_discrete(values=([0, 1e-17, 1], [0.25, 0.25, 0.5]))
    q = stats.rv_discrete(values=([1, 2], [0.25, 0.75]))
    assert kl_divergence(p(loc=1), q()) == pytest.approx(kl_categorical([0.5, 0.5], [0.25, 0.75]), rel=1e-15)
    there = stats.rv_discrete(values=([0, 1], [0.25, 0.75]))
    assert kl_divergence(p(), there()) == np.inf


@given(
    points=st.lists(st.integers(-50, 50), min_size=1, max_size=6, unique=True),
    step=st.sampled_from([0.1, 1 / 3, 1e-5, 7e11, 1.0]),
    loc=st.floats(-30, 30),
    data=st.data(),
)
def test_points_that_differ_by_rounding_are_one(
    points: list[int], step: float, loc: float, data: Any
) -> None:
    xk = step * np.array(points)
    weights = hnp.arrays(float, len(points), elements=st.floats(0.1, 1))
    p, q = (values / values.sum() for values in (data.draw(weights), data.draw(weights)))
    first, second = stats.rv_discrete(values=(xk, p)), stats.rv_discrete(values=(xk + step * loc, q))
    value = kl_divergence(first(loc=step * loc), second())
    assert value == pytest.approx(kl_categorical(p, q), rel=1e-13, abs=1e-30)
    apart = stats.rv_discrete(values=(xk + step * (loc + 1e-9), q))
    assert kl_divergence(first(loc=step * loc), apart()) == np.inf


def test_nothing_to_draw() -> None:
    for other in (0.5, 0.0, 1.0):
        assert kl_divergence(stats.binom(0, 0.3), stats.binom(0, other)) == 0
        p, q = stats.multinomial(0, [0.3, 0.7]), stats.multinomial(0, [other, 1 - other])
        assert kl_divergence(p, q) == 0
