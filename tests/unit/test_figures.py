"""The arrangement of panels: side by side where they fit, stacked where they do not."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from kl_book.explore.explorable import STACKED, WIDE
from kl_book.figures.style import panels, styled


def drawn(width: float, *arguments: Any, **options: Any) -> tuple[Figure, Any]:
    with mpl.rc_context({"figure.figsize": (width, 1.0)}):
        return panels(*arguments, **options)


def inches(figure: Figure, ax: Any) -> tuple[float, float, float, float]:
    """Return left, bottom, right and top of a panel."""
    width, height = figure.get_size_inches()
    box = ax.get_position()
    return box.x0 * width, box.y0 * height, box.x1 * width, box.y1 * height


@given(
    st.sampled_from([WIDE[1][0], STACKED[1][0]]),
    st.lists(st.floats(0.5, 3), min_size=1, max_size=3),
    st.integers(1, 3),
    st.floats(0.5, 3),
)
def test_panels_have_the_sizes_that_were_asked_for(width, heights, columns, least):
    figure, axes = drawn(
        width, heights, columns, least=least, left=0.5, right=0.2, top=0.3, bottom=0.4, gap=0.6
    )
    boxes = [[inches(figure, ax) for ax in row] for row in axes]
    room = (width - 0.7 - (columns - 1) * 0.3) / columns
    stacked = columns > 1 and room < least
    for row, height in zip(boxes, heights, strict=True):
        for left, bottom, right, top in row:
            assert right - left == pytest.approx(width - 0.7 if stacked else room)
            if len(set(heights)) == 1:
                assert top - bottom == pytest.approx(height)
    lowest, highest = boxes[-1][-1][1], boxes[0][0][3]
    assert (lowest, figure.get_figheight() - highest) == pytest.approx((0.4, 0.3))
    if stacked:
        for column in range(1, columns):  # each column below the one before it, with room for its own labels
            assert boxes[-1][column - 1][1] - boxes[0][column][3] == pytest.approx(0.7)


def test_stacked_or_not_the_array_holds_the_same_panels():
    for width in (WIDE[1][0], STACKED[1][0]):
        _, axes = drawn(width, [1.0, 1.0], 2)
        assert axes.shape == (2, 2)
        assert len({id(ax) for ax in axes.ravel()}) == 4


@styled
def named() -> Figure:
    figure, axes = panels([1.0, 1.0], 2, sharex=True, sharey="row")
    for ax in axes.ravel():
        ax.set(xlabel="x", ylabel="y", xlim=(0, 1))
    figure.draw_without_rendering()
    return figure


@pytest.mark.parametrize(
    ("face", "below", "beside"),
    [
        (WIDE, [False, False, True, True], [True, False, True, False]),
        (STACKED, [False, False, True, True], [True] * 4),
    ],
)
def test_shared_axes_are_named_at_the_outer_panels(face, below, beside):
    with mpl.rc_context({"figure.figsize": face[1]}):
        axes = named().axes
    assert [ax.get_xlabel() == "x" for ax in axes] == below
    assert [ax.get_ylabel() == "y" for ax in axes] == beside
    assert [any(tick.label1.get_visible() for tick in ax.xaxis.get_major_ticks()) for ax in axes] == below
    assert [any(tick.label1.get_visible() for tick in ax.yaxis.get_major_ticks()) for ax in axes] == beside
    assert len({tuple(np.round(ax.get_xlim(), 9)) for ax in axes}) == 1
