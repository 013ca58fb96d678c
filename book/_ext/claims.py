"""The claims of the book: every statement, the cells that check it, and what breaks each check on purpose.

As a module it reads the notebooks (`read_claims`), for the tests and for the page alike. As a Sphinx
extension it gives each check cell an anchor and a caption, and the directive ``claims``, which lists
all statements with links to their checks.
"""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

from predict import PREFIX, Question, read_questions

KINDS = ("definition", "proposition", "theorem", "remark", "lemma", "corollary")
STATEMENT = re.compile(
    rf"^:{{3,}}\{{prf:(?P<kind>{'|'.join(KINDS)})\}} *(?P<title>[^\n]*)\n(?P<options>(?::[\w-]+:[^\n]*\n)*)",
    re.M,
)
PROOF_OR_STATEMENT = re.compile(rf"{STATEMENT.pattern}|^:{{3,}}\{{prf:proof\}}", re.M)


@dataclass(frozen=True)
class Sabotage:
    """A line of Python that breaks something a check relies on, and a few words that say what."""

    line: str
    breaks: str


@dataclass(frozen=True)
class Check:
    """A code cell that verifies a statement, and the lines that must make its asserts fail."""

    cell_id: str
    claim: str
    source: str
    sabotage: tuple[Sabotage, ...]
    number: int  # among the checks of its claim, from 1

    @property
    def anchor(self) -> str:
        """The id of the cell on the built page."""
        return f"check-{self.claim}" + (f"-{self.number}" if self.number > 1 else "")

    @property
    def ways(self) -> int:
        """The number of its asserts."""
        return count_asserts(self.source)


@dataclass(frozen=True)
class Statement:
    """A numbered statement of a chapter; its label is empty where the author forgot it."""

    kind: str
    title: str
    label: str
    proved: bool = False  # in a proof that stands before the next statement


@dataclass(frozen=True)
class Claims:
    """The title, the statements, the checks and the questions of one notebook."""

    title: str
    statements: list[Statement]
    checks: list[Check]
    questions: list[Question] = field(default_factory=list)


def conditions(test: ast.expr) -> list[ast.expr]:
    """Return the conditions that ``and`` joins."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return [condition for value in test.values for condition in conditions(value)]
    return [test]


def count_asserts(source: str) -> int:
    """Count the asserts of a cell, by statement or by NumPy's functions; ``assert a and b`` is two."""
    nodes = list(ast.walk(ast.parse(source)))
    called = [ast.unparse(node.func).rpartition(".")[2] for node in nodes if isinstance(node, ast.Call)]
    calls = sum(name.startswith("assert_") for name in called)
    return calls + sum(len(conditions(node.test)) for node in nodes if isinstance(node, ast.Assert))


def read_claims(path: Path) -> Claims:
    """Read the statements, the checks and the questions of the notebook at `path`."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    statements: list[Statement] = []
    checks: list[Check] = []
    questions: list[Question] = []
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            questions += read_questions(source)
            for match in PROOF_OR_STATEMENT.finditer(source):
                if match["kind"]:
                    statements.append(_statement(match))
                elif statements:
                    statements[-1] = replace(statements[-1], proved=True)
        elif "check" in cell["metadata"].get("tags", []) or "claim" in cell["metadata"]:
            claim = cell["metadata"].get("claim", "")
            number = 1 + sum(check.claim == claim for check in checks)
            sabotage = tuple(Sabotage(**entry) for entry in cell["metadata"].get("sabotage", []))
            checks.append(Check(cell["id"], claim, source, sabotage, number))
    heading = re.search(r"^# (.+)$", "".join(cells[0]["source"]), re.M)
    title = heading[1] if heading else path.stem
    return Claims(title, statements, checks, questions)


def _statement(match: re.Match[str]) -> Statement:
    label = re.search(r"^:label: *(\S+)", match["options"], re.M)
    return Statement(match["kind"], match["title"].strip(), label[1] if label else "")


class AnchorChecks(SphinxTransform):
    """Give each check cell its anchor and a caption that names what it checks."""

    default_priority = 400

    def apply(self, **_: Any) -> None:
        """Run over the cells that myst-nb has made of one notebook."""
        seen: dict[str, int] = {}
        for cell in self.document.findall(nodes.container):
            claim = cell.attributes.get("cell_metadata", {}).get("claim")
            if not claim:
                continue
            seen[claim] = seen.get(claim, 0) + 1
            anchor = f"check-{claim}" + (f"-{seen[claim]}" if seen[claim] > 1 else "")
            cell["ids"].append(anchor)
            cell["classes"].append("kl-check")
            cell.insert(0, _caption(claim, self.env.docname))


def _caption(claim: str, docname: str) -> nodes.paragraph:
    """Return "Check of Proposition 1.5", or of "Question 1.1", with a link to it."""
    domain, role = ("std", "numref") if claim.startswith(PREFIX) else ("prf", "ref")
    reference = pending_xref(
        "", nodes.inline("", claim), refdomain=domain, reftype=role, reftarget=claim, refdoc=docname,
        refexplicit=False, refwarn=True,
    )  # fmt: skip
    return nodes.paragraph("", "Check of ", reference, classes=["kl-check-caption"])


class ClaimsDirective(SphinxDirective):
    """List every statement of the book beside its checks and their sabotage."""

    has_content = False
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """Write one table a chapter, in the order of the notebooks in the table of contents."""
        folder = Path(self.env.doc2path(self.env.docname)).parent
        lines: list[str] = []
        for document in self.env.app.config.external_site_map:
            path = folder / f"{Path(document).name}.ipynb"
            if path.exists():
                self.env.note_dependency(str(path))
                lines += _chapter_table(path)
        section = nodes.section()
        section.document = self.state.document
        self.state.nested_parse(StringList(lines, "claims"), self.content_offset, section, match_titles=True)
        return list(section.children)


def _chapter_table(path: Path) -> list[str]:
    """Return one chapter's claims as lines of MyST Markdown, a row a check."""
    claims = read_claims(path)
    if not claims.statements:
        return []
    lines = [f"## {claims.title}", "", "| Statement | Title | Check | Broken on purpose by |"]
    lines.append("|---|---|---|---|")
    rows = [(f"{{prf:ref}}`{s.label}`", s.title, s.label) for s in claims.statements]
    rows += [(f"{{numref}}`{q.label}`", q.title, q.label) for q in claims.questions]
    for name, title, label in rows:
        for check in (check for check in claims.checks if check.claim == label):
            # Plain HTML: MyST resolves links to headings and labels only, and a cell has neither.
            link = f'<a href="{path.stem}.html#{check.anchor}">check {check.number}</a>'
            broken = "<br>".join(f"{s.breaks}: `{s.line}`" for s in check.sabotage).replace("|", r"\|")
            lines.append(f"| {name} | {title} | {link} | {broken} |")
    return [*lines, ""]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive and the transform."""
    app.add_directive("claims", ClaimsDirective)
    app.add_transform(AnchorChecks)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
