// The panel beside the picture: the arithmetic of a step, or all that is known of one vertex.

const MOST_SLIDERS = 16;

class Panel {
  constructor(film, place, act) {
    Object.assign(this, { film, act });
    this.picks = new Map();
    this.rows = [];
    this.content = make("div", { class: "content" });
    this.tools = make("div", { class: "tools" });
    place.append(this.content, this.tools);
  }

  get world() {
    return this.film.world;
  }

  // The element picked in an array; at first that of the largest gradient.
  pick(vertex) {
    if (!this.picks.has(vertex.index)) {
      const [grad, value] = [this.film.captured.grads[vertex.index], this.film.captured.values[vertex.index]];
      const array = isArray(grad) && product(grad.kept) ? grad : value;
      const start = isArray(array) && product(array.kept) ? largest(array) : vertex.shape.map(() => 0);
      this.picks.set(vertex.index, start);
    }
    return this.picks.get(vertex.index);
  }

  // `dragging`: the sliders stay, so that the one in hand is not lost.
  render(step, focus, dragging = false) {
    const held = document.activeElement;
    const again = ["data-map", "data-index", "data-lead", "data-slider"].find((a) => held?.hasAttribute?.(a));
    const name = again && held.getAttribute(again);
    this.colours = palette();
    const vertex = this.film.vertices[focus];
    const own = focus === step.v || focus < 0;
    this.content.replaceChildren(...(own ? this.step(step) : this.vertex(vertex, step)));
    if (dragging) this.rows.forEach((row) => row());
    else this.tools.replaceChildren(...this.sliders(own ? this.film.vertices[step.v] : vertex));
    if (again && !held.isConnected)
      document.querySelector(`#panel [${again}="${CSS.escape(name)}"]`)?.focus({ preventScroll: true });
  }

  // --- A step --------------------------------------------------------------------------------------

  step(step) {
    const { film } = this;
    if (step.phase === "start") return this.start();
    if (step.phase === "end") return this.end();
    const vertex = film.vertices[step.v];
    const parts = [this.head(vertex, step)];
    if (step.phase === "seed") {
      parts.push(
        make("p", {}, "Backward starts here: how much does the loss change when it changes itself? One for one."),
        equations({ left: film.story.partial(vertex), lines: ["1"] }, "gradient"),
      );
      return parts;
    }
    return [...parts, ...(step.phase === "forward" ? this.forward(vertex) : this.backward(vertex, step))];
  }

  head(vertex, step) {
    const head = make("header");
    const back = step.index >= this.film.turn;
    const title = make("h2", {}, make("span", { class: back ? "chip back" : "chip" }, back ? "backward" : "forward"), " ");
    title.append(make("span", { class: "name" }, vertex.n));
    head.append(title, this.facts(vertex));
    return head;
  }

  facts(vertex) {
    const facts = make("div", { class: "facts" });
    const words = [vertex.members > 1 ? `${vertex.members} nodes` : vertex.op || vertex.kind];
    words.push(vertex.shape.length ? sizes(vertex.shape) : "", vertex.dtype === "float" ? "" : vertex.dtype);
    if (vertex.order) words.push(this.film.orders[Math.min(vertex.order, 3)]);
    if (vertex.in) words.push(vertex.in);
    facts.append(make("p", { class: "muted" }, words.filter(Boolean).join(" · ")));
    if (vertex.source) {
      const [file, line, where, text] = vertex.source;
      const code = make("p", { class: "source", title: where ? `in ${where}` : "" });
      code.append(make("span", { class: "muted" }, `${file}:${line} `), make("code", {}, text));
      facts.append(code);
    }
    if (vertex.params) {
      const given = Object.entries(vertex.params).map(([name, value]) => `${name}=${value}`);
      facts.append(make("p", { class: "muted" }, given.join(", ")));
    }
    if (vertex.mark) facts.append(make("p", { class: `mark ${vertex.mark[0]}` }, vertex.mark[1] || vertex.mark[0]));
    if (vertex.about) facts.append(make("p", { class: "note" }, vertex.about));
    return facts;
  }

  start() {
    const { film } = this;
    const leaves = film.vertices.filter((v) => !v.computed);
    const parts = [
      make("h2", {}, film.title),
      make("p", {}, "Watch the numbers flow forward to the loss, and the gradients flow back. Press space to play, → for the next step."),
    ];
    const list = make("dl", { class: "leaves" });
    for (const leaf of leaves.slice(0, 40)) {
      const value = this.world.values[leaf.index];
      const told = leaf.shape.length ? sizes(leaf.shape) : shown(leaf, value);
      const line = make("dd", {}, told, make("span", { class: "muted" }, ` ${leaf.kind}`));
      const reason = film.sliderProblem(leaf.index);
      if (reason) line.title = `No slider: ${reason}`;
      list.append(make("dt", {}, leaf.n), line);
    }
    parts.push(make("h3", {}, "What is given"), list);
    if (film.notice) parts.push(make("p", { class: "note" }, film.notice));
    return parts;
  }

  end() {
    const { film } = this;
    const parts = [
      make("h2", {}, "Done"),
      make("p", {}, `Every leaf knows how ${film.story.loss} changes with it.`),
    ];
    const list = make("dl", { class: "leaves" });
    for (const leaf of film.vertices.filter((v) => !v.computed && film.captured.grads[v.index] !== null).slice(0, 60)) {
      const grad = this.world.grads[leaf.index];
      const told = isArray(grad) ? `${sizes(leaf.shape)}, largest ${number(scaleOf(grad))}` : number(grad);
      list.append(make("dt", {}, film.story.partial(leaf)), make("dd", { class: "gradient" }, told));
    }
    parts.push(list);
    return parts;
  }

  forward(vertex) {
    const { story, formulas } = this.film;
    if (vertex.members > 1)
      return [make("p", {}, `${vertex.members} nodes are drawn as one here.`), ...this.values(vertex)];
    const parts = [equations(story.definition(vertex))];
    for (const line of formulas[vertex.f].legend) parts.push(make("p", { class: "legend" }, line.replaceAll("-", "−")));
    parts.push(...this.values(vertex));
    return parts;
  }

  // The map of a vertex's value, and the arithmetic of the element picked in it.
  values(vertex) {
    const value = this.world.values[vertex.index];
    if (!isArray(value)) return vertex.members > 1 && value !== null ? [equations({ left: vertex.n, lines: [shown(vertex, value)] })] : [];
    const parts = [this.map(vertex, value, "value")];
    const at = vertex.computed && vertex.members === 1 && this.film.story.definitionAt(vertex, this.pick(vertex));
    if (at) parts.push(equations(at, "element"));
    return parts;
  }

  map(vertex, value, title, options = {}) {
    const whole = isArray(value) && product(value.kept) < product(value.shape);
    const note = whole ? `the first ${sizes(value.kept)} of ${sizes(value.shape)}` : "";
    return heatMap({
      title,
      note,
      value,
      vertex,
      pick: this.pick(vertex),
      onPick: (index) => {
        this.picks.set(vertex.index, index);
        (options.linked ?? []).forEach(([other, moved]) => this.picks.set(other, moved(index)));
        this.act.redraw();
      },
      colours: this.colours,
      label: options.label ?? vertex.n,
      gradient: options.gradient,
    });
  }

  backward(vertex, step) {
    const { film } = this;
    const { story } = film;
    const upstream = story.partial(vertex);
    const grad = this.world.grads[vertex.index];
    const f = film.formulas[vertex.f];
    const parts = [];
    if (isArray(grad)) parts.push(this.map(vertex, grad, `upstream ${upstream}`, { label: upstream, gradient: true }));
    else parts.push(equations({ left: upstream, lines: [number(grad)] }, "gradient"));
    for (const line of f.legends) parts.push(make("p", { class: "legend" }, line.replaceAll("-", "−")));
    for (const flow of story.flows(vertex)) {
      const { tail, edge } = flow;
      const box = make("section", { class: "flow" });
      box.append(make("h3", {}, "to ", make("span", { class: "name" }, tail.n)));
      if (flow.local) box.append(equations(flow.local));
      box.append(equations({ left: "contribution", lines: flow.chain.lines }, "gradient"));
      if (!isArray(flow.piece)) {
        box.append(make("p", { class: "sum" }, story.accumulation(flow)));
      } else {
        const same = f.local && sizes(tail.shape) === sizes(vertex.shape);
        const linked = same ? [[vertex.index, (index) => index]] : [];
        if (same) this.picks.set(tail.index, this.pick(vertex));
        const at = same || f.local ? story.flowAt(vertex, edge, this.pick(vertex)) : null;
        if (at) {
          box.append(make("h4", {}, "element ", indexText(this.pick(vertex))));
          if (at.local.lines.length > 1) box.append(equations(at.local, "element"));
          box.append(equations(at.chain, "element gradient"));
          if (at.sum) box.append(equations(at.sum, "element gradient"));
        }
        const fan = flow.before !== null;
        const maps = make("div", { class: "maps" });
        if (fan) {
          maps.append(this.map(tail, flow.before, `${tail.n}.grad before`, { label: `${tail.n}.grad before`, gradient: true, linked }));
          maps.append(this.map(tail, flow.piece, "+= contribution", { label: `contribution to ${tail.n}`, gradient: true, linked }));
        }
        const title = fan ? `→ ${tail.n}.grad` : `contribution = ${tail.n}.grad${film.arrivals(tail.index).length > 1 ? " so far" : ""}`;
        maps.append(this.map(tail, flow.after, title, { label: `${tail.n}.grad`, gradient: true, linked }));
        box.append(maps);
        if (fan) {
          const [b, p, a] = [flow.before, flow.piece, flow.after].map((x) => element(x, this.pick(tail)));
          const name = `${tail.n}.grad${indexText(this.pick(tail))}`;
          box.append(make("p", { class: "sum" }, `${name}: ${number(b)} += ${number(p)} → ${number(a)}`));
        }
      }
      parts.push(box);
    }
    return parts;
  }

  // --- One vertex ----------------------------------------------------------------------------------

  vertex(vertex, step) {
    const { film } = this;
    const { story } = film;
    const head = make("header");
    head.append(make("h2", {}, make("span", { class: "name" }, vertex.n)), this.facts(vertex));
    const parts = [head];
    const value = this.world.values[vertex.index];
    if (vertex.computed && vertex.members === 1) parts.push(equations(story.definition(vertex)));
    else if (!isArray(value)) parts.push(equations({ left: vertex.n, lines: [shown(vertex, value)] }));
    parts.push(...this.values(vertex));
    const jumps = make("p", { class: "jumps" });
    for (const [phase, words] of [["forward", "Its step forward"], ["backward", "Its step backward"]]) {
      const at = film.stepOf(phase, vertex.index);
      if (at === Infinity) continue;
      const button = make("button", { type: "button" }, `${words} (${at})`);
      button.addEventListener("click", () => this.act.go(at));
      jumps.append(button);
    }
    if (jumps.childElementCount) parts.push(jumps);
    const reason = vertex.computed ? "" : film.sliderProblem(vertex.index);
    if (reason) parts.push(make("p", { class: "note" }, `No slider: ${reason}.`));
    if (film.captured.grads[vertex.index] === null) {
      parts.push(make("p", { class: "muted" }, "No gradient flows to it."));
      return parts;
    }
    const grad = story.gradient(vertex.index, step.index);
    const section = make("section", { class: "flow" }, make("h3", {}, `Its gradient after step ${step.index}`));
    if (grad === null) section.append(make("p", { class: "muted" }, "Nothing has arrived yet."));
    else if (isArray(grad)) section.append(this.map(vertex, grad, `${vertex.n}.grad`, { label: `${vertex.n}.grad`, gradient: true }));
    else section.append(equations({ left: `${vertex.n}.grad`, lines: [number(grad)] }, "gradient"));
    const arrivals = film.arrivals(vertex.index);
    const list = make("ul", { class: "uses" });
    for (const edge of arrivals) {
      const piece = this.world.contributions[edge.index];
      const at = film.stepOf("backward", edge.head);
      const index = this.pick(vertex);
      const told = isArray(piece) ? `${indexText(index)} ${number(element(piece, index))}` : number(piece);
      const button = make("button", { type: "button" }, `from ${film.vertices[edge.head].n}`);
      button.addEventListener("click", () => this.act.go(at));
      const item = make("li", { class: at <= step.index ? "" : "muted" }, button, ` += ${told}`);
      list.append(item);
    }
    if (list.childElementCount) section.append(list);
    parts.push(section);
    return parts;
  }

  // --- Sliders -------------------------------------------------------------------------------------

  sliders(vertex) {
    const { film } = this;
    const leaves = film.vertices.filter((v) => !v.computed && film.sliders[v.index] === "");
    const own = (v) => v.named || v.kind !== "constant";
    const single = leaves.filter((v) => product(v.shape) === 1 && own(v)).slice(0, MOST_SLIDERS);
    const around = vertex ? [vertex.index, ...vertex.incoming.map((e) => e.tail)] : [];
    const arrays = leaves.filter((v) => product(v.shape) > 1 && around.includes(v.index));
    const works = (leaf) => film.sliderProblem(leaf.index) === "";
    this.rows = [];
    const shownLeaves = [...single, ...arrays].filter(works);
    if (!shownLeaves.length) return [];
    const box = make("section", { class: "sliders" }, make("h3", {}, "Try other numbers"));
    const reset = make("button", { type: "button", id: "reset" }, "Put back");
    const usable = () => (reset.disabled = film.moved.size === 0);
    usable();
    this.rows.push(usable);
    reset.addEventListener("click", () => this.act.reset());
    box.firstChild.append(reset);
    for (const leaf of shownLeaves) box.append(this.slider(leaf));
    return [box];
  }

  slider(leaf) {
    const { film } = this;
    const index = this.pick(leaf);
    const name = leaf.n + indexText(index);
    const row = make("div", { class: "slider" });
    const given = element(film.captured.values[leaf.index], index);
    const now = element(this.world.values[leaf.index], index);
    const reach = Number.isFinite(given) ? Math.max(2, 2 * Math.abs(given)) : 2;
    const centre = Number.isFinite(given) ? given : 0;
    const range = make("input", {
      type: "range",
      min: centre - reach,
      max: centre + reach,
      step: "any",
      "aria-label": name,
      "data-slider": `${leaf.index}/range`,
    });
    const box = make("input", {
      type: "number",
      step: "any",
      "aria-label": `${name}, as a number`,
      "data-slider": `${leaf.index}/number`,
    });
    const label = make("span", {}, name);
    const update = () => {
      const value = element(this.world.values[leaf.index], index);
      if (document.activeElement !== range) range.value = value;
      if (document.activeElement !== box) box.value = Number(value.toPrecision(7));
      label.className = film.moved.has(leaf.index) ? "name moved" : "name";
    };
    range.value = now;
    update();
    this.rows.push(update);
    range.addEventListener("input", () => this.act.move(leaf.index, index, Number(Number(range.value).toPrecision(4))));
    box.addEventListener("change", () => {
      if (box.value !== "" && Number.isFinite(Number(box.value))) this.act.move(leaf.index, index, Number(box.value));
    });
    row.append(label, range, box);
    return row;
  }
}

// left = first
//      = second
function equations({ left, lines }, kind = "") {
  const box = make("div", { class: `equation ${kind}` });
  lines.forEach((line, i) => {
    const last = i === lines.length - 1 && lines.length > 1;
    box.append(
      make("span", { class: "left" }, i ? "" : left),
      make("span", { class: "equals" }, "="),
      make("span", { class: last ? "right last" : "right" }, line),
    );
  });
  return box;
}
