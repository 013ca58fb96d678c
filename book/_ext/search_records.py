"""What a search finds: a record for each section, statement, figure and function, made as pages are.

The browser searches the records with MiniSearch (`book/_static/search.js`), so that a result leads to the
place itself. A record has the words of its place and its formulas as text, once, and neither code nor what
is folded: a proof is found by its statement. Each page's records are kept beside its doctree, for the builds
that do not write the page again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.util.typing import ExtensionMetadata

from captions import CaptionTitle, NumberedFigure
from formula_text import formula_text
from playground import minify
from predict import Answer
from reading import Dropdown

MINISEARCH = Path(__file__).parent / "node_modules" / "minisearch"
NOTICE = "// MiniSearch {version}, © Luca Ongaro, MIT licence.\n"

# Other words for one thing; the first is the book's own. A search for one of them is a search for all.
SYNONYMS = (
    ("KL divergence", "Kullback-Leibler divergence", "relative entropy", "information divergence", "KLD"),
    ("forward KL", "inclusive KL", "moment projection", "M-projection"),
    ("reverse KL", "exclusive KL", "information projection", "I-projection"),
    ("mode seeking", "zero forcing"),
    ("mass covering", "zero avoiding", "support seeking", "mean seeking"),
    ("ELBO", "evidence lower bound", "variational lower bound", "negative free energy"),
    ("normalizer", "partition function", "normalizing constant", "normalising constant"),
    ("evidence", "marginal likelihood"),
    ("variational inference", "variational Bayes", "VI"),
    ("autoencoder", "VAE", "variational autoencoder"),
    ("RLHF", "reinforcement learning from human feedback", "PPO"),
    ("distillation", "teacher student", "knowledge distillation"),
    ("maximum likelihood", "MLE"),
    ("cross-entropy", "log loss", "negative log-likelihood", "NLL"),
    ("surprise", "surprisal", "self-information"),
    ("score function", "REINFORCE", "likelihood ratio gradient", "policy gradient"),
    ("reparameterization", "reparametrization", "reparameterisation", "pathwise"),
    ("baseline", "control variate"),
    ("importance-weighted", "IWAE"),
    ("Gumbel softmax", "concrete distribution"),
    ("EM", "expectation maximization"),
    ("Jensen-Shannon", "JSD"),
    ("Gaussian", "normal"),
    ("mean-field", "factorised", "independent normals"),
    ("Fisher information", "curvature of the divergence"),
    ("data processing", "DPI"),
    ("log-sum-exp", "logsumexp"),
)

SILENT = (
    nodes.literal_block, nodes.doctest_block, nodes.raw, nodes.comment, nodes.image, nodes.math_block,
    nodes.title, nodes.field_list, nodes.rubric, addnodes.desc_signature, CaptionTitle, Dropdown, Answer,
)  # fmt: skip
CODE = ("cell_code_source", "cell_code_output")
LONGEST = 1500  # characters of one place: a search stays under 100 KB


@dataclass
class Record:
    """A place in the book: its address, what it is called and where it is, its kind and its words."""

    address: str
    title: str
    trail: str
    kind: str
    words: list[str] = field(default_factory=list)


def title_text(node: nodes.Element) -> str:
    """Return the words of a heading, without its permalink."""
    return "".join(inline(child) for child in node.children).strip()


def inline(node: nodes.Node) -> str:
    """Return the words of a piece of text, its formulas as text."""
    if isinstance(node, nodes.math | nodes.math_block):
        return formula_text(node.astext(), display=isinstance(node, nodes.math_block))
    if isinstance(node, nodes.Text):
        return node.astext()
    if isinstance(node, nodes.raw) or "headerlink" in getattr(node, "attributes", {}).get("classes", []):
        return ""
    return "".join(inline(child) for child in node.children)


class Gatherer:
    """Walks through a page and collects its records."""

    def __init__(self, app: Sphinx, page: str) -> None:
        self.env, self.page = app.env, page
        self.uri = app.builder.get_target_uri(page)
        self.numbers = app.env.toc_fignumbers.get(page, {})
        self.records: list[Record] = []

    def section_number(self, section: nodes.Element) -> str:
        """Return the number of a section as the page shows it, nothing for one without."""
        numbers = self.env.toc_secnumbers.get(self.page, {})
        anchor = "" if isinstance(section.parent, nodes.document) else f"#{section['ids'][0]}"
        number = numbers.get(anchor)
        return ".".join(map(str, number)) + ". " if number else ""

    def statement_title(self, node: nodes.Element) -> str:
        """Return "Theorem 1.4 (Gibbs' inequality)"; a note that is not numbered has its title alone."""
        title = title_text(next(child for child in node.children if isinstance(child, nodes.title)))
        kind = node.get("realtype", "exercise")
        number = self.numbers.get(node.get("countertype", kind), {}).get(node["ids"][0])
        return f"{kind.title()} {'.'.join(map(str, number))} {title}".strip() if number else title

    def begin(self, node: nodes.Element, record: Record) -> Record | None:
        """Return the record that begins with `node`, inside `record`; None where none does."""
        heading = node.next_node(nodes.title)
        if isinstance(node, nodes.section) and node["ids"] and heading is not None:
            title = self.section_number(node) + title_text(heading)
            trail = " › ".join(filter(None, (record.trail, record.title)))
            home = isinstance(node.parent, nodes.document)
            return Record(self.uri + ("" if home else f"#{node['ids'][0]}"), title, trail, "section")
        if isinstance(node, nodes.Admonition) and node["ids"] and heading is not None:
            trail = " › ".join(filter(None, (record.trail, record.title)))
            return Record(f"{self.uri}#{node['ids'][0]}", self.statement_title(node), trail, "statement")
        caption = node.next_node(CaptionTitle)
        if isinstance(node, NumberedFigure) and caption is not None:
            number = ".".join(map(str, self.numbers["figure"][node["ids"][0]]))
            name = self.env.config.numfig_format["figure"] % number
            title = f"{name} {title_text(caption)}"
            trail = " › ".join(filter(None, (record.trail, record.title)))
            return Record(f"{self.uri}#{node['ids'][0]}", title, trail, "figure")
        if isinstance(node, addnodes.desc):
            signature = node.next_node(addnodes.desc_signature)
            if signature is not None and signature["ids"]:
                return Record(
                    f"{self.uri}#{signature['ids'][0]}", signature["fullname"], record.title, "function"
                )
        return None

    def walk(self, node: nodes.Element, record: Record) -> None:
        """Add the words below `node` to `record`, or to the records that begin there."""
        for child in node.children:
            if isinstance(child, nodes.math_block):
                record.words.append(inline(child))
            attributes = getattr(child, "attributes", {})
            if isinstance(child, SILENT) or attributes.get("nb_element") in CODE:
                continue
            if "kl-on-paper" in attributes.get("classes", []):
                continue  # the pages do not show it
            if isinstance(child, nodes.TextElement):
                record.words.append(inline(child))
            elif isinstance(child, nodes.Element):
                begun = self.begin(child, record)
                if begun is not None:
                    self.records.append(begun)
                self.walk(child, begun or record)


def store(
    app: Sphinx, page: str, _template: str, _context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Keep the records of a page beside its doctree."""
    if doctree is None or not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    gatherer = Gatherer(app, page)
    if "nosearch" not in app.env.metadata[page]:
        gatherer.walk(doctree, Record("", "", "", "page"))
    path = records_path(app, page)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(list(map(asdict, gatherer.records))), encoding="utf-8")


def records_path(app: Sphinx, page: str) -> Path:
    """Return where the records of a page are kept."""
    return Path(app.doctreedir, f"{page}.records.json")


def all_records(app: Sphinx) -> Iterator[list[str]]:
    """Yield the records of the book, as short as the page wants them."""
    told = set()
    for page in sorted(app.env.found_docs):
        for record in json.loads(records_path(app, page).read_text(encoding="utf-8")):
            words = re.sub(r"\s+", " ", " ".join(record["words"])).strip()
            if record["kind"] == "function" and words in told:
                continue  # inherited from a class that is there
            told.add(words)
            yield [record["address"], record["title"], record["trail"], record["kind"], words[:LONGEST]]


def write(app: Sphinx, exception: Exception | None) -> None:
    """Write the records, and MiniSearch without its comments, to where the search page finds them."""
    if exception is not None or not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    static = Path(app.outdir, "_static")
    data = {"records": list(all_records(app)), "synonyms": SYNONYMS}
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    (static / "search-records.js").write_text(f"const BOOK = {text};\n", encoding="utf-8")
    version = json.loads((MINISEARCH / "package.json").read_text(encoding="utf-8"))["version"]
    minify(MINISEARCH / "dist" / "umd" / "index.js", static / "minisearch.js")
    script = (static / "minisearch.js").read_text(encoding="utf-8")
    (static / "minisearch.js").write_text(NOTICE.format(version=version) + script, encoding="utf-8")


def no_index(app: Sphinx) -> None:
    """Keep Sphinx from writing an index of its own, of whole pages with their code."""
    if isinstance(app.builder, StandaloneHTMLBuilder):
        app.builder.search = False


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect to the writing of each page, and to the end of the build."""
    app.connect("builder-inited", no_index)
    app.connect("html-page-context", store)
    app.connect("build-finished", write, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
