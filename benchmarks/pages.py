"""Set the built site beside the same notebooks built with Jupyter Book's defaults.

Run by ``make bench-site``. Both sites are served from this machine and opened in a browser with its
processor slowed down four times. Times are medians of `RUNS` fresh visits; bytes are what `gzip -9` makes
of the files of this host, so where a page loads from other hosts its true weight is higher.
"""

from __future__ import annotations

import functools
import gzip
import shutil
import statistics
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from browser import launch
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
STOCK = ROOT / "_build" / "stock"
AXE = ROOT / "book" / "_ext" / "node_modules" / "axe-core" / "axe.min.js"
RUNS = 5

# Only what the notebooks need to be read at all: their statements, exercises and references.
STOCK_CONFIG = """
title: stock
only_build_toc_files: true
execute: {execute_notebooks: "off"}
bibtex_bibfiles: [book/references.bib]
parse: {myst_enable_extensions: [amsmath, colon_fence, dollarmath]}
sphinx: {extra_extensions: [sphinx_proof, sphinx_exercise, sphinx.ext.autodoc]}
"""

HEAD = """\
| chapter | build | requests | foreign | nodes | gzip -9 | first paint | largest | shift | axe |
|---|---|---|---|---|---|---|---|---|---|"""
STEPS_HEAD = """
| chapter | slider steps | script: median | 95 % | painted: median | 95 % |
|---|---|---|---|---|---|"""

PAINT = "performance.getEntriesByName('first-contentful-paint')[0]"

# A slow processor may paint after the last request.
PAINTED = f"new Promise((done) => {{ (function look() {{ {PAINT} ? done() : setTimeout(look, 20); }})(); }})"

WATCH = """
window.shift = window.largest = 0;
const watch = (type, seen) =>
  new PerformanceObserver((list) => list.getEntries().forEach(seen)).observe({ type, buffered: true });
watch("layout-shift", (entry) => { if (!entry.hadRecentInput) window.shift += entry.value; });
watch("largest-contentful-paint", (entry) => { window.largest = entry.startTime; });
"""

# Each step of each slider: the time of the script, and the time until what it changed has been painted.
STEPS = """
async () => {
  const times = { script: [], paint: [] };
  const painted = () => new Promise((done) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = done;
    channel.port2.postMessage("");
  }));
  for (const slider of document.querySelectorAll(".kl-controls input[type=range]")) {
    slider.scrollIntoView({ block: "end" });
    await painted();
    for (let value = 0; value <= slider.max; value++) {
      await painted();
      const start = performance.now();
      slider.value = value;
      slider.dispatchEvent(new Event("input", { bubbles: true }));
      times.script.push(performance.now() - start);
      await painted();
      times.paint.push(performance.now() - start);
    }
  }
  for (const kind in times) times[kind].sort((a, b) => a - b);
  return times;
}
"""


def build_stock() -> None:
    """Build the book with Jupyter Book's defaults."""
    shutil.rmtree(STOCK, ignore_errors=True)
    shutil.copytree(ROOT / "book", STOCK / "book", ignore=shutil.ignore_patterns("_*", "claims.md"))
    toc = (ROOT / "_toc.yml").read_text(encoding="utf-8").replace("      - file: book/claims\n", "")
    (STOCK / "_toc.yml").write_text(toc, encoding="utf-8")
    (STOCK / "_config.yml").write_text(STOCK_CONFIG, encoding="utf-8")
    command = [Path(sys.executable).with_name("jupyter-book"), "build", STOCK, "--quiet"]
    subprocess.run(command, check=True, capture_output=True)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve `folder` on this machine; give its address."""
    server = ThreadingHTTPServer(("localhost", 0), functools.partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}/"
    server.shutdown()


def open_slowly(browser: Browser, url: str) -> tuple[Page, list[str]]:
    """Open a page in a fresh context on a processor slowed down four times; log its requests."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.add_init_script(WATCH)
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.goto(url, wait_until="networkidle")
    page.evaluate(PAINTED)
    return page, requests


def violations(browser: Browser, url: str) -> int:
    """Count what axe finds on a page, in light and in dark."""
    found = 0
    for scheme in ("light", "dark"):
        page = browser.new_context(bypass_csp=True, color_scheme=scheme).new_page()
        page.goto(url, wait_until="networkidle")
        page.add_script_tag(path=AXE)
        found += page.evaluate("axe.run().then((result) => result.violations.length)")
        page.context.close()
    return found


def measure(browser: Browser, folder: Path, chapter: str) -> list[str]:
    """Return one row of the table: what a first visit to a chapter costs."""
    with served(folder) as host:
        url = f"{host}book/{chapter}.html"
        paints, largest, shifts = [], [], []
        for _ in range(RUNS):
            page, requests = open_slowly(browser, url)
            paints.append(page.evaluate(f"{PAINT}.startTime"))
            largest.append(page.evaluate("window.largest"))
            shifts.append(page.evaluate("window.shift"))
            nodes = page.evaluate("document.querySelectorAll('*').length")
            page.context.close()
        own = {request.split("?")[0] for request in requests if request.startswith(host)}
        files = [folder / address.removeprefix(host) for address in own]
        weight = sum(len(gzip.compress(file.read_bytes(), 9)) for file in files if file.is_file())
        foreign = [request for request in requests if not request.startswith((host, "data:", "blob:"))]
        first_paint, shift = statistics.median(paints), statistics.median(shifts)
        times = [f"{time:.0f} ms" for time in (first_paint, statistics.median(largest))]
        numbers = [len(requests), len(foreign), nodes, f"{weight / 1000:.0f} kB", *times]
        return [*map(str, numbers), f"{shift:.3f}", str(violations(browser, url))]


def main() -> None:
    """Print both tables."""
    build_stock()
    with sync_playwright() as playwright:
        browser = launch(playwright.chromium)
        print(
            "| chapter | build | requests | foreign | nodes | gzip -9 | first paint | largest | shift | axe |"
        )
        print("|---|---|---|---|---|---|---|---|---|---|")
        chapters = sorted(path.stem for path in (ROOT / "book").glob("*.ipynb"))
        for chapter in chapters:
            for name, folder in (("this book", SITE), ("defaults", STOCK / "_build" / "html")):
                print("|", " | ".join([chapter, name, *measure(browser, folder, chapter)]), "|", flush=True)
        print(STEPS_HEAD)
        for chapter in chapters:
            with served(SITE) as host:
                page, _ = open_slowly(browser, f"{host}book/{chapter}.html")
                times = page.evaluate(STEPS)
                page.context.close()
            if not (steps := len(times["script"])):
                continue
            late = (
                [times[kind][i] for kind in times for i in (steps // 2, int(0.95 * steps))] if steps else []
            )
            print(f"| {chapter} | {steps} |", " | ".join(f"{time:.1f} ms" for time in late), "|", flush=True)


if __name__ == "__main__":
    main()
