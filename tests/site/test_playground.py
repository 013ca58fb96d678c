"""The playground: its numbers against kl_lib, its handles by mouse and keyboard, its address, its games."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from katex import node_command
from oracles.mixtures import reverse_minima
from playground import MAIN, PACK
from playwright.sync_api import expect
from scipy import stats

from kl_book.figures.playground import mixture
from kl_lib import fit_forward_kl, kl_divergence
from kl_lib.families import Normal

PAGE = "book/playground.html"
SEED = 20260101
CHUNKS = 6
FIGURE = "document.querySelector('.kl-playground')"
SOLVE = f"""(addresses) => addresses.map((address) => {{
  const {{line, ...fits}} = {FIGURE}.solve(address);
  return fits;
}})"""
FOLDS = [
    2.40,
    2.41,
    2.4128,
    2.42,
    2.45,
    2.6,
    2.79,
    2.7999,
    2.8,
    2.81,
]  # the fold at 2.412, the switch at 2.800


def configurations():
    """300 of them: random bumps, and equal ones near the fold and the switch."""
    rng = np.random.default_rng(SEED)
    found = [((0.5, -a, 1.0), (0.5, a, 1.0)) for a in FOLDS]
    while len(found) < 300:
        k = int(rng.integers(1, 6))
        columns = (
            rng.dirichlet(np.full(k, 2.0)),
            rng.uniform(-6, 6, k),
            np.exp(rng.uniform(np.log(0.3), np.log(3), k)),
        )
        if columns[0].min() > 0.02:
            found.append(tuple(zip(*(np.round(column, 4).tolist() for column in columns), strict=True)))
    return found


def address(bumps, **fields):
    return "&".join(
        [
            f"p={';'.join(','.join(map(str, bump)) for bump in bumps)}",
            *(f"{k}={v}" for k, v in fields.items()),
        ]
    )


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_its_fits_are_those_of_kl_lib(visit, chunk):
    page, cases = visit(PAGE), configurations()[chunk::CHUNKS]
    for bumps, fits in zip(cases, page.evaluate(SOLVE, [address(bumps) for bumps in cases]), strict=True):
        p, forward = mixture(bumps), fits["forward"]
        fit = fit_forward_kl(Normal(), p)
        assert forward["mean"] == pytest.approx(fit.theta[0], abs=1e-6)
        assert np.log(forward["width"]) == pytest.approx(fit.theta[1], abs=1e-6)
        if len(bumps) > 1:
            assert forward["value"] == pytest.approx(kl_divergence(p, fit.distribution, rtol=1e-6), abs=1e-6)
        found = np.array([[fit["value"], fit["mean"], fit["width"]] for fit in fits["reverse"]])
        expected = reverse_minima(bumps)
        assert len(found) == len(expected), (bumps, found, expected)
        np.testing.assert_allclose(found[:, 0], expected[:, 0], rtol=0, atol=1e-5)
        for row in expected:  # minima that tie come in any order
            assert np.abs(found - row).max(axis=1).min() < 1e-4
        value, mean, width = expected[0]
        assert value == pytest.approx(
            max(0.0, kl_divergence(stats.norm(mean, width), p, rtol=1e-3)), abs=1e-6
        )


def test_one_normal_and_cuts(visit):
    page = visit(PAGE)
    bumps = ((0.4, -2.0, 0.8), (0.6, 1.5, 1.2))
    cases = [
        address(bumps, mode="hand", q="0.5,2"),
        address(bumps, of="q", cut="-3,3", mode="hand", q="0.5,2"),
    ]
    plain, cut = page.evaluate(SOLVE, cases)
    p, q = mixture(bumps), stats.norm(0.5, 2)
    assert plain["mine"] == pytest.approx([kl_divergence(p, q), kl_divergence(q, p)], rel=1e-7)
    truncated = stats.truncnorm((-3 - 0.5) / 2, (3 - 0.5) / 2, 0.5, 2)
    assert cut["mine"] == [np.inf, pytest.approx(kl_divergence(truncated, p), rel=1e-7)]
    assert cut["forward"] is None


CUTS = ["of=q&cut=-3,3", "of=pq&cut=-3,3", "of=pq&cut=-9,0.5", "of=q&cut=2,9"]


@pytest.mark.parametrize("cut", ["", *CUTS])
def test_no_mean_has_less_than_the_least(visit, cut):
    cases = [f"{address(bumps)}&{cut}" for bumps in configurations()[::15]]
    for case, fits in zip(cases, visit(PAGE).evaluate(SOLVE, cases), strict=True):
        if fits["lost"]:
            continue
        values = [value for _, value in fits["landscape"]]
        assert np.isfinite(values).all()
        assert min(values) >= fits["reverse"][0]["value"] * (1 - 2e-3) - 1e-4, case


def test_what_a_cut_leaves_nothing_of_is_named(visit):
    page = visit(PAGE + "#p=0.5,-2,0.2;0.5,2,0.2&of=pq&cut=7,9")
    page.get_by_text("leaves next to nothing of p⋆").wait_for()
    assert "NaN" not in page.locator(".kl-live").inner_html()


def test_a_wide_or_narrow_model_of_fixed_width(visit):
    cases = [address(((1, 0, 1),), q=f"0,{width}") + "&fixed" for width in (0.1, 12)]
    for width, fits in zip((0.1, 12), visit(PAGE).evaluate(SOLVE, cases), strict=True):
        expected = kl_divergence(stats.norm(0, width), stats.norm(0, 1))
        assert [fit["value"] for fit in fits["reverse"]] == pytest.approx([expected], rel=1e-9)


def test_bins_lower_both_divergences(visit):
    page = visit(PAGE + "#" + address(((0.5, -2, 1), (0.5, 2, 1)), mode="hand", q="0,1.2", bins=8))
    summary = page.locator(".kl-playground .kl-summary").inner_text()
    edges = np.array([-np.inf, *np.linspace(-9, 9, 7), np.inf])
    p = np.diff(0.5 * (stats.norm.cdf(edges, -2, 1) + stats.norm.cdf(edges, 2, 1)))
    q = np.diff(stats.norm.cdf(edges, 0, 1.2))
    assert f"forward {np.sum(p * np.log(p / q)):.3f}, reverse {np.sum(q * np.log(q / p)):.3f}" in summary


def test_it_is_packed_where_npm_has_run_scripts(tmp_path):
    """That of esbuild puts a program in the place of a script."""
    modules = PACK.parent / "node_modules"
    for name in ("esbuild", "@esbuild"):
        shutil.copytree(modules / name, tmp_path / "node_modules" / name)
    node, script = node_command(PACK)[0], Path(shutil.copy(PACK, tmp_path))
    subprocess.run([node, tmp_path / "node_modules" / "esbuild" / "install.js"], check=True)
    subprocess.run([node, script, MAIN, tmp_path / "packed.js"], check=True)
    assert (tmp_path / "packed.js").stat().st_size > 10_000


def test_a_key_moves_a_handle_and_the_address(visit):
    page = visit(PAGE)
    handle = page.get_by_role("slider", name="Bump 1 of 2", exact=True)
    before = page.locator(".kl-playground .kl-summary").inner_text()
    handle.focus()
    for key in ("Shift+ArrowRight", "ArrowUp", "+"):
        page.keyboard.press(key)
    page.locator('[aria-valuetext="mean -1.912, weight 0.51, width 1.05"]').wait_for()
    expect(page).to_have_url(re.compile("-1.912,1.05"))
    assert page.locator(".kl-playground .kl-summary").inner_text() != before
    page.keyboard.press("Delete")
    page.get_by_role("slider", name="Bump 1 of 1", exact=True).wait_for()


def test_keys_in_a_row_change_the_address_once(visit):
    """A browser lets it change so many times a minute, and throws where it changes more often."""
    page = visit(PAGE)
    page.evaluate("""() => {
      const write = history.replaceState.bind(history);
      window.writes = 0;
      history.replaceState = (...given) => { window.writes++; write(...given); };
    }""")
    page.get_by_role("slider", name="Bump 1 of 2", exact=True).focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("p=0.5,-1.412,1;"))
    assert page.evaluate("window.writes") < 20


STEPS = """async (name) => {
  const handle = document.querySelector(`.kl-playground [aria-label="${name}"]`), times = [];
  for (let i = 0; i < 60; i++) {
    let start = 0;
    requestAnimationFrame(() => { start = performance.now(); });
    const key = i < 30 ? "ArrowRight" : "ArrowLeft";
    handle.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
    await new Promise((done) => requestAnimationFrame(() => {
      document.querySelector(".kl-picture").getBoundingClientRect();
      times.push(performance.now() - start);
      done();
    }));
  }
  return times;
}"""
NARROW = [(0.2, -6, 0.2), (0.2, -3, 0.2), (0.2, 0, 1), (0.2, 3, 1), (0.2, 6, 1)]


# Five narrow bumps want a fine grid.
@pytest.mark.parametrize(("bumps", "limit"), [([(0.5, -2.412, 1), (0.5, 2.412, 1)], 50), (NARROW, 100)])
def test_a_step_is_drawn_at_once_on_a_slow_machine(visit, slow_down, bumps, limit):
    page = visit(f"{PAGE}#{address(bumps)}")
    slow_down(page)
    slowest = [np.quantile(page.evaluate(STEPS, f"Bump 1 of {len(bumps)}"), 0.95) for _ in range(3)]
    assert min(slowest) < limit


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("path", [PAGE, "book/index.html"])
def test_the_key_names_no_curve_that_is_not_drawn(visit, path, scripts):
    expect(visit(path, java_script_enabled=scripts).locator(".kl-key.local")).to_be_hidden()


def test_the_key_names_the_other_minima_where_there_are_some(visit):
    two = address(((0.5, -3, 1), (0.5, 2, 1)))
    expect(visit(f"{PAGE}#{two}").locator(".kl-key.local")).to_be_visible()


@pytest.mark.parametrize("path", [PAGE, "book/index.html"])
def test_without_scripts_it_is_a_picture_that_fits_a_phone_and_says_so(visit, path):
    page = visit(path, viewport={"width": 360, "height": 740}, java_script_enabled=False)
    expect(page.locator(".kl-playground noscript p")).to_be_visible()
    picture = page.locator(".kl-playground .kl-picture")
    assert picture.evaluate("(picture) => picture.scrollWidth <= picture.clientWidth")
    scale = "(svg) => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width"
    size = "(word) => parseFloat(getComputedStyle(word).fontSize)"
    sizes = [word.evaluate(size) for word in picture.locator("text").all()]
    assert min(sizes) * picture.locator("svg").evaluate(scale) >= 11


def test_a_finger_drags_a_bump(visit):
    page = visit(PAGE, viewport={"width": 390, "height": 844}, has_touch=True)
    box = page.get_by_role("slider", name="Bump 2 of 2", exact=True).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 20, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile("#p="))
    bumps = page.evaluate(f"{FIGURE}.state.p")
    assert bumps[1]["mean"] > 3.5
    assert bumps[1]["weight"] < 0.5
    assert sum(bump["weight"] for bump in bumps) == pytest.approx(1, abs=1e-12)


def test_two_fingers_widen_a_bump_and_leave_the_page_as_it_is(visit):
    page = visit(PAGE, viewport={"width": 390, "height": 844}, has_touch=True)
    handle = page.get_by_role("slider", name="Bump 1 of 2", exact=True)
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session, top = page.context.new_cdp_session(page), page.evaluate("scrollY")
    for kind, ends in (
        ("touchStart", [0]),
        ("touchStart", [0, 60]),
        ("touchMove", [0, 90]),
        ("touchEnd", []),
    ):
        points = [{"x": x + end, "y": y, "id": i} for i, end in enumerate(ends)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.locator('[aria-label="Bump 1 of 2"][aria-valuetext$="width 1.5"]').wait_for()
    assert page.evaluate("[scrollY, visualViewport.scale]") == [top, 1]


@pytest.mark.parametrize(
    ("fields", "notice"),
    [
        ("p=what", "one to five bumps"),
        ("p=0,1,1;0,2,1", "a weight must be at least"),
        ("p=1,0,0.001", "a width must be from 0.2 to 4"),
        ("p=1,99,1", "a mean must be from"),
        ("p=1,NaN,1", "one to five bumps"),
        ("p=1,0,1&q=1", "“q” is not 2 numbers"),
        ("p=1,0,1&of=p&cut=3,-3", "in order"),
        ("p=1,0,1&mode=none", "“mode” must be fits, hand, find, shape"),
        ("p=1,0,1&bins=7", "4, 8, 16, 32"),
        ("p=1,0,1&seed=one", "a whole number"),
        ("p=1,0,1&fixed=one", "“fixed” must be"),
        ("p=1,0,1&x=1", "there is no “x”"),
        ("%E0%A4%A", None),
        ("p=.5,0,.2;.5,0,4&fixed&q=9,0.1", None),
        ("p=.5,6,.2;.5,-6,.2&of=q&cut=-9,9&bins=4", None),
        ("p=.5,1,1;.5,1,1", None),
    ],
)
def test_an_address_without_sense_gives_a_sane_figure(visit, fields, notice):
    page = visit(f"{PAGE}#{fields}", viewport={"width": 320, "height": 640})
    page.wait_for_function(f"{FIGURE}.fits")
    shown = page.locator(".kl-playground .kl-notice")
    assert (notice in shown.inner_text()) if notice else shown.is_hidden()
    picture = page.locator(".kl-live").inner_html()
    assert "NaN" not in picture
    assert "undefined" not in picture
    assert "forward" in page.locator(".kl-playground .kl-summary").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.locator(".kl-playground .kl-picture").evaluate("box => box.scrollWidth <= box.clientWidth")


@pytest.mark.parametrize(
    "fields",
    ["p=0.3,-2,0.7;0.7,2,1", "p=0.5,-1,1;0.5,1,1&of=p&cut=-2,3&mode=hand&q=0,2", "p=1,0.5,1.5&fixed&q=0,1"],
)
def test_its_python_computes_what_is_on_the_screen(visit, fields):
    page = visit(f"{PAGE}#{fields}")
    page.get_by_role("button", name="Copy as Python").click()
    text = page.locator(".kl-playground pre").inner_text()
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", text], capture_output=True, text=True, check=True
    )
    fits = page.evaluate(SOLVE, [fields])[0]
    printed = sorted(float(line.split(":")[1].split()[0]) for line in done.stdout.splitlines())
    own = [value for value in fits["mine"] if np.isfinite(value)] if "hand" in fields else []
    shown = sorted([*own, fits["forward"]["value"], *(fit["value"] for fit in fits["reverse"])])
    assert printed == pytest.approx(shown, abs=1e-6)


def test_the_hidden_truth_is_found_by_its_number(visit):
    page = visit(f"{PAGE}#seed=7&mode=find&q=3,1")
    assert page.locator(".kl-live .p").count() == 0
    assert "after 0 moves" in page.locator(".kl-playground .kl-summary").inner_text()
    page.get_by_role("slider", name="Your normal", exact=True).press("ArrowLeft")
    page.get_by_text("after 1 move.").wait_for()
    page.get_by_role("button", name="Check").click()
    page.get_by_text("After 1 move yours is").wait_for()
    assert page.locator(".kl-live .p").count() > 0


def test_without_scripts_the_first_truth_stands_still(visit):
    page = visit(PAGE, java_script_enabled=False)
    assert page.locator(".kl-playground .kl-picture svg[role=img]").is_visible()
    assert "forward 0.288" in page.locator(".kl-playground .kl-summary").inner_text()
    assert page.locator(".kl-playground .kl-controls").is_hidden()


def test_every_preset_is_shown_by_its_link(visit):
    page = visit(PAGE)
    links = page.locator('article li a[href^="#p="]')
    assert links.count() == 6
    for link in links.all():
        link.click()
        page.wait_for_url(f"**/playground.html{link.get_attribute('href')}")
        sentence = page.locator(".kl-playground .kl-notice").get_by_text(link.inner_text(), exact=True)
        sentence.wait_for()
        expect(page.locator(".kl-live")).to_be_in_viewport(ratio=1)
    page.get_by_role("slider", name="Bump 1 of 1", exact=True).press("ArrowLeft")
    sentence.wait_for(state="hidden")


def test_its_figure_fits_the_narrowest_window(visit):
    page = visit(PAGE, viewport={"width": 320, "height": 640})
    for handle in page.get_by_role("slider").all():
        box = handle.locator(".knob").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320
    assert page.locator(".kl-playground .kl-picture").evaluate("(box) => box.scrollWidth <= box.clientWidth")


def test_its_script_is_small(site):
    script = (site.folder / "_static" / "playground.js").read_bytes()
    assert len(gzip.compress(script, 9)) <= 12_000


@pytest.mark.parametrize(
    ("chapter", "figure", "p"),
    [
        ("probabilistic-learning", "fig-areas", [(0.65, -1.2, 0.5), (0.35, 2, 0.8)]),
        ("reverse-kl", "fig-landscape", [(0.5, -2.6, 1), (0.5, 2.6, 1)]),
    ],
)
def test_a_figure_of_a_chapter_is_dragged_from_where_it_stands(visit, chapter, figure, p):
    page = visit(f"book/{chapter}.html")
    names = page.locator(f"#{figure} input[name]").evaluate_all("(all) => all.map((one) => one.name)")
    stands = [page.locator(f"#{figure} input[name={name}]").get_attribute("aria-valuetext") for name in names]
    page.get_by_role("link", name="Drag it yourself").click()
    page.wait_for_url("**/playground.html#**")
    page.wait_for_function(f"{FIGURE}.fits")
    state = page.evaluate(f"{FIGURE}.state")
    assert [(bump["weight"], bump["mean"], bump["width"]) for bump in state["p"]] == p
    shown = [state["q"]["mean"], state["q"]["width"]] if len(names) == 2 else [state["p"][1]["mean"]]
    assert [float(value.rpartition("= ")[2]) for value in stands] == shown
    assert page.locator(".kl-playground .kl-notice").is_hidden()
