"""A notebook gives its stored outputs, to the byte, for other readers on other machines."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import numpy as np
import pytest
from environment import ROOT

# Another place, another order of sets, a home that nobody can write to, a profile that breaks every kernel.
ELSEWHERE = {
    "TZ": "Asia/Kathmandu", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "7", "HOME": os.devnull,
    "IPYTHONDIR": os.devnull, "MPLCONFIGDIR": os.devnull, "MPLBACKEND": "svg", "COLUMNS": "40",
}  # fmt: skip
# The instructions that every processor of this kind has, and no more.
OLD = {"NPY_DISABLE_CPU_FEATURES": " ".join(np._core._multiarray_umath.__cpu_dispatch__)}
OLD |= {"OPENBLAS_CORETYPE": "Nehalem"} if platform.machine() == "x86_64" else {}


@pytest.mark.parametrize("changes", [ELSEWHERE, OLD], ids=["elsewhere", "an old processor"])
def test_the_outputs_are_the_same(changes: dict[str, str]) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval"]
    run = subprocess.run(
        [*command, "book/probabilistic-learning.ipynb"],
        cwd=ROOT,
        env=os.environ | changes,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
