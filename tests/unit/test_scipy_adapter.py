"""What kl_lib reads of SciPy beyond its public interface, and that one module alone reads it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import numpy as np
import pytest
import scipy
from scipy import stats

import kl_lib
from kl_lib import scipy_adapter

PACKAGE = Path(kl_lib.__file__).parent
# Attributes of SciPy's that it neither documents nor marks with an underscore.
UNDOCUMENTED = {"cov_object", "npcond", "__base__", "__self__"}


def private_names(tree: ast.Module) -> set[str]:
    """Return all names with a leading underscore alone that a module takes from an object or a module."""
    taken = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
            taken |= {part.value for part in node.args if isinstance(part, ast.Constant)}
        elif isinstance(node, ast.ImportFrom):
            taken |= {alias.name for alias in node.names} | set((node.module or "").split("."))
        elif isinstance(node, ast.Import):
            taken |= {part for alias in node.names for part in alias.name.split(".")}
    return {name for name in taken if isinstance(name, str) and re.fullmatch(r"_[a-zA-Z]\w*(?<!_)", name)} | (
        taken & UNDOCUMENTED
    )


def own_names(tree: ast.Module) -> set[str]:
    """Return the names that a module defines, as functions, methods, classes and variables."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    defined = {node.name for node in ast.walk(tree) if isinstance(node, kinds)}
    stored = {
        node for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute)
        and isinstance(node.ctx, ast.Store)
    }  # fmt: skip
    return defined | {node.id if isinstance(node, ast.Name) else node.attr for node in stored}


def test_no_other_module_touches_a_private_name_of_scipy() -> None:
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")}
    found = {
        str(path.relative_to(PACKAGE)): private_names(tree) - own_names(tree) for path, tree in trees.items()
    }
    assert [module for module, names in found.items() if names] == ["scipy_adapter.py"], found


@pytest.mark.parametrize(
    "line", ["p._hbins", "getattr(p, '_hbins')", "from scipy.stats import _qmc", "p.npcond"]
)
def test_the_search_finds_private_names(line: str) -> None:
    assert private_names(ast.parse(line))


def test_a_name_that_is_gone_is_refused_with_the_version() -> None:
    message = rf"SciPy {re.escape(scipy.__version__)} has no norm_gen\._gone, which kl_lib reads"
    with pytest.raises(NotImplementedError, match=message):
        scipy_adapter.private(stats.norm, "_gone")
    with pytest.raises(NotImplementedError, match=r"has no rv_continuous\._gone"):
        scipy_adapter.private(stats.rv_continuous, "_gone")


def test_the_base_classes() -> None:
    assert isinstance(stats.norm, scipy_adapter.Generator)
    assert isinstance(stats.poisson, scipy_adapter.Generator)
    assert not isinstance(stats.norm(), scipy_adapter.Generator)
    for frozen in (stats.multivariate_normal(), stats.dirichlet([1, 2]), stats.multinomial(3, [0.5, 0.5])):
        assert isinstance(frozen, scipy_adapter.MultivariateFrozen)
    assert not isinstance(stats.norm(), scipy_adapter.MultivariateFrozen)
    assert isinstance(stats.Uniform(a=0, b=1), scipy_adapter.NewerContinuous)
    assert isinstance(stats.make_distribution(stats.gamma)(a=2), scipy_adapter.NewerContinuous)
    assert isinstance(stats.Uniform(a=0, b=1), scipy_adapter.Newer)
    assert not isinstance(stats.norm(), scipy_adapter.Newer)


@pytest.mark.parametrize(
    ("frozen", "wanted"),
    [
        (stats.norm(), ((), 0, 1)),
        (stats.norm(1, scale=2), ((), 1, 2)),
        (stats.beta(3, b=4, loc=5), ((3, 4), 5, 1)),
        (stats.binom(p=0.5, n=3, loc=2), ((3, 0.5), 2, 1)),
    ],
)
def test_shapes_location_and_scale(frozen: object, wanted: tuple[object, ...]) -> None:
    assert scipy_adapter.shapes_loc_scale(frozen) == wanted


def test_the_domain_of_shape_parameters() -> None:
    a, b = np.array([1.0, -1.0, np.nan]), np.array(2.0)
    np.testing.assert_array_equal(scipy_adapter.in_domain(stats.beta, (a, b)), [True, False, False])
    assert scipy_adapter.in_domain(stats.norm, ()).all()


def test_which_shape_parameters_may_be_infinite() -> None:
    class Ramp(stats.rv_continuous):
        def _pdf(self, x: float) -> float:
            return 2 * x

    assert scipy_adapter.may_be_infinite(stats.truncnorm) == ["a", "b"]
    assert scipy_adapter.may_be_infinite(stats.gamma) == []
    assert scipy_adapter.may_be_infinite(Ramp(a=0, b=1)) == []


def test_the_bins_of_a_histogram() -> None:
    histogram = stats.rv_histogram((np.array([1, 0, 3]), np.array([0.0, 1.0, 2.0, 4.0])), density=False)
    edges, density = scipy_adapter.histogram_bins(histogram)
    np.testing.assert_array_equal(edges, [0, 1, 2, 4])
    np.testing.assert_allclose(density, [0.25, 0, 0.375])


def test_the_points_of_a_table() -> None:
    given = scipy_adapter.points(stats.rv_discrete(values=([3, 1], [0.25, 0.75]))())
    assert given is not None
    np.testing.assert_array_equal(given, [[1, 3], [0.75, 0.25]])
    assert scipy_adapter.points(stats.poisson(2)) is None


def test_multivariate_distributions() -> None:
    normal = stats.multivariate_normal([0, 1], [[1, 1], [1, 1]], allow_singular=True)
    kind, (covariance,), rank = scipy_adapter.covariance_parts(normal)
    assert (kind, np.asarray(covariance).tolist(), rank) == ("psd", [[1, 1], [1, 1]], 1)
    assert scipy_adapter.multivariate_name(normal) == "multivariate_normal"
    assert scipy_adapter.multivariate_name(stats.dirichlet([1, 2])) == "dirichlet"
    assert not scipy_adapter.is_invalid_multinomial(stats.multinomial(3, [0.5, 0.5]))
    assert scipy_adapter.is_invalid_multinomial(stats.multinomial(-1, [0.5, 0.5]))


def test_what_a_covariance_was_given_by() -> None:
    root, values = np.array([[1.0, 0.0], [2.0, 3.0]]), np.array([1.0, 2.0])
    for kind, given in (("cholesky", root), ("precision", root @ root.T)):
        covariance = getattr(stats.Covariance, f"from_{kind}")(given)
        found = scipy_adapter.covariance_parts(stats.multivariate_normal([0, 0], covariance))
        assert (found[0], found[1][0].tolist(), found[2]) == (kind, given.tolist(), 2)
    covariance = stats.Covariance.from_eigendecomposition((values, np.eye(2)))
    kind, parts, rank = scipy_adapter.covariance_parts(stats.multivariate_normal([0, 0], covariance))
    assert (kind, [part.tolist() for part in parts], rank) == (
        "eigendecomposition", [values.tolist(), np.eye(2).tolist()], 2
    )  # fmt: skip
    diagonal = stats.multivariate_normal([0, 0], stats.Covariance.from_diagonal(values))
    kind, parts, rank = scipy_adapter.covariance_parts(diagonal)
    assert (kind, parts[0].tolist(), rank) == ("diagonal", np.diag(values).tolist(), 2)


def test_the_generator_inside_a_newer_random_variable() -> None:
    inside = scipy_adapter.generator_inside(stats.make_distribution(stats.gamma)(a=2))
    assert type(inside) is type(stats.gamma)
    assert scipy_adapter.generator_inside(stats.Normal()) is None
