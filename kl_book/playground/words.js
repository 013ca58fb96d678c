// What the figure shows, in words and in Python.

import { short } from "./address.js";
import { TIE, binned } from "./numerics.js";

/** @typedef {import("./numerics.js").Bump} Bump */
/** @typedef {import("./numerics.js").Normal} Normal */
/** @typedef {import("./numerics.js").State} State */
/** @typedef {import("./numerics.js").Fits} Fits */

/** @param {number} value in nats */
export const nats = (value) => (value === Infinity ? "infinite" : value < 5e-4 && value > 0 ? value.toExponential(1) : value.toFixed(3));

/** Which bumps a normal reaches: those whose centre lies within two of its widths. @param {Bump[]} p @param {Normal} fit */
const reached = (p, fit) => {
  const names = [...p].sort((a, b) => a.mean - b.mean), hits = names.filter((bump) => Math.abs(bump.mean - fit.mean) <= 2 * fit.width);
  if (hits.length === p.length) return p.length > 1 ? "covers" : "on the bump";
  if (hits.length !== 1) return hits.length ? `reaches ${hits.length} of ${p.length} bumps` : "reaches no bump";
  const index = names.indexOf(hits[0]);
  return p.length === 2 ? `on the ${index ? "right" : "left"} bump` : `on bump ${index + 1} of ${p.length}`;
};

/** @param {State} state @param {Fits} fits */
export const describe = (state, fits) => {
  const { p, mode, cutP, cutQ, bins, q } = state, { forward: best, reverse: minima, mine } = fits;
  const why = { forward: "pθ is cut, p⋆ is not: it has mass where pθ has none", reverse: "p⋆ is cut, pθ is not: it has mass where p⋆ has none" };
  const ties = minima.filter((fit) => fit.value - minima[0].value < TIE);
  const near = minima.length
    ? `reverse ${nats(minima[0].value)}, ${ties.map((fit) => reached(p, fit)).join(" or ")}${ties.length > 1 ? ", a tie" : ""}${minima.length > 1 ? `, of ${minima.length} local minima (${minima.map((fit) => nats(fit.value)).join(", ")})` : ", the only minimum"}`
    : `reverse infinite: ${why.reverse}`;
  const far = best ? `forward ${nats(best.value)}, ${reached(p, best)}` : `forward infinite: ${why.forward}`;
  let text = `Best normals: ${far}; ${near}.`;
  if (mode === "hand") text = `Yours: forward ${nats(mine[0])}, reverse ${nats(mine[1])}. ${text}`;
  if (bins) {
    const shown = mode === "hand" ? [q, q] : [best, minima[0]];
    const values = shown.map((fit, i) => (fit ? nats(binned(state, fit)[i]) : "infinite"));
    text += ` In ${bins} bins the same ${mode === "hand" ? "normal has" : "normals have"} forward ${cutQ && !cutP ? "infinite or less" : values[0]}, reverse ${values[1]}.`;
  }
  return text;
};

/** The lines that compute what is on the screen. @param {State} state @param {Fits} fits */
export const python = ({ p, q, mode, fixed, cutP, cutQ, cut }, { reverse: minima }) => {
  const tuples = p.map((bump) => `(${short(bump.weight)}, ${short(bump.mean)}, ${short(bump.width)})`).join(", ");
  const [a, b] = cut.map(short);
  const model = `stats.Normal(mu=theta[0], sigma=${fixed ? short(q.width) : "np.exp(theta[1])"})`;
  const start = (/** @type {Normal} */ fit) => `(${short(fit.mean)}${fixed ? "," : `, ${short(Math.log(fit.width))}`})`;
  const starts = (minima.length ? minima : [{ mean: 0, width: 1 }]).map(start).join(", ");
  const lines = [
    "import numpy as np", "from scipy import optimize, stats", "", "from kl_lib import kl_divergence", "",
    `bumps = [${tuples}]  # weight, mean, width`,
    "weights, means, widths = map(np.array, zip(*bumps))",
    "p = stats.Mixture([stats.Normal(mu=m, sigma=s) for m, s in zip(means, widths)], weights=weights / weights.sum())",
  ];
  if (cutP) lines.push(`p = stats.truncate(p, ${a}, ${b})`);
  lines.push("", "def model(theta):", `    q = ${model}`, `    return ${cutQ ? `stats.truncate(q, ${a}, ${b})` : "q"}`, "");
  if (mode === "hand") lines.push(`yours = model((${short(q.mean)}, ${Math.log(q.width)}))`, 'print("yours:", kl_divergence(p, yours), kl_divergence(yours, p))');
  if (!cutQ || cutP) lines.push(...search("forward", "p, model(theta)", starts.split("), ")[0].replace(/\)?$/, ")"), fixed));
  if (!cutP || cutQ) lines.push(...search("reverse", "model(theta), p", starts, fixed));
  return lines.join("\n");
};

/** @param {string} name @param {string} pair @param {string} starts @param {boolean} fixed */
const search = (name, pair, starts, fixed) => [
  `for start in [${starts}]:`,
  `    fit = optimize.minimize(lambda theta: kl_divergence(${pair}), start, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-12})`,
  `    print("${name}:", fit.fun, "mean", fit.x[0]${fixed ? "" : ', "width", np.exp(fit.x[1])'})`,
];
