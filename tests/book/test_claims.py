"""Every statement has a check, every check a statement, every assert can fail, and no cell needs a check."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import nbformat
import pytest
from claims import Check, Claims, Sabotage, Statement, read_claims
from predict import Question
from refresh import execute

from tests.book.sabotage import Recorded, Report, borrowed_names, examine, shared_generators
from tests.book.test_predict import asked_on_pages

REQUIRED = {
    "probabilistic-learning": {
        "def-entropy", "def-cross-entropy", "def-kl", "gibbs-inequality", "kl-asymmetric", "kl-support",
        "kl-not-a-metric", "sample-versus-evaluate", "chain-rule", "data-processing", "bijection-invariant",
        "pinsker", "jensen-shannon",
    },
    "forward-kl": {
        "forward-split", "forward-equivalences", "empirical-likelihood", "mle-consistent", "mass-covering",
        "moment-matching", "why-log", "pythagoras", "fisher-curvature",
    },
    "reverse-kl": {
        "reverse-split", "mode-seeking", "entropy-regularizes", "normalizer-drops", "normalizer-intractable",
        "evidence", "elbo-bound", "elbo-equivalence", "elbo-reconstruction", "proposal-price", "other-ways",
    },
    "gradient-estimators": {
        "score-function", "score-zero-mean", "baseline-unbiased", "reparameterization", "exact-variances",
        "pathwise-not-always-best", "discrete-not-pathwise",
    },
    "summary": {"forward-versus-reverse"},
    "computing-kl": {"conditioning", "phi-repairs", "psi-mirror", "weights-not-one"},
    "estimating-kl": {
        "estimator-values", "estimator-spread", "k3-infinite-variance", "what-is-descended",
        "off-policy-gradients", "sequence-gradient", "sequence-weights", "what-to-write",
    },
    "where-you-meet-it": {
        "classifier-loss", "latent-price", "tilted-reference", "judge-loss", "histogram-noise",
    },
    "old-faithful": {"held-out", "em-alternates", "rounding-bounds", "normal-sandwich"},
    "eight-schools": {"one-normalizer", "collapsed-posterior", "neck-of-the-funnel", "weights-no-variance"},
}  # fmt: skip


def mismatches(claims: Claims, elsewhere: Collection[str] = ()) -> list[str]:
    """Say where statements and checks do not match, and which check lacks its sabotage.

    A question is a statement: its right answer is right. Those of pages without cells are asked `elsewhere`.
    """
    asked = [question.label for question in claims.questions]
    labels = [statement.label for statement in claims.statements] + asked
    claimed = {check.claim for check in claims.checks}
    known = {*labels, *elsewhere}
    return [
        *(f"a {s.kind} without a label: {s.title}" for s in claims.statements if not s.label),
        *(f"label used twice: {label}" for label in labels if labels.count(label) > 1),
        *(f"statement without a check: {label}" for label in labels if label not in claimed),
        *(f"check without a statement: {c.cell_id}" for c in claims.checks if c.claim not in known),
        *(f"check without a sabotage: {c.cell_id}" for c in claims.checks if not c.sabotage),
        *(
            f"sabotage that is no single line with its words: {c.cell_id}: {s}"
            for c in claims.checks
            for s in c.sabotage
            if not s.line or not s.breaks or "\n" in s.line + s.breaks
        ),
        *(f"check without an assert: {c.cell_id}" for c in claims.checks if not c.ways),
    ]


def shown(cell: nbformat.NotebookNode) -> list[Any]:
    """Return what a cell's outputs show, whatever their number."""
    return [out.get("text", out.get("data")) for out in cell.get("outputs", [])]


def refuse(found: list[str]) -> None:
    """Fail with the whole list of what was found, one a line."""
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def test_statements_and_checks_match(path: Path) -> None:
    assert mismatches(read_claims(path), {question.label for question in asked_on_pages()}) == []


def test_the_required_statements_exist(path: Path) -> None:
    assert REQUIRED[path.stem] <= {s.label for s in read_claims(path).statements}


def test_every_assert_fails_after_a_sabotage_and_every_sabotage_fails_an_assert(path: Path) -> None:
    refuse(examine(path).checks)


def test_visible_cells_show_the_same_text_without_the_check_cells(path: Path) -> None:
    refuse(examine(path).visible + borrowed_names(path))


def test_check_cells_draw_from_a_generator_of_their_own(path: Path) -> None:
    refuse(shared_generators(path))


@pytest.mark.slow
def test_visible_cells_show_the_same_figures_without_the_check_cells(path: Path) -> None:
    checks = {check.cell_id for check in read_claims(path).checks}
    stored = nbformat.read(path, as_version=4)
    stored.cells = [cell for cell in stored.cells if cell.id not in checks]
    executed = execute(copy.deepcopy(stored), path.parent)
    pairs = zip(stored.cells, executed.cells, strict=True)
    refuse([cell.id for cell, again in pairs if shown(cell) != shown(again)])


STATEMENT = ":::{prf:theorem} Sum\n:label: the-sum\n\nOne and one make two.\n:::"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a notebook of one statement, visible cells (strings) and check cells (source, *lines)."""

    def write_notebook(*cells: str | tuple[str, ...]) -> Path:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(STATEMENT)])
        for number, cell in enumerate(cells):
            source, *lines = (cell,) if isinstance(cell, str) else cell
            metadata = {} if isinstance(cell, str) else {
                "tags": ["check"],
                "claim": "the-sum",
                "sabotage": [{"line": line, "breaks": "the sum"} for line in lines],
            }  # fmt: skip
            notebook.cells.append(nbformat.v4.new_code_cell(source, id=f"cell-{number}", metadata=metadata))
        nbformat.write(notebook, tmp_path / "chapter.ipynb")
        return tmp_path / "chapter.ipynb"

    return write_notebook


def test_a_good_claim_passes(write: Write) -> None:
    path = write(("assert sum([1, 1]) == 2", "sum = max"))
    assert mismatches(read_claims(path)) == []
    assert examine(path) == Report()


def test_each_assert_that_is_broken_counts_as_one_way_to_check(write: Write) -> None:
    (check,) = read_claims(write(("assert 1 and (2 and 3)\nnp.testing.assert_raises(E, f)", "f = g"))).checks
    assert check.ways == len(Recorded(check.source).asserts) == 4


def test_a_proof_belongs_to_the_statement_before_it(write: Write) -> None:
    path = write()
    notebook = nbformat.read(path, as_version=4)
    proof = ":::{prf:proof}\nCount on your fingers.\n:::"
    notebook.cells += [nbformat.v4.new_markdown_cell(text) for text in (proof, STATEMENT)]
    nbformat.write(notebook, path)
    assert [statement.proved for statement in read_claims(path).statements] == [True, False]


def test_a_statement_without_a_check_is_found(write: Write) -> None:
    assert mismatches(read_claims(write())) == ["statement without a check: the-sum"]


def test_a_question_without_a_check_is_found() -> None:
    claims = Claims("", [], [], [Question("How much?", "ask-much", 1, 2)])
    assert mismatches(claims) == ["statement without a check: ask-much"]


def test_a_check_without_a_statement_is_found() -> None:
    check = Check("stray", "no-such", "assert True", (Sabotage("sum = max", "the sum"),), 1)
    assert mismatches(Claims("", [], [check])) == ["check without a statement: stray"]


def test_a_check_without_sabotage_or_assert_is_found(write: Write) -> None:
    assert mismatches(read_claims(write(("1 + 1",)))) == [
        "check without a sabotage: cell-0",
        "check without an assert: cell-0",
    ]


@pytest.mark.parametrize("sabotage", [Sabotage("sum = max", ""), Sabotage("x = 1\nsum = max", "the sum")])
def test_a_sabotage_that_is_no_line_or_has_no_words_is_found(sabotage: Sabotage) -> None:
    check = Check("vague", "the-sum", "assert True", (sabotage,), 1)
    (found,) = mismatches(Claims("", [Statement("theorem", "Sum", "the-sum")], [check]))
    assert found.startswith("sabotage that is no single line with its words: vague")


SURVIVORS = {
    "one of two": ("assert sum([1, 1]) == 2\nassert max([1, 2]) == 2", ["2: assert max([1, 2]) == 2"]),
    "after the one that fails": ("assert sum([1, 1]) == 2\nassert True", ["2: assert True"]),
    "half of an and": ("assert sum([1, 1]) == 2 and 1 < 2 and [1]", ["1: assert 1 < 2", "1: assert [1]"]),
    "in a loop": ("for x in (0, 1):\n    assert sum([x, x]) == 2 * x\n    assert x < 2", ["3: assert x < 2"]),
    "in a function": ("def f():\n    assert sum([1, 1]) == 2\n    assert f\n\nf()", ["3: assert f"]),
    "one of NumPy's": (
        "from numpy.testing import assert_equal\nassert_equal(sum([1, 1]), 2)\nassert_equal(1, 1)",
        ["3: assert_equal(1, 1)"],
    ),
    "one that raises": (
        "assert sum([1, 1]) == 2\nassert 1 / (sum([1, 1]) - 1)",
        ["2: assert 1 / (sum([1, 1]) - 1)"],
    ),
}


@pytest.mark.parametrize(("source", "survivors"), SURVIVORS.values(), ids=SURVIVORS)
def test_an_assert_that_survives_is_found(write: Write, source: str, survivors: list[str]) -> None:
    path = write((source, "sum = max"))
    assert examine(path).checks == [f"cell-0 survives, line {survivor}" for survivor in survivors]


def test_an_assert_may_fail_under_another_line(write: Write) -> None:
    path = write(("assert sum([1, 1]) == 2\nassert max([1, 2]) == 2", "sum = max", "max = min"))
    assert examine(path) == Report()


def test_an_assert_that_is_never_reached_is_found(write: Write) -> None:
    path = write(("assert sum([1, 1]) == 2\nfor x in []:\n    assert x", "sum = max"))
    assert examine(path).checks == ["cell-0 is not reached, line 3: assert x"]


def test_an_assert_that_fails_as_written_is_found(write: Write) -> None:
    path = write(("assert sum([1, 1]) == 3", "sum = max"))
    assert examine(path).checks == ["cell-0 fails, line 1: assert sum([1, 1]) == 3"]


def test_a_line_that_breaks_nothing_is_found(write: Write) -> None:
    path = write(("assert sum([1, 1]) == 2", "sum = max", "max = min", "sum = no_such"))
    assert examine(path).checks == [
        "cell-0 breaks no assert: max = min",
        "cell-0 breaks no assert: sum = no_such (NameError: name 'no_such' is not defined)",
    ]


def test_a_line_reaches_the_functions_and_caches_of_earlier_cells_and_leaves_no_trace(write: Write) -> None:
    path = write(
        "from functools import cache\ndef two():\n    return sum([1, 1])",
        "@cache\ndef kept():\n    return two()\n\nkept()",
        ("assert kept() == 2\nassert {0: two}[0]() == 2", "sum = max"),
        "assert kept() == 2",
    )
    assert examine(path) == Report()


def test_a_generator_is_left_as_it_was(write: Write) -> None:
    imports = "import numpy as np\nrng = np.random.default_rng(1)\nfirst = np.random.default_rng(1).random()"
    path = write(
        imports, ("assert sum([1, 1]) == 2 * (rng.random() > 0)", "sum = max"), "assert rng.random() == first"
    )
    assert examine(path) == Report()


def test_a_visible_cell_that_needs_a_check_is_found(write: Write) -> None:
    check = ("x = 2\ny = 3\nassert sum([1, 1]) == x", "sum = max")
    path = write("x = 1", check, "y", "print(x)", "def draw():\n    return y")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[4].outputs = [nbformat.v4.new_output("stream", text="2\n")]
    nbformat.write(notebook, path)
    assert examine(path).visible == [
        "cell-2 needs a check cell: NameError: name 'y' is not defined",
        "cell-3 shows other text without the check cells",
    ]
    assert borrowed_names(path) == ["cell-2 uses y", "cell-4 uses y"]


def test_a_check_that_draws_from_the_shared_generator_is_found(write: Write) -> None:
    path = write("rng = 1", ("assert rng == 1",), ("check_rng = 1\nassert (lambda rng: rng)(check_rng)",))
    assert shared_generators(path) == ["cell-1"]
