// The graph of the film: what the engine computed, and what the page computed after numbers moved.

class FilmState {
  constructor(data, arrays) {
    Object.assign(this, data);
    const raised = (value) => (isArray(value) ? arrays[value.a] : value === null ? null : numeric(value));
    this.vertices.forEach((vertex, index) => {
      vertex.index = index;
      vertex.computed = "f" in vertex;
      vertex.members ??= 1;
      vertex.incoming = [];
    });
    this.edges = data.edges.map((edge, index) => ({
      index,
      tail: edge.t,
      head: edge.h,
      slot: edge.slot,
      slope: edge.slope === undefined ? null : numeric(edge.slope),
      raw: edge.c ?? null,
    }));
    for (const edge of this.edges) this.vertices[edge.head].incoming.push(edge);
    for (const vertex of this.vertices) {
      vertex.incoming.sort((a, b) => a.slot - b.slot);
      vertex.variadic = vertex.computed && this.formulas[vertex.f].variadic === true;
    }
    this.captured = {
      values: this.vertices.map((vertex) => raised(vertex.v)),
      grads: this.vertices.map((vertex) => raised(vertex.g)),
      contributions: this.edges.map((edge) => raised(edge.raw)),
    };
    this.world = this.captured;
    this.moved = new Map();
    this.live = new Live(this);
    this.problems = new Map();
    this.users = this.vertices.map(() => []);
    for (const edge of this.edges)
      if (this.captured.contributions[edge.index] !== null) this.users[edge.tail].push(edge);
    for (const list of this.users) list.sort((a, b) => b.head - a.head || a.slot - b.slot);
    this.story = new Story(this);
    this.steps = stepsOf(this);
    this.places = new Map(this.steps.map((step) => [`${step.phase}/${step.v}`, step.index]));
    const turn = this.steps.findIndex((step) => step.phase === "seed");
    this.turn = turn < 0 ? this.steps.length : turn;
    this.notice = this.noticed();
  }

  // The step at which that happens to a vertex; Infinity: never.
  stepOf(phase, vertex) {
    return this.places.get(`${phase}/${vertex}`) ?? Infinity;
  }

  seeded(vertex) {
    return this.places.has(`seed/${vertex}`);
  }

  // The edges by which gradients come to a vertex, in the order in which they do.
  arrivals(vertex) {
    return this.users[vertex];
  }

  noticed() {
    const arrays = [...this.captured.values, ...this.captured.grads].filter(isArray);
    const cut = arrays.some((a) => product(a.kept) < product(a.shape));
    const lines = [];
    if (cut) lines.push("Of the largest arrays this page has only the first part; they say so.");
    if (this.rounded) lines.push("Its arrays are rounded to four significant digits, which is what it shows.");
    return lines.join(" ");
  }

  sliderProblem(index) {
    if (!this.problems.has(index)) {
      const reason =
        this.sliders[index] || (this.live.agrees(index) ? "" : "the page cannot reproduce the engine's numbers");
      this.problems.set(index, reason);
    }
    return this.problems.get(index);
  }

  move(vertex, index, value) {
    const before = this.moved.get(vertex) ?? this.captured.values[vertex];
    const next = rounding(this.vertices[vertex].dtype)(value);
    if (!isArray(before)) this.moved.set(vertex, next);
    else {
      const data = before.data.slice();
      data[index.reduce((sum, i, d) => sum * before.kept[d] + i, 0)] = next;
      this.moved.set(vertex, { ...before, data });
    }
    this.world = this.live.world(this.moved);
  }

  reset() {
    this.moved.clear();
    this.world = this.captured;
  }
}
