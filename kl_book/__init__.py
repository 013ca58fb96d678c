"""What the book draws with: `explore`, which shows a figure, and `figures`, the plots of each chapter.

``from kl_book import explore`` gives the function, for that is what a reader calls. The package of the same
name behind it stays importable, for Python looks packages up in `sys.modules` and not here:
``from kl_book.explore.svg import to_svg``.
"""

from __future__ import annotations

from kl_book.explore import explore

__all__ = ["explore"]
