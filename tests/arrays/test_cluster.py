"""A mean on a cluster of Dask: the same to the last bit, on more than one process, and failures named."""

from __future__ import annotations

import os
from collections.abc import Iterator

import joblib
import numpy as np
import pytest
from distributed import Client, LocalCluster

from kl_lib import monte_carlo


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """Start two worker processes, for what joblib does within."""
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as workers,
        Client(workers),
        joblib.parallel_config(backend="dask"),
    ):
        yield


def generator() -> np.random.Generator:
    return np.random.default_rng(20260101)


def test_the_cluster_changes_no_bit():
    def draw(size: int, rng: np.random.Generator) -> np.ndarray:
        return rng.normal([1.0, 2.0], 3.0, size=(size, 2))

    here = monte_carlo(draw, 10_500, rng=generator(), chunk=1000)
    there = monte_carlo(draw, 10_500, rng=generator(), chunk=1000, n_jobs=-1)
    np.testing.assert_array_equal(here.mean, there.mean)
    np.testing.assert_array_equal(here.variance, there.variance)


def test_both_workers_draw():
    processes = monte_carlo(
        lambda size, rng: np.full(size, os.getpid()) + 0 * rng.random(size),
        4000,
        rng=generator(),
        chunk=100,
        n_jobs=-1,
    )
    assert processes.variance > 0


def test_a_draw_that_raises_is_named_by_its_chunk():
    def draw(size: int, rng: np.random.Generator) -> np.ndarray:
        if size == 7:
            raise OSError("no such disk")
        return rng.random(size)

    with pytest.raises(RuntimeError, match="draw failed in chunk 3 of 4: OSError: no such disk"):
        monte_carlo(draw, 37, rng=generator(), chunk=10, n_jobs=-1)
