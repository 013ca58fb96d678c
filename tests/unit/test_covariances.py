"""Normal and Wishart distributions by every way to give a covariance, against mpmath and one another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles.covariances import error, exact, exact_covariance
from oracles.covariances import kronecker as mp_kron
from oracles.covariances import normal as mp_normal
from oracles.covariances import wishart as mp_wishart
from scipy import stats

from kl_lib import cross_entropy, entropy, kl_divergence, kl_normal_cholesky
from kl_lib.families import DiagonalNormal, FullNormal

C = stats.Covariance
UNIT = 2.0**-53
NORMAL = stats.multivariate_normal
KINDS = {
    "matrix": lambda x: x,
    "cholesky": C.from_cholesky,
    "diagonal": C.from_diagonal,
    "precision": C.from_precision,
    "eigendecomposition": C.from_eigendecomposition,
}


def random_root(rng: np.random.Generator, d: int, condition: float) -> np.ndarray:
    """Return a Cholesky factor of a covariance of this condition number."""
    basis = np.linalg.qr(rng.normal(size=(d, d)))[0]
    return np.linalg.cholesky(basis * np.geomspace(1, condition, d) @ basis.T)


def given_by(kind: str, root: np.ndarray) -> Any:
    """Return what gives the covariance root rootᵀ in this way, of the diagonal its own."""
    cov = root @ root.T
    if kind == "precision":
        cov = np.linalg.inv(cov)
    cov = (cov + cov.T) / 2
    if kind == "eigendecomposition":
        return np.linalg.eigh(cov)
    return {"cholesky": root, "diagonal": np.diagonal(cov).copy()}.get(kind, cov)


def close_to(kind: str, given: Any, distance: float, rng: np.random.Generator) -> Any:
    """Return the same, changed by this part."""
    if kind == "eigendecomposition":
        return given[0] * (1 + distance * rng.uniform(-0.5, 0.5, len(given[0]))), given[1]
    if kind in ("cholesky", "diagonal"):
        return given * (1 + distance * rng.uniform(-0.5, 0.5, given.shape))
    change = rng.uniform(-1, 1, given.shape)
    return given + distance * np.linalg.eigvalsh(given)[0] * (change + change.T) / (4 * len(given))


def normal(mean: Any, kind: str, given: Any) -> Any:
    return NORMAL(mean, KINDS[kind](given))


@pytest.mark.parametrize("kind", KINDS)
@given(
    seed=st.integers(0, 2**32 - 1), d=st.integers(1, 4), decades=st.floats(0, 7), nearness=st.floats(0, 10)
)
def test_two_of_one_kind_to_the_last_digits(
    kind: str, seed: int, d: int, decades: float, nearness: float
) -> None:
    rng, distance = np.random.default_rng(seed), 10.0**-nearness
    root = random_root(rng, d, 10.0**decades)
    of_q = given_by(kind, root)
    of_p = close_to(kind, of_q, distance, rng)
    mean_q = rng.normal(size=d)
    mean_p = mean_q + distance * rng.normal(size=d)
    value = kl_divergence(normal(mean_p, kind, of_p), normal(mean_q, kind, of_q))
    reference = mp_normal(mean_p, exact_covariance(kind, of_p), mean_q, exact_covariance(kind, of_q))
    # A factor is as good as its own condition, a matrix as that of the matrix, a diagonal as exact.
    condition = np.linalg.cond(root) ** {"diagonal": 0, "cholesky": 1, "eigendecomposition": 1}.get(kind, 2)
    assert error(value, reference) < 1e-14 + 40 * condition * UNIT


@pytest.mark.parametrize("first", KINDS)
@pytest.mark.parametrize("second", KINDS)
@given(seed=st.integers(0, 2**32 - 1), d=st.integers(1, 4), decades=st.floats(0, 4))
def test_two_of_different_kinds(first: str, second: str, seed: int, d: int, decades: float) -> None:
    rng = np.random.default_rng(seed)
    roots = [random_root(rng, d, 10.0**decades) for _ in range(2)]
    (mean_p, mean_q), of_p, of_q = (
        rng.normal(size=(2, d)),
        given_by(first, roots[0]),
        given_by(second, roots[1]),
    )
    value = kl_divergence(normal(mean_p, first, of_p), normal(mean_q, second, of_q))
    reference = mp_normal(mean_p, exact_covariance(first, of_p), mean_q, exact_covariance(second, of_q))
    assert error(value, reference) < 1e-14 + 40 * 10.0**decades * UNIT


@pytest.mark.parametrize("first", [kind for kind in KINDS if kind != "diagonal"])
@pytest.mark.parametrize("second", [kind for kind in KINDS if kind != "diagonal"])
def test_two_ways_to_write_the_same_normal(first: str, second: str, rng: np.random.Generator) -> None:
    for condition in (1.0, 1e4):
        root, mean = random_root(rng, 5, condition), rng.normal(size=5)
        p, q = (normal(mean, kind, given_by(kind, root)) for kind in (first, second))
        assert 0 <= kl_divergence(p, q) < (100 * condition * UNIT) ** 2
        assert kl_divergence(p, p) == 0
        assert entropy(p) == pytest.approx(entropy(q), rel=1e-9)


def test_the_reported_factors() -> None:
    p, q = (normal([0, 0], "cholesky", np.array([[1, 0], [1, a]])) for a in (1e-7, 1.001e-7))
    assert kl_divergence(p, q) == pytest.approx(9.983355805e-07, rel=1e-9)


def test_a_family_carries_its_factor(rng: np.random.Generator) -> None:
    for family in (FullNormal(3), DiagonalNormal(3)):
        for spread in (1.0, 30.0):
            theta = spread * rng.normal(size=family.size)
            near = theta + 1e-6 * rng.normal(size=family.size)
            mean_p, mean_q = theta[:3], near[:3]
            p, q = family.at(theta), family.at(near)
            expected = kl_normal_cholesky(mean_p, family.cholesky(theta), mean_q, family.cholesky(near))
            assert kl_divergence(p, q) == expected


# Singular covariances.


def on_plane(rng: np.random.Generator, kind: str, basis: np.ndarray, variances: np.ndarray) -> Any:
    """Return a singular covariance on the range of the basis, (d, r)."""
    if kind == "matrix":
        cov = basis * variances @ basis.T
        return (cov + cov.T) / 2
    whole = np.linalg.qr(np.hstack([basis, rng.normal(size=(len(basis), len(basis) - basis.shape[1]))]))[0]
    whole[:, : basis.shape[1]] = basis
    return C.from_eigendecomposition((np.append(variances, np.zeros(len(basis) - len(variances))), whole))


@pytest.mark.parametrize("first", ["matrix", "eigendecomposition"])
@pytest.mark.parametrize("second", ["matrix", "eigendecomposition"])
@given(seed=st.integers(0, 2**32 - 1), d=st.integers(2, 5), nearness=st.floats(0, 6))
def test_singular_normals_are_compared_on_their_plane(
    first: str, second: str, seed: int, d: int, nearness: float
) -> None:
    rng = np.random.default_rng(seed)
    r = int(rng.integers(1, d))
    basis = np.linalg.qr(rng.normal(size=(d, r)))[0]
    variances = np.exp(rng.normal(size=r))
    other = variances * np.exp(10.0**-nearness * rng.normal(size=r))
    mean = rng.normal(size=d)
    shifted = mean + 10.0**-nearness * basis @ rng.normal(size=r)
    p = NORMAL(shifted, on_plane(rng, first, basis, variances), allow_singular=True)
    q = NORMAL(mean, on_plane(rng, second, basis, other), allow_singular=True)
    plane = [NORMAL(m @ basis, np.diag(v)) for m, v in ((shifted, variances), (mean, other))]
    value, expected = kl_divergence(p, q), kl_divergence(*plane)
    assert abs(value - expected) < 1e-13 * expected + 1e-14 * np.sqrt(expected)
    assert cross_entropy(p, q) == pytest.approx(entropy(p) + value)
    full = NORMAL(mean, np.eye(d))
    assert kl_divergence(p, full) == kl_divergence(full, q) == np.inf
    outwards = rng.normal(size=d)
    outwards -= basis @ (basis.T @ outwards)
    away = NORMAL(mean + 1e-3 * outwards, on_plane(rng, second, basis, other), allow_singular=True)
    assert kl_divergence(p, away) == np.inf
    turned = np.linalg.qr(basis + 1e-3 * rng.normal(size=(d, r)))[0]
    tilted = NORMAL(mean, on_plane(rng, second, turned, other), allow_singular=True)
    assert kl_divergence(q, tilted) == np.inf


def test_the_reported_singular_normals() -> None:
    for way in (np.diag, C.from_diagonal):
        p, q = (NORMAL([0, 0], way([v, 0]), allow_singular=True) for v in (1.0, 4.0))
        assert kl_divergence(p, q) == pytest.approx(0.318147180560, rel=1e-11)
        assert kl_divergence(p, NORMAL([0, 0], np.eye(2))) == np.inf
        other = NORMAL([0, 0], way([0, 4.0]), allow_singular=True)
        assert kl_divergence(p, other) == np.inf
        lines = [NORMAL([0] * 3, way(v), allow_singular=True) for v in ([1, 0, 0], [1, 1, 0])]
        assert kl_divergence(*lines) == kl_divergence(*lines[::-1]) == np.inf


E3, Z2 = np.eye(3), np.zeros(2)
SKEW = np.array([[1.0, 1e-3], [0.0, 1.0]])
REFUSED = [
    (
        lambda: NORMAL(Z2, C.from_cholesky(SKEW.T + SKEW)),
        "Cholesky factor of p must be lower triangular, got 0.001",
    ),
    (
        lambda: NORMAL(Z2, C.from_cholesky(np.diag([1.0, -1.0]))),
        "diagonal of the Cholesky factor of p must be positive",
    ),
    (
        lambda: NORMAL(Z2, C.from_eigendecomposition(([1.0, 2.0], SKEW))),
        "eigenvectors of p must be orthonormal to 1e-09",
    ),
    (lambda: NORMAL(Z2, SKEW), "cov of p must be symmetric, got 0.001 across the diagonal from 0.0"),
    (lambda: NORMAL(Z2, C.from_precision(SKEW)), "the precision of p must be symmetric, got 0.001"),
    (lambda: NORMAL(Z2, C.from_diagonal([0.0, 0.0])), "the variances of p must not be negative nor all 0"),
    (lambda: NORMAL(Z2, C.from_diagonal([-1.0, 1.0])), r"the variances of p must not .* got \[-1.  1.\]"),
    (
        lambda: NORMAL(Z2, np.diag([1, 1e-12]), allow_singular=True),
        "must be positive definite or singular to working precision, got the eigenvalues",
    ),
    (lambda: stats.wishart(3, SKEW), "scale of p must be symmetric"),
    (lambda: stats.matrix_normal(np.zeros((2, 3)), SKEW, E3), "rowcov of p must be symmetric"),
    (lambda: stats.matrix_normal(np.zeros((3, 2)), E3, SKEW), "colcov of p must be symmetric"),
]


@pytest.mark.parametrize(("p", "message"), REFUSED)
def test_refused(p: Any, message: str) -> None:
    with np.errstate(invalid="ignore"):  # SciPy takes the root or the logarithm
        p = p()
    with pytest.raises(ValueError, match=message):
        kl_divergence(p, p)


def test_what_is_just_accepted() -> None:
    clear = NORMAL(Z2, np.diag([1, 1e-9]))
    assert kl_divergence(clear, NORMAL(Z2, np.diag([1, 2e-9]))) > 0.09
    singular = NORMAL(Z2, np.diag([1, 1e-15]), allow_singular=True)
    line = NORMAL(Z2, C.from_diagonal([2, 0]))
    assert kl_divergence(singular, line) == pytest.approx(0.5 * (0.5 - 1 + np.log(2)), rel=1e-14)
    with np.errstate(invalid="ignore"):  # SciPy takes the root
        rounded = NORMAL(Z2, C.from_eigendecomposition(([-1e-17, 1.0], np.eye(2)[::-1])))
    assert kl_divergence(singular, rounded) == 0
    skew = np.eye(2) + 5e-10 * (SKEW - np.eye(2)) / 1e-3
    assert kl_divergence(NORMAL(Z2, skew), NORMAL(Z2, np.eye(2))) < 1e-18


# Distributions of matrices.


@given(
    seed=st.integers(0, 2**32 - 1),
    d=st.integers(1, 4),
    nearness=st.floats(0, 9),
    size=st.floats(-3, 6),
    aligned=st.booleans(),
)
def test_wishart(seed: int, d: int, nearness: float, size: float, aligned: bool) -> None:
    rng, distance = np.random.default_rng(seed), 10.0**-nearness
    df_q = d - 1 + 10.0**size
    df_p = d - 1 + 10.0**size * np.exp(distance * rng.uniform(-2, 2))
    of_q = given_by("matrix", random_root(rng, d, 10.0))
    # Where the means agree, only the shapes differ.
    of_p = of_q * (df_q / df_p) if aligned else close_to("matrix", of_q * np.exp(rng.normal()), distance, rng)
    value = kl_divergence(stats.wishart(df_p, of_p), stats.wishart(df_q, of_q))
    reference = mp_wishart(df_p, exact(of_p), df_q, exact(of_q))
    rounding = 1e-14 * distance * np.sqrt(df_q) if aligned else 0
    assert (
        abs(value - reference)
        <= 1e-13 * reference + rounding**2 + rounding * np.sqrt(float(reference)) + 1e-290
    )


def test_wishart_in_one_dimension_is_gamma() -> None:
    value = kl_divergence(stats.wishart(3.0, 2.0), stats.wishart(5.0, 0.7))
    assert value == pytest.approx(kl_divergence(stats.gamma(1.5, scale=4.0), stats.gamma(2.5, scale=1.4)))
    assert kl_divergence(stats.wishart(3, E3), stats.wishart(3, E3)) == 0


@given(seed=st.integers(0, 2**32 - 1), d=st.integers(1, 4), nearness=st.floats(0, 6))
def test_inverse_wishart(seed: int, d: int, nearness: float) -> None:
    rng, distance = np.random.default_rng(seed), 10.0**-nearness
    df_q = d - 1 + np.exp(rng.uniform(-3, 6))
    df_p = d - 1 + (df_q - d + 1) * np.exp(distance * rng.uniform(-2, 2))
    of_q = given_by("matrix", random_root(rng, d, 10.0))
    of_p = close_to("matrix", of_q, distance, rng)
    value = kl_divergence(stats.invwishart(df_p, of_p), stats.invwishart(df_q, of_q))
    reference = mp_wishart(df_p, exact(of_p) ** -1, df_q, exact(of_q) ** -1)
    assert abs(value - reference) <= 1e-13 * reference


def test_inverse_wishart_in_one_dimension_is_inverse_gamma() -> None:
    value = kl_divergence(stats.invwishart(3.0, 2.0), stats.invwishart(5.0, 0.7))
    assert value == pytest.approx(
        kl_divergence(stats.invgamma(1.5, scale=1.0), stats.invgamma(2.5, scale=0.35))
    )
    assert kl_divergence(stats.invwishart(3, E3), stats.invwishart(3, E3)) == 0


def test_wishart_against_simulation(rng: np.random.Generator) -> None:
    p, q = stats.wishart(4, E3 + 0.5), stats.wishart(6.5, E3)
    x = np.moveaxis(p.rvs(20_000, random_state=rng), 0, -1)
    terms = p.logpdf(x) - q.logpdf(x)
    assert abs(terms.mean() - kl_divergence(p, q)) < 4.5 * terms.std() / np.sqrt(20_000)


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 3),
    m=st.integers(1, 3),
    nearness=st.floats(0, 9),
    size=st.floats(-5, 5),
    narrow=st.booleans(),
)
def test_matrix_normal(seed: int, n: int, m: int, nearness: float, size: float, narrow: bool) -> None:
    rng, distance = np.random.default_rng(seed), 10.0**-nearness
    rows_q, columns_q = (given_by("matrix", random_root(rng, k, 10.0)) for k in (n, m))
    rows_p, columns_p = (close_to("matrix", side, distance, rng) for side in (rows_q, columns_q))
    if narrow:
        rows_p = given_by("matrix", random_root(rng, n, 1e4))
    # Rows and columns are determined but for a factor.
    rows_p, columns_p = rows_p * 2.0 ** round(size), columns_p / 2.0 ** round(size)
    mean_p, mean_q = distance * rng.normal(size=(n, m)), np.zeros((n, m))
    value = kl_divergence(
        stats.matrix_normal(mean_p, rows_p, columns_p), stats.matrix_normal(mean_q, rows_q, columns_q)
    )
    covs = mp_kron(exact(columns_p), exact(rows_p)), mp_kron(exact(columns_q), exact(rows_q))
    reference = mp_normal(mean_p.T.ravel(), covs[0], mean_q.T.ravel(), covs[1])
    assert error(value, reference) < 1e-13


def test_matrix_normals_of_other_shapes() -> None:
    p, q = (
        stats.matrix_normal(np.zeros(shape), np.eye(shape[0]), np.eye(shape[1])) for shape in ((2, 3), (3, 2))
    )
    assert kl_divergence(p, p) == 0
    with pytest.raises(ValueError, match=r"the same dimension, got \(2, 3\) and \(3, 2\)"):
        kl_divergence(p, q)


def test_the_newer_binomial() -> None:
    for n, p, q in ((3, 0.3, 0.4), (10, 0.5, 1e-9)):
        newer, older = stats.Binomial(n=n, p=p), stats.binom(n, q)
        expected = kl_divergence(stats.binom(n, p), older)
        for first in (newer, stats.binom(n, p)):
            for second in (stats.Binomial(n=n, p=q), older):
                assert kl_divergence(first, second, method="closed") == expected
    chances = np.array([0.1, 0.2, 0.7])
    value = kl_divergence(stats.Binomial(n=4, p=chances), stats.Binomial(n=4, p=0.5))
    assert value.tolist() == kl_divergence(stats.binom(4, chances), stats.binom(4, 0.5)).tolist()
    assert kl_divergence(stats.Binomial(n=5, p=0.3), stats.Binomial(n=3, p=0.3)) == np.inf
    shorter = kl_divergence(stats.Binomial(n=3, p=0.3), stats.Binomial(n=5, p=0.4))
    assert shorter == pytest.approx(kl_divergence(stats.binom(3, 0.3), stats.binom(5, 0.4)), rel=1e-9)
    with pytest.raises(ValueError, match="q must have finite parameters inside their domain"):
        kl_divergence(stats.Binomial(n=3, p=0.3), stats.Binomial(n=3, p=1.5))


def test_the_cross_entropy_of_wishart_distributions() -> None:
    p, q = stats.wishart(3, np.eye(2)), stats.wishart(4, np.eye(2))
    assert cross_entropy(p, q) == pytest.approx(entropy(p) + kl_divergence(p, q), rel=1e-14)
