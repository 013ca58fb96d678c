"""Questions before figures: by pointer, by keyboard, and without scripts; each answer explains itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from predict import read_questions

CHAPTER, PLAYGROUND = "book/reverse-kl.html", "book/playground.html"
BOOK = Path(__file__).parents[2] / "book"
QUESTION = ".kl-predict"


@pytest.mark.parametrize("scripts", [True, False])
def test_an_answer_explains_itself_when_chosen(visit, scripts):
    page = visit(CHAPTER, java_script_enabled=scripts)
    answers = page.locator(QUESTION).first.locator("details")
    for answer in answers.all():
        reason = answer.locator("p").first
        assert not reason.is_visible()
        answer.locator("summary").click()
        assert reason.is_visible()
        right = "kl-right" in answer.get_attribute("class")
        assert reason.inner_text().startswith("Right." if right else "Not right.")


def test_a_question_is_answered_by_keyboard(visit):
    page = visit(PLAYGROUND)
    first, second = page.locator(f"{QUESTION} summary").all()[:2]
    first.focus()
    page.keyboard.press("Tab")
    assert second.evaluate("(summary) => summary === document.activeElement")
    page.keyboard.press("Enter")
    assert page.locator(f"{QUESTION} details[open]").count() == 1
    page.keyboard.press("Space")
    assert page.locator(f"{QUESTION} details[open]").count() == 0


def test_a_question_is_a_group_named_by_itself(visit):
    page = visit(PLAYGROUND)
    (question,) = read_questions((BOOK / "playground.md").read_text(encoding="utf-8"))
    name = "Question 1 A bump of weight"
    group = page.get_by_role("group", name=name)
    assert group.count() == 1
    assert group.locator("details").count() == question.answers
    marked = [
        bool(c)
        for c in group.locator("details").evaluate_all(
            "(answers) => answers.map((answer) => answer.matches('.kl-right'))"
        )
    ]
    assert marked.index(True) + 1 == question.right


def test_choosing_stores_and_asks_for_nothing(visit, log):
    page = visit(PLAYGROUND)
    kept, asked = page.evaluate("JSON.stringify({...localStorage})"), len(log.requests)
    for answer in page.locator(f"{QUESTION} summary").all():
        answer.click()
    assert page.evaluate("JSON.stringify({...localStorage})") == kept
    assert len(log.requests) == asked
    page.reload()
    assert page.locator(f"{QUESTION} details[open]").count() == 0


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_does_not_scroll_sideways_when_all_is_open(visit, width):
    page = visit(CHAPTER, viewport={"width": width, "height": 844})
    page.evaluate("document.querySelectorAll('.kl-predict details').forEach((fold) => { fold.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
