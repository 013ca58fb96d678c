"""What can be read off the built pages without a browser: links, policy, descriptions, stamp."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import head
import pytest
import yaml
from build import STAGE
from pygments.styles import get_style_by_name
from pygments.token import Name, Punctuation, Text, Whitespace

# The pages are read once, in one process.
pytestmark = pytest.mark.xdist_group("files")

ROOT = Path(__file__).parents[2]
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
SHORTEST_DESCRIPTION = 40
VERSIONS = r"with numpy [\d.]+, scipy [\d.]+, matplotlib [\d.]+"
STAMP = re.compile(
    rf"verified on \d{{4}}-\d\d-\d\d at [0-9a-f]{{7}} {VERSIONS}"
    rf"|not verified on this machine yet: <code>make test</code> re-runs what was stored on "
    rf"\d{{4}}-\d\d-\d\d at [0-9a-f]{{7}} {VERSIONS}"
    r"|not verified: no version history here"
)
LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}


@dataclass
class Document(HTMLParser):
    """The tags of a page, and the text that is neither code nor the source of a formula."""

    path: Path
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: str = ""
    open_silent: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attributes}))
        if tag in ("pre", "code", "annotation", "script", "style"):
            self.open_silent.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open_silent and self.open_silent[-1] == tag:
            self.open_silent.pop()

    def handle_data(self, data: str) -> None:
        if not self.open_silent:
            self.text += data

    def link(self, name: str) -> str:
        """Return where the link of that class leads, nothing where there is none."""
        return next((a["href"] for tag, a in self.tags if tag == "a" and a.get("class") == name), "")

    @functools.cached_property
    def ids(self) -> list[str]:
        """The addresses in the page."""
        return [attributes["id"] for _, attributes in self.tags if "id" in attributes]


@pytest.fixture(scope="session")
def documents(site):
    return {path: Document(path) for path in site.folder.rglob("*.html")}


@pytest.fixture
def document(documents, site, page_path):
    return documents[site.folder / page_path]


def test_the_policy_stands_before_anything_it_governs(document):
    governed = ("script", "link", "style")
    attributes = next(a for tag, a in document.tags if tag in governed or "http-equiv" in a)
    assert attributes == {"http-equiv": "Content-Security-Policy", "content": POLICY}


def test_nothing_is_loaded_from_elsewhere_or_written_inline(document):
    for tag, attributes in document.tags:
        address = attributes.get(LOADED.get(tag, ""), "")
        assert not urlsplit(address).netloc, f"<{tag}> loads {address}"
        assert tag != "script" or address, "an inline script"
        assert not [name for name in attributes if name.startswith("on")], f"an inline handler on <{tag}>"


def test_links_lead_somewhere(document, documents, site):
    for tag, attributes in document.tags:
        for address in (attributes[name] for name in ("href", "src") if name in attributes):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (document.path.parent / unquote(parts.path)).resolve() if parts.path else document.path
            target = target / "index.html" if target.is_dir() else target
            assert target.is_relative_to(site.folder), f"{address} leaves the site"
            assert target.exists(), f"<{tag}> leads to {address}, which does not exist"
            state = "=" in parts.fragment and "kl-playground" in target.read_text(encoding="utf-8")
            if parts.fragment and target.suffix == ".html" and not state:
                known = documents[target].ids
                assert unquote(parts.fragment) in known, f"{address} leads to no place in its page"


def test_addresses_are_unique(document):
    assert len(document.ids) == len(set(document.ids)), [i for i in document.ids if document.ids.count(i) > 1]


def test_figures_say_what_is_seen(document):
    for position, (tag, attributes) in enumerate(document.tags):
        if tag == "figure":
            pictures = (t for t in document.tags[position:] if t[0] in ("svg", "img"))
            drawing = next(p for p in pictures if "preserveaspectratio" not in p[1])  # of a formula
            assert drawing[0] == "img" or drawing[1].get("role") == "img"
        if tag == "img" or attributes.get("role") == "img":
            description = attributes.get("alt", attributes.get("aria-label", ""))
            assert len(description) >= SHORTEST_DESCRIPTION, f"<{tag}> is described only as {description!r}"


def test_each_figure_is_there_once(document):
    assert not [a for tag, a in document.tags if tag == "img" and a["src"].startswith("data:image/svg")]


def test_no_formula_was_left_as_source(document):
    assert "$" not in document.text
    assert "\\begin{" not in document.text


def test_code_marks_only_what_has_a_colour_of_its_own(document):
    assert re.search(r'<span class="[npw]">[^<]*</span>', document.path.read_text(encoding="utf-8")) is None
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["sphinx"]["config"]
    for mode in ("light", "dark"):
        style = get_style_by_name(settings["html_theme_options"][f"pygments_{mode}_style"])
        colours = [style.style_for_token(token)["color"] for token in (Text, Name, Punctuation, Whitespace)]
        assert len(set(colours)) == 1


def test_the_footer_says_when_it_was_verified(document):
    source = document.path.read_text(encoding="utf-8")
    (stamp,) = re.findall(r'<p class="stamp">(.*?)</p>', source, re.DOTALL)
    assert STAMP.fullmatch(stamp), stamp


def test_previous_and_next_follow_the_order_of_the_book(documents, site):
    order = [site.folder / "book" / "index.html"]
    while onward := documents[order[-1]].link("right-next"):
        order.append((order[-1].parent / onward).resolve())
        back = documents[order[-1]].link("left-prev")
        assert (order[-1].parent / back).resolve() == order[-2]
    others = {site.folder / name for name in ("index.html", "search.html", "404.html")}
    assert set(order) == set(documents) - others


def test_the_front_door_leads_home(documents, site):
    front = documents[site.folder / "index.html"]
    refresh = next(a["content"] for _, a in front.tags if a.get("http-equiv") == "refresh")
    assert refresh == "0; url=book/index.html"
    assert "book/index.html" in [a.get("href") for _, a in front.tags]


def test_a_page_says_what_it_is_about_where_a_link_to_it_is_shared(document):
    told = {
        a.get("property", a.get("name")): a["content"]
        for t, a in document.tags
        if t == "meta" and "content" in a
    }
    assert told["og:title"]
    assert told["og:site_name"]
    if document.path.name != "search.html":
        assert 40 <= len(told["description"]) <= 210
        assert told["description"] == told["og:description"]
        assert not set(told["description"]) & set("\\$<{")


@pytest.mark.parametrize("home", ["", "https://example.org/book/"])
def test_a_card_stands_ready_for_links_where_the_address_of_the_book_is_known(home, tmp_path, monkeypatch):
    monkeypatch.setattr(head.playground, "card", lambda *_: b"\x89PNG")
    config = SimpleNamespace(html_baseurl=home, html_title="The book", project="")
    app, context = SimpleNamespace(outdir=tmp_path, config=config), {}
    head.draw_card(app)
    head.describe(app, "book/index", "page.html", context, None)
    drawn = [file.read_bytes()[1:4] for file in tmp_path.rglob("card.png")]
    assert (drawn, context.get("card")) == (([b"PNG"], home + "_static/card.png") if home else ([], None))


def test_the_card_shows_the_first_figure_of_the_home_page():
    assert head.TRUTH in (ROOT / "book" / "index.md").read_text(encoding="utf-8")


def test_each_statement_links_to_itself(document):
    classes = [(attributes, set(attributes.get("class", "").split())) for _, attributes in document.tags]
    labels = {f"#{a['id']}" for a, names in classes if {"proof", "admonition"} <= names and "id" in a}
    assert labels <= {a["href"] for a, names in classes if "headerlink" in names}


def test_a_chapter_can_be_downloaded_and_run(documents, site, chapter_path):
    document = documents[site.folder / chapter_path]
    download = next(a["href"] for t, a in document.tags if t == "a" and "download" in a)
    notebook = json.loads((document.path.parent / download).resolve().read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4
    assert "<code>make lab</code>" in document.path.read_text(encoding="utf-8")


def test_links_that_run_a_chapter_go_to_the_home_of_the_project_alone(documents, site, chapter_path):
    home = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
    slug = home.removeprefix("https://github.com/")
    starts = (
        "https://mybinder.org/v2/gh/",
        "https://colab.research.google.com/github/",
        "https://github.com/",
    )
    expected = [f"{start}{slug}/" for start in starts] if home else []
    links = [a["href"] for t, a in documents[site.folder / chapter_path].tags if t == "a" and "href" in a]
    name = Path(chapter_path).with_suffix(".ipynb").as_posix()
    found = [link for link in links if link.endswith(f"/{name}") and urlsplit(link).netloc]
    assert len(found) == len(expected)
    assert all(link.startswith(start) for link, start in zip(found, expected, strict=True))


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_build_with_nothing_to_write_changes_nothing():
    """After a change of the library, say, of which no page tells."""
    before = files(STAGE / "html")
    command = [sys.executable, "-c", "import build; build.build(build.STAGE)"]
    subprocess.run(command, cwd=ROOT / "book" / "_ext", check=True, capture_output=True)
    assert files(STAGE / "html") == before
