// The controls under the picture: choices, buttons, and the same by numbers.

import { MOST_BUMPS, address, parse, short } from "./address.js";
import { add, remove } from "./handles.js";
import { python } from "./python.js";

/** @typedef {import("./main.js").Playground} Playground */
/** @typedef {import("./numerics.js").State} State */

const CHECKS = /** @type {const} */ (["fixed", "cutP", "cutQ"]);
const CHOICES = /** @type {const} */ (["mode", "bins", "goal"]);

/** @param {HTMLElement} root @param {string} name @returns {HTMLInputElement | null} */
const field = (root, name) => root.querySelector(`[name=${name}]`);

/** @param {HTMLElement} root @param {string} name @returns {HTMLButtonElement | null} */
const button = (root, name) => root.querySelector(`[data-do=${name}]`);

/** What the controls show of a state. @param {Playground} ground */
export const showControls = ({ root, state, open, hidden }) => {
  for (const name of CHECKS) { const box = field(root, name); if (box) box.checked = state[name]; }
  for (const name of CHOICES) { const list = field(root, name); if (list) list.value = String(state[name]); }
  const { mode } = state, finds = mode === "find", plays = finds || mode === "shape";
  const shown = { add: !finds, remove: !finds, check: !open, again: plays, goal: mode === "shape", python: !hidden };
  for (const [name, is] of Object.entries(shown)) {
    const element = button(root, name) ?? field(root, name)?.closest("label");
    if (element) element.hidden = !is;
  }
  const more = button(root, "add"), less = button(root, "remove");
  if (more) more.disabled = state.p.length === MOST_BUMPS;
  if (less) less.disabled = state.p.length === 1;
  showNumbers(root, state);
};

/** A row for each bump, one for the model where it is the reader's. @param {State} state @returns {[string, number[]][]} */
const rowsOf = ({ p, q, mode, fixed }) => [
  ...(mode === "find" ? [] : p.map(numbersOf)),
  ...(mode !== "fits" || fixed ? [/** @type {[string, number[]]} */ (["pθ", [q.mean, q.width]])] : []),
];

/** @param {import("./numerics.js").Bump} bump @param {number} i @returns {[string, number[]]} */
const numbersOf = ({ mean, width, weight }, i) => [`bump ${i + 1}`, [mean, width, weight]];

/** The fields are kept while their number stays, and with them the focus. @param {HTMLElement} root @param {State} state */
const showNumbers = (root, state) => {
  const table = root.querySelector("tbody"), rows = rowsOf(state), names = rows.map(([name]) => name).join();
  if (!table?.closest("details")?.open) return; // what is folded costs a layout of its own
  if (table.dataset.names !== names) table.replaceChildren(...rows.map(([name, values]) => row(name, values.length)));
  table.dataset.names = names;
  const values = rows.flatMap(([, values]) => values);
  table.querySelectorAll("input").forEach((input, i) => (input.value = short(values[i])));
};

/** @param {string} name @param {number} length */
const row = (name, length) => {
  const line = document.createElement("tr");
  line.append(Object.assign(document.createElement("th"), { scope: "row", textContent: name }));
  for (const what of ["mean", "width", "weight"].slice(0, length)) {
    const input = Object.assign(document.createElement("input"), { type: "number", step: "any", ariaLabel: `${what} of ${name}` });
    line.appendChild(document.createElement("td")).append(input);
  }
  return line;
};

/** The address that the numbers in the table stand for. @param {Playground} ground */
const addressOfNumbers = ({ root, state }) => {
  const rows = [...root.querySelectorAll("tbody tr")].map((line) => [...line.querySelectorAll("input")].map((input) => input.value));
  const bumps = rows.filter((values) => values.length === 3), own = rows.find((values) => values.length === 2);
  const fields = new URLSearchParams(address(state).slice(1));
  if (bumps.length) fields.set("p", bumps.map(([mean, width, weight]) => [weight, mean, width]).join(";"));
  if (own) fields.set("q", own.join());
  return String(fields);
};

/** Show the lines, and hand them to whoever pastes. @param {Playground} ground */
const copyPython = async (ground) => {
  const text = python(ground.state, ground.fits);
  ground.lines.textContent = text;
  ground.lines.hidden = false;
  const copied = await navigator.clipboard?.writeText(text).then(() => true, () => false);
  ground.say(copied ? "Copied. The lines stand below too." : "The lines stand below: select and copy them.");
};

/** What the buttons do. @type {Record<string, (ground: Playground) => void>} */
const ACTIONS = {
  add: (ground) => (add(ground.state), ground.settle()),
  remove: (ground) => (remove(ground.state, ground.state.p.length - 1), ground.settle()),
  again: (ground) => ground.play({ seed: (ground.state.seed * 7 + 1) % 1e6 }),
  reset: (ground) => (ground.begin(parse(ground.start)), ground.settle()),
  check: (ground) => ground.check(),
  python: copyPython,
};

/** @param {Playground} ground */
export const listenToControls = (ground) => {
  const { root } = ground;
  root.addEventListener("click", ({ target }) => {
    const name = /** @type {HTMLElement} */ (target).closest("[data-do]")?.getAttribute("data-do");
    if (name) ACTIONS[name](ground);
  });
  root.addEventListener("toggle", () => showControls(ground), true);
  root.addEventListener("change", ({ target }) => {
    const { name, value, checked } = /** @type {HTMLInputElement} */ (target);
    if (name === "mode") return ground.play({ mode: value, seed: Date.now() % 1e6 });
    if (!name) return ground.change(parse(addressOfNumbers(ground)));
    Object.assign(ground.state, { [name]: name in { bins: 0, goal: 0 } ? +value : checked });
    ground.settle();
  });
};
