"""What messages and docstrings name exists, and what they advise works."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import kl_lib
from kl_lib import cross_entropy, entropy, families, kl_divergence, kl_monte_carlo

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "kl_lib").rglob("*.py"))
# Names behind their module, and calls; what a message puts in braces is of the caller.
DOTTED = re.compile(r"(?<![\w./])(?:kl_lib|families|stats|scipy|numpy|np)(?:\.[A-Za-z_]\w*)+")
CALL = re.compile(r"(?<![\w.])(kl_\w+|register_kl|entropy|cross_entropy)(?=\()")
KEYWORD = re.compile(r"(?<![\w.])(\w+)='([\w-]+)'")
QUOTED = re.compile(r"(?<!`)`([A-Za-z_][\w.]*)`(?!`)")
MODULES = {"np": "numpy", "stats": "scipy.stats", "families": "kl_lib.families"}


def strings(tree: ast.AST) -> Iterator[str]:
    """Return the strings of a module, each f-string with its gaps as {}."""
    inside = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in node.values}
            yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.value


TEXTS = {path: list(strings(ast.parse(path.read_text(encoding="utf-8")))) for path in FILES}


def resolve(dotted: str) -> Any:
    """Return what a dotted name stands for; an error says that it stands for nothing."""
    first, *rest = dotted.split(".")
    value: Any = importlib.import_module(MODULES.get(first, first))
    for i, name in enumerate(rest):
        if first == "kl_lib" and not hasattr(value, name):
            importlib.import_module(".".join([first, *rest[: i + 1]]))
        value = getattr(value, name)
    return value


def words(source: str) -> set[str]:
    """Return the names that a module defines, imports, or reads, arguments included."""
    fields = ("id", "attr", "arg", "name")
    return {str(getattr(node, field, "")) for node in ast.walk(ast.parse(source)) for field in fields}


KNOWN = {"psi"}.union(*(words(path.read_text(encoding="utf-8")) for path in FILES))  # psi is of scipy.special


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_name_that_a_string_mentions_exists(path: Path) -> None:
    for text in TEXTS[path]:
        for name in DOTTED.findall(text):
            resolve(name)
        for name in CALL.findall(text):
            assert name in KNOWN or f"def {name}(" in text, name


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_name_between_quotes_is_known(path: Path) -> None:
    for text in TEXTS[path]:
        for name in QUOTED.findall(text):
            first, *rest = name.split(".")
            if first in ("kl_lib", "scipy", "numpy", "stats"):
                resolve(name)
            else:
                assert {first, *rest} <= KNOWN, name


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_choice_that_a_message_advises_is_one(path: Path) -> None:
    functions = [value for value in vars(kl_lib).values() if inspect.isfunction(value)]
    for text in TEXTS[path]:
        for keyword, choice in KEYWORD.findall(text):
            takers = [f for f in functions if keyword in inspect.signature(f).parameters]
            assert any(choice in str(inspect.signature(f, eval_str=True).parameters[keyword]) for f in takers)


def test_names_that_do_not_exist_are_found() -> None:
    with pytest.raises(AttributeError):
        resolve("stats.no_such_distribution")
    with pytest.raises(ModuleNotFoundError):
        resolve("kl_lib.no_such_function")
    assert CALL.findall("use kl_nothing(p, q)") == ["kl_nothing"]
    assert not {"kl_nothing"} & KNOWN
    assert words("def f(x):\n    return y.z") >= {"f", "x", "y", "z"}
    assert list(strings(ast.parse('x = f"a {1} b"; y = "c"'))) == ["a {} b", "c"]
    assert QUOTED.findall("see `name`, ``code``") == ["name"]


def test_there_is_something_to_find() -> None:
    found = {name for texts in TEXTS.values() for text in texts for name in DOTTED.findall(text)}
    assert {"kl_lib.kl_monte_carlo", "stats.Normal", "numpy.random.default_rng"} <= found


# The ways on.

PLANE = stats.multivariate_normal(np.zeros(2))
KERNELS = stats.gaussian_kde(np.array([[0.0, 1.0, 3.0, 2.0], [1.0, 0.0, 2.0, -1.0]]))
MIXTURE = families.NormalMixture(2, d=2).at(np.zeros(10))
STUDENT = stats.multivariate_t([0, 1], np.eye(2))
UNKNOWN = {
    "multivariate_t": (STUDENT, PLANE, "p = multivariate_t"),
    "q multivariate_t": (PLANE, STUDENT, "q = multivariate_t"),
    "mixture": (MIXTURE, PLANE, "p = DiagonalNormalMixture"),
    "kernels": (KERNELS, PLANE, "p = gaussian_kde of dimension 2"),
    "q kernels": (PLANE, KERNELS, "q = gaussian_kde of dimension 2"),
    "vonmises_fisher": (
        stats.vonmises_fisher([1, 0, 0], 2),
        stats.vonmises_fisher([0, 1, 0], 2),
        "p = vonmises_fisher",
    ),
    "normal_inverse_gamma": (stats.normal_inverse_gamma(), stats.normal_inverse_gamma(2), "normal_inverse"),
}
CALLED = re.compile(r"kl_lib\.kl_monte_carlo\(p, q, n, rng=rng\)$")


@pytest.mark.parametrize("name", UNKNOWN)
@pytest.mark.parametrize("method", ["auto", "closed", "quadrature"])
def test_the_call_that_a_refusal_names_works(name, method, rng):
    p, q, described = UNKNOWN[name]
    with pytest.raises(NotImplementedError, match=CALLED) as refusal:
        kl_divergence(p, q, method=method)
    assert method == "closed" or described in str(refusal.value)
    estimate = eval(
        CALLED.findall(str(refusal.value))[0], {"kl_lib": kl_lib, "p": p, "q": q, "n": 99, "rng": rng}
    )
    assert estimate.value > -1


@pytest.mark.parametrize("p", [stats.special_ortho_group(3), stats.dirichlet_multinomial([1, 2], 3)])
def test_no_call_is_named_where_none_works(p, rng):
    for refused in (kl_divergence, cross_entropy):
        with pytest.raises(NotImplementedError, match=r"(nothing exact|no formula).*\w$") as refusal:
            refused(p, p)
        assert "kl_monte_carlo" not in str(refusal.value)
    with pytest.raises(TypeError):
        kl_monte_carlo(p, p, 9, rng=rng)


@pytest.mark.parametrize(
    "p", [PLANE, stats.dirichlet([1, 2]), stats.multinomial(3, [0.5, 0.5])], ids=lambda p: type(p).__name__
)
def test_quadrature_is_not_refused_as_if_nothing_were_known(p):
    with pytest.raises(NotImplementedError, match=r"univariate .* method='auto' takes their closed form"):
        kl_divergence(p, p, method="quadrature")
    assert kl_divergence(p, p, method="auto") == 0


def test_a_closed_form_that_is_missing_on_the_line_leads_to_quadrature():
    p, q = stats.norm(), stats.laplace()
    with pytest.raises(NotImplementedError, match="method='quadrature' may"):
        kl_divergence(p, q, method="closed")
    assert kl_divergence(p, q, method="quadrature") > 0


def test_the_entropy_that_has_no_formula_is_named_with_its_dimension():
    with pytest.raises(NotImplementedError, match="the entropy of gaussian_kde of dimension 2"):
        entropy(KERNELS)
    with pytest.raises(
        NotImplementedError, match="the cross-entropy of p = multivariate_normal of dimension 2 and"
    ):
        cross_entropy(PLANE, KERNELS)
