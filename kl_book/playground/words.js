// What the figure shows, in words and in Python.

import { short } from "./address.js";
import { MODEL_WIDTHS, TIE, binned } from "./numerics.js";

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
    ? `reverse ${nats(minima[0].value)}, ${ties.map((fit) => reached(p, fit)).join(" or ")}${ties.length > 1 ? ", a tie" : ""}${minima.length > 1 ? `, of ${minima.length} local minima (${minima.map((fit) => nats(fit.value)).join(", ")})` : `, ${flattest(minima[0]) ? "as flat as allowed" : "the only minimum"}`}`
    : `reverse infinite: ${why.reverse}`;
  const far = best ? `forward ${nats(best.value)}, ${reached(p, best)}${flattest(best) ? ", as flat as allowed" : ""}` : `forward infinite: ${why.forward}`;
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
export const python = ({ p, q, mode, fixed, cutP, cutQ, cut }, { forward, reverse }) => {
  const [a, b] = cut.map(short), tuples = p.map((bump) => `(${[bump.weight, bump.mean, bump.width].map(short).join(", ")})`);
  const sigma = fixed ? short(q.width) : "np.exp(theta[1])";
  return [
    "import numpy as np", "from scipy import optimize, stats", "", "from kl_lib import kl_divergence", "",
    `weights, means, widths = np.array([${tuples.join(", ")}]).T`,
    p.length > 1 ? "p = stats.Mixture([stats.Normal(mu=m, sigma=s) for m, s in zip(means, widths)], weights=weights / weights.sum())" : "p = stats.Normal(mu=means[0], sigma=widths[0])",
    ...(cutP ? ["", "class Cut(stats.rv_continuous):", "    def _logpdf(self, x, p=p, mass=p.cdf(BOTH)):".replace("BOTH", `${a}, ${b}`), "        return p.logpdf(x) - np.log(mass)", "", `p = Cut(a=${a}, b=${b})()`] : []),
    "", "def model(theta):", `    mean, width = theta[0], ${sigma}`,
    cutQ ? `    return stats.truncnorm((${a} - mean) / width, (${b} - mean) / width, mean, width)` : "    return stats.norm(mean, width)", "",
    ...(mode === "hand" ? [`yours = model((${short(q.mean)}, ${Math.log(q.width)}))`, ...both({ cutP, cutQ })] : []),
    ...search("forward", "p, model(theta)", forward ? [forward] : [], fixed),
    ...search("reverse", "model(theta), p", reverse, fixed),
  ].join("\n");
};

/** @param {{cutP: boolean, cutQ: boolean}} state */
const both = ({ cutP, cutQ }) => [
  ...(cutQ && !cutP ? [] : ['print("yours, forward:", kl_divergence(p, yours))']),
  ...(cutP && !cutQ ? [] : ['print("yours, reverse:", kl_divergence(yours, p))']),
];

/** Whether the flattest normal allowed is the best: among cut ones there may be none. @param {Normal} fit */
const flattest = (fit) => fit.width >= MODEL_WIDTHS[1];

/** @param {string} name @param {string} pair @param {Normal[]} fits @param {boolean} fixed */
const search = (name, pair, fits, fixed) => {
  /** @param {Normal} fit */
  const theta = (fit) => (fixed ? `(${short(fit.mean)},)` : `(${short(fit.mean)}, ${Math.log(fit.width)})`);
  const inside = fits.filter((fit) => !flattest(fit)).map(theta), limits = fits.filter(flattest).map(theta);
  const lines = [
    `for start in [${inside.join(", ")}]:`,
    `    fit = optimize.minimize(lambda theta: kl_divergence(${pair}, rtol=1e-6), start, method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-12})`,
    `    print("${name}:", fit.fun, "mean", fit.x[0]${fixed ? "" : ', "width", np.exp(fit.x[1])'})`,
  ];
  return [...(inside.length ? lines : []), ...limits.map((at) => `print("${name}, the flattest allowed:", kl_divergence(${pair.replace("theta", at)}))`)];
};
