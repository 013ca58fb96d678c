// The playground: p⋆ is a mixture of normals under the reader's fingers, and the normals nearest to it in both
// directions follow.

import { address, balanced, parse } from "./address.js";
import { add, handlesOf, place, press, remove } from "./handles.js";
import { clamp, solve } from "./numerics.js";
import { DENSITIES, HEIGHT, SMALL_HEIGHT, ceiling, curves, drawDensities, drawIntegrands, drawLandscape, fromLeft, shape } from "./picture.js";
import { describe, nats, python } from "./words.js";

/** @typedef {import("./numerics.js").State} State */
/** @typedef {import("./numerics.js").Fits} Fits */

/** A truth to be found, the same for everybody who follows the address. @param {number} seed */
const hidden = (seed) => {
  let state = seed >>> 0;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  random();
  const round = (/** @type {number} */ value) => Math.round(value * 100) / 100;
  return balanced(Array.from({ length: 1 + Math.floor(random() * 3) }, () => ({
    weight: round(0.2 + random()), mean: round(-4 + 8 * random()), width: round(0.5 + 1.3 * random()),
  })));
};

/** @param {HTMLElement} root */
const enliven = (root) => {
  /** @template {HTMLElement} T @param {string} selector @returns {T} */
  const part = (selector) => /** @type {T} */ (root.querySelector(selector));
  const small = root.hasAttribute("data-small");
  const start = root.dataset.address ?? "";
  let { state, notice } = parse(start);
  /** @type {Fits} */
  let fits;
  let moves = 0, revealed = true, pending = 0, dragged = -1, top = 1, verdict = "";

  const svg = shape("svg", { role: "group", "aria-label": "The densities, with handles that move them", class: "kl-live" });
  const drawn = svg.appendChild(shape("g", {})), marks = svg.appendChild(shape("g", {}));
  const box = part(".kl-picture"), summary = part(".kl-summary"), message = part(".kl-notice");
  const width = () => clamp(Math.floor(box.clientWidth), [280, 760]);

  const show = () => {
    pending = 0;
    fits = solve(state);
    const hides = state.mode === "find" && !revealed, counts = state.mode === "shape" && !revealed;
    const pictured = curves(state, fits), across = width(), tall = small || hides || counts ? SMALL_HEIGHT : HEIGHT;
    if (dragged < 0) top = ceiling(pictured, hides);
    const panel = { ...DENSITIES, least: 0, most: top };
    svg.setAttribute("viewBox", `0 0 ${across} ${tall}`);
    svg.setAttribute("width", String(across));
    svg.setAttribute("height", String(tall));
    drawn.replaceChildren(...drawDensities(state, pictured, across, panel, hides),
      ...(tall === HEIGHT ? [...drawIntegrands(state, fits, pictured, across), ...drawLandscape(fits, across)] : []));
    place(marks, handlesOf(hides ? state : { ...state, mode: state.mode === "find" ? "hand" : state.mode }), across, panel);
    summary.textContent = hides ? `Forward divergence ${nats(fits.mine[0])} nats after ${moves} moves.`
      : counts ? `Make the forward divergence ${state.goal} nats, then check.` : `${verdict}${describe(state, fits)}`;
    message.textContent = notice;
    message.hidden = !notice;
    Object.assign(root, { fits, state });
    controls();
  };
  const draw = () => (pending ||= requestAnimationFrame(show));

  /** What a change leaves behind: the address, and one move of the game. */
  const settle = () => {
    dragged = -1;
    if (!revealed) moves++;
    notice = "";
    if (!small) history.replaceState(null, "", address(state));
    draw();
  };

  /** @param {{state: State, notice: string}} next */
  const begin = (next) => {
    ({ state, notice } = next);
    [moves, verdict, revealed] = [0, "", state.mode === "fits" || state.mode === "hand"];
    if (state.mode === "find") state.p = hidden(state.seed);
    draw();
  };

  // The controls beside the picture.
  const field = (/** @type {string} */ name) => /** @type {HTMLInputElement | null} */ (root.querySelector(`[name=${name}]`));
  const button = (/** @type {string} */ name) => /** @type {HTMLButtonElement | null} */ (root.querySelector(`[data-do=${name}]`));
  const controls = () => {
    for (const name of /** @type {const} */ (["fixed", "cutP", "cutQ"])) { const box = field(name); if (box) box.checked = state[name]; }
    for (const name of /** @type {const} */ (["mode", "bins", "goal"])) { const choice = field(name); if (choice) choice.value = String(state[name]); }
    /** @type {Record<string, boolean>} */
    const shown = { add: state.mode !== "find", remove: state.mode !== "find" && state.p.length > 1, check: !revealed, again: state.mode === "find" || state.mode === "shape", goal: state.mode === "shape" };
    for (const [name, is] of Object.entries(shown)) { const element = button(name) ?? field(name)?.closest("label"); if (element) element.hidden = !is; }
    const add = button("add");
    if (add) add.disabled = state.p.length === 5;
    numbers();
  };

  /** The same by numbers: a row for each bump, one for the model where its width is the reader's. */
  const numbers = () => {
    const table = root.querySelector("tbody"), focus = document.activeElement;
    if (!table || table.contains(focus)) return;
    const rows = state.mode === "find" && !revealed ? [] : state.p.map((bump, i) => [`bump ${i + 1}`, bump.mean, bump.width, bump.weight]);
    if (state.mode !== "fits" || state.fixed) rows.push(["pθ", state.q.mean, state.q.width]);
    table.replaceChildren(...rows.map(([name, ...values]) => {
      const row = document.createElement("tr");
      row.append(Object.assign(document.createElement("th"), { scope: "row", textContent: name }), ...values.map((value, i) => {
        const cell = document.createElement("td"), input = document.createElement("input");
        Object.assign(input, { type: "number", step: "any", value: String(+(+value).toFixed(4)), ariaLabel: `${["mean", "width", "weight"][i]} of ${name}` });
        cell.append(input);
        return cell;
      }));
      return row;
    }));
  };
  root.querySelector("tbody")?.addEventListener("change", () => {
    const rows = [...root.querySelectorAll("tbody tr")].map((row) => [...row.querySelectorAll("input")].map((input) => input.value));
    const bumps = rows.filter((row) => row.length === 3), own = rows.find((row) => row.length === 2);
    const fields = new URLSearchParams(address(state).slice(1));
    if (bumps.length) fields.set("p", bumps.map(([mean, width, weight]) => [weight, mean, width]).join(";"));
    if (own) fields.set("q", own.join());
    const next = parse(decodeURIComponent(fields.toString()));
    settle();
    ({ state, notice } = next);
  });

  root.addEventListener("change", ({ target }) => {
    const { name, value, checked } = /** @type {HTMLInputElement} */ (target);
    if (name === "mode") begin({ state: { ...state, mode: value, seed: Date.now() % 1e6 }, notice: "" });
    if (name === "fixed" || name === "cutP" || name === "cutQ") state[name] = checked;
    if (name === "bins" || name === "goal") state[name] = +value;
    if (name) settle();
  });

  /** @type {Record<string, () => void>} */
  const actions = {
    add: () => add(state),
    remove: () => remove(state, state.p.length - 1),
    again: () => begin({ state: { ...state, seed: (state.seed * 7 + 1) % 1e6 }, notice: "" }),
    reset: () => begin(parse(start)),
    check: () => {
      const best = fits.forward?.value ?? 0, [yours] = fits.mine;
      verdict = state.mode === "find" ? `After ${moves} moves yours is ${nats(yours)} nats away, the best ${nats(best)}. `
        : `Yours is ${nats(yours)} nats away where ${state.goal} was asked. `;
      revealed = true;
    },
    python: async () => {
      const text = python(state, fits), shown = part("pre");
      shown.textContent = text;
      shown.hidden = false;
      await navigator.clipboard?.writeText(text).catch(() => {});
    },
  };
  root.addEventListener("click", ({ target }) => {
    const name = /** @type {HTMLElement} */ (target).closest("[data-do]")?.getAttribute("data-do");
    if (!name) return;
    actions[name]();
    if (name === "check") draw();
    else if (name !== "python") settle();
  });

  // Fingers, mouse and wheel.
  /** @type {Map<number, PointerEvent>} */
  const pointers = new Map();
  const handle = (/** @type {EventTarget | null} */ target) => [...marks.children].findIndex((mark) => mark.contains(/** @type {Node} */ (target)));
  const current = () => handlesOf(state.mode === "find" && revealed ? { ...state, mode: "hand" } : state);
  const pinch = () => { const [a, b] = [...pointers.values()]; return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY); };
  /** @param {number} index @param {number} factor */
  const widen = (index, factor) => { const spread = current()[index]?.spread; spread?.set(clamp(spread.value * factor, spread.range)); };
  svg.addEventListener("pointerdown", (event) => {
    if (!pointers.size) dragged = handle(event.target);
    if (dragged < 0) return;
    event.preventDefault();
    pointers.set(event.pointerId, event);
    svg.setPointerCapture(event.pointerId);
    /** @type {SVGElement} */ (marks.children[dragged]).focus();
  });
  svg.addEventListener("pointermove", (event) => {
    if (!pointers.has(event.pointerId)) return;
    const before = pointers.size > 1 ? pinch() : 0;
    pointers.set(event.pointerId, event);
    const box = svg.getBoundingClientRect(), scale = width() / box.width;
    if (before) widen(dragged, pinch() / before);
    else current()[dragged].drag(fromLeft((event.clientX - box.left) * scale, width()), (1 - ((event.clientY - box.top) * scale - DENSITIES.top) / DENSITIES.height) * top);
    draw();
  });
  for (const name of /** @type {const} */ (["pointerup", "pointercancel"]))
    svg.addEventListener(name, (event) => { if (pointers.delete(event.pointerId) && !pointers.size) settle(); });
  svg.addEventListener("wheel", (event) => {
    const index = handle(event.target);
    if (index < 0) return;
    event.preventDefault();
    widen(index, Math.exp(-event.deltaY / 500));
    settle();
  }, { passive: false });
  svg.addEventListener("keydown", (event) => {
    const index = handle(event.target), handles = current();
    if (index < 0) return;
    const bump = handles[index].look === "p" ? index / 2 : -1;
    if (event.key === "Delete" && bump >= 0) remove(state, bump);
    else if (!press(handles[index], event)) return;
    event.preventDefault();
    settle();
  });

  const mine = () => !small && /[#&](p|seed|mode|q|of|bins|fixed)\b/.test(location.hash);
  addEventListener("hashchange", () => { if (mine()) begin(parse(location.hash)); });
  new ResizeObserver(draw).observe(box);
  box.replaceChildren(svg);
  for (const element of root.querySelectorAll(".kl-controls")) /** @type {HTMLElement} */ (element).hidden = false;
  // For whoever asks from a script: the answer to any address.
  Object.assign(root, { solve: (/** @type {string} */ address) => solve(parse(address).state) });
  begin(mine() ? parse(location.hash) : parse(start));
};

for (const root of document.querySelectorAll(".kl-playground")) enliven(/** @type {HTMLElement} */ (root));
