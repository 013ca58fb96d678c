// Runs before the first paint: the page appears in the reader's colour mode at once, its formulas in their fonts,
// its folds open or closed as the reader wants them.
{
  const read = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };
  const mode = read("mode") || "auto";
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.mode = mode;
  document.documentElement.dataset.theme = mode === "auto" ? (dark ? "dark" : "light") : mode;

  // Folds are set while the page is parsed: what is seen never moves.
  const folds = { code: ".kl-code", everything: "article details" }[read("reading")];
  if (folds) {
    document.documentElement.dataset.reading = read("reading");
    const parsed = new MutationObserver(() => {
      for (const fold of document.querySelectorAll(`:is(${folds}):not([open])`)) fold.open = true;
    });
    parsed.observe(document, { childList: true, subtree: true });
    addEventListener("DOMContentLoaded", () => parsed.disconnect());
  }

  // Not by a tag in the page: browsers refuse to preload a font from a plain folder, and say so.
  const { src, dataset } = document.currentScript;
  if (location.protocol !== "file:" && dataset.fonts) {
    for (const font of dataset.fonts.split(" ")) {
      const href = new URL(`fonts/${font}.woff2`, src).href;
      const link = Object.assign(document.createElement("link"), { rel: "preload", as: "font", href });
      link.type = "font/woff2";
      link.crossOrigin = "";
      document.head.append(link);
    }
  }
}
