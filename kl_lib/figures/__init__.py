"""The look of the book, and its plots: one style sheet, and one module of plots a chapter.

Colours mean the same in every chapter: p⋆ is blue and solid, pθ orange and dashed, a divergence green and
filled. Each plot takes distributions or arrays and returns a matplotlib `Figure`; `kl_lib.explore` turns
figures into pictures that follow the page's light and dark mode.
"""

from kl_lib.figures.computing_kl import error_against_distance, library_errors, staircase
from kl_lib.figures.probabilistic_learning import integrands, rankings, signed_areas
from kl_lib.figures.style import (
    D_COLOR,
    GRID,
    GROUND,
    INK,
    MUTED,
    P_COLOR,
    Q_COLOR,
    STYLE,
    integrand,
    styled,
)

__all__ = [
    "D_COLOR",
    "GRID",
    "GROUND",
    "INK",
    "MUTED",
    "P_COLOR",
    "Q_COLOR",
    "STYLE",
    "error_against_distance",
    "integrand",
    "integrands",
    "library_errors",
    "rankings",
    "signed_areas",
    "staircase",
    "styled",
]
