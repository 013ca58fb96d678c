"""Questions before figures: by pointer, by keyboard, and without scripts; each answer explains itself."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import pytest
from predict import read_questions
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

CHAPTER, PLAYGROUND = "book/reverse-kl.html", "book/playground.html"
BOOK = Path(__file__).parents[2] / "book"
QUESTION = ".kl-predict"
QUESTION_TEXT = """:::{predict} How much is one and one?
:label: ask-sum

1. One.

   *Not right.* That is the larger of the two.

2. Two.

   *Right.* Count.
:::
"""


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


MALFORMED = {
    "no label": QUESTION_TEXT.replace(":label: ask-sum\n", ""),
    "another label": QUESTION_TEXT.replace("ask-sum", "sum"),
    "none right": QUESTION_TEXT.replace("*Right.*", "*Not right.*"),
    "two right": QUESTION_TEXT.replace("*Not right.*", "*Right.*"),
    "one answer": QUESTION_TEXT[: QUESTION_TEXT.index("2. Two")] + ":::\n",
    "no explanation": QUESTION_TEXT.replace("\n\n   *Right.* Count.", ""),
    "no list": ":::{predict} What?\n:label: ask-what\n\nWell.\n:::\n",
    "nothing": ":::{predict} What?\n:label: ask-what\n:::\n",
}


def build(folder, text):
    """Build a page in a small book; return it, and what Sphinx complained of."""
    (folder / "index.md").write_text(f"# A title\n\n{text}", encoding="utf-8")
    settings = {
        "extensions": ["myst_parser", "predict"],
        "myst_enable_extensions": ["colon_fence"],
        "numfig": True,
        "numfig_format": {"question": "Question %s"},
    }
    complaints = StringIO()
    with docutils_namespace():
        app = Sphinx(folder, None, folder / "out", folder / "trees", "html", settings, None, complaints)
        app.build()
    return (folder / "out" / "index.html").read_text(encoding="utf-8"), complaints.getvalue()


def test_a_question_becomes_folded_answers_with_their_number(tmp_path):
    page, complaints = build(tmp_path, f"{QUESTION_TEXT}\nSee {{numref}}`ask-sum`.\n")
    assert complaints == ""
    assert page.count("<details") == 2
    assert page.count('class="kl-answer kl-right"') == 1
    assert re.search(r'<a [^>]*href="#ask-sum"[^>]*><span class="std std-numref">Question 1</span>', page)


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_question_is_refused_with_its_line(tmp_path, text):
    _, complaints = build(tmp_path, text)
    assert "index.md:3: ERROR: predict takes " in complaints
