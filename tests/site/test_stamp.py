"""The stamp in the footer says only what happened."""

from __future__ import annotations

import subprocess
from importlib.metadata import version

import pytest
from stamp import record, sentence

IDENTITY = ("-c", "user.name=Reader", "-c", "user.email=reader@example.org")


@pytest.fixture
def book(tmp_path):
    (tmp_path / "requirements.txt").write_text("numpy==1.2.3 \\\nscipy==4.5.6 \\\nmatplotlib==7.8.9 \\\n")
    (tmp_path / ".gitignore").write_text("_build/\n")
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "Begin"]):
        subprocess.run(["git", *IDENTITY, *command], cwd=tmp_path, check=True)
    return tmp_path


def test_without_a_run_it_names_the_pins_and_says_so(book):
    stamp = sentence(book)
    assert stamp.startswith("not verified on this machine yet")
    assert stamp.endswith("with numpy 1.2.3, scipy 4.5.6, matplotlib 7.8.9")


def test_after_a_run_it_names_what_ran(book):
    record(book)
    stamp = sentence(book)
    assert stamp.startswith("verified on ")
    assert stamp.endswith(f"scipy {version('scipy')}, matplotlib {version('matplotlib')}")


def test_a_change_or_a_new_commit_takes_it_back(book):
    record(book)
    (book / "chapter.txt").write_text("new")
    assert "not verified on this machine yet" in sentence(book)
    for command in (["add", "."], ["commit", "--quiet", "--message", "Go on"]):
        subprocess.run(["git", *IDENTITY, *command], cwd=book, check=True)
    assert "not verified on this machine yet" in sentence(book)


def test_without_a_history_it_claims_nothing(tmp_path):
    assert sentence(tmp_path) == "not verified: no version history here"
