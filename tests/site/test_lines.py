"""Lines: as long as is read with ease, and none that begins with a mark."""

from __future__ import annotations

import statistics

import pytest

WIDTHS = (320, 360, 390, 430, 480, 560, 640, 768, 1024, 1280)
# In these windows all boxes are as wide as in one of those.
SAME = {900: 1024, 1200: 1280, 1400: 1280}

# What a closing mark or a dash begins when nothing of its block stands to its left.
BROKEN = """() => {
  const found = [];
  const blocks = "p, li, td, dd, dt, h1, h2, h3, summary, figcaption";
  const walker = document.createTreeWalker(document.querySelector("article"), NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  const edges = new Map();
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const element = node.parentElement;
    if (element.closest("pre, code, svg, .katex, template")) continue;
    const block = element.closest(blocks);
    if (!block) continue;
    for (const mark of node.data.matchAll(/[.,;:!?)\\]’”–—…]/g)) {
      range.setStart(node, mark.index);
      range.setEnd(node, mark.index + 1);
      const { left, width } = range.getBoundingClientRect();
      if (!width) continue;
      if (!edges.has(block)) {
        const style = getComputedStyle(block);
        edges.set(block, block.getBoundingClientRect().left + parseFloat(style.paddingLeft));
      }
      const first = block.textContent.trimStart().startsWith(node.data.slice(mark.index).trimEnd());
      if (left < edges.get(block) + 2 && !first) found.push(node.data.slice(Math.max(0, mark.index - 9)));
    }
  }
  return found;
}"""

BOX_WIDTHS = "[...document.querySelectorAll('article *')].map((box) => box.clientWidth).join()"

# The characters of the full lines of long paragraphs of nothing but text.
LENGTHS = """() => {
  const lengths = [];
  for (const p of document.querySelectorAll("article section > p")) {
    if (p.children.length || p.textContent.length < 200) continue;
    const range = document.createRange();
    const lines = new Map();
    for (let i = 0; i < p.firstChild.length; i++) {
      range.setStart(p.firstChild, i);
      range.setEnd(p.firstChild, i + 1);
      const top = Math.round(range.getBoundingClientRect().top);
      lines.set(top, (lines.get(top) || 0) + 1);
    }
    lengths.push(...[...lines.values()].slice(0, -1));
  }
  return lengths;
}"""


def test_no_line_begins_with_a_mark(page):
    page.evaluate("document.querySelectorAll('article details').forEach((fold) => { fold.open = true })")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(BROKEN) == [], width


@pytest.mark.parametrize(("width", "tried"), SAME.items())
def test_other_windows_have_lines_of_the_same_width(visit, width, tried):
    page = visit("book/old-faithful.html", viewport={"width": width, "height": 900})
    widths = page.evaluate(BOX_WIDTHS)
    page.set_viewport_size({"width": tried, "height": 900})
    assert page.evaluate(BOX_WIDTHS) == widths


def test_a_line_holds_66_to_72_characters(visit):
    page = visit("book/forward-kl.html")
    assert 66 <= statistics.mean(page.evaluate(LENGTHS)) <= 72


WIDTH = """(family) => {
  const line = document.createElement("span");
  line.style = `font: 40px "${family}"; white-space: nowrap; position: absolute`;
  line.textContent = "What happens to the surface as the data grow? It settles, and can be computed.";
  document.body.append(line);
  return document.fonts.load(`40px "${family}"`).then(() => line.getBoundingClientRect().width);
}"""


def test_what_stands_in_for_the_face_is_as_wide(visit):
    page = visit("book/index.html")
    (own, other) = (page.evaluate(WIDTH, name) for name in ("Source Serif", "Times as Source Serif"))
    assert other == pytest.approx(own, rel=0.03)


def test_the_face_of_the_text_is_small_and_used(visit, site):
    page = visit("book/index.html")
    used = page.evaluate("""[...document.fonts].filter((font) => font.status === "loaded")
      .map((font) => font.family.replaceAll('"', ""))""")
    assert "Source Serif" in used
    assert sum(file.stat().st_size for file in site.folder.glob("_static/fonts/source-serif-*")) <= 40_000
