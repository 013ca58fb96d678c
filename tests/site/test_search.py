"""The search leads to sections and statements, knows other words for them, and weighs little."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from formula_text import formula_text

AXE = Path(__file__).parents[2] / "book" / "_ext" / "node_modules" / "axe-core" / "axe.min.js"
MOST_BYTES = 100_000
ITEMS = "#search-results li > a"


@pytest.fixture(scope="module")
def book(site):
    script = (site.folder / "_static" / "search-records.js").read_text(encoding="utf-8")
    return json.loads(script.removeprefix("const BOOK = ").removesuffix(";\n"))


def found(visit, query: str) -> list[tuple[str, str]]:
    """Return the titles and the places that a search finds, the first ten."""
    page = visit(f"search.html?q={quote(query)}")
    page.locator(ITEMS).first.wait_for()
    links = page.locator(ITEMS).evaluate_all("(links) => links.map((a) => [a.textContent, a.href])")
    return [(title, re.sub(r".*/book/", "", place)) for title, place in links[:10]]


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("Gibbs", "probabilistic-learning.html#gibbs-inequality"),
        ("moment matching", "forward-kl.html#moment-matching"),
        ("what the bound leaves open", "reverse-kl.html#elbo-bound"),
        ("kl_divergence", "api.html#kl_lib.kl_divergence"),
    ],
)
def test_what_has_a_name_comes_first(visit, book, query, place):
    places = [record[0].removeprefix("book/") for record in book["records"]]
    assert place in places
    assert place in [where for _, where in found(visit, query)[:3]]


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("relative entropy", "def-kl"),
        ("evidence lower bound", "elbo"),
        ("ELBO", "elbo"),
        ("zero forcing", "mode-seeking"),
        ("zero avoiding", "mass-covering"),
        ("REINFORCE", "score-function"),
        ("RLHF", "where-you-meet-it.html#"),
        ("VAE", "where-you-meet-it.html#"),
        ("marginal likelihood", "evidence"),
    ],
)
def test_other_words_for_it_find_it(visit, asked, meant):
    assert any(meant in place for _, place in found(visit, asked)), asked


def test_a_slip_of_the_finger_is_forgiven(visit):
    assert any("#gibbs-inequality" in place for _, place in found(visit, "Gibs inequaltiy"))


def test_every_record_is_a_place_of_its_own_without_code(site, book):
    addresses = [record[0] for record in book["records"]]
    assert len(addresses) == len(set(addresses)) > 100
    pages = {address.split("#")[0] for address in addresses}
    text = {page: (site.folder / page).read_text(encoding="utf-8") for page in pages}
    for address, title, _, _, words in book["records"]:
        page, _, place = address.partition("#")
        assert title
        assert not place or f'id="{place}"' in text[page], address
        assert not re.search(r"\\[a-z]+|import numpy|assert |<\w+", words), address


def test_every_statement_is_found_by_its_number(site, book):
    titles = {record[1] for record in book["records"] if record[3] == "statement"}
    for kind in ("Proposition", "Theorem", "Definition", "Exercise"):
        assert any(re.match(rf"{kind} \d+\.\d+ \(.+\)", title) for title in titles), kind
    chapter = (site.folder / "book" / "forward-kl.html").read_text(encoding="utf-8")
    numbered = re.findall(r'<span class="caption-number">((?:Proposition|Theorem) [\d.]+) </span>', chapter)
    assert numbered
    assert {
        number for number in numbered if not any(title.startswith(f"{number} ") for title in titles)
    } == set()


def test_a_search_weighs_little(visit, log, site):
    visit("search.html?q=entropy").locator(ITEMS).first.wait_for()
    own = {site.file(url) for url in log.requests if re.search(r"/(minisearch|search[\w-]*)\.(js|html)", url)}
    assert len(own) == 4
    assert sum(len(gzip.compress(file.read_bytes(), 9)) for file in own) <= MOST_BYTES


def test_it_answers_as_one_types_by_keyboard_alone_and_says_how_much(visit):
    page = visit("search.html")
    page.keyboard.type("cross-entropy")
    page.locator(ITEMS).first.wait_for()
    assert re.fullmatch(r"\d+ places found(, the first \d+ shown)?", page.get_by_role("status").inner_text())
    assert page.url.endswith("?q=cross-entropy")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement === document.querySelector('#search-results a')")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/book/"))


def test_nothing_found_is_said(visit):
    page = visit("search.html?q=xylophone%20zebra%20quartz")
    assert page.get_by_role("status").inner_text() == "No places found"


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_everyone_can_use_the_results(visit, mode):
    page = visit("search.html?q=divergence", color_scheme=mode)
    page.locator(ITEMS).first.wait_for()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    violations = page.evaluate("axe.run().then((result) => result.violations)")
    assert [(rule["id"], node["html"]) for rule in violations for node in rule["nodes"]] == []


def test_it_works_from_a_plain_folder(visit, site):
    page = visit((site.folder / "search.html").as_uri() + "?q=entropy")
    page.locator(ITEMS).first.click()
    page.wait_for_url(re.compile(r"^file:.*/book/"))


def test_without_scripts_it_says_where_to_look(visit):
    page = visit("search.html", java_script_enabled=False)
    assert "needs its scripts" in page.locator("noscript p").inner_text()
    assert page.get_by_role("link", name="the list of all claims").is_visible()


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"D_\text{KL}(p_\star \| p_\theta)", "D_KL(p⋆ ‖ pθ)"),
        (r"\frac{a + b}{c}", "(a + b)/c"),
        (r"\log \hat p_n(x)^2", "log p̂n(x)^2"),
        (r"\sqrt{x}", "√x"),
    ],
)
def test_a_formula_is_read_once_as_text(tex, text):
    assert formula_text(tex) == text
