// Runs in the browser for paper.py: makes one document of the pages of the book, to be printed.
// An address in a page gets the page's name before it, so that it is unique and links find it.
const unique = (page, id) => `${page}--${id}`;

const local = (page, address, known) => {
  const [path, id] = address.split("#");
  const target = path ? path.replace(/\.html$/, "") : page;
  if (!known.includes(target)) return null;
  return `#${id ? unique(target, decodeURIComponent(id)) : target}`;
};

const readPage = async (page) =>
  new DOMParser().parseFromString(await (await fetch(`${page}.html`)).text(), "text/html");

function takeArticle(page, source, known) {
  const article = source.querySelector("article.bd-article");
  for (const gone of article.querySelectorAll("script, template, .headerlink, .copybtn, .paper")) gone.remove();
  for (const figure of article.querySelectorAll("[data-frames]")) delete figure.dataset.frames;
  for (const element of article.querySelectorAll("[id]")) {
    if (!element.closest("svg")) element.id = unique(page, element.id); // a drawing's are unique, and its own
  }
  for (const link of article.querySelectorAll("a[href]:not(svg a)")) {
    const address = link.getAttribute("href");
    if (/^[a-z]+:/.test(address)) continue;
    const target = local(page, address, known);
    if (target) link.setAttribute("href", target);
    else link.replaceWith(...link.childNodes); // a file of the site, which paper does not have
  }
  for (const fold of article.querySelectorAll("details")) fold.open = true;
  for (const figure of article.querySelectorAll("figure.kl-numbered")) layOutSteps(figure);
  article.id = page;
  return article;
}

// What the words of a step set the sliders to, as far as they do not say it: paper has no sliders.
function settingOf(words, figure) {
  const values = [...new URLSearchParams(words.dataset.set)].filter(
    ([, value]) => !isNaN(value) && !words.textContent.includes(value),
  );
  const labels = values.map(([name, value]) => {
    const label = figure.querySelector(`[name="${name}"]`).parentElement.querySelector(".kl-name");
    return `${label.textContent}\u00a0=\u00a0${value.replace("-", "\u2212")}`;
  });
  return labels.length ? ` (${labels.join(", ")})` : "";
}

// The steps to try stand below the figure, which says at which of them it is drawn; so its caption is short
// enough to stay on its page.
function layOutSteps(figure) {
  for (const words of figure.querySelectorAll(".kl-set")) words.after(settingOf(words, figure));
  const steps = figure.querySelector("figcaption > ol");
  if (!steps) return;
  const below = document.createElement("div");
  below.className = "steps";
  below.append(steps);
  figure.querySelector(".kl-figure").after(below);
}

// A link whose words have no number says where it leads: what stands before the chapters, and is printed again,
// by the page, a chapter by the number of its target. One that leads nowhere is words.
function nameTargets([front, ...chapters]) {
  for (const article of [front, ...chapters]) {
    for (const link of article.querySelectorAll('a[href^="#"]:not(svg a)')) {
      const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
      if (!target) link.replaceWith(...link.childNodes);
      else if (/\d/.test(link.textContent)) continue;
      else if (article === front) link.append(" (p.\u00a0", pageOf(link), ")");
      else link.append(numberOf(target));
    }
  }
}

function numberOf(target) {
  const title = target.querySelector("h1, h2, h3, h4, .admonition-title, .kl-caption-title, .kl-predict-title");
  const number = title?.querySelector(".section-number, .caption-number")?.textContent.trim().replace(/\.$/, "");
  if (!number) return "";
  const kind = { ARTICLE: "chapter ", SECTION: "section " }[target.tagName] ?? "";
  return ` (${kind}${number})`;
}

function pageOf(link) {
  const page = document.createElement("span");
  page.className = "page";
  page.dataset.of = link.hash.slice(1);
  return page;
}

// Short boxes and cells stay whole. In em, a height is nearly the same on the screen, where it is measured.
const WHOLE = { ".admonition, .kl-predict, .exercise": 26, "div.cell:not(:has(.kl-figure))": 10 };

function keepWhole() {
  for (const [kinds, most] of Object.entries(WHOLE)) {
    for (const box of document.querySelectorAll(kinds)) {
      if (box.offsetHeight < most * parseFloat(getComputedStyle(box).fontSize)) box.classList.add("whole");
    }
  }
}

// Each chapter is a kind of page of its own, with its title at the head.
function runningHeads(articles) {
  const quoted = (text) => JSON.stringify(text.replaceAll("\\", ""));
  return articles.map((article, i) => {
    article.style.page = `part-${i}`;
    const title = article.querySelector("h1").textContent.trim();
    return `@page part-${i} { @top-right { content: ${quoted(title)}; } }`;
  });
}

// What the contents and the bookmarks list: the chapters and their sections, with the places that begin them.
function listHeadings(articles) {
  return articles.flatMap((article) => [...article.querySelectorAll("h1, h2")]).map((heading) => {
    const text = heading.cloneNode(true);
    for (const twice of text.querySelectorAll(".katex-html")) twice.remove();
    const chapter = heading.localName === "h1";
    const place = heading.closest(chapter ? "article" : "section").id;
    return { chapter, place, heading, title: text.textContent.trim() };
  });
}

function contents(headings) {
  const list = document.createElement("ul");
  for (const { chapter, place, heading } of headings) {
    const item = list.appendChild(document.createElement("li"));
    item.className = chapter ? "chapter" : "section";
    const link = item.appendChild(document.createElement("a"));
    link.href = `#${place}`;
    link.append(...heading.cloneNode(true).childNodes);
    item.append(pageOf(link));
  }
  return list;
}

async function bind([home, ...pages], style) {
  const known = [home, ...pages];
  const sources = await Promise.all(known.map(readPage));
  const articles = sources.map((source, i) => takeArticle(known[i], source, known));
  const title = articles[0].querySelector("h1").textContent.trim();
  const nav = document.createElement("nav");
  nav.innerHTML = '<h1 id="contents">Contents</h1>';
  const headings = listHeadings(articles.slice(1));
  nav.append(contents(headings));
  const colophon = document.createElement("footer");
  colophon.append(...sources[0].querySelector("p.stamp").parentElement.children);
  const sheet = document.createElement("style");
  sheet.textContent = [style, ...runningHeads(articles.slice(1))].join("\n");
  document.title = title;
  document.head.append(sheet);
  document.body.replaceChildren(articles[0], colophon, nav, ...articles.slice(1));
  await document.fonts.ready;
  nameTargets(articles);
  keepWhole();
  return headings.map(({ chapter, place, title }) => ({ chapter, place, title }));
}

// The first printing leaves room for the numbers that the second one has from it.
function numberPages(numbers) {
  for (const page of document.querySelectorAll(".page")) page.textContent = numbers[page.dataset.of] ?? "000";
}

// What stands before the chapters is left, and of these the places that links lead to.
function emptyChapters() {
  for (const chapter of document.querySelectorAll("nav ~ article")) {
    const places = [...chapter.querySelectorAll("[id]")].map(({ id }) => Object.assign(document.createElement("a"), { id }));
    chapter.replaceChildren(...places);
  }
}
