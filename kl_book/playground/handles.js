// Handles in the picture: dragged by mouse and finger, sliders to a keyboard and a screen reader.

import { MOST_BUMPS, LEAST_WEIGHT, short } from "./address.js";
import { MEANS, MODEL_WIDTHS, VIEW, WIDTHS, clamp } from "./numerics.js";
import { across, shape, up } from "./picture.js";

/** @typedef {import("./numerics.js").State} State */
/** @typedef {import("./picture.js").Panel} Panel */
/** @typedef {{value: number, range: number[], step: number, set: (value: number) => void}} Dimension */
/**
 * One handle: where it stands, in x and in density, and what moving it changes.
 * @typedef {{name: string, look: string, text: string, x: number, y: number, drag: (x: number, y: number) => void, main: Dimension, other?: Dimension, spread?: Dimension}} Handle
 */

/** @param {number} width */
const peak = (width) => 1 / (width * Math.sqrt(2 * Math.PI));
const SIGMA = Math.exp(-0.5); // a normal one width from its centre, relative to its peak

/** @param {State} state @param {number} i @param {number} weight the rest shares what is left */
const reweigh = ({ p }, i, weight) => {
  if (p.length === 1) return;
  const share = clamp(weight, [LEAST_WEIGHT, 1 - LEAST_WEIGHT * (p.length - 1)]), rest = 1 - p[i].weight;
  p.forEach((bump, j) => (bump.weight = j === i ? share : rest > 1e-9 ? (bump.weight * (1 - share)) / rest : (1 - share) / (p.length - 1)));
};

/** @param {State} state @param {number} i @returns {Handle[]} */
const ofBump = (state, i) => {
  const bump = state.p[i], { weight, mean, width } = bump, name = `Bump ${i + 1} of ${state.p.length}`;
  const spread = { value: width, range: WIDTHS, step: 0.05, set: (/** @type {number} */ value) => (bump.width = value) };
  const main = { value: mean, range: MEANS, step: 0.05, set: (/** @type {number} */ value) => (bump.mean = value) };
  const other = { value: weight, range: [LEAST_WEIGHT, 1], step: 0.01, set: (/** @type {number} */ value) => reweigh(state, i, value) };
  const y = weight * peak(width);
  return [
    { name, look: "p", text: `mean ${short(mean)}, weight ${weight.toFixed(2)}, width ${short(width)}`, x: mean, y, main, other, spread,
      drag: (x, height) => (main.set(clamp(x, MEANS)), other.set(height / peak(width))) },
    { name: `Width of bump ${i + 1}`, look: "p small", text: short(width), x: mean + width, y: y * SIGMA, main: spread,
      drag: (x) => spread.set(clamp(Math.abs(x - mean), WIDTHS)) },
  ];
};

/** @param {State} state @returns {Handle[]} */
const ofModel = ({ q, fixed }) => {
  const main = { value: q.mean, range: VIEW, step: 0.05, set: (/** @type {number} */ value) => (q.mean = value) };
  const spread = { value: q.width, range: MODEL_WIDTHS, step: 0.05, set: (/** @type {number} */ value) => (q.width = value) };
  const handles = [{ name: "Your normal", look: "q", text: `mean ${short(q.mean)}, width ${short(q.width)}`, x: q.mean, y: peak(q.width), main,
    ...(fixed ? {} : { other: spread, spread }), drag: (/** @type {number} */ x) => main.set(clamp(x, VIEW)) }];
  const widen = { name: "Width of your normal", look: "q small", text: short(q.width), x: q.mean + q.width, y: peak(q.width) * SIGMA, main: spread,
    drag: (/** @type {number} */ x) => spread.set(clamp(Math.abs(x - q.mean), MODEL_WIDTHS)) };
  return fixed ? handles : [...handles, widen];
};

/** @param {State} state @returns {Handle[]} */
const ofCut = ({ cut }) =>
  ["Lower", "Upper"].map((side, i) => {
    const range = i ? [cut[0] + 0.5, VIEW[1]] : [VIEW[0], cut[1] - 0.5];
    const main = { value: cut[i], range, step: 0.1, set: (/** @type {number} */ value) => (cut[i] = value) };
    return { name: `${side} end of the cut`, look: "cut", text: short(cut[i]), x: cut[i], y: Infinity, main, drag: (/** @type {number} */ x) => main.set(clamp(x, range)) };
  });

/** @param {State} state @returns {Handle[]} */
export const handlesOf = (state) => [
  ...(state.mode === "find" ? [] : state.p.flatMap((_, i) => ofBump(state, i))),
  ...(state.mode === "fits" ? [] : ofModel(state)),
  ...(state.cutP || state.cutQ ? ofCut(state) : []),
];

/** Put the marks where the handles are; keep the elements, and with them the focus. @param {Element} group @param {Handle[]} handles @param {number} width @param {Panel} panel */
export const place = (group, handles, width, panel) => {
  while (group.children.length > handles.length) group.lastElementChild?.remove();
  handles.forEach(({ name, look, text, x, y, main }, i) => {
    let mark = group.children[i];
    if (!mark) {
      mark = group.appendChild(shape("g", { role: "slider", tabindex: 0 }));
      mark.append(shape("circle", { r: 20, class: "reach" }), shape("circle", { r: 7, class: "knob" }));
    }
    const at = { transform: `translate(${across(x, width).toFixed(1)} ${up(y, panel).toFixed(1)})`, class: `handle ${look}`, "aria-label": name,
      "aria-valuenow": short(main.value), "aria-valuemin": short(main.range[0]), "aria-valuemax": short(main.range[1]), "aria-valuetext": text };
    for (const [key, value] of Object.entries(at)) mark.setAttribute(key, value);
  });
};

/** What a key does to a handle; true if anything. @param {Handle} handle @param {KeyboardEvent} event */
export const press = ({ main, other = main, spread }, { key, shiftKey }) => {
  /** @param {Dimension} dimension @param {number} steps */
  const move = (dimension, steps) => (dimension.set(clamp(dimension.value + steps * dimension.step, dimension.range)), true);
  const far = shiftKey ? 10 : 1;
  /** @type {Record<string, () => boolean>} */
  const keys = {
    ArrowRight: () => move(main, far), ArrowLeft: () => move(main, -far), ArrowUp: () => move(other, far), ArrowDown: () => move(other, -far),
    PageUp: () => move(main, 10), PageDown: () => move(main, -10), Home: () => move(main, -1e9), End: () => move(main, 1e9),
    "+": () => move(spread ?? main, 1), "-": () => move(spread ?? main, -1),
  };
  return key in keys && keys[key]();
};

/** A bump more, where there is most room. @param {State} state */
export const add = ({ p }) => {
  if (p.length >= MOST_BUMPS) return;
  const places = [MEANS[0], ...p.map((bump) => bump.mean).sort((a, b) => a - b), MEANS[1]];
  const gaps = places.slice(1).map((place, i) => place - places[i]), widest = gaps.indexOf(Math.max(...gaps));
  const share = 1 / (p.length + 1);
  for (const bump of p) bump.weight *= 1 - share;
  p.push({ weight: share, mean: (places[widest] + places[widest + 1]) / 2, width: 1 });
};

/** One bump less. @param {State} state @param {number} i */
export const remove = ({ p }, i) => {
  if (p.length === 1) return;
  const [{ weight }] = p.splice(i, 1);
  for (const bump of p) bump.weight = weight < 1 ? bump.weight / (1 - weight) : 1 / p.length;
};
