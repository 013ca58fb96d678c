// The state in the address: #p=weight,mean,width;…&q=mean,width&mode=…, and what of it makes sense.

import { MEANS, MODEL_WIDTHS, VIEW, WIDTHS, clamp, sum } from "./numerics.js";

/** @typedef {import("./numerics.js").Bump} Bump */
/** @typedef {import("./numerics.js").State} State */

export const LEAST_WEIGHT = 0.01;
export const MOST_BUMPS = 5;

const MODES = ["fits", "hand", "find", "shape"];
const BINS = [0, 4, 8, 16, 32];
const GOALS = [0.1, 1, 10];
const START = [[0.5, -2.412, 1], [0.5, 2.412, 1]];

/** @param {string} address @returns {{state: State, notice: string}} */
export const parse = (address) => {
  const fields = new URLSearchParams(address.replace(/^#/, "")), notices = new Set();
  /** @param {number} value @param {number[]} range @param {string} name */
  const within = (value, range, name) => {
    if (Number.isFinite(value) && value >= range[0] && value <= range[1]) return value;
    notices.add(`${name} must be from ${range[0]} to ${range[1]}`);
    return clamp(Number.isFinite(value) ? value : (range[0] + range[1]) / 2, range);
  };
  /** @param {string} name @param {number} n */
  const numbers = (name, n) => {
    const read = (fields.get(name) ?? "").split(",").map(Number);
    return read.length === n && read.every(Number.isFinite) ? read : (fields.has(name) && notices.add(`“${name}” is not ${n} numbers`), null);
  };
  let bumps = (fields.get("p") ?? "").split(";").map((bump) => bump.split(",").map(Number));
  if (bumps.length > MOST_BUMPS || !bumps.every((bump) => bump.length === 3 && bump.every(Number.isFinite))) {
    if (fields.has("p")) notices.add("“p” is not one to five bumps weight,mean,width");
    bumps = START;
  }
  const p = bumps.map(([weight, mean, width]) => ({
    weight: weight >= 0 ? weight : 0, mean: within(mean, MEANS, "a mean"), width: within(width, WIDTHS, "a width"),
  }));
  if (bumps.some(([weight]) => !(weight >= LEAST_WEIGHT))) notices.add(`a weight must be at least ${LEAST_WEIGHT}`);
  const [mean, width] = numbers("q", 2) ?? [0, 1], cut = numbers("cut", 2) ?? [-3, 3];
  const ordered = cut[1] - cut[0] >= 0.5 && cut[0] >= VIEW[0] && cut[1] <= VIEW[1];
  if (!ordered) notices.add("“cut” is not two ends in order, half a unit apart or more");
  const mode = fields.get("mode") ?? "fits", cutting = fields.get("of") ?? "", bins = Number(fields.get("bins") ?? 0);
  if (!MODES.includes(mode)) notices.add(`there is no mode “${mode}”`);
  if (!BINS.includes(bins)) notices.add("“bins” must be 4, 8, 16 or 32");
  return {
    state: {
      p: balanced(p), mode: MODES.includes(mode) ? mode : "fits", fixed: fields.has("fixed"),
      q: { mean: within(mean, VIEW, "the model's mean"), width: within(width, MODEL_WIDTHS, "the model's width") },
      cutP: cutting.includes("p"), cutQ: cutting.includes("q"), cut: ordered ? cut : [-3, 3],
      bins: BINS.includes(bins) ? bins : 0, goal: GOALS.find((goal) => goal === Number(fields.get("goal"))) ?? 1, seed: Number(fields.get("seed")) || 1,
    },
    notice: [...notices].join("; "),
  };
};

/** With weights that sum to one, none too small to be held. @param {Bump[]} p @returns {Bump[]} */
export const balanced = (p) => {
  const total = sum(p.map((bump) => bump.weight), (weight) => weight), spare = 1 - LEAST_WEIGHT * p.length;
  const shares = p.map(({ weight }) => (total > 0 ? weight / total : 1 / p.length));
  const above = shares.map((share) => Math.max(share - LEAST_WEIGHT, 0)), rest = sum(above, (share) => share);
  const held = shares.some((share) => share < LEAST_WEIGHT);
  return p.map((bump, i) => ({ ...bump, weight: held && rest > 0 ? LEAST_WEIGHT + (above[i] * spare) / rest : shares[i] }));
};

/** @param {number} value */
export const short = (value) => String(+value.toFixed(4));

/** @param {State} state */
export const address = ({ p, q, mode, fixed, cutP, cutQ, cut, bins, goal, seed }) => {
  const fields = [`p=${p.map((bump) => [bump.weight, bump.mean, bump.width].map(short)).join(";")}`];
  if (mode !== "fits" || fixed) fields.push(`q=${[q.mean, q.width].map(short)}`);
  if (mode !== "fits") fields.push(`mode=${mode}`);
  if (fixed) fields.push("fixed");
  if (cutP || cutQ) fields.push(`of=${cutP ? "p" : ""}${cutQ ? "q" : ""}`, `cut=${cut.map(short)}`);
  if (bins) fields.push(`bins=${bins}`);
  if (mode === "shape") fields.push(`goal=${goal}`);
  if (mode === "find") fields.splice(0, 1, `seed=${seed}`);
  return `#${fields.join("&")}`;
};
