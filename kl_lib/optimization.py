"""Maximising a deterministic objective with its exact gradient, by BFGS in the units of pθ itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kl_lib.families import Family, FullNormal
from kl_lib.results import Estimate, Fit
from kl_lib.types import Array, Callback

Objective = Callable[[Array], tuple[float, Array]]

# So many last steps teach BFGS the curvature, by their inner products alone: small products of matrices
# would take longer on several threads than on one.
_MEMORY = 20
# The units are taken anew where the log of a scale has moved so far.
_STALE = 1.0
# How far a maximum is shaken, in standard deviations: what stood on a saddle rolls off.
_SHAKE = 1e-3
_ROUNDING = 8 * np.finfo(float).eps
_BACKTRACKS = 60


def units(family: Family, theta: Array) -> Array:
    """Return the matrix (size, size) that maps steps in standard deviations of pθ to steps of θ.

    A mean moves by its scale, a factor L to L (I + A) with A lower triangular; logs of scales and logits have
    no unit. So the gradient by these steps is the same in whatever unit x is measured.

    Examples
    --------
    >>> import numpy as np
    >>> from kl_lib import families
    >>> from kl_lib.optimization import units
    >>> units(families.Normal(), np.array([3.0, np.log(2.0)])).round(12)
    array([[2., 0.],
           [0., 1.]])
    """
    matrix = np.eye(family.size)
    log_scales = family.log_scales
    scales = np.exp(theta[log_scales])
    means = slice(log_scales.start - len(scales), log_scales.start)
    if isinstance(family, FullNormal):
        factor, below = family.cholesky(theta), slice(log_scales.stop, None)
        rows, columns = np.tril_indices(family.d, -1)
        matrix[means, means] = factor
        matrix[below, log_scales] = factor[rows, columns, None] * (columns[:, None] == np.arange(family.d))
        matrix[below, below] = factor[rows[:, None], rows] * (columns[:, None] == columns)
    else:
        matrix[means, means] = np.diag(scales)
    return matrix


def maximize(
    family: Family,
    objective: Objective,
    theta0: Array,
    *,
    tol: float,
    max_iter: int,
    callback: Callback | None = None,
) -> Fit:
    """Climb from theta0 until the norm of the gradient, in `units` of where it is, is at most tol.

    `objective` returns a value and its gradient (size,); -inf makes the line search step back. `callback`
    sees θ at every iteration that reaches higher, the start included. A maximum must hold when shaken. Logits
    end centred.
    """
    trace: list[float] = []

    def record(theta: Array, value: float) -> None:
        if not trace or value > trace[-1]:
            trace.append(value)
            if callback is not None:
                callback(theta.copy())

    climb = _Climb(family, objective, tol, max_iter)
    theta, value, norm, message = climb.run(theta0, record)
    while not message:
        shaken = theta + units(family, theta) @ (_SHAKE * np.cos(np.arange(family.size)))
        rival = climb.run(shaken, lambda *_: None)
        if rival[1] <= value + tol + _ROUNDING * abs(value):
            break
        theta, value, norm, message = rival
        record(theta, value)
    converged = not message
    message = message or "the norm of the gradient is at most tol"
    theta = family.centred(theta)
    return Fit(family, theta, Estimate.exact(value), converged, message, norm, np.array(trace))


class _Climb:
    """Limited-memory BFGS (Nocedal 1980), its steps in units that are taken anew as pθ changes its scale."""

    def __init__(self, family: Family, objective: Objective, tol: float, max_iter: int) -> None:
        self.family, self.objective, self.tol, self.left = family, objective, tol, max_iter
        self.max_iter = max_iter

    def run(self, theta: Array, record: Callable[[Array, float], None]) -> tuple[Array, float, float, str]:
        """Return where it leads, the value and the gradient's norm there, and what stopped it short."""
        value, slopes = self._at(theta)
        record(theta, value)
        while True:
            # One round: the units are those of the centre.
            centre, scale, memory = theta, units(self.family, theta), list[tuple[Array, Array]]()
            gradient = slopes @ scale
            norm = float(np.linalg.norm(gradient))
            if norm <= self.tol:
                return theta, value, norm, ""
            while norm > self.tol and not self._stale(theta - centre):
                if self.left <= 0:
                    return theta, value, norm, f"stopped after {self.max_iter} iterations"
                direction = _direction(gradient, memory)
                found = self._search(theta, value, gradient, scale, direction)
                if found is None:
                    break
                self.left -= 1
                before = gradient
                length, theta, value, slopes = found
                gradient = slopes @ scale
                norm = float(np.linalg.norm(gradient))
                record(theta, value)
                step, bend = length * direction, before - gradient
                if step @ bend > 0:
                    memory[:] = [*memory[1 - _MEMORY :], (step, bend)]
            if theta is centre:
                flat = norm**2 / 2 <= _ROUNDING * abs(value)  # what a step would gain is lost in rounding
                return theta, value, norm, "" if flat else "no step along the gradient leads higher"

    def _stale(self, moved: Array) -> bool:
        return bool(np.abs(moved[self.family.log_scales]).max(initial=0) > _STALE)

    def _at(self, theta: Array) -> tuple[float, Array]:
        if self.family.admits(theta):
            value, slopes = self.objective(theta)
            if np.isfinite(value):
                return value, slopes
        return -np.inf, np.zeros_like(theta)

    def _search(
        self, theta: Array, value: float, gradient: Array, scale: Array, direction: Array
    ) -> tuple[float, Array, float, Array] | None:
        """Return the first length that gains enough (Armijo), or gains slope where the value is flat."""
        length, promised = 1.0, float(gradient @ direction)
        for _ in range(_BACKTRACKS):
            at = theta + length * (scale @ direction)
            reached, slopes = self._at(at)
            gain = reached - value
            flat = abs(gain) <= _ROUNDING * abs(value)
            if flat:
                higher = np.linalg.norm(slopes @ scale) < 0.9 * np.linalg.norm(gradient)
            else:
                higher = gain >= 1e-4 * length * promised
            if higher:
                return length, at, reached, slopes
            # the top of the parabola through what is known, within bounds
            length *= float(np.clip(length * promised / (2 * (length * promised - gain)), 0.1, 0.5))
        return None


def _direction(gradient: Array, memory: list[tuple[Array, Array]]) -> Array:
    """Return the gradient times the inverse of the curvature that the steps have met, in two loops."""
    if not memory:
        return gradient / max(1.0, float(np.linalg.norm(gradient)))
    direction, shares = gradient, []
    for step, bend in reversed(memory):
        shares.append(step @ direction / (step @ bend))
        direction = direction - shares[-1] * bend
    step, bend = memory[-1]
    direction = direction * (step @ bend) / (bend @ bend)
    for (step, bend), share in zip(memory, reversed(shares), strict=True):
        direction = direction + (share - bend @ direction / (step @ bend)) * step
    return direction
