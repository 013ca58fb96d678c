// The search page: MiniSearch over the records of the book (search-records.js), as one types.
(() => {
  const [field, list, status] = ["search-query", "search-results", "search-status"].map((id) => document.getElementById(id));
  const MOST = 30;
  const KINDS = { statement: 1.5, section: 1, figure: 1, function: 0.7 };

  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const terms = (text) => plain(text).split(/[^\p{L}\p{N}⋆ℵ]+/u).filter(Boolean);

  const engine = new MiniSearch({
    fields: ["title", "trail", "words"],
    tokenize: terms,
    processTerm: (term) => (term.length > 4 ? term.replace(/(?:ing|ed|s)$/, "") : term), // seeks, seeking: one word
    searchOptions: { boost: { title: 5, trail: 0.5 } },
  });
  const records = BOOK.records.map(([address, title, trail, kind, words], id) => ({ id, address, title, trail, kind, words }));
  engine.addAll(records);
  const root = new URL("..", document.currentScript.src).href;

  // What was asked for, in the words of the book and in others.
  const phrases = BOOK.synonyms.map((group) => group.map((words) => terms(words).join(" ")));
  function variants(query) {
    const asked = ` ${terms(query).join(" ")} `;
    const others = phrases.flatMap((group) => {
      const said = group.filter((phrase) => asked.includes(` ${phrase} `)).sort((a, b) => b.length - a.length)[0];
      return said ? group.filter((phrase) => phrase !== said).map((phrase) => asked.replace(said, phrase).trim()) : [];
    });
    return [asked.trim(), ...others];
  }

  function search(query) {
    const options = {
      boostDocument: (id) => KINDS[records[id].kind],
      prefix: (term, i, all) => i === all.length - 1 && term.length > 1,
      fuzzy: (term) => (term.length > 4 ? 0.2 : false),
    };
    for (const combineWith of ["AND", "OR"]) {
      const queries = variants(query).map((words) => ({ queries: [words], combineWith, ...options }));
      const found = engine.search({ combineWith: "OR", queries }, options);
      if (found.length) return found;
    }
    return [];
  }

  // The words around the first that were found, with those marked. A term is letters and digits alone, and
  // may have lost an ending.
  function excerpt({ words }, found) {
    const marks = new RegExp(`(?<![\\p{L}\\p{N}])((?:${found.join("|")})(?:ing|ed|s)?)(?![\\p{L}\\p{N}])`, "giu");
    const first = Math.max(0, words.search(marks));
    const from = first < 80 ? 0 : words.lastIndexOf(" ", first - 60) + 1;
    const piece = words.slice(from, from + 220).replace(/\s\S*$/, "");
    const line = document.createElement("p");
    if (from) line.append("… ");
    for (const [i, part] of piece.split(marks).entries()) {
      if (i % 2) line.appendChild(document.createElement("mark")).textContent = part;
      else line.append(part);
    }
    if (from + piece.length < words.length) line.append(" …");
    return line;
  }

  function item(result) {
    const record = records[result.id];
    const entry = document.createElement("li");
    const link = entry.appendChild(document.createElement("a"));
    link.href = root + record.address;
    link.textContent = record.title;
    if (record.trail) {
      const trail = entry.appendChild(document.createElement("p"));
      trail.className = "search-trail";
      trail.textContent = record.trail;
    }
    if (record.words) entry.append(excerpt(record, result.terms));
    return entry;
  }

  function show() {
    const query = field.value.trim();
    const found = query ? search(query) : [];
    list.replaceChildren(...found.slice(0, MOST).map(item));
    const shown = found.length > MOST ? `, the first ${MOST} shown` : "";
    status.textContent = query ? `${found.length || "No"} place${found.length === 1 ? "" : "s"} found${shown}` : "";
  }

  field.value = new URLSearchParams(location.search).get("q") ?? "";
  field.addEventListener("input", () => {
    const address = new URL(location);
    address.searchParams.set("q", field.value);
    history.replaceState(null, "", address);
    show();
  });
  field.form.addEventListener("submit", (event) => event.preventDefault());
  field.focus();
  show();
})();
