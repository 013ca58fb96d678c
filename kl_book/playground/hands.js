// Fingers, mouse, wheel and keys on the handles.

import { remove, handlesOf, move, press } from "./handles.js";
import { DENSITIES, fromLeft } from "./picture.js";

/** @typedef {import("./main.js").Playground} Playground */

/** Which handle an event is on. @param {Playground} ground @param {Event} event */
const handleAt = ({ marks }, { target }) => [...marks.children].findIndex((mark) => mark.contains(/** @type {Node} */ (target)));

/** Where a pointer is, in x and in density. @param {Playground} ground @param {PointerEvent} event */
const placeOf = ({ svg, width, panel }, event) => {
  const box = svg.getBoundingClientRect(), scale = width / box.width;
  const down = (event.clientY - box.top) * scale - DENSITIES.top;
  return { x: fromLeft((event.clientX - box.left) * scale, width), y: (1 - down / DENSITIES.height) * panel.most };
};

/** @param {Playground} ground @param {number} index @param {number} factor */
const widen = ({ state }, index, factor) => {
  const spread = handlesOf(state)[index]?.spread;
  if (spread) move(spread, spread.value * factor);
};

/** One finger drags a handle from where it took hold of it, two pinch its width. @param {Playground} ground */
const listenToPointers = (ground) => {
  const { svg } = ground;
  /** @type {Map<number, PointerEvent>} */
  const pointers = new Map();
  let grip = { x: 0, y: 0 };
  const apart = () => { const [a, b] = [...pointers.values()]; return b ? Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY) : 0; };
  svg.addEventListener("pointerdown", (event) => {
    if (!pointers.size) ground.held = handleAt(ground, event);
    if (ground.held < 0) return;
    event.preventDefault();
    pointers.set(event.pointerId, event);
    svg.setPointerCapture(event.pointerId);
    const handle = handlesOf(ground.state)[ground.held], at = placeOf(ground, event);
    grip = { x: handle.x - at.x, y: handle.y - at.y };
    /** @type {SVGElement} */ (ground.marks.children[ground.held]).focus();
  });
  svg.addEventListener("pointermove", (event) => {
    if (!pointers.has(event.pointerId)) return;
    const before = apart(), at = placeOf(ground, event);
    pointers.set(event.pointerId, event);
    if (before) widen(ground, ground.held, apart() / before);
    else handlesOf(ground.state)[ground.held].drag(at.x + grip.x, at.y + grip.y);
    ground.draw();
  });
  const release = (/** @type {PointerEvent} */ event) => { if (pointers.delete(event.pointerId) && !pointers.size) ground.settle(true); };
  svg.addEventListener("pointerup", release);
  svg.addEventListener("pointercancel", release);
};

/** @param {Playground} ground */
export const listenToHands = (ground) => {
  listenToPointers(ground);
  ground.svg.addEventListener("wheel", (event) => {
    const index = handleAt(ground, event);
    if (index < 0) return;
    event.preventDefault();
    widen(ground, index, Math.exp(-event.deltaY / 500));
    ground.settle(true);
  }, { passive: false });
  ground.svg.addEventListener("keydown", (event) => {
    const index = handleAt(ground, event), handle = handlesOf(ground.state)[index];
    if (!handle) return;
    if (event.key === "Delete" && handle.look === "p") remove(ground.state, index / 2);
    else if (!press(handle, event)) return;
    event.preventDefault();
    ground.settle(true);
  });
};
