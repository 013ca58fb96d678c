"""Every distribution of SciPy, at SciPy's own test shapes, against an integral over quantiles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import cubature
from scipy.special import expit
from scipy.stats._distr_params import distcont, distdiscrete

from kl_lib import kl_divergence

# What SciPy itself does not evaluate well enough.
LEFT_OUT = {
    "levy_stable": "the density is itself an integral, right to a few digits",
    "studentized_range": "the density is itself a double integral",
    "kstwo": "the density is a numerical derivative",
    "ksone": "the density has jumps where its formula changes",
    "vonmises": "the support is the whole line, on which the density is periodic; it has a closed form",
    "rel_breitwigner": "the peak is too sharp for the search that SciPy makes for its quantiles",
    "nchypergeom_wallenius": "masses of 1e-11 and below come out as 0",
}
# SciPy searches for each quantile by itself: so many fewer of them, and other shapes in `make test-full`.
SLOW = ["argus", "exponnorm", "foldcauchy", "foldnorm", "recipinvgauss", "vonmises_line"]
# A second and more for a hundred quantiles: all of it in `make test-full`.
SLOWEST = ["dpareto_lognorm", "gausshyper", "geninvgauss", "genhyperbolic", "irwinhall", "norminvgauss"]
REFUSED = {
    "kstwobign": "the mass misses 1 by 1e-9",
    "ncf": "the density raises OverflowError far out",
}


def rescaled(name: str, shapes: tuple[Any, ...]) -> list[Any]:
    """Return q = p with the scale times 1.25."""
    return [getattr(stats, name)(*shapes, scale=1.25)]


def reshaped(name: str, shapes: tuple[Any, ...]) -> list[Any]:
    """Return q = p with each shape times 1.1 where that is one."""
    others = [
        getattr(stats, name)(*shapes[:i], _more(shape), *shapes[i + 1 :])
        for i, shape in enumerate(shapes)
        if shape != 0
    ]
    return [other for other in others if not np.isnan(other.support()[0])]


def _more(shape: Any) -> Any:
    if isinstance(shape, list):
        return [1.1 * entry for entry in shape]
    return int(np.ceil(1.1 * shape)) if isinstance(shape, int) else 1.1 * shape


def over_quantiles(p: Any, q: Any) -> float:
    """Return ∫ log(p/q)(x(u)) du over u = expit(v), the upper half by the survival function."""

    def integrand(v: Any) -> Any:
        v = v[:, 0]
        u = expit(-np.abs(v))
        x = np.where(v < 0, p.ppf(u), p.isf(u))
        ratio = p.logpdf(x) - q.logpdf(x)
        return np.where(np.isfinite(ratio), ratio, 0.0) * u * (1 - u)

    with np.errstate(all="ignore"):
        if p.dist.name in SLOW + SLOWEST:
            return float(0.2 * np.sum(integrand(np.arange(-30, 30.1, 0.2)[:, np.newaxis])))
        halves = ((-36, 0), (0, 36))
        return float(sum(cubature(integrand, [a], [b], rtol=1e-8).estimate for a, b in halves))


def over_points(p: Any, q: Any) -> float:
    k = np.arange(p.ppf(1e-14), p.isf(1e-14) + 1)
    k = k[p.pmf(k) > 0]
    return float(np.sum(p.pmf(k) * (p.logpmf(k) - q.logpmf(k))))


def inside(p: Any, q: Any) -> bool:
    if p.dist.name == "pearson3":  # of which SciPy states the whole line; the skews are positive
        return bool(p.args[0] >= q.args[0])
    (a, b), (c, d) = p.support(), q.support()
    return bool(c <= a and b <= d)


def cases(pairs: list[Any], slow: list[str]) -> list[Any]:
    """Return what is tested, the slow ones marked."""
    return [
        pytest.param(name, shapes, id=f"{name}{shapes}", marks=[pytest.mark.slow] if name in slow else [])
        for name, shapes in pairs
        if isinstance(name, str) and name not in LEFT_OUT
    ]


@pytest.mark.parametrize(("name", "shapes"), cases(distcont, SLOWEST))
def test_another_scale(name: str, shapes: tuple[Any, ...]) -> None:
    check(name, shapes, rescaled, over_quantiles)


@pytest.mark.parametrize(("name", "shapes"), cases(distcont, SLOW + SLOWEST))
def test_other_shapes(name: str, shapes: tuple[Any, ...]) -> None:
    check(name, shapes, reshaped, over_quantiles)


@pytest.mark.parametrize(("name", "shapes"), cases(distdiscrete, []))
def test_other_shapes_of_a_discrete_distribution(name: str, shapes: tuple[Any, ...]) -> None:
    check(name, shapes, reshaped, over_points)


@pytest.mark.parametrize(
    ("name", "shapes"), [pair for pair in distcont + distdiscrete if isinstance(pair[0], str)]
)
def test_equal_parameters_of_any_family_are_no_divergence(name: str, shapes: tuple[Any, ...]) -> None:
    kind = getattr(stats, name)
    places = [{}, {"loc": 3}] if isinstance(kind, stats.rv_discrete) else [{}, {"loc": -7.0, "scale": 0.3}]
    assert [kl_divergence(kind(*shapes, **place), kind(*shapes, **place)) for place in places] == [0, 0]


def stable(parameterization: str) -> Any:
    p = stats.levy_stable(1.5, 0.5)
    p.dist.parameterization = parameterization
    return p


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (stats.vonmises(2, loc=1), stats.vonmises_line(2, loc=1)),
        (stats.poisson_binom([0.1, 0.2]), stats.poisson_binom([0.1, 0.2, 0.3])),
        (stable("S1"), stable("S0")),
    ],
    ids=["another name", "more parameters", "another setting"],
)
def test_a_family_is_one_under_one_name_with_as_many_parameters_set_alike(p: Any, q: Any) -> None:
    for first, second in ((p, q), (q, p)):
        with pytest.raises(NotImplementedError, match="no closed form"):
            kl_divergence(first, second, method="closed")


def check(name: str, shapes: tuple[Any, ...], moved: Any, route: Any) -> None:
    """Take a number that the other route confirms, an infinity that the supports explain, or a refusal."""
    p = getattr(stats, name)(*shapes)
    for q in moved(name, shapes):
        try:
            value = kl_divergence(p, q, method="quadrature")
        except ArithmeticError:
            assert name in REFUSED
            continue
        if not inside(p, q):
            assert value == np.inf
        else:
            assert value == pytest.approx(route(p, q), rel=1e-6)
