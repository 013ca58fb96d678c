// The state in the address: #p=weight,mean,width;…&q=mean,width&mode=…, and what of it makes sense.

import { MEANS, MODEL_WIDTHS, VIEW, WIDTHS, clamp, sum } from "./numerics.js";

/** @typedef {import("./numerics.js").Bump} Bump */
/** @typedef {import("./numerics.js").State} State */
/** Reads fields, and says what makes no sense. @typedef {{fields: URLSearchParams, say: (notice: string) => void}} Reader */

export const LEAST_WEIGHT = 0.01;
export const MOST_BUMPS = 5;
export const LEAST_CUT = 0.5;

const NAMES = ["p", "q", "mode", "fixed", "of", "cut", "bins", "goal", "seed"];
const MODES = ["fits", "hand", "find", "shape"];
const CUTTING = ["", "p", "q", "pq"];
const BINS = ["0", "4", "8", "16", "32"];
const GOALS = ["0.1", "1", "10"];
const START = [[0.5, -2.412, 1], [0.5, 2.412, 1]];

/** @param {Reader} reader @param {number} value @param {number[]} range @param {string} name */
const within = ({ say }, value, range, name) => {
  if (value < range[0] || value > range[1]) say(`${name} must be from ${range[0]} to ${range[1]}`);
  return clamp(value, range);
};

/** @param {Reader} reader @param {string} name @param {string[]} choices @param {string} otherwise */
const choice = ({ fields, say }, name, choices, otherwise) => {
  const read = fields.get(name) ?? otherwise;
  if (choices.includes(read)) return read;
  say(`“${name}” must be ${choices.filter(Boolean).join(", ")}, not “${read}”`);
  return otherwise;
};

/** Two numbers. @param {Reader} reader @param {string} name @param {number[]} otherwise */
const pair = ({ fields, say }, name, otherwise) => {
  const read = (fields.get(name) ?? otherwise.join()).split(",").map(Number);
  if (read.length === 2 && read.every(Number.isFinite)) return read;
  say(`“${name}” is not 2 numbers`);
  return otherwise;
};

/** @param {Reader} reader @returns {Bump[]} */
const bumpsOf = (reader) => {
  const { fields, say } = reader;
  let bumps = (fields.get("p") ?? START.join(";")).split(";").map((bump) => bump.split(",").map(Number));
  if (bumps.length > MOST_BUMPS || !bumps.every((bump) => bump.length === 3 && bump.every(Number.isFinite))) {
    say(`“p” is not one to five bumps weight,mean,width`);
    bumps = START;
  }
  if (bumps.some(([weight]) => weight < LEAST_WEIGHT)) say(`a weight must be at least ${LEAST_WEIGHT}`);
  return balanced(bumps.map(([weight, mean, width]) => ({
    weight: Math.max(weight, 0), mean: within(reader, mean, MEANS, "a mean"), width: within(reader, width, WIDTHS, "a width"),
  })));
};

/** @param {Reader} reader */
const cutOf = (reader) => {
  const cut = pair(reader, "cut", [-3, 3]);
  if (cut[1] - cut[0] >= LEAST_CUT && cut[0] >= VIEW[0] && cut[1] <= VIEW[1]) return cut;
  reader.say(`“cut” must be two ends from ${VIEW[0]} to ${VIEW[1]} in order, ${LEAST_CUT} apart or more`);
  return [-3, 3];
};

/** @param {Reader} reader */
const seedOf = ({ fields, say }) => {
  const seed = Number(fields.get("seed") ?? 1);
  if (Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32) return seed;
  say("“seed” must be a whole number from 0 on");
  return 1;
};

/** A truth to be found, the same for everybody who follows the address. @param {number} seed */
const hiddenTruth = (seed) => {
  let state = seed;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  random();
  const round = (/** @type {number} */ value) => Math.round(value * 100) / 100;
  return balanced(Array.from({ length: 1 + Math.floor(random() * 3) }, () => ({
    weight: round(0.2 + random()), mean: round(-4 + 8 * random()), width: round(0.5 + 1.3 * random()),
  })));
};

/** @param {string} address @returns {{state: State, notice: string}} */
export const parse = (address) => {
  const fields = new URLSearchParams(address.replace(/^#/, "")), notices = new Set();
  const reader = { fields, say: (/** @type {string} */ notice) => void notices.add(notice) };
  for (const name of fields.keys()) if (!NAMES.includes(name)) reader.say(`there is no “${name}”`);
  const mode = choice(reader, "mode", MODES, "fits"), seed = seedOf(reader);
  const [mean, width] = pair(reader, "q", [0, 1]), cutting = choice(reader, "of", CUTTING, "");
  const state = {
    p: mode === "find" ? hiddenTruth(seed) : bumpsOf(reader),
    q: { mean: within(reader, mean, VIEW, "the model's mean"), width: within(reader, width, MODEL_WIDTHS, "the model's width") },
    mode, seed, fixed: choice(reader, "fixed", ["", "0", "1"], "0") !== "0",
    cutP: cutting.includes("p"), cutQ: cutting.includes("q"), cut: cutOf(reader),
    bins: +choice(reader, "bins", BINS, "0"), goal: +choice(reader, "goal", GOALS, "1"),
  };
  return { state, notice: [...notices].join("; ") };
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
  const fields = mode === "find" ? [`seed=${seed}`] : [`p=${p.map((bump) => [bump.weight, bump.mean, bump.width].map(short)).join(";")}`];
  if (mode !== "fits" || fixed) fields.push(`q=${[q.mean, q.width].map(short)}`);
  if (mode !== "fits") fields.push(`mode=${mode}`);
  if (fixed) fields.push("fixed");
  if (cutP || cutQ) fields.push(`of=${cutP ? "p" : ""}${cutQ ? "q" : ""}`, `cut=${cut.map(short)}`);
  if (bins) fields.push(`bins=${bins}`);
  if (mode === "shape") fields.push(`goal=${goal}`);
  return `#${fields.join("&")}`;
};
