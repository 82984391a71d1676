// Pointers, keys and buttons.
// --- Pointers ------------------------------------------------------------------------------

const pointers = new Map();
let moved = 0, pressed = null;

canvas.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  pointers.set(event.pointerId, [event.clientX, event.clientY]);
  if (pointers.size === 1) {
    moved = 0;
    pressed = event.target;
  }
});
canvas.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  const now = [event.clientX, event.clientY], others = [...pointers].filter(([id]) => id !== event.pointerId);
  if (others.length) {
    const other = others[0][1], corner = canvas.getBoundingClientRect();
    const apart = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]) || 1;
    zoom(apart(now) / apart(before), (now[0] + other[0]) / 2 - corner.left,
      (now[1] + other[1]) / 2 - corner.top);
    place.x += (now[0] - before[0]) / 2;
    place.y += (now[1] - before[1]) / 2;
    moved = 99;
  } else {
    place.x += now[0] - before[0];
    place.y += now[1] - before[1];
    moved += Math.abs(now[0] - before[0]) + Math.abs(now[1] - before[1]);
    if (moved > 4 && !canvas.classList.contains("dragging")) {
      canvas.classList.add("dragging");
      canvas.setPointerCapture(event.pointerId);
    }
  }
  pointers.set(event.pointerId, now);
  apply();
});
const lift = (event) => {
  if (!pointers.delete(event.pointerId)) return;
  canvas.classList.remove("dragging");
  if (event.type === "pointerup" && !pointers.size && moved <= 4) click(pressed);
};
canvas.addEventListener("pointerup", lift);
canvas.addEventListener("pointercancel", lift);

function click(target) {
  const node = target.closest(".dg-node"), edge = target.closest(".dg-edge");
  if (node) choose(+node.dataset.vertex, {move: false});
  else if (edge) chooseEdge(+edge.dataset.edge);
  else release();
}

canvas.addEventListener("dblclick", (event) => {
  const node = event.target.closest(".dg-node"), cluster = event.target.closest(".dg-cluster,.dg-header");
  if (node && level.nodes[+node.dataset.vertex].group) {
    const group = level.nodes[+node.dataset.vertex];
    for (let i = number + 1; i < data.levels.length; i++) {  // the first that opens it
      if (!data.levels[i].nodes.some((n) => n.lines === group.lines)) return go(i);
    }
  } else if (!node && cluster) {
    const path = cluster.dataset.cluster || cluster.dataset.titleOf;
    for (let i = number - 1; i >= 0; i--) {  // the first that closes it
      if (data.levels[i].nodes.some((n) => n.group && n.path === path)) return go(i, {path, lines: -1});
    }
  }
});

canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const corner = canvas.getBoundingClientRect();
  const amount = event.deltaY * (event.deltaMode === 1 ? 16 : 1) * (event.ctrlKey ? 3 : 1);
  zoom(Math.exp(-Math.max(-120, Math.min(120, amount)) / 480),
    event.clientX - corner.left, event.clientY - corner.top);
}, {passive: false});

canvas.addEventListener("pointerover", (event) => {
  if (pointers.size || event.pointerType === "touch") return;
  const node = event.target.closest(".dg-node"), edge = event.target.closest(".dg-edge");
  light(node ? {node: +node.dataset.vertex} : edge ? {edge: +edge.dataset.edge} : chosen);
});
canvas.addEventListener("pointerleave", () => light(chosen));
canvas.addEventListener("focusin", (event) => {
  const node = event.target.closest(".dg-node");
  if (!node || pointers.size) return;  // a press may become a drag: wait for the click
  const index = +node.dataset.vertex;
  if (!chosen || chosen.node !== index) choose(index, {focus: false});
});
// The browser would scroll the focused node into view on its own: the drawing moves instead.
canvas.addEventListener("scroll", () => canvas.scrollTo(0, 0));

// --- Keys ----------------------------------------------------------------------------------

// From one node along the edges, or to what stands beside it.
function neighbour(key) {
  const index = chosen.node, flow = data.direction === "down" ?
    {ArrowUp: operands, ArrowDown: users} : {ArrowLeft: operands, ArrowRight: users};
  const middle = (i) => [boxes[i][0] + boxes[i][2] / 2, boxes[i][1] + boxes[i][3] / 2];
  const [x, y] = middle(index);
  if (flow[key]) {
    const ends = flow[key][index].map(([end]) => end);
    const far = (i) => Math.hypot(middle(i)[0] - x, middle(i)[1] - y);
    return ends.length ? ends.reduce((best, i) => (far(i) < far(best) ? i : best)) : -1;
  }
  const along = data.direction === "down" ? 0 : 1;
  const sign = key === "ArrowLeft" || key === "ArrowUp" ? -1 : 1;
  let best = -1, least = Infinity;
  nodes.forEach((_, i) => {
    const there = middle(i), ahead = (there[along] - [x, y][along]) * sign;
    const aside = Math.abs(there[1 - along] - [x, y][1 - along]);
    const reach = (boxes[i][3 - along] + boxes[index][3 - along]) / 2;
    if (i !== index && ahead > 1 && aside < reach && ahead + 2 * aside < least) {
      least = ahead + 2 * aside;
      best = i;
    }
  });
  return best;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input")) return;
  const key = event.key;
  if (key === "/") {
    query.focus();
    query.select();
  } else if (key === "+" || key === "=") zoom(ZOOM_STEP);
  else if (key === "-" || key === "−") zoom(1 / ZOOM_STEP);
  else if (key === "0") fit(false);
  else if (key === "[") go(number - 1);
  else if (key === "]") go(number + 1);
  else if (key === "Escape") {
    release();
    if (document.activeElement) document.activeElement.blur();
  } else if (key.startsWith("Arrow") && !event.target.closest("aside")) {
    if (chosen && chosen.node !== undefined) {
      const next = neighbour(key);
      if (next >= 0) choose(next);
    } else {
      const [x, y] = {ArrowUp: [0, 60], ArrowDown: [0, -60], ArrowLeft: [60, 0], ArrowRight: [-60, 0]}[key];
      place.x += x;
      place.y += y;
      apply();
    }
  } else if ((key === "Enter" || key === " ") && event.target.closest(".dg-node")) {
    const index = +event.target.closest(".dg-node").dataset.vertex;
    choose(index);
    centre(index, false);
  } else return;
  event.preventDefault();
});

// --- Buttons -------------------------------------------------------------------------------

byId("zoom-in").addEventListener("click", () => zoom(ZOOM_STEP));
byId("zoom-out").addEventListener("click", () => zoom(1 / ZOOM_STEP));
byId("fit").addEventListener("click", () => fit(false));
depth.max = data.levels.length - 1;
byId("depth-box").hidden = data.levels.length < 2;
depth.addEventListener("input", () => go(+depth.value));
byId("theme").addEventListener("click", () => {
  const root = document.documentElement, dark = matchMedia("(prefers-color-scheme:dark)").matches;
  root.dataset.theme = (root.dataset.theme || (dark ? "dark" : "light")) === "dark" ? "light" : "dark";
});

// A print shows all of the drawing, however the window is moved.
addEventListener("beforeprint", () =>
  svg.setAttribute("viewBox", `0 0 ${svg.dataset.width} ${svg.dataset.height}`));
addEventListener("afterprint", whole);
let last = [0, 0];
new ResizeObserver(() => {
  const now = [canvas.clientWidth, canvas.clientHeight];
  if (now[0] === last[0] && now[1] === last[1]) return;
  const first = !last[0];
  place.x += first ? 0 : (now[0] - last[0]) / 2;
  last = now;
  whole();
  if (first) fit(true); else apply();
}).observe(canvas);

show(number);
