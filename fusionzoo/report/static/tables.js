// Tables that sort: headings are buttons, the first press puts the best on top.

// columns: {key, title, note, number: bool, higher: bool|null, value(row), cell(row)}; rows: anything.
function sortable(columns, rows, options) {
  let { key, descending } = options.sort || {};
  const head = h("tr");
  const body = h("tbody");
  const table = h("table", { class: `sortable ${options.class || ""}` }, h("caption", null, h("span", null, options.caption)),
    h("thead", null, head), body);

  function order() {
    const column = columns.find((one) => one.key === key);
    if (!column) return rows;
    const known = rows.filter((row) => hasValue(column.value(row)));
    const sign = descending ? -1 : 1;
    known.sort((a, b) => sign * compareValues(column.value(a), column.value(b)));
    return [...known, ...rows.filter((row) => !hasValue(column.value(row)))];
  }

  function press(column) {
    const best = column.higher === true;
    descending = key === column.key ? !descending : best;
    key = column.key;
    if (options.sorted) options.sorted({ key, descending });
    fill();
  }

  function fill() {
    head.replaceChildren(...columns.map((column) => {
      const active = column.key === key;
      const direction = active ? (descending ? "descending" : "ascending") : null;
      const button = h("button", { type: "button", title: column.note, onclick: () => { press(column); focusHead(column.key); } },
        h("span", { class: "heading" }, column.title),
        column.higher === undefined || column.higher === null ? null
          : h("span", { class: "arrow", "aria-label": column.higher ? "higher is better" : "lower is better" }, column.higher ? "↑" : "↓"),
        h("span", { class: "order", "aria-hidden": "true" }, active ? (descending ? "▼" : "▲") : ""));
      return h("th", { scope: "col", class: column.number ? "number" : null, "aria-sort": direction, "data-key": column.key }, button);
    }));
    body.replaceChildren(...order().map((row) => h("tr", { class: options.rowClass ? options.rowClass(row) : null },
      columns.map((column, position) => h(position ? "td" : "th", { scope: position ? null : "row", class: column.number ? "number" : null },
        column.cell ? column.cell(row) : column.value(row))))));
  }

  function focusHead(wanted) {
    const found = [...head.children].find((cell) => cell.dataset.key === wanted);
    if (found) found.firstElementChild.focus();
  }

  fill();
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": options.label || "Table" }, table);
}

const hasValue = (value) => value !== null && value !== undefined && value !== "";
const compareValues = (a, b) =>
  typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });

// Positions of the best and second-best distinct values: {best, second} as sets of rows.
function podium(rows, value, higher) {
  const known = unique(rows.map(value).filter(hasValue)).sort((a, b) => (higher ? b - a : a - b));
  const places = { best: new Set(), second: new Set() };
  if (known.length < 2) return places;
  for (const row of rows) {
    if (value(row) === known[0]) places.best.add(row);
    else if (value(row) === known[1]) places.second.add(row);
  }
  return places;
}
const placing = (places, row) => (places.best.has(row) ? "best" : places.second.has(row) ? "second" : "");
