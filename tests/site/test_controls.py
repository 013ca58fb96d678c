"""Every control of a page, by pointer and by keyboard."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image

CHAPTER = "book/probabilistic-learning.html"
PHONE = {"width": 360, "height": 740}


@pytest.fixture
def chapter(visit):
    return visit(CHAPTER, color_scheme="light")


def test_the_colour_mode_is_kept_and_figures_follow_it(chapter, rgb):
    background = "getComputedStyle(document.body).backgroundColor"
    figure = "getComputedStyle(document.querySelector('article figure svg')).backgroundColor"
    switch = chapter.get_by_role("button", name="Colour mode")
    assert switch.get_attribute("aria-label") == "Colour mode: as the system"
    assert chapter.evaluate(background) == chapter.evaluate(figure) == rgb("ground", "light")
    while chapter.evaluate("document.documentElement.dataset.theme") != "dark":
        switch.click()
    assert chapter.evaluate(background) == chapter.evaluate(figure) == rgb("ground", "dark")
    assert switch.get_attribute("aria-label") == "Colour mode: dark"
    chapter.reload()
    assert chapter.evaluate(background) == rgb("ground", "dark")
    assert switch.get_attribute("aria-label") == "Colour mode: dark"


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


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_the_chapter_list_opens_on_a_phone_closes_and_leads_on(visit, scripts):
    page = visit("book/index.html", viewport=PHONE, java_script_enabled=scripts)
    links = page.get_by_role("navigation", name="Book")
    for leave in (page.get_by_role("button", name="Close the chapters").click, page.keyboard.press):
        assert not links.is_visible()
        page.get_by_role("button", name="Chapters", exact=True).click()
        links.wait_for(state="visible")
        leave(*["Escape"] * (leave == page.keyboard.press))
        links.wait_for(state="hidden")
    page.get_by_role("button", name="Chapters", exact=True).click()
    links.get_by_role("link", name="Notation").click()
    page.wait_for_url(re.compile(r"/book/notation\.html"))
    assert page.locator("h1").inner_text().startswith("Notation")


def test_the_contents_close_the_list_when_they_have_been_used(visit):
    page = visit(CHAPTER, viewport=PHONE)
    page.get_by_role("button", name="Chapters", exact=True).click()
    link = page.locator(".page-toc a").nth(3)
    link.click()
    link.wait_for(state="hidden")
    assert page.evaluate("location.hash") == link.get_attribute("href")


def test_the_section_one_reads_is_marked_in_the_contents(chapter):
    link = chapter.locator(".page-toc a").nth(3)
    link.click()
    chapter.locator(f".page-toc a.active[href='{link.get_attribute('href')}']").wait_for()


def test_code_is_copied_without_prompts(visit):
    page = visit("book/api.html", permissions=["clipboard-read", "clipboard-write"])
    code = page.locator("div.highlight", has_text=">>> kl_divergence(").first
    code.hover()
    code.get_by_role("button", name="Copy").click()
    code.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("from scipy import stats\n")
    assert ">>>" not in copied


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


FOCUSED = """() => {
  const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(document.activeElement);
  return [document.activeElement.dataset.key, `${outlineStyle} ${outlineWidth} ${outlineColor}`];
}"""


def test_the_keyboard_reaches_every_control_in_sight_and_shows_where_it_is(chapter, rgb):
    selector = "a[href], button, input, select, summary, [tabindex='0']"
    expected = chapter.evaluate(
        """(selector) => [...document.querySelectorAll(selector)]
             .filter((e) => e.checkVisibility({visibilityProperty: true}) && e.tabIndex >= 0)
             .map((e, i) => (e.dataset.key = String(i)))""",
        selector,
    )
    rings = {}
    for _ in range(len(expected) + 5):
        chapter.keyboard.press("Tab")
        key, ring = chapter.evaluate(FOCUSED)
        rings[key] = ring
    rings.pop(None, None)  # the page itself, after the last control
    assert set(rings) >= set(expected)
    assert set(rings.values()) == {f"solid 2px {rgb('ink', 'light')}"}
    assert chapter.locator("a.headerlink:not([tabindex='-1'])").count() == 0


def test_the_skip_link_comes_first(chapter):
    chapter.keyboard.press("Tab")
    assert chapter.evaluate("document.activeElement.getAttribute('href')") == "#main-content"


def test_forced_colours_leave_the_track_of_a_slider_and_the_focus_to_be_seen(visit):
    page = visit(CHAPTER, forced_colors="active")
    slider = page.locator(".kl-control input[type=range]").first
    picture = np.asarray(Image.open(io.BytesIO(slider.screenshot())).convert("RGB"))
    drawn = (picture != picture[0, 0]).any(axis=2)
    assert drawn.any(axis=0).mean() > 0.95, "a thumb without a track"
    slider.focus()
    system = """(name) => {
      document.body.style.color = name;
      return getComputedStyle(document.body).color;
    }"""
    highlight = page.evaluate(system, "Highlight")
    assert slider.evaluate("(slider) => getComputedStyle(slider).outlineColor") == highlight


@pytest.mark.parametrize("path", [CHAPTER, "book/api.html", "book/playground.html"])
def test_fingers_hit_every_control(visit, path):
    page = visit(path, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.evaluate("document.querySelectorAll('.kl-controls details').forEach((fold) => { fold.open = true })")
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, summary, select, input, .kl-drawer a")]
             .filter((e) => e.checkVisibility({visibilityProperty: true, opacityProperty: true}))
             .map((e) => (e.matches("[type=checkbox]") ? e.closest("label") : e)) // its words are hit too
             .filter((e) => e.getBoundingClientRect().height < 40)
             .map((e) => [e.outerHTML.slice(0, 80), e.getBoundingClientRect().height])"""
    )
    assert small == []


@pytest.mark.parametrize("name", ["summary", "claims"])
def test_tables_are_cards_on_a_phone_and_say_what_each_cell_is(visit, name):
    page = visit(f"book/{name}.html", viewport=PHONE)
    table = page.locator("article table").first
    heads = [head.strip() for head in table.locator("th").all_text_contents()]
    row = table.get_by_role("row").nth(1).get_by_role("cell")
    labels = row.evaluate_all("(cells) => cells.map((cell) => cell.dataset.label)")
    assert [label[:7] for label in labels] == [head[:7] for head in heads]
    assert page.evaluate("""[...document.querySelectorAll("article table")].every(
      (table) => table.scrollWidth <= table.parentElement.clientWidth + 1)""")
    tops = row.evaluate_all("(cells) => cells.map((cell) => cell.getBoundingClientRect().top)")
    assert tops[1] > tops[0]


def test_a_number_stands_below_a_formula_that_needs_the_whole_line(visit, chapter_path):
    page = visit(chapter_path, viewport=PHONE)
    page.evaluate("document.querySelectorAll('article details').forEach((fold) => { fold.open = true })")
    beside_wide = page.evaluate(
        """() => [...document.querySelectorAll("div.math:has(.eqno)")].filter((formula) => {
             const [box, number] = [formula.querySelector(".math-scroll"), formula.querySelector(".eqno")];
             const below = number.getBoundingClientRect().top >= box.getBoundingClientRect().bottom - 1;
             return box.scrollWidth > box.clientWidth + 1 && !below;
           }).map((formula) => formula.id)"""
    )
    assert beside_wide == []


def test_a_wide_formula_scrolls_by_keyboard(visit):
    page = visit(CHAPTER, viewport=PHONE)
    wide = page.locator(".math-scroll[data-wide]:visible").first
    wide.evaluate("(box) => box.addEventListener('scroll', () => box.setAttribute('data-scrolled', ''))")
    wide.focus()
    page.keyboard.press("ArrowRight")
    page.locator(".math-scroll[data-scrolled]").wait_for()
    assert wide.get_attribute("aria-label") == "Wide formula"


@pytest.mark.parametrize("lost", ["nowhere.html", "book/nowhere.html"])
def test_a_page_that_is_not_there_leads_home(visit, site, lost):
    page = visit("404.html")
    missing = (site.folder / "404.html").read_text(encoding="utf-8")
    page.route(f"**/{lost}", lambda route: route.fulfill(body=missing, content_type="text/html"))
    page.goto(site.url + lost)
    page.get_by_role("link").click()
    page.wait_for_url(site.url + "book/index.html")


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
