"""Every figure with sliders of the argument is preceded by a question, and a check computes its answer."""

from __future__ import annotations

import ast
from pathlib import Path

import nbformat
import pytest
from claims import Check, Claims, read_claims
from predict import PREFIX, Question, read_questions

from tests.book.conftest import BOOK, NOTEBOOKS
from tests.book.test_captions import drawn

ARGUMENT = ("probabilistic-learning", "forward-kl", "reverse-kl", "gradient-estimators", "summary")
PAGES = sorted(BOOK.glob("*.md"))


def asked_on_pages() -> list[Question]:
    """Return the questions of the pages that are no notebooks; a notebook checks them."""
    return [q for path in PAGES for q in read_questions(path.read_text(encoding="utf-8"))]


def asserted(source: str) -> list[list[bool]]:
    """Return what a cell asserts of its answers: each list of truth values that `holds` must equal."""
    tests = [node.test for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assert)]
    return [
        ast.literal_eval(test.comparators[0])
        for test in tests
        if isinstance(test, ast.Compare)
        and ast.unparse(test.left) == "holds"
        and isinstance(test.ops[0], ast.Eq)
        and isinstance(test.comparators[0], ast.List)
    ]


def given(source: str) -> list[str]:
    """Return the truth values that a cell gives to `holds` without computing them."""
    return [
        ast.unparse(node)
        for statement in ast.walk(ast.parse(source))
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "holds"
        for node in ast.walk(statement.value)
        if isinstance(node, ast.Constant) and isinstance(node.value, bool)
    ]


def unanswered(questions: list[Question], checks: list[Check]) -> list[str]:
    """Say which questions no check answers, from computed values, by the answer that is marked."""
    found = []
    for question in questions:
        marked = [number == question.right for number in range(1, question.answers + 1)]
        sources = [check.source for check in checks if check.claim == question.label]
        answers = [answer for source in sources for answer in asserted(source)]
        if not question.label.startswith(PREFIX):
            found.append(f"no label: {question.title}")
        if not question.right or not 2 <= question.answers <= 4:
            found.append(f"not one right answer of two to four: {question.title}")
        if answers != [marked]:
            found.append(f"{question.label}: marked {marked}, asserted {answers}")
        found += [f"{question.label}: {value} is not computed" for s in sources for value in given(s)]
    return found


def surprises(notebook: nbformat.NotebookNode) -> list[str]:
    """Return the figures with sliders before which, since the last figure, nothing was asked."""
    found, asked = [], False
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            asked = asked or any(read_questions(cell.source))
        elif html := drawn(cell):
            if "data-frames" in html and not asked:
                found.append(cell.id)
            asked = False
    return found


def test_every_question_has_a_check_that_computes_its_answer(path: Path) -> None:
    claims = read_claims(path)
    assert unanswered(claims.questions, claims.checks) == []


def test_questions_of_pages_have_one_in_a_notebook() -> None:
    checks = [check for path in NOTEBOOKS for check in read_claims(path).checks]
    assert asked_on_pages()
    assert unanswered(asked_on_pages(), checks) == []


@pytest.mark.parametrize("name", ARGUMENT)
def test_a_question_comes_before_every_figure_with_sliders(name: str) -> None:
    assert surprises(nbformat.read(BOOK / f"{name}.ipynb", as_version=4)) == []


ASKED = """:::{predict} How much is one and one?
:label: ask-sum

1. One.

   *Not right.* That is the larger of the two.

2. Two.

   *Right.* Count.
:::
"""


def test_a_question_is_read() -> None:
    assert list(read_questions(ASKED)) == [Question("How much is one and one?", "ask-sum", 2, 2)]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("holds = [x == 1, x == 2]\nassert holds == [False, True]", []),
        ("holds = [x == 1, x == 2]\nassert holds == [True, False]", ["marked [False, True], asserted"]),
        ("assert x == 2", ["marked [False, True], asserted []"]),
        ("holds = [x == 1, True]\nassert holds == [False, True]", ["True is not computed"]),
    ],
)
def test_a_check_that_does_not_answer_is_found(source: str, found: list[str]) -> None:
    said = unanswered(list(read_questions(ASKED)), [Check("sum", "ask-sum", source, (), 1)])
    assert len(said) == len(found)
    assert all(part in line for part, line in zip(found, said, strict=True))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (ASKED.replace("*Not right.*", "*Right.*"), "not one right answer"),
        (ASKED.replace(":label: ask-sum\n", ""), "no label"),
    ],
)
def test_a_malformed_question_is_found(text: str, found: str) -> None:
    claims = Claims("", [], [], list(read_questions(text)))
    assert any(line.startswith(found) for line in unanswered(claims.questions, claims.checks))


def test_a_figure_without_a_question_is_found() -> None:
    output = nbformat.v4.new_output(
        "display_data", {"text/html": '<figure class="kl-figure" data-frames="">'}
    )
    first, second = (nbformat.v4.new_code_cell("", id=name, outputs=[output]) for name in ("first", "second"))
    asked = nbformat.v4.new_markdown_cell(ASKED)
    assert surprises(nbformat.v4.new_notebook(cells=[asked, first, second])) == ["second"]
