"""Who may import whom: the maths knows no drawing, a figure no maths, an oracle nothing; no circle."""

from __future__ import annotations

import ast
import graphlib
import re
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(path for package in ("kl_lib", "kl_book") for path in (ROOT / package).rglob("*.py"))
TESTS = [ROOT / "conftest.py", *sorted((ROOT / "tests").rglob("*.py"))]
ORACLES = ROOT / "tests" / "oracles"

# A room of `kl_lib` imports from the rooms of lower floors alone. What is in none is used by several.
FLOORS = (
    {"numerics"},
    {"families"},
    {"divergence"},
    {"forward", "gradients", "estimators"},
    {"reverse"},
)
FLOOR_OF = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}


def imported(source: str) -> set[str]:
    """Return the dotted names that a module imports, at its top or within its functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name their package in full"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def room_of(name: str) -> str:
    """Return the first two parts of a dotted name: `kl_lib.numerics` for all that is in it."""
    return ".".join(name.split(".")[:2])


def imports_by_room() -> dict[str, set[str]]:
    """Return what each room of both packages imports, `kl_lib.numerics` being one of them."""
    graph: dict[str, set[str]] = defaultdict(set)
    for path in FILES:
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        graph[room_of(name)] |= imported(path.read_text(encoding="utf-8"))
    return graph


IMPORTS = imports_by_room()


def ours(room: str) -> set[str]:
    """Return the other rooms that a room imports; what a package re-exports is imported from all of it."""
    rooms = {room_of(name) if room_of(name) in IMPORTS else name.split(".")[0] for name in IMPORTS[room]}
    return rooms & IMPORTS.keys() - {room}


@pytest.mark.parametrize("room", [room for room in IMPORTS if room.startswith("kl_lib")])
def test_the_maths_needs_numpy_and_scipy_alone(room):
    roots = {name.partition(".")[0] for name in IMPORTS[room]}
    assert roots - sys.stdlib_module_names <= {"numpy", "scipy", "kl_lib"}


def test_what_shows_figures_knows_nothing_of_ours():
    assert ours("kl_book.explore") == set()


@pytest.mark.parametrize(
    "room", sorted(room for room in FLOOR_OF if (ROOT / "kl_lib" / room / "__init__.py").exists())
)
def test_the_map_says_which_rooms_a_room_imports(room):
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    (column,) = re.findall(rf"^\| `kl_lib/{room}/` \|.*\| (.*) \|$", page, re.MULTILINE)
    rooms = {name.removeprefix("kl_lib.") for name in ours(f"kl_lib.{room}")} & FLOOR_OF.keys()
    assert set(re.findall(r"`(\w+)`", column)) == rooms


def test_no_room_imports_one_that_imports_it():
    order = graphlib.TopologicalSorter({room: ours(room) for room in IMPORTS})
    assert set(order.static_order()) == IMPORTS.keys()


@pytest.mark.parametrize("room", sorted(room for room in FLOOR_OF if f"kl_lib.{room}" in IMPORTS))
def test_a_room_imports_from_lower_floors_alone(room):
    others = {name.removeprefix("kl_lib.") for name in ours(f"kl_lib.{room}")} & FLOOR_OF.keys()
    assert {other for other in others if FLOOR_OF[other] >= FLOOR_OF[room]} == set()


def roots(path: Path) -> set[str]:
    """Return the packages that a module imports from."""
    return {name.partition(".")[0] for name in imported(path.read_text(encoding="utf-8"))}


def test_no_test_needs_the_benchmarks():
    assert [path for path in TESTS if "benchmarks" in roots(path)] == []


def test_formulas_in_mpmath_are_oracles():
    elsewhere = [*TESTS, *(ROOT / "benchmarks").glob("*.py")]
    assert {path.parent for path in elsewhere if "mpmath" in roots(path)} == {ORACLES}


def test_an_oracle_knows_nothing_of_what_it_is_held_against():
    ours = {"kl_lib", "kl_book", "tests", "benchmarks"}
    assert [path for path in ORACLES.glob("*.py") if roots(path) & ours] == []


def test_an_import_within_a_function_is_seen():
    source = "import numpy as np\ndef f():\n    from kl_book.figures import styled\n    return styled"
    assert imported(source) == {"numpy", "kl_book.figures.styled"}
