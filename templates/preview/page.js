"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const body = document.body;
  const live = body.dataset.live;
  const limit = Number(body.dataset.limit);
  const pictures = JSON.parse(byId("pictures").textContent);
  const packed = new Map();
  const opened = new Map();
  let version = Number(body.dataset.version);
  for (const holder of document.querySelectorAll("script[data-sheet]")) {
    packed.set(holder.dataset.sheet, holder.textContent.trim());
  }

  // --- What is chosen, kept in the address so that a reload shows the same -----------------

  const NAMES = ["region", "reader", "view", "layout", "guise"];
  const radios = (name) => [...document.querySelectorAll(`input[name="${name}"]`)];
  const chosen = (name) => radios(name).find((radio) => radio.checked)?.value ?? "";
  function choose(name, value) {
    const radio = radios(name).find((each) => each.value === value);
    if (radio) radio.checked = true;
    return Boolean(radio);
  }
  function remember() {
    history.replaceState(null, "", "#" + NAMES.map((name) => chosen(name)).join("/"));
  }
  location.hash.slice(1).split("/").forEach((value, at) => NAMES[at] && choose(NAMES[at], value));

  // --- Sheets -------------------------------------------------------------------------------

  function sheet(region) {
    if (!opened.has(region)) opened.set(region, unpack(packed.get(region)));
    return opened.get(region);
  }
  async function unpack(text) {
    const bytes = Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Response(stream).json();
  }
  const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;" };
  const escaped = (text) => text.replace(/[&<>"']/g, (each) => ENTITIES[each]);
  function joinHtml(pieces, fields) {
    return pieces
      .map((piece) => {
        if (typeof piece === "string") return piece;
        return "s" in piece ? escaped(fields[piece.s] ?? "") : pictures[piece.p] ?? "";
      })
      .join("");
  }
  function joinText(pieces, fields) {
    return pieces
      .map((piece) =>
        typeof piece === "string"
          ? piece
          : (fields[piece.s] ?? "").split(/\s+/).filter(Boolean).join(" "),
      )
      .join("");
  }
  async function fetchPictures(pieces) {
    const missing = pieces.filter((piece) => piece.p && !(piece.p in pictures)).map((one) => one.p);
    if (!live) return;
    for (const name of new Set(missing)) {
      const answer = await fetch(`${live}picture/${name}`);
      pictures[name] = answer.ok ? await answer.text() : "";
    }
  }

  // --- Drawing ------------------------------------------------------------------------------

  const stage = byId("stage");
  function element(tag, properties = {}, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }
  // Only what a page or a mail program opens is a link here; anything else stays text.
  function link(url) {
    if (!/^(https?|mailto):/i.test(url)) return document.createTextNode(url);
    return element("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, url);
  }
  // What a change leaves as it was stays in the frame, pictures too: only the rest is drawn anew.
  // A document that was parsed has no window: nothing in it runs, and nothing of it is fetched.
  let parsed = { markup: "", document: null };
  function parse(markup) {
    if (parsed.markup !== markup) {
      parsed = { markup, document: new DOMParser().parseFromString(markup, "text/html") };
    }
    return parsed.document;
  }
  function isSameKind(one, other) {
    return one.nodeType === other.nodeType && one.nodeName === other.nodeName;
  }
  function patch(old, fresh) {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      old.data = fresh.data;
      return;
    }
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    for (const attribute of fresh.attributes) {
      // A slip in a template makes names that setAttribute refuses; the parser has taken them.
      if (old.getAttribute(attribute.name) !== attribute.value) old.setAttributeNode(attribute.cloneNode());
    }
    const olds = [...old.childNodes];
    const news = [...fresh.childNodes];
    let kept = 0;
    while (olds.length && news.length && olds[0].isEqualNode(news[0])) olds.shift(), news.shift();
    while (olds.length && news.length && olds.at(-1).isEqualNode(news.at(-1))) olds.pop(), news.pop(), kept++;
    if (olds.length === news.length && olds.every((one, at) => isSameKind(one, news[at]))) {
      olds.forEach((one, at) => one.isEqualNode(news[at]) || patch(one, news[at]));
      return;
    }
    const after = kept ? old.childNodes[old.childNodes.length - kept] : null;
    olds.forEach((one) => one.remove());
    news.forEach((one) => old.insertBefore(old.ownerDocument.importNode(one, true), after));
  }
  function show(screen, markup, title) {
    const before = screen.querySelector("iframe:not(.coming)");
    screen.querySelectorAll("iframe.coming").forEach((one) => one.remove());
    if (before?.isDrawn) {
      const fresh = parse(markup);
      const standing = before.contentDocument;
      if (standing?.compatMode === fresh.compatMode) {
        patch(standing.documentElement, fresh.documentElement);
        before.title = title;
        return;
      }
    }
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-same-origin allow-popups allow-popups-to-escape-sandbox");
    frame.title = title;
    if (before) frame.className = "coming";
    // A frame that replaces another stands where its reader was; the old one stays until then.
    frame.addEventListener("load", () => {
      frame.isDrawn = true;
      if (!before) return;
      const top = before.contentDocument?.scrollingElement?.scrollTop ?? 0;
      if (top) frame.contentDocument?.scrollingElement?.scrollTo(0, top);
      frame.className = "";
      before.remove();
    });
    frame.srcdoc = markup;
    screen.append(frame);
  }
  const DEVICES = { phone: "Phone, 375 pixels", desktop: "Desktop" };
  function plan() {
    const guise = chosen("guise");
    switch (chosen("layout")) {
      case "phone": return [["phone", guise]];
      case "desktop": return [["desktop", guise]];
      case "schemes": return [["desktop", "light"], ["desktop", "dark"]];
      // Word draws Outlook's mail on desktops alone.
      default: return guise === "outlook" ? [["desktop", guise]] : [["phone", guise], ["desktop", guise]];
    }
  }
  // A screen is drawn at its own width and shown smaller where there is no room for it.
  const LEAST = { phone: 375, desktop: 700 };
  const fit = new ResizeObserver((seen) =>
    seen.forEach(({ target, contentRect }) => {
      target.style.setProperty("--scale", Math.min(1, contentRect.width / LEAST[target.dataset.kind]));
    }),
  );
  function device(kind, guise, caption) {
    const screen = element("div", { className: "screen" });
    screen.dataset.kind = kind;
    if (kind in LEAST) fit.observe(screen);
    const figure = element("figure", { className: `${kind} ${guise}` }, element("figcaption", {}, caption), screen);
    return { figure, screen };
  }
  let standing = "";
  let screens = [];
  async function drawMail(data, fields) {
    const wanted = plan();
    const kinds = wanted.map(([kind]) => kind).join(" ");
    if (standing !== kinds || !screens.length) {
      screens = wanted.map(([kind, guise]) => device(kind, guise, ""));
      stage.replaceChildren(element("div", { className: "frames" }, ...screens.map((one) => one.figure)));
      standing = kinds;
    }
    const guises = Object.fromEntries(radios("guise").map((one) => [one.value, one.nextSibling.textContent]));
    wanted.forEach(([kind, guise], at) => {
      const { figure, screen } = screens[at];
      figure.className = `${kind} ${guise}`;
      figure.firstChild.textContent = `${DEVICES[kind]}, ${guises[guise].toLowerCase()}`;
      show(screen, joinHtml(data.guises[guise], fields), `${data.name}, ${kind}, ${guise}`);
    });
  }
  async function drawEvery() {
    const guise = chosen("guise");
    const reader = chosen("reader");
    const key = `every ${guise}`;
    const regions = radios("region").map((radio) => radio.value);
    if (standing !== key || screens.length !== regions.length) {
      screens = regions.map((region) => {
        const name = radios("region").find((one) => one.value === region).parentNode.querySelector(".name").textContent;
        return { region, ...device("small", guise, name) };
      });
      const grid = screens.map(({ region, figure }) => {
        const button = element("button", { type: "button" }, figure);
        button.addEventListener("click", () => {
          choose("region", region);
          choose("layout", "both");
          changed("region");
        });
        return button;
      });
      stage.replaceChildren(element("div", { className: "grid" }, ...grid));
      standing = key;
    }
    for (const { region, screen } of screens) {
      const data = await sheet(region);
      if (standing !== key) return;
      await fetchPictures(data.guises[guise]);
      show(screen, joinHtml(data.guises[guise], data.fields[reader]), data.name);
      const frame = screen.lastChild;
      frame.tabIndex = -1;
      frame.setAttribute("aria-hidden", "true");
    }
  }
  function paper(...children) {
    standing = "";
    screens = [];
    const top = stage.scrollTop;
    stage.replaceChildren(element("div", { className: "sheet" }, ...children));
    stage.scrollTop = top;
  }
  function grid(heads, rows) {
    const head = element("tr", {}, ...heads.map((one) => element("th", { scope: "col", className: /^(|Times)$/.test(one) ? "figure" : "" }, one)));
    return element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
  }
  function drawLinks(data) {
    const rows = data.links.map((one, at) =>
      element(
        "tr",
        {},
        element("td", { className: "figure" }, String(at + 1)),
        element("td", {}, one.text || "(no text)"),
        element("td", {}, link(one.url)),
        element("td", { className: "figure" }, String(one.times)),
      ),
    );
    paper(rows.length ? grid(["", "Words", "Leads to", "Times"], rows) : element("p", { className: "empty" }, "There is no link."));
  }
  function drawChecks(data) {
    const rows = data.findings.map((one) =>
      element(
        "tr",
        {},
        element("td", {}, element("span", { className: `level ${one.level}` }, one.level)),
        element("td", {}, one.message, element("span", { className: "remedy" }, one.remedy)),
        element("td", { className: "place" }, one.place),
      ),
    );
    paper(rows.length ? grid(["Level", "What was found, and what to do", "Where"], rows) : element("p", { className: "empty" }, "The checks found nothing."));
  }
  const kB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
  function drawHead(data) {
    byId("sender").textContent = data.sender;
    byId("subject").textContent = data.subject;
    byId("preheader").textContent = data.preheader;
    const gauge = byId("gauge");
    const size = data.sizes.html;
    gauge.setAttribute("aria-valuenow", String(size));
    gauge.setAttribute("aria-valuetext", `${kB(size)} of ${kB(limit)}`);
    gauge.className = `track ${size > 0.98 * limit ? "bad" : size > 0.9 * limit ? "warn" : ""}`;
    gauge.firstElementChild.style.width = `${Math.min(100, (100 * size) / limit)}%`;
    const whole = data.sizes.message ? `, message ${kB(data.sizes.message)}` : "";
    const lines = [`HTML ${kB(size)}; Gmail cuts it at ${limit / 1000} kB`, `Text ${kB(data.sizes.text)}${whole}`];
    byId("size").replaceChildren(lines[0], element("br"), lines[1]);
  }
  async function draw() {
    const region = chosen("region");
    const view = chosen("view");
    byId("layout-choice").hidden = view !== "mail";
    byId("guise-choice").hidden = view !== "mail" || chosen("layout") === "schemes";
    if (!packed.has(region)) {
      paper(element("p", { className: "empty" }, "Nothing could be rendered yet."));
      return;
    }
    const data = await sheet(region);
    const fields = data.fields[chosen("reader")];
    drawHead(data);
    if (view === "mail" && chosen("layout") === "every") await drawEvery();
    else if (view === "mail") {
      for (const [, guise] of plan()) await fetchPictures(data.guises[guise]);
      await drawMail(data, fields);
    } else if (view === "text") paper(element("pre", { lang: data.language }, joinText(data.text, fields)));
    else if (view === "headers") {
      const head = data.headers[chosen("reader")];
      paper(head ? element("pre", {}, head) : element("p", { className: "empty" }, "A message needs what sending needs; `mailer doctor` says what is missing."));
    } else if (view === "links") drawLinks(data);
    else drawChecks(data);
    document.title = `${data.name}: ${data.subject}`;
    body.dataset.drawn = String(Number(body.dataset.drawn ?? 0) + 1);
  }
  function mark({ region, errors, warnings, size }) {
    const place = document.querySelector(`.mark[data-region="${CSS.escape(region)}"]`);
    if (!place) return;
    const many = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
    place.className = `mark ${errors ? "bad" : warnings ? "warn" : ""}`;
    place.textContent = errors ? many(errors, "error") : warnings ? many(warnings, "warning") : "";
    if (size > limit) place.textContent = "too large";
  }

  // --- Choosing -----------------------------------------------------------------------------

  function reveal() {
    const chosenOne = radios("region").find((radio) => radio.checked);
    chosenOne?.closest("label").scrollIntoView({ block: "nearest", inline: "center" });
  }
  function changed(name) {
    remember();
    if (name === "region") reveal();
    if (name === "region" && live) listen();
    draw();
  }
  document.addEventListener("change", (event) => NAMES.includes(event.target.name) && changed(event.target.name));
  function step(name, by) {
    const values = radios(name).map((radio) => radio.value);
    const at = (values.indexOf(chosen(name)) + by + values.length) % values.length;
    choose(name, values[at]);
    changed(name);
  }
  function toggle(guise) {
    choose("guise", chosen("guise") === guise ? "light" : guise);
    changed("guise");
  }
  const KEYS = {
    "[": () => step("region", -1),
    "]": () => step("region", 1),
    d: () => toggle("dark"),
    s: () => toggle("bare"),
    o: () => toggle("outlook"),
    r: () => step("reader", 1),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !byId("use-keys").checked) return;
    const view = radios("view")[Number(event.key) - 1];
    if (view) {
      choose("view", view.value);
      changed("view");
    } else if (Object.hasOwn(KEYS, event.key)) KEYS[event.key]();
  });

  // --- Listening ----------------------------------------------------------------------------

  function trouble(faults) {
    const place = byId("trouble");
    place.hidden = !faults.length;
    const items = faults.map((fault) => {
      const where = [fault.where + (fault.line ? `:${fault.line}` : ""), fault.field].filter(Boolean).join("  ");
      return element(
        "li",
        {},
        element("code", {}, where),
        element("span", {}, fault.problem),
        element("span", {}, fault.remedy ? `What to do: ${fault.remedy}` : ""),
      );
    });
    place.replaceChildren(
      element("h2", {}, faults.length === 1 ? "The last change cannot be shown" : `The last change cannot be shown, for ${faults.length} reasons`),
      element("ul", {}, ...items),
      element("p", { className: "soft" }, "Below is the last picture that was good."),
    );
  }
  function status(state, words) {
    body.dataset.state = state;
    byId("status").textContent = words;
  }
  let source;
  function listen() {
    source?.close();
    const region = encodeURIComponent(chosen("region"));
    source = new EventSource(`${live}events?region=${region}&since=${version}`);
    source.addEventListener("hello", (event) => {
      trouble(JSON.parse(event.data));
      status("live", "Live: save a file and see it here");
    });
    source.addEventListener("sheet", async (event) => {
      const said = JSON.parse(event.data);
      version = said.version;
      if (packed.get(said.row.region) === said.packed) return;
      packed.set(said.row.region, said.packed);
      opened.delete(said.row.region);
      mark(said.row);
      const isAll = chosen("view") === "mail" && chosen("layout") === "every";
      if (isAll || said.row.region === chosen("region")) await draw();
    });
    source.addEventListener("trouble", (event) => trouble(JSON.parse(event.data)));
    source.addEventListener("fine", () => {
      trouble([]);
      status("live", `Live: shown as of ${new Date().toLocaleTimeString()}`);
    });
    source.addEventListener("reload", () => location.reload());
    source.addEventListener("error", () => status("lost", "The preview has ended; start it again to go on"));
  }
  JSON.parse(byId("rows").textContent).forEach(mark);
  if (live) listen();
  reveal();
  draw();
})();
