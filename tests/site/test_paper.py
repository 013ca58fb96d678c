"""The book on paper: one PDF of all pages; contents, bookmarks and links hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pikepdf
import pypdfium2
import pytest
from build import PAPER, PAPER_RECORD, paper_key
from paper import SCALE, first_pages, order

BOOK = Path(__file__).parents[2] / "book"
# They share what is read from the printed book.
pytestmark = pytest.mark.xdist_group("paper")

MOST_EMPTY = 0.5  # of the height of a page, where a figure did not fit any more
DOTS_PER_PIXEL = 300 / 96  # of the browser's printing
FOOT = 60  # points: below are the page numbers


@dataclass(frozen=True)
class Sheet:
    """The text of a printed page, and the height at which it ends, from 0 at the foot to 1."""

    text: str
    end: float


def letters(text: str) -> str:
    """Return a text without its spaces and ligatures: how it is broken into lines says nothing."""
    text = text.replace("\N{LATIN SMALL LIGATURE FI}", "fi").replace("\N{LATIN SMALL LIGATURE FL}", "fl")
    return re.sub(r"\s", "", text)


def first_letters(title: str) -> str:
    """Return the letters of a title up to a formula or a sign of the typesetter."""
    return letters(re.sub(r"[^\x20-\x7e]+.*", "", title))


def read_sheet(page: pypdfium2.PdfPage) -> Sheet:
    words = page.get_textpage()
    bottoms = [words.get_rect(number)[1] for number in range(words.count_rects())]
    whole = page.get_height()
    return Sheet(words.get_text_bounded(), min((b for b in bottoms if b > FOOT), default=whole) / whole)


@pytest.fixture(scope="module")
def book() -> Iterator[pikepdf.Pdf]:
    if not PAPER.is_file():
        pytest.fail(f"there is no printed book at {PAPER}: run `make pdf` first", pytrace=False)
    with pikepdf.open(PAPER) as book:
        yield book


@pytest.fixture(scope="module")
def sheets() -> list[Sheet]:
    with pypdfium2.PdfDocument(PAPER) as document:
        return [read_sheet(page) for page in document]


@pytest.fixture(scope="module")
def chapters(book) -> dict[str, int]:
    """Return the index of the page on which each chapter begins, by its title."""
    with book.open_outline() as outline:
        return {item.title: place(item) for item in outline.root}


@pytest.fixture(scope="module")
def beginnings(book) -> dict[str, int]:
    """Return the index of the page on which each bookmarked heading stands, by its title."""
    with book.open_outline() as outline:
        items = [item for chapter in outline.root for item in (chapter, *chapter.children)]
        return {item.title: place(item) for item in items}


def place(item: pikepdf.OutlineItem) -> int:
    """Return the index of the page that a bookmark leads to."""
    return pikepdf.Page(item.destination[0]).index


def test_bookmarks_lead_to_their_headings(beginnings, sheets):
    assert len(beginnings) > len(order())
    for title, page in beginnings.items():
        assert first_letters(title) in letters(sheets[page].text), title


def test_the_contents_give_the_numbers_that_the_pages_bear(beginnings, sheets):
    first = min(beginnings.values())
    contents = [letters(line) for sheet in sheets[1:first] for line in sheet.text.splitlines()]
    for title, page in beginnings.items():
        entry = re.compile(rf"{re.escape(first_letters(title))}(.*\D)?{page + 1}")
        assert any(entry.fullmatch(line) for line in contents), title
    for index, sheet in enumerate(sheets[1:], start=2):
        assert re.search(rf"(?<!\d){index}(?!\d)", sheet.text), f"page {index} does not say its number"
    assert not any("000" in line for line in contents)


def test_links_stay_in_the_book_or_lead_to_the_world(book):
    known, inside, outside = first_pages(book), 0, 0
    for page in book.pages:
        for annotation in page.obj.get("/Annots", []):
            if "/Dest" in annotation:
                assert str(annotation.Dest).lstrip("/") in known
                inside += 1
            elif "/A" in annotation:
                assert re.match(r"https?://(?!book\.invalid|localhost)", str(annotation.A.URI))
                outside += 1
    assert inside > len(book.pages)
    assert outside > 0


def test_no_page_is_half_empty_but_the_last_of_a_chapter(sheets, chapters):
    lasts = {page - 1 for page in chapters.values()} | {len(sheets) - 1}
    assert [i + 1 for i, s in enumerate(sheets) if s.end > MOST_EMPTY and i not in lasts and i > 0] == []


def test_nothing_is_so_wide_that_the_browser_shrinks_all(book):
    assert {scale(page) for page in book.pages} == {SCALE * DOTS_PER_PIXEL}


def scale(page: pikepdf.Page) -> float:
    """Return the scale of what is printed: the page itself is one change of coordinates, that the second."""
    changes = re.findall(rb"([\d.]+)(?: [-\d.]+){5} cm", page.obj.Contents.read_bytes())
    return float(changes[1])


def test_all_code_is_printed(sheets):
    """Every cell that the pages show, folded or not."""
    printed = letters("".join(sheet.text for sheet in sheets))
    for path in sorted(BOOK.glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code" and "remove-cell" not in cell.metadata.get("tags", []):
                assert letters(cell.source.splitlines()[0]) in printed, (path.name, cell.id)


def test_the_home_page_offers_what_was_printed_from_this_site(site):
    home = (site.folder / "book" / "index.html").read_text(encoding="utf-8")
    assert PAPER_RECORD.read_text(encoding="utf-8") == paper_key()
    assert '<a href="../book.pdf">' in home
    assert (site.folder / "book.pdf").read_bytes() == PAPER.read_bytes()
