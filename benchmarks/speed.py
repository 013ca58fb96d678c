"""Time beside the other libraries: one thread, the same inputs, taking turns in one run.

A call of `kl_lib` checks the parameters it is given. So the others are timed with their validation on,
which they do as they build a distribution: building counts, save for the scalar pair.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from libraries import tfp
from scipy import special, stats

import kl_lib

Call = Callable[[], Any]
Arrays = tuple[Any, ...]
ROUNDS = 7


def scalar_normal(_: np.random.Generator) -> dict[str, Call]:
    """Two built scalar normal distributions."""
    p, q = (0.3, 1.7), (0.1, 1.2)
    scipy_p, scipy_q = stats.norm(*p), stats.norm(*q)
    torch_p, torch_q = torch.distributions.Normal(*p), torch.distributions.Normal(*q)
    tfp_p, tfp_q = (tfp.distributions.Normal(*map(np.float64, x)) for x in (p, q))
    return {
        "kl_lib": lambda: kl_lib.kl_divergence(scipy_p, scipy_q),
        "torch": lambda: torch.distributions.kl_divergence(torch_p, torch_q),
        "TFP": lambda: tfp.distributions.kl_divergence(tfp_p, tfp_q),
    }


def built_normal(_: np.random.Generator) -> dict[str, Call]:
    """Two scalar normal distributions, built in the call."""
    p, q = (0.3, 1.7), (0.1, 1.2)
    normal, build = stats.norm, torch.distributions.Normal
    return {
        "kl_lib": lambda: kl_lib.kl_divergence(normal(*p), normal(*q)),
        "torch": lambda: torch.distributions.kl_divergence(build(*p), build(*q)),
    }


def many_normals(rng: np.random.Generator) -> dict[str, Call]:
    """1e6 pairs of normal distributions."""
    mean_p, mean_q = rng.normal(size=(2, 1_000_000))
    s_p, s_q = rng.uniform(0.5, 2, size=(2, 1_000_000))
    p, q = stats.norm(mean_p, s_p), stats.norm(mean_q, s_q)
    return _validated(lambda: kl_lib.kl_divergence(p, q), "Normal", (mean_p, s_p), (mean_q, s_q))


def many_gammas(rng: np.random.Generator) -> dict[str, Call]:
    """1e5 pairs of gamma distributions."""
    a_p, a_q, s_p, s_q = rng.uniform(0.5, 20, size=(4, 100_000))
    p, q = stats.gamma(a_p, scale=s_p), stats.gamma(a_q, scale=s_q)
    return _validated(lambda: kl_lib.kl_divergence(p, q), "Gamma", (a_p, 1 / s_p), (a_q, 1 / s_q))


def many_wide_betas(rng: np.random.Generator) -> dict[str, Call]:
    """1e5 pairs of beta distributions whose shapes, from 0.01 to 1000, have little to do with each other."""
    a, b, c, d = 10 ** rng.uniform(-2, 3, size=(4, 100_000))
    p, q = stats.beta(a, b), stats.beta(c, d)

    def plain() -> Any:
        changes = (a - c) * special.psi(a) + (b - d) * special.psi(b) + (c + d - a - b) * special.psi(a + b)
        return special.betaln(c, d) - special.betaln(a, b) + changes

    return {"kl_lib": lambda: kl_lib.kl_divergence(p, q), "plain NumPy": plain}


def scalar_pair(
    name: str, in_torch: str, p: Sequence[float], q: Sequence[float]
) -> Callable[[np.random.Generator], dict[str, Call]]:
    """Return what times two built scalar distributions."""
    scipy_p, scipy_q = (getattr(stats, name)(*x) for x in (p, q))
    torch_p, torch_q = (getattr(torch.distributions, in_torch)(*x) for x in (p, q))

    def calls(_: np.random.Generator) -> dict[str, Call]:
        return {
            "kl_lib": lambda: kl_lib.kl_divergence(scipy_p, scipy_q),
            "torch": lambda: torch.distributions.kl_divergence(torch_p, torch_q),
        }

    return calls


def _validated(ours: Call, name: str, p: Arrays, q: Arrays) -> dict[str, Call]:
    tensors_p, tensors_q = ([torch.tensor(x) for x in arrays] for arrays in (p, q))
    in_torch, in_tfp = getattr(torch.distributions, name), getattr(tfp.distributions, name)
    return {
        "kl_lib": ours,
        "torch": lambda: torch.distributions.kl_divergence(in_torch(*tensors_p), in_torch(*tensors_q)),
        "TFP": lambda: tfp.distributions.kl_divergence(
            in_tfp(*p, validate_args=True), in_tfp(*q, validate_args=True)
        ),
    }


def many_cholesky(rng: np.random.Generator) -> dict[str, Call]:
    """1e4 pairs of normal distributions in 16 dimensions, from Cholesky factors."""
    return _cholesky_calls(rng, 10_000, 16)


def large_cholesky(rng: np.random.Generator) -> dict[str, Call]:
    """One pair in 512 dimensions, from Cholesky factors."""
    return _cholesky_calls(rng, 1, 512)


def _cholesky_calls(rng: np.random.Generator, count: int, size: int) -> dict[str, Call]:
    (mean_p, cov_p), (mean_q, cov_q) = (_mean_and_covariance(rng, count, size) for _ in range(2))
    arrays = [mean_p, np.linalg.cholesky(cov_p), mean_q, np.linalg.cholesky(cov_q)]
    return _multivariate(lambda: kl_lib.kl_normal_cholesky(*arrays), "scale_tril", arrays)


def many_covariances(rng: np.random.Generator) -> dict[str, Call]:
    """1e4 pairs of normal distributions in 16 dimensions, from covariances."""
    arrays = [x for _ in range(2) for x in _mean_and_covariance(rng, 10_000, 16)]
    return _multivariate(lambda: kl_lib.kl_normal_covariance(*arrays), "covariance_matrix", arrays)


def large_covariance(rng: np.random.Generator) -> dict[str, Call]:
    """One pair in 512 dimensions, from covariances."""
    (mean_p, cov_p), (mean_q, cov_q) = (_mean_and_covariance(rng, 1, 512) for _ in range(2))
    arrays = [np.squeeze(x, 0) for x in (mean_p, cov_p, mean_q, cov_q)]
    p, q = stats.multivariate_normal(*arrays[:2]), stats.multivariate_normal(*arrays[2:])
    return _multivariate(lambda: kl_lib.kl_divergence(p, q), "covariance_matrix", arrays)


def _multivariate(ours: Call, name: str, arrays: list[Any]) -> dict[str, Call]:
    """Time torch on the same means and matrices, the matrices under the name they have there."""
    mean_p, matrix_p, mean_q, matrix_q = (torch.tensor(x) for x in arrays)
    build = torch.distributions.MultivariateNormal
    return {
        "kl_lib": ours,
        "torch": lambda: torch.distributions.kl_divergence(
            build(mean_p, **{name: matrix_p}), build(mean_q, **{name: matrix_q})
        ),
    }


def _mean_and_covariance(rng: np.random.Generator, count: int, size: int) -> tuple[Any, Any]:
    roots = rng.normal(size=(count, size, size))
    return rng.normal(size=(count, size)), roots @ roots.swapaxes(-1, -2) + size * np.eye(size)


def categorical(rng: np.random.Generator) -> dict[str, Call]:
    """One categorical distribution of 1e6 entries."""
    p, q = rng.dirichlet(np.ones(1_000_000), size=2)
    return {"kl_lib": lambda: kl_lib.kl_categorical(p, q), "SciPy": lambda: stats.entropy(p, q)}


# What is timed, beside which library, and the ratio promised, if any.
CASES: dict[str, tuple[Callable[[np.random.Generator], dict[str, Call]], str, float | None]] = {
    "a scalar pair of normals": (scalar_normal, "torch", None),
    "a scalar pair of normals, built in the call": (built_normal, "torch", None),
    "a scalar pair of betas": (scalar_pair("beta", "Beta", (2.3, 1.7), (4.0, 2.5)), "torch", None),
    "a scalar pair of chi-squareds": (scalar_pair("chi2", "Chi2", (2.3,), (4.0,)), "torch", None),
    "a scalar pair of Bernoullis": (scalar_pair("bernoulli", "Bernoulli", (0.3,), (0.4,)), "torch", None),
    "1e6 pairs of normals": (many_normals, "torch", 1),
    "1e4 pairs of normals in 16 dimensions, Cholesky factors": (many_cholesky, "torch", 1),
    "1e4 pairs of normals in 16 dimensions, covariances": (many_covariances, "torch", 1),
    "a pair of normals in 512 dimensions, Cholesky factors": (large_cholesky, "torch", 1),
    "a pair of normals in 512 dimensions, covariances": (large_covariance, "torch", 1),
    "categorical of 1e6 entries": (categorical, "SciPy", 1),
    "1e5 pairs of gammas": (many_gammas, "torch", 3),
    "1e5 pairs of wide betas": (many_wide_betas, "plain NumPy", 20),
}


def speed_rows(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return a row for each case and library: its seconds a call, and those of `kl_lib` over them."""
    rows = []
    for case, (prepare, beside, promised) in CASES.items():
        seconds = _seconds(prepare(rng))
        for library in list(seconds)[1:]:
            ratio = seconds["kl_lib"] / seconds[library]
            row: dict[str, Any] = {"case": case, "library": library, "ratio": float(f"{ratio:.3g}")}
            row["kl_lib_seconds"] = float(f"{seconds['kl_lib']:.3g}")
            row["library_seconds"] = float(f"{seconds[library]:.3g}")
            rows.append(row | ({"promised": promised} if library == beside and promised else {}))
    return rows


def _seconds(calls: dict[str, Call]) -> dict[str, float]:
    """Return the median time of each call over rounds in which they take turns."""
    timers = {name: timeit.Timer(call) for name, call in calls.items()}
    repeats = {name: max(1, int(0.05 / max(timer.timeit(1), 1e-9))) for name, timer in timers.items()}
    rounds = [
        {name: timer.timeit(repeats[name]) / repeats[name] for name, timer in timers.items()}
        for _ in range(ROUNDS)
    ]
    return {name: float(np.median([r[name] for r in rounds])) for name in timers}


def print_speed(rows: list[dict[str, Any]]) -> None:
    """Print what a call costs here over what it costs there."""
    print(f"{'case':58} {'beside':8} {'kl_lib':>9} {'library':>9} {'ratio':>7} promised")
    for row in rows:
        times = f"{row['kl_lib_seconds']:9.1e} {row['library_seconds']:9.1e} {row['ratio']:7.2f}"
        print(f"{row['case']:58} {row['library']:8} {times} {row.get('promised', '')}")
