// Zoom and pan shared by every picture of the explorer, and the before/after slider.
// A view is a factor k and an offset x, y in shares of the frame, so frames of any size agree.

function sharedView(root, changed = () => {}) {
  const view = { k: 1, x: 0, y: 0 };
  function apply() {
    view.k = clamp(view.k, 1, 32);
    view.x = clamp(view.x, 1 - view.k, 0);
    view.y = clamp(view.y, 1 - view.k, 0);
    root.style.setProperty("--k", view.k);
    root.style.setProperty("--x", view.x);
    root.style.setProperty("--y", view.y);
    root.classList.toggle("close", view.k >= 3);
    root.classList.toggle("zoomed", view.k > 1);
    changed(view);
  }
  return {
    view,
    zoom(factor, px = 0.5, py = 0.5) {
      const k = clamp(view.k * factor, 1, 32);
      view.x = px - (px - view.x) * (k / view.k);
      view.y = py - (py - view.y) * (k / view.k);
      view.k = k;
      apply();
    },
    pan(dx, dy) { view.x += dx; view.y += dy; apply(); },
    reset() { Object.assign(view, { k: 1, x: 0, y: 0 }); apply(); },
  };
}

// Wheel (with Ctrl, or once the frame has the focus), drag, two fingers, double click, keys.
function zoomable(frame, shared) {
  const pointers = new Map();
  const at = (event) => {
    const box = frame.getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  };
  frame.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && !frame.contains(document.activeElement)) return;
    event.preventDefault();
    const { x, y } = at(event);
    shared.zoom(Math.exp(-clamp(event.deltaY, -120, 120) / 300), x, y);
  }, { passive: false });
  frame.addEventListener("dblclick", (event) => { const { x, y } = at(event); shared.zoom(event.shiftKey ? 0.5 : 2, x, y); });
  frame.addEventListener("pointerdown", (event) => {
    if (event.button || event.target.closest(".handle")) return;
    pointers.set(event.pointerId, at(event));
    frame.setPointerCapture(event.pointerId);
  });
  frame.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = at(event);
    if (pointers.size === 1) {
      shared.pan(now.x - before.x, now.y - before.y);
    } else {
      const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
      const gap = (a) => Math.hypot(a.x - other.x, a.y - other.y);
      shared.zoom(gap(now) / (gap(before) || 1), (now.x + other.x) / 2, (now.y + other.y) / 2);
    }
    pointers.set(event.pointerId, now);
  });
  const release = (event) => pointers.delete(event.pointerId);
  frame.addEventListener("pointerup", release);
  frame.addEventListener("pointercancel", release);
  frame.addEventListener("keydown", (event) => {
    if (event.target !== frame || event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = { ArrowLeft: [0.1, 0], ArrowRight: [-0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] };
    if (event.key === "+" || event.key === "=") shared.zoom(1.5);
    else if (event.key === "-") shared.zoom(1 / 1.5);
    else if (event.key === "0") shared.reset();
    else if (moves[event.key] && shared.view.k > 1) shared.pan(...moves[event.key]);
    else return;
    event.preventDefault();
  });
}

const picture = (reference, alt) =>
  h("img", { class: "picture", src: address(reference), alt, draggable: "false", decoding: "async" });

// Two pictures over one another; the right one begins at the divider.
function slider(left, right, shared, start = 50, moved = () => {}) {
  const handle = h("div", { class: "handle", role: "slider", tabindex: "0", "aria-label": `Divider between ${left.label} and ${right.label}`,
    "aria-valuemin": "0", "aria-valuemax": "100", "aria-orientation": "horizontal" }, h("span", { class: "grip", "aria-hidden": "true" }, "‹ ›"));
  const first = picture(left.reference, left.label);
  const frame = h("div", { class: "stage frame", tabindex: "0", role: "group", "aria-label": `${left.label} against ${right.label}. Keys: plus and minus zoom, 0 resets, arrows move.` },
    h("div", { class: "layer" }, first), h("div", { class: "layer over" }, picture(right.reference, right.label)),
    h("span", { class: "corner left" }, left.label), h("span", { class: "corner right" }, right.label), handle);
  function place(value) {
    const share = clamp(value, 0, 100);
    frame.style.setProperty("--cut", `${share}%`);
    handle.setAttribute("aria-valuenow", Math.round(share));
    handle.setAttribute("aria-valuetext", `${Math.round(share)} % ${left.label}`);
    moved(share);
  }
  const follow = (event) => {
    const box = frame.getBoundingClientRect();
    place(100 * (event.clientX - box.left) / box.width);
  };
  handle.addEventListener("pointerdown", (event) => {
    handle.setPointerCapture(event.pointerId);
    handle.focus();
    event.preventDefault();
  });
  handle.addEventListener("pointermove", (event) => { if (handle.hasPointerCapture(event.pointerId)) follow(event); });
  handle.addEventListener("keydown", (event) => {
    const now = Number(handle.getAttribute("aria-valuenow"));
    const steps = { ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1, PageDown: now - 10, PageUp: now + 10, Home: 0, End: 100 };
    if (!(event.key in steps)) return;
    place(steps[event.key]);
    event.preventDefault();
  });
  first.addEventListener("load", () => { frame.style.aspectRatio = `${first.naturalWidth} / ${first.naturalHeight}`; });
  place(start);
  zoomable(frame, shared);
  return frame;
}
