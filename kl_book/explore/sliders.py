"""What a reader may change: ranges of numbers and lists of choices, checked and named."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from numbers import Integral, Real
from typing import Any

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eta": "η", "theta": "θ",
    "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ",
    "tau": "τ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
}  # fmt: skip

MOST_FRAMES = 400
SLACK = 1e-9  # 0.3 - 0.2 holds a step of 0.1

Value = float | int | str


@dataclass(frozen=True)
class Slider:
    """One control: its grid of values, where it starts, and for a range its ends."""

    name: str
    values: tuple[Value, ...]
    initial: int
    is_range: bool

    @property
    def label(self) -> str:
        """The name as text: `mu_q` is "μ q", `sample_size` is "sample size"."""
        return " ".join(GREEK.get(word, word) for word in self.name.split("_") if word)

    @property
    def label_html(self) -> str:
        """The name as HTML: what follows a single letter is its index."""
        head, _, rest = self.label.partition(" ")
        if len(head) == 1 and rest:
            return f"{escape(head)}<sub>{escape(rest)}</sub>"
        return escape(self.label)

    @property
    def labels(self) -> list[str]:
        """The values as text; those of a range all with the same number of decimals."""
        texts = [value_text(value) for value in self.values]
        if not self.is_range or any("e" in text for text in texts):
            return texts
        decimals = decimals_of(self.start, self.step)
        return [f"{value:z.{decimals}f}".replace("-", "−") for value in self.values]

    @property
    def start(self) -> float:
        """The first value of a range."""
        return float(self.values[0])

    @property
    def step(self) -> float:
        """The distance between two values of a range."""
        step = float(self.values[1]) - self.start
        return rounded(step, step)


def rounded(value: float, step: float) -> float:
    """Return a value of a range without the rounding errors of the sum that gave it, nor the sign of zero."""
    return round(float(value), 9 - math.floor(math.log10(step))) + 0.0


def decimals_of(start: float, step: float) -> int:
    """Return the decimals that write every value of a range, but no more than six digits of the step."""
    exponents = [Decimal(str(rounded(part, step))).normalize().as_tuple().exponent for part in (start, step)]
    needed = max(-int(exponent) for exponent in exponents)
    return max(0, min(needed, 5 - math.floor(math.log10(step))))


def value_text(value: Value) -> str:
    """Write a value as a figure would, with a true minus sign."""
    return value if isinstance(value, str) else f"{value:.6g}".replace("-", "−")


def parse_sliders(specifications: dict[str, Any]) -> tuple[Slider, ...]:
    """Return the sliders that the keyword arguments of `explore` describe."""
    sliders = tuple(_parse(name, specification) for name, specification in specifications.items())
    _check_count(math.prod(len(slider.values) for slider in sliders))
    return sliders


def _parse(name: str, specification: Any) -> Slider:
    if isinstance(specification, tuple) and len(specification) in (3, 4):
        return _parse_range(name, specification)
    if isinstance(specification, list):
        return _parse_choices(name, specification)
    raise TypeError(
        f"{name} must be (start, stop, step), (start, stop, step, initial) or a list, got {specification!r}"
    )


def _parse_range(name: str, specification: tuple[Any, ...]) -> Slider:
    _check_range(name, *specification)
    start, stop, step = specification[:3]
    count = math.floor((stop - start) / step + SLACK) + 1
    _check_count(count)
    values: list[Value]
    if isinstance(start, Integral) and isinstance(step, Integral):
        values = [int(start) + k * int(step) for k in range(count)]
    else:
        values = [rounded(start + k * step, step) for k in range(count)]
    initial = specification[3] if len(specification) == 4 else (start + stop) / 2
    nearest = min(range(count), key=lambda k: abs(start + k * step - initial))
    return Slider(name, tuple(values), nearest, is_range=True)


def _check_range(name: str, start: Any, stop: Any, step: Any, initial: Any = None) -> None:
    parts = {"start": start, "stop": stop, "step": step}
    for part, value in (parts if initial is None else parts | {"initial": initial}).items():
        if not _is_number(value):
            raise TypeError(f"{name}: {part} must be a number, got {value!r}")
        if not math.isfinite(value):
            raise ValueError(f"{name}: {part} must be finite, got {value}")
    if not start < stop:
        raise ValueError(f"{name}: start must lie below stop, got start {start} and stop {stop}")
    if not 0 < step <= (stop - start) * (1 + SLACK):
        raise ValueError(
            f"{name}: step must be positive and at most stop - start = {stop - start}, got {step}"
        )
    if initial is not None and not start <= initial <= stop:
        raise ValueError(f"{name}: initial must lie between {start} and {stop}, got {initial}")


def _check_count(count: int) -> None:
    if count > MOST_FRAMES:
        raise ValueError(
            f"the sliders must span at most {MOST_FRAMES} frames, got {count}: take larger steps"
        )


def _parse_choices(name: str, choices: list[Any]) -> Slider:
    if not choices:
        raise ValueError(f"{name} must hold at least one choice, got []")
    for choice in choices:
        if not (isinstance(choice, str) or (_is_number(choice) and math.isfinite(choice))):
            raise TypeError(f"{name} must hold strings or finite numbers, got {choice!r}")
    if len({value_text(choice) for choice in choices}) < len(choices):
        raise ValueError(f"{name} must hold choices that read differently, got {choices!r}")
    return Slider(name, tuple(choices), 0, is_range=False)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
