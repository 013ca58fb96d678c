"""The data that the book ships: whole, named with their sources, and read as they stand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kl_book import datasets

FOLDER = Path(__file__).parents[2] / "kl_book" / "data"
NAMES = sorted(path.stem for path in FOLDER.glob("*.csv"))


@pytest.mark.parametrize("name", NAMES)
def test_a_table_is_read_column_by_column(name):
    header, *lines = (FOLDER / f"{name}.csv").read_text(encoding="utf-8").splitlines()
    table = datasets.read(name)
    assert list(table) == header.split(",")
    for line, *values in zip(lines, *table.values(), strict=True):
        written = line.split(",")
        assert [str(value) for value in values] == written or np.array_equal(
            np.array(values, dtype=float), np.array(written, dtype=float)
        )


@pytest.mark.parametrize("name", NAMES)
def test_no_number_is_missing(name):
    for column in datasets.read(name).values():
        assert column.dtype.kind == "U" or np.isfinite(column).all()


def test_the_guide_to_the_data_says_where_each_is_from():
    guide = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert NAMES
    assert [name for name in NAMES if f"| `{name}.csv` |" not in guide] == []
