"""Explorable figures: refused where malformed, every frame true to what Python draws, light, repeatable."""

from __future__ import annotations

import gzip
import itertools
import json
import math
import os
import re
import subprocess
import sys
from decimal import Decimal
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot, rc_context
from matplotlib.figure import Figure
from nbclient import NotebookClient

from kl_book import explore
from kl_book.explore import explorable
from kl_book.explore.assets import assets
from kl_book.explore.explorable import STACKED, WIDE
from kl_book.explore.frames import pack_path
from kl_book.explore.palette import PALETTE
from kl_book.explore.paths import number
from kl_book.explore.sliders import parse_sliders
from kl_book.explore.svg import to_svg
from kl_book.explore.widget import VIEW, live_box

ALT = "Two curves, one of which widens as the standard deviation grows."
SVG = re.compile(r"<svg.*?</svg>", re.DOTALL)
X = np.linspace(-4, 4, 60)


def draw(sigma: float = 1.0, **_: Any) -> Figure:
    figure = Figure(figsize=(4, 2.5))
    axes = figure.subplots()
    axes.plot(X, np.exp(-(X**2) / 2 / sigma**2) / sigma, color=PALETTE["p"].light)
    return figure


def restless(mu: float, kind: str) -> tuple[Figure, str]:
    """Draw frames that differ in all they can: ticks, pieces, words, colours, what is there at all."""
    figure = Figure()
    axes = figure.subplots()
    height = np.cos(X * mu)
    axes.fill_between(X, height, where=height > 0, color=PALETTE["d"].light, alpha=0.3, hatch="//")
    axes.plot(X, height * mu, color=PALETTE["q"].light if kind == "bold" else PALETTE["p"].light)
    axes.plot(X, X * 0 + (9 if mu > 1.5 else 0), marker="o" if kind == "bold" else "")
    axes.set_title(rf"{kind} & <{mu}> 'quoted' \"{kind}\" $\mu={mu}$")
    axes.set_ylim(-2, 2)
    axes.set_xlim(-mu, 2 * mu)
    return figure, f"{kind} at <{mu}> & more"


# ---- What is refused ----


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"draw": "curve"}, TypeError, r"draw must be a function .* got 'curve'"),
        ({"alt": "too short"}, ValueError, r"alt .* at least 40 characters, got 'too short'"),
        ({"alt": " " * 60}, ValueError, r"alt .* at least 40 characters"),
        ({"alt": None}, ValueError, r"alt .* got None"),
        ({"sigma": 3}, TypeError, r"sigma must be \(start, stop, step\).* got 3"),
        ({"sigma": (0, 1)}, TypeError, r"sigma must be .* got \(0, 1\)"),
        ({"sigma": (0, 1, 0.1, 0.5, 7)}, TypeError, r"sigma must be"),
        ({"sigma": ("0", 1, 0.1)}, TypeError, r"sigma: start must be a number, got '0'"),
        ({"sigma": (0, True, 0.1)}, TypeError, r"sigma: stop must be a number, got True"),
        ({"sigma": (0, 1, 1j)}, TypeError, r"sigma: step must be a number, got 1j"),
        ({"sigma": (0, 1, 0.1, "0")}, TypeError, r"sigma: initial must be a number, got '0'"),
        ({"sigma": (0, np.inf, 0.1)}, ValueError, r"sigma: stop must be finite, got inf"),
        ({"sigma": (np.nan, 1, 0.1)}, ValueError, r"sigma: start must be finite, got nan"),
        ({"sigma": (2, 1, 0.1)}, ValueError, r"sigma: start must lie below stop, got start 2 and stop 1"),
        ({"sigma": (1, 1, 0.1)}, ValueError, r"sigma: start must lie below stop"),
        ({"sigma": (0, 1, 0)}, ValueError, r"sigma: step must be positive .* got 0"),
        ({"sigma": (0, 1, -0.1)}, ValueError, r"sigma: step must be positive .* got -0.1"),
        ({"sigma": (0, 1, 2)}, ValueError, r"sigma: step must be .* at most stop - start = 1, got 2"),
        ({"sigma": (0, 1, 0.1, 1.5)}, ValueError, r"sigma: initial must lie between 0 and 1, got 1.5"),
        ({"sigma": []}, ValueError, r"sigma must hold at least one choice"),
        ({"sigma": [1, None]}, TypeError, r"sigma must hold strings or finite numbers, got None"),
        ({"sigma": [1, np.nan]}, TypeError, r"sigma must hold strings or finite numbers, got nan"),
        ({"sigma": ["a", "b", "a"]}, ValueError, r"sigma must hold choices that read differently"),
        ({"sigma": (0, 20, 1), "mu": (0, 19, 1)}, ValueError, r"at most 400 frames, got 420"),
        ({"sigma": (0, 1e12, 1e-3)}, ValueError, r"at most 400 frames, got 1000000000000001"),
        ({"draw": lambda: None}, TypeError, r"draw must return a matplotlib Figure.* got None"),
        ({"draw": lambda: (Figure(), 3)}, TypeError, r"draw must return .* and a summary"),
        ({"draw": lambda: (Figure(), "two\nlines")}, TypeError, r"draw must return .* one line"),
        ({"draw": lambda: (Figure(), "one", "two")}, TypeError, r"draw must return"),
        (
            {"draw": lambda n: (Figure(), "one") if n else Figure(), "n": [0, 1]},
            TypeError,
            r"a summary with every figure or with none",
        ),
    ],
)
def test_bad_input_is_named(arguments, error, words):
    arguments = {"draw": draw, "alt": ALT} | arguments
    with pytest.raises(error, match=words):
        explore(arguments.pop("draw"), **arguments)


# ---- Sliders ----


@pytest.mark.parametrize(
    ("name", "specification", "label", "labels", "initial"),
    [
        ("sigma", (0.5, 1.5, 0.25), "σ", ["0.50", "0.75", "1.00", "1.25", "1.50"], 2),
        ("mu_q", (-1, 1, 1), "μ q", ["−1", "0", "1"], 1),
        ("lambda_", (0.1, 0.7, 0.2, 0.6), "λ", ["0.1", "0.3", "0.5", "0.7"], 2),
        ("sample_size", (0, 1, 0.3), "sample size", ["0.0", "0.3", "0.6", "0.9"], 2),
        ("h", (-2e-12, 1e-12, 1e-12), "h", ["−2e−12", "−1e−12", "0", "1e−12"], 1),
        ("family", ["normal", "Laplace"], "family", ["normal", "Laplace"], 0),
        ("n", [10, 0.5, -3], "n", ["10", "0.5", "−3"], 0),
    ],
)
def test_slider_values_and_names(name, specification, label, labels, initial):
    (slider,) = parse_sliders({name: specification})
    assert (slider.label, slider.labels, slider.initial) == (label, labels, initial)


def test_values_are_round_numbers_and_integers_stay_integers():
    sliders = parse_sliders({"a": (0, 0.5, 0.1), "n": (np.int64(2), 8, 3)})
    assert sliders[0].values == (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
    assert [type(value) for value in sliders[1].values] == [int, int, int]


@st.composite
def decimal_ranges(draw: st.DrawFn) -> tuple[Decimal, Decimal, int]:
    """Return a start and a step of at most four digits each, and how many steps there are."""
    places = draw(st.integers(0, 4))
    step = Decimal(draw(st.integers(1, 9999))).scaleb(-places)
    count = draw(st.integers(1, 60))
    crossing = draw(st.integers(0, count))  # ranges that pass zero are the hard ones
    start = draw(st.sampled_from([-crossing * step, Decimal(draw(st.integers(-9999, 9999))).scaleb(-places)]))
    return start, step, count


@given(decimal_ranges())
def test_labels_are_the_exact_decimals_of_the_range(case):
    start, step, count = case
    (slider,) = parse_sliders({"x": (float(start), float(start + count * step), float(step))})
    exact = [start + k * step for k in range(count + 1)]
    assert slider.values == tuple(float(value) + 0.0 for value in exact)
    assert not any(math.copysign(1, value) < 0 for value in slider.values if value == 0)
    if not any("e" in label for label in slider.labels):
        assert [Decimal(label.replace("−", "-")) for label in slider.labels] == exact
        assert len({len(label.partition(".")[2]) for label in slider.labels}) == 1
        assert not any(re.fullmatch(r"−0(\.0*)?", label) for label in slider.labels)


@pytest.mark.parametrize(
    ("specification", "zero"),
    [((-0.9, 0.9, 0.3), "0.0"), ((-1, 1, 1 / 3), "0.000000"), ((-2, 2, 0.4), "0.0")],
)
def test_zero_has_no_sign(specification, zero):
    (slider,) = parse_sliders({"x": specification})
    assert zero in slider.labels


# ---- Frames ----


def unpack_path(packed: str) -> str:
    """Undo `pack_path`, in another way than the site's script does."""
    shape, *axes = packed.split(":")
    coordinates = []
    for axis in axes:
        codes = [np.array([ord(c.upper()) - 65 for c in word]) for word in re.findall("[A-Z]*[a-z]", axis)]
        values = np.array([np.polyval(code, 26) for code in codes], dtype=int)
        values = np.where(values % 2, -(values + 1) // 2, values // 2)
        for _ in range(int(axis[0])):
            values = np.cumsum(values)
        coordinates.append(values / 100)
    points = iter(zip(*coordinates, strict=True))
    return "".join(
        command + " ".join(f"{number(x)} {number(y)}" for x, y in itertools.islice(points, int(count or 0)))
        for command, count in re.findall(r"([A-Za-z])(\d*)", shape)
    )


hundredths = st.integers(-1_000_000, 1_000_000).map(lambda value: number(value / 100))
point = st.tuples(hundredths, hundredths).map(" ".join)
step = st.one_of(
    st.lists(point, min_size=1, max_size=8).map(lambda points: "L" + " ".join(points)),
    st.tuples(point, point).map(lambda points: "Q" + " ".join(points)),
    st.just("z"),
    point.map("M{}".format),
)


@given(st.tuples(point, st.lists(step, max_size=5)))
def test_a_packed_path_unpacks_to_itself(path):
    text = f"M{path[0]}" + "".join(path[1])
    assert unpack_path(pack_path(text)) == text


def frame_data(html: str) -> dict[str, Any]:
    return json.loads(unescape(re.search(r"data-frames='([^']*)'", html)[1]))


def apply_frame(svgs: list[str], data: dict[str, Any], frame: int) -> list[ElementTree.Element]:
    """Change the SVGs shown first into those of another frame, as the script does."""
    faces = [ElementTree.fromstring(svg.replace(' xmlns="http://www.w3.org/2000/svg"', "")) for svg in svgs]
    for (face, *path), name, values, frames in data["columns"]:
        element, value = faces[face], values[frames[frame]]
        for index in path:
            element = element[index]
        if name == "":
            value = re.sub(r'(?<= d=")[^"]*', lambda match: unpack_path(match[0]), value)
            inner = ElementTree.fromstring(f"<{element.tag}>{value}</{element.tag}>")
            element.text, element[:] = inner.text, list(inner)
        elif value is None:
            element.attrib.pop(name)
        else:
            element.set(name, unpack_path(value) if name == "d" else value)
    return faces


def canonical(svg: str) -> str:
    """Return an SVG without what cannot be seen: order of attributes, namespace, prefix of ids."""
    svg = re.sub(r"kl-[0-9a-f]{8}-(stacked-)?|kl-figure-id-", "", svg).replace(
        ' xmlns="http://www.w3.org/2000/svg"', ""
    )
    return ElementTree.canonicalize(svg, strip_text=True)


def test_every_frame_is_what_python_draws():
    html = explore(restless, alt=ALT, mu=(0.5, 3.0, 0.5), kind=["plain", "bold"]).html
    svgs, data = SVG.findall(html), frame_data(html)
    grid = itertools.product(np.arange(0.5, 3.01, 0.5).tolist(), ["plain", "bold"])
    for frame, (mu, kind) in enumerate(grid):
        decoded = apply_frame(svgs, data, frame)
        for (_, size), face in zip((WIDE, STACKED), decoded, strict=True):
            with rc_context({"figure.figsize": size}):
                figure, summary = restless(mu, kind)
            assert canonical(ElementTree.tostring(face, encoding="unicode")) == canonical(
                to_svg(figure, alt=ALT)
            )
            assert data["summaries"][frame] == summary


def test_only_what_changes_is_stored():
    html = explore(draw, alt=ALT, sigma=(0.8, 1.2, 0.1)).html
    data = frame_data(html)
    changed = {(name, tuple(path)) for path, name, *_ in data["columns"]}
    assert {name for name, _ in changed} <= {"d", "y", ""}
    assert frame_data(explore(lambda **_: draw(), alt=ALT, n=[1, 2, 3]).html)["columns"] == []


def test_a_figure_of_41_frames_and_three_curves_is_light():
    x = np.linspace(-5, 5, 200)

    def three(sigma: float) -> Figure:
        figure = Figure(figsize=(5.6, 3.4))
        axes = figure.subplots()
        for shift in (0, 1, sigma):
            axes.plot(x, np.exp(-((x - shift) ** 2) / 2 / (sigma + shift) ** 2))
        return figure

    html = explore(three, alt=ALT, sigma=(0.5, 2.5, 0.05)).html
    assert len(gzip.compress(html.encode(), 9)) < 20_000


def test_the_script_is_small_and_needs_nothing():
    script = assets()["explore.js"]
    assert len(gzip.compress(script.encode(), 9)) < 2900
    assert not re.search(r"\b(import|require|fetch|eval|Function)\b", script)


# ---- The faces ----


class Tags(HTMLParser):
    """Collects the opening tags of a document."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_a_still_figure_has_three_plain_faces():
    bundle = explore(draw, alt=ALT)._repr_mimebundle_()
    assert list(bundle) == ["text/html", "image/svg+xml", "text/plain"]
    assert bundle["image/svg+xml"] == to_svg(draw(), alt=ALT)
    assert bundle["text/plain"] == ALT
    tags = Tags(bundle["text/html"]).tags
    assert tags[0] == ("figure", {"class": "kl-figure"})
    assert not {"input", "select", "button", "script", "style"} & {tag for tag, _ in tags}


@pytest.mark.parametrize("sliders", [{}, {"n": [1, 2]}])
def test_a_drawing_that_follows_the_default_size_is_stacked_for_a_phone(sliders):
    tags = Tags(explore(lambda **_: Figure(), alt=ALT, **sliders).html).tags
    assert tags[0][1]["class"] == "kl-figure kl-two-faced"
    widths = [attributes["viewbox"].split()[2] for tag, attributes in tags if tag == "svg"]
    assert widths == ["460.8", "244.8"]
    (stacked,) = (attributes for _, attributes in tags if "kl-stacked" in attributes.get("class", ""))
    assert "hidden" in stacked, "without a style sheet both would show"


@pytest.mark.parametrize("sliders", [{}, {"n": [1, 2]}])
def test_a_drawing_with_a_size_of_its_own_has_one_face(sliders):
    tags = Tags(explore(lambda **_: Figure(figsize=(5, 2)), alt=ALT, **sliders).html).tags
    assert tags[0][1]["class"] == "kl-figure"
    assert [tag for tag, _ in tags].count("svg") == 1


def test_the_faces_share_no_id():
    html = explore(restless, alt=ALT, mu=(0.5, 2.5, 0.5), kind=["plain", "bold"]).html
    pictures = html[html.index("<svg") :]  # not the frames, where an id may come again
    ids = re.findall(r' id="(kl-[^"]*)"', pictures)
    assert len(ids) == len(set(ids)) > 4


def test_the_reader_s_own_default_size_changes_nothing():
    before = explore(lambda: Figure(), alt=ALT).html
    with rc_context({"figure.figsize": (9, 9)}):
        assert explore(lambda: Figure(), alt=ALT).html == before


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("ELBO -1.504, from -.5 to -∞", "ELBO −1.504, from −.5 to −∞"),
        ("one-mode normal N(-2, 1e-05), 3-4 of them", "one-mode normal N(−2, 1e-05), 3-4 of them"),
    ],
)
def test_numbers_of_a_summary_have_the_minus_sign_of_the_figure(written, shown):
    html = explore(lambda: (Figure(), written), alt=ALT).html
    assert f'<p class="kl-summary">{shown}</p>' in html


def test_a_moving_figure_carries_controls_hidden_until_they_work():
    html = explore(restless, alt=ALT, mu=(1, 2, 0.5), kind=["plain", "bold"]).html
    tags = Tags(html).tags
    assert ("div", {"class": "kl-controls", "style": "display:none"}) in tags
    (slider,) = (attributes for tag, attributes in tags if tag == "input")
    assert (slider["min"], slider["max"], slider["value"]) == ("0", "2", "1")
    assert slider["aria-valuetext"] == "μ = 1.5"
    assert [tag for tag, _ in tags].count("option") == 2
    assert '<p class="kl-summary" aria-live="polite">plain at &lt;1.5&gt; &amp; more</p>' in html
    assert not {"script", "style"} & {tag for tag, _ in tags}


@pytest.mark.parametrize(
    ("sliders", "playable"),
    [({"a": (0, 1, 0.5)}, True), ({"a": (0, 1, 1), "b": (0, 1, 1)}, False), ({"a": ["x"]}, False)],
)
def test_one_range_can_be_played(sliders, playable):
    html = explore(lambda **_: draw(), alt=ALT, **sliders).html
    assert ("kl-play" in html) == playable
    assert "kl-reset" in html


def test_names_in_markup_are_escaped():
    html = explore(lambda **_: draw(), alt=ALT + "<'\"&>", mu_q=(0, 1, 1), kind=["<b>", "&"]).html
    assert "μ<sub>q</sub>" in html
    assert "<option>&lt;b&gt;</option><option>&amp;</option>" in html
    assert Tags(html).tags[2][1]["aria-label"] == ALT + "<'\"&>"


def test_where_svg_is_stripped_an_image_of_the_first_frame_remains():
    figure = explore(draw, alt=ALT, sigma=(0.5, 1.5, 0.5))
    image = next(attributes for tag, attributes in Tags(figure.html).tags if tag == "img")
    assert image["alt"] == ALT
    assert canonical(unquote(image["src"].partition(",")[2])) == canonical(figure.svg)


def test_two_processes_write_the_same_bytes():
    program = (
        "import sys, numpy as np; from matplotlib.figure import Figure; from kl_book import explore\n"
        "def draw(n):\n"
        "    figure = Figure(); axes = figure.subplots(); axes.plot(np.arange(n) ** 0.5, 'o-')\n"
        "    axes.bar([1], [2], hatch='x'); return figure, f'{n} points'\n"
        f"print(explore(draw, alt={ALT!r}, n=(2, 5, 1)).html)"
    )
    first, second = (
        subprocess.check_output([sys.executable, "-c", program], env=os.environ | {"PYTHONHASHSEED": seed})
        for seed in ("1", "2")
    )
    assert b"data-frames" in first
    assert first == second


def test_no_figure_stays_open():
    def with_pyplot(n: int) -> Figure:
        figure, axes = pyplot.subplots()
        axes.plot([0, n])
        return figure

    explore(with_pyplot, alt=ALT, n=(1, 30, 1))
    assert pyplot.get_fignums() == []


# ---- The live face ----


def test_live_controls_call_python_off_the_grid():
    figure = explore(restless, alt=ALT, mu=(0.5, 2.5, 0.5), kind=["plain", "bold"])
    mu, kind, picture = live_box(figure.render, figure.sliders).children
    assert (mu.description, mu.value, mu.min, mu.max) == ("μ", 1.5, 0.5, 2.5)
    assert picture.value == figure.render(mu=1.5, kind="plain")
    mu.value = 1.825
    kind.value = "bold"
    assert picture.value == figure.render(mu=1.825, kind="bold")
    assert canonical(SVG.search(picture.value)[0]) == canonical(to_svg(restless(1.825, "bold")[0], alt=ALT))


@given(decimal_ranges(), st.integers(0, 19), st.data())
def test_a_live_slider_shows_and_draws_the_exact_value(case, fine, data):
    start, step, count = case
    (slider,) = parse_sliders({"x": (float(start), float(start + count * step), float(step))})
    drawn = []
    control, _ = live_box(lambda x: drawn.append(x) or "", [slider]).children
    exact = start + step * data.draw(st.integers(0, count - 1)) + step * fine / 20
    # As the browser does it: steps of binary floating point, added to the start.
    steps = round((float(exact) - control.min) / control.step)
    control.value = control.min + steps * control.step
    assert drawn[-1] == float(exact)
    assert math.copysign(1, drawn[-1]) > 0 or exact < 0
    assert Decimal(format(drawn[-1], control.readout_format)) == exact


def test_live_sliders_of_integers_take_every_integer():
    figure = explore(lambda n: draw(n), alt=ALT, n=(10, 40, 10))
    slider, _ = live_box(figure.render, figure.sliders).children
    slider.value = 17
    assert (type(slider.value), slider.value, slider.step) == (int, 17, 1)


def test_the_live_view_comes_only_with_a_kernel(monkeypatch):
    figure = explore(draw, alt=ALT, sigma=(0.5, 1.5, 0.5))
    assert VIEW not in figure._repr_mimebundle_()
    monkeypatch.setattr(explorable, "kernel_runs", lambda: True)
    assert figure._repr_mimebundle_()[VIEW]["model_id"]
    assert VIEW not in explore(draw, alt=ALT)._repr_mimebundle_()


def test_under_a_kernel_the_live_view_joins_the_faces_that_are_stored():
    source = f"""
from matplotlib import pyplot
from kl_book import explore
def draw(n):
    figure, axes = pyplot.subplots()
    axes.plot([0, n])
    return figure, str(n)
explore(draw, alt={ALT!r}, n=(1, 3, 1))"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    NotebookClient(notebook, kernel_name="python3", store_widget_state=False).execute()
    (output,) = notebook.cells[0].outputs
    assert set(output.data) == {VIEW, "text/html", "image/svg+xml", "text/plain"}
