// Moves about a drawing that is laid out already. page.py joins this file, graph_details.js and
// graph_input.js inside one function: here is where the drawing stands, and its levels.
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const canvas = byId("canvas"), details = byId("details"), query = byId("query");
const hits = byId("hits"), depth = byId("depth");
const SVG = "http://www.w3.org/2000/svg";
const ZOOM_STEP = 1.25, LEAST = 0.04, MOST = 8;
const READABLE = 0.62;  // below this scale the type is too small to begin with
const LARGEST_START = 1.15;  // small drawings are not blown up to begin with

let number = data.start, level = data.levels[number];
let svg = null, view = null, nodes = [], edges = [], labels = [], boxes = [];
let operands = [], users = [], first = -1;  // the one that is read first
let chosen = null;  // {node} or {edge}
let found = [], at = -1;
const place = {x: 0, y: 0, scale: 1};

// --- Where the drawing stands --------------------------------------------------------------

// The picture's own pixels: the view box is the size of the canvas.
const apply = () =>
  view.setAttribute("transform", `translate(${place.x} ${place.y}) scale(${place.scale})`);
const size = () => ({width: +svg.dataset.width, height: +svg.dataset.height});

function fit(start) {
  const {width, height} = size(), w = canvas.clientWidth, h = canvas.clientHeight;
  let scale = Math.min(w / width, h / height, LARGEST_START);
  if (start && scale < READABLE) {  // then only as wide, or as high, as the window
    const one = data.direction === "down" ? w / width : h / height;
    scale = Math.min(Math.max(one, READABLE), 1);
  }
  place.scale = scale;
  place.x = (w - width * scale) / 2;
  place.y = (h - height * scale) / 2;
  if (start && (place.x < 0 || place.y < 0) && first >= 0) {  // begin where values do
    const [x, y, width, height] = boxes[first];
    if (place.y < 0) place.y = data.direction === "down" ? 0 : h / 2 - (y + height / 2) * scale;
    if (place.x < 0) place.x = data.direction === "right" ? 0 : w / 2 - (x + width / 2) * scale;
  }
  apply();
}

function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
  const scale = Math.min(Math.max(place.scale * factor, LEAST), MOST);
  const grown = scale / place.scale;
  place.x = x - (x - place.x) * grown;
  place.y = y - (y - place.y) * grown;
  place.scale = scale;
  apply();
}

function centre(index, onlyIfHidden) {
  const [x, y, w, h] = boxes[index], s = place.scale;
  const left = place.x + x * s, top = place.y + y * s;
  const inside = left > 8 && top > 8 && left + w * s < canvas.clientWidth - 8 &&
    top + h * s < canvas.clientHeight - 8;
  if (onlyIfHidden && inside) return;
  if (place.scale < READABLE) place.scale = 1;
  place.x = canvas.clientWidth / 2 - (x + w / 2) * place.scale;
  place.y = canvas.clientHeight / 2 - (y + h / 2) * place.scale;
  apply();
}

// --- Levels --------------------------------------------------------------------------------

function show(which) {
  if (which !== number) {  // swap with what waits in a template
    const next = document.querySelector(`template[data-level="${which}"]`);
    const waiting = next.content.firstElementChild;
    svg.querySelectorAll(".ring,.grip").forEach((extra) => extra.remove());
    next.dataset.level = number;
    next.content.replaceChildren(svg);
    canvas.append(waiting);
  }
  number = which;
  level = data.levels[number];
  prepare();
  depth.value = number;
  byId("depth-name").value = level.name;
  byId("overview").textContent = `${level.about}.`;
}

function prepare() {
  svg = canvas.querySelector("svg");
  if (!svg.dataset.width) {
    svg.dataset.width = svg.getAttribute("width");
    svg.dataset.height = svg.getAttribute("height");
  }
  view = svg.querySelector(".view");
  nodes = [...svg.querySelectorAll(".dg-node")];  // they stand in reading order
  first = nodes.length ? +nodes[0].dataset.vertex : -1;
  nodes.sort((a, b) => a.dataset.vertex - b.dataset.vertex);
  edges = [...svg.querySelectorAll(".dg-edge")];
  labels = [...svg.querySelectorAll(".dg-label")];
  const shift = view.querySelector(".dg-graph");
  const [left, top] = shift ? shift.getAttribute("transform").match(/-?[\d.]+/g).map(Number) : [0, 0];
  boxes = nodes.map((node) => {
    const [x, y, w, h] = node.dataset.box.split(" ").map(Number);
    const ring = document.createElementNS(SVG, "rect");
    const attributes = {class: "ring", x: -5, y: -5, width: w + 10, height: h + 10, rx: 12};
    for (const name in attributes) ring.setAttribute(name, attributes[name]);
    node.append(ring);
    return [x + left, y + top, w, h];
  });
  for (const edge of edges) {  // a broad invisible line is easier to point at
    const grip = edge.querySelector("path").cloneNode();
    grip.setAttribute("class", "grip");
    grip.removeAttribute("stroke");
    grip.removeAttribute("stroke-width");
    edge.append(grip);
  }
  operands = level.nodes.map(() => []);
  users = level.nodes.map(() => []);
  level.edges.forEach(([tail, head], i) => {
    operands[head].push([tail, i]);
    users[tail].push([head, i]);
  });
  whole();
}

// One unit of the picture is one pixel of the window.
function whole() {
  svg.setAttribute("viewBox", `0 0 ${canvas.clientWidth} ${canvas.clientHeight}`);
}

// The same place at another depth: the node itself, the group around it, or its first member.
function go(which, focus) {
  which = Math.min(Math.max(which, 0), data.levels.length - 1);
  if (which === number) return;
  const from = chosen && chosen.node !== undefined ? level.nodes[chosen.node] : focus;
  const had = chosen && chosen.node !== undefined;
  release();
  show(which);
  search(false);
  fit(true);
  if (!from) return;
  const inside = (path, outer) => path === outer || path.startsWith(outer + ".");
  let target = level.nodes.findIndex((n) => n.lines === from.lines);
  if (target < 0) {
    target = level.nodes.findIndex((n) => n.group && from.path && inside(from.path, n.path));
  }
  if (target < 0) {
    target = level.nodes.findIndex((n) => from.path && inside(n.path, from.path));
  }
  if (target < 0) return;
  if (had) choose(target); else centre(target, true);
}
