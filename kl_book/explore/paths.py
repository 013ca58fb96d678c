"""The paths of an SVG, written in one way and with no point more than the eye needs."""

from __future__ import annotations

import itertools
import re

import numpy as np
from numpy.typing import NDArray

# A point that lies no further from the chord of its neighbours, in points of 1/72 inch, is left out.
TOLERANCE = 0.02
FEWEST = 24

_PATH_TOKEN = re.compile(r"[A-Za-z]|-?\d*\.?\d+(?:e[-+]?\d+)?")
_SUBPATH = re.compile(r"M[^M]*")


def number(value: float) -> str:
    """Return a coordinate rounded to two decimals, as short as it can be."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def clean_path(path: str) -> str:
    """Write a path with rounded absolute coordinates, no command repeated, and closed where its ends meet.

    Examples
    --------
    >>> clean_path("M 0 0 L 1.001 2 L 3 4 L 0 0 z")
    'M0 0L1 2 3 4z'
    """
    pieces: list[str] = []
    command = ""
    for token in itertools.chain.from_iterable(map(_clean_subpath, _SUBPATH.findall(path))):
        if token.isalpha():
            repeated = token == command and token != "M"
            pieces.append(" " if repeated else token)
            command = token
        else:
            separator = "" if pieces[-1][-1:].isalpha() or pieces[-1] == " " else " "
            pieces.append(separator + token)
    return "".join(pieces)


def _clean_subpath(subpath: str) -> list[str]:
    """Return the commands and rounded coordinates of a subpath, closed by `z` alone where its ends agree.

    Whether matplotlib closes a contour hangs on the last bit of its end, and so on the processor. `MaLbLa`
    becomes `MaLbz`, the line there and back, and `MaLa` becomes `Maz`, the dot that its caps draw.
    """
    tokens = [token if token.isalpha() else number(float(token)) for token in _PATH_TOKEN.findall(subpath)]
    start = tokens[1:3]
    closed = tokens[-1] == "z" or (len(tokens) > 3 and tokens[-2:] == start)
    if tokens[-1] == "z":
        tokens.pop()
    while tokens[-3:] == ["L", *start]:
        del tokens[-3:]
    if len(tokens) >= 3 * FEWEST and set(tokens[3::3]) == {"L"}:
        tokens = _thin(tokens)
    return [*tokens, "z"] if closed else tokens


def _thin(tokens: list[str]) -> list[str]:
    """Leave out points of a polyline that lie on it anyway: a smooth curve needs a third, a base line two."""
    points = np.array([tokens[1::3], tokens[2::3]], dtype=float).T
    kept = np.arange(len(points))
    while len(kept) >= FEWEST:
        flat = kept[1:-1:2][_on_chord(points[kept])]
        if not flat.size:
            break
        kept = np.setdiff1d(kept, flat, assume_unique=True)
    return [token for point in kept for token in tokens[3 * point : 3 * point + 3]]


def _on_chord(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark, of every second inner point, those between their neighbours and nearly on their chord."""
    middle = points[1:-1:2]
    before, after = points[:-2:2][: len(middle)], points[2::2]
    chord, leg = after - before, middle - before
    length = np.hypot(*chord.T)
    across = np.abs(chord[:, 0] * leg[:, 1] - chord[:, 1] * leg[:, 0])
    along = (chord * leg).sum(axis=1)
    marked: NDArray[np.bool_] = (across < TOLERANCE * length) & (along >= 0) & (along <= length**2)
    return marked
