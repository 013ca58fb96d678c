"""How the pages look and weigh when they are opened: in both modes, on a phone, without scripts, on paper."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

AXE = Path(__file__).parents[2] / "book" / "_ext" / "node_modules" / "axe-core" / "axe.min.js"
MOST_BYTES, MOST_BYTES_WITH_FIGURES, MOST_REQUESTS = 280_000, 450_000, 20
MOST_SHIFT = 0.001
PHONE = {"width": 360, "height": 740}
PACKED = {".woff2", ".png", ".jpg"}

UNFOLD = "document.querySelectorAll('article details').forEach((fold) => { fold.open = true })"
IN_MODE = """(mode) => {
  document.documentElement.dataset.theme = mode;
  for (const change of document.getAnimations()) change.finish();
}"""
# What axe never looks at goes, the drawn formulas and what lies inside a picture; of the words of code one
# of each look stays marked, where look is how it looks in both modes. All elements would take it minutes.
THIN_OUT = """(inMode) => {
  const looks = new Map();
  for (const mode of ["dark", "light"]) {
    inMode(mode);
    for (const word of document.querySelectorAll("pre span")) {
      const { color, backgroundColor, fontSize, fontWeight } = getComputedStyle(word);
      looks.set(word, [looks.get(word), color, backgroundColor, fontSize, fontWeight].join());
    }
  }
  const seen = new Set();
  for (const [word, look] of looks) {
    if (seen.has(look) && !word.children.length) word.replaceWith(...word.childNodes);
    seen.add(look);
  }
  for (const unseen of document.querySelectorAll(".katex-html, svg > *")) unseen.remove();
}"""
LOADED = """[...document.fonts].filter((font) => font.status === "loaded")
  .map((font) => font.family.replaceAll('"', ""))"""
# What a printer would move to the next page whole.
MONOLITHIC = "article :is(.admonition, details:not(.kl-answer), pre, .highlight, .cell_input, .output, table)"
IN_ONE_PIECE = """(boxes) => boxes.filter((box) => {
  const { breakInside, overflowX, overflowY } = getComputedStyle(box);
  return breakInside !== "auto" || overflowX !== "visible" || overflowY !== "visible";
}).map((box) => box.outerHTML.slice(0, 80))"""
SHEET = {"width": 657, "height": 986}  # A4 less its margins, in pixels
OFF_THE_SHEET = """(tables) => tables.filter((table) => table.getBoundingClientRect().right > innerWidth)
  .map((table) => table.textContent.slice(0, 80))"""
BROKEN_WORDS = """(cells) => cells.filter((cell) => getComputedStyle(cell).overflowWrap === "anywhere")
  .map((cell) => cell.textContent.slice(0, 80))"""
FRAMES = re.compile(r" data-frames='[^']*'")


def test_opening_a_page(opened):
    assert opened.refused == []
    assert opened.shift < MOST_SHIFT
    assert len(opened.requests) == len(set(opened.requests)) <= MOST_REQUESTS


def compressed(content: bytes, suffix: str = ".html") -> int:
    return len(content) if suffix in PACKED else len(gzip.compress(content, 9))


def test_a_page_is_light(opened, site):
    files = [site.file(url) for url in opened.requests]
    everything = sum(compressed(file.read_bytes(), file.suffix) for file in files)
    source = (site.folder / opened.path).read_text(encoding="utf-8")
    frames = compressed(source.encode()) - compressed(FRAMES.sub("", source).encode())
    assert everything - frames <= MOST_BYTES
    assert everything <= MOST_BYTES_WITH_FIGURES


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_a_page_opens_in_the_mode_of_the_system(visit, mode):
    page = visit("book/index.html", color_scheme=mode)
    assert page.evaluate("document.documentElement.dataset.theme") == mode


def test_everyone_can_use_it(visit, page_path):
    page = visit(page_path, color_scheme="light")
    page.evaluate(UNFOLD)
    page.evaluate(f"({THIN_OUT})({IN_MODE})")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    # Between the modes the colours alone differ.
    for mode, options in (("light", {}), ("dark", {"runOnly": ["color-contrast"]})):
        page.evaluate(IN_MODE, mode)
        found = page.evaluate(
            "(options) => axe.run(options).then((result) => result.violations)",
            {"resultTypes": ["violations"], **options},
        )
        assert [(rule["id"], node["target"], node["html"]) for rule in found for node in rule["nodes"]] == []


def test_a_phone_shows_the_page_without_sideways_scrolling(page):
    page.set_viewport_size(PHONE)
    page.evaluate(UNFOLD)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


ASIDES = """() => {
  const box = (element) => element.getBoundingClientRect();
  const across = (a, b) => a.left < b.right - 1 && b.left < a.right - 1;
  const meet = (a, b) => across(a, b) && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const blocks = ":is(p, li, summary, figure, table, pre, .math, .admonition)";
  const seen = [...document.querySelectorAll(`article ${blocks}`)]
    .filter((other) => !other.closest("aside") && other.checkVisibility());
  return [...document.querySelectorAll("aside.margin")].map((aside) => ({
    beside: box(aside).left >= box(aside.previousElementSibling).right,
    below: box(aside).top >= box(aside.previousElementSibling).bottom,
    over: seen.filter((other) => meet(box(aside), box(other))).map((other) => other.outerHTML.slice(0, 80)),
  }));
}"""
WIDTHS = {1600: "beside", 1200: "beside", 1100: "below", 390: "below"}


def test_an_aside_stands_beside_its_paragraph_where_there_is_room(page):
    for width, place in WIDTHS.items() if page.locator("aside.margin").count() else ():
        page.set_viewport_size({"width": width, "height": 900})
        for aside in page.evaluate(ASIDES):
            assert aside[place], (width, aside)
            assert aside["over"] == []


def test_formulas_stand_there_without_scripts(visit, chapter_path):
    page = visit(chapter_path, java_script_enabled=False)
    assert page.locator(".katex-html").count() > 0
    assert {"KaTeX_Main", "KaTeX_Math"} <= set(page.evaluate(LOADED))
    heights = "(boxes) => boxes.map((box) => box.getBoundingClientRect().height)"
    assert all(height > 10 for height in page.locator(".math-scroll:visible").evaluate_all(heights))
    assert page.locator(".kl-mode").is_hidden(), "a button that nothing answers"


def test_a_page_works_from_a_plain_folder(visit, site, page_path):
    page = visit((site.folder / page_path).as_uri())
    assert page.evaluate("refused") == []
    if page.locator(".katex").count():
        assert "KaTeX_Main" in page.evaluate(LOADED)


def test_a_page_is_made_ready_for_print(page):
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    assert page.locator("article details:not([open])").count() == 0
    assert page.evaluate("document.getAnimations().length") == 0, "what fades in is not on paper"
    assert page.locator(MONOLITHIC).evaluate_all(IN_ONE_PIECE) == []
    for hidden in (".bd-header-article", ".kl-drawer", ".prev-next-footer", ".copybtn"):
        assert page.locator(hidden).first.is_hidden(), hidden
    assert page.locator("h1").first.is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.locator("article details[data-printed]").count() == 0


def test_a_table_fits_on_paper_and_breaks_no_word(page):
    page.set_viewport_size(SHEET)
    page.emulate_media(media="print")
    assert page.locator("article table").evaluate_all(OFF_THE_SHEET) == []
    assert page.locator("article :is(th, td)").evaluate_all(BROKEN_WORDS) == []


def test_what_is_meant_for_paper_is_seen_there_alone(visit):
    page = visit("book/playground.html")
    words = page.get_by_text("On paper nothing can be dragged.")
    assert words.is_hidden()
    page.emulate_media(media="print")
    assert words.is_visible()


def test_a_chapter_runs_over_as_many_sheets_as_it_needs(visit):
    pdf = visit("book/probabilistic-learning.html").pdf()
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) > 10


def test_colours_carry_meaning_in_both_modes(opened, page, rgb):
    query = """(name) => [...document.querySelectorAll(`.katex .kl-${name}`)].map(
        (element) => getComputedStyle(element).color)"""
    for mode in ("light", "dark"):
        page.evaluate(IN_MODE, mode)
        found = {name: set(page.evaluate(query, name)) for name in "pqd"}
        assert all(colours <= {rgb(name, mode)} for name, colours in found.items())
        assert found["q"] or not opened.is_chapter
        assert all(found.values()) or opened.path != "book/probabilistic-learning.html"
