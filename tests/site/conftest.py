"""The built site on a local server under a sub-path, a browser, and a log of all that its pages do."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from browser import launch
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, sync_playwright

from kl_book.explore.palette import PALETTE

FOLDER = Path(__file__).resolve().parents[2] / "_build" / "html"
NO_SITE = f"there is no built book at {FOLDER}: run `make book` first"

WIDE = {"width": 1280, "height": 900}
SHEETS, SCRIPTS = re.compile(r"\.css(\?|$)"), re.compile(r"/site\.js(\?|$)")

# A page reports what the policy refused, when it is first seen, and how far its content moved after that.
WATCH = """
window.refused = [];
window.seen = new Promise((tell) => {
  new PerformanceObserver((list) => {
    if (list.getEntriesByName("first-contentful-paint").length) tell(true);
  }).observe({ type: "paint", buffered: true });
});
document.addEventListener("securitypolicyviolation", (event) => refused.push(event.violatedDirective));
window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


@dataclass(frozen=True)
class Site:
    """The address of the served site and the files behind it."""

    url: str
    folder: Path

    def file(self, url: str) -> Path:
        """Return the file that an address of the site stands for."""
        return self.folder / url.removeprefix(self.url).split("?")[0].split("#")[0]


@dataclass
class Log:
    """What the pages of one context asked for, and what they complained about."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Listen to a page."""
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("requestfailed", self._failure)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("console", self._message)

    def _message(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _failure(self, request: Any) -> None:
        if request.failure != "net::ERR_ABORTED":  # that is a reader who left the page
            self.complaints.append(f"failed: {request.url}")

    def foreign(self, *prefixes: str) -> list[str]:
        """Return the requests that go anywhere but to `prefixes`."""
        return [url for url in self.requests if not url.startswith((*prefixes, "data:", "blob:"))]


class Handler(SimpleHTTPRequestHandler):
    """Serve a folder under /sub/, as a project's pages are served, and nothing above it."""

    def translate_path(self, path: str) -> str:
        """Map /sub/x to the file x; anything else is not found."""
        return super().translate_path(path.removeprefix("/sub") if path.startswith("/sub/") else "/none")

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


class Server(ThreadingHTTPServer):
    """A server that does not mind a browser that hangs up."""

    def handle_error(self, *_: Any) -> None:
        """Pass over: a page that needed the answer reports that it failed."""


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    if not FOLDER.is_dir():
        pytest.fail(NO_SITE, pytrace=False)
    with Server(("localhost", 0), partial(Handler, directory=str(FOLDER))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Site(f"http://localhost:{server.server_port}/sub/", FOLDER)
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        try:
            browser = launch(playwright.chromium)
        except FileNotFoundError as error:
            pytest.fail(str(error), pytrace=False)
        yield browser
        browser.close()


Open = Callable[..., Page]


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def visit(site: Site, browser: Browser, log: Log) -> Iterator[Open]:
    """Open pages of the site; at the end no page may have complained or called another host."""
    contexts: list[BrowserContext] = []

    def open_page(path: str, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": WIDE, **options})
        contexts.append(context)
        if options.get("java_script_enabled", True):
            context.add_init_script(WATCH)
        page = context.new_page()
        log.watch(page)
        page.goto(path if path.startswith("file:") else site.url + path)
        page.evaluate("document.fonts.ready.then(() => null)")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert log.complaints == []
    assert log.foreign(site.url, "file://") == []


SLOW = 45.0
LOOP = """() => {
  const start = performance.now();
  let x = 1;
  for (let i = 0; i < 1e7; i++) x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff;
  window.last = x;
  return performance.now() - start;
}"""


@pytest.fixture(scope="session")
def slow_down() -> Callable[[Page], None]:
    """Make a page as slow, on any machine, as where ten million steps of a loop take `SLOW` ms."""

    def throttle(page: Page) -> None:
        own = min(page.evaluate(LOOP) for _ in range(3))
        session = page.context.new_cdp_session(page)
        session.send("Emulation.setCPUThrottlingRate", {"rate": max(1.0, SLOW / own)})

    return throttle


@dataclass(frozen=True)
class Opened:
    """A page that stays open for all tests of it, and what was seen while it opened."""

    path: str
    is_chapter: bool
    page: Page
    requests: list[str]
    shift: float
    refused: list[str]


def hold(page: Page, pattern: re.Pattern[str]) -> Callable[[], None]:
    """Hold what a page asks for; return what lets it go."""
    held: list[Route] = []
    page.route(pattern, lambda route: held.append(route))

    def release() -> None:
        for route in held:
            route.continue_()
        page.unroute(pattern)

    return release


def arrive(page: Page, site: Site, path: str, go: Callable[..., object]) -> None:
    """Let a page arrive in one order on every machine: fonts, style sheets, a look at it, scripts."""
    arrived: set[str] = set()

    def note(request: Request) -> None:
        arrived.add(Path(request.url).stem)

    page.on("requestfinished", note)
    release = [hold(page, pattern) for pattern in (SHEETS, SCRIPTS)]
    go(wait_until="commit")
    first = re.search(r' data-fonts="([^"]*)"', site.file(site.url + path).read_text(encoding="utf-8"))
    while first and not set(first[1].split()) <= arrived:
        page.wait_for_timeout(10)
    release[0]()
    assert page.evaluate("seen")
    release[1]()
    page.wait_for_load_state()
    page.evaluate("document.fonts.ready.then(() => new Promise(requestAnimationFrame)).then(() => null)")
    page.remove_listener("requestfinished", note)


@pytest.fixture
def reload(site: Site) -> Callable[[Page, str], None]:
    """Return what opens a page once more, in that order."""
    return lambda page, path: arrive(page, site, path, page.reload)


@pytest.fixture(scope="session")
def opened(request: pytest.FixtureRequest, site: Site, browser: Browser) -> Iterator[Opened]:
    """Open a page, and leave it open for all tests of it."""
    log = Log()
    context = browser.new_context(viewport=WIDE, color_scheme="light")
    context.add_init_script(WATCH)
    page = context.new_page()
    log.watch(page)
    arrive(page, site, request.param, partial(page.goto, site.url + request.param))
    requests, shift, refused = list(log.requests), page.evaluate("shift"), page.evaluate("refused")
    yield Opened(request.param, request.param in chapters(), page, requests, shift, refused)
    context.close()
    assert log.complaints == []
    assert log.foreign(site.url) == []


@pytest.fixture
def page(opened: Opened) -> Iterator[Page]:
    """Return the open page; afterwards it is wide, light, on a screen and folded again."""
    yield opened.page
    opened.page.emulate_media(media="screen")
    opened.page.set_viewport_size(WIDE)
    opened.page.evaluate(
        """() => {
          document.documentElement.dataset.theme = "light";
          for (const fold of document.querySelectorAll("article details")) fold.open = false;
        }"""
    )


@pytest.fixture
def rgb() -> Callable[[str, str], str]:
    """Return the colour of a name in a mode, as a browser writes it."""
    return lambda name, mode: "rgb({}, {}, {})".format(*bytes.fromhex(getattr(PALETTE[name], mode)[1:]))


def html_pages() -> list[str]:
    """Return the paths of all pages of the book; one that fails where there is no book."""
    pages = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.html"))
    return [page for page in pages if page not in ("index.html", "404.html")] or ["book/index.html"]


def chapters() -> list[str]:
    """Return the paths of the pages that are made from notebooks."""
    return [page for page in html_pages() if (FOLDER / "_sources" / page).with_suffix(".ipynb").exists()]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `page_path` on every page, one that takes `chapter_path` on every chapter.

    One that takes `opened` runs on every page too, in one process with the others that share the page.
    """
    for name, paths in (("page_path", html_pages), ("chapter_path", chapters)):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, paths() or ["book/index.html"])
    if "opened" in metafunc.fixturenames:
        together = [pytest.param(path, marks=pytest.mark.xdist_group(path)) for path in html_pages()]
        metafunc.parametrize("opened", together, indirect=True, scope="session", ids=html_pages())
