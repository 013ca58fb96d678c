"""The book on paper: one PDF of all pages; contents, bookmarks and links hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from build import PAPER, PAPER_RECORD, paper_key
from paper import order
from pypdf import PdfReader

BOOK = Path(__file__).parents[2] / "book"
# They share what is read from the printed book, which takes a minute.
pytestmark = pytest.mark.xdist_group("paper")

MOST_EMPTY = 0.5  # of the height of a page, where a figure did not fit any more
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


def read_sheet(page) -> Sheet:
    heights = []

    def visit(text, current, matrix, *_):
        height = matrix[5] * current[3] + current[5]
        if text.strip() and height > FOOT:
            heights.append(height)

    text, whole = page.extract_text(visitor_text=visit), float(page.mediabox.height)
    return Sheet(text, min(heights, default=whole) / whole)


@pytest.fixture(scope="module")
def reader() -> PdfReader:
    if not PAPER.is_file():
        pytest.fail(f"there is no printed book at {PAPER}: run `make pdf` first", pytrace=False)
    return PdfReader(PAPER)


@pytest.fixture(scope="module")
def sheets(reader) -> list[Sheet]:
    return [read_sheet(page) for page in reader.pages]


@pytest.fixture(scope="module")
def beginnings(reader) -> dict[str, int]:
    """Return the index of the page on which each bookmarked heading stands, by its title."""
    flat = [item for entry in reader.outline for item in (entry if isinstance(entry, list) else [entry])]
    return {item.title: reader.get_destination_page_number(item) for item in flat}


def test_bookmarks_lead_to_their_headings(beginnings, sheets):
    assert len(beginnings) > len(order())
    for title, page in beginnings.items():
        words = re.sub(r"[^\x20-\x7e]+.*", "", title)  # up to a formula or a sign of the typesetter
        assert letters(words) in letters(sheets[page].text), title


def test_the_contents_give_the_numbers_that_the_pages_bear(beginnings, sheets):
    first = min(beginnings.values())
    contents = "\n".join(sheet.text for sheet in sheets[1:first])
    for title, page in beginnings.items():
        assert re.search(rf"(?<!\d){page + 1}(?!\d)", contents), title
    for index, sheet in enumerate(sheets[1:], start=2):
        assert re.search(rf"(?<!\d){index}(?!\d)", sheet.text), f"page {index} does not say its number"
    assert "000" not in contents


def test_links_stay_in_the_book_or_lead_to_the_world(reader):
    known, inside, outside = set(reader.named_destinations), 0, 0
    for page in reader.pages:
        for annotation in (entry.get_object() for entry in page.get("/Annots", [])):
            if "/Dest" in annotation:
                assert annotation["/Dest"] in known or str(annotation["/Dest"]).lstrip("/") in known
                inside += 1
            elif "/A" in annotation:
                assert re.match(r"https?://(?!book\.invalid|localhost)", annotation["/A"]["/URI"])
                outside += 1
    assert inside > len(reader.pages)
    assert outside > 0


def test_no_page_is_half_empty_but_the_last_of_a_chapter(sheets, reader):
    chapters = {
        reader.get_destination_page_number(item) for item in reader.outline if not isinstance(item, list)
    }
    lasts = {page - 1 for page in chapters} | {len(sheets) - 1}
    assert [i + 1 for i, s in enumerate(sheets) if s.end > MOST_EMPTY and i not in lasts and i > 0] == []


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
