"""What the book draws with: `explore`, which shows a figure, and `figures`, the plots of each chapter.

``from kl_book import explore`` gives the function, for that is what a reader calls; the package of the same
name behind it is reached by the names in it, as in ``from kl_book.explore.svg import to_svg``.
"""

from __future__ import annotations

from kl_book.explore import explore

__all__ = ["explore"]
