"""Figures that move under the reader's hand: with a kernel, and on a static page without one.

`explore` calls a drawing function over a grid of values. What it returns has three faces: live sliders
where a kernel runs, precomputed frames on the website, and the first frame anywhere else. All the
mathematics and all the drawing are Python's; the page's script, `explore.js` beside these modules, only
swaps frames.
"""

from __future__ import annotations

from kl_book.explore.explorable import Explorable, explore

__all__ = ["Explorable", "explore"]
