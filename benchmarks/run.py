"""Measure, print both tables, and write results.json beside this file.

Run by ``make bench``, in an environment of its own that holds the libraries of requirements.txt.
"""

from __future__ import annotations

import os

# Before anything loads a linear-algebra library: everybody gets one thread.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import datetime
import json
import platform
from pathlib import Path

import numpy as np
from accuracy import DISTANCES, accuracy_rows, grid_rows, print_accuracy, print_grid
from libraries import kl_div_loss, processor, registered_pairs, versions
from portable import portable_errors
from speed import print_speed, speed_rows

SEED = 20260101
RESULTS = Path(__file__).with_name("results.json")


def main() -> None:
    """Write what was measured, with the date and the versions."""
    accuracy = accuracy_rows()
    print_accuracy(accuracy)
    print()
    grid = grid_rows(np.random.default_rng(SEED))
    print_grid(grid)
    print()
    speed = speed_rows(np.random.default_rng(SEED))
    print_speed(speed)
    results = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "processor": processor(),
        "python": platform.python_version(),
        "versions": versions(),
        "distances": DISTANCES,
        "accuracy": accuracy,
        "grid": grid,
        "speed": speed,
        "pairs": registered_pairs(),
        "kl_div_loss": kl_div_loss(),
        "portable": portable_errors(np.random.default_rng(SEED)),
    }
    RESULTS.write_text(json.dumps(results, indent=1, allow_nan=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
