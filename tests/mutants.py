"""Break the numeric modules on purpose, one small change at a time, and count what the tests notice.

Run by ``make mutants`` with the Python of .venv-mutants, which has Cosmic Ray and its operators; the tests
run in .venv, in copies of the project. They run once without a change, which tells how long each takes and
which of them reach which line; a mutant is then tried on those that reach its line, the quick ones first.
What survives is printed as a difference: a hole in the tests, or a change that changes nothing.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from xml.etree import ElementTree

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).parents[1]
ROOMS = (
    "numerics", "divergence", "families", "forward", "gradients", "reverse", "optimization.py", "estimators",
    "diagnostics.py", "monte_carlo.py",
)  # fmt: skip
# What somebody may have mistyped; the other operators of Cosmic Ray make code that no test can miss.
KEPT = re.compile(
    r"core/(AddNot|NumberReplacer|ReplaceAndWithOr|ReplaceOrWithAnd|ReplaceTrueWithFalse|ReplaceFalseWithTrue"
    r"|ReplaceBreakWithContinue|ReplaceContinueWithBreak|ZeroIterationForLoop"
    r"|ReplaceUnaryOperator_(Delete_.*|USub_UAdd)"
    r"|ReplaceBinaryOperator_(Add_Sub|Sub_Add|Mul_Div|Div_Mul|Pow_Mul|FloorDiv_Div|Mod_Div|BitAnd_BitOr|BitOr_BitAnd)"
    r"|ReplaceComparisonOperator_(Lt_LtE|LtE_Lt|Gt_GtE|GtE_Gt|Lt_Gt|Gt_Lt|Eq_NotEq|NotEq_Eq|Is_IsNot|IsNot_Is))"
)
MODULES = Path("book", "_ext", "node_modules")
PATIENCE = 60.0, 5.0  # seconds, and times what its tests took; a mutant that hangs beyond them is noticed


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

    def line(self) -> int:
        """Return the number of the first line that changes."""
        before = (ROOT / self.file).read_text(encoding="utf-8").splitlines()
        pairs = zip(before, self.code().splitlines(), strict=False)
        return next(number for number, (old, new) in enumerate(pairs, 1) if old != new)


def mutants(folder: str) -> list[Mutant]:
    """Return all mutants of the numeric modules below a folder, in a fixed order."""
    files = sorted((ROOT / "kl_lib").rglob("*.py"))
    found = []
    for file in (path.relative_to(ROOT) for path in files):
        if file.parts[1] in ROOMS and file.name != "__init__.py" and str(file).startswith(folder):
            nodes = list(ast_nodes(get_ast((ROOT / file).read_text(encoding="utf-8"))))
            for name in filter(KEPT.fullmatch, sorted(operator_names())):
                operator = get_operator(name)()
                places = sum(len(list(operator.mutation_positions(node))) for node in nodes)
                found += [Mutant(file, name, i) for i in range(places)]
    return found


def pytest(project: Path, *arguments: str, seconds: float | None = None) -> bool:
    """Whether the tests pass in a copy of the project, in time."""
    command = [
        str(ROOT / ".venv/bin/python"),
        "-B",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        *arguments,
    ]
    run = subprocess.Popen(
        command, cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        return run.wait(seconds) == 0
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        return False


# Asked in .venv, which has coverage: by file and line, the tests that reach it ("" is the import).
QUERY = """
import json, sys
from coverage import CoverageData

data = CoverageData(".coverage")
data.read()
reached = {}
for file, lines in json.load(sys.stdin).items():
    by_line = data.contexts_by_lineno(f"{sys.argv[1]}/{file}")
    inside = {line for line, names in by_line.items() if any(names)}
    everywhere = {name for names in by_line.values() for name in names}
    for line in lines:
        begin = max((other for other in by_line if other <= line), default=0)
        names = by_line[begin] if begin in inside else everywhere
        reached[f"{file}:{line}"] = sorted({name.rpartition("|")[0] for name in names if name})
json.dump(reached, sys.stdout)
"""


def reaching(sample: list[Mutant], project: Path, jobs: int) -> dict[Mutant, dict[str, float]]:
    """Run all unit tests, and return how long those take that reach each mutant: for a constant, its file."""
    measured = ("--cov", "--cov-context=test", "--cov-report=", "--cov-fail-under=0")
    timed = ("--junitxml=times.xml", "-o", "junit_family=xunit1")
    if not pytest(project, "-n", str(jobs), *measured, *timed, "tests/unit"):
        raise SystemExit("without a change the unit tests must pass")
    cases = ElementTree.parse(project / "times.xml").iter("testcase")
    seconds = {f"{case.get('file')}::{case.get('name')}": float(case.get("time", 0)) for case in cases}
    places = {mutant: (str(mutant.file), mutant.line()) for mutant in sample}
    lines: dict[str, list[int]] = {}
    for file, line in places.values():
        lines.setdefault(file, []).append(line)
    command = [str(ROOT / ".venv/bin/python"), "-c", QUERY, str(project)]
    answer = subprocess.run(
        command, cwd=project, input=json.dumps(lines), capture_output=True, check=True, encoding="utf-8"
    )
    if not pytest(project, "--collect-only", f"@{listed(project, sorted(seconds))}"):
        raise SystemExit("each test must be found by its name")
    reached = json.loads(answer.stdout)
    return {
        mutant: {name: seconds[name] for name in sorted(reached[f"{file}:{line}"], key=seconds.__getitem__)}
        for mutant, (file, line) in places.items()
    }


def listed(project: Path, tests: Iterable[str]) -> Path:
    """Write the names of tests to a file, which pytest reads: they may be many."""
    names = project / "reaching.txt"
    names.write_text("\n".join(tests), encoding="utf-8")
    return names


def survives(mutant: Mutant, tests: dict[str, float], project: Path) -> bool:
    """Whether the tests pass although a copy of the project is changed."""
    (project / mutant.file).write_text(mutant.code(), encoding="utf-8")
    seconds = PATIENCE[0] + PATIENCE[1] * sum(tests.values())
    try:
        return pytest(project, "-x", f"@{listed(project, tests)}", seconds=seconds)
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
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(chosen.jobs) as pool:
        projects: Queue[Path] = Queue()
        for i in range(chosen.jobs):
            ignored = shutil.ignore_patterns(".venv*", ".git", "_build", "node_modules", "__pycache__")
            project = Path(shutil.copytree(ROOT, Path(folder, str(i)), ignore=ignored))
            (project / MODULES).symlink_to(ROOT / MODULES)
            projects.put(project)
        tests = reaching(sample, Path(folder, "0"), chosen.jobs)
        end = time.monotonic() + 60 * chosen.minutes

        def outcome(mutant: Mutant) -> bool | None:
            if time.monotonic() > end:
                return None
            project = projects.get()
            try:
                lives = survives(mutant, tests[mutant], project)
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
