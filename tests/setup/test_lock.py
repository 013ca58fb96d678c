"""Each package that another one asks for with extras is locked with what the extras bring."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions, requires

from environment import LOCK, ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCKED = ("book", "lab", "test")  # the other groups have environments, and locks, of their own


def locked(lock: str) -> dict[str, Requirement]:
    """Return the pins of a lock by name, those for other machines too."""
    lines = re.findall(r"^[\w.\[\],-]+==[^\s\\;]+", lock, re.MULTILINE)
    return {canonicalize_name(r.name): r for r in map(Requirement, lines)}


def asked_for(name: str, extra: str = "") -> Iterator[Requirement]:
    """Yield what an installed package asks for on this machine, with one of its extras."""
    yield from asked_here(requires(name) or [], extra)


def asked_here(requirements: list[str], extra: str = "") -> Iterator[Requirement]:
    """Yield the requirements that hold on this machine."""
    for requirement in map(Requirement, requirements):
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield requirement


def missing(lock: str) -> set[str]:
    """Return the extras, and what they bring, that some package asks for and the lock does not have."""
    pins = locked(lock)
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    needed = [r for name in LOCKED for r in asked_here(groups[name])]
    for name in {canonicalize_name(d.name) for d in distributions()} & set(pins):
        needed += asked_for(name)
    lacking = set()
    for asked in needed:
        pin = pins[canonicalize_name(asked.name)]
        lacking |= {f"{pin.name}[{extra}]" for extra in asked.extras - pin.extras}
        brought = [r for extra in asked.extras for r in asked_for(asked.name, extra)]
        lacking |= {r.name for r in brought if canonicalize_name(r.name) not in pins}
    return lacking


def test_every_extra_is_locked_with_what_it_brings() -> None:
    assert missing(LOCK.read_text(encoding="utf-8")) == set()


def test_a_lock_without_its_extras_is_found() -> None:
    stripped = re.sub(r"\[[\w,-]+\]==", "==", LOCK.read_text(encoding="utf-8"))
    assert missing(stripped) == {
        "coverage[toml]",
        "bleach[css]",
        "fonttools[woff]",
        "jsonschema[format-nongpl]",
    }
    without = re.sub(r"^tinycss2==.*$", "", LOCK.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert missing(without) == {"tinycss2"}
