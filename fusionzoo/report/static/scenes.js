// The explorer: one scene at a time; sources and methods side by side and over one another.
const scene = { name: "", left: "", right: "", order: "name", method: "", cut: 50, difference: false, zoom: null };

// What can be shown of a picture: sources first, then methods, each with its reference if kept.
function showable(place, index) {
  const sources = Object.entries(place.sources).map(([role, kept]) => ({ label: role, reference: kept[index], source: true }));
  const taken = new Set(sources.map((one) => one.label));
  const methods = cellsOf(place).filter((cell) => !taken.has(cell.label))
    .map((cell) => ({ label: cell.label, reference: cell.pictures[index], cell }));
  return [...sources, ...methods];
}

function explorerPlace() {
  const places = chosenPlaces();
  return places.find((place) => placeName(place) === scene.place) || places.find(hasPictures) || places[0];
}
const hasPictures = (place) =>
  Object.values(place.sources).some((kept) => Object.keys(kept).length) || place.cells.some((cell) => Object.keys(cell.pictures).length);
const keptAt = (place) => new Set([...Object.values(place.sources), ...place.cells.map((cell) => cell.pictures)].flatMap(Object.keys).map(Number));

// Positions of pictures, by name or by a method's value, the best first.
function orderOf(place, order) {
  const all = place.images.map((_, index) => index);
  const cell = place.cells.find((one) => one.label === scene.method);
  const values = cell && cell.values[state.focus];
  if (order === "name" || !values) return all;
  const sign = (metricOf.get(state.focus).higher ? -1 : 1) * (order === "best" ? 1 : -1);
  return all.filter((index) => hasValue(values[index])).sort((a, b) => sign * (values[a] - values[b]));
}

function drawPictures(panel) {
  const place = explorerPlace();
  const kept = keptAt(place);
  const cells = cellsOf(place);
  if (!cells.length) { add(panel, h("p", { class: "notice" }, "No method is chosen.")); return; }
  if (!cells.some((cell) => cell.label === scene.method)) scene.method = (cells.find((cell) => cell.weights !== "-") || cells.find((cell) => !cell.baseline) || cells[0]).label;
  let index = place.images.indexOf(scene.name);
  if (index < 0) index = kept.size ? Math.min(...kept) : 0;
  scene.name = place.images[index];
  const open = (name) => { scene.name = name; redraw(); };
  const order = orderOf(place, scene.order);
  const step = (by) => open(place.images[order[(Math.max(0, order.indexOf(index)) + by + order.length) % order.length]]);
  const list = order.map((one) => [place.images[one], `${place.images[one]}${kept.has(one) ? "" : " (numbers only)"}`]);
  if (!order.includes(index)) list.unshift([scene.name, scene.name]);
  const metrics = measured([place]);
  const bar = h("div", { class: "toolbar" },
    isOverview() ? h("label", null, "Dataset ", select(chosenPlaces().map((p) => [placeName(p), placeName(p)]), placeName(place), (value) => { scene.place = value; scene.name = ""; redraw(); }, "place")) : null,
    h("span", { class: "joined" }, h("button", { type: "button", "aria-label": "Previous picture", onclick: () => step(-1) }, "←"),
      select(list, scene.name, open, "picture", "Picture"), h("button", { type: "button", "aria-label": "Next picture", onclick: () => step(1) }, "→")),
    h("label", null, "Order ", select([["name", "by name"], ["best", "best first"], ["worst", "worst first"]], scene.order, (value) => { scene.order = value; redraw(); }, "order")),
    h("label", null, "Metric ", select(metrics.map((m) => [m.symbol, `${m.symbol} ${arrow(m)}`]), state.focus, (value) => { state.metrics.add(value); state.focus = value; redraw(); }, "focus")),
    h("label", null, "Method ", select(cells.map((cell) => [cell.label, cell.label]), scene.method, (value) => { scene.method = value; redraw(); }, "method")));
  add(panel, bar);
  add(panel, kept.has(index) ? stage(place, index) : missing(place, kept));
  add(panel, valuesTable(place, index), extremes(place, kept, open), strips(place, index, open));
}

function missing(place, kept) {
  const text = kept.size
    ? `The run kept no picture of this scene: ${kept.size} of ${place.images.length} scenes of ${placeName(place)} can be seen (fusionzoo bench --pictures all keeps every one). Its numbers are below.`
    : `No picture of ${placeName(place)} is in this results folder, so there are numbers only. fusionzoo bench keeps pictures beside its results (--pictures N, or all); a report of such a folder shows them.`;
  return h("p", { class: "notice", id: "no-pictures" }, text, data.pictures_note ? ` ${data.pictures_note}` : "");
}

function stage(place, index) {
  const shown = showable(place, index).filter((one) => one.reference);
  const absent = showable(place, index).filter((one) => !one.reference).map((one) => one.label);
  const pick = (label, fallback) => shown.find((one) => one.label === label) || fallback;
  const fused = shown.filter((one) => !one.source);
  const left = pick(scene.left, shown[0]);
  const right = pick(scene.right, pick(scene.method, fused[0] || shown.at(-1)));
  const root = h("div", { class: `explorer${scene.difference ? " difference" : ""}` });
  const level = h("output", { class: "level", id: "zoom-level" }, "1.0×");
  const shared = sharedView(root, (view) => { level.textContent = `${view.k.toFixed(1)}×`; scene.zoom = { ...view }; });
  const options = shown.map((one) => [one.label, one.label]);
  const choose = (side) => (value) => { scene[side] = value; redraw(); };
  add(root,
    h("div", { class: "toolbar" },
      h("label", null, "Left ", select(options, left.label, choose("left"), "left")), h("label", null, "Right ", select(options, right.label, choose("right"), "right")),
      h("button", { type: "button", onclick: () => { [scene.left, scene.right] = [right.label, left.label]; redraw(); }, id: "swap" }, "Swap"),
      h("span", { class: "joined" }, h("button", { type: "button", "aria-label": "Zoom out", id: "zoom-out", onclick: () => shared.zoom(1 / 1.5) }, "−"), level,
        h("button", { type: "button", "aria-label": "Zoom in", id: "zoom-in", onclick: () => shared.zoom(1.5) }, "+"),
        h("button", { type: "button", id: "zoom-reset", onclick: () => shared.reset() }, "Reset")),
      h("label", { class: "check" }, h("input", { type: "checkbox", id: "difference", checked: scene.difference, onchange: (event) => { scene.difference = event.target.checked; root.classList.toggle("difference", scene.difference); } }), " Difference ×4")),
    slider(left, right, shared, scene.cut, (cut) => { scene.cut = cut; }),
    h("p", { class: "hint" }, "Drag the divider or move it with the arrow keys. Ctrl + wheel, a double click, two fingers or + and − zoom; every picture follows."),
    h("div", { class: "tiles" }, shown.map((one) => tile(one, index, shared, left, right, choose))),
    absent.length ? h("p", { class: "hint" }, `Not kept for this scene: ${absent.join(", ")}.`) : null);
  if (scene.zoom) { Object.assign(shared.view, scene.zoom); shared.pan(0, 0); }
  return root;
}

function tile(one, index, shared, left, right, choose) {
  const frame = h("div", { class: "frame", tabindex: "0", role: "img", "aria-label": `${one.label}` }, picture(one.reference, one.label));
  const inner = frame.firstElementChild;
  inner.addEventListener("load", () => { frame.style.aspectRatio = `${inner.naturalWidth} / ${inner.naturalHeight}`; });
  zoomable(frame, shared);
  const value = one.cell && one.cell.values[state.focus] ? `${state.focus} ${number(one.cell.values[state.focus][index])}` : one.source ? "source" : "";
  const side = (name, key, current) => h("button", { type: "button", "aria-pressed": String(current.label === one.label), title: `Show ${one.label} on the ${key}`, onclick: () => choose(key)(one.label) }, name);
  return h("figure", { class: "tile" }, frame, h("figcaption", null, h("span", { class: "name" }, one.label), h("span", { class: "value" }, value),
    h("span", { class: "joined small" }, side("L", "left", left), side("R", "right", right))));
}

function valuesTable(place, index) {
  const metrics = shownMetrics([place]);
  const cells = cellsOf(place).filter((cell) => !cell.failed.some(([name]) => name === place.images[index]));
  const failed = cellsOf(place).flatMap((cell) => cell.failed.filter(([name]) => name === place.images[index]).map(([, reason]) => `${cell.label}: ${reason}`));
  const columns = [nameColumn(), ...metrics.map((metric) => {
    const value = (cell) => (cell.values[metric.symbol] || [])[index];
    const places = podium(cells, value, metric.higher);
    return { key: metric.symbol, title: metric.symbol, note: metric.title, number: true, higher: metric.higher, value,
      cell: (cell) => h("span", { class: `score ${placing(places, cell)}` }, number(value(cell))) };
  })];
  return h("section", null, h("h2", null, "This picture in numbers"),
    sortable(columns, cells, { caption: `${place.images[index]} of ${placeName(place)}, convention ${place.convention}.`, sort: { key: "method" }, label: "Values of this picture" }),
    failed.length ? h("p", { class: "notice bad" }, `No output: ${failed.join("; ")}`) : null);
}

function extremes(place, kept, open) {
  const metric = metricOf.get(state.focus);
  const cell = place.cells.find((one) => one.label === scene.method);
  const values = cell.values[state.focus] || [];
  const row = (index) => h("li", null, h("button", { type: "button", class: "extreme", onclick: () => open(place.images[index]) },
    kept.has(index) && cell.pictures[index] ? h("img", { src: address(cell.pictures[index]), alt: "", loading: "lazy" }) : h("span", { class: "blank", "aria-hidden": "true" }),
    h("span", { class: "name" }, place.images[index]), h("span", { class: "value" }, number(values[index]))));
  const column = (title, order) => h("div", null, h("h3", null, title), h("ol", null, orderOf(place, order).slice(0, 5).map(row)));
  return h("section", { id: "extremes" }, h("h2", null, `Best and worst pictures of ${scene.method} by ${state.focus} ${metric ? arrow(metric) : ""}`),
    h("div", { class: "columns" }, column("Best", "best"), column("Worst", "worst")));
}

// Every picture as a dot, one line per method; a dot opens its picture.
function strips(place, index, open) {
  const metric = metricOf.get(state.focus);
  const rows = cellsOf(place).filter((cell) => (cell.values[state.focus] || []).some(hasValue));
  const all = rows.flatMap((cell) => cell.values[state.focus].filter(hasValue));
  if (!metric || !rows.length) return h("section");
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const width = 900, left = 170, right = 20, line = 26, height = rows.length * line + 34;
  const x = (value) => left + (width - left - right) * (value - low) / (high - low || 1);
  const ticks = niceTicks(low, high);
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, class: "plot strips", role: "img", "aria-label": `${metric.symbol} of every picture of ${placeName(place)} by method` },
    ticks.map((tick) => [s("line", { x1: x(tick), x2: x(tick), y1: 4, y2: height - 24, class: "grid" }), s("text", { x: x(tick), y: height - 8, "text-anchor": "middle", class: "tick" }, tick)]),
    rows.map((cell, row) => {
      const y = row * line + 18;
      const dots = cell.values[state.focus].map((value, at) => hasValue(value) && s("circle", { cx: x(value), cy: y, r: at === index ? 6 : 3.5, class: at === index ? "dot now" : "dot", style: { fill: colourOf(cell.label) }, "data-index": at },
        s("title", null, `${place.images[at]}: ${number(value)}`)));
      return [s("text", { x: left - 10, y: y + 4, "text-anchor": "end", class: "label" }, cell.label), dots];
    }));
  svg.addEventListener("click", (event) => { const at = event.target.dataset && event.target.dataset.index; if (at) open(place.images[Number(at)]); });
  return h("section", null, h("h2", null, `${metric.symbol} ${arrow(metric)} of every picture`), h("div", { class: "scroll" }, svg),
    h("p", { class: "hint" }, "Each dot is a picture; the large ones are the picture above. A click opens one."));
}
