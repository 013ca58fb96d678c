"""Relative error against mpmath, by library, family and distance between p and q."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from families import FAMILIES, ComparedFamily, Values
from libraries import LIBRARIES
from oracles.closed_forms import exact, mp
from oracles.grid import FAMILIES as GRID
from oracles.grid import evaluate, exact_values, far_pairs, near_pairs, relative_errors

from kl_lib import kl_divergence

DISTANCES = [10.0**-k for k in range(1, 13)]
FAR = 1000


def accuracy_rows() -> list[dict[str, Any]]:
    """Return a row for each library and family: the worst error at each distance, and the worst values."""
    rows = []
    for name, family in FAMILIES.items():
        for library in LIBRARIES:
            try:
                cells = [_worst(library, family, distance) for distance in DISTANCES]
            except (NotImplementedError, AttributeError):
                continue  # the library has no closed form for this family
            rows.append(
                {
                    "family": name,
                    "library": library,
                    "errors": [float(f"{error:.3g}") for error, _, _ in cells],
                    "values": len(DISTANCES) * len(family.pairs(DISTANCES[0])),
                    "negative": sum(negative for _, negative, _ in cells),
                    "zero": sum(zero for _, _, zero in cells),
                }
            )
    return rows


def _worst(library: str, family: ComparedFamily, distance: float) -> tuple[float, int, int]:
    """Return the worst relative error, and how many values are negative, and how many zero."""
    build, divergence = LIBRARIES[library]
    errors, negative, zero = [], 0, 0
    for p, q in family.pairs(distance):
        value = float(divergence(build(family, p), build(family, q)))
        truth = _truth(library, family, p, q)
        errors.append(float(abs(mp.mpf(value) - truth) / truth) if math.isfinite(value) else math.inf)
        negative += value < 0
        zero += value == 0
    return max(errors), negative, zero


def _truth(library: str, family: ComparedFamily, p: Values, q: Values) -> Any:
    p_exact, q_exact = ([exact(x) for x in parameters] for parameters in (p, q))
    if family.rate is not None and library not in ("kl_lib", "SciPy"):
        p_exact[family.rate], q_exact[family.rate] = 1 / p_exact[family.rate], 1 / q_exact[family.rate]
    return family.truth(p_exact, q_exact)


def grid_rows(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return the worst errors of `kl_lib` on the whole grid, near identity and far from it."""
    rows = []
    for name, family in GRID.items():
        row: dict[str, Any] = {"family": name}
        for where, (p, q) in {"near": near_pairs(family), "far": far_pairs(family, FAR, rng=rng)}.items():
            errors = relative_errors(evaluate(kl_divergence, family, p, q), exact_values(family, p, q))
            row |= {f"{where}_pairs": errors.size, f"{where}_worst": float(f"{np.max(errors):.3g}")}
        rows.append(row)
    return rows


def print_grid(rows: list[dict[str, Any]]) -> None:
    """Print the worst errors on the grid, the largest first."""
    print(f"{'kl_lib on the grid':20} {'near':>9} {'of pairs':>9} {'far':>9} {'of pairs':>9}")
    for row in sorted(rows, key=lambda row: -max(row["near_worst"], row["far_worst"])):
        near, far = (f"{row[f'{w}_worst']:9.1e} {row[f'{w}_pairs']:9d}" for w in ("near", "far"))
        print(f"{row['family']:20} {near} {far}")


def print_accuracy(rows: list[dict[str, Any]]) -> None:
    """Print the worst error of each row over all distances, and its ratio to that of `kl_lib`."""
    here = {row["family"]: max(row["errors"]) for row in rows if row["library"] == "kl_lib"}
    print(f"{'family':20} {'library':8} {'d = 1e-4':>9} {'d = 1e-8':>9} {'worst':>9} {'ratio':>9}  negative")
    for row in sorted(rows, key=lambda row: -max(row["errors"])):
        errors, worst = row["errors"], max(row["errors"])
        at_4, at_8 = errors[DISTANCES.index(1e-4)], errors[DISTANCES.index(1e-8)]
        ratio = worst / max(here[row["family"]], np.finfo(float).eps / 2)
        numbers = " ".join(f"{x:9.1e}" for x in (at_4, at_8, worst, ratio))
        print(f"{row['family']:20} {row['library']:8} {numbers}  {row['negative'] or ''}")
