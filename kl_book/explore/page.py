"""The static face: one `<figure>` with the first frame, the controls, and the other frames as data.

A figure may come as wide as the text and stacked for a phone; the style sheet shows the one that fits.

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
{pictures}
{summary}</figure>"""

MOVING_FIGURE = """<figure class="{classes}" data-frames='{data}'>
{pictures}
<div class="kl-controls" style="display:none">
{controls}
<div class="kl-buttons">{buttons}</div>
</div>
{summary}</figure>"""

PICTURE = """<div class="kl-picture" style="font-size:0">
{svg}
<template><img src="data:image/svg+xml,{quoted}" alt="{alt}" width="{width}"></template>
</div>"""

# Hidden where there is no style sheet to choose between the faces.
STACKED = """<div class="kl-picture kl-stacked" style="font-size:0" hidden>
{svg}
</div>"""

RANGE = """<label class="kl-control"><span class="kl-name">{label}</span>
<input type="range" name="{name}" min="0" max="{last}" value="{initial}" aria-valuetext="{text}"
 autocomplete="off">
<span class="kl-value" aria-hidden="true">{value}</span></label>"""

CHOICE = """<label class="kl-control"><span class="kl-name">{label}</span>
<select name="{name}" autocomplete="off">{options}</select></label>"""

PLAY = '<button type="button" class="kl-play">Play</button>'
RESET = '<button type="button" class="kl-reset">Reset</button>'


def still_html(faces: Sequence[Element], summary: str | None) -> str:
    """Return a figure without controls; `faces` is its picture, and the stacked one if there is one."""
    pictures = _pictures(faces)
    return with_unique_ids(
        FIGURE.format(classes=_classes(faces), pictures=pictures, summary=_summary(summary))
    )


def moving_html(
    faces: Sequence[Sequence[Element]],
    summaries: Sequence[str | None],
    sliders: Sequence[Slider],
    initial: int,
) -> str:
    """Return the figure whose frames are the trees of each face, those at `initial` drawn out."""
    shown = [trees[initial] for trees in faces]
    ranges = sum(slider.is_range for slider in sliders)
    html = MOVING_FIGURE.format(
        classes=_classes(shown),
        data=escape(_data(faces, summaries, sliders), quote=False).replace("'", "&#39;"),
        pictures=_pictures(shown),
        controls="\n".join(map(_control_html, sliders)),
        buttons=(PLAY if ranges == 1 else "") + RESET,
        summary=_summary(summaries[initial], live=True),
    )
    return with_unique_ids(html)


def _classes(faces: Sequence[Element]) -> str:
    return "kl-figure kl-two-faced" if len(faces) > 1 else "kl-figure"


def _pictures(faces: Sequence[Element]) -> str:
    wide, *others = map(serialize, faces)
    quoted, alt = quote(wide, safe=" =:;,/()-."), escape(faces[0].attrib["aria-label"])
    picture = PICTURE.format(svg=wide, quoted=quoted, alt=alt, width=natural_width(faces[0]))
    return "\n".join([picture, *(STACKED.format(svg=svg) for svg in others)])


def _data(
    faces: Sequence[Sequence[Element]], summaries: Sequence[str | None], sliders: Sequence[Slider]
) -> str:
    """Return what the script reads: the values of each slider, and each column of differences."""
    data = {
        "sliders": [[slider.label, slider.labels] for slider in sliders],
        "columns": [column for face, trees in enumerate(faces) for column in columns(trees, (face,))],
        "summaries": summaries if summaries[0] is not None else None,
    }
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _control_html(slider: Slider) -> str:
    if not slider.is_range:
        options = "".join(f"<option>{escape(label)}</option>" for label in slider.labels)
        return CHOICE.format(label=slider.label_html, name=slider.name, options=options)
    value = slider.labels[slider.initial]
    return RANGE.format(
        label=slider.label_html,
        name=slider.name,
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
