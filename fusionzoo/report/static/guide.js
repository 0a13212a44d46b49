// Where every number comes from, and how to read the marks.
function provenanceRows() {
  return chosenPlaces().flatMap((place) => cellsOf(place).map((cell) => ({ place, ...cell, from: cell.provenance })));
}
const hash = (value) => (value ? h("code", { title: value }, String(value).slice(0, 12)) : DASH);
const listed = (value) => (Array.isArray(value) ? value.join(", ") : typeof value === "object" && value ? JSON.stringify(value) : String(value ?? DASH));

function drawProvenance(panel) {
  const column = (key, title, value, cell) => ({ key, title, value, cell });
  const versions = (row) => ["fusionzoo", "torch", "python"].filter((name) => row.from[name]).map((name) => `${name} ${row.from[name]}`).join(", ");
  const machine = (row) => [row.from.machine, row.from.processor, row.from.device, row.from.precision].filter(Boolean).map(listed).join(", ");
  const columns = [
    { ...nameColumn(), cell: (row) => [methodName(row), row.trained ? h("span", { class: "marked" }, MARK) : null] },
    column("place", "Dataset", (row) => placeName(row.place)),
    { ...column("n", "n", (row) => row.n), number: true },
    { ...column("failed", "Failed", (row) => row.failed.length), number: true },
    column("convention", "Convention", (row) => row.place.convention),
    column("list", "Image list", (row) => row.place.list, (row) => hash(row.place.list)),
    column("weights", "Weights sha256", (row) => row.from.weights_sha256, (row) => hash(row.from.weights_sha256)),
    column("license", "Licence", (row) => row.from.weights_license, (row) => listed(row.from.weights_license)),
    column("trained", "Trained on", (row) => listed(row.from.trained_on || []), (row) => listed(row.from.trained_on || []) || DASH),
    column("versions", "Versions", versions),
    column("machine", "Machine", machine),
  ];
  add(panel, h("p", { class: "lede" }, "What each row was measured with. Hashes are shortened; the whole ones are in the details and in the result files."),
    sortable(columns, provenanceRows(), { caption: `Provenance of ${provenanceRows().length} results.`, sort: { key: "place" }, label: "Provenance", class: "provenance" }),
    h("h2", null, "Details"), provenanceRows().map((row) => h("details", { class: "facts" }, h("summary", null, `${row.label} on ${placeName(row.place)}`),
      h("dl", null, Object.entries(row.from).map(([key, value]) => [h("dt", null, key), h("dd", null, listed(value))])),
      row.failed.length ? [h("p", null, "Pictures without output:"), h("ul", null, row.failed.map(([name, reason]) => h("li", null, `${name}: ${reason}`)))] : null)));
}

function drawGuide(panel) {
  const entry = (id, term, ...text) => [h("dt", { id }, term), h("dd", null, ...text)];
  const contaminated = data.places.flatMap((place) => place.cells.filter((cell) => cell.trained).map((cell) => `${cell.label} on ${placeName(place)} (trained on ${listed(cell.provenance.trained_on)})`));
  add(panel, h("div", { class: "prose" },
    h("h2", null, "Marks"), h("dl", { class: "guide" },
      entry("mark-trained", `${MARK} trained here`, "The weights have seen pictures of this dataset, or of one with scenes of it, so the row may look better there than on new pictures. It says nothing about how the method would rank without them. ",
        contaminated.length ? ["In this report:", h("ul", null, unique(contaminated).map((line) => h("li", null, line)))] : "No row of this report is marked."),
      entry("mark-arrows", "↑ ↓", "Which way a metric improves."),
      entry("mark-best", "Bold, underlined", "Best and second-best value of the methods shown; equal values share a mark. A difference that lies within the intervals need not mean anything: the plots have the tests."),
      entry("mark-interval", "Line under a value", "95 % interval of the mean over pictures: studentised bootstrap of 2000 resamples, the same for every method; Student's t below 6 pictures."),
      entry("mark-partial", "*", "Some pictures are missing from the mean because the metric is undefined or infinite there."),
      entry("mark-dash", DASH, "The metric does not apply, or was not measured."),
      entry("mark-rank", "Mean rank", "Methods are ranked by each metric shown (1 is best, ties share) and the ranks are averaged. It depends on which methods and metrics are shown. Metrics that some method lacks do not count."),
      entry("mark-baseline", "baseline", "A copy of a source, a mean, a maximum: if such a row wins a metric, the metric can be won without fusing well.")),
    h("h2", null, "Which numbers may be compared"), h("p", null, "Only those of one table: one dataset and split, one metric convention, one image list. Published numbers follow several conventions that differ in borders, ranges and rounding, so that equal names can mean different numbers."),
    h("h3", null, "Conventions here"), h("dl", { class: "guide" }, Object.entries(data.conventions).map(([name, rule]) => [h("dt", null, name), h("dd", null, rule.title, rule.papers ? `. ${rule.papers}` : "",
      Object.entries(rule.notes).map(([symbol, note]) => h("div", null, `${symbol}: ${note}`)))])),
    h("h2", null, "Metrics"), h("div", { class: "scroll" }, h("table", null, h("caption", null, "Every metric of this report."), h("thead", null, h("tr", null, ["Metric", "Name", "Better", "Unit", "Source"].map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", null, data.metrics.map((metric) => h("tr", null, h("th", { scope: "row" }, metric.symbol), h("td", null, metric.title), h("td", null, metric.higher ? "higher" : "lower"), h("td", null, metric.unit || DASH), h("td", { class: "wrap" }, metric.paper || DASH)))))),
    data.problems.length ? [h("h2", null, "Files that could not be read"), h("ul", { id: "problems" }, data.problems.map((line) => h("li", null, line)))] : null));
}
