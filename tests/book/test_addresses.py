"""The project's own address: in one place, and no link to a place that does not exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment, FileSystemLoader
from reading import run_links

ROOT = Path(__file__).parents[2]
SETTINGS = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
HOME = "https://github.com/someone/kl-lib"
HOST = re.compile(
    r"(?:git(?:hub|lab)\.com[/:]|codeberg\.org/|mybinder\.org/v2/gh/|colab\.research\.google\.com/github/)"
    r"([\w.-]+/[\w.-]+)"
)
RUN = ("Open on Binder", "Open in Colab", "See its source")


def plain(name: str) -> str:
    """Return the letters of a name: kl-lib, kl_lib and KL.lib.git are one."""
    return re.sub(r"[^a-z]", "", name.lower().removesuffix(".git"))


def own_addresses(text: str, names: set[str]) -> list[str]:
    """Return each owner/name of a repository in the text that bears one of the project's names."""
    known = {plain(name) for name in names}
    return [slug for slug in HOST.findall(text) if plain(slug.partition("/")[2]) in known]


def own_names() -> set[str]:
    """Return the project's name, those of its packages, and that of its repository if it has one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    return {project["project"]["name"], *packages, SETTINGS["repository"]["url"].rpartition("/")[2]} - {""}


def test_every_address_of_the_project_is_the_one_in_the_settings(project_files: list[Path]) -> None:
    found = {}
    for path in project_files:
        content = (ROOT / path).read_bytes()
        if path != Path(__file__).relative_to(ROOT) and b"\0" not in content:
            found |= dict.fromkeys(own_addresses(content.decode("utf-8"), own_names()), str(path))
    home = SETTINGS["repository"]["url"].removeprefix("https://github.com/")
    assert set(found) == {home} - {""}, found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[x](https://github.com/someone/kl-lib/issues)", ["someone/kl-lib"]),
        ("pip install git+https://github.com/kl-lib/kl-lib", ["kl-lib/kl-lib"]),
        ("git@github.com:someone/kl_lib.git", ["someone/kl_lib.git"]),
        ("https://mybinder.org/v2/gh/someone/kl-lib/main", ["someone/kl-lib"]),
        ("https://colab.research.google.com/github/someone/KL-lib/blob/main/x.ipynb", ["someone/KL-lib"]),
        ("https://github.com/scipy/scipy and uses: actions/checkout@v5", []),
    ],
)
def test_an_address_of_the_project_is_told_from_those_of_others(text: str, found: list[str]) -> None:
    assert own_addresses(text, {"kl_lib"}) == found


def rendered(url: str) -> str:
    """Return the top of the page of a notebook, in a book whose repository is at `url`."""
    context: dict[str, Any] = {
        "page_source_suffix": ".ipynb",
        "theme_repository_url": url,
        "theme_repository_branch": "main",
        "pathto": lambda target, _resource: target,
    }
    run_links(None, "book/chapter", "page.html", context, None)
    templates = Environment(loader=FileSystemLoader(ROOT / "book" / "_templates"), autoescape=True)
    return templates.get_template("article-header-buttons.html").render(context)


def test_with_a_home_a_chapter_links_to_it() -> None:
    links = dict(re.findall(r'<a href="(https:[^"]*)">([^<]*)</a>', rendered(HOME + "/")))
    assert tuple(links.values()) == RUN
    assert all("someone/kl-lib" in link and "book/chapter.ipynb" in link for link in links)


def test_without_a_home_a_chapter_links_nowhere_and_can_still_be_run() -> None:
    page = rendered("")
    assert "https:" not in page
    assert re.findall(r'href="([^"]*)"', page) == ["search.html", "notebooks/chapter.ipynb"]
    assert "make lab" in page


def test_a_page_that_is_no_notebook_is_not_run() -> None:
    context: dict[str, Any] = {"page_source_suffix": ".md"}
    run_links(None, "book/index", "page.html", context, None)
    assert "run" not in context
