"""The playground: a truth to be dragged, and the best normals in both directions that follow it.

`html` is what stands on a page: a still picture that Python draws, and the controls, hidden until the script
brings them to life. The script is made of the JavaScript beside this file; `main.js` names the rest.
"""

from __future__ import annotations

from html import escape
from importlib.resources import files
from io import BytesIO

from kl_book.explore.svg import to_svg
from kl_book.figures.playground import best_normals, describe, still
from kl_book.figures.style import GROUND, INK

__all__ = ["card", "html", "style_sheet"]

FIGURE = """<figure class="kl-figure kl-narrow kl-playground" data-address="{address}"{flags}>
<div class="kl-picture">{picture}</div>
<p class="kl-legend"><span class="kl-key p">p⋆</span> <span class="kl-key forward">forward fit</span>
<span class="kl-key reverse">reverse fit</span> <span class="kl-key local">its other minima</span>
<span class="kl-key own">your pθ</span></p>
<p class="kl-summary" aria-live="polite">{summary}</p>
<p class="kl-notice" role="status" hidden></p>
<noscript><p class="kl-notice">It stands still: without scripts nothing here can be dragged.</p></noscript>
{controls}</figure>"""

SMALL_CONTROLS = """<div class="kl-controls"><div class="kl-buttons">
<button type="button" data-do="add">Add a bump</button>
<button type="button" data-do="remove">Remove one</button>
<button type="button" data-do="reset">Reset</button></div></div>
"""

CONTROLS = """<div class="kl-controls">
<label>Model <select name="mode"><option value="fits">both best normals</option>
<option value="hand">a normal of your own</option><option value="find">play: find the hidden truth</option>
<option value="shape">play: be so many nats away</option></select></label>
<label hidden>Goal <select name="goal"><option>0.1</option><option>1</option>
<option>10</option></select> nats</label>
<label>Bins <select name="bins"><option value="0">none</option><option>4</option><option>8</option>
<option>16</option><option>32</option></select></label>
<label><input type="checkbox" name="fixed"> hold the model’s width</label>
<label><input type="checkbox" name="cutP"> cut p⋆</label>
<label><input type="checkbox" name="cutQ"> cut pθ</label>
<div class="kl-buttons"><button type="button" data-do="add">Add a bump</button>
<button type="button" data-do="remove">Remove one</button>
<button type="button" data-do="check" hidden>Check</button>
<button type="button" data-do="again" hidden>Another</button>
<button type="button" data-do="reset">Reset</button>
<button type="button" data-do="python">Copy as Python</button></div>
<details><summary>By numbers</summary><table><thead><tr><td></td><th scope="col">mean</th>
<th scope="col">width</th><th scope="col">weight</th></tr></thead><tbody></tbody></table></details>
<pre tabindex="0" aria-label="Python" hidden></pre>
</div>
"""


def html(address: str, *, small: bool = False) -> str:
    """Return the figure that starts at an address such as ``p=0.5,-2,1;0.5,2,1`` (weight, mean, width)."""
    bumps = _bumps(address)
    fits = best_normals(bumps)
    return FIGURE.format(
        address=escape(address),
        flags=" data-small" * small + " data-others" * (len(fits.reverse) > 1),
        picture=to_svg(
            still(bumps, fits), alt=f"A mixture of normals and the normals nearest to it. {describe(fits)}"
        ),
        summary=describe(fits),
        controls=SMALL_CONTROLS if small else CONTROLS,
    )


def card(address: str, title: str) -> bytes:
    """Return the still picture under a title, as a PNG of 1200 to 630 for where links are shared."""
    bumps = _bumps(address)
    figure = still(bumps, best_normals(bumps))
    figure.set_size_inches(12, 6.3)
    figure.axes[0].set_position((0.04, 0.1, 0.92, 0.66))
    figure.axes[0].tick_params(labelsize=18)
    figure.text(0.05, 0.85, title, fontsize=32, color=INK, verticalalignment="center")
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=100, facecolor=GROUND, metadata={"Software": None})
    return picture.getvalue()


def style_sheet() -> str:
    """Return the CSS of the figure."""
    return files("kl_book.playground").joinpath("playground.css").read_text(encoding="utf-8")


def _bumps(address: str) -> tuple[tuple[float, float, float], ...]:
    return tuple(_bump(bump) for bump in address.removeprefix("p=").split(";"))


def _bump(text: str) -> tuple[float, float, float]:
    weight, mean, width = map(float, text.split(","))
    return weight, mean, width
