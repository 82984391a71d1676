// The steps of a film, and what is said at each: formula, numbers, and what flows back.

const PHASES = { start: "start", forward: "forward", seed: "backward", backward: "backward", end: "end" };

// One step for each result forward, one for the loss, one for each result backward.
function stepsOf(film) {
  const steps = [{ phase: "start", v: -1 }];
  for (const v of film.vertices) if (v.computed) steps.push({ phase: "forward", v: v.index });
  for (const v of film.outputs)
    if (film.captured.grads[v] !== null) steps.push({ phase: "seed", v });
  for (let i = film.vertices.length - 1; i >= 0; i--) {
    const v = film.vertices[i];
    const flows = v.incoming.some((edge) => film.captured.contributions[edge.index] !== null);
    if (v.computed && flows) steps.push({ phase: "backward", v: i });
  }
  steps.push({ phase: "end", v: -1 });
  steps.forEach((step, i) => (step.index = i));
  return steps;
}

class Story {
  constructor(film) {
    this.film = film;
    this.loss = film.outputs.length === 1 ? film.vertices[film.outputs[0]].n : "L";
  }

  get world() {
    return this.film.world;
  }

  partial(vertex, where = "") {
    return `∂${this.loss}/∂${vertex.n}${where}`;
  }

  // The text that stands for an operand: a name or a number.
  operands(vertex, text) {
    return (slot) => {
      const edges = vertex.incoming.filter((edge) => edge.slot === slot);
      if (vertex.variadic) return vertex.incoming.map((edge) => text(edge)).join(", ");
      return edges.length ? text(edges[0]) : String(vertex.scalars?.[slot] ?? "?");
    };
  }

  names(vertex, where) {
    return this.operands(vertex, (edge) => {
      const tail = this.film.vertices[edge.tail];
      return tail.n + (where ? indexText(aligned(tail.shape, where)) : "");
    });
  }

  numbers(vertex, where) {
    return this.operands(vertex, (edge) => {
      const tail = this.film.vertices[edge.tail];
      const value = element(this.world.values[edge.tail], aligned(tail.shape, where));
      return shown(tail, value);
    });
  }

  // --- Forward -------------------------------------------------------------------------------------

  // The definition of a vertex as lines of an equation: what stands left, then each right side.
  definition(vertex) {
    const f = this.film.formulas[vertex.f];
    const lines = [fill(f.value, this.names(vertex))];
    const value = this.world.values[vertex.index];
    if (!vertex.shape.length) {
      const scalars = vertex.incoming.every((edge) => !this.film.vertices[edge.tail].shape.length);
      if (scalars && vertex.members === 1) lines.push(fill(f.value, this.numbers(vertex, [])));
      lines.push(shown(vertex, value));
    }
    return { left: vertex.n, lines: distinct(lines) };
  }

  // The same for one element of an array; null where the op mixes elements.
  definitionAt(vertex, index) {
    const f = this.film.formulas[vertex.f];
    const value = element(this.world.values[vertex.index], index);
    if (value === undefined) return null;
    const left = vertex.n + indexText(index);
    if (f.local) {
      const known = vertex.incoming.every(
        (e) =>
          element(this.world.values[e.tail], aligned(this.film.vertices[e.tail].shape, index)) !==
          undefined,
      );
      const lines = [fill(f.value, this.names(vertex, index))];
      if (known) lines.push(fill(f.value, this.numbers(vertex, index)));
      return { left, lines: distinct([...lines, shown(vertex, value)]) };
    }
    const terms = this.terms(vertex, index);
    return terms ? { left, lines: [terms, shown(vertex, value)] } : null;
  }

  // The terms of one element of a sum, a mean or a matrix product.
  terms(vertex, index) {
    const live = vertex.live;
    if (!live || !"sml".includes(live.k)) return null;
    const value = (edge, at) => element(this.world.values[edge.tail], at);
    const [first, second] = vertex.incoming;
    const shape = this.film.vertices[first.tail].shape;
    const all = [];
    if (live.k === "s") {
      const free = shape.map((n, d) => (live.d.includes(d) ? n : 1));
      const whole = shape.length === index.length; // dimensions kept at size one
      let next = 0;
      const fixed = shape.map((_, d) => (live.d.includes(d) ? 0 : index[whole ? d : next++]));
      for (let i = 0; i < product(free); i++) {
        const x = value(first, unravel(i, free).map((at, d) => at + fixed[d]));
        if (x === undefined) return null;
        all.push({ size: x, text: number(x) });
      }
      const sum = longest(all, "terms");
      return live.mean ? `(${sum})/${all.length}` : sum;
    }
    const inner = shape[shape.length - 1];
    const other = this.film.vertices[second.tail].shape;
    const column = other.length > 1 || live.k === "l" ? index[index.length - 1] : null;
    const row = shape.length > 1 ? index.slice(0, shape.length - 1) : [];
    for (let k = 0; k < inner; k++) {
      const at = live.k === "l" ? [column, k] : column === null ? [k] : [k, column];
      const [a, b] = [value(first, [...row, k]), value(second, at)];
      if (a === undefined || b === undefined) return null;
      all.push({ size: a * b, text: `${number(a)}·${factor(b)}` });
    }
    const bias = live.k === "l" && vertex.incoming[2];
    return longest(all, "products") + (bias ? ` + ${factor(value(bias, [column]))}` : "");
  }

  // --- Backward ------------------------------------------------------------------------------------

  // For each operand that a gradient flows to: its local derivative, the product, the sum.
  flows(vertex) {
    const found = [];
    const before = new Map();
    for (const edge of vertex.incoming) {
      const piece = this.world.contributions[edge.index];
      if (piece === null) continue;
      const tail = this.film.vertices[edge.tail];
      const sum = before.has(edge.tail) ? before.get(edge.tail) : this.sumBefore(edge);
      const after = added(tail, sum, piece);
      before.set(edge.tail, after);
      found.push({ edge, tail, piece, before: sum, after, ...this.flow(vertex, edge, piece) });
    }
    return found;
  }

  flow(vertex, edge, piece) {
    const f = this.film.formulas[vertex.f];
    const tail = this.film.vertices[edge.tail];
    const slope = f.slopes[edge.slot] ?? (vertex.variadic ? f.slopes[0] : null);
    const upstream = this.partial(vertex);
    const local = `∂${vertex.n}/∂${tail.n}`;
    const scalars = !vertex.shape.length && !tail.shape.length;
    if (f.local || scalars) {
      const lines = [];
      if (slope !== null && f.local) {
        lines.push(fill(slope, this.names(vertex), vertex.n, upstream));
        const allScalars = vertex.incoming.every((e) => !this.film.vertices[e.tail].shape.length);
        if (scalars && allScalars)
          lines.push(fill(slope, this.numbers(vertex, []), shown(vertex, this.world.values[vertex.index])));
      }
      if (!scalars)
        return {
          local: { left: local, lines: distinct(lines) },
          chain: { left: `to ${tail.n}`, lines: [`${upstream} ⊙ ${local}${this.summed(vertex, tail)}`] },
        };
      const s = this.slope(vertex, edge, [], []);
      if (s !== undefined) lines.push(number(s));
      const g = this.world.grads[vertex.index];
      const chain = [`${upstream} · ${local}`];
      if (s !== undefined) chain.push(`${number(g)} · ${factor(s)}`);
      return {
        local: { left: local, lines: distinct(lines) },
        chain: { left: `to ${tail.n}`, lines: [...chain, number(piece)] },
      };
    }
    const lines = slope === null ? [`through ${vertex.op}`] : [fill(slope, this.names(vertex), vertex.n, upstream)];
    return { local: null, chain: { left: `to ${tail.n}`, lines } };
  }

  summed(vertex, tail) {
    return product(tail.shape) < product(vertex.shape) ? ", summed where it was repeated" : "";
  }

  // The local derivative of one element, from its formula; of single numbers the engine's own.
  slope(vertex, edge, headIndex, tailIndex) {
    if (!vertex.shape.length && this.film.world === this.film.captured && edge.slope !== null) return edge.slope;
    if (vertex.live?.k === "e") {
      const args = [];
      for (const e of vertex.incoming) {
        const shape = this.film.vertices[e.tail].shape;
        args[e.slot] = element(this.world.values[e.tail], aligned(shape, headIndex));
      }
      const s = FUNCTIONS[vertex.live.f].s[edge.slot];
      const y = element(this.world.values[vertex.index], headIndex);
      if (y !== undefined && s && !args.includes(undefined)) return Number(s(y, ...args));
      if (y !== undefined && s && vertex.scalars) return Number(s(y, ...args));
    }
    if (this.film.world === this.film.captured && edge.slope !== null) return edge.slope;
    const g = this.world.grads[vertex.index];
    const piece = this.world.contributions[edge.index];
    if (!isArray(g) && !isArray(piece) && g && Number.isFinite(g)) return piece / g;
    return undefined;
  }

  // The arithmetic of one element: through an elementwise op that did not repeat it.
  flowAt(vertex, edge, index) {
    const f = this.film.formulas[vertex.f];
    const tail = this.film.vertices[edge.tail];
    if (!f.local || !vertex.shape.length) return null;
    const at = aligned(tail.shape, index);
    const g = element(this.world.grads[vertex.index], index);
    const s = this.slope(vertex, edge, index, at);
    const slope = f.slopes[edge.slot];
    if (g === undefined || s === undefined || slope === null) return null;
    const y = shown(vertex, element(this.world.values[vertex.index], index));
    const repeated = product(tail.shape) < product(vertex.shape);
    const piece = element(this.world.contributions[edge.index], at);
    const term = repeated ? g * s : piece;
    return {
      local: {
        left: `∂${vertex.n}/∂${tail.n}`,
        lines: distinct([
          fill(slope, this.names(vertex, index), vertex.n + indexText(index), "g"),
          fill(slope, this.numbers(vertex, index), y, number(g)),
          number(s),
        ]),
      },
      chain: {
        left: repeated ? `one of the terms of ${tail.n}${indexText(at)}` : `to ${tail.n}${indexText(at)}`,
        lines: [`${number(g)} · ${factor(s)}`, number(term)],
      },
      sum: repeated ? { left: `all terms of ${tail.n}${indexText(at)}`, lines: [number(piece)] } : null,
    };
  }

  // The gradient of the edge's tail just before its head's backward step.
  sumBefore(edge) {
    let sum = this.film.seeded(edge.tail) ? one(this.film.vertices[edge.tail]) : null;
    for (const other of this.film.arrivals(edge.tail)) {
      if (other.head <= edge.head) break;
      sum = added(this.film.vertices[edge.tail], sum, this.world.contributions[other.index]);
    }
    return sum;
  }

  // The gradient of a vertex as it stands after a step; null if nothing has arrived.
  gradient(index, step) {
    const { film } = this;
    let sum = film.seeded(index) && step >= film.stepOf("seed", index) ? one(film.vertices[index]) : null;
    const arrivals = film.arrivals(index);
    let count = 0;
    for (const edge of arrivals) {
      if (film.stepOf("backward", edge.head) > step) break;
      count++;
    }
    if (count === arrivals.length && (count || sum !== null)) return this.world.grads[index];
    for (const edge of arrivals.slice(0, count))
      sum = added(film.vertices[index], sum, this.world.contributions[edge.index]);
    return sum;
  }

  // --- In words ------------------------------------------------------------------------------------

  // The step as one line of text: for the table, and to be read aloud.
  text(step) {
    const vertex = this.film.vertices[step.v];
    if (step.phase === "start") return "The leaves hold the numbers that were given.";
    if (step.phase === "end") return "Every gradient is complete.";
    if (step.phase === "seed") return `${this.partial(vertex)} = 1: the gradient starts here.`;
    if (step.phase === "forward") {
      if (vertex.members > 1) return `${vertex.n}: ${vertex.members} nodes`;
      const { left, lines } = this.definition(vertex);
      return [left, ...lines].join(" = ") + this.spread(this.world.values[step.v]);
    }
    return this.flows(vertex)
      .map((flow) => {
        const parts = flow.local ? [[flow.local.left, ...flow.local.lines].join(" = ")] : [];
        const chain = flow.chain.lines.join(" = ");
        const sum = isArray(flow.piece)
          ? `${flow.tail.n}.grad += ${chain}${this.spread(flow.piece)}`
          : `${chain}; ${this.accumulation(flow)}`;
        return [...parts, sum].join("; ");
      })
      .join("  |  ");
  }

  // Of an array: its sizes, and from where to where its numbers go.
  spread(value) {
    if (!isArray(value)) return "";
    const finite = value.data.filter(Number.isFinite);
    const reach = (best) => number(finite.reduce((a, b) => best(a, b)));
    const odd = value.data.length - finite.length;
    const from = finite.length ? `, from ${reach(Math.min)} to ${reach(Math.max)}` : "";
    return ` (${sizes(value.shape)}${from}${odd ? `, ${odd} nan or inf` : ""})`;
  }

  accumulation(flow) {
    const before = flow.before === null ? "0" : number(flow.before);
    return `${flow.tail.n}.grad: ${before} += ${number(flow.piece)} → ${number(flow.after)}`;
  }
}

const TERMS = 4; // of a long sum are written out: the largest

function longest(all, word) {
  const least = all.map((term) => Math.abs(term.size)).sort((a, b) => b - a)[TERMS - 1] ?? 0;
  let chosen = all;
  if (all.length > TERMS) chosen = all.filter((term) => !(Math.abs(term.size) < least)).slice(0, TERMS);
  const text = chosen.map((term, i) => (i && /^−[^·]*$/.test(term.text) ? `(${term.text})` : term.text));
  const rest = all.length - chosen.length;
  return text.join(" + ") + (rest ? ` + … ${rest.toLocaleString("en")} smaller ${word}` : "");
}

const distinct = (lines) => lines.filter((line, i) => i === 0 || line !== lines[i - 1]);

const one = (vertex) =>
  vertex.shape.length ? packedAs(new Array(product(vertex.shape)).fill(1), vertex.shape) : 1;

function added(vertex, sum, piece) {
  if (sum === null || piece === null) return piece;
  const round = rounding(vertex.dtype);
  if (!isArray(sum)) return round(sum + piece);
  return { ...piece, data: piece.data.map((x, i) => round(sum.data[i] + x)) };
}
