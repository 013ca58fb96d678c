"""Adaptive quadrature over the support of a univariate density."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.integrate import cubature

from kl_lib.divergence.univariate import Univariate
from kl_lib.numerics import psi
from kl_lib.validation import Array

# What is promised: this relative error, or an absolute one that only rounding between equal
# distributions can reach.
RELATIVE = 1e-9
ABSOLUTE = 1e-28
# Below this divergence, in nats, the integrand p ψ(log q/p) is used, above it −p log(q/p).
NEAR = 1e-2
_MAX_SUBDIVISIONS = 100
_TINY = np.finfo(np.float64).tiny
_EPSILON = np.finfo(np.float64).eps
# Stands for −log q, in nats, where q underflows inside its support.
_UNDERFLOWN = 1e4
# The integrands, in the order of the rows of what Terms return.
_MASS, _MAIN, _LOST, _SQUARE = range(4)

Terms = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Half:
    """The half of an interval between `start` and `end`, on a scale u in [0, edges[-1]].

    A finite end is approached exponentially, x = end ∓ width·e^{−u}, so that a density that is singular
    there decays in u; an infinite one as start ± width·sinh u, so that heavy tails do.
    """

    start: float
    end: float
    width: float
    edges: Array

    def nodes(self, u: Array) -> tuple[Array, Array]:
        """Return x(u) and log |dx/du|."""
        sign = np.sign(self.end - self.start)
        if np.isfinite(self.end):
            return self.end - sign * self.width * np.exp(-u), np.log(self.width) - u
        return self.start + sign * self.width * np.sinh(u), np.log(self.width) + np.log(np.cosh(u))


def _half(start: float, end: float, spread: float, landmarks: Array) -> Half:
    between = landmarks[(landmarks > min(start, end)) & (landmarks < max(start, end))]
    if np.isfinite(end):
        width = abs(end - start)
        last = np.log(width / max(4 * _EPSILON * abs(end), _TINY))
        inner = np.log(width / np.abs(end - between))
    else:
        width = spread
        last = min(np.arcsinh(1e300 / width), 700.0)
        inner = np.arcsinh(np.abs(between - start) / width)
    edges = np.concatenate([[0.0, last], inner, 2.0 ** np.arange(10)])
    return Half(start, end, width, np.unique(edges[edges <= last]))


def _halves(p: Univariate, landmarks: Array) -> list[Half]:
    """Cut each interval that p lives on in two, at the median if it lies inside."""
    median, spread = p.center
    spread = spread if 0 < spread < np.inf else 1.0
    halves = []
    for lower, upper in p.intervals:
        start = median if lower < median < upper else _inside(lower, upper, spread)
        halves += [_half(start, end, spread, landmarks) for end in (lower, upper)]
    return halves


def _inside(lower: float, upper: float, spread: float) -> float:
    """Return a point between the ends, one of which is finite."""
    if np.isfinite(lower) and np.isfinite(upper):
        return 0.5 * (lower + upper)
    return lower + spread if np.isfinite(lower) else upper - spread


def integrate(
    p: Univariate, terms: Terms, landmarks: Array, *, relative: float, absolute: float
) -> tuple[Array, Array]:
    """Integrate `terms` over the support of p; return the integrals and bounds of their errors.

    ``terms(x, log_dx)`` gives the integrands, dx included: (n,), (n,) → (k, n). All panels between
    landmarks are mapped to [0, 1] and integrated as one sum, so that each call is vectorised.
    """
    halves = _halves(p, landmarks)

    def integrand(s: Array) -> Array:
        u = [half.edges[:-1] + s * np.diff(half.edges) for half in halves]
        nodes = [half.nodes(u_half) for half, u_half in zip(halves, u, strict=True)]
        x = np.concatenate([x_half for x_half, _ in nodes], axis=1)
        log_du = np.log(np.concatenate([np.diff(half.edges) for half in halves]))
        log_dx = np.concatenate([log_dx_half for _, log_dx_half in nodes], axis=1) + log_du
        return terms(x.ravel(), log_dx.ravel()).reshape(-1, *x.shape).sum(axis=-1).T

    with np.errstate(all="ignore"):
        result = cubature(
            integrand, [0.0], [1.0], rtol=relative, atol=absolute, max_subdivisions=_MAX_SUBDIVISIONS
        )
        remainder = sum(_remainder(half, terms) for half in halves)
    return result.estimate, result.error + remainder


def _remainder(half: Half, terms: Terms) -> Array:
    """Bound what lies beyond the last node that matters by an exponential; inf if the terms grow there."""
    u = np.linspace(0, half.edges[-1], 65)
    for _ in range(3):
        matter = np.flatnonzero(terms(*half.nodes(u))[_MAIN])
        last = u[matter[-1]] if matter.size else half.edges[-1]
        u = np.linspace(last, min(last + u[1] - u[0], half.edges[-1]), 65)
    step = 0.01 * last
    before, end = np.abs(terms(*half.nodes(np.array([last - step, last])))).T
    decay = np.log(before / end) / step
    return np.where(end == 0, 0.0, np.where(decay > 0, end / decay, np.inf))


def kl_quadrature(p: Univariate, q: Univariate) -> tuple[float, float]:
    """Return D_KL(p‖q) and a bound of its error, infinite where there is none."""
    landmarks = np.concatenate([p.landmarks(), q.landmarks()])
    value, error = integrate(p, _far_terms(p, q), landmarks, relative=0.1 * RELATIVE, absolute=1e-12)
    noise, outside = 0.0, 0.0
    if value[_MAIN] <= NEAR:
        value, error = integrate(p, _near_terms(p, q), landmarks, relative=0.1 * RELATIVE, absolute=ABSOLUTE)
        noise = _EPSILON * np.sqrt(2 * value[_MAIN] * value[_SQUARE])
        outside = _mass_outside(p, q)
    # Nothing of p may have been missed.
    if abs(value[_MASS] - 1) + error[_MASS] > RELATIVE:
        return float(value[_MAIN]), np.inf
    return float(value[_MAIN] + outside), float(error[_MAIN] + noise + _UNDERFLOWN * value[_LOST])


def covers(q: Univariate, p: Univariate) -> bool:
    """Whether every interval that p lives on lies inside one of q's."""
    return all(any(c <= a and b <= d for c, d in q.intervals) for a, b in p.intervals)


def _mass_outside(p: Univariate, q: Univariate) -> float:
    """Return the mass that q has where p has none."""
    lower, upper = p.intervals[0][0], p.intervals[-1][1]
    gaps = [(b, c) for (_, b), (c, _) in pairwise(p.intervals)]
    outside = q.cdf(np.array(lower)) + q.survival(np.array(upper))
    return float(outside + sum(q.cdf(np.array(c)) - q.cdf(np.array(b)) for b, c in gaps))


def _far_terms(p: Univariate, q: Univariate) -> Terms:
    """Give p, −p log(q/p), and p where q underflows."""

    def terms(x: Array, log_dx: Array) -> Array:
        log_p, log_q = p.log_density(x), q.log_density(x)
        weight = _weight(log_p, log_dx)
        known = (weight > 0) & (log_q > -np.inf)
        main = np.where(known, weight * (log_p - log_q), 0.0)
        return np.stack([weight, main, np.where(log_q > -np.inf, 0.0, weight)])

    return terms


def _near_terms(p: Univariate, q: Univariate) -> Terms:
    """Give p, p ψ(log q/p) = q − p − p log(q/p), p where q underflows, and p(1 + log² p)."""

    def terms(x: Array, log_dx: Array) -> Array:
        log_p, log_q = p.log_density(x), q.log_density(x)
        weight = _weight(log_p, log_dx)
        known = (weight > 0) & (log_q > -np.inf)
        ratio = np.where(known, log_q - log_p, 0.0)
        far = np.exp(log_q + log_dx) - np.where(known, weight * (1 + ratio), 0.0)
        near = known & (np.abs(ratio) < 1)
        main = np.where(near, weight * psi(np.where(near, ratio, 0.0)), far)
        square = np.where(weight > 0, weight * (1 + log_p**2), 0.0)
        return np.stack([weight, main, np.where(log_q > -np.inf, 0.0, weight), square])

    return terms


def _weight(log_p: Array, log_dx: Array) -> Array:
    """Return p dx, or 0 where p is singular; its integral then shows what was missed."""
    return np.where(log_p < np.inf, np.exp(log_p + log_dx), 0.0)
