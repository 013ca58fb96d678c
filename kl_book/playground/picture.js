// The picture: three panels over one axis. The densities; what each point adds to either divergence; the least
// reverse divergence for each mean.

import { TIE, VIEW, clamp, interval, logDensity, logNormal, spaced, sum } from "./numerics.js";

/** @typedef {import("./numerics.js").Normal} Normal */
/** @typedef {import("./numerics.js").State} State */
/** @typedef {import("./numerics.js").Fits} Fits */
/** @typedef {(x: number) => number} Curve */
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

/** The curve, of mass one where it is cut. @param {Curve} log @param {number[] | null} cut @param {number} h @returns {Curve} */
const density = (log, cut, h) => {
  if (!cut) return (x) => Math.exp(log(x));
  const { x, w } = interval([], cut[0], cut[1], h), mass = sum(x, (at, i) => w[i] * Math.exp(log(at)));
  return (at) => (at < cut[0] || at > cut[1] ? 0 : Math.exp(log(at)) / mass);
};

/** What the state draws: the truth, and the models with their looks. @param {State} state @param {Fits} fits */
export const curves = (state, { forward, reverse, line }) => {
  const { p, q, mode, cutP, cutQ, cut } = state, h = line.h;
  const truth = density(logDensity(p), cutP ? cut : null, h);
  /** @param {Normal | null | undefined} model @param {string} look */
  const drawn = (model, look) => (model ? [{ look, at: density(logNormal(model), cutQ ? cut : null, h) }] : []);
  const own = drawn(q, "reverse");
  const fitted = [...reverse.slice(1).flatMap((fit) => drawn(fit, fit.value - reverse[0].value < TIE ? "reverse" : "local")), ...drawn(forward, "forward"), ...drawn(reverse[0], "reverse")];
  return { truth, models: mode === "fits" ? fitted : own };
};

/** A height for the first panel that changes in steps. @param {ReturnType<typeof curves>} drawn @param {boolean} hidden */
export const ceiling = ({ truth, models }, hidden) => {
  const shown = [...(hidden ? [] : [truth]), ...models.map((model) => model.at)];
  const highest = Math.max(...spaced(VIEW[0], VIEW[1], 721).flatMap((x) => shown.map((at) => at(x))));
  return [0.25, 0.5, 1, 2].find((top) => top > highest * 1.05) ?? 4.2;
};

/** @param {number} width @param {{top: number, height: number}} panel @param {string} title */
const frame = (width, { top, height }, title) => {
  const marks = spaced(-8, 8, width < 480 ? 5 : 9).flatMap((x) => [
    shape("path", { class: "axis", d: `M${across(x, width)} ${top + height}v4` }),
    shape("text", { x: across(x, width), y: top + height + 16, "text-anchor": "middle", class: "tick" }, String(x).replace("-", "−")),
  ]);
  return [shape("text", { x: 0, y: top - 9, class: "title" }, title), shape("path", { class: "axis", d: `M0 ${top + height}H${width}` }), ...marks];
};

/** @param {number[]} x @param {ArrayLike<number>} y @param {number} width @param {Panel} panel */
const trace = (x, y, width, panel) => x.map((at, i) => `${i ? "L" : "M"}${across(at, width).toFixed(1)} ${up(y[i], panel).toFixed(1)}`).join("");

/** @param {State} state @param {ReturnType<typeof curves>} drawn @param {number} width @param {Panel} panel @param {boolean} hidden */
export const drawDensities = ({ p, cutP, cutQ, cut }, { truth, models }, width, panel, hidden) => {
  const x = spaced(VIEW[0], VIEW[1], Math.round(width / 2) + 1), parts = frame(width, panel, "Densities");
  if (cutP || cutQ) for (const end of cut) parts.push(shape("path", { class: "axis dotted", d: `M${across(end, width)} ${panel.top}v${panel.height}` }));
  if (!hidden) {
    const line = trace(x, x.map(truth), width, panel);
    parts.push(shape("path", { class: "area p", d: `${line}V${panel.top + panel.height}H0Z` }), shape("path", { class: "line p", d: line }));
    if (p.length > 1 && !cutP) for (const bump of p) parts.push(shape("path", { class: "line bump", d: trace(x, x.map((at) => bump.weight * Math.exp(logNormal(bump)(at))), width, panel) }));
  }
  for (const { look, at } of models) parts.push(shape("path", { class: `line ${look}`, d: trace(x, x.map(at), width, panel) }));
  return parts;
};

/** @param {State} state @param {Fits} fits @param {ReturnType<typeof curves>} drawn @param {number} width */
export const drawIntegrands = (state, fits, { truth, models }, width) => {
  const x = spaced(VIEW[0], VIEW[1], Math.round(width / 2) + 1), parts = frame(width, INTEGRANDS, "Integrands: forward filled, reverse dotted");
  const own = state.mode !== "fits", last = models[models.length - 1]?.at;
  const ahead = own ? last : models.find((model) => model.look === "forward")?.at, back = own || fits.reverse.length ? last : undefined;
  /** @param {Curve} a @param {Curve} b @returns {Curve} */
  const integrand = (a, b) => (at) => (a(at) > 1e-12 ? a(at) * Math.log(a(at) / Math.max(b(at), 1e-300)) : 0);
  const forward = ahead && fits.mine && x.map(integrand(truth, ahead)), reverse = back && x.map(integrand(back, truth));
  const most = Math.max(0.1, ...[...(forward ?? []), ...(reverse ?? [])].map((value) => Math.min(Math.abs(value), 1.5)));
  const panel = { ...INTEGRANDS, least: -most, most };
  parts.push(shape("path", { class: "axis", d: `M0 ${up(0, panel)}H${width}` }));
  if (forward) parts.push(shape("path", { class: "area d", d: `${trace(x, forward, width, panel)}V${up(0, panel)}H0Z` }), shape("path", { class: "line d", d: trace(x, forward, width, panel) }));
  if (reverse) parts.push(shape("path", { class: "line d dotted", d: trace(x, reverse, width, panel) }));
  return parts;
};

/** @param {Fits} fits @param {number} width */
export const drawLandscape = ({ landscape, reverse }, width) => {
  const parts = frame(width, LANDSCAPE, "Least reverse divergence for each mean");
  if (!reverse.length) return parts;
  const panel = { ...LANDSCAPE, least: 0, most: Math.max(0.05, ...landscape.map(([, value]) => value)) * 1.1 };
  parts.push(shape("path", { class: "line d", d: trace(landscape.map(([mean]) => mean), landscape.map(([, value]) => value), width, panel) }));
  for (const fit of reverse) {
    const lowest = fit.value - reverse[0].value < TIE;
    parts.push(shape("circle", { class: lowest ? "minimum lowest" : "minimum", r: lowest ? 5 : 4, cx: across(fit.mean, width), cy: up(fit.value, panel) }));
    parts.push(shape("text", { class: "tick", x: clamp(across(fit.mean, width), [24, width - 24]), y: up(fit.value, panel) - 9, "text-anchor": "middle" }, fit.value.toFixed(3)));
  }
  return parts;
};
