"""Every module of `kl_lib` can be imported with NumPy and SciPy alone."""

from __future__ import annotations

import subprocess
import sys

BARE = """
import sys
from importlib.abc import MetaPathFinder

ALLOWED = {"numpy", "scipy", "kl_lib"} | sys.stdlib_module_names

class Refuse(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        root = name.partition(".")[0]
        if root not in ALLOWED and not root.startswith("_"):
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Refuse())
import kl_lib
from importlib import import_module
from pkgutil import walk_packages
from scipy import stats

for module in walk_packages(kl_lib.__path__, "kl_lib."):
    import_module(module.name)
assert kl_lib.kl_divergence(stats.norm(), stats.cauchy()) > 0
print("ok")
"""


def test_import_with_numpy_and_scipy_alone() -> None:
    done = subprocess.run([sys.executable, "-c", BARE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "ok\n"
