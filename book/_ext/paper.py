"""Print the book: one PDF of all pages of the site, with contents, page numbers, bookmarks and links.

Run as ``python book/_ext/paper.py`` after the site is built. The browser makes one document of the pages
(`paper.js`) and prints it; that tells on which page each section begins. Then it prints what stands before
the chapters once more, with these numbers in the contents.
"""

from __future__ import annotations

import fcntl
import re
import sys
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml
from pikepdf import Name, OutlineItem, Pdf
from playwright.sync_api import Page, Route, sync_playwright

from browser import launch
from build import PAPER, PAPER_RECORD, ROOT, SITE, offer_paper, paper_key, same

HERE = Path(__file__).parent
SCALE = 0.91  # at which the widest formula fits: else the browser shrinks a printing, and not each one alike
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


def first_pages(book: Pdf) -> dict[str, int]:
    """Return on which page, from 1, each place that is linked to stands."""
    numbers = {page.obj.objgen: number for number, page in enumerate(book.pages, start=1)}
    places: Any = book.Root.Dests
    return {name.lstrip("/"): numbers[place[0].objgen] for name, place in places.items()}


def print_pages(page: Page, numbers: dict[str, int]) -> Pdf:
    """Print the bound pages, with what numbers are known in the contents."""
    page.evaluate("(numbers) => numberPages(numbers)", numbers)
    printed = page.pdf(scale=SCALE, prefer_css_page_size=True, print_background=True, tagged=True)
    return Pdf.open(BytesIO(printed))


def take_front(book: Pdf, front: Pdf, count: int) -> None:
    """Let the first pages show what `front` shows in their places; links and structure stay their own."""
    for page, numbered in zip(book.pages[:count], front.pages[:count], strict=True):
        for part in (Name.Contents, Name.Resources):
            page.obj[part] = book.copy_foreign(front.make_indirect(numbered.obj[part]))


def add_bookmarks(book: Pdf, headings: list[dict[str, Any]], numbers: dict[str, int]) -> None:
    """Give the PDF its bookmarks: the browser's own lose the spaces where a heading runs over a line."""
    with book.open_outline() as outline:
        for heading in headings:
            beside = outline.root if heading["chapter"] else outline.root[-1].children
            beside.append(OutlineItem(heading["title"], numbers[heading["place"]] - 1))
    book.Root.PageMode = Name.UseOutlines
    book.docinfo[Name.Author] = settings("_config.yml")["author"]


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
        book = print_pages(page, {})
        numbers = first_pages(book)
        page.evaluate("emptyChapters()")
        take_front(book, print_pages(page, numbers), numbers[headings[0]["place"]] - 1)
        browser.close()
    add_bookmarks(book, headings, numbers)
    book.save(target)


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
