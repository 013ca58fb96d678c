"""Formulas: what the build colours, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from katex import colour, prepare

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


def build(book: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("jupyter-book")
    command = [program, "build", book, "-W", "--keep-going", "--quiet"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_malformed_formula_fails_the_build_every_time(tmp_path):
    for name in ("_config.yml", "requirements.txt"):
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/index\n", encoding="utf-8")
    (tmp_path / "book").mkdir()
    for name in ("_ext", "_static", "_templates", "references.bib"):
        (tmp_path / "book" / name).symlink_to(ROOT / "book" / name)
    page = tmp_path / "book" / "index.md"
    page.write_text("# Home\n\nRight: $p_\\star$.\n\nWrong: $\\frac{1}{$.\n", encoding="utf-8")
    for _ in range(2):
        run = build(tmp_path)
        assert run.returncode != 0
        assert "index.md:5: WARNING: malformed formula" in run.stderr
