// The lines of Python that compute what the figure shows.

import { short } from "./address.js";
import { flattest } from "./words.js";

/** @typedef {import("./numerics.js").Normal} Normal */
/** @typedef {import("./numerics.js").State} State */
/** @typedef {import("./numerics.js").Fits} Fits */

/** @param {State} state */
const truth = ({ p, cutP, cut: [a, b] }) => {
  const rows = p.map((bump) => `    (${[bump.weight, bump.mean, bump.width].map(short).join(", ")}),`);
  const cut = [
    "", "class Cut(stats.rv_continuous):", `    def _logpdf(self, x, p=p, mass=p.cdf(${a}, ${b})):`,
    "        return p.logpdf(x) - np.log(mass)", "", `p = Cut(a=${a}, b=${b})()`,
  ];
  return [
    "weights, means, widths = np.array([", ...rows, "]).T",
    ...(p.length > 1
      ? ["bumps = [stats.Normal(mu=m, sigma=s) for m, s in zip(means, widths)]", "p = stats.Mixture(bumps, weights=weights / weights.sum())"]
      : ["p = stats.Normal(mu=means[0], sigma=widths[0])"]),
    ...(cutP ? cut : []),
  ];
};

/** @param {State} state */
const model = ({ q, mode, fixed, cutQ, cut: [a, b] }) => [
  "", `def model(mean, log_width${fixed || mode !== "fits" ? `=${Math.log(q.width)}` : ""}):`, "    width = np.exp(log_width)",
  cutQ ? `    return stats.truncnorm((${a} - mean) / width, (${b} - mean) / width, mean, width)` : "    return stats.norm(mean, width)",
];

/** Both divergences of the reader's own. @param {State} state @param {Fits} fits */
const yours = ({ q }, { mine }) => [
  "", `yours = model(${short(q.mean)})`,
  ...(mine[0] < Infinity ? ['print("yours, forward:", kl_divergence(p, yours))'] : []),
  ...(mine[1] < Infinity ? ['print("yours, reverse:", kl_divergence(yours, p))'] : []),
];

/** The minima of one direction, each found again from where it is. */
/** @param {string} name @param {string} pair @param {Normal[]} fits @param {boolean} fixed */
const search = (name, pair, fits, fixed) => {
  /** @param {Normal} fit */
  const theta = (fit) => `[${[fit.mean, ...(fixed ? [] : [Math.log(fit.width)])].map(short).join(", ")}]`;
  const inside = fits.filter((fit) => !flattest(fit)).map(theta), limits = fits.filter(flattest).map(theta);
  const loop = [
    "", `for start in [${inside.join(", ")}]:`, `    fit = nearest(lambda theta: kl_divergence(${pair}, rtol=1e-6), start)`,
    `    print("${name}:", fit.fun, "at", fit.x)`,
  ];
  return [
    ...(inside.length ? loop : []),
    ...limits.map((at) => `print("${name}, the flattest allowed:", kl_divergence(${pair.replace("theta", at)}))`),
  ];
};

/** @param {State} state @param {Fits} fits */
export const python = (state, fits) => {
  const { mode, fixed } = state, { forward, reverse } = fits;
  return [
    "import numpy as np", "from scipy import optimize, stats", "", "from kl_lib import kl_divergence", "",
    ...truth(state), ...model(state), ...(mode === "fits" ? [] : yours(state, fits)), "",
    `def nearest(divergence, start):  # theta is the mean${fixed ? "" : " and the logarithm of the width"}`,
    '    options = {"xatol": 1e-6, "fatol": 1e-12}',
    '    return optimize.minimize(divergence, start, method="Nelder-Mead", options=options)',
    ...search("forward", "p, model(*theta)", forward ? [forward] : [], fixed),
    ...search("reverse", "model(*theta), p", reverse, fixed),
  ].join("\n");
};
