// The graph computed again after the reader moved a number: values, then gradients, in the engine's
// order of operations, each result rounded to the dtype of its vertex.

const FUNCTIONS = [/* FUNCTIONS */];

const rounding = (dtype) => (dtype === "float32" ? Math.fround : (x) => x);

class Live {
  constructor(film) {
    this.film = film;
    this.maps = new Map();
  }

  // What stands in the graph if the leaves in `moved` (index -> value) had other values.
  world(moved) {
    const { vertices, edges } = this.film;
    const base = this.film.captured;
    if (!moved.size) return base;
    const changed = new Set(moved.keys());
    for (const edge of edges) if (changed.has(edge.tail)) changed.add(edge.head);
    const values = base.values.slice();
    for (const [index, value] of moved) values[index] = value;
    for (const vertex of vertices)
      if (changed.has(vertex.index) && vertex.live) values[vertex.index] = this.forward(vertex, values);

    const touched = new Set(changed);
    for (let i = edges.length - 1; i >= 0; i--)
      if (touched.has(edges[i].head)) touched.add(edges[i].tail);
    const grads = base.grads.slice();
    const contributions = base.contributions.slice();
    const sums = new Map();
    for (const index of this.film.outputs)
      if (touched.has(index) && base.grads[index] !== null) sums.set(index, [1]);
    for (let i = vertices.length - 1; i >= 0; i--) {
      const head = vertices[i];
      if (base.grads[i] === null) continue;
      const upstream = touched.has(i) ? sums.get(i) : undefined;
      if (upstream) grads[i] = packedAs(upstream, head.shape);
      for (const edge of head.incoming) {
        if (base.contributions[edge.index] === null) continue;
        if (upstream && head.live) {
          const piece = this.backward(head, edge, values, upstream);
          contributions[edge.index] = packedAs(piece, vertices[edge.tail].shape);
        }
        if (!touched.has(edge.tail)) continue;
        const piece = flat(contributions[edge.index]);
        const before = sums.get(edge.tail);
        const round = rounding(vertices[edge.tail].dtype);
        sums.set(edge.tail, before ? before.map((x, k) => round(x + piece[k])) : piece.slice());
      }
    }
    return { values, grads, contributions };
  }

  // Whether it finds what the engine found, where nothing was moved.
  agrees(index) {
    const base = this.film.captured;
    const again = this.world(new Map([[index, base.values[index]]]));
    const same = (a, b) => {
      if (a === null || b === null) return a === b;
      const [x, y] = [flat(a), flat(b)];
      let size = 0;
      for (const value of x) if (Number.isFinite(value)) size = Math.max(size, Math.abs(value));
      return x.every((v, i) => Object.is(v, y[i]) || v === y[i] || Math.abs(v - y[i]) <= 1e-4 * size);
    };
    return (
      base.values.every((v, i) => same(v, again.values[i])) &&
      base.grads.every((v, i) => same(v, again.grads[i])) &&
      base.contributions.every((v, i) => same(v, again.contributions[i]))
    );
  }

  // --- Forward -------------------------------------------------------------------------------------

  operands(vertex, values) {
    const found = [];
    for (const edge of vertex.incoming) {
      const tail = this.film.vertices[edge.tail];
      found[edge.slot] = { data: flat(values[edge.tail]), shape: tail.shape };
    }
    return found;
  }

  forward(vertex, values) {
    const { k: kind } = vertex.live;
    const inputs = this.operands(vertex, values);
    const round = rounding(vertex.dtype);
    const out = new Array(product(vertex.shape));
    if (kind === "e") {
      const { f } = FUNCTIONS[vertex.live.f];
      const read = inputs.map((input) => this.broadcast(input.shape, vertex.shape));
      for (let i = 0; i < out.length; i++) {
        const args = inputs.map((input, slot) => round(input.data[read[slot](i)]));
        out[i] = round(Number(f(undefined, ...args)));
      }
    } else if (kind === "s") {
      const [input] = inputs;
      const into = this.folded(vertex, input.shape);
      out.fill(0);
      input.data.forEach((x, i) => (out[into[i]] += x));
      const count = vertex.live.mean ? input.data.length / out.length : 1;
      for (let i = 0; i < out.length; i++) out[i] = round(out[i] / count);
    } else if (kind === "g") {
      const all = [].concat(...inputs.map((input) => Array.from(input.data)));
      vertex.live.m.forEach((from, i) => (out[i] = round(from < 0 ? vertex.live.c : all[from])));
    } else if (kind === "p") {
      for (const row of lines(vertex.shape, vertex.live.d)) {
        const p = softmax(row.map((i) => inputs[0].data[i]), vertex.live.log);
        row.forEach((i, k) => (out[i] = round(p[k])));
      }
    } else if (kind === "c") {
      const rows = lines(inputs[0].shape, 1);
      const losses = rows.map((row, n) => -softmax(row.map((i) => inputs[0].data[i]), true)[inputs[1].data[n]]);
      out[0] = round(losses.reduce((a, b) => a + b, 0) / rows.length);
    } else if (kind === "+") {
      out[0] = round(inputs.reduce((sum, input) => sum + input.data[0], 0));
    } else if (kind === "i") {
      inputs[0].data.forEach((x, i) => (out[i] = round(x)));
    } else {
      const { rows, columns, inner, a, b } = matrices(vertex, inputs);
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < columns; j++) {
          let sum = kind === "l" && inputs[2] ? inputs[2].data[j] : 0;
          for (let k = 0; k < inner; k++) sum += inputs[0].data[a(i, k)] * inputs[1].data[b(k, j)];
          out[i * columns + j] = round(sum);
        }
    }
    return packedAs(out, vertex.shape);
  }

  // --- Backward ------------------------------------------------------------------------------------

  // What flows through `edge` out of its head, whose gradient is `upstream`.
  backward(vertex, edge, values, upstream) {
    const { k: kind } = vertex.live;
    const inputs = this.operands(vertex, values);
    const tail = this.film.vertices[edge.tail];
    const round = rounding(tail.dtype);
    const out = new Array(product(tail.shape)).fill(0);
    if (kind === "e") {
      const slope = FUNCTIONS[vertex.live.f].s[edge.slot];
      const read = inputs.map((input) => this.broadcast(input.shape, vertex.shape));
      const y = flat(values[vertex.index]);
      for (let i = 0; i < upstream.length; i++) {
        const args = inputs.map((input, slot) => input.data[read[slot](i)]);
        out[read[edge.slot](i)] += upstream[i] * Number(slope(y[i], ...args));
      }
    } else if (kind === "s") {
      const into = this.folded(vertex, tail.shape);
      const count = vertex.live.mean ? out.length / upstream.length : 1;
      for (let i = 0; i < out.length; i++) out[i] = upstream[into[i]] / count;
    } else if (kind === "g") {
      let start = 0;
      for (let slot = 0; slot < edge.slot; slot++) start += inputs[slot].data.length;
      vertex.live.m.forEach((from, i) => {
        if (from >= start && from < start + out.length) out[from - start] += upstream[i];
      });
    } else if (kind === "p") {
      const y = flat(values[vertex.index]);
      for (const row of lines(vertex.shape, vertex.live.d)) {
        const { log } = vertex.live;
        const sum = row.reduce((total, i) => total + upstream[i] * (log ? 1 : y[i]), 0);
        for (const i of row) out[i] = log ? upstream[i] - Math.exp(y[i]) * sum : y[i] * (upstream[i] - sum);
      }
    } else if (kind === "c") {
      const rows = lines(tail.shape, 1);
      rows.forEach((row, n) => {
        const p = softmax(row.map((i) => inputs[0].data[i]), false);
        row.forEach((i, k) => (out[i] = (upstream[0] * (p[k] - (k === inputs[1].data[n] ? 1 : 0))) / rows.length));
      });
    } else if (kind === "i" || kind === "+") {
      upstream.forEach((x, i) => (out[i] = x));
    } else {
      const { rows, columns, inner, a, b } = matrices(vertex, inputs);
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < columns; j++) {
          const g = upstream[i * columns + j];
          if (edge.slot === 2) out[j] += g;
          else
            for (let k = 0; k < inner; k++) {
              if (edge.slot === 0) out[a(i, k)] += g * inputs[1].data[b(k, j)];
              else out[b(k, j)] += g * inputs[0].data[a(i, k)];
            }
        }
    }
    return out.map(round);
  }

  // --- Positions -----------------------------------------------------------------------------------

  // From a position in the result to the one in an operand that was broadcast to it.
  broadcast(from, to) {
    const count = product(from);
    if (count === product(to)) return (i) => i;
    if (count === 1) return () => 0;
    return this.map(`b${from}>${to}`, () => {
      const strides = from.map((_, d) => product(from.slice(d + 1)));
      return Array.from({ length: product(to) }, (_, i) =>
        aligned(from, unravel(i, to)).reduce((sum, at, d) => sum + at * strides[d], 0),
      );
    });
  }

  map(key, make) {
    if (!this.maps.has(key)) {
      const list = make();
      this.maps.set(key, (i) => list[i]);
    }
    return this.maps.get(key);
  }

  // For each position of a reduction's operand the one of the result that it is folded into.
  folded(vertex, shape) {
    const kept = shape.map((n, d) => (vertex.live.d.includes(d) ? 1 : n));
    const strides = kept.map((_, d) => product(kept.slice(d + 1)));
    return Array.from({ length: product(shape) }, (_, i) =>
      unravel(i, shape).reduce((sum, at, d) => sum + (kept[d] === 1 ? 0 : at * strides[d]), 0),
    );
  }
}

// The positions along a dimension, for each place in the others.
function lines(shape, dim) {
  const step = product(shape.slice(dim + 1));
  const found = [];
  for (let i = 0; i < product(shape); i++)
    if (Math.floor(i / step) % shape[dim] === 0)
      found.push(Array.from({ length: shape[dim] }, (_, k) => i + k * step));
  return found;
}

// Of a row, or its logarithm; the largest is taken off first, so that nothing overflows.
function softmax(row, log) {
  const top = Math.max(...row);
  const total = row.reduce((sum, x) => sum + Math.exp(x - top), 0);
  return row.map((x) => (log ? x - top - Math.log(total) : Math.exp(x - top) / total));
}

const flat = (value) => (isArray(value) ? value.data : [value]);

function packedAs(data, shape) {
  return shape.length ? { shape, kept: shape, data: Float64Array.from(data) } : data[0];
}

// A product as rows times columns, with vectors as a row on the left and a column on the right.
function matrices(vertex, inputs) {
  const [x, w] = inputs;
  const inner = x.shape[x.shape.length - 1];
  const rows = inner ? x.data.length / inner : product(vertex.shape);
  const columns = rows ? product(vertex.shape) / rows : 0;
  return {
    rows,
    columns,
    inner,
    a: (i, k) => i * inner + k,
    b: vertex.live.k === "l" ? (k, j) => j * inner + k : (k, j) => k * columns + j,
  };
}
