"""What is packed: the whole project in the source archive, the packages alone in the wheel, one version."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

import kl_lib

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
NAME = f"{PROJECT['project']['name']}-{kl_lib.__version__}"


def build(target: str, project: Path, folder: Path) -> Path:
    """Build the project as a tool for packages would, and return the one file that came of it."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (archive,) = folder.iterdir()
    return archive


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the project in its unpacked source archive."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))) as archive:
        safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # Python 3.11.4
        archive.extractall(folder, **safe)
    return folder / NAME


@pytest.fixture(scope="module")
def installed(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that holds what the wheel installs, built from the source archive."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(build("wheel", unpacked, tmp_path_factory.mktemp("wheel"))) as archive:
        archive.extractall(folder)
    return folder


def names(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def test_the_source_archive_is_the_whole_project(unpacked: Path, project_files: list[Path]) -> None:
    assert names(unpacked) == {*project_files, Path("PKG-INFO")}
    assert {Path("book/LICENSE"), Path("Makefile"), Path("conftest.py")} <= names(unpacked)


def test_the_wheel_holds_the_packages_and_their_licence_alone(
    installed: Path, project_files: list[Path]
) -> None:
    about = f"{NAME}.dist-info"
    described = {Path(about, name) for name in ("METADATA", "WHEEL", "RECORD", "licenses/LICENSE")}
    assert names(installed) == {path for path in project_files if path.parts[0] in PACKAGES} | described
    assert all(Path(package, "py.typed") in names(installed) for package in PACKAGES)
    licence = (installed / about / "licenses" / "LICENSE").read_text(encoding="utf-8")
    assert licence == (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "MIT" in licence


@pytest.mark.parametrize("package", PACKAGES)
def test_what_the_wheel_installs_can_be_imported(installed: Path, package: str) -> None:
    # Isolated, and the wheel first: neither this folder nor what is installed is imported in its place.
    program = (
        f"import sys; sys.path.insert(0, {str(installed)!r})\n"
        f"import {package}, kl_lib; print({package}.__file__, kl_lib.__version__, sep='\\n')"
    )
    printed = subprocess.check_output([sys.executable, "-I", "-c", program], text=True)
    assert printed.split("\n")[:2] == [str(installed / package / "__init__.py"), kl_lib.__version__]


def test_the_package_page_states_the_version_and_the_licence(installed: Path) -> None:
    metadata = (installed / f"{NAME}.dist-info" / "METADATA").read_text(encoding="utf-8")
    assert f"\nVersion: {kl_lib.__version__}\n" in metadata
    assert "\nLicense-Expression: MIT\n" in metadata


def test_the_citation_and_the_changelog_know_the_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    version, released = re.findall(r"^## (\S+) - (\d{4}-\d\d-\d\d|unreleased)$", changelog, re.MULTILINE)[0]
    assert citation["version"] == version == kl_lib.__version__
    assert citation.get("date-released", "unreleased") == released
