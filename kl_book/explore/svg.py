"""Matplotlib figures as compact, themeable SVG text that is the same in every process.

Matplotlib's own SVG carries a date, random ids, the list of its fonts and coordinates to six decimals.
Here text stays text in the page's font, coordinates are rounded to 0.01 px, the colours of the book
become CSS variables with themselves as fallbacks (so one picture serves a light page, a dark page and
plain Jupyter), and ids come from a hash of the content, so that many figures share one page.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections import Counter
from html import escape
from typing import Any
from xml.etree import ElementTree

from matplotlib import rc_context
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from kl_book.explore.palette import PALETTE, themed
from kl_book.explore.paths import clean_path, number

# Matplotlib leaves black out, trusting the default; inherited from the root it becomes the theme's ink.
ROOT_STYLE = (
    f"width:100%;max-width:{{width}}px;height:auto;background:{themed(PALETTE['ground'].light)};"
    f"font-family:var(--kl-font,system-ui,sans-serif);fill:{themed(PALETTE['ink'].light)};stroke-linejoin:round"
)
PIXELS_PER_POINT = 4 / 3

# Groups kept although nothing but their ids is in them: the number of their children may differ between
# the frames of one figure, and the boundary keeps the difference small.
KEPT_GROUPS = ("axes", "legend", "matplotlib.axis")

ID_PLACEHOLDER = "kl-figure-id-"

_NUMBER = re.compile(r"-?\d*\.?\d+(?:e[-+]?\d+)?")
_HEX_COLOUR = re.compile(r"#[0-9a-fA-F]{6}\b")
_REFERENCE = re.compile(r"#([\w.-]+)")
_INDEX = re.compile(r"(?<=\b[^\W_])_([^\W_])\b")


def to_svg(figure: Figure, *, alt: str) -> str:
    """Return `figure` as one `<svg>` element with `alt` as its label.

    Examples
    --------
    >>> to_svg(Figure(figsize=(3, 2)), alt="nothing at all")[:35]
    '<svg xmlns="http://www.w3.org/2000/'
    """
    return with_unique_ids(serialize(to_tree(figure, alt=alt)))


def to_tree(figure: Figure, *, alt: str, prefix: str = "") -> ElementTree.Element:
    """Return the cleaned SVG of `figure` as a tree, its ids still behind `ID_PLACEHOLDER` and `prefix`."""
    buffer = io.StringIO()
    canvas: Any = FigureCanvasSVG(figure)
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "kl_book", "svg.id": None}):
        # One pass where `savefig` draws a figure with a layout engine twice.
        canvas.print_svg(buffer, metadata=nothing)
    root = ElementTree.fromstring(buffer.getvalue())
    for element in root.iter():
        _clean_names(element)
        element.text = (element.text or "").strip("\n ") or None
    _gather_definitions(root)
    _unwrap(root)
    _number_ids(root, prefix)
    for element in root.iter():
        if element.tag == "text":
            _join_characters(element)
            _lower_indices(element)
        _clean_attributes(element)
    root.attrib = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": root.attrib["viewBox"],
        "role": "img",
        "aria-label": alt,
        "style": ROOT_STYLE.format(width=natural_width(root)),
    }
    return root


def natural_width(root: ElementTree.Element) -> str:
    """Return the width, in CSS pixels, beyond which a figure does not grow."""
    return number(float(root.attrib["viewBox"].split()[2]) * PIXELS_PER_POINT)


def serialize(element: ElementTree.Element) -> str:
    """Write a tree as text, one element a line so that changes to a stored figure stay readable."""
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in element.attrib.items())
    inner = inner_svg(element)
    return f"<{element.tag}{attributes}>{inner}</{element.tag}>" if inner else f"<{element.tag}{attributes}/>"


def inner_svg(element: ElementTree.Element) -> str:
    """Write what lies inside `element` as text."""
    if element.tag in ("text", "tspan"):
        return escape(element.text or "", quote=False) + "".join(map(serialize, element))
    return "".join(f"\n{serialize(child)}" for child in element)


def with_unique_ids(text: str) -> str:
    """Put a hash of `text` into its ids, so that figures on one page do not refer to each other's."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return text.replace(ID_PLACEHOLDER, f"kl-{digest}-")


def _clean_names(element: ElementTree.Element) -> None:
    """Drop the namespaces: inside HTML there is one SVG, and `href` needs no prefix any more."""
    element.tag = element.tag.rpartition("}")[2]
    element.attrib = {name.rpartition("}")[2]: value for name, value in element.attrib.items()}


def _gather_definitions(root: ElementTree.Element) -> None:
    """Move all definitions to the front, so that what comes and goes among them moves nothing else.

    Shapes lie apart from clips and patterns: one frame of a figure may have more of them than another.
    """
    gathered, shapes = ElementTree.Element("defs"), ElementTree.Element("defs")
    for parent in list(root.iter()):
        for child in [child for child in parent if child.tag == "defs"]:
            gathered.extend(definition for definition in child if definition.tag not in ("style", "path"))
            shapes.extend(definition for definition in child if definition.tag == "path")
            parent.remove(child)
    root[:] = [gathered, shapes, *root]


def _unwrap(element: ElementTree.Element) -> None:
    """Remove the groups that group nothing."""
    children: list[ElementTree.Element] = []
    for child in element:
        _unwrap(child)
        group_id = child.attrib.get("id", "")
        bare = child.tag == "g" and set(child.attrib) <= {"id"}
        kept = group_id.startswith(KEPT_GROUPS) or "Collection" in group_id
        children.extend(child if bare and not kept else [child])
    element[:] = children


def _number_ids(root: ElementTree.Element, prefix: str) -> None:
    """Keep the ids that something refers to, numbered by kind in the order of their appearance."""
    values = [value for element in root.iter() for name, value in element.attrib.items() if name != "id"]
    used = {match for value in values if "#" in value for match in _REFERENCE.findall(value)}
    names: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for element in root.iter():
        old = element.attrib.pop("id", "")
        if old in used:
            names[old] = element.attrib["id"] = f"{ID_PLACEHOLDER}{prefix}{element.tag}-{counts[element.tag]}"
            counts[element.tag] += 1
    for element in root.iter():
        for name, value in element.attrib.items():
            if name != "id" and "#" in value:
                element.attrib[name] = _REFERENCE.sub(
                    lambda match: f"#{names.get(match[1], match[1])}", value
                )


def _join_characters(text: ElementTree.Element) -> None:
    """Put the characters of a formula into reading order, and those of a word or number into one `<tspan>`.

    Matplotlib sorts them by style and places each by the metrics of its own font; in the page's font the
    letters of a word sit better by themselves.
    """
    joined: list[ElementTree.Element] = []
    for span in sorted(text, key=lambda span: float(span.attrib["x"])):
        last = joined[-1] if joined else None
        if last is not None and _runs_on(last, span):
            last.text = (last.text or "") + (span.text or "")
        else:
            joined.append(span)
    text[:] = joined


def _runs_on(last: ElementTree.Element, span: ElementTree.Element) -> bool:
    same_line = all(last.get(name) == span.get(name) for name in ("y", "style"))
    return same_line and all(
        character.isalnum() or character == "." for character in ((last.text or " ")[-1], span.text or " ")
    )


def _lower_indices(text: ElementTree.Element) -> None:
    """Set the letter after a letter and an underscore as its index: `p_θ`, but not `kl_lib`."""
    before, *indexed = _INDEX.split(text.text or "")
    if indexed:
        text.text = before
        for index, after in zip(indexed[::2], indexed[1::2], strict=True):
            ElementTree.SubElement(text, "tspan", {"dy": ".25em", "style": "font-size:72%"}).text = index
            if after:  # lifted by as much, in its larger letters
                ElementTree.SubElement(text, "tspan", {"dy": "-.18em"}).text = after


def _clean_attributes(element: ElementTree.Element) -> None:
    attributes = element.attrib
    if attributes.get("transform", "").startswith("rotate(-0 "):
        del attributes["transform"]
    if _HEX_COLOUR.fullmatch(attributes.get("fill", "")):
        attributes["style"] = f"fill:{attributes.pop('fill')}"
    for name, value in attributes.items():
        if name == "style":
            attributes[name] = _clean_style(value)
        elif name == "d":
            attributes[name] = clean_path(value)
        elif name == "href":
            attributes[name] = re.sub(r"\s", "", value)
        elif name not in ("id", "clip-path"):
            attributes[name] = _round_numbers(value)


def _clean_style(style: str) -> str:
    declarations = []
    for declaration in style.split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name and name != "font-family":
            value = value if "#" in value else _round_numbers(value)
            declarations.append(f"{name}:{_HEX_COLOUR.sub(lambda match: themed(match[0]), value)}")
    return ";".join(declarations)


def _round_numbers(value: str) -> str:
    return _NUMBER.sub(lambda match: number(float(match[0])), value)
