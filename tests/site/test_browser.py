"""A browser is found wherever one of the usual installers has put it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from browser import NO_BROWSER, launch
from playwright.sync_api import Error

PATH, CHROME, OWN = "executable_path", "channel", None


@dataclass
class Launcher:
    """Stands for Playwright's launcher on a machine that has the browsers `there`."""

    there: set[str | None]
    tried: list[str | None] = field(default_factory=list)

    def launch(self, **options: object) -> str | None:
        self.tried.append(next((way for way in (PATH, CHROME) if way in options), OWN))
        if self.tried[-1] not in self.there:
            raise Error("it does not start")
        return self.tried[-1]


@pytest.fixture(params=["chromium", "google-chrome-stable"])
def on_path(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / request.param).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def not_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("on_path")
def test_the_one_on_the_path_comes_first() -> None:
    assert launch(Launcher({PATH, CHROME, OWN})) == PATH


@pytest.mark.usefixtures("on_path")
def test_where_the_one_on_the_path_is_broken_the_next_is_tried() -> None:
    assert launch(Launcher({CHROME, OWN})) == CHROME


@pytest.mark.usefixtures("not_on_path")
@pytest.mark.parametrize(("there", "found"), [({CHROME, OWN}, CHROME), ({OWN}, OWN)])
def test_without_one_on_the_path_chrome_comes_before_the_download(
    there: set[str | None], found: str | None
) -> None:
    assert launch(Launcher(there)) == found


@pytest.mark.usefixtures("on_path")
def test_where_none_starts_the_message_says_what_to_do() -> None:
    launcher = Launcher(set())
    with pytest.raises(FileNotFoundError) as refusal:
        launch(launcher)
    assert str(refusal.value) == NO_BROWSER
    assert launcher.tried == [PATH, CHROME, OWN]
