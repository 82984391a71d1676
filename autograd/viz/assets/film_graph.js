// The picture of the graph: cards, frames and edges at one level of detail; pan, zoom, and the paint
// that shows how far the film has come.

const SVG = "http://www.w3.org/2000/svg";
const THUMB = 36; // height of the maps on a card
const READABLE = 0.8; // where all of the graph in view would be smaller, the film goes near at each step
const ZOOM = [0.08, 4];

function make(name, attributes = {}, ...children) {
  const found = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) found.setAttribute(key, value);
  found.append(...children);
  return found;
}

function draw(name, attributes = {}, text = null) {
  const found = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) found.setAttribute(key, value);
  if (text !== null) found.textContent = text;
  return found;
}

class Picture {
  constructor(film, svg, onPick, onLevel) {
    Object.assign(this, { film, svg, onPick, onLevel });
    this.view = { x: 0, y: 0, scale: 1 };
    this.thumbs = new Map();
    this.stage = draw("g");
    svg.append(this.markers(), this.stage);
    this.listen();
  }

  markers() {
    const defs = draw("defs");
    for (const kind of ["edge", "ahead", "back"]) {
      const marker = draw("marker", {
        id: `arrow-${kind}`,
        viewBox: "0 0 8 8",
        refX: 7,
        refY: 4,
        markerWidth: kind === "edge" ? 7 : 5,
        markerHeight: kind === "edge" ? 7 : 5,
        orient: "auto-start-reverse",
        class: `arrow-${kind}`,
      });
      marker.append(draw("path", { d: "M0 0.6L8 4L0 7.4Z" }));
      defs.append(marker);
    }
    return defs;
  }

  // --- Drawing -------------------------------------------------------------------------------------

  show(number) {
    this.level = this.film.levels[number];
    this.boxOf = [];
    this.level.boxes.forEach((box, i) => box.v.forEach((v) => (this.boxOf[v] = i)));
    this.stage.replaceChildren();
    for (const frame of this.level.frames) this.stage.append(this.frame(frame, number));
    this.edges = this.level.routes.map((route) => {
      const path = draw("path", { d: route.d, class: "edge" });
      this.stage.append(path);
      return { path, route };
    });
    this.cards = this.level.boxes.map((box, i) => this.card(box, i));
    this.stage.append(...this.cards.map((card) => card.group));
    this.labels = draw("g", { class: "labels", "aria-hidden": "true" });
    this.stage.append(this.labels);
  }

  frame(frame, number) {
    const group = draw("g", { class: "frame" });
    group.append(
      draw("rect", { x: frame.x, y: frame.y, width: frame.w, height: frame.h, rx: 12 }),
      draw("text", { x: frame.tx[0], y: frame.tx[1] }, frame.t),
    );
    if (number > 0) {
      const close = draw("g", { class: "close", role: "button", tabindex: "0" });
      close.setAttribute("aria-label", `Close ${frame.t}`);
      const [x, y] = [frame.x + frame.w - 14, frame.y + 12];
      close.append(
        draw("title", {}, "Close the modules of this depth"),
        draw("circle", { cx: x, cy: y, r: 8 }),
        draw("path", { d: `M${x - 4} ${y}H${x + 4}` }),
      );
      const act = () => this.onLevel(number - 1);
      close.addEventListener("click", act);
      close.addEventListener("keydown", (event) => pressed(event) && act());
      group.append(close);
    }
    return group;
  }

  card(box, i) {
    const { film } = this;
    const vertex = film.vertices[box.m ? box.v[box.v.length - 1] : box.v[0]];
    const kind = box.m || vertex.members > 1 ? "group" : vertex.kind;
    const [corner, border, dash] = film.looks[kind];
    const group = draw("g", {
      class: `card kind-${kind} order-${Math.min(3, vertex.order ?? 0)}`,
      transform: `translate(${box.x} ${box.y})`,
      role: "button",
      tabindex: i ? "-1" : "0",
      "data-node": vertex.index,
    });
    if (kind === "group")
      group.append(draw("rect", { x: 4, y: 4, width: box.w, height: box.h, rx: corner, class: "sheet" }));
    group.append(
      draw("rect", { width: box.w, height: box.h, rx: corner, class: "paper", "stroke-width": border, "stroke-dasharray": dash }),
      draw("text", { x: 10, y: 19, class: vertex.named || box.m ? "title" : "title unnamed" }, box.t),
      draw("text", { x: box.w - 10, y: 19, class: "sign" }, box.s),
    );
    const parts = { group, box, vertex };
    if (box.h < 50) {
      group.append(draw("text", { x: 10, y: 35, class: "small" }, sizes(vertex.shape)));
    } else if (vertex.shape.length) {
      group.append(draw("text", { x: 10, y: 36, class: "small" }, `${sizes(vertex.shape)}`));
      // Two maps, of the value and of the gradient; one where no gradient flows.
      const flows = box.v.some((v) => film.captured.grads[v] !== null);
      const width = flows ? (box.w - 28) / 2 : box.w - 20;
      const y = box.h - THUMB - 10;
      const map = (x, kind) => {
        const image = draw("image", { x, y, width, height: THUMB });
        group.append(draw("rect", { x: x - 0.5, y: y - 0.5, width: width + 1, height: THUMB + 1, class: kind }), image);
        return image;
      };
      parts.value = map(10, "well");
      if (flows) parts.grad = map(18 + width, "well back");
    } else {
      parts.value = draw("text", { x: 10, y: 38, class: "value" });
      parts.gradLabel = draw("text", { x: 10, y: 55, class: "small gradient" }, "grad");
      parts.grad = draw("text", { x: 38, y: 55, class: "value gradient" });
      group.append(parts.value, parts.gradLabel, parts.grad);
    }
    const act = () => {
      if (box.m && film.level < film.levels.length - 1) this.onLevel(film.level + 1, vertex.index);
      else this.onPick(vertex.index);
    };
    group.addEventListener("click", () => this.dragged || act());
    group.addEventListener("keydown", (event) => this.keys(event, i, act));
    return parts;
  }

  // On a card: up and down along the edges, Enter to choose.
  keys(event, i, act) {
    if (pressed(event)) return act();
    const up = event.key === "ArrowUp";
    if (!up && event.key !== "ArrowDown") return undefined;
    const next = this.level.routes
      .flatMap((route) => route.e.map((e) => this.film.edges[e]))
      .map((edge) => [this.boxOf[edge.tail], this.boxOf[edge.head]])
      .find((ends) => ends[up ? 1 : 0] === i);
    event.preventDefault();
    event.stopPropagation();
    if (next) this.focus(next[up ? 0 : 1]);
    return undefined;
  }

  focus(i) {
    this.cards.forEach((card, k) => card.group.setAttribute("tabindex", k === i ? "0" : "-1"));
    this.cards[i].group.focus({ preventScroll: true });
    this.follow(i);
  }

  thumb(image, value, colours) {
    if (!isArray(value) || !product(value.kept)) return image.removeAttribute("href");
    const key = this.film.dark;
    let known = this.thumbs.get(value);
    if (!known || known.key !== key) {
      known = { key, url: thumbnail(value, colours).toDataURL() };
      if (this.thumbs.size > 2000) this.thumbs.clear();
      this.thumbs.set(value, known);
    }
    if (image.getAttribute("href") !== known.url) image.setAttribute("href", known.url);
    return undefined;
  }

  // --- Painting: what a step has reached -----------------------------------------------------------

  paint(step, focus, found) {
    const { film } = this;
    const active = step.v;
    const colours = palette();
    const ins = new Set();
    if (active >= 0 && step.phase !== "seed")
      for (const edge of film.vertices[active].incoming)
        if (step.phase === "forward" || film.captured.contributions[edge.index] !== null) ins.add(edge.index);
    this.cards.forEach((card, i) => {
      const { box, vertex, group } = card;
      const known = !vertex.computed || step.phase === "end" || film.stepOf("forward", vertex.index) <= step.index;
      const lit = active >= 0 && this.boxOf[active] === i;
      const value = known ? film.world.values[vertex.index] : null;
      const grad = film.story.gradient(vertex.index, step.index);
      group.classList.toggle("ahead", !known);
      group.classList.toggle("lit", lit);
      group.classList.toggle("back", lit && step.index >= film.turn);
      group.classList.toggle("chosen", box.v.includes(focus) && focus !== active);
      group.classList.toggle("found", box.v.some((v) => found.has(v)));
      group.classList.toggle("dim", found.size > 0 && !box.v.some((v) => found.has(v)));
      if (card.value?.tagName === "image") {
        this.thumb(card.value, value, colours);
        if (card.grad) this.thumb(card.grad, grad, colours);
      } else if (card.value) {
        card.value.textContent = known ? shown(vertex, value) : "";
        card.grad.textContent = grad === null ? "" : number(grad);
        card.gradLabel.textContent = grad === null ? "" : "grad";
      }
      group.setAttribute("aria-label", this.spoken(card, known, value, grad));
      if (lit) group.setAttribute("aria-current", "step");
      else group.removeAttribute("aria-current");
    });
    this.labels.replaceChildren();
    for (const { path, route } of this.edges) {
      const ahead = step.phase === "forward" && route.e.some((e) => ins.has(e));
      const back = step.phase === "backward" && route.e.some((e) => ins.has(e));
      path.setAttribute("class", `edge${ahead ? " ahead" : ""}${back ? " back" : ""}`);
      path.setAttribute("marker-end", back ? "" : `url(#arrow-${ahead ? "ahead" : "edge"})`);
      path.setAttribute("marker-start", back ? "url(#arrow-back)" : "");
      if (ahead || back) path.parentNode.insertBefore(path, this.cards[0].group);
      if (back) this.label(route, ins);
    }
  }

  // What an edge carries back, where it is a number: written where it arrives, below the operand.
  label(route, ins) {
    const pieces = route.e.filter((e) => ins.has(e)).map((e) => this.film.world.contributions[e]);
    if (pieces.length !== 1 || isArray(pieces[0])) return;
    const [x, y] = route.from;
    const text = number(pieces[0]);
    const width = text.length * 6.6 + 12;
    // x * x has two edges, side by side: their labels stand apart.
    const tail = this.film.edges[route.e[0]].tail;
    const twins = this.edges.filter(({ route: r }) => ins.has(r.e[0]) && this.film.edges[r.e[0]].tail === tail);
    const place = twins.findIndex(({ route: r }) => r === route) - (twins.length - 1) / 2;
    const centre = twins.length > 1 ? twins.reduce((sum, t) => sum + t.route.from[0], 0) / twins.length : x;
    const left = centre + place * (width + 3) - width / 2;
    this.labels.append(
      draw("rect", { x: left, y: y + 11, width, height: 18, rx: 9 }),
      draw("text", { x: left + width / 2, y: y + 24 }, text),
    );
  }

  spoken({ box, vertex }, known, value, grad) {
    if (box.m) return `module ${box.t}, ${box.s}`;
    const what = vertex.op ? `${vertex.n}, ${vertex.op}` : `${vertex.n}, ${vertex.kind}`;
    if (vertex.shape.length) return `${what}, ${sizes(vertex.shape)}`;
    const told = known ? `value ${shown(vertex, value)}` : "not computed yet";
    return `${what}, ${told}${grad === null ? "" : `, gradient ${number(grad)}`}`;
  }

  // --- Pan and zoom --------------------------------------------------------------------------------

  place() {
    const { x, y, scale } = this.view;
    this.stage.setAttribute("transform", `translate(${x} ${y}) scale(${scale})`);
  }

  get room() {
    const box = this.svg.getBoundingClientRect();
    return [Math.max(box.width, 50), Math.max(box.height, 50)];
  }

  // All of it; from then on the film moves the view again.
  fit() {
    const [width, height] = this.level.size;
    const [w, h] = this.room;
    const scale = Math.min(1.25, (w - 40) / width, (h - 40) / height);
    this.view = { scale, x: (w - width * scale) / 2, y: (h - height * scale) / 2 };
    this.held = false;
    this.place();
  }

  // Show a step: the card that it lights near enough to be read, or all if it lights none.
  frameStep(vertex) {
    if (this.held) return vertex >= 0 && this.follow(this.boxOf[vertex]);
    if (vertex < 0) return this.move(() => this.fit());
    const box = this.level.boxes[this.boxOf[vertex]];
    if (this.view.scale < READABLE) {
      const [w, h] = this.room;
      this.move(() => {
        const x = w / 2 - (box.x + box.w / 2) * READABLE;
        this.view = { scale: READABLE, x, y: h / 2 - (box.y + box.h / 2) * READABLE };
        this.clamp();
      });
    }
    return this.follow(this.boxOf[vertex]);
  }

  // Change the view smoothly, where motion is welcome.
  move(change) {
    this.svg.classList.add("moving");
    clearTimeout(this.still);
    this.still = setTimeout(() => this.svg.classList.remove("moving"), 300);
    change();
    this.place();
  }

  zoom(by, at = null) {
    const [w, h] = this.room;
    const [cx, cy] = at ?? [w / 2, h / 2];
    const scale = Math.min(ZOOM[1], Math.max(ZOOM[0], this.view.scale * by));
    const ratio = scale / this.view.scale;
    this.held = true;
    this.view = { scale, x: cx - (cx - this.view.x) * ratio, y: cy - (cy - this.view.y) * ratio };
    this.place();
  }

  // No empty room beyond an end of the graph while the other end is out of sight.
  clamp() {
    const [w, h] = this.room;
    const [width, height] = this.level.size.map((size) => size * this.view.scale);
    const held = (at, size, room) => (size + 40 > room ? Math.min(20, Math.max(room - size - 20, at)) : at);
    this.view.x = held(this.view.x, width, w);
    this.view.y = held(this.view.y, height, h);
  }

  // Bring a card into view if it is not.
  follow(i) {
    const box = this.level.boxes[i];
    if (!box) return;
    const { scale } = this.view;
    const [w, h] = this.room;
    const [left, top] = [box.x * scale + this.view.x, box.y * scale + this.view.y];
    const [right, bottom] = [left + box.w * scale, top + box.h * scale];
    const margin = 36;
    const inside = left >= 4 && top >= 4 && right <= w - 4 && bottom <= h - 4;
    if (inside) return;
    this.move(() => {
      this.view.x += left < margin ? margin - left : right > w - margin ? w - margin - right : 0;
      if (top < margin || bottom > h - margin) this.view.y += (h - box.h * scale) / 2 - top;
      this.clamp();
    });
  }

  listen() {
    const { svg } = this;
    const pointers = new Map();
    svg.addEventListener("wheel", (event) => {
      event.preventDefault();
      const box = svg.getBoundingClientRect();
      this.zoom(Math.exp(-event.deltaY * 0.0015), [event.clientX - box.left, event.clientY - box.top]);
    }, { passive: false });
    svg.addEventListener("pointerdown", (event) => {
      pointers.set(event.pointerId, [event.clientX, event.clientY]);
      if (pointers.size === 1) this.dragged = false;
    });
    const end = (event) => pointers.delete(event.pointerId);
    svg.addEventListener("pointerup", end);
    svg.addEventListener("pointercancel", end);
    svg.addEventListener("pointerleave", end);
    svg.addEventListener("pointermove", (event) => {
      const before = pointers.get(event.pointerId);
      if (!before) return;
      const at = [event.clientX, event.clientY];
      const [dx, dy] = [at[0] - before[0], at[1] - before[1]];
      if (!this.dragged && Math.hypot(dx, dy) < 4 && pointers.size === 1) return;
      this.dragged = true;
      if (pointers.size === 2) {
        const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
        const apart = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]) || 1;
        const box = svg.getBoundingClientRect();
        const centre = [(at[0] + other[0]) / 2 - box.left, (at[1] + other[1]) / 2 - box.top];
        this.zoom(apart(at) / apart(before), centre);
      } else {
        this.held = true;
        this.view.x += dx;
        this.view.y += dy;
        this.place();
      }
      pointers.set(event.pointerId, at);
    });
  }
}

const pressed = (event) => {
  if (event.key !== "Enter" && event.key !== " ") return false;
  event.preventDefault();
  event.stopPropagation();
  return true;
};
