// What the theme's own scripts did inline, and what a reader with a keyboard or a printer needs.

function keep(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {} // a browser that keeps nothing: the choice holds on this page
}

// Buttons.
const actions = {
  print: () => window.print(),
  "full-screen": () =>
    document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen(),
};
for (const button of document.querySelectorAll("[data-action]")) {
  button.addEventListener("click", actions[button.dataset.action]);
}

// What is unfolded, as `first-paint.js` does it for the next page.
const reading = document.querySelector(".reading-mode select");
if (reading) {
  const opens = { read: ":not(*)", code: ".kl-code", everything: "*" };
  reading.value = document.documentElement.dataset.reading || "read";
  reading.addEventListener("change", () => {
    keep("reading", reading.value);
    for (const fold of document.querySelectorAll("article details")) fold.open = fold.matches(opens[reading.value]);
  });
}

// The colour mode: the button says which it is, and each press brings the next.
const root = document.documentElement;
const modes = { auto: "as the system", light: "light", dark: "dark" };
const systemDark = matchMedia("(prefers-color-scheme: dark)");
const modeButton = document.querySelector(".kl-mode");
function showMode(mode) {
  root.dataset.mode = mode;
  root.dataset.theme = mode === "auto" ? (systemDark.matches ? "dark" : "light") : mode;
  modeButton.setAttribute("aria-label", `Colour mode: ${modes[mode]}`);
  modeButton.title = `Colour mode: ${modes[mode]}`;
}
modeButton.addEventListener("click", () => {
  const names = Object.keys(modes);
  const mode = names[(names.indexOf(root.dataset.mode) + 1) % names.length];
  keep("mode", mode);
  showMode(mode);
});
systemDark.addEventListener("change", () => showMode(root.dataset.mode));
showMode(root.dataset.mode);

// The list of chapters is a popover that opens and closes without this script, which closes it on use, and folds
// it away beside a wide page.
const chapters = document.getElementById("chapters");
const besideChapters = matchMedia("(min-width: 992px)");
chapters.addEventListener("click", (event) => event.target.closest("a") && chapters.hidePopover());
besideChapters.addEventListener("change", () => chapters.hidePopover());
document.querySelector(".kl-open-chapters").addEventListener("click", (event) => {
  if (!besideChapters.matches) return;
  event.preventDefault();
  chapters.classList.toggle("kl-folded");
});

// The section that one reads is marked in the contents.
const sections = new Map();
for (const link of document.querySelectorAll(".page-toc a")) {
  sections.set(document.getElementById(decodeURIComponent(link.hash.slice(1))), link);
}
const reader = new IntersectionObserver(
  (changes) => {
    for (const { target, isIntersecting } of changes) sections.get(target).classList.toggle("active", isIntersecting);
  },
  { rootMargin: "-15% 0px -85%" },
);
for (const section of sections.keys()) if (section) reader.observe(section);

// Code can be taken along, without the prompts and what they print.
for (const code of navigator.clipboard ? document.querySelectorAll("article div.highlight") : []) {
  if (code.closest(".cell_output")) continue;
  const button = Object.assign(document.createElement("button"), { type: "button", className: "copybtn", textContent: "Copy" });
  button.addEventListener("click", async () => {
    const text = code.querySelector("pre").cloneNode(true);
    for (const other of text.querySelectorAll(".gp, .go")) other.remove();
    await navigator.clipboard.writeText(text.textContent.trim() + "\n");
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  code.append(button);
}

// The menu closes when one leaves it.
for (const menu of document.querySelectorAll("details.run-chapter")) {
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}

// What is wider than the page scrolls inside itself; the keyboard must reach it to scroll it.
const wide = {
  ".math-scroll": "Wide formula",
  ".kl-picture": "Wide figure",
  ".pst-scrollable-table-container": "Wide table",
  "pre": "Wide code",
  ".cell_output .output": "Wide output",
};
function reachWide() {
  for (const [selector, label] of Object.entries(wide)) {
    for (const box of document.querySelectorAll(selector)) {
      const scrolls = box.scrollWidth > box.clientWidth + 1;
      box.toggleAttribute("data-wide", scrolls);
      if (scrolls) {
        box.tabIndex = 0;
        box.setAttribute("role", "group");
        box.setAttribute("aria-label", label);
      } else {
        for (const attribute of ["tabindex", "role", "aria-label"]) box.removeAttribute(attribute);
      }
    }
  }
}
new ResizeObserver(reachWide).observe(document.getElementById("main-content"));
document.addEventListener("toggle", reachWide, true);

// Paper is white and has no buttons: print in light colours what is folded, and fold it again.
const folded = "article details:not([open])";
const { dataset } = document.documentElement;
let shown;
addEventListener("beforeprint", () => {
  shown ??= dataset.theme;
  dataset.theme = "light";
  for (const box of document.querySelectorAll(folded)) {
    box.open = true;
    box.dataset.printed = "";
  }
});
addEventListener("afterprint", () => {
  dataset.theme = shown ?? dataset.theme;
  shown = undefined;
  for (const box of document.querySelectorAll("[data-printed]")) {
    box.open = false;
    delete box.dataset.printed;
  }
});

// A link to what is folded opens it.
function openTarget() {
  const target = document.querySelector(":target");
  const box = target && target.closest("details:not([open])");
  if (!box) return;
  box.open = true;
  target.scrollIntoView();
}
addEventListener("hashchange", openTarget);
openTarget();
