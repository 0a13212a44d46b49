// Plots as inline drawings: critical differences and quality against cost.
const chart = { axis: "", damaged: "" };

function frameOf(title, width, height, ...children) {
  return h("div", { class: "scroll" }, s("svg", { viewBox: `0 0 ${width} ${height}`, class: "plot", role: "img", "aria-label": title, style: { "min-width": `${Math.min(width, 660)}px`, "max-width": `${width}px` } }, s("title", null, title), children));
}

function drawPlots(panel) {
  const places = chosenPlaces();
  const metric = metricOf.get(state.focus);
  if (!metric) { add(panel, h("p", { class: "notice" }, "No metric is chosen.")); return; }
  const metrics = measured(places);
  add(panel, h("div", { class: "toolbar" }, h("label", null, "Metric ", select(metrics.map((m) => [m.symbol, `${m.symbol} ${arrow(m)} · ${m.title}`]), state.focus, (value) => { state.metrics.add(value); state.focus = value; redraw(); }, "focus"))));
  add(panel, differences(places, metric));
  add(panel, tradeoff(places, metric));
  add(panel, damage(places, metric));
}

// Demsar's diagram: average ranks on a line, best at the left; bars join what does not differ.
function differences(places, metric) {
  const test = (data.tests[state.where] || {})[metric.symbol];
  const head = h("h2", null, `Critical differences by ${metric.symbol} ${arrow(metric)}`);
  if (!test) return h("section", null, head, h("p", { class: "notice" }, isOverview() && places.length > 1 ? "No two methods were measured by this metric on the same pictures of these datasets." : "A test needs two methods and two pictures."));
  const k = test.methods.length;
  const width = 860, side = 190, top = 74, line = 24;
  const half = Math.ceil(k / 2);
  const x = (rank) => side + (width - 2 * side) * (rank - 1) / (k - 1);
  const bars = test.cliques.map(([first, last], row) => s("line", { x1: x(test.ranks[first]) - 4, x2: x(test.ranks[last]) + 4, y1: top + 12 + 9 * row, y2: top + 12 + 9 * row, class: "clique" }));
  const base = top + 20 + 9 * test.cliques.length;
  const height = base + half * line + 6;
  const arms = test.methods.map((label, position) => {
    const leftSide = position < half;
    const y = base + line * (leftSide ? position : k - 1 - position) + 8;
    const end = leftSide ? side - 14 : width - side + 14;
    return [s("polyline", { points: `${x(test.ranks[position])},${top} ${x(test.ranks[position])},${y} ${end},${y}`, class: "arm", style: { stroke: colourOf(label) } }),
      s("text", { x: leftSide ? end - 6 : end + 6, y: y + 4, "text-anchor": leftSide ? "end" : "start", class: "label" }, label, s("tspan", { class: "tick", dx: 6 }, test.ranks[position].toFixed(2)))];
  });
  const ticks = Array.from({ length: k }, (_, i) => i + 1);
  const title = `Critical difference diagram of ${metric.symbol}: average ranks ${test.methods.map((label, i) => `${label} ${test.ranks[i].toFixed(2)}`).join(", ")}; critical difference ${test.difference.toFixed(2)}`;
  const drawn = frameOf(title, width, height,
    s("line", { x1: x(1), x2: x(1) + (width - 2 * side) * Math.min(test.difference, k - 1) / (k - 1), y1: 24, y2: 24, class: "critical" }),
    s("text", { x: x(1), y: 16, class: "tick" }, `critical difference ${test.difference.toFixed(2)}`),
    s("line", { x1: x(1), x2: x(k), y1: top, y2: top, class: "axis" }),
    ticks.map((tick) => [s("line", { x1: x(tick), x2: x(tick), y1: top - 6, y2: top, class: "axis" }), s("text", { x: x(tick), y: top - 12, "text-anchor": "middle", class: "tick" }, tick)]), bars, arms);
  const friedman = test.friedman ? ` Friedman's test that all rank alike: χ² = ${number(test.friedman.chi_square)}, p ${pValue(test.friedman.p_value, "= ")}.` : "";
  const missing = test.missing.length ? ` Not tested, as they lack some of these datasets or this metric: ${test.missing.join(", ")}.` : "";
  return h("section", { id: "differences" }, head, drawn,
    h("p", { class: "hint" }, `Average rank over ${test.blocks} pictures of ${places.map(placeName).join(", ")}; convention ${state.convention}; 1 is best. Methods under one bar do not differ by Nemenyi's test at 5 %.${friedman}${missing}`),
    h("details", null, h("summary", null, `All ${test.pairs.length} pairs (Wilcoxon, corrected by Holm)`), pairsTable(test)));
}

const pValue = (p, equals = "") => (p < 0.001 ? "< 0.001" : `${equals}${p.toFixed(3)}`);

function pairsTable(test) {
  const columns = [
    { key: "pair", title: "Pair", value: (p) => `${test.methods[p[0]]} – ${test.methods[p[1]]}` },
    { key: "difference", title: "Mean difference", number: true, value: (p) => p[2], cell: (p) => number(p[2]) },
    { key: "wins", title: "First is larger", note: "Share of pictures; ties count half", number: true, value: (p) => p[3], cell: (p) => `${(100 * p[3]).toFixed(0)} %` },
    { key: "p", title: "p (Holm)", number: true, value: (p) => p[4], cell: (p) => h("span", { class: p[4] < 0.05 ? "best" : "" }, pValue(p[4])) }];
  return sortable(columns, test.pairs, { caption: "Bold: below 0.05.", sort: { key: "p" }, label: "Pairs of methods" });
}

// Quality against cost: mean over the places that all methods of the plot have.
function tradeoff(places, metric) {
  const axes = data.costs.filter((axis) => places.some((place) => cellsOf(place).filter((cell) => cell.cost[axis.key] > 0).length > 1));
  const head = h("h2", null, "Quality against cost");
  if (!axes.length) return h("section", null, head, h("p", { class: "notice" }, "No cost is known: `fusionzoo profile` measures it."));
  const axis = axes.find((one) => one.key === chart.axis) || axes[0];
  const everywhere = (label) => places.map((place) => cellsOf(place).find((cell) => cell.label === label)).filter((cell) => cell && hasValue(cell.scores[metric.symbol]) && cell.cost[axis.key] > 0);
  const names = unique(places.flatMap((place) => cellsOf(place).map((cell) => cell.label)));
  const points = names.map((label) => ({ label, cells: everywhere(label) })).filter((one) => one.cells.length === places.length)
    .map((one) => ({ label: one.label, cost: mean(one.cells.map((cell) => cell.cost[axis.key])), quality: mean(one.cells.map((cell) => cell.scores[metric.symbol])),
      bound: one.cells.length === 1 ? one.cells[0].bounds[metric.symbol] : null }));
  const bar = h("div", { class: "toolbar" }, h("label", null, "Cost ", select(axes.map((one) => [one.key, one.title]), axis.key, (value) => { chart.axis = value; redraw(); }, "axis")));
  if (points.length < 2) return h("section", null, head, bar, h("p", { class: "notice" }, "Fewer than two methods have both this metric and this cost on all of these datasets."));
  return h("section", { id: "tradeoff" }, head, bar, scatter(points, axis, metric),
    h("p", { class: "hint" }, `${metric.symbol} ${arrow(metric)} over ${places.map((p) => `${placeName(p)} (n = ${p.images.length})`).join(", ")}; convention ${state.convention}. ${axis.title}: ${axis.note}. The line is the Pareto front: no method is both better and cheaper.${points.some((p) => p.bound) ? " Vertical lines are 95 % intervals." : ""}`));
}

// Points that no other beats in both; cheapest first.
function paretoFront(points, higher) {
  const better = (a, b) => (higher ? a > b : a < b);
  return [...points].sort((a, b) => a.cost - b.cost || (higher ? b.quality - a.quality : a.quality - b.quality))
    .reduce((front, point) => (front.length && !better(point.quality, front.at(-1).quality) ? front : [...front, point]), []);
}

function scatter(points, axis, metric) {
  const width = 860, height = 420, left = 70, right = 150, top = 20, bottom = 50;
  const logs = points.map((point) => Math.log10(point.cost));
  const [first, last] = [Math.min(...logs) - 0.15, Math.max(...logs) + 0.15];
  const ends = points.flatMap((point) => [point.quality, ...(point.bound || [])]);
  const gap = (Math.max(...ends) - Math.min(...ends) || 1) * 0.06;
  const [low, high] = [Math.min(...ends) - gap, Math.max(...ends) + gap];
  const x = (cost) => left + (width - left - right) * (Math.log10(cost) - first) / (last - first);
  const y = (quality) => height - bottom - (height - top - bottom) * (quality - low) / (high - low);
  const decades = Array.from({ length: Math.floor(last) - Math.ceil(first) + 1 }, (_, i) => 10 ** (Math.ceil(first) + i));
  const ticks = decades.length > 1 ? decades : [10 ** first, 10 ** ((first + last) / 2), 10 ** last];
  const levels = niceTicks(low, high);
  const front = paretoFront(points, metric.higher);
  const path = front.map((point, i) => (i ? `H${x(point.cost)} V${y(point.quality)}` : `M${x(point.cost)} ${y(point.quality)}`)).join(" ");
  const title = `${metric.symbol} against ${axis.title}: Pareto front ${front.map((point) => point.label).join(", ")}`;
  return frameOf(title, width, height,
    ticks.map((tick) => [s("line", { x1: x(tick), x2: x(tick), y1: top, y2: height - bottom, class: "grid" }), s("text", { x: x(tick), y: height - bottom + 18, "text-anchor": "middle", class: "tick" }, quantity(tick, axis.unit))]),
    levels.map((level) => [s("line", { x1: left, x2: width - right, y1: y(level), y2: y(level), class: "grid" }), s("text", { x: left - 8, y: y(level) + 4, "text-anchor": "end", class: "tick" }, level)]),
    s("text", { x: (left + width - right) / 2, y: height - 8, "text-anchor": "middle", class: "label" }, `${axis.title}, less is better`),
    s("text", { x: 16, y: (top + height - bottom) / 2, "text-anchor": "middle", transform: `rotate(-90 16 ${(top + height - bottom) / 2})`, class: "label" }, `${metric.symbol} ${arrow(metric)}`),
    s("path", { d: path, class: "front" }),
    placedLabels(points.map((point) => ({ ...point, px: x(point.cost), py: y(point.quality) }))).map((point) => [
      point.bound ? s("line", { x1: point.px, x2: point.px, y1: y(point.bound[0]), y2: y(point.bound[1]), class: "bound", style: { stroke: colourOf(point.label) } }) : null,
      s("circle", { cx: point.px, cy: point.py, r: front.some((one) => one.label === point.label) ? 7 : 5, class: "dot", style: { fill: colourOf(point.label) } }, s("title", null, `${point.label}: ${metric.symbol} ${number(point.quality)}, ${quantity(point.cost, axis.unit)}`)),
      s("text", { x: point.px + 11, y: point.ly + 4, class: "label" }, point.label)]));
}

// Labels to the right of their points, moved up or down until none covers another.
function placedLabels(points) {
  const placed = [];
  for (const point of [...points].sort((a, b) => a.py - b.py)) {
    const free = (ly) => placed.every((other) => Math.abs(other.ly - ly) > 14 || Math.abs(other.px - point.px) > 7.5 * Math.max(other.label.length, point.label.length));
    const offset = [0, 14, -14, 28, -28, 42, -42, 56].find((by) => free(point.py + by)) || 0;
    placed.push({ ...point, ly: point.py + offset });
  }
  return placed;
}
