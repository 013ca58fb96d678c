"""A formula as plain text, for what cannot show one: the results of a search."""

from __future__ import annotations

import re
from functools import cache
from xml.etree import ElementTree

from katex import KATEX

# A function and its argument are two words; a product's sign and the like are nothing.
INVISIBLE = {0x2061: " "} | dict.fromkeys((0x2062, 0x2063, 0x200B))
ACCENTS = {"^": "\u0302", "~": "\u0303", "ˉ": "\u0304"}
LONG = 2  # characters of a numerator that needs no brackets


def bracketed(text: str) -> str:
    """Put brackets around what is more than a name or a number."""
    return text if len(text) <= LONG or text.isalnum() else f"({text})"


def index(text: str) -> str:
    """Write an index: one character joins its letter, more stand after a line."""
    return text if len(text) == 1 else f"_{bracketed(text)}"


def spell(element: ElementTree.Element) -> str:
    """Return the text of a piece of MathML."""
    kind = element.tag.rpartition("}")[2]
    parts = [spell(child) for child in element]
    if kind == "mfrac":
        return "/".join(map(bracketed, parts))
    if kind == "msqrt":
        return f"√{bracketed(''.join(parts))}"
    if kind == "mover":
        return parts[0] + ACCENTS.get(parts[1], "")
    if kind in ("msub", "munder"):
        return parts[0] + index(parts[1])
    if kind == "msup":
        return parts[0] + (parts[1] if parts[1] in "′⋆∗" else f"^{bracketed(parts[1])}")
    if kind in ("msubsup", "munderover"):
        return f"{parts[0]}{index(parts[1])}^{bracketed(parts[2])}"
    if kind == "mtr":
        return " ".join(parts) + " "
    if kind == "mspace":
        return " "
    if kind in ("mo", "mi"):
        return OPERATORS.get(element.text or "", element.text or "")
    return (element.text or "") + "".join(parts)


OPERATORS = {sign: f" {sign} " for sign in "=≠<>≤≥≈∼→↦⇒⇔∈+±"} | {"∥": " ‖ ", ",": ", "}


@cache
def formula_text(tex: str, *, display: bool = False) -> str:
    r"""Return `D_\text{KL}(p \| q)` as "D_KL(p ‖ q)"."""
    try:
        (mathml,) = re.findall(r"<math.*?</math>", KATEX.render(tex, display), re.DOTALL)
    except ValueError:  # the page's own warning
        return tex
    text = spell(ElementTree.fromstring(mathml)).translate(INVISIBLE)
    return re.sub(r"\s+", " ", text).strip()
