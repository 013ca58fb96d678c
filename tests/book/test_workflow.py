"""The workflow runs what was reviewed, ends, and publishes without waiting for other systems."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

TEXT = (Path(__file__).parents[2] / ".github" / "workflows" / "book.yml").read_text(encoding="utf-8")
JOBS = yaml.safe_load(TEXT)["jobs"]
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def test_every_action_is_pinned_by_its_hash_and_names_its_version() -> None:
    used = re.findall(r"\buses: *(.*)", TEXT)
    assert len(used) > len(JOBS)
    assert [action for action in used if not PINNED.fullmatch(action)] == []
    assert len({action.split("@")[0] for action in used}) == len(set(used)), "one version of each"


@pytest.mark.parametrize("name", JOBS)
def test_every_job_has_a_limit_and_leaves_no_credentials(name: str) -> None:
    assert JOBS[name]["timeout-minutes"] <= 60
    checkouts = [step for step in JOBS[name]["steps"] if "checkout" in step.get("uses", "")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_publishing_waits_for_the_tests_alone() -> None:
    assert JOBS["publish"]["needs"] == "test"
    assert JOBS["test"]["runs-on"] == "ubuntu-latest"
    writing = [name for name, job in JOBS.items() if "write" in job.get("permissions", {}).values()]
    assert writing == ["publish"]
