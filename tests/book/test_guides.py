"""What the guides name exists, and the map of the project leaves nothing out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GUIDES = ("ARCHITECTURE.md", "CONTRIBUTING.md", "README.md")
MAPPED = ("kl_lib", "kl_book", "book/_ext", "tests")
GENERATED = {".venv", "_build", "node_modules", "conf.py"}

CODE = re.compile(r"^ *```.*?^ *```|`[^`\n]+`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^):#]+)\)")
SUFFIXES = "cff|css|ini|ipynb|js|json|md|mjs|py|svg|toml|txt|yml|in"
PATH = re.compile(rf"(?<![\w./-])(?:(?:[\w.-]+/)+[\w.*-]*|[\w-]+\.(?:{SUFFIXES}))(?![\w./-])")
MAKE = re.compile(r"\bmake((?: +[\w=./-]+)+)")


def text(name: str) -> str:
    """Return a file of the project."""
    return (ROOT / name).read_text(encoding="utf-8")


def code(page: str) -> list[str]:
    """Return what a page sets as code."""
    return CODE.findall(page)


def paths(page: str) -> set[str]:
    """Return the paths that a page names, in code or as links."""
    named = {path for piece in code(page) for path in PATH.findall(piece)} | set(LINK.findall(page))
    return {path for path in named if path.split("/")[0] not in GENERATED}


def targets(page: str) -> set[str]:
    """Return the targets of make that a piece of code, or a script, names."""
    words = {word for call in MAKE.findall(page) for word in call.split()}
    return {word for word in words if "=" not in word}


def exists(path: str, files: list[Path]) -> bool:
    """Tell whether a path is one of the project, or a bare name that of one of its files."""
    if "/" not in path:
        return any(file.name == path for file in files)
    return (ROOT / path).exists()


@pytest.mark.parametrize("name", GUIDES)
def test_every_path_that_a_guide_names_exists(name: str, project_files: list[Path]) -> None:
    named = paths(text(name))
    assert named
    assert {path for path in named if not exists(path, project_files)} == set()


def test_paths_are_told_from_other_code() -> None:
    page = "See `tests/unit/` and [this](NOTES.md), not a/b; `p / q`, `.venv/bin/python x/y.py`, `np.log(2)`."
    assert paths(page + "\n```sh\nrun build.py\n```\n") == {"tests/unit/", "NOTES.md", "x/y.py", "build.py"}
    assert not exists("tests/nowhere.py", [])
    assert exists("map.py", [Path("a", "map.py")])


def rows(page: str) -> dict[str, str]:
    """Return what the tables of the page say of each folder's modules."""
    found = dict(re.findall(r"^\| `([\w./]+)/` \|([^|]*)\|", page, re.MULTILINE))
    return found | {"book/_ext": " ".join(re.findall(r"^\| (`\w+`) \|", page, re.MULTILINE))}


def unmapped(page: str, files: list[Path]) -> set[str]:
    """Return the folders without a row, the modules that their row does not name, and names of none.

    A test module is named by its folder's row.
    """
    mapped = [file for file in files if file.as_posix().startswith(MAPPED)]
    modules = [file for file in mapped if file.suffix == ".py"]
    lacking = {file.parent.as_posix() for file in modules} - rows(page).keys()
    names = {(folder, name) for folder, row in rows(page).items() for name in re.findall(r"`([\w.]+)`", row)}
    needed = {file for file in modules if not file.name.startswith(("test_", "__init__"))}
    lacking |= {file.as_posix() for file in needed if (file.parent.as_posix(), file.stem) not in names}
    known = {(file.parent.as_posix(), name) for file in mapped for name in (file.stem, file.name)}
    return lacking | {f"{folder}/{name}" for folder, name in names - known}


def test_the_map_names_every_folder_and_module(project_files: list[Path]) -> None:
    assert unmapped(text("ARCHITECTURE.md"), project_files) == set()


def test_what_the_map_leaves_out_is_found() -> None:
    page = "| `kl_lib/` | `checks`, `gone` | |\n| `tests/unit/` | the packages | |\n"
    files = ["kl_lib/checks.py", "kl_lib/new.py", "tests/unit/test_new.py", "kl_lib/b/c.py"]
    lacking = {"kl_lib/new.py", "kl_lib/gone", "kl_lib/b", "kl_lib/b/c.py"}
    assert unmapped(page, [Path(file) for file in files]) == lacking


def made() -> set[str]:
    """Return the targets of the Makefile that are not files."""
    return set(re.findall(r"^([\w-]+):(?!=)", text("Makefile"), re.MULTILINE))


def test_every_phony_target_exists_and_every_target_that_is_no_file_is_phony() -> None:
    (phony,) = re.findall(r"^\.PHONY:(.*)", text("Makefile"), re.MULTILINE)
    assert set(phony.split()) == made()


def test_every_target_that_a_guide_or_a_script_names_is_in_the_makefile(project_files: list[Path]) -> None:
    pages = [file for file in project_files if file.suffix == ".md"]
    named = {target for page in pages for piece in code(text(str(page))) for target in targets(piece)}
    workflow = yaml.safe_load(text(".github/workflows/book.yml"))
    runs = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    matrix = workflow["jobs"]["weekly"]["strategy"]["matrix"]["include"]
    in_workflow = targets("\n".join([*runs, text(".ci/run")])) | {row["target"] for row in matrix}
    assert {"book", "lock", "test-newest"} <= named
    assert {"test", "test-setup", "test-oldest"} <= in_workflow
    assert named | in_workflow <= made()


def test_targets_are_read_from_calls_of_make() -> None:
    assert targets("make book    # builds\nmake test-code PYTHON=python3 lock\nsure to make") == {
        "book", "test-code", "lock",
    }  # fmt: skip
