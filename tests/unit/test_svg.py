"""The SVG of a figure: true to the figure, and quiet about everything else."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.transforms import IdentityTransform

from kl_book.explore.palette import PALETTE, VARIABLES
from kl_book.explore.svg import to_svg

ALT = 'A curve & its "shadow" <falling> from the left to the right.'
SVG = "{http://www.w3.org/2000/svg}"
NUMBER = re.compile(r"-?\d+\.\d+")

X = np.linspace(-3, 3, 40)


def curves() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(4, 3))
    axes = figure.subplots()
    axes.plot(X, np.exp(-(X**2)), color=PALETTE["p"].light)
    axes.plot(X, X / 5, "--o", color=PALETTE["q"].light)
    axes.fill_between(X, np.sin(X) / 3, color=PALETTE["d"].light, alpha=0.3, hatch="//")
    axes.imshow([[0, 1], [1, 0]], extent=(-2, -1, 0.2, 0.8), aspect="auto")
    axes.text(0, 0.5, r"$p_\theta(x)$ at 1.5")
    axes.set(xlabel="x & y", ylabel="density", xlim=(-3, 3), ylim=(-0.5, 1.1))
    return figure, axes


@pytest.fixture(scope="module")
def svg() -> str:
    return to_svg(curves()[0], alt=ALT)


# A corner of a polyline in hundredths of a pixel, and a shift too small to move its rounded place.
corners = st.tuples(st.integers(100, 14300), st.integers(100, 14300))
below_rounding = st.floats(-0.004, 0.004)


def outline(*polylines: np.ndarray, closing: bool = False, filled: bool = False) -> str:
    """Return the `d` of one path through all polylines; `closing` ends each with the command to close."""
    vertices = [[*polyline, polyline[0]] if closing else polyline for polyline in polylines]
    codes = [
        [Path.MOVETO, *[Path.LINETO] * (len(polyline) - 1), *[Path.CLOSEPOLY] * closing]
        for polyline in polylines
    ]
    path = Path(np.concatenate(vertices), np.concatenate(codes))
    figure = Figure(figsize=(2, 2))
    figure.add_artist(PathPatch(path, transform=IdentityTransform(), edgecolor="#123456", fill=filled))
    (drawn,) = (
        path for path in elements(to_svg(figure, alt=ALT), "path") if "#123456" in path.get("style", "")
    )
    return drawn.attrib["d"]


def elements(svg: str, tag: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter(SVG + tag))


def test_root_names_the_picture_and_scales_with_its_column(svg):
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    assert root.get("aria-label") == ALT
    assert root.get("viewBox") == "0 0 288 216"
    assert "width:100%;max-width:384px" in root.attrib["style"]
    assert not {"width", "height"} & root.attrib.keys()


@pytest.mark.parametrize(
    "waste", ["<?xml", "DOCTYPE", "metadata", "<style", "<!--", "xlink", "DejaVu", "Date"]
)
def test_nothing_but_the_picture(svg, waste):
    assert waste not in svg


def test_a_curve_lies_where_the_figure_has_it(svg):
    figure, axes = curves()
    figure.dpi = 72
    figure.draw_without_rendering()
    pixels = axes.transData.transform(np.column_stack([X, np.exp(-(X**2))]))
    pixels[:, 1] = 216 - pixels[:, 1]
    curve = next(path for path in elements(svg, "path") if "stroke:var(--kl-p" in path.get("style", ""))
    drawn = np.array(re.findall(r"-?[\d.]+", curve.attrib["d"]), dtype=float).reshape(-1, 2)
    # Matplotlib leaves out points that lie within 1/9 px of a straight line; the ends always stay.
    np.testing.assert_allclose(drawn[[0, -1]], pixels[[0, -1]], atol=0.00501)
    np.testing.assert_allclose(np.interp(drawn[:, 0], *pixels.T), drawn[:, 1], atol=0.12)


def test_coordinates_have_two_decimals(svg):
    numbers = [
        number
        for element in ElementTree.fromstring(svg).iter()
        for name, value in element.attrib.items()
        if name != "href"
        for number in NUMBER.findall(value)
    ]
    assert len(numbers) > 200
    assert all(len(number.partition(".")[2]) <= 2 and not number.endswith("0") for number in numbers)


@given(st.lists(corners, min_size=1, max_size=6), below_rounding, below_rounding, st.booleans())
def test_a_closed_polyline_is_written_in_one_way(places, right, up, filled):
    polygon = np.array(places) / 100
    assume(places[-1] != places[0] or len(places) == 1)
    ending = np.vstack([polygon, polygon[0] + [right, up]])
    closed = outline(polygon, closing=True, filled=filled)
    assert outline(ending, filled=filled) == closed
    assert outline(ending, closing=True, filled=filled) == closed
    assert closed.endswith("z")
    assert len(re.findall(r"[\d.]+", closed)) == polygon.size


@given(st.lists(corners, min_size=2, max_size=6), st.booleans())
def test_an_open_polyline_stays_open(places, filled):
    assume(places[-1] != places[0])
    drawn = outline(np.array(places) / 100, filled=filled)
    assert "z" not in drawn
    assert len(re.findall(r"[\d.]+", drawn)) == 2 * len(places)


def test_each_part_of_a_path_closes_by_itself():
    triangle = np.array([[10, 20], [30, 20], [20, 40.0]])
    ring = np.vstack([triangle, triangle[0] + 0.001])
    assert (
        outline(ring, triangle + 50, ring + 20)
        == "M10 124L30 124 20 104zM60 74L80 74 70 54M30 104L50 104 40 84z"
    )


def test_a_curve_that_ends_where_it_began_is_closed():
    vertices = [[10, 20], [40, 20], [10.001, 20]]
    figure = Figure(figsize=(2, 2))
    path = Path(vertices, [Path.MOVETO, Path.CURVE3, Path.CURVE3])
    figure.add_artist(PathPatch(path, transform=IdentityTransform(), fill=False))
    assert ' d="M10 124Q40 124 10 124z"' in to_svg(figure, alt=ALT)


@pytest.mark.parametrize(("colour", "variable"), VARIABLES.items())
def test_colours_of_the_book_are_variables_with_fallbacks(colour, variable):
    figure = Figure(figsize=(2, 2), facecolor="#123456", edgecolor="#123456")
    figure.text(0.5, 0.5, "word", color=colour)
    figure.add_artist(mpl.lines.Line2D([0, 1], [0, 1], color=colour))
    svg = to_svg(figure, alt=ALT)
    assert f"stroke:var({variable},{colour})" in svg
    assert "fill:#123456" in svg
    if colour != "#000000":
        assert f"fill:var({variable},{colour})" in svg


def test_black_text_inherits_the_ink(svg):
    figure = Figure(figsize=(2, 2))
    figure.text(0.5, 0.5, "word", color="black")
    (text,) = elements(to_svg(figure, alt=ALT), "text")
    assert "fill" not in text.attrib["style"]
    assert f"fill:var(--kl-ink,{PALETTE['ink'].light})" in ElementTree.fromstring(svg).attrib["style"]


def test_text_is_text_in_reading_order(svg):
    texts = ["".join(text.itertext()).replace("\xa0", " ") for text in elements(svg, "text")]
    assert "x & y" in texts
    assert "pθ(x) at 1.5" in texts
    assert "−2" in texts


def test_letters_of_a_word_run_on_and_the_rest_keeps_its_place(svg):
    spans = [span.text for span in elements(svg, "tspan")]
    assert {"at", "1.5", "(", ")"} <= set(spans)


@pytest.mark.parametrize(
    ("label", "spans"),
    [
        ("p_θ", [("θ", True)]),
        ("D(p_⋆‖p_θ) of kl_lib", [("θ", True), (") of kl_lib", False)]),
        ("kl_lib", []),
    ],
)
def test_an_index_stands_lower_and_what_follows_does_not(label, spans):
    figure = Figure(figsize=(4, 2))
    figure.text(0.1, 0.5, label)
    (text,) = elements(to_svg(figure, alt=ALT), "text")
    assert "".join(text.itertext()).replace("\xa0", " ") == label.replace("_θ", "θ")
    shifts = [
        (span.text, span.attrib["dy"]) for span in elements(ElementTree.tostring(text, "unicode"), "tspan")
    ]
    assert [(words.replace("\xa0", " "), not dy.startswith("-")) for words, dy in shifts] == spans


def test_every_reference_resolves_within_the_picture(svg):
    ids = re.findall(r' id="([^"]+)"', svg)
    references = set(re.findall(r"url\(#([^)]+)\)", svg)) | set(re.findall(r'href="#([^"]+)"', svg))
    assert len(ids) == len(set(ids))
    assert set(ids) == references
    assert {name.split("-")[2] for name in ids} == {"clipPath", "pattern", "path"}


def test_figures_on_one_page_share_no_id(svg):
    figure, axes = curves()
    axes.set_title("another")
    other = to_svg(figure, alt=ALT)
    assert not set(re.findall(r' id="([^"]+)"', svg)) & set(re.findall(r' id="([^"]+)"', other))


def test_an_image_is_embedded_whole(svg):
    (image,) = elements(svg, "image")
    assert re.fullmatch(r"data:image/png;base64,[A-Za-z0-9+/]+=*", image.attrib["href"])


def test_settings_of_the_reader_do_not_matter_and_are_left_alone(svg):
    with mpl.rc_context({"svg.fonttype": "path", "savefig.bbox": "tight", "savefig.facecolor": "red"}):
        assert to_svg(curves()[0], alt=ALT) == svg
        assert mpl.rcParams["svg.fonttype"] == "path"
