// The leaderboard: one dataset with every metric, or all datasets of a task by rank or one metric.
let boardSort = {};
let intervalNumbers = false;

// Mean rank over metrics that every shown method of the place has; as `analysis.average_ranks`.
function meanRanks(place, metrics) {
  const cells = cellsOf(place);
  const columns = metrics
    .map((metric) => [metric, cells.map((cell) => cell.scores[metric.symbol])])
    .filter(([, scores]) => scores.length > 1 && scores.every(hasValue))
    .map(([metric, scores]) => ranksOf(scores, metric.higher));
  if (!columns.length) return new Map();
  return new Map(cells.map((cell, row) => [cell.label, mean(columns.map((column) => column[row]))]));
}

function rankCell(rank, count, place = "") {
  if (!hasValue(rank)) return DASH;
  const share = count > 1 ? 1 - (rank - 1) / (count - 1) : 1;
  return h("span", { class: "rank" }, h("span", { class: "bar", style: { "--share": share.toFixed(3) } }), h("span", { class: place }, rank.toFixed(2)));
}

// A thin line from the interval's low to its high end, with the value as a dot, on the column's scale.
function whisker(value, bound, low, high) {
  const at = (one) => `${(100 * (one - low) / (high - low || 1)).toFixed(1)}%`;
  return h("span", { class: "whisker", "aria-hidden": "true" },
    bound ? h("i", { style: { left: at(bound[0]), right: `${(100 - 100 * (bound[1] - low) / (high - low || 1)).toFixed(1)}%` } }) : null,
    h("b", { style: { left: at(value) } }));
}

function scoreColumn(metric, cells, key = metric.symbol, title = metric.symbol) {
  const value = (cell) => cell.scores[metric.symbol];
  const places = podium(cells, value, metric.higher);
  const ends = cells.flatMap((cell) => [value(cell), ...(cell.bounds[metric.symbol] || [])]).filter(hasValue);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  return {
    key, title, note: `${metric.title}${metric.unit ? `, ${metric.unit}` : ""}`, number: true, higher: metric.higher, value,
    cell: (cell) => {
      if (!hasValue(value(cell))) return DASH;
      const bound = cell.bounds[metric.symbol];
      const partial = hasValue(cell.counted[metric.symbol]) && cell.counted[metric.symbol] < cell.n;
      const note = [bound ? `95 % interval ${number(bound[0])} to ${number(bound[1])}` : "no interval",
        partial ? `from ${cell.counted[metric.symbol]} of ${cell.n} pictures` : ""].filter(Boolean).join("; ");
      return h("span", { class: `score ${placing(places, cell)}`, title: note }, number(value(cell)), partial ? "*" : "",
        intervalNumbers ? h("span", { class: "bounds" }, bound ? `${number(bound[0])} – ${number(bound[1])}` : DASH) : null,
        whisker(value(cell), bound, low, high));
    },
  };
}

function nameColumn() {
  return {
    key: "method", title: "Method", note: "Method and weights", value: (row) => row.label,
    cell: (row) => [swatch(row.label), methodName(row),
      row.trained ? h("button", { type: "button", class: "mark", title: "Trained on pictures of this dataset, or of one with scenes of it: see the reading guide", "aria-label": "trained on this dataset; what this means", onclick: () => go("guide", "mark-trained") }, MARK) : null,
      row.baseline ? h("span", { class: "chip", title: "A trivial baseline: what a method must beat" }, "baseline") : null],
  };
}

function costColumns(cells) {
  return data.costs.filter((axis) => cells.some((cell) => hasValue(cell.cost[axis.key]))).map((axis) => ({
    key: `cost ${axis.key}`, title: axis.title, note: `${axis.title}: ${axis.note}`, number: true, higher: false,
    value: (cell) => cell.cost[axis.key], cell: (cell) => h("span", { class: "cost" }, quantity(cell.cost[axis.key], axis.unit)),
  }));
}

function placeBoard(place) {
  const metrics = shownMetrics([place]);
  const ranks = meanRanks(place, metrics);
  const cells = cellsOf(place);
  const rank = (cell) => ranks.get(cell.label);
  const top = podium(cells, rank, false);
  const columns = [
    nameColumn(),
    { key: "rank", title: "Mean rank", note: "Mean of the ranks by the metrics shown, among the methods shown; 1 is best", number: true, higher: false,
      value: rank, cell: (cell) => rankCell(rank(cell), cells.length, placing(top, cell)) },
    ...metrics.map((metric) => scoreColumn(metric, cells)),
    ...costColumns(cells),
    { key: "n", title: "n", note: "Pictures", number: true, value: (cell) => cell.n,
      cell: (cell) => (cell.failed.length ? h("span", { title: `${cell.failed.length} pictures without output` }, `${cell.n} `, h("span", { class: "bad" }, `(${cell.failed.length} failed)`)) : cell.n) },
  ];
  const caption = `${placeName(place)}, means over ${place.images.length} pictures, convention ${place.convention}, image list ${place.list || "unnamed"}.`;
  return sortedTable(columns, cells, caption);
}

function sortedTable(columns, rows, caption) {
  const known = columns.some((column) => column.key === boardSort.key);
  const sort = known ? boardSort : { key: columns.some((column) => column.key === "rank") ? "rank" : "method", descending: false };
  return sortable(columns, rows, { caption, sort, label: "Leaderboard", class: "board",
    sorted: (chosen) => { boardSort = chosen; }, rowClass: (row) => (row.baseline ? "baseline" : null) });
}

// Methods by datasets: mean ranks, or one metric with a scale of its own in each column.
function overviewBoard(places) {
  const metrics = shownMetrics(places);
  const byRank = state.shown === "rank";
  const rows = unique(places.flatMap((place) => cellsOf(place).map((cell) => cell.label))).map((label) => {
    const cells = places.map((place) => cellsOf(place).find((cell) => cell.label === label));
    const { method, weights, baseline } = cells.find(Boolean);
    return { label, method, weights, baseline, cells, trained: false };
  });
  const ranks = places.map((place) => meanRanks(place, metrics));
  // A place where no metric is shared ranks nobody, so it may not decide who is everywhere.
  const counted = ranks.filter((table) => table.size);
  const overall = (row) => {
    const found = counted.map((table) => table.get(row.label));
    return found.length && found.every(hasValue) ? mean(found) : undefined;
  };
  const metric = metricOf.get(state.shown);
  const top = podium(rows, overall, false);
  const columns = [nameColumn(),
    { key: "rank", title: "Mean rank", note: "Mean over the datasets; only for methods that all of them have", number: true, higher: false,
      value: overall, cell: (row) => rankCell(overall(row), rows.length, placing(top, row)) },
    ...places.map((place, index) => {
      const marked = (cell) => (cell && cell.trained ? h("span", { class: "marked", title: "trained on pictures of this dataset, or of one with scenes of it" }, MARK) : null);
      if (byRank) {
        const value = (row) => ranks[index].get(row.label);
        const first = podium(rows, value, false);
        return { key: placeName(place), title: place.dataset, note: placeName(place), number: true, higher: false, value,
          cell: (row) => [rankCell(value(row), ranks[index].size, placing(first, row)), marked(row.cells[index])] };
      }
      const inner = scoreColumn(metric, places[index].cells.filter((cell) => !state.hidden.has(cell.label)), placeName(place), place.dataset);
      return { ...inner, note: placeName(place), value: (row) => (row.cells[index] ? inner.value(row.cells[index]) : undefined),
        cell: (row) => (row.cells[index] ? [inner.cell(row.cells[index]), marked(row.cells[index])] : DASH) };
    })];
  const what = byRank ? `Mean rank over ${metrics.map((one) => one.symbol).join(", ")}` : `${metric.symbol} ${arrow(metric)}, ${metric.title}`;
  return sortedTable(columns, rows, `${what}; ${places.map((p) => `${placeName(p)} (n = ${p.images.length})`).join(", ")}; convention ${state.convention}. The mean over the datasets is only given where no dataset is missing.`);
}

function drawBoard(panel) {
  const places = chosenPlaces();
  const bar = h("div", { class: "toolbar" });
  if (isOverview()) {
    add(bar, h("label", null, "Cells show ", select([["rank", "mean rank"], ...shownMetrics(places).map((m) => [m.symbol, `${m.symbol} ${arrow(m)}`])], state.shown, (value) => { state.shown = value; redraw(); }, "shown")));
  }
  if (!isOverview() || state.shown !== "rank") {
    add(bar, h("label", { class: "check" }, h("input", { type: "checkbox", id: "interval-numbers", checked: intervalNumbers, onchange: (event) => { intervalNumbers = event.target.checked; redraw(); } }), " Intervals as numbers"));
  }
  add(panel, bar, isOverview() ? overviewBoard(places) : placeBoard(places[0]),
    h("p", { class: "legend" }, h("b", null, "Bold"), " best, ", h("span", { class: "second" }, "underlined"), " second of the methods shown. Arrows say which way is better. The line under a value is its 95 % interval over pictures. ",
      `${MARK} trained on pictures of the dataset, or of one with scenes of it. * some pictures are missing from the mean. ${DASH} does not apply.`));
}
