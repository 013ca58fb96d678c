"""Print the book: one PDF of all pages of the site, with contents, page numbers, bookmarks and links.

Run as ``python book/_ext/paper.py`` after the site is built. The browser makes one document of the pages
(`paper.js`) and prints it twice: the first printing tells on which page each section begins, the second has
it in the contents.
"""

from __future__ import annotations

import fcntl
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml
from playwright.sync_api import Page, Route, sync_playwright
from pypdf import PdfReader, PdfWriter

from browser import launch
from build import PAPER, PAPER_RECORD, ROOT, SITE, offer_paper, paper_key, same

HERE = Path(__file__).parent
HOST = "http://book.invalid/"  # answered from the site's folder: no server, no network


def settings(name: str) -> dict[str, Any]:
    """Read one of the book's settings files."""
    found: dict[str, Any] = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    return found


def order() -> list[str]:
    """Return the names of the pages, the home page first."""
    toc = settings("_toc.yml")
    chapters = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    return [Path(page).name for page in (toc["root"], *chapters)]


def answer(route: Route) -> None:
    """Give the browser a file of the site."""
    path = SITE / unquote(urlsplit(route.request.url).path).lstrip("/")
    if path.is_file():
        route.fulfill(path=path)
    else:
        route.fulfill(status=404)


def shell() -> str:
    """Return an empty page with the style sheets of a chapter."""
    source = (SITE / "book" / f"{order()[1]}.html").read_text(encoding="utf-8")
    sheets = "".join(re.findall(r'<link rel="stylesheet"[^>]*>', source))
    head = f'<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">{sheets}</head>'
    return f"{head}<body></body></html>"


def first_pages(reader: PdfReader) -> dict[str, int]:
    """Return on which page, from 1, each place that is linked to stands."""
    found = {}
    for name, destination in reader.named_destinations.items():
        number = reader.get_destination_page_number(destination)
        if number is not None:
            found[name.lstrip("/")] = number + 1
    return found


def print_twice(page: Page, target: Path) -> dict[str, int]:
    """Write the PDF of the bound book to `target`, and return the numbers that its contents give."""
    numbers: dict[str, int] = {}
    for _ in range(2):
        page.evaluate("(numbers) => numberPages(numbers)", numbers)
        page.pdf(path=target, prefer_css_page_size=True, print_background=True, tagged=True)
        numbers = numbers or first_pages(PdfReader(target))
    return numbers


def add_bookmarks(target: Path, headings: list[dict[str, Any]], numbers: dict[str, int]) -> None:
    """Give the PDF its bookmarks: the browser's own lose the spaces where a heading runs over a line."""
    writer = PdfWriter(clone_from=target)
    chapter = None
    for heading in headings:
        parent = None if heading["chapter"] else chapter
        item = writer.add_outline_item(
            title=heading["title"], page_number=numbers[heading["place"]] - 1, parent=parent
        )
        chapter = item if heading["chapter"] else chapter
    writer.page_mode = "/UseOutlines"
    writer.add_metadata({"/Author": settings("_config.yml")["author"]})
    writer.write(target)


def print_book(target: Path) -> None:
    """Print the site to `target`."""
    with sync_playwright() as playwright:
        browser = launch(playwright.chromium)
        page = browser.new_page()
        page.route(f"{HOST}**", answer)
        page.route(f"{HOST}book/paper", lambda route: route.fulfill(body=shell(), content_type="text/html"))
        page.goto(f"{HOST}book/paper")
        page.add_script_tag(path=HERE / "paper.js")
        style = (HERE / "paper.css").read_text(encoding="utf-8")
        headings = page.evaluate("([pages, style]) => bind(pages, style)", [order(), style])
        numbers = print_twice(page, target)
        browser.close()
    add_bookmarks(target, headings, numbers)


def main() -> None:
    """Print the book unless it is printed already, and let the site offer it."""
    with (ROOT / "_config.yml").open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        key = paper_key()
        if not same(PAPER_RECORD, key) or not PAPER.is_file():
            PAPER_RECORD.unlink(missing_ok=True)
            print_book(PAPER)
            PAPER_RECORD.write_text(key, encoding="utf-8")
        offer_paper(SITE)


if __name__ == "__main__":
    try:
        main()
    except FileNotFoundError as error:
        sys.exit(f"The book was not printed: {error}")
