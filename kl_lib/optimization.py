"""Maximising a deterministic objective with its exact gradient, by SciPy's BFGS."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import optimize

from kl_lib.families import Family
from kl_lib.results import Estimate, Fit
from kl_lib.types import Array, Callback

Objective = Callable[[Array], tuple[float, Array]]


def maximize(
    family: Family, objective: Objective, theta0: Array, *, tol: float, callback: Callback | None = None
) -> Fit:
    """Climb from theta0 until the Euclidean norm of the gradient is at most tol.

    `objective` returns a value and its gradient (size,); -inf makes the line search step back. `callback`
    sees θ at every iteration, the start included. Logits end centred.
    """
    trace: list[float] = []

    def loss(theta: Array) -> tuple[float, Array]:
        value, gradient = objective(theta) if family.admits(theta) else (-np.inf, np.zeros_like(theta))
        return -value, -gradient

    def record(intermediate_result: optimize.OptimizeResult) -> None:
        trace.append(-float(intermediate_result.fun))
        if callback is not None:
            callback(intermediate_result.x.copy())

    record(optimize.OptimizeResult(x=theta0, fun=loss(theta0)[0]))
    options = {"gtol": tol, "norm": 2}
    with np.errstate(over="ignore", invalid="ignore"):  # line searches meet infinities
        result = optimize.minimize(loss, theta0, jac=True, method="BFGS", callback=record, options=options)
        theta, gradient = _polish(loss, result.x, result.jac, result.hess_inv, tol)
        gradient_norm = float(np.linalg.norm(gradient))
    converged = gradient_norm <= tol
    message = "the norm of the gradient is at most tol" if converged else str(result.message)
    theta = family.centred(theta)
    objective_reached = Estimate.exact(trace[-1])
    return Fit(theta, family.at(theta), objective_reached, converged, message, gradient_norm, np.array(trace))


def _polish(
    loss: Objective, theta: Array, gradient: Array, inverse_hessian: Array, tol: float
) -> tuple[Array, Array]:
    """Step on while the gradient halves: it leads on where the loss is flat to rounding for a line search."""
    while np.linalg.norm(gradient) > tol:
        candidate = theta - inverse_hessian @ gradient
        value, following = loss(candidate)
        if np.isinf(value) or np.linalg.norm(following) > 0.5 * np.linalg.norm(gradient):
            break
        theta, gradient = candidate, following
    return theta, gradient
