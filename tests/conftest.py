"""What every test shares: the one seed of the project."""

from __future__ import annotations

import os
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]
SEED = 20260101
# Of environments of their own.
collect_ignore = ["mutants.py", *([] if find_spec("torch") else ["arrays"])]

# Derandomised: what passed once passes everywhere. No deadline: a loaded machine may be slow.
# `make test-full` tries ten times as many.
settings.register_profile("kl", deadline=None, derandomize=True, max_examples=20)
settings.register_profile("full", deadline=None, derandomize=True, max_examples=200)
settings.load_profile("kl")


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a fresh generator with the project's one seed."""
    return np.random.default_rng(SEED)


@pytest.fixture(scope="session")
def project_files() -> list[Path]:
    """Return the files of the project, below its folder: all but the ignored ones, with or without git."""
    patterns = [".git", *(ROOT / ".gitignore").read_text(encoding="utf-8").split()]

    def kept(names: list[str]) -> list[str]:
        return [name for name in names if not any(fnmatch(name, pattern.rstrip("/")) for pattern in patterns)]

    files = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = kept(folders)
        files += [Path(folder, name).relative_to(ROOT) for name in kept(names)]
    return sorted(files)
