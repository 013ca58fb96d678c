"""Run a notebook's check cells as written and broken on purpose, every assert recorded by itself.

The visible cells run once, without drawing and without the check cells. Each check cell runs beside them,
in a loan of their namespace that leaves no trace: once as written, when every assert must hold, and once
after each of its sabotage lines, when execution goes on after an assert that fails. ``assert a and b``
counts as two asserts, an assert in a loop has failed when it fails in any round, and an assert that raises
anything but AssertionError has not failed: what cannot be computed is not refuted.
"""

from __future__ import annotations

import ast
import copy
import dis
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from functools import cache
from io import StringIO
from pathlib import Path
from types import CodeType
from typing import Any

import nbformat
import numpy as np
from claims import Check, conditions, read_claims
from IPython.core.inputtransformer2 import TransformerManager
from IPython.display import Markdown

Namespace = dict[str, Any]
RECORD = "__record__"  # the name under which a rewritten cell finds its record


def parse(source: str) -> ast.Module:
    """Parse a cell's source, magics included."""
    return ast.parse(TransformerManager().transform_cell(source))


class RecordAsserts(ast.NodeTransformer):
    """Put each assert of a cell, by statement or by NumPy's functions, into a ``with`` that records it."""

    def __init__(self) -> None:
        self.asserts: list[str] = []

    def visit_Assert(self, node: ast.Assert) -> list[ast.With]:
        return [self._recorded(ast.Assert(test, node.msg), node) for test in conditions(node.test)]

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | ast.With:
        called = node.value.func if isinstance(node.value, ast.Call) else None
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        return self._recorded(node, node) if name.startswith("assert_") else node

    def _recorded(self, statement: ast.stmt, where: ast.stmt) -> ast.With:
        record = ast.Call(ast.Name(RECORD, ast.Load()), [ast.Constant(len(self.asserts))], [])
        self.asserts.append(f"{where.lineno}: {ast.unparse(statement)}")
        block = ast.With([ast.withitem(record)], [statement])
        return ast.fix_missing_locations(ast.copy_location(block, where))


@dataclass
class Run:
    """What happened to each assert of a cell, by its number, and what ended the cell early."""

    reached: set[int] = field(default_factory=set)
    failed: set[int] = field(default_factory=set)
    error: str = ""

    @contextmanager
    def record(self, number: int) -> Iterator[None]:
        """Record one assert, and go on after it whatever it does."""
        self.reached.add(number)
        try:
            yield
        except AssertionError:
            self.failed.add(number)
        except Exception as error:
            self.error = self.error or in_words(error)


def in_words(error: Exception) -> str:
    """Return an exception's type and the first line of its message."""
    return f"{type(error).__name__}: {error}".splitlines()[0]


class Recorded:
    """A check cell, ready to be run again and again."""

    def __init__(self, source: str) -> None:
        rewritten = RecordAsserts()
        self.code = compile(rewritten.visit(parse(source)), "<check>", "exec")
        self.asserts = rewritten.asserts

    def run(self, namespace: Namespace, sabotage: str = "") -> Run:
        """Run the cell in a loan of `namespace`, after the line that breaks something in it."""
        run = Run()
        with lent(namespace), warnings.catch_warnings(), redirect_stdout(StringIO()):
            if sabotage:  # broken mathematics may divide by zero
                warnings.simplefilter("ignore")
            try:
                exec(sabotage, namespace)
                namespace[RECORD] = run.record
                exec(self.code, namespace)
            except Exception as error:
                run.error = in_words(error)
        return run


@contextmanager
def lent(namespace: Namespace) -> Iterator[None]:
    """Lend a namespace and take it back as it was, generators and arrays in their old state.

    It is the namespace itself that is lent, so that the functions which the notebook defines in it see
    what is broken.
    """
    kept = dict(namespace)
    for name, value in kept.items():
        if isinstance(value, np.random.Generator | np.ndarray):
            namespace[name] = copy.deepcopy(value)
    forget(kept)
    try:
        yield
    finally:
        namespace.clear()
        namespace.update(kept)
        forget(kept)


def forget(namespace: Namespace) -> None:
    """Empty the caches of the notebook's own functions."""
    for value in namespace.values():
        if getattr(value, "__module__", "") == "__main__" and hasattr(value, "cache_clear"):
            value.cache_clear()


def to_mend(check: Check, namespace: Namespace) -> Iterator[str]:
    """Say which asserts no sabotage line makes fail, and which lines make none fail."""
    cell = Recorded(check.source)
    as_written = cell.run(namespace)
    if as_written.error:
        yield f"as written raises {as_written.error}"
    runs = [cell.run(namespace, sabotage.line) for sabotage in check.sabotage]
    failed = set().union(*(run.failed for run in runs))
    for number, source in enumerate(cell.asserts):
        if number in as_written.failed:
            yield f"fails, line {source}"
        elif number not in as_written.reached:
            yield f"is not reached, line {source}"
        elif number not in failed:
            yield f"survives, line {source}"
    for sabotage, run in zip(check.sabotage, runs, strict=True):
        if not run.failed:
            yield f"breaks no assert: {sabotage.line}" + (f" ({run.error})" if run.error else "")


def execute_visible(source: str, namespace: Namespace) -> str:
    """Execute a cell without drawing, and return the text it shows: what it prints, and its Markdown."""
    tree, printed = parse(source), StringIO()
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    with redirect_stdout(printed):
        exec(compile(tree, "<cell>", "exec"), namespace)
        value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), namespace) if last else None
    if "explore" in namespace:
        namespace["explore"] = lambda *_, **__: None
    return printed.getvalue() + (value.data if isinstance(value, Markdown) else "")


def stored_text(cell: nbformat.NotebookNode) -> str:
    """Return the text that a cell's stored outputs show."""
    return "".join(
        out.get("text", "") or out.get("data", {}).get("text/markdown", "") for out in cell.outputs
    )


def names(code: CodeType, verb: str) -> set[str]:
    """Return the global names that a cell, with the functions in it, is to "LOAD" or to "STORE"."""
    operations = f"{verb}_NAME", f"{verb}_GLOBAL"
    found = {step.argval for step in dis.get_instructions(code) if step.opname in operations}
    return found.union(*(names(inner, verb) for inner in code.co_consts if isinstance(inner, CodeType)))


def borrowed_names(path: Path) -> list[str]:
    """Say which visible cells use names that only check cells define, drawing functions included."""
    checks = {check.cell_id for check in read_claims(path).checks}
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    codes = {cell.id: compile(parse(cell.source), cell.id, "exec") for cell in cells}
    visible = {cell_id: code for cell_id, code in codes.items() if cell_id not in checks}
    of_checks = set().union(*(names(codes[cell_id], "STORE") for cell_id in checks))
    of_checks = of_checks.difference(*(names(code, "STORE") for code in visible.values()))
    used = {cell_id: names(code, "LOAD") & of_checks for cell_id, code in visible.items()}
    return [f"{cell_id} uses {name}" for cell_id in used for name in sorted(used[cell_id])]


def shared_generators(path: Path) -> list[str]:
    """Say which check cells draw from `rng`, the generator of the visible cells, or assign it."""
    codes = {c.cell_id: compile(parse(c.source), c.cell_id, "exec") for c in read_claims(path).checks}
    return [cell_id for cell_id, code in codes.items() if "rng" in names(code, "LOAD") | names(code, "STORE")]


@dataclass
class Report:
    """What is to mend in a notebook: check cells that prove too little, visible cells that need a check."""

    checks: list[str] = field(default_factory=list)
    visible: list[str] = field(default_factory=list)


@cache
def examine(path: Path) -> Report:
    """Run the notebook at `path`."""
    report = Report()
    checks = {check.cell_id: check for check in read_claims(path).checks}
    namespace: Namespace = {"__name__": "__main__"}
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.id in checks:
            report.checks += [f"{cell.id} {line}" for line in to_mend(checks[cell.id], namespace)]
        elif cell.cell_type == "code":
            try:
                text = execute_visible(cell.source, namespace)
            except Exception as error:
                report.visible.append(f"{cell.id} needs a check cell: {in_words(error)}")
            else:
                if text != stored_text(cell):
                    report.visible.append(f"{cell.id} shows other text without the check cells")
    return report
