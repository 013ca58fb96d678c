"""What `make` sets up is what the lock says, whatever was released since and however pip is configured."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import environment
import pytest
from environment import LOCK, ROOT, UV_PIN
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# The pip that comes with the first release of each Python.
OLDEST_PIP = {(3, 11): "22.3", (3, 12): "23.2.1", (3, 13): "24.2", (3, 14): "25.2"}
NOT_THE_PROJECT = (".git", ".venv*", "_build", "node_modules", "__pycache__", ".*_cache", ".hypothesis")
# What a user may have told pip, uv and Python that must not reach the environment.
ODD = {
    "LC_ALL": "C", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "7", "PYTHONPATH": "elsewhere",
    "PIP_USER": "1", "PIP_TARGET": "elsewhere", "PIP_NO_BINARY": ":all:", "PIP_PRE": "1",
    "UV_NO_BINARY": "1", "UV_SYSTEM_PYTHON": "1", "UV_EXCLUDE_NEWER": "2020-01-01",
}  # fmt: skip
INDEX_OF_NOTHING = "http://localhost:9"


def pinned(lock: str) -> dict[str, str]:
    """Return the versions that a lock pins for this machine."""
    lines = re.findall(r"^[\w.\[\],-]+==[^\\\n]+", lock, re.MULTILINE)
    requirements = [Requirement(line.strip()) for line in lines]
    here = [r for r in requirements if r.marker is None or r.marker.evaluate()]
    return {canonicalize_name(r.name): str(r.specifier).removeprefix("==") for r in here}


def installed(python: Path) -> dict[str, str]:
    """Return what is installed beside `python`, but pip and the project itself."""
    command = [python, "-m", "pip", "list", "--format", "json", "--isolated"]
    utf8 = os.environ | {"LC_ALL": "C.UTF-8"}  # as the Makefile says
    rows = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=utf8).stdout)
    versions = {canonicalize_name(row["name"]): row["version"] for row in rows}
    assert {"kl-lib", "pip"} <= set(versions)
    return {name: version for name, version in versions.items() if name not in ("kl-lib", "pip")}


@pytest.fixture
def odd(tmp_path: Path, world, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Set an empty home with empty caches, the poisoned index, and an odd configuration."""
    for name in list(os.environ):
        if re.match(r"(PIP|UV|MAKE|MFLAGS|XDG|npm)_?", name) and name != "PIP_CERT":
            monkeypatch.delenv(name)
    constraint = tmp_path / "constraint.txt"
    constraint.write_text("numpy<2\nsphinx>=8\n")
    home = tmp_path / "home"
    home.mkdir()
    elsewhere = {"PIP_INDEX_URL": world.url, "PIP_EXTRA_INDEX_URL": world.url, "HOME": str(home)}
    constraints = dict.fromkeys(("PIP_CONSTRAINT", "UV_CONSTRAINT", "UV_OVERRIDE"), str(constraint))
    for name, value in {**ODD, **elsewhere, **constraints}.items():
        monkeypatch.setenv(name, value)


def make_book(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the README's first command in `folder`."""
    run = subprocess.run(["make", "book"], cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run


@pytest.mark.usefixtures("odd")
def test_make_book_reads_the_lock_and_nothing_else(tmp_path, world, monkeypatch):
    folder = tmp_path / "ein Büchlein"  # an archive without a history, in a folder with a space and an umlaut
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*NOT_THE_PROJECT))
    first = make_book(folder)
    assert "with uv" in first.stdout
    assert "with pip" not in first.stdout
    assert world.touched == []
    assert world.asked <= set(pinned(LOCK.read_text(encoding="utf-8")))
    assert installed(folder / ".venv" / "bin" / "python") == pinned(LOCK.read_text(encoding="utf-8"))
    site = folder / "_build" / "html" / "book" / "index.html"
    assert "no version history here" in site.read_text(encoding="utf-8")

    for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "npm_config_registry", "HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, INDEX_OF_NOTHING)
    assert make_book(folder).stdout == "The book is at _build/html/index.html\n"


@pytest.mark.usefixtures("odd")
def test_the_oldest_pip_does_without_uv(tmp_path, world):
    def with_the_oldest_pip(python: Path) -> None:
        version = OLDEST_PIP[sys.version_info[:2]]
        settings = environment.pip_environment(environment.pip_settings(python))
        environment.run([python, "-m", "pip", "--quiet", "install", f"pip=={version}"], settings)
        environment.with_pip(python)

    environment.install(tmp_path / "env", (with_the_oldest_pip,))
    python = tmp_path / "env" / "bin" / "python"
    lock = UV_PIN.sub("", LOCK.read_text(encoding="utf-8"))
    assert world.touched == []
    assert world.asked <= {"pip", *pinned(lock)}
    assert installed(python) == pinned(lock)

    # Without --no-deps, as Binder does it: what a package asks for is found pinned, its extras included.
    assert resolve(python, lock) == ""
    complaint = resolve(python, re.sub(r"\[[\w,-]+\]==", "==", lock))
    assert "must have their versions pinned with ==" in complaint
    assert "coverage-99999" in complaint


def resolve(python: Path, lock: str) -> str:
    """Return what pip complains about when it resolves pytest-cov and what it asks for from a lock."""
    needed = ("pytest-cov", "pytest", "coverage", "pluggy", "iniconfig", "packaging", "pygments")
    blocks = re.findall(r"^([\w.-]+)(.*(?:\n    --hash.*)+\n)", lock, re.MULTILINE)
    subset = python.parents[1] / "subset.txt"
    subset.write_text("".join(name + rest for name, rest in blocks if name in needed))
    options = ["--quiet", "--dry-run", "--ignore-installed", "--require-hashes", "-r", subset]
    settings = environment.pip_environment(environment.pip_settings(python))
    command = [python, "-m", "pip", "install", *options]
    return subprocess.run(command, env=settings, capture_output=True, text=True, check=False).stderr


@pytest.mark.usefixtures("odd")
def test_the_index_is_poisoned(tmp_path, world):
    python = Path(sys.executable)
    settings = environment.pip_environment(environment.pip_settings(python))
    folder = tmp_path / "unpinned"
    environment.run([python, "-m", "pip", "--quiet", "install", "--target", folder, "iniconfig"], settings)
    assert world.touched == ["iniconfig-99999-py3-none-any.whl"]
    with pytest.raises(subprocess.CalledProcessError):
        environment.run([python, "-S", "-c", "import iniconfig"], {"PYTHONPATH": str(folder)})


@pytest.mark.usefixtures("odd")
def test_pip_steps_in_where_uv_cannot(tmp_path, capfd):
    def without_a_wheel(python: Path) -> None:
        pins = "--only-binary :all:\nuv==0 --hash=sha256:" + 64 * "0" + "\n"
        settings = environment.pip_settings(python)
        environment.pip_install(python, pins, environment.pip_environment(settings))

    def with_pip(python: Path) -> None:
        python.with_name("made").touch()

    environment.install(tmp_path / "env", (without_a_wheel, with_pip))
    assert (tmp_path / "env" / "bin" / "made").exists()
    assert capfd.readouterr().out.count("what requirements.txt pins") == 2
    with pytest.raises(subprocess.CalledProcessError):
        environment.install(tmp_path / "env", (without_a_wheel,))
