// Handles in the picture: dragged by mouse and finger, sliders to a keyboard and a screen reader.

import { LEAST_CUT, LEAST_WEIGHT, MOST_BUMPS, short } from "./address.js";
import { MEANS, MODEL_WIDTHS, VIEW, WIDTHS, clamp } from "./numerics.js";
import { across, shape, up } from "./picture.js";

/** @typedef {import("./numerics.js").State} State */
/** @typedef {import("./picture.js").Panel} Panel */
/** @typedef {{value: number, range: number[], step: number, set: (value: number) => void}} Dimension */
/**
 * One handle: where it stands, in x and in density, and what moving it changes: `drag` by hand, the dimensions by key
 * (main sideways, other up and down, spread by + and -).
 * @typedef {object} Handle
 * @property {string} name
 * @property {string} look
 * @property {string} text
 * @property {number} x
 * @property {number} y
 * @property {(x: number, y: number) => void} drag
 * @property {Dimension} main
 * @property {Dimension} [other]
 * @property {Dimension} [spread]
 */

/** @param {number} width */
const peak = (width) => 1 / (width * Math.sqrt(2 * Math.PI));
const SIGMA = Math.exp(-0.5); // a normal one width from its centre, relative to its peak

/** @param {Dimension} dimension @param {number} value */
export const move = ({ set, range }, value) => set(clamp(value, range));

/** By hand, to the second decimal: a round number is found, and a weight is kept while a mean moves. */
/** @param {Dimension} dimension @param {number} value */
const pull = (dimension, value) => move(dimension, Math.round(value * 100) / 100);

/** @param {State} state @param {number} i @param {number} weight the rest shares what is left */
const reweigh = ({ p }, i, weight) => {
  if (p.length === 1) return;
  const share = clamp(weight, [LEAST_WEIGHT, 1 - LEAST_WEIGHT * (p.length - 1)]), rest = 1 - p[i].weight;
  p.forEach((bump, j) => {
    if (j === i) bump.weight = share;
    else bump.weight = rest > 1e-9 ? (bump.weight * (1 - share)) / rest : (1 - share) / (p.length - 1);
  });
};

/** The smaller handle, one width to the right of a centre. */
/** @param {string} name @param {string} look @param {{mean: number, width: number}} of @param {number} y @param {Dimension} main @returns {Handle} */
const widthHandle = (name, look, { mean, width }, y, main) => ({
  name, look: `${look} small`, text: short(width), x: mean + width, y: y * SIGMA, main, drag: (x) => pull(main, x - mean),
});

/** @param {State} state @param {number} i @returns {Handle[]} */
const ofBump = (state, i) => {
  const bump = state.p[i], { weight, mean, width } = bump, y = weight * peak(width);
  /** @type {Dimension} */
  const main = { value: mean, range: MEANS, step: 0.05, set: (value) => (bump.mean = value) };
  /** @type {Dimension} */
  const other = { value: weight, range: [LEAST_WEIGHT, 1], step: 0.01, set: (value) => reweigh(state, i, value) };
  /** @type {Dimension} */
  const spread = { value: width, range: WIDTHS, step: 0.05, set: (value) => (bump.width = value) };
  const text = `mean ${short(mean)}, weight ${weight.toFixed(2)}, width ${short(width)}`;
  /** @param {number} x @param {number} height */
  const drag = (x, height) => (pull(main, x), pull(other, height / peak(width)));
  return [
    { name: `Bump ${i + 1} of ${state.p.length}`, look: "p", text, x: mean, y, main, other, spread, drag },
    widthHandle(`Width of bump ${i + 1}`, "p", bump, y, spread),
  ];
};

/** @param {State} state @returns {Handle[]} */
const ofModel = ({ q, fixed }) => {
  const y = peak(q.width);
  /** @type {Dimension} */
  const main = { value: q.mean, range: VIEW, step: 0.05, set: (value) => (q.mean = value) };
  /** @type {Dimension} */
  const spread = { value: q.width, range: MODEL_WIDTHS, step: 0.05, set: (value) => (q.width = value) };
  const text = `mean ${short(q.mean)}, width ${short(q.width)}`;
  /** @type {Handle} */
  const centre = { name: "Your normal", look: "q", text, x: q.mean, y, main, drag: (x) => pull(main, x) };
  return fixed ? [centre] : [{ ...centre, other: spread, spread }, widthHandle("Width of your normal", "q", q, y, spread)];
};

/** @param {State} state @returns {Handle[]} */
const ofCut = ({ cut }) =>
  ["Lower", "Upper"].map((side, i) => {
    const range = i ? [cut[0] + LEAST_CUT, VIEW[1]] : [VIEW[0], cut[1] - LEAST_CUT];
    /** @type {Dimension} */
    const main = { value: cut[i], range, step: 0.1, set: (value) => (cut[i] = value) };
    const name = `${side} end of the cut`, x = cut[i];
    return { name, look: "cut", text: short(x), x, y: Infinity, main, drag: (to) => pull(main, to) };
  });

/** @param {State} state @returns {Handle[]} */
export const handlesOf = (state) => [
  ...(state.mode === "find" ? [] : state.p.flatMap((_, i) => ofBump(state, i))),
  ...(state.mode === "fits" ? [] : ofModel(state)),
  ...(state.cutP || state.cutQ ? ofCut(state) : []),
];

/** Put the marks where the handles are; keep the elements, and with them the focus. */
/** @param {Element} group @param {Handle[]} handles @param {number} width @param {Panel} panel */
export const place = (group, handles, width, panel) => {
  while (group.children.length > handles.length) group.lastElementChild?.remove();
  handles.forEach(({ name, look, text, x, y, main }, i) => {
    let mark = group.children[i];
    if (!mark) {
      mark = group.appendChild(shape("g", { role: "slider", tabindex: 0 }));
      mark.append(shape("circle", { r: 20, class: "reach" }), shape("circle", { r: 7, class: "knob" }));
    }
    const [least, most] = main.range, place = `${across(x, width).toFixed(1)} ${up(y, panel).toFixed(1)}`;
    const at = {
      transform: `translate(${place})`, class: `handle ${look}`, "aria-label": name, "aria-valuetext": text,
      "aria-valuenow": short(main.value), "aria-valuemin": short(least), "aria-valuemax": short(most),
    };
    for (const [key, value] of Object.entries(at)) if (mark.getAttribute(key) !== value) mark.setAttribute(key, value);
  });
};

/** What a key does to a handle; true if anything. @param {Handle} handle @param {KeyboardEvent} event */
export const press = ({ main, other = main, spread = main }, { key, shiftKey }) => {
  const far = shiftKey ? 10 : 1;
  /** @type {Record<string, [Dimension, number]>} the dimension, and how many steps it goes */
  const keys = {
    ArrowRight: [main, far], ArrowLeft: [main, -far], ArrowUp: [other, far], ArrowDown: [other, -far],
    PageUp: [main, 10], PageDown: [main, -10], Home: [main, -1e9], End: [main, 1e9], "+": [spread, 1], "-": [spread, -1],
  };
  if (!(key in keys)) return false;
  const [dimension, steps] = keys[key];
  move(dimension, dimension.value + steps * dimension.step);
  return true;
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
