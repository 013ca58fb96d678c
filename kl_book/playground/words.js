// What the figure shows, in words.

import { MODEL_WIDTHS, TIE, binned } from "./numerics.js";

/** @typedef {import("./numerics.js").Bump} Bump */
/** @typedef {import("./numerics.js").Normal} Normal */
/** @typedef {import("./numerics.js").State} State */
/** @typedef {import("./numerics.js").Fits} Fits */

const ONLY_MODEL_CUT = "infinite: pθ is cut, p⋆ is not: it has mass where pθ has none";
const ONLY_TRUTH_CUT = "infinite: p⋆ is cut, pθ is not: it has mass where p⋆ has none";

/** In nats; what the quadrature cannot tell from zero is zero. @param {number} value */
export const nats = (value) => (value === Infinity ? "infinite" : value < 5e-4 && value > 1e-9 ? value.toExponential(1) : value.toFixed(3));

/** A bump by the name of its handle, of two that lie apart by its side. @param {Bump[]} p @param {number} i */
const bumpName = (p, i) => {
  if (p.length === 1) return "the bump";
  const apart = p.length === 2 && p[0].mean !== p[1].mean;
  return apart ? `the ${p[i].mean < p[1 - i].mean ? "left" : "right"} bump` : `bump ${i + 1} of ${p.length}`;
};

/**
 * Which bumps a normal covers: those whose centre, and a width to either side of it, lie within two of its widths.
 * @param {Bump[]} p
 * @param {Normal} fit
 */
const covered = (p, fit) => {
  const hits = p.flatMap((bump, i) => (Math.abs(bump.mean - fit.mean) + bump.width <= 2 * fit.width ? [i] : []));
  if (hits.length === 1) return `on ${bumpName(p, hits[0])}`;
  if (hits.length === p.length) return "covers";
  return hits.length ? `covers ${hits.length} of ${p.length} bumps` : "covers no bump";
};

/** Among models that are cut there may be no best one, but flatter and flatter ones. @param {Normal} fit */
export const flattest = (fit) => fit.width >= MODEL_WIDTHS[1];

/** @param {Bump[]} p @param {Normal & {value: number}} fit */
const told = (p, fit) => `${nats(fit.value)}, ${covered(p, fit)}${flattest(fit) ? ", as flat as allowed" : ""}`;

/** @param {Bump[]} p @param {Fits["reverse"]} minima */
const toldMinima = (p, minima) => {
  const lowest = minima.filter((fit) => fit.value - minima[0].value < TIE);
  const [best, ...ties] = lowest.sort((a, b) => a.mean - b.mean);
  const tied = ties.map((fit) => ` or ${covered(p, fit)}`).join("");
  const values = minima.map((fit) => nats(fit.value)).join(", ");
  const others = minima.length > 1 ? `; ${minima.length} local minima: ${values}` : ", the only minimum";
  return told(p, best) + (tied && `${tied}, a tie`) + (flattest(best) && minima.length === 1 ? "" : others);
};

/** An infinite divergence stays so: the outermost bins have no end, and what is cut nothing in them. */
/** @param {State} state @param {Fits} fits */
const toldBins = (state, { forward, reverse, mine }) => {
  const own = state.mode === "hand", shown = own ? [state.q, state.q] : [forward, reverse[0]];
  /** @param {number} i */
  const value = (i) => {
    const fit = shown[i];
    return fit && mine[i] < Infinity ? nats(binned(state, fit)[i]) : nats(Infinity);
  };
  return ` In ${state.bins} bins the same ${own ? "normal has" : "normals have"} forward ${value(0)}, reverse ${value(1)}.`;
};

/** @param {State} state @param {Fits} fits */
export const describe = (state, fits) => {
  const { p, mode, bins } = state, { forward, reverse, mine, lost } = fits;
  if (lost) return `The cut leaves next to nothing of ${lost}: widen it, or move ${lost} into it.`;
  const far = forward ? told(p, forward) : ONLY_MODEL_CUT, near = reverse.length ? toldMinima(p, reverse) : ONLY_TRUTH_CUT;
  const yours = mode === "hand" ? `Yours: forward ${nats(mine[0])}, reverse ${nats(mine[1])}. ` : "";
  return `${yours}Best normals: forward ${far}; reverse ${near}.${bins ? toldBins(state, fits) : ""}`;
};

/** @param {number} moves */
const counted = (moves) => `${moves} move${moves === 1 ? "" : "s"}`;

/** What a game tells before it is over. @param {State} state @param {Fits} fits @param {number} moves */
export const question = ({ mode, goal }, { mine, lost }, moves) => {
  if (mode === "shape") return `Make the forward divergence ${goal} ${goal === 1 ? "nat" : "nats"} by pθ or p⋆, then check.`;
  return `Forward divergence ${lost ? "unknown, the cut leaves too little" : `${nats(mine[0])} nats`} after ${counted(moves)}.`;
};

/** What a game tells when it is over. @param {State} state @param {Fits} fits @param {number} moves */
export const verdict = ({ mode, goal }, { mine, forward, lost }, moves) => {
  if (lost) return "";
  const least = forward?.value ?? Infinity, [yours] = mine.map(nats), best = nats(least);
  if (mode === "find") return `After ${counted(moves)} yours is ${yours} nats away, the best ${best}. `;
  return `Yours is ${yours} nats away; ${goal} was asked${goal < least ? `, but no normal is nearer than ${best}` : ""}. `;
};
