"""Every public function says what it takes, what it gives, and shows it in an example that runs as pasted."""

from __future__ import annotations

import doctest
import inspect
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

import kl_lib
import kl_lib.families
import kl_lib.numerics
from kl_lib.divergence import registry

MODULES = (kl_lib, kl_lib.families, kl_lib.numerics)
SECTION = re.compile(r"^(\w[\w ]*)\n-+\n", re.MULTILINE)


def exported(module: ModuleType) -> Iterator[Callable[..., Any]]:
    """Return the public functions of a module, and the public methods of its public classes."""
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isfunction(value):
            yield value
        elif inspect.isclass(value):
            for attribute, member in inspect.getmembers(value, callable):
                if not attribute.startswith("_") and inspect.isroutine(member):
                    yield member


# Each once, under the name of the class that defines it.
PUBLIC = {
    f"{module.__name__}.{function.__qualname__}": function
    for module in MODULES
    for function in exported(module)
}


def sections(function: Callable[..., Any]) -> dict[str, str]:
    """Return the sections of a docstring by their titles; what comes first is under the empty one."""
    parts = SECTION.split(inspect.getdoc(function) or "")
    return {"": parts[0]} | dict(zip(parts[1::2], parts[2::2], strict=True))


def documented(text: str) -> list[str]:
    """Return the names that a Parameters section explains."""
    names = [line for line in text.splitlines() if line and not line.startswith(" ")]
    return [name.strip(" *") for line in names for name in line.partition(" : ")[0].split(",")]


@pytest.mark.parametrize("name", PUBLIC)
def test_the_docstring_is_whole(name: str) -> None:
    function = PUBLIC[name]
    found = sections(function)
    summary = found[""].splitlines()[0]
    assert summary.endswith((".", ":", ";")), summary
    parameters = [parameter for parameter in inspect.signature(function).parameters if parameter != "self"]
    assert sorted(documented(found.get("Parameters", ""))) == sorted(parameters)
    assert found.get("Returns", "").strip()
    assert ">>>" in found.get("Examples", "")


@pytest.mark.parametrize("name", PUBLIC)
def test_the_example_runs_as_pasted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_CLOSED_FORMS", dict(registry._CLOSED_FORMS))  # one example registers
    text = sections(PUBLIC[name])["Examples"]
    example = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    written: list[str] = []
    failed, tried = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(
        example, out=written.append
    )
    assert tried > 0
    assert not failed, "".join(written)


def test_there_are_public_functions() -> None:
    assert {"kl_lib.em", "kl_lib.families.Normal.theta_of", "kl_lib.numerics.phi"} <= set(PUBLIC)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("p, q\n    Distributions.\naxis\n    An axis.\n", ["p", "q", "axis"]),
        ("n : int\n    How many.\n", ["n"]),
    ],
)
def test_names_are_read_from_a_section(text: str, wanted: list[str]) -> None:
    assert documented(text) == wanted
