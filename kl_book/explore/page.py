"""The static face: one `<figure>` with the first frame, the controls, and the other frames as data.

The controls stay hidden until the site's script (`explore.js`) brings them to life. A viewer that does
not trust a notebook strips inline SVG, unknown attributes and templates from it, and keeps the text and
the images inside them: so the frames are an attribute, the letters of the SVG have no size but their
own, and the template, inert on a page, holds the first frame as an image.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from urllib.parse import quote
from xml.etree.ElementTree import Element

from kl_book.explore.frames import columns
from kl_book.explore.sliders import Slider
from kl_book.explore.svg import natural_width, serialize, with_unique_ids

FIGURE = """<figure class="{classes}">
{picture}
{summary}</figure>"""

MOVING_FIGURE = """<figure class="{classes}" data-frames='{data}'>
{picture}
<div class="kl-controls" style="display:none">
{controls}
<div class="kl-buttons">{buttons}</div>
</div>
{summary}</figure>"""

PICTURE = """<div class="kl-picture" style="font-size:0">
{svg}
<template><img src="data:image/svg+xml,{quoted}" alt="{alt}" width="{width}"></template>
</div>"""

RANGE = """<label class="kl-control"><span class="kl-name">{label}</span>
<input type="range" min="0" max="{last}" value="{initial}" aria-valuetext="{text}" autocomplete="off">
<span class="kl-value" aria-hidden="true">{value}</span></label>"""

CHOICE = """<label class="kl-control"><span class="kl-name">{label}</span>
<select autocomplete="off">{options}</select></label>"""

# In CSS pixels. A picture up to this wide keeps its words readable where it shrinks to the width of a phone;
# a wider one scrolls there.
NARROW = 461

PLAY = '<button type="button" class="kl-play">Play</button>'
RESET = '<button type="button" class="kl-reset">Reset</button>'


def still_html(tree: Element, summary: str | None) -> str:
    """Return a figure without controls."""
    return with_unique_ids(
        FIGURE.format(classes=_classes(tree), picture=_picture(tree), summary=_summary(summary))
    )


def moving_html(
    trees: Sequence[Element], summaries: Sequence[str | None], sliders: Sequence[Slider], initial: int
) -> str:
    """Return the figure whose frames are `trees`, the one at `initial` drawn out."""
    ranges = sum(slider.is_range for slider in sliders)
    html = MOVING_FIGURE.format(
        classes=_classes(trees[initial]),
        data=escape(_data(trees, summaries, sliders), quote=False).replace("'", "&#39;"),
        picture=_picture(trees[initial]),
        controls="\n".join(map(_control_html, sliders)),
        buttons=(PLAY if ranges == 1 else "") + RESET,
        summary=_summary(summaries[initial], live=True),
    )
    return with_unique_ids(html)


def _classes(tree: Element) -> str:
    return "kl-figure kl-narrow" if float(natural_width(tree)) <= NARROW else "kl-figure"


def _picture(tree: Element) -> str:
    svg, alt = serialize(tree), escape(tree.attrib["aria-label"])
    quoted = quote(svg, safe=" =:;,/()-.")
    return PICTURE.format(svg=svg, quoted=quoted, alt=alt, width=natural_width(tree))


def _data(trees: Sequence[Element], summaries: Sequence[str | None], sliders: Sequence[Slider]) -> str:
    """Return what the script reads: the values of each slider, and each column of differences."""
    data = {
        "sliders": [[slider.label, slider.labels] for slider in sliders],
        "columns": list(columns(trees)),
        "summaries": summaries if summaries[0] is not None else None,
    }
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _control_html(slider: Slider) -> str:
    if not slider.is_range:
        options = "".join(f"<option>{escape(label)}</option>" for label in slider.labels)
        return CHOICE.format(label=slider.label_html, options=options)
    value = slider.labels[slider.initial]
    return RANGE.format(
        label=slider.label_html,
        last=len(slider.values) - 1,
        initial=slider.initial,
        text=escape(f"{slider.label} = {value}"),
        value=escape(value),
    )


def _summary(summary: str | None, *, live: bool = False) -> str:
    if summary is None:
        return ""
    attribute = ' aria-live="polite"' if live else ""
    return f'<p class="kl-summary"{attribute}>{escape(summary, quote=False)}</p>\n'
