"""The text of a notebook in plain Markdown: what reads well where nobody knows the directives of this book.

A statement becomes a block quote with its kind, number and title in bold, a reference the words that the page
has in its place, and a formula stays on one line, so that the marks of a quote do not get into it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

OPENING = re.compile(r"(?P<fence>:{3,})\{(?P<kind>[\w:-]+)\} *(?P<argument>.*)")
OPTION = re.compile(r":([\w-]+): *(.*)")
ROLE = re.compile(r"\{(?P<role>[\w:-]+)\}`(?P<content>[^`]+)`")
EXPLICIT = re.compile(r"(?P<text>.+?) *<[^>]+>")
DISPLAY = re.compile(r"\$\$(?P<tex>.*?)\$\$(?: *\((?P<label>[\w-]+)\))?", re.DOTALL)
PAGE_LINK = re.compile(r"\[(?P<text>[^\]\n]*)\]\((?P<page>[\w-]+\.(?P<kind>ipynb|md)|[\w-]+)(?:#[\w-]+)?\)")
TARGET = re.compile(r"^\([\w-]+\)=\n", re.MULTILINE)

Names = Mapping[str, str]


def quoted(lines: list[str]) -> list[str]:
    """Make a block quote of lines."""
    return [f"> {line}".rstrip() for line in lines]


def one_line(names: Names) -> Callable[[re.Match[str]], str]:
    """Return what writes a display formula on one line, with its number."""

    def write(formula: re.Match[str]) -> str:
        tex = re.sub(r"\s*\n\s*", " ", formula["tex"]).strip()
        if r"\\" in tex and r"\begin{" not in tex:
            tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
        tag = rf" \tag{{{names[formula['label']].strip('()')}}}" if formula["label"] else ""
        return f"$${tex}{tag}$$"

    return write


def resolved(text: str, names: Names) -> str:
    """Replace roles, links to pages and targets by what they stand for; KeyError for one that is unknown."""

    def role(match: re.Match[str]) -> str:
        explicit = EXPLICIT.fullmatch(match["content"])
        if explicit:
            return explicit["text"]
        keys = match["content"].split(",")
        return "; ".join(names[f"{match['role']} {key.strip()}"] for key in keys)

    def link(match: re.Match[str]) -> str:
        text = match["text"] or names[match["page"]]
        return f"[{text}]({match['page']})" if match["kind"] == "ipynb" else text

    text = DISPLAY.sub(one_line(names), TARGET.sub("", text))
    return PAGE_LINK.sub(link, ROLE.sub(role, text))


def directive(kind: str, argument: str, options: Names, content: list[str], names: Names) -> list[str]:
    """Return a directive as plain Markdown; KeyError for one that is unknown."""
    if kind == "prf:proof":
        return ["*Proof.* " + content[0], *content[1:], "", "∎"]
    if kind == "solution-start":
        return [f"**Solution of {names[f'prf:ref {argument}']}**"]
    if kind == "solution-end":
        return []
    if kind == "caption":
        return [f"**{names['numref ' + options['label']]}. {argument}**", "", *content]
    if kind == "predict":
        return quoted([f"**{names['prf:ref ' + options['label']]}** {argument}", "", *content])
    if kind == "margin":
        return quoted(content)
    if kind == "admonition":
        return quoted([f"**{argument}**", "", *content])
    if kind == "exercise" or kind.startswith("prf:"):
        title = f" ({argument})" if argument else ""
        return quoted([f"**{names['prf:ref ' + options['label']]}{title}**", "", *content])
    raise KeyError(f"the directive {kind}")


def convert(lines: list[str], names: Names) -> list[str]:
    """Return lines of which the directives are plain Markdown, those inside others too."""
    out: list[str] = []
    rest = iter(lines)
    for line in rest:
        opening = OPENING.fullmatch(line.rstrip())
        if opening is None:
            out.append(line)
            continue
        inside = []
        for inner in rest:
            if inner.rstrip() == opening["fence"]:
                break
            inside.append(inner)
        options = {}
        while inside and (option := OPTION.fullmatch(inside[0].rstrip())):
            options[option[1]] = option[2]
            inside.pop(0)
        content = convert("\n".join(inside).strip().split("\n"), names)
        out += directive(opening["kind"], opening["argument"], options, content, names)
    return out


def plain(source: str, names: Names) -> str:
    """Return a cell of MyST Markdown as plain Markdown."""
    text = "\n".join(convert(resolved(source, names).split("\n"), names))
    return re.sub(r"\n{3,}", "\n\n", text).strip()
