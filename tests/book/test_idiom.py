"""One way to write a thing in every chapter: imports, closeness, and each helper in one place."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

import nbformat
import pytest

from tests.book.conftest import NOTEBOOKS
from tests.book.sabotage import parse

# Python's own modules; NumPy and SciPy, whose modules are called by their names; ours; the one generator.
IMPORTS = re.compile(
    r"((import|from) (?!numpy|scipy|kl_)[^\n]*\n)*\n?"
    r"import numpy as np\n"
    r"(from IPython\.display import \w+\n)?"
    r"from scipy import [\w, ]+\n"
    r"\nimport kl_lib\n"
    r"from kl_book import (\w+, )*explore, figures(, \w+)*\n"
    r"from kl_lib import ([\w, ]+|\(\n(    \w+,\n)+\))\n"
    r"(from kl_lib\.numerics import \w+( as \w+)?\n)*"
    r"\nrng = np\.random\.default_rng\(20260101\)"
)
CLOSE = ("isclose", "allclose")
Cells = dict[str, ast.Module]  # by "chapter: cell"


def read(notebook: nbformat.NotebookNode, chapter: str = "") -> Cells:
    """Return the syntax trees of a notebook's code cells."""
    return {f"{chapter}: {c.id}": parse(c.source) for c in notebook.cells if c.cell_type == "code"}


def late_imports(cells: Cells) -> list[str]:
    """Say which cells import something after the import cell."""
    imports = (ast.Import, ast.ImportFrom)
    found = [place for place, tree in cells.items() if any(isinstance(n, imports) for n in ast.walk(tree))]
    return [place for place in found if not place.endswith((": install", ": imports"))]


def loose(cells: Cells) -> list[str]:
    """Say which cells compare numbers otherwise than by isclose or allclose with rtol and atol."""
    found = []
    for place, tree in cells.items():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = ast.unparse(call.func).split(".")[-1]
            given = {keyword.arg for keyword in call.keywords}
            if name.startswith("assert_") and name != "assert_raises":
                found.append(f"{place}: {name}")
            if name in CLOSE and not {"rtol", "atol"} <= given:
                found.append(f"{place}: {ast.unparse(call)}")
    return found


def joint_generators(cells: Cells) -> list[str]:
    """Say where a check's generator is assigned together with something else, or with another seed."""
    own = "check_rng = np.random.default_rng(20260101)"
    return [
        f"{place}: {ast.unparse(node)}"
        for place, tree in cells.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and any("check_rng" in ast.unparse(target) for target in node.targets)
        and ast.unparse(node) != own
    ]


def helpers(tree: ast.Module) -> Iterator[str]:
    """Return what may not occur twice: the names of a cell's functions, and what any function in it does."""
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef):
            yield f"def {statement.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
        elif isinstance(node, ast.Lambda):
            body = [ast.Return(node.body)]
        else:
            continue
        if sum(1 for part in body for _ in ast.walk(part)) > 12:  # more than an operation or a call
            yield f"({ast.unparse(node.args)}): {'; '.join(map(ast.unparse, body))}"


def repeated(cells: Cells) -> list[str]:
    """Say which functions are written in more than one place."""
    places = defaultdict(list)
    for place, tree in cells.items():
        for key in helpers(tree):
            places[key].append(place)
    return [f"{key}, in {', '.join(where)}" for key, where in places.items() if len(where) > 1]


def test_the_imports_have_one_form(notebook: nbformat.NotebookNode) -> None:
    (cell,) = (c for c in notebook.cells if c.id == "imports")
    assert IMPORTS.fullmatch(cell.source)
    assert late_imports(read(notebook)) == []


def test_closeness_is_asserted_in_one_way(notebook: nbformat.NotebookNode) -> None:
    assert loose(read(notebook)) == []


def test_a_check_has_its_generator_in_a_line_of_its_own(notebook: nbformat.NotebookNode) -> None:
    assert joint_generators(read(notebook)) == []


def test_no_helper_is_written_twice() -> None:
    cells: Cells = {}
    for path in NOTEBOOKS:
        cells |= read(nbformat.read(path, as_version=4), path.stem)
    assert repeated(cells) == []


@pytest.mark.parametrize(
    ("second", "found"),
    [
        (
            "def g(a):\n    'Words.'\n    return (a - a.mean()) / a.std()",
            ["(a): return (a - a.mean()) / a.std()"],
        ),
        ("def f(b):\n    return b", ["def f"]),
        ("h = lambda a: (a - a.mean()) / a.std()", ["(a): return (a - a.mean()) / a.std()"]),
        ("def g(a):\n    def f(a):\n        return -a\n    return f", []),
    ],
)
def test_a_repeated_helper_is_found(second: str, found: list[str]) -> None:
    cells = {
        "one: 1": ast.parse("def f(a):\n    return (a - a.mean()) / a.std()"),
        "two: 1": ast.parse(second),
    }
    assert repeated(cells) == [f"{words}, in one: 1, two: 1" for words in found]


@pytest.mark.parametrize(
    "line", ["np.isclose(a, b)", "np.allclose(a, b, rtol=1e-9)", "np.testing.assert_allclose(a, b)"]
)
def test_a_loose_comparison_is_found(line: str) -> None:
    assert len(loose({"one: 1": ast.parse(f"assert {line}")})) == 1


def test_a_close_comparison_is_not_found() -> None:
    assert (
        loose({"one: 1": ast.parse("assert np.isclose(a, b, rtol=0, atol=1)\nnp.testing.assert_raises(f)")})
        == []
    )


@pytest.mark.parametrize("line", ["n, check_rng = 5, default_rng(20260101)", "check_rng = default_rng(1)"])
def test_a_generator_that_shares_its_line_is_found(line: str) -> None:
    assert len(joint_generators({"one: 1": ast.parse(line)})) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("from scipy import stats", "from scipy.stats import norm"),
        ("import numpy as np\nfrom scipy import stats", "from scipy import stats\nimport numpy as np"),
        ("default_rng(20260101)", "default_rng(1)"),
        ("\n\nimport kl_lib", "\nimport kl_lib"),
    ],
)
def test_another_form_of_imports_is_found(old: str, new: str) -> None:
    good = (
        "import numpy as np\nfrom scipy import stats\n\nimport kl_lib\nfrom kl_book import explore, figures\n"
        "from kl_lib import entropy\n\nrng = np.random.default_rng(20260101)"
    )
    assert IMPORTS.fullmatch(good)
    assert not IMPORTS.fullmatch(good.replace(old, new))


def test_an_import_further_down_is_found() -> None:
    assert late_imports({"one: imports": ast.parse("import a"), "one: 2": ast.parse("import b")}) == [
        "one: 2"
    ]
