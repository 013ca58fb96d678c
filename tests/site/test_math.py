"""Formulas: what the build colours, and what it refuses."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import yaml
from katex import colour, prepare
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("tex", "coloured"),
    [
        (r"p_\star", r"\htmlClass{kl-p}{p_\star}"),
        (r"p_{\star}(x)", r"\htmlClass{kl-p}{p_{\star}}(x)"),
        (r"p_\theta^n", r"\htmlClass{kl-q}{p_\theta^n}"),
        (r"p_{\hat\theta_n}", r"\htmlClass{kl-q}{p_{\hat\theta_n}}"),
        (r"D_\text{KL}(p \| q)", r"\htmlClass{kl-d}{D_\text{KL}}(p \| q)"),
        (r"x \sim p_\star", r"x \sim \htmlClass{kl-p}{p_\star}"),
    ],
)
def test_the_three_things_with_a_colour_get_it(tex, coloured):
    assert colour(tex) == coloured


@pytest.mark.parametrize(
    "tex",
    [
        r"\sup_\theta L",
        r"\tilde p_\theta",
        r"p_i",
        r"p_\starred",
        r"\text{p_\star}",
        r"p_{\thetaless}",
        r"D_f",
    ],
)
def test_nothing_else_does(tex):
    assert colour(tex) == tex


def test_only_sphinx_numbers_equations():
    assert prepare(r"\begin{align}a &= b\end{align}", display=True) == r"\begin{align*}a &= b\end{align*}"


def test_a_malformed_formula_fails_the_build_every_time(tmp_path):
    """Also the second time, when Sphinx could keep what it has read: built as `build.py` does."""
    (tmp_path / "index.md").write_text(
        "# Home\n\nRight: $p_\\star$.\n\nWrong: $\\frac{1}{$.\n", encoding="utf-8"
    )
    settings = {
        "extensions": ["myst_parser", "katex", "strict"],
        "myst_enable_extensions": ["dollarmath"],
        "html_math_renderer": "katex",
    }
    for _ in range(2):
        warnings = io.StringIO()
        with docutils_namespace():
            folders = (tmp_path, None, tmp_path / "html", tmp_path / "doctrees")
            app = Sphinx(*folders, "html", settings, None, warnings, warningiserror=True, keep_going=True)
            app.build()
        assert app.statuscode != 0
        assert "index.md:5: WARNING: malformed formula" in warnings.getvalue()


def test_the_build_of_the_book_uses_what_makes_it_strict():
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["sphinx"]["config"]
    assert {"katex", "strict"} <= set(config["extensions"])
    assert config["html_math_renderer"] == "katex"
