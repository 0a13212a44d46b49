// What is chosen: kept in the address, so that a view can be sent, and drawn again when it changes.
const TABS = { board: "Leaderboard", pictures: "Pictures", plots: "Plots", provenance: "Provenance", guide: "Reading guide" };
const conventions = unique(data.places.map((place) => place.convention));
const state = {
  tab: "board",
  convention: conventions.includes("standard") ? "standard" : conventions[0],
  where: "", // position of a place, or "task/convention" for all datasets of a task
  metrics: new Set(), // shown; all core ones at first
  hidden: new Set(), // labels of methods
  shown: "rank", // what the overview's cells hold
  focus: "", // metric of plots and of the pictures' order
};

// Groups that can be chosen: every task with its places.
function choices() {
  const groups = new Map();
  data.places.forEach((place, index) => {
    if (place.convention !== state.convention) return;
    const key = `${place.task}/${place.convention}`;
    if (!groups.has(key)) groups.set(key, { key, task: place.task, title: data.tasks[place.task], places: [], disturbed: [] });
    groups.get(key)[place.condition ? "disturbed" : "places"].push(index);
  });
  const order = Object.keys(data.tasks);
  return [...groups.values()].sort((a, b) => order.indexOf(a.task) - order.indexOf(b.task));
}

// The places that are shown together, in order.
function chosenPlaces() {
  const group = choices().find((one) => one.key === state.where);
  return group ? group.places.map((index) => data.places[index]) : [data.places[Number(state.where)]];
}
const isOverview = () => state.where.includes("/");
const cellsOf = (place) => place.cells.filter((cell) => !state.hidden.has(cell.label));
const measured = (places) =>
  data.metrics.filter((m) => places.some((p) => p.cells.some((c) => c.scores[m.symbol] !== undefined && c.scores[m.symbol] !== null)));
const shownMetrics = (places) => measured(places).filter((metric) => state.metrics.has(metric.symbol));

// Choices that the present results do not have are replaced by the nearest that they do.
function settle() {
  const groups = choices();
  const open = groups.flatMap((group) => [
    ...(group.places.length > 1 ? [group.key] : []), ...[...group.places, ...group.disturbed].map(String)]);
  if (!open.includes(state.where)) state.where = open[0];
  const present = measured(chosenPlaces());
  if (!present.some((metric) => state.metrics.has(metric.symbol))) {
    const core = present.filter((metric) => metric.core);
    (core.length ? core : present).forEach((metric) => state.metrics.add(metric.symbol));
  }
  const focus = shownMetrics(chosenPlaces());
  if (!focus.some((metric) => metric.symbol === state.focus)) state.focus = focus.length ? focus[0].symbol : "";
  if (state.shown !== "rank" && !focus.some((metric) => metric.symbol === state.shown)) state.shown = "rank";
}

function remember() {
  const place = isOverview() ? state.where : placeName(data.places[Number(state.where)]);
  const parts = { tab: state.tab, convention: state.convention, where: place, focus: state.focus, shown: state.shown,
    metrics: [...state.metrics].join(","), hidden: JSON.stringify([...state.hidden]) };
  try {
    history.replaceState(null, "", `#${new URLSearchParams(parts)}`);
  } catch (error) { /* some viewers give a file no address */ }
}

function recall() {
  const parts = new URLSearchParams(location.hash.slice(1));
  if (TABS[parts.get("tab")]) state.tab = parts.get("tab");
  if (conventions.includes(parts.get("convention"))) state.convention = parts.get("convention");
  const where = parts.get("where") || "";
  const position = data.places.findIndex((p) => p.convention === state.convention && placeName(p) === where);
  state.where = position >= 0 ? String(position) : where;
  (parts.get("metrics") || "").split(",").filter((m) => metricOf.has(m)).forEach((m) => state.metrics.add(m));
  state.focus = parts.get("focus") || "";
  state.shown = parts.get("shown") || "rank";
  try {
    JSON.parse(parts.get("hidden") || "[]").filter((l) => labels.includes(l)).forEach((l) => state.hidden.add(l));
  } catch (error) { /* an address that was cut */ }
}
