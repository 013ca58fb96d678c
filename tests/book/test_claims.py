"""Every statement has a check, every check a statement, and every check fails when it should."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from claims import ASSERTION, Claims, read_claims
from IPython.core.inputtransformer2 import TransformerManager

REQUIRED = {
    "probabilistic-learning": {
        "def-entropy", "def-cross-entropy", "def-kl", "gibbs-inequality", "kl-asymmetric", "kl-support",
        "kl-not-a-metric", "sample-versus-evaluate",
    },
    "forward-kl": {
        "forward-split", "forward-equivalences", "empirical-likelihood", "mle-consistent", "mass-covering",
        "moment-matching", "why-log",
    },
    "reverse-kl": {
        "reverse-split", "mode-seeking", "entropy-regularizes", "normalizer-drops", "normalizer-intractable",
        "evidence", "elbo-bound", "elbo-equivalence",
    },
    "gradient-estimators": {
        "score-function", "score-zero-mean", "baseline-unbiased", "reparameterization", "exact-variances",
        "pathwise-not-always-best", "discrete-not-pathwise",
    },
    "summary": {"forward-versus-reverse"},
    "computing-kl": {"conditioning", "phi-repairs", "psi-mirror", "weights-not-one"},
}  # fmt: skip


def mismatches(claims: Claims) -> list[str]:
    """Say where statements and checks do not match, and which check lacks its sabotage."""
    labels = [statement.label for statement in claims.statements]
    claimed = {check.claim for check in claims.checks}
    return [
        *(f"a {s.kind} without a label: {s.title}" for s in claims.statements if not s.label),
        *(f"label used twice: {label}" for label in labels if labels.count(label) > 1),
        *(f"statement without a check: {label}" for label in labels if label not in claimed),
        *(f"check without a statement: {c.cell_id}" for c in claims.checks if c.claim not in labels),
        *(f"check without a sabotage: {c.cell_id}" for c in claims.checks if not c.sabotage),
        *(f"check without an assert: {c.cell_id}" for c in claims.checks if not ASSERTION.search(c.source)),
    ]


def run(source: str, namespace: dict[str, Any]) -> None:
    """Execute a cell's source in `namespace`."""
    exec(compile(TransformerManager().transform_cell(source), "<cell>", "exec"), namespace)


def copied(namespace: dict[str, Any]) -> dict[str, Any]:
    """Copy a namespace so that a run in the copy leaves no trace, not even in a generator's state."""
    return {
        name: copy.deepcopy(value) if isinstance(value, np.random.Generator | np.ndarray) else value
        for name, value in namespace.items()
    }


def verdicts(path: Path) -> Iterator[tuple[str, str]]:
    """Run the notebook at `path`; for each check say what happened to it after its sabotage."""
    checks = {check.cell_id: check for check in read_claims(path).checks}
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type != "code":
            continue
        if cell.id in checks:
            broken = copied(namespace)
            run(checks[cell.id].sabotage, broken)
            try:
                run(cell.source, broken)
            except AssertionError:
                yield cell.id, "failed as it must"
            else:
                yield cell.id, "passed although broken on purpose"
        run(cell.source, namespace)


def test_statements_and_checks_match(path: Path) -> None:
    assert mismatches(read_claims(path)) == []


def test_the_required_statements_exist(path: Path) -> None:
    assert REQUIRED[path.stem] <= {s.label for s in read_claims(path).statements}


def test_every_check_fails_after_its_sabotage(path: Path) -> None:
    assert [(cell, verdict) for cell, verdict in verdicts(path) if verdict != "failed as it must"] == []


STATEMENT = ":::{prf:theorem} Sum\n:label: the-sum\n\nOne and one make two.\n:::"


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Write a notebook of one statement and the given check cells."""

    def write_notebook(*checks: tuple[str, dict[str, Any]]) -> Path:
        cells = [nbformat.v4.new_markdown_cell(STATEMENT)]
        cells += [
            nbformat.v4.new_code_cell(source, metadata={"tags": ["check"], **data}) for source, data in checks
        ]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "chapter.ipynb")
        return tmp_path / "chapter.ipynb"

    return write_notebook


def test_a_good_claim_passes(write: Any) -> None:
    path = write(("assert sum([1, 1]) == 2", {"claim": "the-sum", "sabotage": "sum = max"}))
    assert mismatches(read_claims(path)) == []
    assert [verdict for _, verdict in verdicts(path)] == ["failed as it must"]


def test_a_statement_without_a_check_is_found(write: Any) -> None:
    assert mismatches(read_claims(write())) == ["statement without a check: the-sum"]


def test_a_check_without_a_statement_is_found(write: Any) -> None:
    check = ("assert True", {"claim": "no-such", "sabotage": "pass"})
    assert any(m.startswith("check without a statement") for m in mismatches(read_claims(write(check))))


def test_a_check_without_sabotage_or_assert_is_found(write: Any) -> None:
    found = mismatches(read_claims(write(("1 + 1", {"claim": "the-sum"}))))
    assert [message.split(":")[0] for message in found] == [
        "check without a sabotage",
        "check without an assert",
    ]


def test_a_check_that_survives_its_sabotage_is_found(write: Any) -> None:
    path = write(("assert True", {"claim": "the-sum", "sabotage": "sum = max"}))
    assert [verdict for _, verdict in verdicts(path)] == ["passed although broken on purpose"]
