"""Densities known up to their normalizer, with gradients: what `fit_reverse_kl` is tried on, hard and real.

Each has a normal family to be fitted and its expected log density under a normal of any mean and covariance,
exactly or by Gauss-Hermite quadrature in one dimension: so the ELBO of a fit is known without sampling.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from kl_book import datasets
from kl_lib.families import DiagonalNormal, FullNormal

Array = NDArray[np.float64]
Normal = DiagonalNormal | FullNormal

_NODAL = datasets.read("nodal")
_SCHOOLS = datasets.read("eight_schools")
_EFFECTS, _ERRORS = _SCHOOLS["effect"], _SCHOOLS["error"]
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(80)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True)
class Target:
    """A density p̃ in d dimensions: its log and gradient on a batch (n, d), its mean log under a normal."""

    name: str
    d: int
    log_p: Callable[[Array], Array]
    grad_log_p: Callable[[Array], Array]
    expected_log_p: Callable[[Array, Array], float]

    def elbo(self, family: Normal, theta: Array) -> float:
        """Return E[log p̃] + H(pθ), without sampling, in nats."""
        factor = family.cholesky(theta)
        return self.expected_log_p(theta[: self.d], factor @ factor.T) + family.entropy(theta)


def gaussian(name: str, mean: Array, precision_root: Array) -> Target:
    """Return a normal density without its normalizer; its precision is the square of a symmetric root."""

    def log_p(x: Array) -> Array:
        z = (x - mean) @ precision_root
        return np.asarray(-0.5 * (z * z).sum(axis=1))

    def expected(m: Array, covariance: Array) -> float:
        spread = precision_root @ covariance @ precision_root
        return float(log_p(m[None])[0] - 0.5 * np.trace(spread))

    return Target(name, len(mean), log_p, lambda x: -((x - mean) @ precision_root) @ precision_root, expected)


def ill_conditioned(kappa: float = 1e6, d: int = 10, *, rng: np.random.Generator) -> Target:
    """Return a Gaussian whose variances, along random axes, go from 1 down to 1/κ in equal ratios."""
    axes = np.linalg.qr(rng.standard_normal((d, d)))[0]
    root = (axes * np.geomspace(1, kappa, d) ** 0.5) @ axes.T
    return gaussian(f"Gaussian, κ = {kappa:.0e}", rng.standard_normal(d), root)


def correlated(d: int = 100, rho: float = 0.9) -> Target:
    """Return a stationary Gaussian chain, of correlation ρ between neighbours."""
    lag = np.abs(np.subtract.outer(np.arange(d), np.arange(d)))
    values, axes = np.linalg.eigh(rho**lag)
    return gaussian(f"Gaussian chain, d = {d}", np.linspace(-1, 1, d), (axes / np.sqrt(values)) @ axes.T)


def banana(bend: float = 0.5) -> Target:
    """Return x₁ ∼ N(0, 4), x₂ ∼ N(bend (x₁² − 4), 1): a normal, bent."""

    def rest(x: Array) -> Array:
        return np.asarray(x[:, 1] - bend * (x[:, 0] ** 2 - 4))

    def log_p(x: Array) -> Array:
        return np.asarray(-(x[:, 0] ** 2) / 8 - 0.5 * rest(x) ** 2)

    def gradient(x: Array) -> Array:
        return np.column_stack([-x[:, 0] / 4 + 2 * bend * rest(x) * x[:, 0], -rest(x)])

    def expected(m: Array, covariance: Array) -> float:
        first = m[0] + np.sqrt(covariance[0, 0]) * _NODES
        slope = covariance[0, 1] / covariance[0, 0]
        mean = m[1] + slope * (first - m[0])
        variance = covariance[1, 1] - slope * covariance[0, 1]
        return float(_WEIGHTS @ log_p(np.column_stack([first, mean])) - 0.5 * variance)

    return Target("banana", 2, log_p, gradient, expected)


def logistic() -> Target:
    """Return the posterior of a logistic regression on `data/nodal.csv`, its coefficients N(0, 2.5²)."""
    involved, *findings = _NODAL.values()
    signed = (2 * involved - 1)[:, None] * np.column_stack([np.ones(len(involved)), *findings])
    variance = 2.5**2

    def log_p(x: Array) -> Array:
        return np.asarray(special.log_expit(x @ signed.T).sum(axis=1) - 0.5 * (x * x).sum(axis=1) / variance)

    def expected(m: Array, covariance: Array) -> float:
        scales = np.sqrt(np.einsum("ni,ij,nj->n", signed, covariance, signed))
        margins = special.log_expit((signed @ m)[:, None] + scales[:, None] * _NODES)
        prior = 0.5 * (m @ m + np.trace(covariance)) / variance
        return float((margins @ _WEIGHTS).sum() - prior)

    return Target(
        "logistic regression",
        signed.shape[1],
        log_p,
        lambda x: special.expit(-(x @ signed.T)) @ signed - x / variance,
        expected,
    )


def eight_schools() -> Target:
    """Return the eight schools, non-centred: x = (z₁ … z₈, μ, log τ), effects μ + τ z, τ half-Cauchy(5)."""

    def split(x: Array) -> tuple[Array, Array, Array]:
        return x[:, :8], x[:, 8:9], np.exp(x[:, 9:])

    def log_p(x: Array) -> Array:
        z, mu, tau = split(x)
        residuals = (_EFFECTS - mu - tau * z) / _ERRORS
        squares = (z * z).sum(axis=1) + (mu[:, 0] / 5) ** 2 + (residuals * residuals).sum(axis=1)
        return np.asarray(x[:, 9] - np.log1p((tau[:, 0] / 5) ** 2) - 0.5 * squares)

    def gradient(x: Array) -> Array:
        z, mu, tau = split(x)
        pull = (_EFFECTS - mu - tau * z) / _ERRORS**2
        by_log_tau = 1 - 2 * tau**2 / (25 + tau**2) + tau * (pull * z).sum(axis=1, keepdims=True)
        return np.column_stack([tau * pull - z, pull.sum(axis=1) - mu[:, 0] / 25, by_log_tau])

    def expected(m: Array, covariance: Array) -> float:
        # given log τ everything else is normal, and log p̃ quadratic in it
        log_tau = m[9] + np.sqrt(covariance[9, 9]) * _NODES
        slopes = covariance[:9, 9] / covariance[9, 9]
        means = m[:9] + (log_tau - m[9])[:, None] * slopes
        rest = covariance[:9, :9] - np.outer(slopes, covariance[9, :9])
        tau = np.exp(log_tau)[:, None]
        spread = rest[8, 8] + 2 * tau * rest[8, :8] + tau**2 * np.diag(rest)[:8]
        excess = np.trace(rest[:8, :8]) + rest[8, 8] / 25 + (spread / _ERRORS**2).sum(axis=1)
        return float(_WEIGHTS @ (log_p(np.column_stack([means, log_tau])) - 0.5 * excess))

    return Target("eight schools, non-centred", 10, log_p, gradient, expected)


def cases(*, rng: np.random.Generator) -> list[tuple[Target, Any]]:
    """Return the targets of the comparison, each with the family that is fitted to it."""
    schools = eight_schools()
    return [
        (ill_conditioned(rng=rng), FullNormal(10)),
        (logistic(), FullNormal(6)),
        (schools, DiagonalNormal(10)),
        (schools, FullNormal(10)),
        (banana(), FullNormal(2)),
        (correlated(), DiagonalNormal(100)),
    ]
