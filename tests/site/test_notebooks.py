"""The notebooks that the site hands out: the source's code and outputs, and a text that anyone can render."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from plain_markdown import plain

BOOK = Path(__file__).parents[2] / "book"
SOURCES = sorted(BOOK.glob("*.ipynb"))
MYST = re.compile(r"^ *:{3,}|\{[\w:-]+\}`|^\([\w-]+\)=$|\]\([\w-]+\.md|\$\$ *\([\w-]+\)", re.MULTILINE)

NAMES = {
    "prf:ref two": "Theorem 1.2", "prf:ref own": "Proposition 3.4", "eq eq-a": "(1.5)", "eq-a": "1.5",
    "cite:t a": "Author [1999]", "cite:p a": "[Author, 1999]", "cite:p b": "[Other and More, 2001]",
    "other.ipynb": "The other chapter", "prf:ref ex": "Exercise 1.1", "numref fig": "Fig. 2.1",
}  # fmt: skip


@pytest.fixture(params=SOURCES, ids=lambda path: path.stem)
def pair(request, site):
    """Return a notebook of the project and the one that the site hands out for it."""
    published = site.folder / "notebooks" / request.param.name
    return [nbformat.read(path, as_version=4) for path in (request.param, published)]


def text(notebook) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def test_code_and_outputs_are_those_that_the_tests_have_compared(pair):
    source, published = ([c for c in n.cells if c.cell_type == "code"] for n in pair)
    assert [nbformat.v4.new_notebook(cells=[cell]) for cell in published] == [
        nbformat.v4.new_notebook(cells=[cell]) for cell in source
    ]
    assert pair[0].metadata == pair[1].metadata


def test_it_is_a_notebook_that_says_first_how_to_run_it(pair):
    nbformat.validate(pair[1])
    first = pair[1].cells[0]
    assert first.cell_type == "markdown"
    assert 'pip install ".[book]"' in first.source


def test_nothing_is_left_that_plain_markdown_does_not_know(pair):
    assert MYST.findall(text(pair[0]))
    assert MYST.findall(text(pair[1])) == []


def test_statements_and_figures_have_the_names_that_the_page_gives_them(pair, site, request):
    page = site.folder / "book" / f"{request.node.callspec.params['pair'].stem}.html"
    shown = re.findall(
        r'<span class="caption-number">([A-Z]\w+ [\d.]+) </span>', page.read_text(encoding="utf-8")
    )
    named = re.findall(r"^(?:> )?\*\*([A-Z]\w+ \d+\.\d+)", text(pair[1]), re.MULTILINE)
    assert named
    assert sorted(named) == sorted(shown)


def test_citations_are_those_of_the_page(pair, site, request):
    page = site.folder / "book" / f"{request.node.callspec.params['pair'].stem}.html"
    words = re.sub(r"<[^>]*>", "", page.read_text(encoding="utf-8")).replace("&amp;", "&")
    cited = re.findall(r"\[([A-Z][^\[\]$]*, \d{4})\]", text(pair[1]))
    assert all(citation in words for citation in cited), [c for c in cited if c not in words]


def test_one_of_them_runs_elsewhere_and_gives_the_same(site, tmp_path):
    """In a folder of its own, as one that was downloaded; the code of all is that of the sources."""
    copy = tmp_path / "downloaded.ipynb"
    smallest = min(SOURCES, key=lambda path: path.stat().st_size)
    copy.write_bytes((site.folder / "notebooks" / smallest.name).read_bytes())
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval", str(copy)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (":::{prf:theorem} Title\n:label: two\n\nWords.\n\n$$\na\n= b\n$$ (eq-a)\n:::",
         "> **Theorem 1.2 (Title)**\n>\n> Words.\n>\n> $$a = b \\tag{1.5}$$"),
        ("::::{prf:proof}\n:class: dropdown\n\nSee {eq}`eq-a`.\n::::", "*Proof.* See (1.5).\n\n∎"),
        ("By {prf:ref}`two` and {cite:t}`a`, {cite:p}`a,b`.",
         "By Theorem 1.2 and Author [1999], [Author, 1999]; [Other and More, 2001]."),
        ("[](other.ipynb), [here](notation.md), {ref}`there <place>`",
         "[The other chapter](other.ipynb), here, there"),
        (":::{solution-start} ex\n:class: dropdown\n:::\n\nIt is so.",
         "**Solution of Exercise 1.1**\n\nIt is so."),
        (":::{caption} A bell\n:label: fig\n\n1. {try}`Wide <sigma=2>`: low.\n:::",
         "**Fig. 2.1. A bell**\n\n1. Wide: low."),
        (":::{margin}\nAn aside, see {eq}`eq-a`.\n:::", "> An aside, see (1.5)."),
        ("(place)=\n## Heading", "## Heading"),
        ("$$ a \\\\ b $$", "$$\\begin{aligned}a \\\\ b\\end{aligned}$$"),
    ],
)  # fmt: skip
def test_each_piece_becomes_plain(source, expected):
    assert plain(source, NAMES) == expected


@pytest.mark.parametrize("source", [":::{unheard-of} x\n:::", "{prf:ref}`nowhere`", "{unheard}`of`"])
def test_what_is_unknown_is_refused(source):
    with pytest.raises(KeyError):
        plain(source, NAMES)
