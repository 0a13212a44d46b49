// Frame of the page: theme, tabs, filters, and drawing again whatever a choice changes.
const panels = new Map();
const drawers = { board: drawBoard, pictures: drawPictures, plots: drawPlots, provenance: drawProvenance, guide: drawGuide };

function select(options, value, changed, id, label) {
  const groups = options.map((option) => (Array.isArray(option) ? h("option", { value: option[0] }, option[1])
    : h("optgroup", { label: option.label }, option.options.map(([key, text]) => h("option", { value: key }, text)))));
  const element = h("select", { id: `choose-${id}`, "aria-label": label, onchange: (event) => changed(event.target.value) }, groups);
  element.value = value;
  return element;
}

// Draw the open tab again; what had the focus gets it back.
function redraw() {
  settle();
  remember();
  const active = document.activeElement && document.activeElement.id;
  drawFilters();
  drawPanel(state.tab);
  if (active && document.getElementById(active)) document.getElementById(active).focus({ preventScroll: true });
}

function drawPanel(tab) {
  const panel = panels.get(tab);
  panel.replaceChildren();
  drawers[tab](panel);
}

function go(tab, target) {
  open(tab);
  const found = target && document.getElementById(target);
  if (found) { found.scrollIntoView({ block: "center" }); found.classList.add("flash"); }
}

function open(tab) {
  state.tab = tab;
  for (const [name, panel] of panels) {
    panel.hidden = name !== tab;
    panel.replaceChildren();
    const button = document.getElementById(`tab-${name}`);
    button.setAttribute("aria-selected", String(name === tab));
    button.tabIndex = name === tab ? 0 : -1;
  }
  document.getElementById("filters").hidden = tab === "guide";
  redraw();
}

function drawTabs() {
  const names = Object.keys(TABS);
  const bar = document.getElementById("tabs");
  names.forEach((name, position) => {
    const move = (event) => {
      const to = { ArrowRight: position + 1, ArrowLeft: position - 1, Home: 0, End: names.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      const next = names[(to + names.length) % names.length];
      open(next);
      document.getElementById(`tab-${next}`).focus();
    };
    bar.append(h("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `panel-${name}`, onclick: () => open(name), onkeydown: move }, TABS[name]));
    const panel = h("section", { role: "tabpanel", id: `panel-${name}`, "aria-labelledby": `tab-${name}`, "data-title": TABS[name], hidden: true });
    panels.set(name, panel);
    document.getElementById("content").append(panel);
  });
}

function drawFilters() {
  const opened = new Set([...document.querySelectorAll(".filters details[open]")].map((one) => one.id));
  const where = choices().map((group) => ({ label: group.title, options: [
    ...(group.places.length > 1 ? [[group.key, `${group.title}: all ${group.places.length}`]] : []),
    ...[...group.places, ...group.disturbed].map((index) => [String(index), `${placeName(data.places[index])} · ${data.places[index].images.length} pictures${twice(index) ? ` · list ${data.places[index].list}` : ""}`])] }));
  const places = chosenPlaces();
  const methods = unique(places.flatMap((place) => place.cells.map((cell) => cell.label))).sort();
  const present = measured(places);
  document.getElementById("filters").replaceChildren(
    h("label", null, h("span", null, "Dataset"), select(where, state.where, (value) => { state.where = value; scene.place = ""; redraw(); }, "where")),
    h("label", null, h("span", null, "Convention"), select(conventions.map((name) => [name, name]), state.convention, (value) => { state.convention = value; redraw(); }, "convention")),
    ticks("metrics", `Metrics ${present.filter((m) => state.metrics.has(m.symbol)).length}/${present.length}`, present.map((m) => [m.symbol, `${m.symbol} ${arrow(m)}`, m.title]),
      (symbol) => state.metrics.has(symbol), (symbol, on) => (on ? state.metrics.add(symbol) : state.metrics.delete(symbol)), opened, { title: "Core", has: (symbol) => metricOf.get(symbol).core }),
    ticks("methods", `Methods ${methods.filter((l) => !state.hidden.has(l)).length}/${methods.length}`, methods.map((label) => [label, label, ""]),
      (label) => !state.hidden.has(label), (label, on) => (on ? state.hidden.delete(label) : state.hidden.add(label)), opened, { title: "None", has: () => false }));
}
const twice = (index) => data.places.filter((place) => place.convention === data.places[index].convention && placeName(place) === placeName(data.places[index])).length > 1;

// A list of ticks that opens from a button.
function ticks(id, title, options, isOn, change, opened, few) {
  const all = (on) => () => { options.forEach(([key]) => change(key, on(key))); redraw(); };
  return h("details", { class: "ticks", id: `filter-${id}`, open: opened.has(`filter-${id}`) }, h("summary", { id: `summary-${id}` }, title),
    h("div", { class: "menu" }, h("div", { class: "joined" }, h("button", { type: "button", onclick: all(() => true), id: `all-${id}` }, "All"), h("button", { type: "button", onclick: all(few.has), id: `few-${id}` }, few.title)),
      options.map(([key, text, note], position) => h("label", { class: "check", title: note }, h("input", { type: "checkbox", id: `tick-${id}-${position}`, "data-key": key, checked: isOn(key), onchange: (event) => { change(key, event.target.checked); redraw(); } }), ` ${text}`))));
}

function startTheme() {
  const button = document.getElementById("theme");
  const modes = ["auto", "light", "dark"];
  let mode = "auto";
  try { mode = localStorage.getItem("fusionzoo-theme") || "auto"; } catch (error) { /* not every viewer keeps things */ }
  const set = (next) => {
    mode = modes.includes(next) ? next : "auto";
    document.documentElement.dataset.theme = mode;
    button.textContent = { auto: "◐ Auto", light: "☀ Light", dark: "☾ Dark" }[mode];
    button.setAttribute("aria-label", `Colours: ${mode}. Press to change.`);
  };
  button.addEventListener("click", () => {
    set(modes[(modes.indexOf(mode) + 1) % modes.length]);
    try { localStorage.setItem("fusionzoo-theme", mode); } catch (error) { /* as above */ }
  });
  set(mode);
}

function start() {
  const cells = data.places.reduce((sum, place) => sum + place.cells.length, 0);
  const sets = unique(data.places.map((place) => place.dataset)).length;
  const count = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
  document.getElementById("summary").textContent = `${count(labels.length, "method")} · ${count(sets, "dataset")} · ${count(cells, "result")} · convention ${conventions.join(", ")}`;
  document.getElementById("footer").append(`Made by fusionzoo ${data.version}. `, data.pictures_note, data.problems.length ? ` ${data.problems.length} files could not be read: see the reading guide.` : "");
  startTheme();
  recall();
  drawTabs();
  open(state.tab);
  document.addEventListener("click", (event) => document.querySelectorAll(".filters details[open]").forEach((one) => { if (!one.contains(event.target) && document.contains(event.target)) one.open = false; }));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") document.querySelectorAll(".filters details[open]").forEach((one) => { one.open = false; one.firstElementChild.focus(); }); });
  // Everything is printed, not only the tab that is open.
  window.addEventListener("beforeprint", () => Object.keys(TABS).forEach((name) => { if (name !== "pictures") drawPanel(name); }));
}

start();
