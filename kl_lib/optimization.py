"""Maximising a deterministic objective with its exact gradient, by SciPy's BFGS in the units of pθ itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import linalg, optimize

from kl_lib.families import Family, FullNormal, Reparameterizable
from kl_lib.families.units import Units
from kl_lib.results import Estimate, Fit
from kl_lib.types import Array, Callback

Objective = Callable[[Array], tuple[float, Array]]
Record = Callable[[Array, float], None]

# So many last steps teach BFGS the curvature.
_MEMORY = 20
# The units are taken anew where the log of a scale has moved so far.
_STALE = 1.0
# The line search does not look for the logs of scales beyond.
_FAR = 20.0
# How far a maximum is shaken, in standard deviations: what stood on a saddle rolls off.
_SHAKE = 1e-3
_ROUNDING = 8 * np.finfo(float).eps
_NEAR = 1e-8
# The parts of a natural step that are tried, and the least curvature, in those of pθ, that it trusts.
_PARTS = (1.0, 0.3, 0.1)
_LEAST_CURVATURE = 1e-2


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
    curvatures, axes = linalg.eigh(np.eye(d) - lower, lower=True) if full else (1 - np.diag(lower), np.eye(d))
    curvatures = 1 + part * (np.maximum(np.abs(curvatures), _LEAST_CURVATURE) - 1)
    mean = theta[:d] + part * factor @ (axes @ (axes.T @ gradient[:d] / curvatures))
    # L R Rᵀ Lᵀ with R Rᵀ = axes diag(1 / curvatures) axesᵀ
    upper = np.linalg.qr((axes / np.sqrt(curvatures)).T, mode="r")
    moved = factor @ (upper * np.sign(np.diag(upper))[:, None]).T
    below = moved[np.tril_indices(d, -1)] if full else np.empty(0)
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
        self.family, self.objective, self.max_iter, self.left = family, objective, max_iter, max_iter

    def run(self, point: _Point, tol: float, record: Record) -> tuple[_Point, str]:
        """Return where it leads, and what stopped it short of a maximum."""
        record(point.theta, point.value)
        while True:
            start = point
            for step in (self._leap, self._bfgs):
                if point.norm <= tol:
                    return point, ""
                if self.left <= 0:
                    return point, f"stopped after {self.max_iter} iterations"
                point = step(point, tol, record)
            if not start.below(point):
                flat = point.norm**2 / 2 <= _ROUNDING * abs(point.value)  # a gain is lost in rounding
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
        """Climb in the units of the point until they are stale, or the line search finds nothing more."""
        gradient = point.gradient
        # so near the top that rounding would hide what is gained, and the slopes tell it better
        near = point.norm**2 <= _NEAR * abs(point.value)

        def loss(y: Array) -> tuple[float, Array]:
            nonlocal gradient
            move = point.units.step(y)
            far = np.abs(move[self.family.log_scales]).max(initial=0.0) > _FAR
            value, slopes = (-np.inf, move) if far else self._value(point.theta + move)
            if value == -np.inf:  # a hill that sends the line search back
                return 1 - point.value + float(y @ y), 2 * y
            gradient = point.units.gradient(slopes)
            if near:
                value = point.value + 0.5 * float((point.gradient + gradient) @ y)
            return -value, -gradient

        def step(intermediate_result: optimize.OptimizeResult) -> None:
            move = point.units.step(intermediate_result.x)
            record(point.theta + move, -intermediate_result.fun)
            self.left -= 1
            stale = np.abs(move[self.family.log_scales]).max(initial=0) > _STALE
            if stale or self.left <= 0 or _length(gradient) <= tol:
                raise StopIteration

        options = {"maxcor": _MEMORY, "ftol": 0.0, "gtol": 0.0, "maxiter": self.max_iter, "maxfun": np.inf}
        start = np.zeros(self.family.size)
        found = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", callback=step, options=options)
        return self.at(point.theta + point.units.step(found.x))
