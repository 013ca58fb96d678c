"""SciPy's distributions, in all of its styles, read into one form, and where the univariate ones live.

That is decided by more than the last bits that SciPy's arithmetic leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy import stats
from scipy.stats.distributions import rv_frozen

from kl_lib import scipy_adapter
from kl_lib.checks import as_finite, as_positive, check_aligned
from kl_lib.divergence.covariances import from_matrix, read_covariance
from kl_lib.families.discrete import DiscreteFromLogits
from kl_lib.numerics import every, two_sum
from kl_lib.types import Array, Mask

# Where a univariate distribution lives: disjoint, in order.
Intervals = list[tuple[float, float]]

# Of the numbers that an end is computed from: the most that the rounding of loc + scale·x makes of it.
_ROUNDING = 4 * np.finfo(np.float64).eps


class Parameters(SimpleNamespace):
    """The parameters of a distribution under SciPy's names, as float arrays that broadcast."""

    def __getattr__(self, name: str) -> Array:
        raise AttributeError(f"no parameter {name!r}; there are {', '.join(vars(self)) or 'none'}")


@dataclass(frozen=True)
class Distribution:
    """A SciPy distribution: the name it is registered under, its kind, its checked parameters.

    `label` is the argument it came in, for error messages; `kind` is continuous, discrete, multivariate,
    or other for an object of somebody else's class; `shape` is the shape of the array parameters.
    """

    label: str
    name: str
    kind: str
    parameters: Parameters
    shape: tuple[int, ...]
    source: Any
    dimension: int | tuple[int, ...] = 1

    def parameter_at(self, name: str, index: tuple[int, ...]) -> float:
        """Return one entry of a parameter; `index` is into a shape that `shape` broadcasts to."""
        return float(np.broadcast_to(getattr(self.parameters, name), self.shape)[self.own_index(index)])

    def own_index(self, index: tuple[int, ...]) -> tuple[int, ...]:
        """Return the index into `shape` that broadcasting turns into `index`."""
        trailing = index[len(index) - len(self.shape) :]
        return tuple(0 if size == 1 else i for size, i in zip(self.shape, trailing, strict=True))


def read_distribution(label: str, value: Any) -> Distribution:
    """Return what argument `label` says, or raise an error that names it."""
    if isinstance(value, scipy_adapter.Generator):
        value = _freeze(label, value)
    if isinstance(value, rv_frozen):
        given = scipy_adapter.points(value)
        return _read_frozen(label, value) if given is None else _read_points(label, value, *given)
    if isinstance(value, scipy_adapter.MultivariateFrozen):
        return _read_multivariate(label, value)
    if isinstance(value, scipy_adapter.Newer | stats.Mixture):
        return _read_newer(label, value)
    if isinstance(value, stats.gaussian_kde):
        kind = "continuous" if value.d == 1 else "multivariate"
        return Distribution(label, "gaussian_kde", kind, Parameters(), (), value, value.d)
    if hasattr(value, "rvs") and (hasattr(value, "logpdf") or hasattr(value, "logpmf")):
        return Distribution(label, type(value).__name__, "other", Parameters(), (), value, dimension=0)
    raise TypeError(
        f"{label} must be a frozen scipy.stats distribution, such as stats.norm(0, 1), or one of SciPy's "
        f"newer random variables, such as stats.Normal(mu=0, sigma=1), got {value!r}"
    )


def _freeze(label: str, generator: Any) -> Any:
    try:
        return generator()
    except TypeError:
        raise TypeError(
            f"{label} must be frozen with its parameters, stats.{generator.name}({generator.shapes}), "
            f"got stats.{generator.name} itself"
        ) from None


def _read_frozen(label: str, value: Any) -> Distribution:
    generator = value.dist
    shapes, loc, scale = scipy_adapter.shapes_loc_scale(value)
    parameters = {
        name: _as_shape_parameter(f"{name} of {label}", name, shape, generator)
        for name, shape in zip(_names_of(generator, shapes), shapes, strict=True)
    }
    _check_domain(label, generator, parameters)
    parameters["loc"] = as_finite(f"loc of {label}", loc)
    parameters["scale"] = as_positive(f"scale of {label}", scale)
    if isinstance(value, DiscreteFromLogits):
        parameters["logit"] = value.logits[1] - value.logits[0]
    shape = np.broadcast_shapes(*{parameter.shape for parameter in parameters.values()})
    kind = "continuous" if isinstance(generator, stats.rv_continuous) else "discrete"
    return Distribution(label, _registered_name(generator), kind, Parameters(**parameters), shape, value)


def _read_points(label: str, value: Any, xk: Array, pk: Array) -> Distribution:
    """Read a stats.rv_discrete that is given by its points `xk` and probabilities `pk`."""
    loc = as_finite(f"loc of {label}", scipy_adapter.shapes_loc_scale(value)[1])
    parameters = Parameters(xk=xk, pk=pk, loc=loc)
    if isinstance(value, DiscreteFromLogits):
        parameters.logits = value.logits
    return Distribution(label, "rv_discrete", "discrete", parameters, loc.shape, value)


def table_logits(parameters: Parameters) -> Array:
    """Return the logits of a table of points, or the logs of their probabilities where those were given."""
    if hasattr(parameters, "logits"):
        return _as_float(parameters.logits)
    with np.errstate(divide="ignore"):
        return np.log(_as_float(parameters.pk))


def shape_names(generator: Any) -> list[str]:
    """Return the names of a generator's shape parameters, in their order."""
    return generator.shapes.split(", ") if generator.numargs else []


def _names_of(generator: Any, shapes: tuple[Any, ...]) -> list[str]:
    """Return a name for each shape parameter; stats.poisson_binom has one name for any number of them."""
    names = shape_names(generator)
    return names if len(names) == len(shapes) else [f"{names[0]}{i}" for i in range(len(shapes))]


def _as_shape_parameter(label: str, name: str, value: Any, generator: Any) -> Array:
    array = _as_float(value)
    if every(np.isfinite(array)):
        return array
    known = every(~np.isnan(array)) and name in scipy_adapter.may_be_infinite(generator)
    return array if known else as_finite(label, array)


def _registered_name(generator: Any) -> str:
    """Return the generator's name, unless it borrows the name of one of SciPy's own."""
    namesake = getattr(stats, generator.name, None)
    if namesake is None or type(namesake) is type(generator):
        return str(generator.name)
    return type(generator).__name__


def _check_domain(label: str, generator: Any, shapes: dict[str, Array]) -> None:
    """Refuse shape parameters outside their domain, which SciPy keeps silently."""
    good = scipy_adapter.in_domain(generator, tuple(shapes.values()))
    if not every(good):
        bad = ~good
        first = {key: float(np.broadcast_to(shape, bad.shape)[bad].flat[0]) for key, shape in shapes.items()}
        listed = ", ".join(f"{key} of {label} = {number}" for key, number in first.items())
        raise ValueError(
            f"{label} must have parameters inside the domain of stats.{generator.name}, got {listed}"
        )


def _read_multivariate(label: str, value: Any) -> Distribution:
    name = scipy_adapter.multivariate_name(value)
    read = _MULTIVARIATE.get(name, _unknown)
    parameters, shape, dimension = read(label, value)
    return Distribution(label, name, "multivariate", Parameters(**parameters), shape, value, dimension)


_Multivariate = tuple[dict[str, Any], tuple[int, ...], int | tuple[int, ...]]


def _unknown(_label: str, _value: Any) -> _Multivariate:
    return {}, (), 0


def _multivariate_normal(label: str, value: Any) -> _Multivariate:
    mean = as_finite(f"mean of {label}", value.mean)
    covariance = read_covariance(label, value)
    with np.errstate(over="ignore"):  # where the squares of a factor are no floats
        return {"mean": mean, "cov": value.cov, "covariance": covariance}, (), mean.shape[-1]


def _wishart(label: str, value: Any) -> _Multivariate:
    scale = from_matrix(f"scale of {label}", value.scale)
    df = as_positive(f"df of {label}", value.df)
    return {"df": df, "scale": value.scale, "covariance": scale}, (), len(value.scale)


def _multivariate_t(label: str, value: Any) -> _Multivariate:
    df = np.asarray(value.df) if value.df == np.inf else as_positive(f"df of {label}", value.df)
    shape = from_matrix(f"shape of {label}", value.shape)
    return {"loc": value.loc, "df": df, "shape": value.shape, "covariance": shape}, (), len(value.shape)


def _vonmises_fisher(label: str, value: Any) -> _Multivariate:
    mu, kappa = as_finite(f"mu of {label}", value.mu), as_positive(f"kappa of {label}", value.kappa)
    return {"mu": mu, "kappa": kappa}, (), mu.size


def _matrix_normal(label: str, value: Any) -> _Multivariate:
    mean = as_finite(f"mean of {label}", value.mean)
    rows, columns = (from_matrix(f"{name} of {label}", getattr(value, name)) for name in ("rowcov", "colcov"))
    parameters = {"mean": mean, "rowcov": value.rowcov, "colcov": value.colcov, "rows": rows}
    return parameters | {"columns": columns}, (), mean.shape


def _multinomial(label: str, value: Any) -> _Multivariate:
    n, p = as_finite(f"n of {label}", value.n), as_finite(f"p of {label}", value.p)
    if np.any(scipy_adapter.is_invalid_multinomial(value)):
        raise ValueError(f"{label} must have n >= 0 and probabilities that sum to 1, got n = {n}, p = {p}")
    return {"n": n, "p": p}, np.broadcast_shapes(n.shape, p.shape[:-1]), p.shape[-1]


def _dirichlet(label: str, value: Any) -> _Multivariate:
    alpha = as_positive(f"alpha of {label}", value.alpha)
    return {"alpha": alpha}, (), alpha.size


_MULTIVARIATE: dict[str, Callable[[str, Any], _Multivariate]] = {
    "multivariate_normal": _multivariate_normal,
    "multivariate_t": _multivariate_t,
    "vonmises_fisher": _vonmises_fisher,
    "wishart": _wishart,
    "invwishart": _wishart,
    "matrix_normal": _matrix_normal,
    "multinomial": _multinomial,
    "dirichlet": _dirichlet,
}


def _read_newer(label: str, value: Any) -> Distribution:
    name, parameters = _newer_parameters(value)
    lower = value.support()[0]
    parts = value.components if isinstance(value, stats.Mixture) else [value]
    if any(np.any(np.isnan(part.support()[0])) for part in parts):
        raise ValueError(f"{label} must have finite parameters inside their domain, got {value}")
    continuous = isinstance(value, scipy_adapter.NewerContinuous | stats.Mixture)
    kind = "continuous" if continuous else "discrete"
    return Distribution(label, name, kind, Parameters(**parameters), np.shape(lower), value)


def _newer_parameters(value: Any) -> tuple[str, dict[str, Any]]:
    """Return the name of the frozen generator that a newer random variable stands for, and its parameters."""
    if isinstance(value, stats.Normal):
        return "norm", {"loc": _as_float(value.mu), "scale": _as_float(value.sigma)}
    if isinstance(value, stats.Uniform):
        lower, upper = _as_float(value.a), _as_float(value.b)
        width, lost = two_sum(upper, -lower)
        return "uniform", {"loc": lower, "scale": width, "scale_lost": lost}
    if isinstance(value, stats.Binomial):
        return "binom", {"n": _as_float(value.n), "p": _as_float(value.p), "loc": np.zeros(())}
    generator = scipy_adapter.generator_inside(value)
    if generator is None:
        return type(value).__name__, {}
    shapes = {name: _as_float(getattr(value, name)) for name in shape_names(generator)}
    return _registered_name(generator), shapes | {"loc": np.zeros(()), "scale": np.ones(())}


def _as_float(value: Any) -> Array:
    return np.asarray(value, dtype=np.float64)


def float_or_array(value: Array) -> float | Array:
    """Return a float for scalar parameters, else the array."""
    return value if value.ndim else float(value)


def _labelled(p: Distribution) -> dict[str, Any]:
    """Return the parameters of a frozen distribution that were given with labels."""
    if not isinstance(p.source, rv_frozen):
        return {}
    given = (*enumerate(p.source.args, start=1), *p.source.kwds.items())
    return {f"parameter {name} of {p.label}": value for name, value in given if hasattr(value, "axes")}


def common_shape(p: Distribution, q: Distribution) -> tuple[int, ...]:
    """Return the shape that the parameters broadcast to; refuse distributions on different spaces."""
    check_aligned(**_labelled(p), **_labelled(q))
    if p.kind != q.kind and "other" not in (p.kind, q.kind):
        raise TypeError(f"p and q must be of one kind, got p {p.kind} and q {q.kind}")
    if p.dimension != q.dimension and p.dimension and q.dimension:
        raise ValueError(f"p and q must have the same dimension, got {p.dimension} and {q.dimension}")
    try:
        return p.shape if p.shape == q.shape else np.broadcast_shapes(p.shape, q.shape)
    except ValueError:
        raise ValueError(
            f"the parameters of p and q must broadcast, got shapes {p.shape} and {q.shape}"
        ) from None


def beyond(excess: Array | float, *sizes: Array | float) -> Mask:
    """Return where one end lies beyond another by more than the rounding of numbers of these sizes."""
    rounding = _ROUNDING * sum(np.abs(size) for size in sizes)
    return np.asarray(np.isposinf(excess) | (np.asarray(excess) > rounding), dtype=bool)


def on_lattice(step: Array | float, *sizes: Array | float) -> Mask:
    """Return where a step is an integer but for the rounding of numbers of these sizes."""
    off = np.abs(np.asarray(step) - np.rint(step))
    return np.asarray((off < 0.25) & ~beyond(off, step, *sizes))


def union(intervals: Sequence[tuple[float, float]], size: float) -> Intervals:
    """Return the union of intervals, those that touch merged."""
    merged: Intervals = []
    for lower, upper in sorted(intervals):
        if merged and not beyond(lower - merged[-1][1], lower, size):
            merged[-1] = (merged[-1][0], max(merged[-1][1], upper))
        else:
            merged.append((lower, upper))
    return merged


def cut(intervals: Intervals, points: Array) -> Intervals:
    """Return the intervals, cut at points within."""
    pieces: Intervals = []
    for lower, upper in intervals:
        within = points[(lower < points) & (points < upper)]
        pieces += pairwise([lower, *np.unique(within).tolist(), upper])
    return pieces


def common(inner: Intervals, outer: Intervals, size: float) -> Intervals | None:
    """Return `inner` less what rounding alone puts outside `outer`; None if there is more outside."""
    cut = []
    for a, b in inner:
        hosts = [
            (c, d)
            for c, d in outer
            if (c <= a or not beyond(c - a, a, c, size)) and (b <= d or not beyond(b - d, b, d, size))
        ]
        if not hosts:
            return None
        cut.append((max(a, hosts[0][0]), min(b, hosts[0][1])))
    return cut


def without(outer: Intervals, inner: Intervals, size: float, step: float = 0.0) -> Intervals:
    """Return `outer` less `inner`, and less the slivers that rounding leaves.

    Intervals of integers, whose `step` is 1, hold both of their ends.
    """
    rest = list(outer)
    for a, b in inner:
        pieces = [((c, min(d, a - step)), (max(c, b + step), d)) for c, d in rest]
        rest = [(c, d) for pair in pieces for c, d in pair if beyond(d - c + step, c, d, size)]
    return rest
