"""How the pages look and weigh when they are opened: in both modes, on a phone, without scripts, on paper."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

AXE = Path(__file__).parents[2] / "book" / "_ext" / "node_modules" / "axe-core" / "axe.min.js"
MOST_BYTES, MOST_BYTES_WITH_FIGURES, MOST_REQUESTS = 300_000, 450_000, 32
MOST_SHIFT = 0.02
PHONE = {"width": 360, "height": 740}
PACKED = {".woff2", ".png", ".jpg"}

UNFOLD = "document.querySelectorAll('article details').forEach((fold) => { fold.open = true })"
FRAMES = re.compile(r" data-frames='[^']*'")


def test_opening_a_page(visit, log, page_path):
    page = visit(page_path)
    assert page.evaluate("refused") == []
    assert page.evaluate("shift") < MOST_SHIFT
    assert len(log.requests) == len(set(log.requests)) <= MOST_REQUESTS


def compressed(content: bytes, suffix: str = ".html") -> int:
    return len(content) if suffix in PACKED else len(gzip.compress(content, 9))


def test_a_chapter_is_light(visit, site, log, chapter_path):
    visit(chapter_path)
    files = [site.file(url) for url in log.requests]
    everything = sum(compressed(file.read_bytes(), file.suffix) for file in files)
    source = (site.folder / chapter_path).read_text(encoding="utf-8")
    frames = compressed(source.encode()) - compressed(FRAMES.sub("", source).encode())
    assert everything - frames <= MOST_BYTES
    assert everything <= MOST_BYTES_WITH_FIGURES


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_everyone_can_use_it(visit, page_path, mode):
    page = visit(page_path, color_scheme=mode, bypass_csp=True)
    assert page.evaluate("document.documentElement.dataset.theme") == mode
    page.evaluate(UNFOLD)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    # Between the modes the colours alone differ.
    options = {"resultTypes": ["violations"]} | ({"runOnly": ["color-contrast"]} if mode == "dark" else {})
    found = page.evaluate("(options) => axe.run(options).then((result) => result.violations)", options)
    assert [(rule["id"], node["target"], node["html"]) for rule in found for node in rule["nodes"]] == []


def test_a_phone_shows_the_page_without_sideways_scrolling(visit, page_path):
    page = visit(page_path, viewport=PHONE)
    page.evaluate(UNFOLD)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_formulas_stand_there_without_scripts(visit, chapter_path):
    page = visit(chapter_path, java_script_enabled=False)
    formulas = page.locator(".katex-html")
    assert formulas.count() > 0
    assert page.evaluate("document.fonts.check('1em KaTeX_Math')")
    assert all(
        formula.bounding_box()["height"] > 10 for formula in page.locator(".math-scroll:visible").all()
    )
    assert page.locator(".theme-switch-button").is_hidden(), "a button that nothing answers"


def test_a_page_works_from_a_plain_folder(visit, site, page_path):
    page = visit((site.folder / page_path).as_uri())
    assert page.evaluate("refused") == []
    if page.locator(".katex").count():
        assert page.evaluate("document.fonts.check('1em KaTeX_Math')")


def test_a_chapter_prints(visit, chapter_path):
    page = visit(chapter_path)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("article details:not([open])").count() == 0
    for hidden in (".bd-header-article", ".bd-sidebar-primary", ".prev-next-footer", ".copybtn"):
        assert page.locator(hidden).first.is_hidden(), hidden
    assert page.locator("h1").first.is_visible()
    pdf = page.pdf()
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 2
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("article details[data-printed]").count() == 0


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_colours_carry_meaning_in_both_modes(visit, rgb, chapter_path, mode):
    page = visit(chapter_path, color_scheme="light")
    page.evaluate("(mode) => { document.documentElement.dataset.theme = mode }", mode)
    query = """(name) => [...document.querySelectorAll(`.katex .kl-${name}`)].map(
        (element) => getComputedStyle(element).color)"""
    found = {name: set(page.evaluate(query, name)) for name in "pqd"}
    assert found["q"]
    assert all(colours <= {rgb(name, mode)} for name, colours in found.items())
    if chapter_path == "book/probabilistic-learning.html":
        assert all(found.values())
