"""The colours of the book stand in one place, are legible, and reach the page in both of its modes."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from kl_book.explore import palette
from kl_book.explore.assets import assets
from kl_book.explore.palette import PALETTE

ROOT = Path(__file__).parents[2]
HEX = re.compile(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b")
KINDS = (".py", ".css", ".js", ".mjs", ".html")
FOLDERS = ("book/_ext", "book/_static", "book/_templates", "kl_book")
SOURCES = [
    path for folder in FOLDERS for path in (ROOT / folder).rglob("*")
    if path.suffix in KINDS and "node_modules" not in path.parts and path != Path(palette.__file__)
]  # fmt: skip
LEAST_CONTRAST = 4.5  # WCAG 2.2, success criterion 1.4.3


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.2."""
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(first: str, second: str) -> float:
    dark, light = sorted(map(luminance, (first, second)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_other_file_names_a_colour(path):
    assert HEX.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", ["favicon.svg", "opening.svg"])
def test_pictures_outside_the_pages_have_the_colours_of_the_book(name):
    drawn = set(HEX.findall((ROOT / "book" / "_static" / name).read_text(encoding="utf-8")))
    assert drawn
    assert drawn <= {colour.light for colour in PALETTE.values()}


@pytest.mark.parametrize("name", ["p", "q", "d", "ink", "muted"])
@pytest.mark.parametrize("behind", ["ground", "surface", "target"])
def test_words_in_a_colour_are_legible_in_both_modes(name, behind):
    for word, page in zip(PALETTE[name], PALETTE[behind], strict=True):
        assert contrast(word, page) >= LEAST_CONTRAST


def test_black_on_white_has_the_contrast_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_the_page_gives_every_variable_a_value_in_both_modes():
    sheets = [assets()["explore.css"], (ROOT / "book" / "_static" / "book.css").read_text(encoding="utf-8")]
    light, dark = re.findall(r"\{([^}]*)\}", sheets[0])[:2]
    for mode, block in enumerate((light, dark)):
        values = dict(re.findall(r"(--[\w-]+): (#\w{6});", block))
        assert values == {f"--kl-{name}": colour[mode] for name, colour in PALETTE.items()}
    used = {name for sheet in sheets for name in re.findall(r"var\(--kl-([\w-]+)", sheet)}
    assert used <= PALETTE.keys() | {"font"}
