// The film: a step and a chosen vertex, controls, keys, links, the table, and paper.

const SECONDS = 1.1; // of a step at speed 1
const at = (id) => document.getElementById(id);

async function start() {
  const data = JSON.parse(at("data").textContent);
  const film = new FilmState(data, await unpacked(data.arrays));
  const last = film.steps.length - 1;
  let step = film.steps[0];
  let focus = -1;
  let found = new Set();
  let timer = null;

  const panel = new Panel(film, at("panel"), {
    go: (index) => jump(index),
    redraw: () => redraw(),
    move: (vertex, index, value) => {
      film.move(vertex, index, value);
      redraw(true);
    },
    reset: () => {
      film.reset();
      redraw();
    },
  });
  const picture = new Picture(film, at("graph"), choose, setLevel);

  // --- Showing -------------------------------------------------------------------------------------

  function redraw(dragging = false) {
    film.dark = isDark();
    picture.paint(step, focus, found);
    panel.render(step, focus, dragging);
    at("time").value = step.index;
    at("time").setAttribute("aria-valuetext", `step ${step.index} of ${last}: ${film.story.text(step)}`);
    at("count").textContent = `step ${step.index} / ${last}`;
    if (!at("table").hidden) table();
  }

  function show(index, vertex = null) {
    step = film.steps[Math.max(0, Math.min(last, index))];
    focus = vertex ?? step.v;
    redraw();
    at("panel").scrollTop = 0;
    picture.frameStep(focus);
    if (timer === null) at("live").textContent = `Step ${step.index}. ${film.story.text(step)}`;
  }

  // A step reached by playing or scrubbing replaces the link; a jump can be gone back from.
  function link(push) {
    const own = focus === step.v || focus < 0 ? "" : `&node=${focus}`;
    const hash = `#step=${step.index}${own}`;
    try {
      if (location.hash === hash) return;
      if (push) history.pushState(null, "", hash);
      else history.replaceState(null, "", hash);
    } catch {
      // A page inside a notebook has no address of its own.
    }
  }

  function go(index) {
    show(index);
    link(false);
  }

  function jump(index, vertex = null) {
    show(index, vertex);
    link(true);
  }

  function fromLink() {
    const given = new URLSearchParams(location.hash.slice(1));
    const number = (name) => (/^\d+$/.test(given.get(name) ?? "") ? Number(given.get(name)) : null);
    const vertex = number("node");
    show(number("step") ?? 0, vertex !== null && vertex < film.vertices.length ? vertex : null);
  }

  // A vertex was chosen: its step in the direction in which the film is, or what is known of it.
  function choose(vertex) {
    stop();
    const phase = step.index >= film.turn ? "backward" : "forward";
    const index = film.stepOf(phase, vertex);
    if (index !== Infinity && step.phase !== "start" && step.phase !== "end") jump(index);
    else jump(step.index, vertex);
  }

  function setLevel(number, vertex = null) {
    film.level = Math.max(0, Math.min(film.levels.length - 1, number));
    picture.show(film.level);
    at("level").textContent = film.levels.length > 1 ? `depth ${film.level + 1}/${film.levels.length}` : "";
    at("levels").hidden = film.levels.length < 2;
    at("less").disabled = film.level === 0;
    at("more").disabled = film.level === film.levels.length - 1;
    film.dark = isDark();
    picture.paint(step, focus, found);
    picture.fit();
    picture.frameStep(vertex ?? focus);
  }

  // --- Playing -------------------------------------------------------------------------------------

  function stop() {
    clearTimeout(timer);
    timer = null;
    at("play").classList.remove("playing");
    at("play").setAttribute("aria-label", "Play");
  }

  function play() {
    if (timer !== null) {
      stop();
      at("live").textContent = `Paused. Step ${step.index}. ${film.story.text(step)}`;
      return;
    }
    at("play").classList.add("playing");
    at("play").setAttribute("aria-label", "Pause");
    const tick = () => {
      if (step.index >= last) return stop();
      go(step.index + 1);
      timer = setTimeout(tick, (SECONDS * 1000) / Number(at("speed").value));
      return undefined;
    };
    timer = setTimeout(tick, 0);
    if (step.index >= last) go(0);
  }

  const by = (count) => {
    stop();
    go(step.index + count);
  };

  // --- Search --------------------------------------------------------------------------------------

  function search() {
    const wanted = at("search").value.trim().toLowerCase();
    const fits = (v) =>
      [v.n, v.op, v.kind, sizes(v.shape), v.dtype, v.in ?? "", v.source?.[3] ?? ""].some((text) =>
        text.toLowerCase().includes(wanted),
      );
    found = new Set(wanted ? film.vertices.filter(fits).map((v) => v.index) : []);
    at("hits").textContent = wanted ? `${found.size} found` : "";
    picture.paint(step, focus, found);
    const first = [...found][0];
    if (first !== undefined) picture.follow(picture.boxOf[first]);
  }

  function nextHit() {
    const hits = [...found];
    if (!hits.length) return;
    stop();
    const after = hits.find((v) => v > focus) ?? hits[0];
    jump(step.index, after);
    picture.follow(picture.boxOf[after]);
  }

  // --- The table -----------------------------------------------------------------------------------

  function table() {
    const body = make("tbody");
    for (const each of film.steps) {
      const vertex = film.vertices[each.v];
      const button = make("button", { type: "button" }, String(each.index));
      button.addEventListener("click", () => {
        toggleTable(false);
        jump(each.index);
      });
      const cell = make("td", { class: "arithmetic" });
      for (const line of film.story.text(each).split("  |  ")) cell.append(make("div", {}, line));
      const number = make("td", {}, button);
      number.prepend(make("span", { class: "printed" }, String(each.index)));
      const row = make("tr", { class: each.index === step.index ? `${PHASES[each.phase]} now` : PHASES[each.phase] });
      const source = vertex?.source ? `${vertex.source[0]}:${vertex.source[1]}` : "";
      row.append(number, make("td", {}, PHASES[each.phase]), make("td", {}, vertex ? vertex.n : ""), make("td", {}, source), cell);
      body.append(row);
    }
    const head = make("tr");
    for (const name of ["step", "direction", "node", "line", "arithmetic"]) head.append(make("th", { scope: "col" }, name));
    at("table").replaceChildren(
      make("table", {}, make("caption", {}, `${film.title}: all steps`), make("thead", {}, head), body),
    );
  }

  function toggleTable(on = at("table").hidden) {
    at("table").hidden = !on;
    at("tabled").setAttribute("aria-pressed", String(on));
    if (on) {
      table();
      at("table").querySelector("tr.now")?.scrollIntoView({ block: "center" });
    }
  }

  // --- Theme, keys, links --------------------------------------------------------------------------

  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";

  function setTheme(name) {
    document.documentElement.dataset.theme = name;
    themed();
  }

  function themed() {
    at("theme").textContent = isDark() ? "Light" : "Dark";
    redraw();
  }

  const keys = {
    " ": play,
    ArrowRight: () => by(1),
    ArrowLeft: () => by(-1),
    Home: () => by(-last),
    End: () => by(last),
    "/": () => at("search").focus(),
    "?": () => at("help").showModal(),
    t: () => toggleTable(),
    d: () => setTheme(isDark() ? "light" : "dark"),
    f: () => picture.fit(),
    "+": () => picture.zoom(1.25),
    "-": () => picture.zoom(0.8),
    "[": () => setLevel(film.level - 1),
    "]": () => setLevel(film.level + 1),
    Escape: () => {
      if (!at("table").hidden) toggleTable(false);
      else if (focus !== step.v) jump(step.index);
    },
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || at("help").open) return;
    const { target } = event;
    if (target.matches("input, select, textarea") && !(target.id === "time" && " ?/tdf".includes(event.key))) {
      if (event.key === "Escape") target.blur();
      return;
    }
    if (event.key === " " && target.matches("button, [role=button], a")) return;
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  const clicks = {
    first: () => by(-last),
    last: () => by(last),
    prior: () => by(-1),
    next: () => by(1),
    play,
    in: () => picture.zoom(1.25),
    out: () => picture.zoom(0.8),
    fit: () => picture.fit(),
    less: () => setLevel(film.level - 1),
    more: () => setLevel(film.level + 1),
    tabled: () => toggleTable(),
    theme: () => setTheme(isDark() ? "light" : "dark"),
    helped: () => at("help").showModal(),
    copy: copyLink,
    skip: (event) => {
      event.preventDefault();
      at("panel").focus();
    },
  };
  for (const [id, act] of Object.entries(clicks)) at(id).addEventListener("click", act);
  at("time").max = last;
  at("time").addEventListener("input", () => {
    stop();
    go(Number(at("time").value));
  });
  at("search").addEventListener("input", search);
  at("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter") nextHit();
    if (event.key === "Escape") {
      at("search").value = "";
      search();
    }
  });
  system.addEventListener("change", themed);
  window.addEventListener("popstate", fromLink);
  window.addEventListener("hashchange", fromLink);
  let printing = false;
  new ResizeObserver(() => {
    if (printing || picture.held) return;
    picture.fit();
    picture.frameStep(focus);
  }).observe(at("graph"));
  // On paper: the end of the film, all of the graph, and the table of steps.
  window.addEventListener("beforeprint", () => {
    printing = true;
    table();
    picture.paint(film.steps[last], -1, new Set());
    const [width, height] = picture.level.size;
    at("graph").setAttribute("viewBox", `-10 -10 ${width + 20} ${height + 20}`);
    picture.stage.removeAttribute("transform");
  });
  window.addEventListener("afterprint", () => {
    printing = false;
    at("graph").removeAttribute("viewBox");
    picture.paint(step, focus, found);
    picture.place();
  });

  async function copyLink() {
    link(false);
    const text = location.href.split("#")[0] + `#step=${step.index}${focus === step.v ? "" : `&node=${focus}`}`;
    try {
      await navigator.clipboard.writeText(text);
      at("copy").textContent = "Copied";
    } catch {
      window.prompt("Link to this step", text);
    }
    setTimeout(() => (at("copy").textContent = "Link"), 1500);
  }

  // --- Begin ---------------------------------------------------------------------------------------

  const share = film.turn / Math.max(1, film.steps.length);
  at("acts").children[0].style.width = `${100 * share}%`;
  at("acts").children[1].style.width = `${100 * (1 - share)}%`;
  for (const kind of Object.keys(film.looks).filter((k) => film.vertices.some((v) => v.kind === k))) {
    const [corner, border, dash, word] = film.looks[kind];
    const sample = make("i");
    sample.style.cssText = `border:${border}px ${dash ? "dashed" : "solid"} var(--dg-${kind});border-radius:${Math.min(corner, 6)}px;background:var(--dg-${kind}-fill)`;
    at("key").append(make("span", {}, sample, word));
  }
  setLevel(film.level);
  themed();
  fromLink();
  document.documentElement.dataset.ready = "true";
}

start().catch((error) => {
  at("panel").textContent = `This film could not be shown: ${error.message}`;
  throw error;
});
