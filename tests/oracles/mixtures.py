"""One normal beside a mixture of normals: the minima of the reverse divergence, by brute force.

D(q‖p⋆) = −½ log(2πe σ²) − E log p⋆(µ + σz) is a trapezoidal sum over z; its derivatives come from those of
log p⋆ at the nodes. All starts of a grid descend at once, by Newton steps with halving.
"""

from __future__ import annotations

import numpy as np

NODES = np.linspace(-8.5, 8.5, 4001)
WEIGHTS = np.exp(-(NODES**2) / 2) / np.sum(np.exp(-(NODES**2) / 2))
COARSE, FINE = slice(0, None, 20), slice(None)


def reverse_kl(bumps, mean, log_width, nodes=FINE):
    """Return value (n,), gradient (2, n) and Hessian (3, n) in mean and log width, for bumps (k, 3)."""
    weight, centre, width = (column[:, None, None] for column in np.asarray(bumps, dtype=float).T)
    z, w = NODES[nodes], WEIGHTS[nodes] / WEIGHTS[nodes].sum()
    sigma = np.exp(log_width)[:, None]
    away = (mean[:, None] + sigma * z - centre) / width
    terms = np.log(weight / weight.sum() / width / np.sqrt(2 * np.pi)) - away**2 / 2
    most = terms.max(axis=0)
    shares = np.exp(terms - most)
    total = shares.sum(axis=0)
    slope = np.sum(shares * -away / width, axis=0) / total
    bend = np.sum(shares * (away**2 - 1) / width**2, axis=0) / total - slope**2
    value = -log_width - 0.5 * np.log(2 * np.pi * np.e) - (most + np.log(total)) @ w
    gradient = np.array([-(slope @ w), -1 - (sigma * slope * z) @ w])
    hessian = np.array(
        [-(bend @ w), -(sigma * bend * z) @ w, -(sigma**2 * bend * z**2) @ w - (sigma * slope * z) @ w]
    )
    return value, gradient, hessian


def reverse_minima(bumps, starts=10):
    """Return all local minima found, as rows (divergence, mean, width), lowest first."""
    _, mean, width = np.asarray(bumps, dtype=float).T
    wide = width.max() + np.ptp(mean) / 2
    means = np.concatenate([np.linspace(mean.min(), mean.max(), starts), mean])
    theta = np.array(np.meshgrid(means, np.log([width.min(), np.sqrt(width.min() * wide), wide]))).reshape(
        2, -1
    )
    for nodes, steps in ((COARSE, 60), (FINE, 12)):
        theta = descend(bumps, theta, nodes, steps)
        theta = theta[:, np.unique(np.round(theta / 1e-3), axis=1, return_index=True)[1]]
    value, gradient, (a, b, c) = reverse_kl(bumps, *theta)
    found = (np.abs(gradient).max(axis=0) < 1e-6) & (a > 0) & (a * c > b * b)
    rows = np.column_stack([value, theta[0], np.exp(theta[1])])[found]
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    same = [
        any(np.allclose(row, other, rtol=0, atol=2e-3) for other in rows[:i]) for i, row in enumerate(rows)
    ]
    return rows[~np.array(same, dtype=bool)]


def descend(bumps, theta, nodes, steps):
    """Take Newton steps downhill from every column of theta (2, n)."""
    for _ in range(steps):
        value, gradient, (a, b, c) = reverse_kl(bumps, *theta, nodes)
        scale = np.exp(theta[1])
        hessian = np.moveaxis(np.array([[a * scale**2, b * scale], [b * scale, c]]), -1, 0)
        eigenvalues, axes = np.linalg.eigh(hessian)
        along = np.einsum("nij,in->nj", axes, gradient * [scale, np.ones_like(scale)])
        move = np.clip(along / np.maximum(np.abs(eigenvalues), 1e-6), -0.5, 0.5)
        step = -np.einsum("nij,nj->in", axes, move) * [scale, np.ones_like(scale)]
        for _ in range(12):
            worse = reverse_kl(bumps, *(theta + step), nodes)[0] > value + 1e-13
            if not worse.any():
                break
            step = np.where(worse, step / 2, step)
        theta = theta + step
        if np.abs(step / [scale, np.ones_like(scale)]).max() < 1e-8:
            break
    return theta
