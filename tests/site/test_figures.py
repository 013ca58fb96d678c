"""The figures of the built pages: whole at every width, numbered, moved by the words of their captions."""

from __future__ import annotations

import re

import pytest

PHONE = {"width": 360, "height": 740}
LARGER_PHONE = {"width": 390, "height": 844}
WIDE = {"width": 1280, "height": 900}
SMALLEST = 11.0

# Of each picture in sight: whether it scrolls, which words are cut off, how small its letters get. An index
# may be smaller than the word that it belongs to.
MEASURE = """() => {
  const size = (node) => parseFloat(getComputedStyle(node).fontSize);
  const measure = (picture) => {
    const svg = picture.querySelector("svg"), box = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")];
    const largest = (text) => Math.max(
      ...[...text.querySelectorAll("tspan")].map(size),
      text.firstChild.nodeType === Node.TEXT_NODE ? size(text) : 0,
    );
    const cut = texts.filter((text) => {
      const own = text.getBoundingClientRect(), slack = 1;
      return own.left < box.left - slack || own.right > box.right + slack
        || own.top < box.top - slack || own.bottom > box.bottom + slack;
    });
    return {
      scrolls: picture.scrollWidth > picture.clientWidth,
      smallest: Math.min(...texts.map(largest)) * box.width / svg.viewBox.baseVal.width,
      cut: cut.map((text) => text.textContent),
      stacked: picture.matches(".kl-stacked"),
    };
  };
  return [...document.querySelectorAll(".kl-picture")].filter((p) => p.checkVisibility()).map(measure);
}"""
# Of each figure, at every value of its controls: words that leave its picture, and words that lie on others.
# The box of a word is as high as a line, and a quarter of it empty.
EVERY_FRAME = """() => {
  const bad = [], empty = 4, slack = 1;
  const setTo = (controls, frame) => {
    for (const control of controls) {
      const range = control.matches("input"), size = range ? +control.max + 1 : control.length;
      control[range ? "value" : "selectedIndex"] = frame % size;
      frame = Math.floor(frame / size);
    }
    controls[0]?.dispatchEvent(new Event("input"));
    return frame === 0;
  };
  for (const figure of document.querySelectorAll(".kl-figure:not(.kl-playground)")) {
    const controls = [...figure.querySelectorAll(".kl-controls :is(input, select)")];
    const svg = [...figure.querySelectorAll("svg")].find((face) => face.checkVisibility());
    if (!svg) continue;
    for (let frame = 0; setTo(controls, frame); frame++) {
      const box = svg.getBoundingClientRect();
      const texts = [...svg.querySelectorAll("text")];
      const words = texts.map((text) => [text.textContent, text.getBoundingClientRect()]);
      words.forEach(([word, a], i) => {
        if (a.left < box.left - slack || a.right > box.right + slack) bad.push([word, "is cut off", frame]);
        for (const [other, b] of words.slice(i + 1)) {
          const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
          const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
          if (across > slack && down > empty) bad.push([word, "lies on " + other, frame]);
        }
      });
    }
  }
  return bad;
}"""
SHOWN = "(control) => control.matches('select') ? control.value : control.nextElementSibling.textContent"


@pytest.mark.parametrize(("viewport", "stacked"), [(PHONE, True), (LARGER_PHONE, True), (WIDE, False)])
def test_every_figure_is_whole_and_legible(visit, chapter_path, viewport, stacked):
    page = visit(chapter_path, viewport=viewport)
    pictures = page.evaluate(MEASURE)
    assert len(pictures) == page.locator(".kl-figure").count() > 0
    assert {picture["stacked"] for picture in pictures} == {stacked}
    assert [picture for picture in pictures if picture["scrolls"]] == []
    assert [picture["cut"] for picture in pictures if picture["cut"]] == []
    assert min(picture["smallest"] for picture in pictures) >= SMALLEST


@pytest.mark.parametrize("viewport", [PHONE, LARGER_PHONE, WIDE])
def test_words_stay_whole_and_apart_wherever_the_controls_are(visit, chapter_path, viewport):
    page = visit(chapter_path, viewport=viewport)
    page.evaluate("document.querySelectorAll('article details').forEach((fold) => { fold.open = true })")
    assert page.evaluate(EVERY_FRAME) == []


def test_figures_are_numbered_and_link_to_themselves(visit, chapter_path):
    page = visit(chapter_path)
    assert page.locator(".kl-figure").count() == page.locator(".kl-numbered .kl-figure").count()
    titles = page.locator(".kl-numbered > figcaption > .kl-caption-title")
    numbers = [re.match(r"Figure (\d+)\.(\d+) ", text) for text in titles.all_inner_texts()]
    chapters, places = zip(*((int(number[1]), int(number[2])) for number in numbers if number), strict=True)
    assert len(set(chapters)) == 1
    assert list(places) == list(range(1, titles.count() + 1))
    links = titles.locator("a.headerlink").evaluate_all("(links) => links.map((a) => a.getAttribute('href'))")
    assert links == page.locator(".kl-numbered").evaluate_all("(all) => all.map((figure) => '#' + figure.id)")


def test_words_of_a_caption_set_the_sliders(visit, chapter_path):
    page = visit(chapter_path)
    page.evaluate("document.querySelectorAll('article details').forEach((fold) => { fold.open = true })")
    for figure in page.locator(".kl-numbered").all():
        for link in figure.locator("a.kl-set").all():
            link.press("Enter")
            for pair in link.get_attribute("data-set").split("&"):
                name, value = pair.split("=")
                control = figure.locator(f"[name={name}]")
                shown = control.evaluate(SHOWN)
                numbers = [text.replace("−", "-") for text in (shown, value)]
                assert shown == value or float(numbers[0]) == float(numbers[1])
    assert page.locator("span.kl-set").count() == 0


def test_without_scripts_they_are_plain_words(visit, chapter_path):
    page = visit(chapter_path, java_script_enabled=False)
    assert page.locator("a.kl-set").count() == 0
    words = page.locator("span.kl-set")
    assert all(text.strip() for text in words.all_inner_texts())


def test_a_reference_names_the_figure(visit):
    page = visit("book/probabilistic-learning.html")
    link = page.locator("article a.reference", has_text="Figure 1.2").first
    link.click()
    assert page.url.endswith("#fig-areas")
