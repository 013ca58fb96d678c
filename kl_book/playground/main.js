// The playground: p⋆ is a mixture of normals under the reader's fingers, and the normals nearest to it in both
// directions follow.

import { address, parse } from "./address.js";
import { listenToControls, showControls } from "./controls.js";
import { handlesOf, place } from "./handles.js";
import { listenToHands } from "./hands.js";
import { TIE, clamp, solve } from "./numerics.js";
import { DENSITIES, HEIGHT, SMALL_HEIGHT, ceiling, curves, shape } from "./picture.js";
import { drawDensities, drawFrames, drawIntegrands, drawLandscape } from "./picture.js";
import { describe, question, verdict } from "./words.js";

/** @typedef {import("./numerics.js").State} State */
/** What is wrong with an address, or what the page says of it. @typedef {string | Node[]} Notice */

const REST = 300; // milliseconds

export class Playground {
  /** @param {HTMLElement} root */
  constructor(root) {
    const part = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (root.querySelector(selector));
    this.root = root;
    this.box = part(".kl-picture");
    this.summary = part(".kl-summary");
    this.message = part(".kl-notice");
    this.lines = part("pre") ?? document.createElement("pre");
    this.small = root.hasAttribute("data-small");
    this.start = root.dataset.address ?? "";
    this.svg = shape("svg", { role: "group", "aria-label": "The densities, with handles that move them", class: "kl-live" });
    this.frames = this.svg.appendChild(shape("g", {}));
    this.drawn = this.svg.appendChild(shape("g", {}));
    this.marks = this.svg.appendChild(shape("g", {}));
    this.held = -1; // the handle that is dragged
    this.top = 1; // of the first panel
    this.pending = 0;
    this.keeping = 0;
    this.moves = 0;
    this.open = true; // but while a game lasts
    this.score = "";
    this.state = parse(this.start).state;
    this.fits = solve(this.state);
  }

  get width() { return clamp(Math.floor(this.box.clientWidth), [260, 760]); }
  get panel() { return { ...DENSITIES, least: 0, most: this.top }; }
  /** Whether the truth is still to be found. */
  get hidden() { return this.state.mode === "find" && !this.open; }

  draw() { this.pending ||= requestAnimationFrame(() => this.show()); }

  show() {
    this.pending = 0;
    const { state, width, hidden } = this, fits = (this.fits = solve(state)), drawn = curves(state, fits, hidden);
    const short = this.small || !this.open, height = short ? SMALL_HEIGHT : HEIGHT;
    if (this.held < 0) this.top = ceiling(state, drawn);
    this.frame(width, height);
    this.drawn.replaceChildren(
      ...drawDensities(state, drawn, width, this.panel),
      ...(short ? [] : [...drawIntegrands(state, drawn, width), ...drawLandscape(fits, width)]),
    );
    place(this.marks, handlesOf(state), width, this.panel);
    this.tell();
  }

  /** @param {number} width @param {number} height */
  frame(width, height) {
    const viewBox = `0 0 ${width} ${height}`;
    if (this.svg.getAttribute("viewBox") === viewBox) return;
    for (const [name, value] of Object.entries({ viewBox, width, height })) this.svg.setAttribute(name, String(value));
    this.frames.replaceChildren(...drawFrames(width, height));
  }

  tell() {
    const { root, state, fits } = this;
    this.summary.textContent = this.open ? this.score + describe(state, fits) : question(state, fits, this.moves);
    root.dataset.mode = state.mode;
    root.toggleAttribute("data-others", fits.reverse.some(({ value }) => value - fits.reverse[0].value >= TIE));
    Object.assign(root, { fits, state });
    showControls(this);
  }

  /** @param {Notice} notice */
  say(notice) {
    this.message.replaceChildren(...[notice].flat());
    this.message.hidden = !notice.length;
  }

  /** What a change leaves behind: the state that its address holds, and a move of the game if it was one. */
  settle(moved = false) {
    this.change(parse(address(this.state)));
    if (moved && !this.open) this.moves++;
  }

  /** @param {{state: State, notice: Notice}} next */
  change({ state, notice }) {
    this.held = -1;
    this.state = state;
    this.lines.hidden = true;
    this.say(notice);
    if (!this.small) this.keep();
    this.draw();
  }

  /** Write the address when the state has come to rest: a browser lets it change so many times a minute. */
  keep() {
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => history.replaceState(null, "", address(this.state)), REST);
  }

  /** Start anew, with a game if the state has one. @param {{state: State, notice: Notice}} next */
  begin({ state, notice }) {
    this.state = state;
    this.moves = 0;
    this.score = "";
    this.open = state.mode === "fits" || state.mode === "hand";
    this.say(notice);
    this.draw();
  }

  /** Another mode, or another game. @param {Partial<State>} changed */
  play(changed) {
    this.begin(parse(address({ ...this.state, ...changed })));
    this.settle();
  }

  /** The end of a game. */
  check() {
    this.score = verdict(this.state, this.fits, this.moves);
    this.open = true;
    this.draw();
  }

  /** What the address of the page asks for, and what the page says of it where it has a link to it. */
  follow() {
    if (!location.hash.includes("=")) return;
    const link = [...document.querySelectorAll("li a")].find((one) => one.getAttribute("href") === location.hash);
    const { state, notice } = parse(location.hash);
    this.begin({ state, notice: link ? [...(link.closest("li")?.cloneNode(true).childNodes ?? [])] : notice });
    this.lines.hidden = true;
    this.root.scrollIntoView();
  }

  live() {
    listenToHands(this);
    listenToControls(this);
    this.show(); // before it takes the place of the still picture
    this.box.replaceChildren(this.svg);
    new ResizeObserver(() => this.draw()).observe(this.box);
    if (this.small) return;
    addEventListener("hashchange", () => this.follow());
    this.follow();
  }
}

for (const root of document.querySelectorAll(".kl-playground")) {
  new Playground(/** @type {HTMLElement} */ (root)).live();
  // For whoever asks from a script: the answer to any address.
  Object.assign(root, { solve: (/** @type {string} */ address) => solve(parse(address).state) });
}
