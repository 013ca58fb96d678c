"""The page of closed forms says what the registries say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import kl_matrix
import pytest
from scipy import stats

from kl_lib import kl_divergence
from kl_lib.divergence.registry import registered_pairs

RESULTS = json.loads((Path(__file__).parents[2] / "benchmarks" / "results.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def rows() -> dict[str, list[str]]:
    """Return the cells of each row of both tables, by the name of its pair."""
    table = [line.strip("| ").split(" | ") for line in kl_matrix.page(RESULTS) if line.startswith("| `")]
    return {name: cells for name, *cells in table}


def test_every_registered_pair_has_a_row(rows: dict[str, list[str]]) -> None:
    for p, q in registered_pairs():
        name = f"`{p}`" if p == q else f"`{p}` ‖ `{q}`"
        assert rows[name][0].startswith("closed")


def test_conditions_are_named(rows: dict[str, list[str]]) -> None:
    assert rows["`norm`"][0] == "closed"
    assert rows["`binom`"][0] == "closed, at equal `loc` and `n`"


@pytest.mark.parametrize(
    ("pair", "p", "q"),
    [
        ("`beta` ‖ `norm`", stats.beta(2, 3), stats.norm()),
        ("`expon` ‖ `gamma`", stats.expon(), stats.gamma(2)),
        ("`bernoulli` ‖ `poisson`", stats.bernoulli(0.3), stats.poisson(0.4)),
    ],
)
def test_what_torch_has_for_two_families_is_computed_here(
    rows: dict[str, list[str]], pair: str, p: Any, q: Any
) -> None:
    here, torch, *_ = rows[pair]
    assert (here, torch) == ("sum" if "poisson" in pair else "quadrature", "yes")
    assert kl_divergence(p, q) > 0


def test_no_pair_of_another_library_is_lost() -> None:
    marks, others = kl_matrix.known_pairs(RESULTS)
    for library in kl_matrix.LIBRARIES:
        pairs = RESULTS["pairs"][library]
        named = {(kl_matrix.NAMES[p], kl_matrix.NAMES[q]) for p, q in pairs if {p, q} <= set(kl_matrix.NAMES)}
        unnamed = [f"{p}‖{q}".replace("_", "") for p, q in pairs if not {p, q} <= set(kl_matrix.NAMES)]
        assert named <= set(marks[library])
        assert others[library] == unnamed
