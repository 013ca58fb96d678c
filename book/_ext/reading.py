"""What a reader uses on a page, in plain HTML: dropdowns, permalinks, code, the links that run a chapter."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.typing import ExtensionMetadata

PERMALINK = re.compile(r'<a class="headerlink')
# Names, punctuation and space in code, which have the colour of the code around them.
UNCOLOURED = re.compile(r'<span class="[npw]">([^<]*)</span>')


class Dropdown(nodes.Element):
    """A folded part of the page; `title` says what is in it."""


def visit_dropdown(self: Any, node: Dropdown) -> None:
    """Open the fold."""
    self.body.append(self.starttag(node, "details"))
    self.body.append(f"<summary>{self.encode(node['title'])}</summary>\n")


def depart_dropdown(self: Any, _node: Dropdown) -> None:
    """Close the fold."""
    self.body.append("</details>\n")


def visit_citation(self: Any, node: nodes.citation) -> None:
    """Open an entry of the bibliography, as an item of its list; docutils' own role for it is deprecated."""
    if not isinstance(node.previous_sibling(), nodes.citation):
        self.body.append('<div role="list" class="citation-list">\n')
    self.body.append(self.starttag(node, "div", CLASS="citation", role="listitem"))


def depart_citation(self: Any, node: nodes.citation) -> None:
    """Close the entry, and the list after its last."""
    self.body.append("</div>\n")
    if not isinstance(node.next_node(descend=False, siblings=True), nodes.citation):
        self.body.append("</div>\n")


def admonitions(document: nodes.document) -> list[nodes.Element]:
    """Return the statements, proofs, exercises, solutions and notes of a page."""
    return [node for node in document.findall(nodes.Element) if isinstance(node, nodes.Admonition)]


class Dropdowns(SphinxPostTransform):
    """Turn proofs, solutions and admonitions of the class `dropdown` into <details>: no script opens them."""

    default_priority = 800
    formats = ("html",)

    def run(self, **_: Any) -> None:
        """Replace each such node by a fold of the same content, classes and address."""
        for node in admonitions(self.document):
            if "dropdown" not in node["classes"]:
                continue
            fold = Dropdown(classes=node["classes"], ids=node["ids"], title=self.take_title(node))
            fold.extend(node.children)
            node.replace_self(fold)

    def take_title(self, node: nodes.Element) -> str:
        """Remove the title, or the word that begins a proof, and return its text."""
        first = node.next_node(nodes.title)
        if first is not None and first.parent is node:
            node.remove(first)
            return str(first.astext())
        text = node.next_node(nodes.Text)
        if text is None or not text.astext().startswith("Proof. "):
            return "Details"
        text.parent.replace(text, nodes.Text(text.astext().removeprefix("Proof. ")))
        return "Proof"


class Permalinks(SphinxPostTransform):
    """Give each statement and exercise a link to itself, and only them its address.

    The extensions put one and the same id on the content of every statement; an id must be unique in a page.
    """

    default_priority = 700
    formats = ("html",)

    def run(self, **_: Any) -> None:
        """Append the link to the titles, and drop the repeated ids."""
        for section in self.document.findall(nodes.section):
            if set(section["ids"]) <= {"proof-content", "exercise-content", "solution-content"}:
                section["ids"] = []
        for node in admonitions(self.document):
            if node["ids"] == ["proof"]:
                node["ids"] = []
                node["classes"].append("proof-text")
            title = node.next_node(nodes.title)
            if title is None or title.parent is not node or not node["ids"] or "dropdown" in node["classes"]:
                continue
            address = f"#{node['ids'][0]}"
            link = nodes.reference("", "#", internal=True, refuri=address, classes=["headerlink"])
            link["reftitle"] = f"Link to this {node.get('realtype', 'exercise')}"
            title += link


def run_links(
    _app: Sphinx, page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Give the page of a notebook its file, and the addresses that run it where the repository has one."""
    if context.get("page_source_suffix") != ".ipynb":
        return
    notebook, repository = f"{page}.ipynb", context["theme_repository_url"].rstrip("/")
    context["run"] = {"notebook": notebook, "links": {}}
    if not repository:
        return
    branch = context["theme_repository_branch"]
    slug = repository.removeprefix("https://github.com/")
    context["run"]["links"] = {
        "Open on Binder": f"https://mybinder.org/v2/gh/{slug}/{branch}?urlpath=lab/tree/{notebook}",
        "Open in Colab": f"https://colab.research.google.com/github/{slug}/blob/{branch}/{notebook}",
        "See its source": f"{repository}/blob/{branch}/{notebook}",
    }


def lighten(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Take the `#` beside headings, formulas and statements out of the order of the Tab key.

    Mark in code only what has a colour of its own: a seventh of the elements of a chapter go.
    """
    if "body" in context:
        quiet = PERMALINK.sub(r'<a tabindex="-1" class="headerlink', context["body"])
        context["body"] = UNCOLOURED.sub(r"\1", quiet)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the transforms and the page hook."""
    app.add_node(Dropdown, html=(visit_dropdown, depart_dropdown))
    app.add_node(nodes.citation, override=True, html=(visit_citation, depart_citation))
    app.add_post_transform(Permalinks)
    app.add_post_transform(Dropdowns)
    app.connect("html-page-context", run_links)
    app.connect("html-page-context", lighten)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
