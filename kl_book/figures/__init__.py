"""The look of the book, and its plots: one style sheet, and one module of plots a chapter.

Colours mean the same in every chapter: p⋆ is blue and solid, pθ orange and dashed, a divergence green and
filled. Each plot takes distributions or arrays and returns a matplotlib `Figure`; `kl_book.explore` turns
figures into pictures that follow the page's light and dark mode.
"""

from kl_book.figures.computing_kl import (
    error_against_distance,
    errors_of_functions,
    library_errors,
    staircase,
)
from kl_book.figures.eight_schools import bounds_of_evidence, drawn_together, funnel, reweighted
from kl_book.figures.estimating_kl import (
    clipping,
    descended,
    estimate_strips,
    neighbours_against_dimension,
    running_means,
    spread_against_distance,
    training_run,
)
from kl_book.figures.forward_kl import (
    bump_in_reach,
    errors_against_n,
    local_scores,
    right_angle,
    sampling_laws,
    settling,
    stacked_bars,
    two_families,
)
from kl_book.figures.gradient_estimators import (
    gradient_histograms,
    loss_curves,
    oscillation,
    reweighted_and_moved,
    sample_paths,
)
from kl_book.figures.old_faithful import (
    em_staircase,
    fits_over_histogram,
    mixture_over_scatter,
    number_of_components,
)
from kl_book.figures.probabilistic_learning import coarsened, integrands, rankings, signed_areas
from kl_book.figures.reverse_kl import (
    closing_gap,
    collapse,
    fold,
    hanging_bars,
    landscape,
    mean_field,
    samples_needed,
)
from kl_book.figures.style import (
    D_COLOR,
    GRID,
    GROUND,
    INK,
    MUTED,
    P_COLOR,
    Q_COLOR,
    STYLE,
    styled,
)
from kl_book.figures.summary import mass_outside, missed_and_invented, richer_family, two_ways_to_know
from kl_book.figures.where_you_meet_it import conditional_gap, tilted_policy

__all__ = [
    "D_COLOR",
    "GRID",
    "GROUND",
    "INK",
    "MUTED",
    "P_COLOR",
    "Q_COLOR",
    "STYLE",
    "bounds_of_evidence",
    "bump_in_reach",
    "clipping",
    "closing_gap",
    "coarsened",
    "collapse",
    "conditional_gap",
    "descended",
    "drawn_together",
    "em_staircase",
    "error_against_distance",
    "errors_against_n",
    "errors_of_functions",
    "estimate_strips",
    "fits_over_histogram",
    "fold",
    "funnel",
    "gradient_histograms",
    "hanging_bars",
    "integrands",
    "landscape",
    "library_errors",
    "local_scores",
    "loss_curves",
    "mass_outside",
    "mean_field",
    "missed_and_invented",
    "mixture_over_scatter",
    "neighbours_against_dimension",
    "number_of_components",
    "oscillation",
    "rankings",
    "reweighted",
    "reweighted_and_moved",
    "richer_family",
    "right_angle",
    "running_means",
    "sample_paths",
    "samples_needed",
    "sampling_laws",
    "settling",
    "signed_areas",
    "spread_against_distance",
    "stacked_bars",
    "staircase",
    "styled",
    "tilted_policy",
    "training_run",
    "two_families",
    "two_ways_to_know",
]
