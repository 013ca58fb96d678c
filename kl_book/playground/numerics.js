// The numbers: divergences of a normal and a mixture of normals, and their minima, as kl_lib computes them.

/** @typedef {{weight: number, mean: number, width: number}} Bump */
/** @typedef {{mean: number, width: number}} Normal */
/** @typedef {Normal & {value: number}} Fit a best normal and its divergence */
/** @typedef {{x: Float64Array, w: Float64Array, h: number, logP: Float64Array}} Grid nodes, weights, spacing, log p⋆ */
/** @typedef {{value: number, gradient: number[], hessian: number[]}} Slope in (Δmean / width, Δ log width) */
/** @typedef {{mean: number, square: number, entropy: number}} Moments */
/**
 * What is asked.
 * @typedef {object} State
 * @property {Bump[]} p
 * @property {Normal} q the reader's own normal; its width is the model's where that is fixed
 * @property {string} mode "fits", "hand", "find" or "shape"
 * @property {boolean} fixed whether the model's width is
 * @property {boolean} cutP
 * @property {boolean} cutQ
 * @property {number[]} cut the interval to which either is cut
 * @property {number} bins into which both are put, 0 for none
 * @property {number} goal the distance to meet in the mode "shape", in nats
 * @property {number} seed of the hidden truth in the mode "find"
 */
/**
 * What is answered: the forward fit (null where every one is infinitely far), all minima of the reverse
 * divergence, both divergences of the reader's own normal, and the least reverse divergence for each mean. Where
 * a cut leaves next to nothing of a density, `lost` names it, and nothing is answered.
 * @typedef {{forward: Fit | null, reverse: Fit[], mine: number[], landscape: number[][], line: Grid, lost: string}} Fits
 */

export const MEANS = [-6, 6];
export const WIDTHS = [0.2, 4];
export const MODEL_WIDTHS = [0.1, 12];
export const VIEW = [-9, 9];
export const TIE = 1e-6; // nats: divergences as near as this are equal
const LEAST_MASS = 1e-6; // of a density that is cut, for its quotients to mean anything
const MODEL_MEANS = [-15, 15];
const CONSTANT = Math.log(2 * Math.PI) / 2;

/** @param {number} value @param {number[]} range */
export const clamp = (value, [least, most]) => Math.min(most, Math.max(least, value));
/** @param {ArrayLike<number>} values @param {(value: number, index: number) => number} of */
export const sum = (values, of) => {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += of(values[i], i);
  return total;
};
/** @param {number} first @param {number} last @param {number} n @returns {number[]} */
export const spaced = (first, last, n) => Array.from({ length: n }, (_, i) => first + ((last - first) * i) / (n - 1));

// ---- Densities and quadrature: so many nodes that sums are integrals to the last digits that show ----

/** @param {Bump[]} p @returns {(x: number) => number} */
export const logDensity = (p) => {
  const log = p.map(({ weight, width }) => Math.log(weight / width) - CONSTANT);
  const terms = new Float64Array(p.length);
  return (x) => {
    let most = -Infinity, total = 0;
    for (let k = 0; k < p.length; k++) {
      terms[k] = log[k] - ((x - p[k].mean) / p[k].width) ** 2 / 2;
      if (terms[k] > most) most = terms[k];
    }
    for (let k = 0; k < p.length; k++) if (terms[k] > most - 40) total += Math.exp(terms[k] - most);
    return most + Math.log(total);
  };
};

/** @param {Normal} q @returns {(x: number) => number} */
export const logNormal = (q) => (x) => -(((x - q.mean) / q.width) ** 2) / 2 - Math.log(q.width) - CONSTANT;

/** The spacing: an eighth of the narrowest bump, finer where log p⋆ bends sharply. @param {Bump[]} p */
const spacing = (p) => {
  const least = Math.min(...p.map((bump) => bump.width));
  return Math.min(least / 8, (3 * least ** 2) / (apart(p) + least));
};

/** @param {Bump[]} p */
const apart = (p) => Math.max(...p.map((bump) => bump.mean)) - Math.min(...p.map((bump) => bump.mean));

/** Beyond the width of any best model. @param {Bump[]} p */
const widest = (p) => 1.15 * Math.hypot(Math.max(...p.map((bump) => bump.width)), apart(p) / 2);

/** The trapezoidal rule as far as either way. @param {Bump[]} p @param {number} h @param {number} far @returns {Grid} */
const wholeLine = (p, h, far) => {
  const half = Math.ceil(far / h);
  const x = new Float64Array(2 * half + 1).map((_, i) => (i - half) * h);
  return { x, w: new Float64Array(x.length).fill(h), h, logP: x.map(logDensity(p)) };
};

/** Simpson's rule. @param {Bump[]} p @param {number} from @param {number} to @param {number} h @returns {Grid} */
export const interval = (p, from, to, h) => {
  const n = 2 * Math.ceil((to - from) / h), step = (to - from) / n;
  const x = new Float64Array(n + 1).map((_, i) => from + i * step);
  const w = x.map((_, i) => ((i % n ? (i % 2 ? 4 : 2) : 1) * step) / 3);
  return { x, w, h: step, logP: x.map(logDensity(p)) };
};

/**
 * Sums over q of the powers 0 … 4 of e = (x - mean) / width, and of these times log q - log p⋆, the logarithms up to
 * a constant. The last entry is the constant: it keeps the density of a q off the grid from vanishing on it.
 */
/** @param {Normal} q @param {Grid} grid @returns {number[]} */
const powers = ({ mean, width }, { x, w, h, logP }) => {
  const off = Math.max(x[0] - mean, mean - x[x.length - 1], 0) / width, reach = width * Math.sqrt(off * off + 48);
  const first = Math.max(0, Math.ceil((mean - reach - x[0]) / h));
  const last = Math.min(x.length - 1, Math.floor((mean + reach - x[0]) / h));
  let s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, f0 = 0, f1 = 0, f2 = 0, f3 = 0, f4 = 0;
  for (let i = first; i <= last; i++) {
    const e = (x[i] - mean) / width, square = e * e, log = (off * off - square) / 2;
    const d = Math.exp(log) * w[i], de = d * e, f = log - logP[i], df = d * f, dfe = de * f;
    s0 += d; s1 += de; s2 += d * square; s3 += de * square; s4 += d * square * square;
    f0 += df; f1 += dfe; f2 += df * square; f3 += dfe * square; f4 += df * square * square;
  }
  return [s0, s1, s2, s3, s4, f0, f1, f2, f3, f4, (off * off) / 2];
};

/** D(q‖p⋆) and its derivatives, of q cut to the grid. @param {Normal} q @param {Grid} grid @returns {Slope} */
export const reverse = (q, grid) => {
  const [s0, s1, s2, s3, s4, f0, f1, f2, f3, f4] = powers(q, grid);
  const m1 = s1 / s0, m2 = s2 / s0, m3 = s3 / s0, m4 = s4 / s0, f = f0 / s0;
  const g1 = (f1 - f * s1) / s0, g2 = (f2 - f * s2) / s0, g3 = (f3 - f * s3) / s0, g4 = (f4 - f * s4) / s0;
  return {
    value: f - Math.log(s0),
    gradient: [g1, g2],
    hessian: [
      m2 - m1 * m1 + g2 - 2 * m1 * g1,
      m3 - m1 * m2 + g3 - m1 * g2 - m2 * g1 - 2 * g1,
      m4 - m2 * m2 + g4 - 2 * m2 * g2 - 2 * g2,
    ],
  };
};

/** D(p⋆‖q) of p⋆ and q cut to the grid, from the moments of p⋆. */
/** @param {Normal} q @param {Grid} grid @param {Moments} of @returns {Slope} */
const forward = (q, grid, { mean, square, entropy }) => {
  const s = powers(q, grid), [, m1, m2, m3, m4] = s.map((total) => total / s[0]);
  const e1 = (mean - q.mean) / q.width;
  const e2 = (square - 2 * q.mean * mean + q.mean ** 2) / q.width ** 2;
  return {
    value: e2 / 2 + Math.log(s[0]) - s[10] - entropy,
    gradient: [m1 - e1, m2 - e2],
    hessian: [m2 - m1 * m1, 2 * (e1 - m1) + m3 - m1 * m2, 2 * (e2 - m2) + m4 - m2 * m2],
  };
};

/** The mass of a density on the grid. @param {ArrayLike<number>} logs @param {Grid} grid */
const massOf = (logs, { w }) => sum(w, (weight, i) => weight * Math.exp(logs[i]));

/** Of p⋆ cut to the grid. @param {Grid} grid @returns {Moments} */
const momentsOf = ({ x, w, logP }) => {
  let mass = 0, first = 0, second = 0, log = 0;
  for (let i = 0; i < x.length; i++) {
    const d = w[i] * Math.exp(logP[i]);
    mass += d; first += d * x[i]; second += d * x[i] * x[i]; log += d * logP[i];
  }
  return { mean: first / mass, square: second / mass, entropy: Math.log(mass) - log / mass };
};

// ---- Minima: Newton's method downhill, from every place where the table of values is low or level ----

/** One step downhill, along the axes of the curvature. @param {Slope} slope @param {boolean[]} free @returns {number[]} */
const newton = ({ gradient: [g, s], hessian: [a, b, c] }, free) => {
  /** @param {number} along @param {number} curvature */
  const length = (along, curvature) => clamp(-along / Math.max(Math.abs(curvature), 1e-9), [-0.5, 0.5]);
  if (!free[0] || !free[1]) return [free[0] ? length(g, a) : 0, free[1] ? length(s, c) : 0];
  const middle = (a + c) / 2, radius = Math.hypot((a - c) / 2, b), turn = Math.atan2(2 * b, a - c) / 2;
  const [u, v] = [Math.cos(turn), Math.sin(turn)];
  const [first, second] = [length(g * u + s * v, middle + radius), length(s * u - g * v, middle - radius)];
  return [first * u - second * v, first * v + second * u];
};

/** Whether a value may still move against its gradient. @param {number} value @param {number[]} range @param {number} slope */
const inside = (value, [least, most], slope) => !(value <= least && slope > 0) && !(value >= most && slope < 0);

/** Until a step would fall by less than enough. */
/** @param {(q: Normal) => Slope} at @param {Normal} start @param {boolean} fixed @returns {Fit & {level: boolean}} */
export const descend = (at, start, fixed, enough = 1e-20) => {
  let q = start, slope = at(q), free = [true, true];
  for (let count = 0; count < 60; count++) {
    free = [inside(q.mean, MODEL_MEANS, slope.gradient[0]), !fixed && inside(q.width, MODEL_WIDTHS, slope.gradient[1])];
    const step = newton(slope, free), fall = -step[0] * slope.gradient[0] - step[1] * slope.gradient[1];
    if (fall < enough) break;
    let length = 1, next, there;
    do {
      next = { mean: clamp(q.mean + length * step[0] * q.width, MODEL_MEANS), width: clamp(q.width * Math.exp(length * step[1]), MODEL_WIDTHS) };
      there = at(next);
      length /= 2;
    } while (fall > 1e-13 && there.value > slope.value - (length * fall) / 50 && length > 1e-6);
    [q, slope] = [next, there];
  }
  const { gradient, hessian: [a, b, c] } = slope;
  const level = gradient.every((g, i) => !free[i] || Math.abs(g) < 1e-6);
  const curved = (!free[0] || a > 0) && (!free[1] || c > 0) && (!free[0] || !free[1] || a * c > b * b);
  return { ...q, value: slope.value, level: level && curved };
};

/**
 * The reverse divergence at means that are nodes of one grid, so that a width has the same weights at each.
 * @param {Bump[]} p @param {number[]} means @param {number} width @param {number} step the widest allowed
 */
const atNodes = (p, means, width, step) => {
  const apart = means[1] - means[0], every = Math.ceil(apart / step), h = apart / every, half = Math.ceil((7 * width) / h);
  const logP = new Float64Array(every * (means.length - 1) + 2 * half + 1).map((_, i) => means[0] + (i - half) * h).map(logDensity(p));
  const density = new Float64Array(2 * half + 1).map((_, i) => Math.exp(-((((i - half) * h) / width) ** 2) / 2));
  const constant = 0.5 + CONSTANT + Math.log(width), mass = sum(density, (d) => d);
  return means.map((_, i) => {
    let total = 0;
    for (let k = 0; k < density.length; k++) total += density[k] * logP[i * every + k];
    return -total / mass - constant;
  });
};

/** The reverse divergence of a table of normals, on a grid that is as coarse as it may. @param {State} state */
const tabulate = ({ p, q, fixed, cutQ, cut }) => {
  const least = Math.min(...p.map((bump) => bump.width)), edge = Math.max(...p.map((bump) => bump.width));
  const means = spaced(Math.min(...p.map((bump) => bump.mean)) - edge, Math.max(...p.map((bump) => bump.mean)) + edge, 41);
  const logs = spaced(Math.log(0.7 * least), Math.log(cutQ ? MODEL_WIDTHS[1] : widest(p)), 16);
  const widths = fixed ? [q.width] : logs.map(Math.exp), h = Math.min(0.35 * least, widths[0] / 2);
  const grid = cutQ ? interval(p, cut[0], cut[1], h) : wholeLine(p, h, MEANS[1] + edge + 7 * Math.max(widest(p), ...widths));
  const columns = widths.map((width) => {
    const step = Math.max(h, 0.2 * width);
    if (!cutQ) return atNodes(p, means, width, step);
    const own = interval(p, cut[0], cut[1], step);
    return means.map((mean) => reverse({ mean, width }, own).value);
  });
  return { table: means.map((_, i) => columns.map((column) => column[i])), means, widths, grid };
};

/** Where no neighbour is lower. @param {number[][]} table @returns {number[][]} */
const lows = (table) => {
  const found = [];
  for (let i = 0; i < table.length; i++)
    for (let j = 0; j < table[i].length; j++) {
      const value = table[i][j], rows = [table[i - 1] ?? [], table[i], table[i + 1] ?? []];
      if (value < Infinity && !rows.some((row) => row[j - 1] < value || row[j] < value || row[j + 1] < value)) found.push([i, j]);
    }
  return found;
};

/** Where the table is lowest or most level among its neighbours. @param {number[][]} table @returns {number[][]} */
const promising = (table) => {
  const last = table.length - 1;
  const steep = table.map((row, i) => row.map((_, j) => {
    if (i < 1 || i === last || (row.length > 1 && (j < 1 || j === row.length - 1))) return Infinity;
    return Math.hypot(table[i + 1][j] - table[i - 1][j], row.length > 1 ? row[j + 1] - row[j - 1] : 0);
  }));
  return [...lows(table), ...lows(steep)];
};

/** @param {State} state @param {Grid} grid @param {ReturnType<typeof tabulate>} from @returns {Fit[]} */
const reverseMinima = ({ p, q, fixed }, grid, { table, means, widths, grid: coarse }) => {
  const starts = promising(table).map(([i, j]) => ({ mean: means[i], width: widths[j] }));
  for (const bump of p) starts.push({ mean: bump.mean, width: fixed ? q.width : bump.width });
  /** @type {Fit[]} */
  const minima = [];
  const known = (/** @type {Normal} */ fit) =>
    minima.some(({ mean, width }) => Math.abs(mean - fit.mean) < 1e-3 * fit.width && Math.abs(Math.log(width / fit.width)) < 1e-3);
  for (const start of starts) {
    const near = descend((at) => reverse(at, coarse), start, fixed, 1e-8);
    if (known(near)) continue;
    const fit = descend((at) => reverse(at, grid), near, fixed);
    if (fit.level && !known(fit)) minima.push({ mean: fit.mean, width: fit.width, value: fit.value });
  }
  return minima.sort((a, b) => a.value - b.value || a.mean - b.mean);
};

/** The least reverse divergence for each mean of the table. */
/** @param {State} state @param {ReturnType<typeof tabulate>} from @returns {number[][]} */
const landscapeOf = ({ fixed }, { table, means, widths, grid }) =>
  table.map((row, i) => {
    let at = { mean: means[i], width: widths[row.indexOf(Math.min(...row))] }, slope = reverse(at, grid);
    for (let count = 0; count < 2 && !fixed; count++) {
      at = { ...at, width: clamp(at.width * Math.exp(newton(slope, [false, true])[1]), MODEL_WIDTHS) };
      slope = reverse(at, grid);
    }
    return [at.mean, slope.value];
  });

/** The forward fit: the moments of p⋆, unless the model is cut. */
/** @param {State} state @param {Grid} grid @param {Moments} moments @returns {Fit} */
const forwardFit = ({ q, fixed, cutQ }, grid, moments) => {
  const start = { mean: moments.mean, width: fixed ? q.width : Math.sqrt(moments.square - moments.mean ** 2) };
  const { mean, width, value } = cutQ
    ? descend((at) => forward(at, grid, moments), start, fixed)
    : { ...start, value: forward(start, grid, moments).value };
  return { mean, width, value: Math.max(value, 0) };
};

/** Which density the cut leaves next to nothing of. @param {State} state @param {Grid} piece */
const lostBy = ({ q, mode, cutP, cutQ }, piece) => {
  if (cutP && massOf(piece.logP, piece) < LEAST_MASS) return "p⋆";
  return cutQ && mode !== "fits" && massOf(piece.x.map(logNormal(q)), piece) < LEAST_MASS ? "pθ" : "";
};

/** Everything the figure shows. @param {State} state @returns {Fits} */
export const solve = (state) => {
  const { p, q, fixed, cutP, cutQ, cut, mode } = state, own = mode !== "fits" || fixed ? [q.width] : [];
  const line = wholeLine(p, Math.min(spacing(p), ...own.map((width) => width / 2)), VIEW[1] + 7 * Math.max(widest(p), ...own));
  const piece = cutP || cutQ ? interval(p, cut[0], cut[1], line.h / 2) : line, lost = lostBy(state, piece);
  if (lost) return { forward: null, reverse: [], mine: [], landscape: [], line, lost };
  const forwards = cutP || !cutQ, reverses = cutQ || !cutP; // the directions that are not infinite
  const moments = momentsOf(cutP ? piece : line), mass = cutP ? Math.log(massOf(piece.logP, piece)) : 0;
  const grid = cutQ ? piece : line, from = reverses ? tabulate(state) : null;
  /** @param {number} value of D(q‖p⋆), were p⋆ not cut */
  const raised = (value) => Math.max(0, value + mass);
  return {
    forward: forwards ? forwardFit(state, grid, moments) : null,
    reverse: from ? reverseMinima(state, grid, from).map((fit) => ({ ...fit, value: raised(fit.value) })) : [],
    mine: [forwards ? Math.max(0, forward(q, grid, moments).value) : Infinity, reverses ? raised(reverse(q, grid).value) : Infinity],
    landscape: from ? landscapeOf(state, from).map(([mean, value]) => [mean, raised(value)]) : [],
    line,
    lost,
  };
};

// ---- Bins: equal ones over the view, and one to either side of it ----

/** @param {number} bins @returns {number[]} */
const insideEdges = (bins) => spaced(VIEW[0], VIEW[1], bins - 1);

/** The masses in the bins, of a density cut or not. @param {State} state @param {(x: number) => number} log @param {boolean} isCut */
const masses = ({ p, q, bins, cut }, log, isCut, far = VIEW[1] + 9 * Math.max(widest(p), q.width)) => {
  const edges = [-far, ...insideEdges(bins), far], h = Math.min(spacing(p), q.width / 8);
  const found = edges.slice(1).map((to, i) => {
    const [from, end] = isCut ? [clamp(edges[i], cut), clamp(to, cut)] : [edges[i], to];
    const { x, w } = end > from ? interval([], from, end, h) : { x: [], w: [] };
    return sum(x, (value, j) => w[j] * Math.exp(log(value)));
  });
  const total = sum(found, (value) => value);
  return found.map((value) => value / total);
};

/** Both divergences after p⋆ and q are put into bins, which can only lower them. @param {State} state @param {Normal} q */
export const binned = (state, q) => {
  const own = { ...state, q }, inP = masses(own, logDensity(state.p), state.cutP), inQ = masses(own, logNormal(q), state.cutQ);
  /** @param {number[]} a @param {number[]} b */
  const divergence = (a, b) => Math.max(0, sum(a, (value, i) => (value < 1e-15 ? 0 : value * Math.log(value / b[i]))));
  return [divergence(inP, inQ), divergence(inQ, inP)];
};

/** The density that is level in each bin. @param {State} state @param {(x: number) => number} log @param {boolean} isCut */
export const levelled = (state, log, isCut) => {
  const found = masses(state, log, isCut), edges = insideEdges(state.bins), width = edges[1] - edges[0];
  return (/** @type {number} */ x) => found[1 + Math.floor(clamp((x - VIEW[0]) / width, [0, edges.length - 1.001]))] / width;
};
