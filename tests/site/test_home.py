"""The home page: what it is in the first screen, how long the chapters take, and its small pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from home import WORDS_A_MINUTE, minutes, thumbnail, words
from sphinx.errors import ExtensionError

BOOK = Path(__file__).parents[2] / "book"
HOME = "book/index.html"
BOTTOM = "(element) => element.getBoundingClientRect().bottom"


@pytest.mark.parametrize("screen", [(390, 844), (1280, 800)])
def test_title_and_figure_are_in_the_first_screen(visit, screen):
    width, height = screen
    page = visit(HOME, viewport={"width": width, "height": height})
    assert page.locator("h1").bounding_box()["y"] > 0
    assert page.locator(".kl-playground .kl-picture").evaluate(BOTTOM) <= height


def test_every_chapter_has_its_minutes(visit):
    page = visit(HOME)
    rows = page.locator("article table tbody tr").all()
    links = [row.locator("a").first.get_attribute("href") for row in rows]
    assert links == [f"{Path(link).stem}.html" for link in links]
    stated = [int(row.locator("td").last.inner_text()) for row in rows]
    assert stated == [minutes(BOOK / Path(link).with_suffix(".ipynb")) for link in links]
    assert "a hundred words a minute" in page.locator("article").inner_text()
    assert WORDS_A_MINUTE == 100


def test_it_leads_to_the_first_chapter(visit, site):
    page = visit(HOME)
    page.get_by_role("link", name="Start with chapter 1").click()
    page.wait_for_url(site.url + "book/probabilistic-learning.html")


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_small_pictures_are_links_to_figures_and_say_what_is_seen(visit, site, mode):
    page = visit(HOME, color_scheme=mode)
    links = page.locator(".kl-thumbnails a")
    assert links.count() == 6
    for link in links.all():
        picture = link.get_by_role("img")
        assert len(picture.get_attribute("aria-label")) >= 40
        assert picture.locator("path").count()
        file, _, anchor = link.get_attribute("href").partition("#")
        assert f'id="{anchor}"' in (site.folder / "book" / file).read_text(encoding="utf-8")
    ground = links.first.locator("svg").evaluate("(svg) => getComputedStyle(svg).backgroundColor")
    assert ground == page.locator("body").evaluate("(body) => getComputedStyle(body).backgroundColor")


NOTEBOOK = r"""{"cells": [
  {"cell_type": "markdown", "source": ["# A title\n", "\n", "See {prf:ref}`gibbs` or [this](there.md).\n"]},
  {"cell_type": "markdown", "source": ["$$\n", "x + y = z\n", "$$ (eq-sum)\n", "\n", "With $a$ it’s so."]},
  {"cell_type": "code", "source": ["not_a_word"], "outputs": []}
]}"""


def test_words_are_counted_and_a_formula_is_one(tmp_path):
    path = tmp_path / "chapter.ipynb"
    path.write_text(NOTEBOOK, encoding="utf-8")
    assert words(path) == len(
        ["A", "title", "See", "reference", "or", "this", "formula", "With", "formula", "it’s", "so"]
    )
    assert minutes(path) == 5


def test_a_figure_that_is_not_there_is_refused(tmp_path):
    path = tmp_path / "chapter.ipynb"
    path.write_text(NOTEBOOK, encoding="utf-8")
    with pytest.raises(ExtensionError, match=r"chapter\.ipynb has no figure fig-none"):
        thumbnail(path, "fig-none")
