"""Find a Chromium or Chrome on this machine and start it: for the book on paper, the tests, the benchmark."""

from __future__ import annotations

import shutil
from typing import Any

from playwright.sync_api import Browser, BrowserType, Error

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = ("--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update")
NO_BROWSER = "no browser starts: install Chromium or Chrome, or run `.venv/bin/playwright install chromium`"


def launch(chromium: BrowserType) -> Browser:
    """Start the browser on the path, else the Chrome of its own installer, else Playwright's download."""
    installed = next(filter(None, map(shutil.which, NAMES)), None)
    ways: list[dict[str, Any]] = [{"channel": "chrome"}, {}]
    if installed is not None:
        ways.insert(0, {"executable_path": installed})
    for way in ways:
        try:
            return chromium.launch(args=QUIET, **way)
        except Error:
            continue
    raise FileNotFoundError(NO_BROWSER)
