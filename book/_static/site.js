// What the theme's own scripts did inline, and what a reader with a keyboard or a printer needs.

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
    try {
      localStorage.setItem("reading", reading.value);
    } catch {} // a browser that keeps nothing: the switch serves this page
    for (const fold of document.querySelectorAll("article details")) fold.open = fold.matches(opens[reading.value]);
  });
}

// On a wide screen the chapter list stands beside the page and folds away; on a narrow one the theme opens it
// as a dialog.
const sidebar = document.getElementById("pst-primary-sidebar");
document.querySelector(".primary-toggle")?.addEventListener(
  "click",
  (event) => {
    if (!matchMedia("(min-width: 992px)").matches) return;
    event.stopImmediatePropagation();
    sidebar.classList.toggle("pst-sidebar-hidden");
  },
  true,
);

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
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const box = target && target.closest("details:not([open])");
  if (!box) return;
  box.open = true;
  target.scrollIntoView();
}
addEventListener("hashchange", openTarget);
openTarget();
