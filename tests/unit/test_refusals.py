"""What the divergences refuse: every message names the argument, the value and what would be right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from kl_lib import (
    cross_entropy,
    elbo,
    entropy,
    expectation,
    families,
    fit_mle,
    kl_categorical,
    kl_divergence,
    kl_normal_cholesky,
    kl_normal_covariance,
    register_kl,
)
from kl_lib.divergence.registry import registered_pairs

RNG = np.random.default_rng(0)
NORMAL = stats.norm()
POINTS = [0.5, 0.5]
MASKED = np.ma.array([0.0, 1.0], mask=[False, True])
EYE = np.eye(2)
ZERO = np.zeros(2)
PLANE = stats.multivariate_normal(ZERO, EYE)


REFUSED: list[tuple[str, Callable[[], Any], type[Exception], str]] = [
    # Not distributions, or not on one space.
    ("number", lambda: kl_divergence(3.0, NORMAL), TypeError, r"p must be a frozen .* got 3\.0"),
    ("array", lambda: kl_divergence(NORMAL, POINTS), TypeError, r"q must be a frozen .* got \[0\.5, 0\.5\]"),
    ("none", lambda: entropy(None), TypeError, "p must be a frozen .* got None"),
    ("name", lambda: cross_entropy(NORMAL, "norm"), TypeError, "q must be a frozen .* got 'norm'"),
    (
        "generator",
        lambda: kl_divergence(stats.gamma, NORMAL),
        TypeError,
        r"p must be frozen .* stats\.gamma\(a\)",
    ),
    ("newer class", lambda: kl_divergence(NORMAL, stats.Normal), TypeError, "q must be a frozen"),
    ("kinds", lambda: kl_divergence(NORMAL, stats.poisson(2)), TypeError, "p continuous and q discrete"),
    (
        "kinds, cross",
        lambda: cross_entropy(stats.poisson(2), NORMAL),
        TypeError,
        "p discrete and q continuous",
    ),
    ("plane and line", lambda: kl_divergence(PLANE, NORMAL), TypeError, "p multivariate and q continuous"),
    (
        "dimensions",
        lambda: kl_divergence(PLANE, stats.multivariate_normal(np.zeros(3), np.eye(3))),
        ValueError,
        "the same dimension, got 2 and 3",
    ),
    (
        "outcomes",
        lambda: kl_divergence(stats.multinomial(2, POINTS), stats.multinomial(2, [0.2, 0.3, 0.5])),
        ValueError,
        "the same dimension, got 2 and 3",
    ),
    (
        "broadcast",
        lambda: kl_divergence(stats.norm([0, 1]), stats.norm([0, 1, 2])),
        ValueError,
        r"must broadcast, got shapes \(2,\) and \(3,\)",
    ),
    # Parameters that SciPy keeps silently.
    (
        "scale 0",
        lambda: kl_divergence(stats.norm(0, 0), NORMAL),
        ValueError,
        r"scale of p must be positive, got 0\.0",
    ),
    ("scale < 0", lambda: kl_divergence(NORMAL, stats.norm(0, -2)), ValueError, r"scale of q .* got -2\.0"),
    (
        "scale nan",
        lambda: kl_divergence(stats.norm(0, np.nan), NORMAL),
        ValueError,
        "scale of p must be finite, got nan",
    ),
    (
        "scale inf",
        lambda: kl_divergence(stats.norm(0, np.inf), NORMAL),
        ValueError,
        "scale of p must be finite, got inf",
    ),
    ("loc nan", lambda: entropy(stats.norm(np.nan)), ValueError, "loc of p must be finite, got nan"),
    ("loc inf", lambda: entropy(stats.expon(-np.inf)), ValueError, "loc of p must be finite, got -inf"),
    (
        "one of many scales",
        lambda: entropy(stats.norm(0, [1, 2, -3])),
        ValueError,
        r"scale of p must be positive, got -3\.0 at index \(2,\)",
    ),
    ("shape a", lambda: kl_divergence(stats.gamma(-1), stats.gamma(1)), ValueError, r"a of p = -1\.0"),
    (
        "shape inf",
        lambda: kl_divergence(stats.gamma(np.inf), stats.gamma(1)),
        ValueError,
        "a of p must be finite, got inf",
    ),
    (
        "shape nan",
        lambda: kl_divergence(stats.beta(1, 2), stats.beta(1, np.nan)),
        ValueError,
        "b of q .* got nan",
    ),
    ("bound nan", lambda: entropy(stats.truncnorm(np.nan, 1)), ValueError, "a of p must be finite, got nan"),
    ("second shape", lambda: kl_divergence(stats.beta(1, 0), stats.beta(1, 1)), ValueError, r"b of p = 0\.0"),
    (
        "chance",
        lambda: entropy(stats.bernoulli(1.5)),
        ValueError,
        r"inside the domain of stats\.bernoulli.*p of p = 1\.5",
    ),
    ("rate", lambda: kl_divergence(stats.poisson([1, -2]), stats.poisson(1)), ValueError, r"mu of p = -2\.0"),
    (
        "newer scale",
        lambda: kl_divergence(stats.Normal(mu=0.0, sigma=-1.0), NORMAL),
        ValueError,
        "p must have finite parameters inside their domain, got Normal",
    ),
    (
        "newer mean",
        lambda: entropy(stats.Normal(mu=np.array([0.0, np.nan]), sigma=1.0)),
        ValueError,
        "p must have finite parameters",
    ),
    (
        "component",
        lambda: entropy(stats.Mixture([stats.Normal(), stats.Uniform(a=1.0, b=0.0)])),
        ValueError,
        "p must have finite parameters",
    ),
    (
        "mean of a plane",
        lambda: entropy(stats.multivariate_normal([0, np.nan], EYE)),
        ValueError,
        r"mean of p must be finite, got nan at index \(1,\)",
    ),
    (
        "multinomial",
        lambda: kl_divergence(stats.multinomial(3, [1.25, -0.25]), stats.multinomial(3, POINTS)),
        ValueError,
        "p must have n >= 0 and probabilities that sum to 1, got n = 3",
    ),
    (
        "multinomial draws",
        lambda: kl_divergence(stats.multinomial(3, POINTS), stats.multinomial(-1, POINTS)),
        ValueError,
        "q must have n >= 0 and probabilities that sum to 1, got n = -1",
    ),
    (
        "dirichlet",
        lambda: kl_divergence(stats.dirichlet([1.0, np.nan]), stats.dirichlet([1.0, 2.0])),
        ValueError,
        r"alpha of p must be finite, got nan at index \(1,\)",
    ),
    (
        "dirichlet inf",
        lambda: kl_divergence(stats.dirichlet([1.0, 2.0]), stats.dirichlet([np.inf, 2.0])),
        ValueError,
        r"alpha of q must be finite, got inf at index \(0,\)",
    ),
    (
        "dirichlet shares",
        lambda: kl_divergence(stats.dirichlet([1.0, 2.0]), stats.dirichlet([1.0, 2.0, 3.0])),
        ValueError,
        "the same dimension, got 2 and 3",
    ),
    (
        "points at nan",
        lambda: kl_divergence(stats.rv_discrete(values=([0, 1], POINTS))(loc=np.nan), stats.poisson(2)),
        ValueError,
        "loc of p must be finite, got nan",
    ),
    # Methods.
    (
        "method",
        lambda: kl_divergence(NORMAL, NORMAL, method="exact"),
        ValueError,
        "method must be one of .* got 'exact'",
    ),
    (
        "method none",
        lambda: kl_divergence(NORMAL, NORMAL, method=None),
        ValueError,
        "method must be one of .* got None",
    ),
    (
        "no closed form",
        lambda: kl_divergence(NORMAL, stats.cauchy(), method="closed"),
        NotImplementedError,
        r"no closed form of D\(norm‖cauchy\)",
    ),
    (
        "nothing exact",
        lambda: kl_divergence(stats.multivariate_t(ZERO, EYE), PLANE),
        NotImplementedError,
        r"p = multivariate_t of dimension 2 and q = multivariate_normal.*kl_monte_carlo\(p, q, n, rng=rng\)",
    ),
    (
        "no quadrature",
        lambda: kl_divergence(PLANE, PLANE, method="quadrature"),
        NotImplementedError,
        "method='quadrature' is for univariate",
    ),
    ("divergent", lambda: kl_divergence(stats.cauchy(), NORMAL), ArithmeticError, "p = cauchy and q = norm"),
    # Probabilities in arrays.
    (
        "sum of p",
        lambda: kl_categorical([0.5, 0.4], POINTS),
        ValueError,
        r"p must sum to 1 within 1e-09, got 0\.9; divide it by its sum",
    ),
    (
        "sum of q",
        lambda: kl_categorical(POINTS, [0.5, 0.5 + 1e-8]),
        ValueError,
        r"q must sum to 1 within 1e-09, got 1\.0",
    ),
    (
        "negative",
        lambda: kl_categorical([1.5, -0.5], POINTS),
        ValueError,
        r"p must not be negative, got -0\.5; logits need logits=True",
    ),
    (
        "nan",
        lambda: kl_categorical(POINTS, [0.5, np.nan]),
        ValueError,
        r"q must be finite, got nan at index \(1,\)",
    ),
    (
        "scalar",
        lambda: kl_categorical(1.0, [1.0]),
        ValueError,
        r"p must be an array of probabilities, got 1\.0",
    ),
    (
        "words",
        lambda: kl_categorical(["a", "b"], POINTS),
        TypeError,
        "p must be a number or an array of numbers",
    ),
    ("lengths", lambda: kl_categorical(POINTS, [0.2, 0.3, 0.5]), ValueError, r"got shapes \(2,\) and \(3,\)"),
    (
        "one outcome",
        lambda: kl_categorical([1.0], POINTS),
        ValueError,
        r"p must sum to 1 within 1e-09, got 2\.0",
    ),
    ("empty", lambda: kl_categorical([], []), ValueError, r"p must sum to 1 within 1e-09, got 0\.0"),
    ("axis", lambda: kl_categorical(POINTS, POINTS, axis=1), ValueError, "axis 1 is out of bounds"),
    ("axis -2", lambda: kl_categorical(POINTS, POINTS, axis=-2), ValueError, "axis must be an integer >= -1"),
    ("axis ½", lambda: kl_categorical(POINTS, POINTS, axis=0.5), TypeError, "axis must be an integer"),
    ("masked p", lambda: kl_categorical(MASKED, POINTS), ValueError, "p must have no masked entries"),
    (
        "masked loc",
        lambda: kl_divergence(stats.norm(MASKED), NORMAL),
        ValueError,
        "loc of p must have no masked",
    ),
    ("masked x", lambda: fit_mle(families.Normal(), MASKED), ValueError, "x must have no masked entries"),
    ("masked outcomes", lambda: fit_mle(families.Bernoulli(), MASKED), ValueError, "x must have no masked"),
    (
        "logit inf",
        lambda: kl_categorical([0.0, np.inf], POINTS, logits=True),
        ValueError,
        r"p must be finite, got inf at index \(1,\)",
    ),
    (
        "no logit",
        lambda: kl_categorical(np.zeros((2, 2)), [[0.0, 1.0], [-np.inf, -np.inf]], logits=True),
        ValueError,
        "q must have a logit above -inf for each distribution, got none",
    ),
    (
        "scalar logit",
        lambda: kl_categorical(0.0, [1.0], logits=True),
        ValueError,
        r"p must be an array of logits, got 0\.0",
    ),
    (
        "logits",
        lambda: kl_categorical(POINTS, POINTS, logits=[0.0]),
        TypeError,
        r"logits must be True or False, got \[0\.0\]",
    ),
    # Cholesky factors.
    (
        "not square",
        lambda: kl_normal_cholesky(ZERO, np.ones((2, 3)), ZERO, EYE),
        ValueError,
        r"chol_p must have shape \(\.\.\., d, d\), got \(2, 3\)",
    ),
    (
        "vector",
        lambda: kl_normal_cholesky(ZERO, EYE, ZERO, ZERO),
        ValueError,
        r"chol_q must have shape .* got \(2,\)",
    ),
    (
        "upper",
        lambda: kl_normal_cholesky(ZERO, EYE + np.triu(EYE + 3, 1), ZERO, EYE),
        ValueError,
        r"chol_p must be lower triangular, got 3\.0",
    ),
    (
        "diagonal 0",
        lambda: kl_normal_cholesky(ZERO, EYE, ZERO, np.diag([1.0, 0.0])),
        ValueError,
        r"the diagonal of chol_q must be positive, got 0\.0 at index \(1,\)",
    ),
    (
        "diagonal < 0",
        lambda: kl_normal_cholesky(ZERO, -EYE, ZERO, EYE),
        ValueError,
        r"the diagonal of chol_p must be positive, got -1\.0",
    ),
    (
        "factor inf",
        lambda: kl_normal_cholesky(ZERO, EYE, ZERO, np.diag([1.0, np.inf])),
        ValueError,
        "chol_q must be finite, got inf",
    ),
    (
        "two sizes",
        lambda: kl_normal_cholesky(ZERO, EYE, np.zeros(3), np.eye(3)),
        ValueError,
        r"chol_q must have shape \(\.\.\., 2, 2\), got \(3, 3\)",
    ),
    (
        "mean_p",
        lambda: kl_normal_cholesky(np.zeros(3), EYE, ZERO, EYE),
        ValueError,
        r"mean_p must have shape \(\.\.\., 2\), got \(3,\)",
    ),
    (
        "mean_q",
        lambda: kl_normal_cholesky(ZERO, EYE, 0.0, EYE),
        ValueError,
        r"mean_q must have shape \(\.\.\., 2\), got \(\)",
    ),
    (
        "mean nan",
        lambda: kl_normal_cholesky([0, np.nan], EYE, ZERO, EYE),
        ValueError,
        "mean_p must be finite, got nan",
    ),
    (
        "batches",
        lambda: kl_normal_cholesky(np.zeros((3, 2)), EYE, np.zeros((4, 2)), EYE),
        ValueError,
        r"must broadcast, got shapes \(\(3,\), \(\), \(4,\), \(\)\)",
    ),
    (
        "no dimension",
        lambda: kl_normal_cholesky(np.zeros(0), np.zeros((0, 0)), np.zeros(0), np.zeros((0, 0))),
        ValueError,
        r"chol_p must have shape \(\.\.\., d, d\), got \(0, 0\)",
    ),
    # Covariances.
    (
        "covariance not square",
        lambda: kl_normal_covariance(ZERO, EYE, ZERO, np.ones((2, 3))),
        ValueError,
        r"cov_q must have shape \(\.\.\., d, d\), got \(2, 3\)",
    ),
    (
        "covariance not symmetric",
        lambda: kl_normal_covariance(ZERO, np.array([[1.0, 0.5], [0.25, 1.0]]), ZERO, EYE),
        ValueError,
        r"cov_p must be symmetric, got 0\.5 across the diagonal from 0\.25",
    ),
    (
        "covariance indefinite",
        lambda: kl_normal_covariance(ZERO, EYE, ZERO, np.array([[1.0, 2.0], [2.0, 1.0]])),
        ValueError,
        "cov_q must be positive definite to working precision, got",
    ),
    (
        "one covariance of many indefinite",
        lambda: kl_normal_covariance(ZERO, np.stack([EYE, -EYE]), ZERO, EYE),
        ValueError,
        "cov_p must be positive definite to working precision, got",
    ),
    (
        "covariance nan",
        lambda: kl_normal_covariance(ZERO, np.diag([1.0, np.nan]), ZERO, EYE),
        ValueError,
        "cov_p must be finite, got nan",
    ),
    (
        "covariances of two sizes",
        lambda: kl_normal_covariance(ZERO, EYE, np.zeros(3), np.eye(3)),
        ValueError,
        r"cov_q must have shape \(\.\.\., 2, 2\), got \(3, 3\)",
    ),
    (
        "mean of covariance",
        lambda: kl_normal_covariance(ZERO, EYE, np.zeros(3), EYE),
        ValueError,
        r"mean_q must have shape \(\.\.\., 2\), got \(3,\)",
    ),
    (
        "batches of covariances",
        lambda: kl_normal_covariance(np.zeros((3, 2)), EYE, ZERO, np.stack([EYE, EYE])),
        ValueError,
        r"must broadcast, got shapes \(\(3,\), \(\), \(\), \(2,\)\)",
    ),
    # Registering.
    (
        "registered",
        lambda: register_kl("norm", "norm"),
        ValueError,
        "'norm' and 'norm' have a closed form already",
    ),
    (
        "no name",
        lambda: register_kl("", "norm"),
        TypeError,
        "name_p must be the name of a distribution, .* got ''",
    ),
    (
        "a generator",
        lambda: register_kl("norm", stats.norm),
        TypeError,
        "name_q must be the name of a distribution",
    ),
]


# Every registered family, built well, and with each parameter where it may not be.
OUTSIDE: list[tuple[Callable[..., Any], dict[str, Any], dict[str, list[float]]]] = [
    (stats.norm, {}, {}),
    (stats.expon, {}, {}),
    (stats.laplace, {}, {}),
    (stats.cauchy, {}, {}),
    (stats.halfnorm, {}, {}),
    (stats.uniform, {}, {}),
    (stats.rayleigh, {}, {}),
    (stats.maxwell, {}, {}),
    (stats.gumbel_r, {}, {}),
    (stats.gumbel_l, {}, {}),
    (stats.lognorm, {"s": 1.0}, {"s": [0.0, -1.0]}),
    (stats.gamma, {"a": 2.0}, {"a": [0.0, -1.0]}),
    (stats.chi2, {"df": 3.0}, {"df": [0.0, -1.0]}),
    (stats.invgamma, {"a": 2.0}, {"a": [0.0, -1.0]}),
    (stats.beta, {"a": 2.0, "b": 3.0}, {"a": [0.0, -1.0], "b": [0.0, -1.0]}),
    (stats.pareto, {"b": 2.0}, {"b": [0.0, -1.0]}),
    (stats.weibull_min, {"c": 2.0}, {"c": [0.0, -1.0]}),
    (stats.vonmises, {"kappa": 2.0}, {"kappa": [-1.0]}),
    (stats.bernoulli, {"p": 0.5}, {"p": [-0.5, 1.5]}),
    (stats.binom, {"n": 3, "p": 0.5}, {"n": [-1, 2.5], "p": [-0.5, 1.5]}),
    (stats.geom, {"p": 0.5}, {"p": [0.0, -0.5, 1.5]}),
    (stats.nbinom, {"n": 3, "p": 0.5}, {"n": [0, -1], "p": [0.0, 1.5]}),
    (stats.poisson, {"mu": 2.0}, {"mu": [-1.0]}),
]


@pytest.mark.parametrize(("family", "good", "bad"), OUTSIDE, ids=[case[0].name for case in OUTSIDE])
def test_every_parameter_of_every_family_is_checked(
    family: Callable[..., Any], good: dict[str, Any], bad: dict[str, list[float]]
) -> None:
    p = family(**good)
    continuous = isinstance(family, stats.rv_continuous)
    rows = [(name, [*values, np.nan, np.inf]) for name, values in bad.items()] + [("loc", [np.nan, np.inf])]
    for name, values in rows + [("scale", [0.0, -1.0, np.nan, np.inf])] * continuous:
        for value in values:
            q = family(**good | {name: value})
            with pytest.raises(ValueError, match=rf"{name} of p\b.*{value}"):
                kl_divergence(q, p)
            with pytest.raises(ValueError, match=rf"{name} of q\b.*{value}"):
                kl_divergence(p, q)


MULTIVARIATE = {"multivariate_normal", "matrix_normal", "wishart", "invwishart", "multinomial", "dirichlet"}


def test_no_registered_family_is_left_out() -> None:
    univariate = {case[0].name for case in OUTSIDE}
    assert univariate | MULTIVARIATE | {"rv_discrete"} == {
        name for pair in registered_pairs() for name in pair
    }


@pytest.mark.parametrize(
    ("call", "error", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_refused(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


NOT_REAL = [
    *([1j, 2.0], ["1.5", "2"], [b"1", b"2"], ["a", 1], [None, 1j]),
    *(np.array([1, 2], "m8[s]"), np.array([1, 2], "M8[s]")),
]


@pytest.mark.parametrize("value", NOT_REAL, ids=lambda value: np.asarray(value).dtype.name)
def test_what_numpy_would_parse_or_cut_to_reals_is_refused(value: Any) -> None:
    message = " must be a number or an array of numbers, got "
    calls: list[tuple[str, Callable[[], Any]]] = [
        ("x", lambda: fit_mle(families.Normal(), value)),
        ("p", lambda: kl_categorical(value, POINTS)),
        ("mean_p", lambda: kl_normal_covariance(value, EYE, ZERO, EYE)),
        ("theta", lambda: families.Normal().at(value)),
        ("what log_p returns", lambda: elbo(families.Normal(), ZERO, lambda _: value, 2, rng=RNG)),
        ("what f returns", lambda: expectation(NORMAL, lambda _: value)),
    ]
    for name, call in calls:
        with pytest.raises(TypeError, match=name + message):
            call()


def test_the_table_is_long_and_its_names_differ() -> None:
    assert len({name for name, *_ in REFUSED}) == len(REFUSED) >= 40


class Labelled(np.ndarray):
    """An array with labels, as pandas has it, whose rows and columns are its `axes`."""

    axes: list[np.ndarray[Any, Any]]


def labelled(values: Any, *axes: Any) -> Labelled:
    array = np.asarray(values, dtype=np.float64).view(Labelled)
    array.axes = [np.array(axis, dtype=object) for axis in axes]
    return array


HEADS, TAILS = labelled([0.3, 0.7], ["heads", "tails"]), labelled([0.6, 0.4], ["tails", "heads"])
FACTOR = labelled(EYE, ["x", "y"], ["x", "y"])


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: kl_categorical(HEADS, TAILS), "p and q"),
        (lambda: kl_categorical(HEADS, TAILS, logits=True), "p and q"),
        (lambda: kl_categorical(labelled([HEADS], ["run"], HEADS.axes[0]), TAILS), "p and q"),
        (
            lambda: kl_divergence(stats.poisson(HEADS), stats.poisson(TAILS)),
            "parameter 1 of p and parameter 1 of q",
        ),
        (
            lambda: kl_divergence(stats.norm(HEADS, scale=TAILS), NORMAL),
            "parameter 1 of p and parameter scale of p",
        ),
        (lambda: kl_normal_cholesky(HEADS, FACTOR, ZERO, EYE), "mean_p and chol_p"),
        (lambda: kl_normal_covariance(ZERO, FACTOR, HEADS, EYE), "cov_p and mean_q"),
    ],
)
def test_labels_that_differ_are_refused(call: Callable[[], Any], names: str) -> None:
    message = (
        rf"{names} must have the same labels in the same order, got '\w+' beside '\w+'; to_numpy\(\) drops"
    )
    with pytest.raises(ValueError, match=message):
        call()


def test_labels_that_agree_are_taken() -> None:
    swapped = labelled(TAILS[::-1], HEADS.axes[0])
    expected = kl_categorical([0.3, 0.7], [0.4, 0.6])
    assert kl_categorical(HEADS, swapped) == kl_categorical(HEADS, [0.4, 0.6]) == expected
    assert kl_categorical(labelled([HEADS, TAILS], ["a", "b"], HEADS.axes[0]), swapped).shape == (2,)
    assert kl_divergence(stats.poisson(HEADS), stats.poisson(swapped)).shape == (2,)
    # One label is an axis that broadcasts.
    one, two = (labelled([HEADS] * len(rows), rows, HEADS.axes[0]) for rows in (["a"], ["b", "c"]))
    assert kl_categorical(one, two).shape == (2,)
