"""Predict, then reveal: a question before a figure, whose answers explain themselves when they are chosen.

The directive ``predict`` holds a numbered list. An item is an answer, and below it why it is right or not,
which begins with *Right.* or *Not right.*; one is right. On the page each answer is a `<details>`, so that
it is chosen by pointer or keyboard, without scripts, and nothing is kept. In Jupyter the list is a list.

As a module it reads the questions of a text (`read_questions`): each is claimed by a check cell, which
computes the number of the right answer (`tests/book/test_predict.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

PREFIX = "ask-"  # of the labels of questions, so that a check cell knows what it claims
RIGHT, WRONG = "Right.", "Not right."
QUESTION = re.compile(
    r"^(?P<fence>:{3,})\{predict\} *(?P<title>[^\n]*)\n(?P<body>.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL
)
ITEM = re.compile(r"^\d+\. (?P<answer>[^\n]*)\n\n +\*(?P<verdict>Right\.|Not right\.)\* \S", re.MULTILINE)
FORM = "takes two to four answers in a numbered list, each explained by a paragraph that begins with"


@dataclass(frozen=True)
class Question:
    """A question and its label; `right` is the number of the right answer, 0 if there is not just one."""

    title: str
    label: str
    right: int
    answers: int


def read_questions(source: str) -> Iterator[Question]:
    """Yield the questions of a Markdown text."""
    for match in QUESTION.finditer(source):
        label = re.search(r"^:label: *(\S+)", match["body"], re.MULTILINE)
        verdicts = [item["verdict"] for item in ITEM.finditer(match["body"])]
        right = verdicts.index(RIGHT) + 1 if verdicts.count(RIGHT) == 1 else 0
        yield Question(match["title"].strip(), label[1] if label else "", right, len(verdicts))


class NumberedQuestion(nodes.General, nodes.Element):
    """A question with its answers."""


class QuestionTitle(nodes.General, nodes.TextElement):
    """What is asked."""


class Answer(nodes.General, nodes.Element):
    """An answer, folded: its words, then why it is right or not."""


class AnswerWords(nodes.General, nodes.TextElement):
    """The words of an answer, which one chooses."""


class PredictDirective(SphinxDirective):
    """Ask before the figure shows."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {"label": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Return the question, its last list made into answers."""
        if not self.options.get("label", "").startswith(PREFIX):
            raise self.error(f"predict takes a label that begins with {PREFIX}")
        title = QuestionTitle("", "", *self.state.inline_text(self.arguments[0], self.lineno)[0])
        question = NumberedQuestion("", title, names=[self.options["label"]])
        self.set_source_info(question)
        self.state.nested_parse(self.content, self.content_offset, question)
        items = question.pop()
        answers = [_answer(item) for item in items.findall(nodes.list_item)]
        verdicts = [verdict for verdict, _ in answers]
        if not 2 <= len(answers) <= 4 or verdicts.count(RIGHT) != 1 or not {*verdicts} <= {RIGHT, WRONG}:
            raise self.error(f"predict {FORM} *{WRONG}* or, for one of them, *{RIGHT}*")
        question.extend(answer for _, answer in answers)
        self.state.document.note_explicit_target(question)
        return [question]


def _answer(item: nodes.Element) -> tuple[str, Answer]:
    """Return the verdict of an item of the list, and the item as an answer."""
    words, *reasons = item.children
    verdict = reasons[0].next_node(nodes.emphasis) if reasons else None
    first = verdict.astext() if verdict is not None else ""
    return first, Answer("", AnswerWords("", "", *words.children), *reasons, right=first == RIGHT)


def _visit_question(self: Any, node: NumberedQuestion) -> None:
    labelled = {"role": "group", "aria-labelledby": f"{node['ids'][0]}-title"}
    self.body.append(self.starttag(node, "div", CLASS="kl-predict", **labelled))


def _depart_question(self: Any, _node: NumberedQuestion) -> None:
    self.body.append("</div>\n")


def _visit_title(self: Any, node: QuestionTitle) -> None:
    title = {"ids": [f"{node.parent['ids'][0]}-title"]}
    self.body.append(self.starttag(node, "p", "", CLASS="kl-predict-title", **title))
    self.add_fignumber(node.parent)


def _depart_title(self: Any, node: QuestionTitle) -> None:
    self.add_permalink_ref(node.parent, "Link to this question")
    self.body.append("</p>\n")


def _visit_answer(self: Any, node: Answer) -> None:
    self.body.append(self.starttag(node, "details", CLASS="kl-answer" + " kl-right" * node["right"]))


def _depart_answer(self: Any, _node: Answer) -> None:
    self.body.append("</details>\n")


def _visit_words(self: Any, _node: AnswerWords) -> None:
    self.body.append("<summary>")


def _depart_words(self: Any, _node: AnswerWords) -> None:
    self.body.append("</summary>\n")


def _title_of(question: nodes.Node) -> str:
    title = question.next_node(QuestionTitle)
    return title.astext() if title is not None else ""


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive, and the question among what Sphinx numbers."""
    app.add_enumerable_node(NumberedQuestion, "question", _title_of, html=(_visit_question, _depart_question))
    app.add_node(QuestionTitle, html=(_visit_title, _depart_title))
    app.add_node(Answer, html=(_visit_answer, _depart_answer))
    app.add_node(AnswerWords, html=(_visit_words, _depart_words))
    app.add_directive("predict", PredictDirective)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
