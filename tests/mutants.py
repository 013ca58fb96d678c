"""Break the numeric modules on purpose, one small change at a time, and count what the tests notice.

Run by ``make mutants`` with the Python of .venv-mutants, which has Cosmic Ray and its operators; the tests
run in .venv, in copies of the project. What survives is printed as a difference: a hole in the tests, or a
change that changes nothing.
"""

from __future__ import annotations

import argparse
import difflib
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).parents[1]
# The tests of a room, the quick ones first; the rest of the tests are for what these let pass.
TESTS = {
    "numerics": "numerics logits divergence_closed",
    "divergence": "refusals messages scipy_adapter covariances logits divergence_* laws",
    "families": "families gradients reverse forward",
    "forward": "forward",
    "gradients": "gradients reverse",
    "reverse": "reverse targets",
    "optimization.py": "optimization reverse forward",
    "estimators": "estimators neighbours arrays",
    "diagnostics.py": "diagnostics arrays",
    "monte_carlo.py": "monte_carlo",
}
# What somebody may have mistyped; the other operators of Cosmic Ray make code that no test can miss.
KEPT = re.compile(
    r"core/(AddNot|NumberReplacer|ReplaceAndWithOr|ReplaceOrWithAnd|ReplaceTrueWithFalse|ReplaceFalseWithTrue"
    r"|ReplaceBreakWithContinue|ReplaceContinueWithBreak|ZeroIterationForLoop"
    r"|ReplaceUnaryOperator_(Delete_.*|USub_UAdd)"
    r"|ReplaceBinaryOperator_(Add_Sub|Sub_Add|Mul_Div|Div_Mul|Pow_Mul|FloorDiv_Div|Mod_Div|BitAnd_BitOr|BitOr_BitAnd)"
    r"|ReplaceComparisonOperator_(Lt_LtE|LtE_Lt|Gt_GtE|GtE_Gt|Lt_Gt|Gt_Lt|Eq_NotEq|NotEq_Eq|Is_IsNot|IsNot_Is))"
)
SECONDS = 600  # of the tests of one mutant; who hangs is noticed


@dataclass(frozen=True)
class Mutant:
    """A change to a file: the n-th place where an operator applies."""

    file: Path
    operator: str
    occurrence: int

    def code(self) -> str:
        """Return the file, changed."""
        source = (ROOT / self.file).read_text(encoding="utf-8")
        return str(mutate_code(source, get_operator(self.operator)(), self.occurrence))

    def difference(self) -> str:
        """Return the lines that change, as a diff."""
        before = (ROOT / self.file).read_text(encoding="utf-8").splitlines()
        return "\n".join(
            difflib.unified_diff(before, self.code().splitlines(), str(self.file), n=0, lineterm="")
        )

    def tests(self) -> list[str]:
        """Return the test files of its room."""
        patterns = TESTS[self.file.parts[1]].split()
        return [
            str(path.relative_to(ROOT))
            for p in patterns
            for path in sorted(ROOT.glob(f"tests/unit/test_{p}.py"))
        ]


def mutants(folder: str) -> list[Mutant]:
    """Return all mutants of the numeric modules below a folder, in a fixed order."""
    files = sorted((ROOT / "kl_lib").rglob("*.py"))
    found = []
    for file in (path.relative_to(ROOT) for path in files):
        if file.parts[1] in TESTS and file.name != "__init__.py" and str(file).startswith(folder):
            nodes = list(ast_nodes(get_ast((ROOT / file).read_text(encoding="utf-8"))))
            for name in filter(KEPT.fullmatch, sorted(operator_names())):
                operator = get_operator(name)()
                places = sum(len(list(operator.mutation_positions(node))) for node in nodes)
                found += [Mutant(file, name, i) for i in range(places)]
    return found


def passes(project: Path, tests: list[str]) -> bool:
    """Whether the tests pass in a copy of the project, in time."""
    command = [
        str(ROOT / ".venv/bin/python"),
        "-B",
        "-m",
        "pytest",
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        *tests,
    ]
    run = subprocess.Popen(
        command, cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        return run.wait(SECONDS) == 0
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        return False


def survives(mutant: Mutant, project: Path) -> bool:
    """Whether the tests pass although a copy of the project is changed."""
    (project / mutant.file).write_text(mutant.code(), encoding="utf-8")
    try:
        return passes(project, mutant.tests())
    finally:
        shutil.copy2(ROOT / mutant.file, project / mutant.file)


def main() -> None:
    """Try a sample for as long as there is time, and print the score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--folder", default="kl_lib", help="mutate the files below it alone")
    chosen = parser.parse_args()
    every = mutants(chosen.folder)
    sample = random.Random(chosen.seed).sample(every, min(chosen.sample, len(every)))
    end = time.monotonic() + 60 * chosen.minutes
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(chosen.jobs) as pool:
        projects: Queue[Path] = Queue()
        for i in range(chosen.jobs):
            ignored = shutil.ignore_patterns(".venv*", ".git", "_build", "node_modules", "__pycache__")
            projects.put(Path(shutil.copytree(ROOT, Path(folder, str(i)), ignore=ignored)))

        for tests in sorted({tuple(mutant.tests()) for mutant in sample}):
            if not passes(Path(folder, "0"), list(tests)):
                raise SystemExit(f"without a change these must pass in time: {' '.join(tests)}")

        def outcome(mutant: Mutant) -> bool | None:
            if time.monotonic() > end:
                return None
            project = projects.get()
            try:
                lives = survives(mutant, project)
            finally:
                projects.put(project)
            print(f"survived:\n{mutant.difference()}\n" if lives else ".", end="", flush=True)
            return lives

        outcomes = [lives for lives in pool.map(outcome, sample) if lives is not None]
    killed = outcomes.count(False)
    print(f"\n{killed} of {len(outcomes)} mutants killed ({killed / max(len(outcomes), 1):.1%}); ", end="")
    print(f"{len(sample)} sampled with seed {chosen.seed} from {len(every)}")


if __name__ == "__main__":
    main()
