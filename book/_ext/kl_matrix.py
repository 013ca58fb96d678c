"""The directive ``kl-matrix``: which pairs have a closed form here, and which in other libraries.

Ours are read from the registry when the book is built; theirs from `benchmarks/results.json`, where
`make bench` stored what it found in the installed libraries.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from scipy import stats
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from kl_lib.divergence.registry import registered_pairs

RESULTS = Path("benchmarks", "results.json")
LIBRARIES = ("torch", "TFP", "NumPyro")
# The classes of the libraries under the names of SciPy's distributions.
NAMES = {
    "Bernoulli": "bernoulli", "Beta": "beta", "Binomial": "binom", "Categorical": "rv_discrete",
    "CategoricalProbs": "rv_discrete", "Cauchy": "cauchy", "Chi": "chi", "Chi2": "chi2",
    "Dirichlet": "dirichlet", "Exponential": "expon", "Gamma": "gamma", "Geometric": "geom",
    "Gumbel": "gumbel_r", "HalfNormal": "halfnorm", "Laplace": "laplace", "LogNormal": "lognorm",
    "Moyal": "moyal", "MultivariateNormal": "multivariate_normal",
    "MultivariateNormalLinearOperator": "multivariate_normal", "Normal": "norm",
    "OneHotCategorical": "rv_discrete", "Pareto": "pareto", "Poisson": "poisson", "Uniform": "uniform",
    "VonMises": "vonmises", "VonMisesFisher": "vonmises_fisher", "Weibull": "weibull_min",
}  # fmt: skip
# The families of the benchmark under the same names.
MEASURED = {
    "normal": "norm", "half-normal": "halfnorm", "exponential": "expon", "Dirichlet": "dirichlet",
    "geometric": "geom", "Gumbel": "gumbel_r", "categorical": "rv_discrete", "Weibull": "weibull_min",
    "chi-squared": "chi2", "von Mises": "vonmises", "multivariate normal": "multivariate_normal",
    "gamma, shape 1e12": "gamma", "beta, shapes 1e12": "beta",
}  # fmt: skip

Pair = tuple[str, str]


def known_pairs(results: dict[str, Any]) -> tuple[dict[str, dict[Pair, str]], dict[str, list[str]]]:
    """Return the marks of each library's pairs that SciPy can name, and the other pairs as text."""
    marks: dict[str, dict[Pair, str]] = {}
    others: dict[str, list[str]] = {}
    for library in LIBRARIES:
        pairs = [(p, q) for p, q in results["pairs"][library]]
        measured = [row["family"] for row in results["accuracy"] if row["library"] == library]
        names = [MEASURED.get(family, family.lower().replace("lognormal", "lognorm")) for family in measured]
        marks[library] = {(name, name): "indirect" for name in names}
        marks[library] |= {(NAMES[p], NAMES[q]): "yes" for p, q in pairs if p in NAMES and q in NAMES}
        others[library] = [f"{p}‖{q}".replace("_", "") for p, q in pairs if not {p, q} <= set(NAMES)]
    return marks, others


def here(pair: Pair) -> str:
    """Say how `kl_divergence` computes a pair."""
    if (equal := registered_pairs().get(pair)) is not None:
        return f"closed, at equal {' and '.join(f'`{name}`' for name in equal)}" if equal else "closed"
    kinds = [type(getattr(stats, name, None)).__mro__ for name in pair]
    for base, method in ((stats.rv_continuous, "quadrature"), (stats.rv_discrete, "sum")):
        if all(base in kind for kind in kinds):
            return method
    return "–"


def table(pairs: list[Pair], marks: dict[str, dict[Pair, str]]) -> list[str]:
    """Return one row a pair as lines of MyST Markdown."""
    lines = [f"| Pair | `kl_lib` | {' | '.join(LIBRARIES)} |", "|---|---|" + "---|" * len(LIBRARIES)]
    for p, q in pairs:
        cells = [here((p, q)), *(marks[library].get((p, q), "–") for library in LIBRARIES)]
        name = f"`{p}`" if p == q else f"`{p}` ‖ `{q}`"
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return [*lines, ""]


def page(results: dict[str, Any]) -> list[str]:
    """Return the tables, and what they leave out."""
    marks, others = known_pairs(results)
    pairs = sorted({*registered_pairs(), *(pair for library in LIBRARIES for pair in marks[library])})
    versions = ", ".join(
        f"{name} {results['versions'][package]}"
        for name, package in zip(LIBRARIES, ("torch", "tfp-nightly", "numpyro"), strict=True)
    )
    lines = ["## One family", "", *table([(p, q) for p, q in pairs if p == q], marks)]
    lines += ["## Two families", "", *table([(p, q) for p, q in pairs if p != q], marks)]
    lines += ["## Registered elsewhere, without a name in SciPy", ""]
    lines += [f"- **{library}**: {', '.join(others[library])}" for library in LIBRARIES]
    return [*lines, "", f"Registries as of {results['date']}: {versions}.", ""]


class MatrixDirective(SphinxDirective):
    """Write the tables where the directive stands."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        """Read the results and parse the page made of them."""
        path = Path(self.env.srcdir) / RESULTS
        self.env.note_dependency(str(path))
        lines = StringList(page(json.loads(path.read_text(encoding="utf-8"))), "kl-matrix")
        section = nodes.section()
        section.document = self.state.document
        self.state.nested_parse(lines, self.content_offset, section, match_titles=True)
        return list(section.children)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("kl-matrix", MatrixDirective)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
