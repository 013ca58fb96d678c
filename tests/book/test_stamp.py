"""The stamp in the footer says only what happened, and asks git about this folder alone."""

from __future__ import annotations

import json
import os
import subprocess
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
import stamp
from sphinx.builders.html import StandaloneHTMLBuilder
from stamp import PACKAGES, RECORD, environment, git, record, sentence

IDENTITY = ("-c", "user.name=Reader", "-c", "user.email=reader@example.org")
NO_HISTORY = "not verified: no version history here"
UNVERIFIED = "not verified on this machine yet"


def commit(folder: Path) -> None:
    """Commit all that is in the folder."""
    for command in (["add", "."], ["commit", "--quiet", "--message", "Go on"]):
        assert git(folder, *IDENTITY, *command) is not None, command


def write_book(folder: Path) -> None:
    """Write what the stamp reads."""
    folder.mkdir(exist_ok=True)
    (folder / "requirements.txt").write_text("numpy==1.2.3 \\\nscipy==4.5.6 \\\nmatplotlib==7.8.9 \\\n")
    (folder / ".gitignore").write_text("_build/\n")


def begin(folder: Path) -> Path:
    """Write a book and begin its history."""
    write_book(folder)
    assert git(folder, "init", "--quiet") is not None
    commit(folder)
    return folder


def contents(folder: Path) -> dict[Path, bytes]:
    """Return every file below the folder, git's own included."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def check_life(folder: Path) -> None:
    """Begin a history, verify, change, go on: the stamp must follow."""
    begin(folder)
    assert sentence(folder).startswith(UNVERIFIED)
    record(folder)
    assert sentence(folder).startswith("verified on ")
    (folder / "chapter.txt").write_text("new")
    assert sentence(folder).startswith(UNVERIFIED)
    commit(folder)
    assert sentence(folder).startswith(UNVERIFIED)
    record(folder)
    assert sentence(folder).startswith("verified on ")


def put_before_git(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    """Let a shell script run before git does."""
    folder.mkdir()
    (folder / "git").write_text(f'#!/bin/sh\n{script}\nPATH="{os.environ["PATH"]}" exec git "$@"\n')
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return begin(tmp_path / "book")


def test_without_a_run_it_names_the_pins_and_says_so(book: Path) -> None:
    assert sentence(book).startswith(UNVERIFIED)
    assert sentence(book).endswith("with numpy 1.2.3, scipy 4.5.6, matplotlib 7.8.9")


def test_after_a_run_it_names_what_ran(book: Path) -> None:
    record(book)
    assert sentence(book).startswith("verified on ")
    assert sentence(book).endswith(f"scipy {version('scipy')}, matplotlib {version('matplotlib')}")


def test_a_change_or_a_new_commit_takes_it_back(tmp_path: Path) -> None:
    check_life(tmp_path / "book")


def test_a_run_beside_a_commit_does_not_verify_it(book: Path) -> None:
    (book / "chapter.txt").write_text("not committed")
    record(book)
    (book / "chapter.txt").unlink()
    assert sentence(book).startswith(UNVERIFIED)


FACTS = {"date": "2026-01-01", "commit": "0" * 40} | dict.fromkeys(PACKAGES, "1.0")


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(FACTS | {"commit": None}),
        json.dumps(FACTS | {"commit": ""}),
        json.dumps({key: value for key, value in FACTS.items() if key != "scipy"}),
        json.dumps(FACTS)[:-9],
        "[]",
        "",
        "\udcff",
    ],
    ids=["no commit", "empty commit", "no package", "cut short", "a list", "nothing", "not UTF-8"],
)
def test_a_record_that_says_too_little_claims_nothing(book: Path, text: str) -> None:
    (book / RECORD).parent.mkdir()
    text = text.replace("0" * 40, git(book, "rev-parse", "HEAD") or "")
    (book / RECORD).write_bytes(os.fsencode(text))
    assert sentence(book).startswith(UNVERIFIED)


def test_without_a_history_it_claims_nothing(tmp_path: Path) -> None:
    write_book(tmp_path)
    record(tmp_path)
    assert sentence(tmp_path) == NO_HISTORY


def test_the_history_of_a_folder_around_it_is_not_its_own(book: Path) -> None:
    archive = book / "archive"
    write_book(archive)
    commit(book)
    record(archive)
    assert json.loads((archive / RECORD).read_text())["commit"] is None
    assert sentence(archive) == NO_HISTORY


@pytest.mark.parametrize("script", ["sleep 3", "exit 1"], ids=["hangs", "fails"])
def test_a_git_that_does_not_answer_claims_nothing(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    record(book)
    monkeypatch.setattr(stamp, "PATIENCE", 0.2)
    put_before_git(monkeypatch, tmp_path / "bin", script)
    assert sentence(book) == NO_HISTORY


def test_where_git_cannot_tell_whether_files_changed_it_claims_nothing(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(book)
    put_before_git(monkeypatch, tmp_path / "bin", 'case "$*" in *status*) exit 1; esac')
    assert sentence(book).startswith(UNVERIFIED)


def test_without_git_it_claims_nothing(book: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert sentence(book) == NO_HISTORY


def test_in_a_hook_of_another_repository_it_leaves_that_one_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = begin(tmp_path / "other")
    (other / "staged.txt").write_text("by the developer")
    git(other, "add", ".")
    before = contents(other)
    variables = {"GIT_DIR": ".git", "GIT_WORK_TREE": "", "GIT_INDEX_FILE": ".git/index"}
    for name, place in variables.items():
        monkeypatch.setenv(name, str(other / place))
    assert subprocess.check_output(["git", "diff", "--cached", "--name-only"]) == b"staged.txt\n"
    check_life(tmp_path / "book")
    assert contents(other) == before


def test_the_settings_of_the_user_do_not_reach_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    (home / ".config" / "git").mkdir(parents=True)
    (home / ".config" / "git" / "ignore").write_text("*.txt\n")
    settings = home / ".gitconfig"
    settings.write_text("[commit]\ngpgsign = true\n[gpg]\nprogram = false\n")
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, str(settings))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    check_life(tmp_path / "book")
    signed = ["git", "-C", tmp_path / "book", *IDENTITY, "commit", "--quiet", "--allow-empty", "-m", "Sign"]
    assert subprocess.run(signed, check=False, capture_output=True).returncode != 0


def test_a_checkout_of_another_owner_has_a_history(book: Path) -> None:
    command = ["git", "-C", book, "log"]
    another = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
    assert subprocess.run(command, env=environment(book) | another, check=False).returncode == 0
    elsewhere = environment(book.parent) | another
    assert subprocess.run(command, env=elsewhere, check=False, capture_output=True).returncode != 0


def test_the_finished_page_shows_the_stamp_as_it_is(book: Path, tmp_path: Path) -> None:
    record(book)
    facts = json.loads((book / RECORD).read_text()) | {"numpy": r"\1"}
    (book / RECORD).write_text(json.dumps(facts))
    page = tmp_path / "page.html"
    page.write_text('<p class="stamp">before</p>')
    builder = object.__new__(StandaloneHTMLBuilder)
    stamp.stamp(SimpleNamespace(builder=builder, srcdir=book, outdir=tmp_path), None)
    assert page.read_text() == f'<p class="stamp">{sentence(book)}</p>'
