"""The frames of a figure as differences: what changes, where, and to what.

A frame is an SVG tree. A column names one place in the tree (an attribute, or all that an element
holds where even its children differ) and lists the distinct values found there. Paths, nearly all of
the weight, are packed: differences of coordinates in hundredths of a pixel, so that a smooth curve of
200 points becomes 400 small letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from kl_book.explore.svg import inner_svg

RADIX = 26
HIGHEST_ORDER = 3

_COMMAND = re.compile(r"([MLQCz])([^A-Za-z]*)")
_PATH = re.compile(r'(?<= d=")[^"]*')


class Column(NamedTuple):
    """A place whose content differs between frames; `name` is empty for what the element holds."""

    path: tuple[int, ...]
    name: str
    values: list[str | None]
    frames: list[int]


def columns(trees: Sequence[Element], path: tuple[int, ...] = ()) -> Iterator[Column]:
    """Yield the places where the trees differ, with the packed content of each tree there."""
    names = dict.fromkeys(name for tree in trees for name in tree.attrib)
    for name in names:
        yield from _column(path, name, [tree.get(name) for tree in trees])
    if len({(tree.text or "", *(child.tag for child in tree)) for tree in trees}) > 1:
        yield from _column(path, "", [inner_svg(tree) for tree in trees])
    else:
        for index, children in enumerate(zip(*trees, strict=True)):
            yield from columns(children, (*path, index))


def _column(path: tuple[int, ...], name: str, contents: list[str | None]) -> Iterator[Column]:
    distinct = list(dict.fromkeys(contents))
    if len(distinct) > 1:
        values = [None if content is None else _pack(name, content) for content in distinct]
        numbers = {content: index for index, content in enumerate(distinct)}
        yield Column(path, name, values, [numbers[content] for content in contents])


def _pack(name: str, content: str) -> str:
    if name == "d":
        return pack_path(content)
    return _PATH.sub(lambda match: pack_path(match[0]), content) if name == "" else content


def pack_path(path: str) -> str:
    """Write a path as its commands with the number of points of each, then the xs, then the ys.

    Examples
    --------
    >>> pack_path("M0 0L0.01 0.05 0.02 0.1z")
    'M1L2z:0ace:0aku'
    """
    commands = [(command, numbers.split()) for command, numbers in _COMMAND.findall(path)]
    shape = "".join(command + str(len(numbers) // 2 or "") for command, numbers in commands)
    coordinates = [round(float(number) * 100) for _, numbers in commands for number in numbers]
    points = np.array(coordinates, dtype=np.int64).reshape(-1, 2)
    return ":".join((shape, _pack_numbers(points[:, 0]), _pack_numbers(points[:, 1])))


def _pack_numbers(numbers: NDArray[np.int64]) -> str:
    """Return the shortest of the numbers and their first differences of orders 0 to 3, as letters."""
    candidates = [
        str(order) + "".join(map(_letters, np.diff(numbers, n=order, prepend=[0] * order).tolist()))
        for order in range(HIGHEST_ORDER + 1)
    ]
    return min(candidates, key=len)


def _letters(number: int) -> str:
    """Write an integer in base 26, its sign in the lowest bit, the last digit in lower case."""
    rest, digit = divmod(2 * number if number >= 0 else -2 * number - 1, RADIX)
    letters = chr(ord("a") + digit)
    while rest:
        rest, digit = divmod(rest, RADIX)
        letters = chr(ord("A") + digit) + letters
    return letters
