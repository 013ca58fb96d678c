// Runs before the first paint: the page appears in the reader's colour mode at once, its formulas in their fonts.
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
