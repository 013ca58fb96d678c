// The picture: three panels over one axis. The densities; what each point adds to either divergence; the least
// reverse divergence for each mean.

import { TIE, VIEW, clamp, interval, levelled, logDensity, logNormal, spaced, sum } from "./numerics.js";

/** @typedef {import("./numerics.js").Normal} Normal */
/** @typedef {import("./numerics.js").State} State */
/** @typedef {import("./numerics.js").Fits} Fits */
/** @typedef {(x: number) => number} Curve */
/** @typedef {{look: string, at: Curve}} Model */
/** What is drawn over the axis; `p` and the fits are null where they are hidden. */
/** @typedef {{p: Curve | null, bumps: Curve[], models: Model[], ahead: Curve | null, back: Curve | null}} Curves */
/** @typedef {{top: number, height: number, least: number, most: number}} Panel */

/** @param {string} name @param {Record<string, string | number>} attributes @param {string} text @returns {SVGElement} */
export const shape = (name, attributes, text = "") => {
  const element = /** @type {SVGElement} */ (document.createElementNS("http://www.w3.org/2000/svg", name));
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.textContent = text;
  return element;
};

export const DENSITIES = { top: 24, height: 186 };
const INTEGRANDS = { top: 262, height: 80 };
const LANDSCAPE = { top: 394, height: 90 };
export const HEIGHT = 506;
export const SMALL_HEIGHT = 232;

/** @param {number} x @param {number} width */
export const across = (x, width) => ((x - VIEW[0]) / (VIEW[1] - VIEW[0])) * width;

/** The other way round. @param {number} place @param {number} width */
export const fromLeft = (place, width) => VIEW[0] + (place / width) * (VIEW[1] - VIEW[0]);

/** @param {number} value @param {Panel} panel */
export const up = (value, { top, height, least, most }) => top + height * (1 - clamp((value - least) / (most - least), [-0.02, 1.02]));

/** The curve, of mass one where it is cut. @param {Curve} log @param {number[]} cut @param {number} h @returns {Curve} */
const within = (log, cut, h) => {
  const { x, w } = interval([], cut[0], cut[1], h), mass = sum(x, (at, i) => w[i] * Math.exp(log(at)));
  return (at) => (at < cut[0] || at > cut[1] ? 0 : Math.exp(log(at)) / mass);
};

/** @param {State} state @param {Fits} fits @param {Curve} log @param {boolean} isCut @returns {Curve} */
const density = (state, { line, lost }, log, isCut) => {
  if (state.bins && !lost) return levelled(state, log, isCut);
  return isCut && !lost ? within(log, state.cut, line.h) : (x) => Math.exp(log(x));
};

/** @param {State} state @param {Fits} fits @param {boolean} hidden whether p⋆ is @returns {Curves} */
export const curves = (state, fits, hidden) => {
  const { p, q, mode, cutP, cutQ } = state, { forward, reverse } = fits;
  /** @param {Normal} model @param {string} look @returns {Model} */
  const drawn = (model, look) => ({ look, at: density({ ...state, q: model }, fits, logNormal(model), cutQ) });
  const ahead = forward && drawn(forward, "forward"), own = drawn(q, "reverse");
  const [best = null, ...others] = reverse.map((fit) => drawn(fit, fit.value - reverse[0].value < TIE ? "reverse" : "local"));
  const models = mode === "fits" ? [...others, ahead, best].filter((model) => model !== null) : [own];
  const shown = fits.lost || hidden ? [] : mode === "fits" ? [ahead, best] : [own, own];
  return {
    p: hidden ? null : density(state, fits, logDensity(p), cutP),
    bumps: hidden ? [] : p.map((bump) => (x) => bump.weight * Math.exp(logNormal(bump)(x))),
    models, ahead: shown[0]?.at ?? null, back: shown[1]?.at ?? null,
  };
};

/**
 * The height of the first panel. It changes in steps, and leaves room for a model on any one bump, so that none
 * leaves the panel when the best one jumps.
 */
/** @param {State} state @param {Curves} drawn */
export const ceiling = ({ p }, { p: truth, models }) => {
  const alone = p.map((bump) => (/** @type {number} */ x) => Math.exp(logNormal(bump)(x)));
  const shown = [...(truth ? [truth, ...alone] : []), ...models.map(({ at }) => at)];
  const highest = Math.max(...spaced(VIEW[0], VIEW[1], 721).flatMap((x) => shown.map((at) => at(x))));
  return [0.22, 0.44, 0.88, 2.2].find((top) => top > highest * 1.05) ?? 4.4;
};

/** @param {number} width @param {{top: number, height: number}} panel @param {string} title */
const frame = (width, { top, height }, title) => {
  const marks = spaced(-8, 8, width < 480 ? 5 : 9).flatMap((x) => [
    shape("path", { class: "axis", d: `M${across(x, width)} ${top + height}v4` }),
    shape("text", { x: across(x, width), y: top + height + 16, "text-anchor": "middle", class: "tick" }, String(x).replace("-", "−")),
  ]);
  return [shape("text", { x: 0, y: top - 9, class: "title" }, title), shape("path", { class: "axis", d: `M0 ${top + height}H${width}` }), ...marks];
};

/** What stays while curves move: titles and axes. @param {number} width @param {number} height */
export const drawFrames = (width, height) => [
  ...frame(width, DENSITIES, "Densities"),
  ...(height < HEIGHT ? [] : frame(width, INTEGRANDS, "Integrands: forward filled, reverse dotted")),
  ...(height < HEIGHT ? [] : frame(width, LANDSCAPE, "Least reverse divergence for each mean")),
];

/** The points of the axis at which curves are drawn. @param {number} width */
const points = (width) => spaced(VIEW[0], VIEW[1], Math.round(width / 2) + 1);

const tenth = (/** @type {number} */ value) => Math.round(value * 10) / 10;

/** @param {number[]} x @param {ArrayLike<number>} y @param {number} width @param {Panel} panel */
const trace = (x, y, width, panel) =>
  x.map((at, i) => `${i ? "L" : "M"}${tenth(across(at, width))} ${tenth(up(y[i], panel))}`).join("");

/** A line, and the area between it and zero. @param {string} look @param {string} line @param {number} width @param {Panel} panel */
const filled = (look, line, width, panel) => [
  shape("path", { class: `area ${look}`, d: `${line}V${up(0, panel)}H0Z` }),
  shape("path", { class: `line ${look}`, d: line }),
];

/** @param {State} state @param {Curves} drawn @param {number} width @param {Panel} panel */
export const drawDensities = ({ cutP, cutQ, cut }, { p, bumps, models }, width, panel) => {
  const x = points(width), parts = [];
  const line = (/** @type {Curve} */ at) => trace(x, x.map(at), width, panel);
  for (const end of cutP || cutQ ? cut : [])
    parts.push(shape("path", { class: "axis dotted", d: `M${across(end, width)} ${panel.top}v${panel.height}` }));
  if (p) parts.push(...filled("p", line(p), width, panel));
  for (const at of bumps.length > 1 && !cutP ? bumps : []) parts.push(shape("path", { class: "line bump", d: line(at) }));
  for (const { look, at } of models) parts.push(shape("path", { class: `line ${look}`, d: line(at) }));
  return parts;
};

/** What each point adds to a divergence. @param {Curve} a @param {Curve} b @returns {Curve} */
const integrand = (a, b) => (at) => {
  const value = a(at);
  return value > 1e-12 ? value * Math.log(value / Math.max(b(at), 1e-300)) : 0;
};

/** @param {State} state @param {Curves} drawn @param {number} width */
export const drawIntegrands = ({ cutP, cutQ }, { p, ahead, back }, width) => {
  const x = points(width), parts = [];
  const forward = p && ahead && (cutP || !cutQ) ? x.map(integrand(p, ahead)) : [];
  const reverse = p && back && (cutQ || !cutP) ? x.map(integrand(back, p)) : [];
  const most = Math.max(0.1, ...[...forward, ...reverse].map((value) => Math.min(Math.abs(value), 1.5)));
  const panel = { ...INTEGRANDS, least: -most, most };
  parts.push(shape("path", { class: "axis", d: `M0 ${up(0, panel)}H${width}` }));
  if (forward.length) parts.push(...filled("d", trace(x, forward, width, panel), width, panel));
  if (reverse.length) parts.push(shape("path", { class: "line d dotted", d: trace(x, reverse, width, panel) }));
  return parts;
};

/** @param {Fits} fits @param {number} width */
export const drawLandscape = ({ landscape, reverse }, width) => {
  const parts = [];
  if (!reverse.length) return [];
  const panel = { ...LANDSCAPE, least: 0, most: Math.max(0.05, ...landscape.map(([, value]) => value)) * 1.1 };
  const means = landscape.map(([mean]) => mean), values = landscape.map(([, value]) => value);
  parts.push(shape("path", { class: "line d", d: trace(means, values, width, panel) }));
  for (const fit of reverse) {
    const lowest = fit.value - reverse[0].value < TIE;
    const cx = across(fit.mean, width), cy = up(fit.value, panel), x = clamp(cx, [24, width - 24]);
    parts.push(shape("circle", { class: lowest ? "minimum lowest" : "minimum", r: lowest ? 5 : 4, cx, cy }));
    parts.push(shape("text", { class: "tick", x, y: cy - 9, "text-anchor": "middle" }, fit.value.toFixed(3)));
  }
  return parts;
};
