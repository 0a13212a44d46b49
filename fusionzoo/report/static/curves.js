// What damaged sources cost: one panel per corruption, one line per method, and the loss areas.
function damage(places, metric) {
  const head = h("h2", null, `Robustness by ${metric.symbol} ${arrow(metric)}`);
  const here = (one) => one.convention === state.convention && places.some((p) => !p.condition && p.dataset === one.dataset && p.split === one.split) && !state.hidden.has(one.label);
  const known = data.robustness.curves.filter(here);
  if (!known.length) return h("section", { id: "robustness" }, head, h("p", { class: "notice" }, "No damaged sources were measured here: fusionzoo bench --robustness does that."));
  const sets = unique(known.map((one) => `${one.dataset}:${one.split}`));
  if (!sets.includes(chart.damaged)) chart.damaged = sets[0];
  const bar = h("div", { class: "toolbar" }, h("label", null, "Dataset ", select(sets.map((name) => [name, name]), chart.damaged, (value) => { chart.damaged = value; redraw(); }, "damaged")));
  const inSet = (one) => `${one.dataset}:${one.split}` === chart.damaged;
  const curves = known.filter((one) => inSet(one) && one.metric === metric.symbol && one.scores.length);
  const measuredBy = unique(known.filter(inSet).map((one) => one.metric));
  const summaries = data.robustness.summaries.filter((one) => here(one) && inSet(one));
  return h("section", { id: "robustness" }, head, sets.length > 1 ? bar : null,
    curves.length ? panelsOf(curves, metric) : h("p", { class: "notice" }, `No curves by ${metric.symbol}; there are curves by ${measuredBy.join(", ")}.`), lossTable(summaries, chart.damaged));
}

function panelsOf(curves, metric) {
  const names = unique(curves.map((one) => one.corruption)).sort();
  const present = unique(curves.map((one) => one.label)).sort();
  const scores = curves.flatMap((one) => one.scores);
  const scale = { low: Math.min(...scores), high: Math.max(...scores), last: Math.max(...curves.flatMap((one) => one.severities)) };
  return [h("p", { class: "keys" }, present.map((label) => h("span", { class: "key" }, swatch(label), label))),
    h("div", { class: "panels" }, names.map((name) => panelOf(name, curves.filter((one) => one.corruption === name), metric, scale))),
    h("p", { class: "hint" }, `${metric.symbol} against severity (0: sources as they are) over ${curves[0].pictures} pictures of ${chart.damaged}; convention ${state.convention}. Outputs are compared with the undamaged sources.`)];
}

function panelOf(name, curves, metric, { low, high, last }) {
  const width = 250, height = 170, left = 44, right = 10, top = 26, bottom = 24;
  const x = (severity) => left + (width - left - right) * severity / (last || 1);
  const y = (score) => height - bottom - (height - top - bottom) * (score - low) / (high - low || 1);
  const title = `${name}: ${metric.symbol} falls or rises from severity 0 to ${last}: ${curves.map((one) => `${one.label} ${number(one.scores[0])} to ${number(one.scores.at(-1))}`).join(", ")}`;
  return s("svg", { viewBox: `0 0 ${width} ${height}`, class: "plot", role: "img", "aria-label": title },
    s("text", { x: left, y: 15, class: "label" }, name.replaceAll("_", " ")),
    niceTicks(low, high).map((tick) => [s("line", { x1: left, x2: width - right, y1: y(tick), y2: y(tick), class: "grid" }), s("text", { x: left - 6, y: y(tick) + 4, "text-anchor": "end", class: "tick" }, tick)]),
    Array.from({ length: last + 1 }, (_, i) => s("text", { x: x(i), y: height - 7, "text-anchor": "middle", class: "tick" }, i)),
    curves.map((one) => [s("polyline", { points: one.severities.map((severity, i) => `${x(severity)},${y(one.scores[i])}`).join(" "), class: "curve", "stroke-dasharray": dashOf(one.label), style: { stroke: colourOf(one.label) } }),
      one.severities.map((severity, i) => s("circle", { cx: x(severity), cy: y(one.scores[i]), r: 3, style: { fill: colourOf(one.label) } }, s("title", null, `${one.label}, severity ${severity}: ${number(one.scores[i])}`)))]));
}

function lossTable(summaries, where) {
  if (!summaries.length) return null;
  const first = summaries[0];
  const columns = [
    { key: "label", title: "Method", value: (one) => one.label, cell: (one) => [swatch(one.label), h("span", { class: "method" }, one.label)] },
    { key: "area", title: "Loss area", note: "0: nothing lost, 1: everything", number: true, higher: false, value: (one) => one.loss_area, cell: (one) => `${number(one.loss_area)}${one.undefined ? "*" : ""}` },
    { key: "low", title: "95 % interval", value: (one) => one.low, cell: (one) => (hasValue(one.low) ? `${number(one.low)} – ${number(one.high)}` : DASH) },
    { key: "n", title: "n", number: true, value: (one) => one.pictures }];
  return sortable(columns, summaries, { sort: { key: "area" }, label: "Loss areas",
    caption: `Relative loss area on ${where}, mean over ${first.corruptions.length} corruptions and ${first.metrics.join(", ")}: the share of its score that a method loses on the way to the highest severity. * some curves are left out as undefined.` });
}
