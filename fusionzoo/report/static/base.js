// The data, and small tools: elements built from text (never from markup), numbers, ranks.
const data = JSON.parse(document.getElementById("data").textContent);
const metricOf = new Map(data.metrics.map((metric) => [metric.symbol, metric]));
const DASH = "–";
const MARK = "‡";

function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") Object.entries(value).forEach(([k, v]) => element.style.setProperty(k, v));
    else element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

// An HTML element; text children become text, whatever they hold.
const h = (tag, attributes, ...children) => build(document.createElement(tag), attributes, children);

// More children for an element that is there.
const add = (element, ...children) => build(element, null, children);

// An SVG element, likewise.
const s = (tag, attributes, ...children) =>
  build(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

function number(value) {
  if (value === null || value === undefined) return DASH;
  const size = Math.abs(value);
  if (size >= 1000) return value.toFixed(0);
  if (size >= 100) return value.toFixed(1);
  return size >= 10 ? value.toFixed(2) : value.toFixed(3);
}

// A cost with a prefix: 0.0123 s -> 12.3 ms, 51162120192 -> 51.2 G.
function quantity(value, unit) {
  if (value === null || value === undefined) return DASH;
  if (value === 0) return "0";
  const steps = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""], [1e-3, "m"], [1e-6, "µ"]];
  const [step, prefix] = steps.find(([least]) => Math.abs(value) >= least) || steps.at(-1);
  const scaled = value / step;
  const digits = scaled >= 100 ? 0 : scaled >= 10 ? 1 : 2;
  return `${scaled.toFixed(digits)} ${prefix}${unit}`.trim();
}

const arrow = (metric) => (metric.higher ? "↑" : "↓");
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const unique = (values) => [...new Set(values)];
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// About five round numbers from low to high.
function niceTicks(low, high) {
  const raw = (high - low || 1) / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= raw);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(10)));
}

// Ranks, 1 = best; equal values share their mean rank.
function ranksOf(values, higher) {
  const signed = values.map((value) => (higher ? -value : value));
  return signed.map((one) => {
    const before = signed.filter((other) => other < one).length;
    const equal = signed.filter((other) => other === one).length;
    return before + (equal + 1) / 2;
  });
}

// Address of a picture: a relative path, or the data of one that is in this file.
function address(reference) {
  if (!reference || !reference.startsWith("#")) return reference;
  const held = document.getElementById(reference.slice(1));
  return held ? `data:image/png;base64,${held.textContent}` : undefined;
}

const placeName = (place) =>
  `${place.dataset}:${place.split}${place.condition ? ` (${place.condition})` : ""}`;

// The name of a method as a table shows it: tag and marks are told apart from it.
function methodName(cell) {
  const [name, ...tag] = [cell.method, cell.weights === "-" ? "" : cell.weights];
  return h("span", { class: "method" }, name, tag[0] ? h("span", { class: "tag" }, `@${tag[0]}`) : null);
}

const swatch = (label) => h("span", { class: "swatch", style: { background: colourOf(label) } });
const labels = unique(data.places.flatMap((place) => place.cells.map((cell) => cell.label))).sort();
const colourOf = (label) => `var(--series-${labels.indexOf(label) % 10})`;
// Methods beyond the tenth share colours, so their lines are dashed.
const dashOf = (label) => (labels.indexOf(label) >= 10 ? "6 3" : null);
