"""Paths of an SVG: fewer points, the same line."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kl_book.explore.paths import FEWEST, TOLERANCE, clean_path
from kl_lib.types import Array


def polyline(points: Array) -> str:
    return "M" + " L".join(f"{x} {y}" for x, y in points)


def cleaned(points: Array) -> Array:
    return np.array(re.findall(r"-?[\d.]+", clean_path(polyline(points))), dtype=float).reshape(-1, 2)


def distance(points: Array, line: Array) -> float:
    """Return how far the points are from a polyline, at most."""
    starts, legs = line[:-1], np.diff(line, axis=0)
    share = ((points[:, None] - starts) * legs).sum(axis=-1) / np.maximum((legs**2).sum(axis=-1), 1e-12)
    nearest = starts + np.clip(share, 0, 1)[..., None] * legs
    return float(np.hypot(*(nearest - points[:, None]).T).T.min(axis=1).max())


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 300)), min_size=2, max_size=60))
def test_a_line_that_wanders_passes_all_its_points(corners):
    points = np.array(corners, dtype=float)
    if (points[0] != points[-1]).any():
        assert distance(points, cleaned(points)) < TOLERANCE


@given(st.floats(5, 60), st.floats(1, 100), st.integers(2, 500))
def test_a_curve_keeps_its_ends_and_its_place(period, height, count):
    x = np.linspace(0, 400, count)
    points = np.column_stack([x, 150 + height * np.sin(x / period)])
    kept = cleaned(points)
    np.testing.assert_allclose(kept[[0, -1]], points[[0, -1]], atol=0.00501)
    passes = np.log2(count)  # each may move the line by as much as the tolerance
    assert distance(points, kept) < 0.0072 + passes * TOLERANCE


def test_a_base_line_needs_few_points_and_its_corner_stays():
    along = np.arange(200.0)
    points = np.concatenate(
        [np.column_stack([along, 0 * along]), np.column_stack([0 * along + 199, along])[1:]]
    )
    kept = cleaned(points)
    assert len(kept) < FEWEST
    assert {(0, 0), (199, 0), (199, 199)} <= {tuple(point) for point in kept.tolist()}


def test_a_smooth_curve_loses_most_of_its_points():
    x = np.linspace(0, 400, 400)
    assert len(cleaned(np.column_stack([x, 100 * np.exp(-(((x - 200) / 60) ** 2))]))) < 200


@pytest.mark.parametrize("points", [[(0, 0), (9, 0), (4, 0)], [(0, 0), (9, 0), (0, 0), (9, 0)]])
def test_a_line_that_turns_back_keeps_where_it_turns(points):
    there_and_back = (
        np.repeat(np.array(points, dtype=float), 12, axis=0) + np.arange(12 * len(points))[:, None] / 50
    )
    assert distance(there_and_back, cleaned(there_and_back)) < TOLERANCE
