"""Maximising a deterministic objective with its exact gradient, by BFGS in the units of pθ itself.

The limited-memory BFGS is our own, two loops and a search. SciPy's takes as many evaluations, but solves its
small systems by threaded LAPACK calls, which cost milliseconds a step where cores are busy; its search also
fails where the objective is -inf, and where rounding hides what is gained and the gradient alone can tell.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kl_lib.families import Family, FullNormal, Reparameterizable
from kl_lib.families.units import Units
from kl_lib.results import Estimate, Fit
from kl_lib.types import Array, Callback

Objective = Callable[[Array], tuple[float, Array]]
Record = Callable[[Array, float], None]

# What a fit says that was short of a maximum at its last iteration.
STOPPED = "stopped at max_iter, short of a maximum"

# So many last steps teach BFGS the curvature.
_MEMORY = 20
# The units are taken anew, and natural steps tried, after so many, or where the log of a scale moved so far.
_ROUND = 60
_STALE = 1.0
# A search moves the log of a scale no farther.
_FAR = 20.0
# How far a maximum is shaken, in standard deviations: what stood on a saddle rolls off.
_SHAKE = 1e-3
_ROUNDING = 8 * np.finfo(float).eps
# What a maximum may lack in nats, where rounding hides it.
_HIDDEN = 1e-6
# A gain below this part of the value is read from the slopes.
_NEAR = 1e-10
_BACKTRACKS = 60
# The parts of a natural step that are tried, and the least curvature, in those of pθ, that it trusts.
_PARTS = (1.0, 0.3, 0.1)
_LEAST_CURVATURE = 1e-4


def natural_step(family: Reparameterizable, theta: Array, gradient: Array, part: float) -> Array:
    """Return θ after a part of a step of the natural gradient of the ELBO (Khan and Rue 2023, section 4.2).

    The gradient, by moves in `Units`, holds the mean curvature of log p̃ in those of pθ, by which the step
    divides: a whole one arrives at a Gaussian target at once.
    """
    d = family.dimension
    factor, full = family.cholesky(theta), isinstance(family, FullNormal)
    lower = np.diag(gradient[d : 2 * d])
    if full:
        lower[np.tril_indices(d, -1)] = gradient[2 * d :]
    curvatures, axes = np.linalg.eigh(np.eye(d) - lower) if full else (1 - np.diag(lower), np.eye(d))
    curvatures = 1 + part * (np.maximum(np.abs(curvatures), _LEAST_CURVATURE) - 1)
    mean = theta[:d] + part * factor @ (axes @ (axes.T @ gradient[:d] / curvatures))
    # L R Rᵀ Lᵀ with R Rᵀ = axes diag(1 / curvatures) axesᵀ
    upper = np.linalg.qr((axes / np.sqrt(curvatures)).T, mode="r")
    moved = factor @ (upper * np.sign(np.diag(upper))[:, None]).T
    below = moved[np.tril_indices(d, -1)] if full else np.empty(0)
    with np.errstate(divide="ignore"):  # a scale of 0 is no θ that the family admits
        return np.concatenate([mean, np.log(np.diag(moved)), below])


def maximize(
    family: Family,
    objective: Objective,
    theta0: Array,
    *,
    tol: float,
    max_iter: int,
    callback: Callback | None = None,
) -> Fit:
    """Climb from theta0 until the norm of the gradient, in the `Units` of where it is, is at most tol.

    `objective` returns a value and its gradient (size,); -inf makes the search step back. `callback` sees θ
    at every iteration that reaches higher, the start included. A maximum must hold when shaken. Logits end
    centred.
    """
    trace: list[float] = []

    def record(theta: Array, value: float) -> None:
        if not trace or value > trace[-1]:
            trace.append(value)
            if callback is not None:
                callback(theta.copy())

    climb = _Climb(family, objective, max_iter)
    point, message = climb.run(climb.at(theta0), tol, record)
    while not message:
        shake = _SHAKE * np.cos(np.arange(family.size))
        shaken = climb.at(point.theta + point.units.step(shake))
        rival, rival_message = climb.run(shaken, tol, lambda *_: None)
        if rival.value <= point.value + tol + _ROUNDING * abs(point.value):
            break
        point, message = rival, rival_message
        record(point.theta, point.value)
    converged, message = not message, message or "the norm of the gradient is at most tol"
    theta = family.centred(point.theta)
    return Fit(family, theta, Estimate.exact(point.value), converged, message, point.norm, np.array(trace))


def _length(vector: Array) -> float:
    with np.errstate(over="ignore"):
        return float(np.linalg.norm(vector))


class _Point:
    """Where a climb is: θ, the units there, the value, the gradient by steps in these units and its norm."""

    def __init__(self, family: Family, theta: Array, value: float, slopes: Array) -> None:
        self.theta, self.value = theta, value
        self.units = Units(family, theta, by_weight=True)
        self.gradient = self.units.gradient(slopes)
        self.norm = _length(self.gradient)

    def below(self, other: _Point) -> bool:
        """Whether the other is higher; where rounding hides that, flatter."""
        gain, rounding = other.value - self.value, _ROUNDING * abs(self.value)
        return bool(gain > rounding or (gain >= -rounding and other.norm < 0.9 * self.norm))


class _Climb:
    """Natural steps as long as they pay, then limited-memory BFGS in units that are taken anew in between."""

    def __init__(self, family: Family, objective: Objective, max_iter: int) -> None:
        self.family, self.objective, self.left = family, objective, max_iter

    def run(self, point: _Point, tol: float, record: Record) -> tuple[_Point, str]:
        """Return where it leads, and what stopped it short of a maximum."""
        record(point.theta, point.value)
        while True:
            start = point
            for step in (self._leap, self._bfgs):
                if point.norm <= tol:
                    return point, ""
                if self.left <= 0:
                    return point, STOPPED
                point = step(point, tol, record)
            if not start.below(point):
                # About what is still to gain, and all of it lost in rounding.
                flat = point.norm**2 / 2 <= min(_ROUNDING * abs(point.value), _HIDDEN)
                return point, "" if flat else "no step along the gradient leads higher"

    def at(self, theta: Array) -> _Point:
        """Return the point at θ."""
        return _Point(self.family, theta, *self._value(theta))

    def _value(self, theta: Array) -> tuple[float, Array]:
        if self.family.admits(theta):
            value, slopes = self.objective(theta)
            if np.isfinite(value):
                return value, slopes
        return -np.inf, np.zeros_like(theta)

    def _leap(self, point: _Point, tol: float, record: Record) -> _Point:
        """Take natural steps for as long as each halves the gradient."""
        if not isinstance(self.family, Reparameterizable):
            return point
        while point.norm > tol and self.left > 0:
            before = point
            for part in _PARTS:
                theta = natural_step(self.family, before.theta, before.gradient, part)
                if self.family.admits(theta) and before.below(found := self.at(theta)):
                    point = found
                    self.left -= 1
                    record(theta, point.value)
                    break
            if point is before or point.norm > before.norm / 2:
                break
        return point

    def _bfgs(self, point: _Point, tol: float, record: Record) -> _Point:
        """Climb in the units of the point until they are stale, or the search finds nothing more."""
        theta, value, gradient = point.theta, point.value, point.gradient
        memory: list[tuple[Array, Array, float]] = []
        for _ in range(min(_ROUND, self.left)):
            if _length(gradient) <= tol:
                break
            direction = _direction(gradient, memory)
            found = self._search(point, theta, value, gradient, direction)
            if found is None:
                break
            before = gradient
            length, theta, value, gradient = found
            self.left -= 1
            record(theta, value)
            logs = self.family.log_scales
            if np.abs(theta[logs] - point.theta[logs]).max(initial=0.0) > _STALE:
                break
            step, bend = length * direction, before - gradient
            if (curvature := float(step @ bend)) > 0 and bend @ bend > 0:  # which may underflow
                memory = [*memory[1 - _MEMORY :], (step, bend, curvature)]
        return point if theta is point.theta else self.at(theta)

    def _search(
        self, point: _Point, theta: Array, value: float, gradient: Array, direction: Array
    ) -> tuple[float, Array, float, Array] | None:
        """Return the first length that gains enough (Armijo), the slopes telling what rounding hides."""
        length, promised = 1.0, float(gradient @ direction)
        if not 0 < promised < np.inf:
            return None
        step = point.units.step(direction)
        widest = np.abs(step[self.family.log_scales]).max(initial=0.0)
        if widest > _FAR:
            length = _FAR / widest
        for _ in range(_BACKTRACKS):
            reached, slopes = self._value(theta + length * step)
            there, gain = point.units.gradient(slopes), reached - value
            if length * promised <= _NEAR * abs(value) and reached > -np.inf:
                gain = 0.5 * length * float((gradient + there) @ direction)
            if gain >= 1e-4 * length * promised:
                return length, theta + length * step, reached, there
            # the top of the parabola through what is known, within bounds
            length *= float(np.clip(length * promised / (2 * (length * promised - gain)), 0.1, 0.5))
        return None


def _direction(gradient: Array, memory: list[tuple[Array, Array, float]]) -> Array:
    """Return the gradient times the inverse of the curvature that the steps have met, in two loops."""
    if not memory:
        return gradient / max(1.0, _length(gradient))
    direction, shares = gradient.copy(), []
    for step, bend, curvature in reversed(memory):
        shares.append((step @ direction) / curvature)
        direction -= shares[-1] * bend
    _, bend, curvature = memory[-1]
    direction *= curvature / (bend @ bend)
    for (step, bend, curvature), share in zip(memory, reversed(shares), strict=True):
        direction += (share - (bend @ direction) / curvature) * step
    return direction
