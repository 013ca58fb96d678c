"""Every control of a page, by pointer and by keyboard."""

from __future__ import annotations

import re

import pytest

CHAPTER = "book/probabilistic-learning.html"
PHONE = {"width": 360, "height": 740}


@pytest.fixture
def chapter(visit):
    return visit(CHAPTER, color_scheme="light")


def test_the_colour_mode_is_kept_and_figures_follow_it(chapter, rgb):
    background = "getComputedStyle(document.body).backgroundColor"
    figure = "getComputedStyle(document.querySelector('article figure svg')).backgroundColor"
    switch = chapter.get_by_role("button", name="Colour mode")
    assert chapter.evaluate(background) == chapter.evaluate(figure) == rgb("ground", "light")
    while chapter.evaluate("document.documentElement.dataset.theme") != "dark":
        switch.click()
    assert chapter.evaluate(background) == chapter.evaluate(figure) == rgb("ground", "dark")
    chapter.reload()
    assert chapter.evaluate(background) == rgb("ground", "dark")


def test_print_and_full_screen(chapter):
    chapter.evaluate("window.print = () => { window.printed = true }")
    chapter.get_by_role("button", name="Print").click()
    assert chapter.evaluate("window.printed")
    chapter.get_by_role("button", name="Full screen").click()
    chapter.locator("html:fullscreen").wait_for(state="attached")
    chapter.get_by_role("button", name="Full screen").click()
    chapter.locator("html:not(:fullscreen)").wait_for(state="attached")


def test_the_chapter_list_folds_away_beside_a_wide_page(chapter):
    links = chapter.get_by_role("navigation", name="Book")
    assert links.is_visible()
    chapter.get_by_role("button", name="Chapters").click()
    links.wait_for(state="hidden")
    chapter.get_by_role("button", name="Chapters").click()
    links.wait_for(state="visible")


def test_the_chapter_list_opens_on_a_phone_and_leads_on(visit):
    page = visit("book/index.html", viewport=PHONE)
    links = page.get_by_role("navigation", name="Book")
    assert not links.is_visible()
    page.get_by_role("button", name="Chapters").click()
    links.wait_for(state="visible")
    links.get_by_role("link", name="Notation").click()
    page.wait_for_url(re.compile(r"/book/notation\.html"))
    assert page.locator("h1").inner_text().startswith("Notation")


def test_the_run_menu_opens_closes_and_hands_out_the_notebook(chapter):
    menu = chapter.locator("details.run-chapter")
    chapter.get_by_text("Run this chapter").click()
    with chapter.expect_download() as download:
        menu.get_by_role("link", name="Download the notebook").click()
    assert download.value.suggested_filename.endswith(".ipynb")
    chapter.keyboard.press("Escape")
    assert menu.get_attribute("open") is None
    chapter.get_by_text("Run this chapter").click()
    chapter.mouse.click(640, 850)
    assert menu.get_attribute("open") is None


def test_a_proof_unfolds_by_keyboard_and_by_link(chapter):
    fold = chapter.locator("article details").first
    fold.locator("summary").first.focus()
    chapter.keyboard.press("Enter")
    assert fold.get_attribute("open") is not None
    chapter.keyboard.press("Enter")
    assert fold.get_attribute("open") is None
    inside = chapter.evaluate("document.querySelector('article details [id]')?.id")
    if inside:
        chapter.evaluate("(id) => { location.hash = id }", inside)
        chapter.locator(f"details[open] [id='{inside}']").wait_for()


def test_the_keyboard_reaches_every_control_in_sight(chapter):
    selector = "a[href], button, input, select, summary, [tabindex='0']"
    expected = chapter.evaluate(
        """(selector) => [...document.querySelectorAll(selector)]
             .filter((e) => e.checkVisibility({visibilityProperty: true}) && e.tabIndex >= 0)
             .map((e, i) => (e.dataset.key = i))""",
        selector,
    )
    chapter.evaluate(
        "window.reached = []; addEventListener('focusin', (event) => reached.push(event.target.dataset.key))"
    )
    for _ in range(len(expected) + 5):
        chapter.keyboard.press("Tab")
    assert {str(key) for key in expected} <= set(chapter.evaluate("reached"))


def test_the_skip_link_comes_first_and_focus_can_be_seen(chapter):
    chapter.keyboard.press("Tab")
    assert chapter.evaluate("document.activeElement.getAttribute('href')") == "#main-content"
    chapter.get_by_role("button", name="Print").focus()
    chapter.keyboard.press("Tab")
    assert chapter.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_a_wide_formula_scrolls_by_keyboard(visit):
    page = visit(CHAPTER, viewport=PHONE)
    wide = page.locator(".math-scroll[data-wide]:visible").first
    wide.evaluate("(box) => box.addEventListener('scroll', () => box.setAttribute('data-scrolled', ''))")
    wide.focus()
    page.keyboard.press("ArrowRight")
    page.locator(".math-scroll[data-scrolled]").wait_for()
    assert wide.get_attribute("aria-label") == "Wide formula"


def test_a_statement_is_reached_by_its_permalink(chapter):
    title = chapter.locator("div.proof > p.admonition-title").first
    title.hover()
    title.locator("a.headerlink").click()
    assert chapter.evaluate("document.querySelector(':target').classList.contains('proof')")


@pytest.mark.parametrize("word", ["surprise", "Gibbs"], ids=["prose", "statement"])
def test_the_search_finds_from_every_page(visit, word):
    page = visit("book/index.html")
    page.get_by_role("searchbox").fill(word)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("search.html"))
    page.locator("#search-results li a").first.wait_for()
    page.locator("#search-results li", has_text="Probabilistic learning").first.get_by_role("link").click()
    page.wait_for_url(re.compile(r"probabilistic-learning\.html"))
