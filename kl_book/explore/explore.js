// Brings the figures made by kl_book.explore to life: a control moves, another frame shows.
// The frames come drawn; this script unpacks what differs between them and puts it in place.
(() => {
  "use strict";

  // "1acQb": differences of the order that the first digit tells, in base 26. A number is some capitals
  // and one small letter, its lowest bit the sign.
  const unpackNumbers = (packed) => {
    const numbers = [];
    for (let i = 1, value = 0; i < packed.length; i++) {
      const code = packed.charCodeAt(i), small = code >= 97;
      value = value * 26 + code - (small ? 97 : 65);
      if (!small) continue;
      numbers.push(value % 2 ? -(value + 1) / 2 : value / 2);
      value = 0;
    }
    for (let order = +packed[0]; order > 0; order--)
      for (let i = 1; i < numbers.length; i++) numbers[i] += numbers[i - 1];
    return numbers.map((number) => number / 100);
  };

  // "M1L199z:<xs>:<ys>": the commands of a path with the number of points of each, and the points.
  const unpackPath = (packed) => {
    const [shape, ...axes] = packed.split(":");
    const [xs, ys] = axes.map(unpackNumbers);
    let next = 0;
    return shape.replace(/([A-Z])(\d+)/g, (_, command, count) => {
      const points = [];
      for (const end = next + +count; next < end; next++) points.push(xs[next] + " " + ys[next]);
      return command + points.join(" ");
    });
  };

  const unpack = (name, value) => {
    if (value === null || (name && name !== "d")) return value;
    return name ? unpackPath(value) : value.replace(/( d=")([^"]*)/g, (_, d, packed) => d + unpackPath(packed));
  };

  // A column is one place in the picture that changes: an attribute, or all that an element holds.
  // Its path begins with the number of the face: the picture as wide as the text, or the one for a phone.
  const makeColumn = (faces, [[face, ...path], name, values, frames]) => {
    const svg = faces[face];
    const element = path.reduce((node, index) => node.children[index], svg);
    const unpacked = [];
    let shown;
    return (frame, inSight) => {
      if (!inSight.has(svg)) return;
      const index = frames[frame];
      if (index === shown) return;
      shown = index;
      if (!(index in unpacked)) unpacked[index] = unpack(name, values[index]);
      const value = unpacked[index];
      if (!name) element.innerHTML = value;
      else if (value === null) element.removeAttribute(name);
      else element.setAttribute(name, value);
    };
  };

  const enliven = (figure) => {
    const controls = figure.querySelector(".kl-controls");
    const inputs = [...controls.querySelectorAll("input, select")];
    const summary = figure.querySelector(".kl-summary");
    const play = figure.querySelector(".kl-play");
    const position = (input) => (input.matches("select") ? input.selectedIndex : +input.value);
    const move = (input, to) => (input[input.matches("select") ? "selectedIndex" : "value"] = to);
    const initial = inputs.map(position);
    let touched = false; // until then Play starts at the first frame
    let data, columns; // read when first needed: a page opens as fast as with still figures

    const read = () => (data ||= JSON.parse(figure.dataset.frames));
    // A number is found however many decimals its slider shows.
    const plain = (text) => (isNaN(text.replace("−", "-")) ? text : String(+text.replace("−", "-")));
    const find = (index, value) => read().sliders[index][1].map(plain).indexOf(plain(value));

    const faces = [...figure.querySelectorAll("svg")];
    const show = (shown = faces.filter((svg) => svg.getClientRects().length)) => {
      columns ||= read().columns.map((column) => makeColumn(faces, column));
      let frame = 0;
      inputs.forEach((input, i) => {
        const [label, values] = data.sliders[i];
        const text = values[position(input)];
        frame = frame * values.length + position(input);
        if (input.matches("select")) return;
        input.setAttribute("aria-valuetext", `${label} = ${text}`);
        input.nextElementSibling.textContent = text;
      });
      const inSight = new Set(shown);
      for (const column of columns) column(frame, inSight);
      if (data.summaries) summary.textContent = data.summaries[frame];
    };

    const set = () => {
      touched = true;
      pause();
      show();
    };

    for (const input of inputs) {
      input.addEventListener("input", set);
      input.addEventListener("pointerdown", () => pause());
      input.addEventListener("keydown", (event) => {
        if (event.key !== "Tab") pause();
        const direction = { PageUp: 1, PageDown: -1 }[event.key];
        if (!direction || input.matches("select")) return;
        event.preventDefault();
        move(input, position(input) + direction * Math.max(1, Math.round(input.max / 10)));
        set();
      });
    }

    // Played once through in about six seconds, unless the reader asks for less motion: then one press
    // of the button is one step.
    const still = matchMedia("(prefers-reduced-motion: reduce)");
    const range = controls.querySelector("input");
    let timer;
    const name = () => (play.textContent = timer ? "Pause" : still.matches ? "Step" : "Play");
    const atEnd = () => range.value === range.max;
    const step = () => {
      range.value = atEnd() || !touched ? 0 : +range.value + 1;
      touched = true;
      show();
    };
    const pause = () => {
      if (!timer) return;
      timer = clearInterval(timer);
      summary?.setAttribute("aria-live", "polite");
      show(); // written again, the summary is read out
      name();
    };
    const start = () => {
      step();
      if (still.matches) return;
      summary?.setAttribute("aria-live", "off");
      timer = setInterval(() => (atEnd() ? pause() : step()), Math.min(400, Math.max(60, 6000 / range.max)));
      name();
    };
    if (play) {
      play.addEventListener("click", () => (timer ? pause() : start()));
      still.addEventListener("change", () => (pause(), name()));
      name();
    }

    figure.querySelector(".kl-reset").addEventListener("click", () => {
      pause();
      inputs.forEach((input, i) => move(input, initial[i]));
      show();
      touched = false;
    });

    // Words of the caption that stand for values become links that set them.
    const numbered = figure.closest(".kl-numbered");
    numbered?.querySelectorAll("span.kl-set").forEach((words) => {
      const link = document.createElement("a");
      link.className = "kl-set";
      link.href = "#" + numbered.id;
      link.dataset.set = words.dataset.set;
      link.append(...words.childNodes);
      words.replaceWith(link);
      link.addEventListener("click", (event) => {
        event.preventDefault();
        for (const [name, value] of new URLSearchParams(link.dataset.set)) {
          const index = inputs.findIndex((input) => input.name === name);
          move(inputs[index], find(index, value));
        }
        set();
        figure.scrollIntoView({ block: "nearest" });
      });
    });
    // The face out of sight follows when it comes into sight.
    new ResizeObserver(() => columns && show()).observe(figure);
    addEventListener("beforeprint", () => columns && show(faces));
    controls.removeAttribute("style");
  };

  const begin = () => document.querySelectorAll(".kl-figure[data-frames]").forEach(enliven);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
