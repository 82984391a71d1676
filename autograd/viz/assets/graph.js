"use strict";
// Moves about a drawing that is laid out already: pan, zoom, search, depth, details.
(() => {
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
  let operands = [], users = [];
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
    if (start) {  // too large for the window: begin where values do
      if (place.y < 0) place.y = 0;
      if (place.x < 0 && data.direction === "right") place.x = 0;
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
  }

  function prepare() {
    svg = canvas.querySelector("svg");
    if (!svg.dataset.width) {
      svg.dataset.width = svg.getAttribute("width");
      svg.dataset.height = svg.getAttribute("height");
    }
    view = svg.querySelector(".view");
    nodes = [...svg.querySelectorAll(".dg-node")];
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

  // --- What is chosen ------------------------------------------------------------------------

  function reach(start, ways) {
    const seen = new Set([start]), stack = [start], passed = new Set();
    while (stack.length) {
      for (const [next, edge] of ways[stack.pop()]) {
        passed.add(edge);
        if (!seen.has(next)) {
          seen.add(next);
          stack.push(next);
        }
      }
    }
    return [seen, passed];
  }

  function light(thing) {
    let lit = null;
    if (thing && thing.node !== undefined) {
      const [above, in_] = reach(thing.node, operands), [below, out] = reach(thing.node, users);
      lit = [new Set([...above, ...below]), new Set([...in_, ...out])];
    } else if (thing) {
      const [tail, head] = level.edges[thing.edge];
      lit = [new Set([tail, head]), new Set([thing.edge])];
    }
    svg.classList.toggle("lighted", !!lit);
    nodes.forEach((node, i) => node.classList.toggle("lit", !!lit && lit[0].has(i)));
    edges.forEach((edge) => edge.classList.toggle("lit", !!lit && lit[1].has(+edge.dataset.edge)));
    labels.forEach((label) =>
      label.classList.toggle("lit", !!lit && lit[1].has(+label.dataset.ofEdge)));
  }

  function choose(index, {focus = true, move = true} = {}) {
    release();
    chosen = {node: index};
    nodes[index].classList.add("chosen");
    light(chosen);
    describe(level.nodes[index].lines, level.nodes[index].bars);
    links("Made of", operands[index]);
    links("Used by", users[index]);
    if (focus) nodes[index].focus({preventScroll: true});
    if (move) centre(index, true);
  }

  function chooseEdge(index) {
    release();
    chosen = {edge: index};
    light(chosen);
    const [tail, head, lines] = level.edges[index];
    describe(lines, []);
    links("From", [[tail]]);
    links("To", [[head]]);
  }

  function release() {
    nodes.forEach((node) => node.classList.remove("chosen"));
    chosen = null;
    light(null);
    details.replaceChildren();
  }

  function make(tag, text, name) {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (name) element.className = name;
    return element;
  }

  function describe(lines, bars) {
    const [heading, ...rest] = data.details[lines];
    const list = make("dl");
    for (const [label, text] of rest) {
      const row = make("div", undefined, label.split(" ")[0].replace(/[^a-z]/g, ""));
      row.append(make("dt", label), make("dd", text));
      list.append(row);
    }
    details.replaceChildren(make("h2", heading[1]), list, ...bars.map(chart));
  }

  function chart([label, counts, least, mean, most]) {
    const figure = make("figure"), top = make("figcaption"), ends = make("figcaption");
    top.append(make("span", label), make("span", `mean ${mean}`));
    ends.append(make("span", least), make("span", most));
    const picture = document.createElementNS(SVG, "svg"), highest = Math.max(...counts);
    picture.setAttribute("viewBox", `0 0 ${counts.length * 10} 40`);
    picture.setAttribute("preserveAspectRatio", "none");
    picture.setAttribute("aria-hidden", "true");
    counts.forEach((count, i) => {
      if (!count) return;
      const bar = document.createElementNS(SVG, "rect"), h = Math.max(40 * count / highest, 1);
      const attributes = {class: label, x: i * 10 + 0.5, y: 40 - h, width: 9, height: h};
      for (const name in attributes) bar.setAttribute(name, attributes[name]);
      picture.append(bar);
    });
    figure.append(top, picture, ends);
    return figure;
  }

  function links(label, ends) {
    if (!ends.length) return;
    const row = make("div", undefined, "links");
    for (const index of new Set(ends.map(([end]) => end))) {
      const button = make("button", level.nodes[index].label);
      button.type = "button";
      button.addEventListener("click", () => choose(index));
      row.append(button);
    }
    const list = make("dl"), line = make("div"), side = make("dd");
    side.append(row);
    line.append(make("dt", label), side);
    list.append(line);
    details.append(list);
  }

  // --- Search --------------------------------------------------------------------------------

  function search(jump) {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    found = [];
    level.nodes.forEach((node, i) => {
      const hit = words.length > 0 && words.every((word) => node.find.includes(word));
      nodes[i].classList.toggle("hit", hit);
      if (hit) found.push(i);
    });
    at = -1;
    hits.value = words.length ? (found.length ? `${found.length} found` : "none") : "";
    if (jump && found.length) step(1);
  }

  function step(by) {
    if (!found.length) return;
    at = (at + by + found.length) % found.length;
    hits.value = `${at + 1} of ${found.length}`;
    choose(found[at], {focus: false, move: false});
    centre(found[at], false);
  }

  query.addEventListener("input", () => search(true));
  byId("search").addEventListener("submit", (event) => event.preventDefault());
  query.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      step(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape") {
      query.value = "";
      search(false);
      query.blur();
      release();
    }
    event.stopPropagation();
  });

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
})();
