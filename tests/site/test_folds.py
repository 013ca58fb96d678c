"""Code gives way to thought: what is folded, under which name, and what opens it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from claims import read_claims

ROOT = Path(__file__).parents[2]
CHAPTER = "book/forward-kl.html"
SCREENS = [{"width": 1280, "height": 800}, {"width": 390, "height": 844}]
CHECKED = re.compile(
    r"✓ (?P<statement>\w+ \d+(?:\.\d+)?)(?P<proved> · proved)? · checked (?P<ways>\d+) ways?"
    r" · sabotage caught(?: (?P<broken>\d+) times)?"
)

OPEN = "[...document.querySelectorAll('article details[open]')].map((fold) => fold.className)"
UNFOLDED_CODE = """[...document.querySelectorAll('article div.cell_input')].filter(
  (code) => !code.closest('details') && !code.closest('.solution')).length"""


def test_the_first_picture_or_table_stands_in_the_first_screen(opened, page):
    if not opened.is_chapter:
        return
    for screen in SCREENS:
        page.set_viewport_size(screen)
        page.evaluate("scrollTo(0, 0)")
        top = page.locator("article :is(figure, table)").first.bounding_box()["y"]
        assert top + 60 <= screen["height"], screen


def test_all_code_is_folded_under_its_own_name(opened, page):
    assert page.evaluate(UNFOLDED_CODE) == 0
    names = page.locator("article details.kl-code > summary").all_inner_texts()
    assert len(names) == len(set(names))
    if not opened.is_chapter:
        return
    notebook = json.loads((ROOT / opened.path).with_suffix(".ipynb").read_text(encoding="utf-8"))
    ids = {f"Code: {cell['id'].replace('-', ' ')}" for cell in notebook["cells"]}
    figures = [name for name in names if re.fullmatch(r"Code of Figure \d+\.\d+", name)]
    assert set(names) <= {"Imports", *ids, *figures}
    assert len(figures) == page.locator("article figure.kl-numbered").count()
    assert figures == sorted(figures, key=lambda name: int(name.rpartition(".")[2]))


def test_the_fold_of_aims_takes_paragraphs_and_no_cell_of_a_table(page):
    aims = page.locator("article details.kl-aims p").all_text_contents()
    assert [aim for aim in aims if not aim.endswith(".")] == []


def test_a_check_is_one_line_that_tells_the_truth(opened, page):
    if not opened.is_chapter:
        return
    claims = read_claims((ROOT / opened.path).with_suffix(".ipynb"))
    lines = page.locator("article details.kl-checks > summary").all_inner_texts()
    found = [CHECKED.fullmatch(line) for line in lines]
    assert all(found), lines
    assert sum(int(line["ways"]) for line in found) == sum(check.ways for check in claims.checks)
    assert sum(int(line["broken"] or 1) for line in found) == sum(len(c.sabotage) for c in claims.checks)
    proved = {line["statement"] for line in found if line["proved"]}
    assert len(proved) == sum(statement.proved for statement in claims.statements)
    heights = "(lines) => lines.map((line) => line.getBoundingClientRect().height)"
    assert max(page.locator("article details.kl-checks").evaluate_all(heights)) <= 40


@pytest.mark.parametrize(
    ("mode", "unfolds"), [("read", r"(?!)"), ("code", r"\bkl-code\b"), ("everything", r"")]
)
def test_the_switch_is_remembered_and_nothing_moves_when_the_next_page_opens(visit, reload, mode, unfolds):
    page = visit(CHAPTER)
    classes = page.locator("article details").evaluate_all("(folds) => folds.map((fold) => fold.className)")
    page.get_by_role("combobox", name="Show").select_option(mode)
    for _ in ("as chosen", "as remembered"):
        assert page.evaluate(OPEN) == [name for name in classes if re.search(unfolds, name)]
        assert page.get_by_role("combobox", name="Show").input_value() == mode
        reload(page, CHAPTER)
    assert page.evaluate("shift") < 0.001


def test_without_scripts_a_check_opens_in_place(visit):
    page = visit(CHAPTER, java_script_enabled=False)
    check = page.locator("details.kl-checks").first
    assert page.get_by_role("combobox", name="Show").is_hidden()
    assert check.locator("pre").first.is_hidden()
    check.locator("summary").click()
    assert check.locator("pre").first.is_visible()
