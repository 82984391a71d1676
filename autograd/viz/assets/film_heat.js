// An array as a map of colours: blue below zero, orange above, in which an element can be picked.

const CELL = 26; // pixels of a cell at most
const MAP_WIDTH = 300;
const MAP_HEIGHT = 200;
const WRITTEN = 54; // width of a cell in which its number is written
const WRAP = 32; // elements of a vector in a row
const LONG = 12; // a thumbnail longer than this many times its width is wrapped to a square

const palette = () => {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => {
    const hex = style.getPropertyValue(`--dg-${name}`).trim();
    return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  };
  return { zero: read("surface"), below: read("parameter"), above: read("heat"), alarm: read("alarm") };
};

const mixed = (from, to, part) => from.map((x, i) => Math.round(x + (to[i] - x) * part));

function colourOf(value, scale, colours) {
  if (value === undefined || Number.isNaN(value)) return colours.alarm;
  const part = Number.isFinite(value) ? (scale ? Math.min(1, Math.abs(value) / scale) : 0) : 1;
  // Small sizes should differ from zero: the root lifts them.
  return mixed(colours.zero, value < 0 ? colours.below : colours.above, Math.sqrt(part) * 0.95);
}

function scaleOf(value) {
  let scale = 0;
  for (const x of value.data) if (Number.isFinite(x)) scale = Math.max(scale, Math.abs(x));
  return scale;
}

// The last two dimensions as rows and columns; `lead` picks one of each other dimension.
function plane(value, lead) {
  const { kept } = value;
  const start = lead.reduce((sum, at, d) => sum + at * product(kept.slice(d + 1)), 0);
  const [rows, columns] = kept.length === 1 ? [1, kept[0]] : kept.slice(-2);
  const size = rows * columns;
  if (rows > 1) return { rows, columns, start, size, wrapped: false };
  const across = Math.max(1, Math.min(size, WRAP));
  return { rows: Math.ceil(size / across), columns: across, start, size, wrapped: true };
}

// The position in its plane of the element at an index.
function placeOf(index, { columns, wrapped }) {
  const last = index[index.length - 1];
  return wrapped ? last : index[index.length - 2] * columns + last;
}

// A picture without numbers, for cards: of more than two dimensions the planes side by side.
function thumbnail(value, colours) {
  const { kept } = value;
  const planes = kept.length > 2 ? product(kept.slice(kept.length > 3 ? 1 : 0, -2)) : 1;
  let [rows, columns] = kept.length === 1 ? [1, kept[0]] : kept.slice(-2);
  const size = rows * columns;
  if (Math.max(rows, columns) > LONG * Math.min(rows, columns)) {
    columns = Math.ceil(Math.sqrt(size));
    rows = Math.ceil(size / columns);
  }
  const across = Math.ceil(Math.sqrt(planes));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, across * columns + (across - 1));
  canvas.height = Math.max(1, Math.ceil(planes / across) * (rows + 1) - 1);
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const scale = scaleOf(value);
  for (let p = 0; p < planes; p++)
    for (let i = 0; i < size; i++) {
      const x = (p % across) * (columns + 1) + (i % columns);
      const y = Math.floor(p / across) * (rows + 1) + Math.floor(i / columns);
      const at = 4 * (y * canvas.width + x);
      const rgb = colourOf(value.data[p * size + i], scale, colours);
      image.data.set([...rgb, 255], at);
    }
  context.putImageData(image, 0, 0);
  return canvas;
}

// A map to look at and to pick from. `pick` is the index picked, `onPick` learns of another.
function heatMap({ title, note, value, vertex, pick, onPick, colours, label, gradient }) {
  const figure = make("figure", { class: gradient ? "map gradient" : "map" });
  const caption = make("figcaption", {}, title);
  if (note) caption.append(make("span", { class: "muted" }, ` ${note}`));
  figure.append(caption);
  if (!isArray(value)) {
    figure.append(make("p", { class: "single" }, shown(vertex, value)));
    return figure;
  }
  if (!product(value.kept)) {
    figure.append(make("p", { class: "muted" }, "no elements"));
    return figure;
  }
  const index = pick.map((at, d) => Math.min(at, value.kept[d] - 1));
  const lead = index.slice(0, Math.max(0, index.length - 2));
  const scale = scaleOf(value);
  if (lead.length) figure.append(leads(value, index, lead, onPick, label));
  const shape = plane(value, lead);
  const canvas = drawn(value, shape, scale, colours, vertex, index);
  canvas.setAttribute("tabindex", "0");
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-roledescription", "map of numbers");
  canvas.dataset.map = label;
  const picked = element(value, index);
  const full = shown(vertex, picked, value.rounded ? 4 : 7);
  const spoken = `${label}${indexText(index)} = ${full}`;
  canvas.setAttribute("aria-label", `${label}, ${sizes(value.shape)}. ${spoken}. Arrow keys pick.`);
  const go = (row, column) => {
    const at = row * shape.columns + column;
    if (row < 0 || column < 0 || column >= shape.columns || at >= shape.size) return;
    onPick(shape.wrapped ? [...index.slice(0, -1), at] : [...lead, row, column]);
  };
  const place = placeOf(index, shape);
  const [row, column] = [Math.floor(place / shape.columns), place % shape.columns];
  canvas.addEventListener("click", (event) => {
    const box = canvas.getBoundingClientRect();
    const x = Math.floor(((event.clientX - box.left) / box.width) * shape.columns);
    const y = Math.floor(((event.clientY - box.top) / box.height) * shape.rows);
    go(Math.min(y, shape.rows - 1), Math.min(x, shape.columns - 1));
  });
  canvas.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!move || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    go(row + move[0], column + move[1]);
  });
  figure.append(canvas);
  const readout = make("p", { class: "readout" });
  readout.append(indexInput(index, value, onPick, label), make("output", {}, ` = ${full}`));
  figure.append(readout);
  figure.append(legend(value, scale, vertex));
  return figure;
}

// A box for each dimension before the last two.
function leads(value, index, lead, onPick, label) {
  const row = make("p", { class: "leads" }, "slice ");
  lead.forEach((at, d) => {
    const input = make("input", {
      type: "number",
      min: 0,
      max: value.kept[d] - 1,
      value: at,
      "aria-label": `${label}: dimension ${d}`,
      "data-lead": `${label}/${d}`,
    });
    input.addEventListener("input", () => {
      const next = Number(input.value);
      if (input.value === "" || !(next >= 0 && next < value.kept[d])) return;
      onPick(index.map((x, i) => (i === d ? next : x)));
    });
    row.append(d ? ", " : "[", input);
  });
  row.append(", :, :]");
  return row;
}

function indexInput(index, value, onPick, label) {
  const input = make("input", {
    type: "text",
    value: index.join(", "),
    size: Math.max(3, index.join(", ").length),
    "aria-label": `index of the element of ${label}`,
    "data-index": label,
    inputmode: "numeric",
    spellcheck: "false",
  });
  input.addEventListener("change", () => {
    const next = input.value.split(",").map((text) => (text.trim() === "" ? NaN : Number(text)));
    const fits =
      next.length === index.length &&
      next.every((at, d) => Number.isInteger(at) && at >= 0 && at < value.kept[d]);
    input.setCustomValidity(fits ? "" : `between 0 and ${value.kept.map((n) => n - 1).join(", ")}`);
    if (fits) onPick(next);
    else input.reportValidity();
  });
  const wrap = make("label", { class: "index" });
  wrap.append("element [", input, "]");
  return wrap;
}

function legend(value, scale, vertex) {
  const row = make("p", { class: "scale" });
  const odd = value.data.reduce((n, x) => n + !Number.isFinite(x), 0);
  row.append(
    make("span", {}, shown(vertex, -scale)),
    make("i", { "aria-hidden": "true" }),
    make("span", {}, shown(vertex, scale)),
  );
  if (odd) row.append(make("b", { class: "alarm" }, `${odd} nan or inf`));
  return row;
}

function drawn(value, shape, scale, colours, vertex, index) {
  const { rows, columns, start, size } = shape;
  const written = columns <= 5 && rows <= 12;
  const most = Math.min(CELL, MAP_WIDTH / columns, MAP_HEIGHT / rows);
  const width = written ? WRITTEN : Math.max(1, most >= 2 ? Math.floor(most) : 1);
  const height = written ? 24 : width;
  const ratio = width >= 4 ? Math.min(2, Math.ceil(window.devicePixelRatio || 1)) : 1;
  const canvas = make("canvas");
  canvas.width = columns * width * ratio;
  canvas.height = rows * height * ratio;
  canvas.style.width = `${columns * width}px`;
  canvas.style.aspectRatio = `${columns * width} / ${rows * height}`;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.font = "11px ui-monospace, Menlo, Consolas, monospace";
  const gap = width >= 8 ? 1 : 0;
  for (let i = 0; i < size; i++) {
    const x = (i % columns) * width;
    const y = Math.floor(i / columns) * height;
    const number = value.data[start + i];
    const rgb = colourOf(number, scale, colours);
    context.fillStyle = `rgb(${rgb})`;
    context.fillRect(x, y, width - gap, height - gap);
    const ink = luminance(rgb) > 0.179 ? "#10151c" : "#ffffff";
    context.fillStyle = ink;
    if (written) context.fillText(shown(vertex, number, 3), x + (width - gap) / 2, y + height / 2);
    else if (!Number.isFinite(number) && width >= 8)
      context.fillText(Number.isNaN(number) ? "×" : number > 0 ? "+" : "−", x + width / 2, y + height / 2);
  }
  const at = placeOf(index, shape);
  const [x, y] = [(at % columns) * width, Math.floor(at / columns) * height];
  const ink = getComputedStyle(document.documentElement).getPropertyValue("--dg-ink").trim();
  const paper = getComputedStyle(document.documentElement).getPropertyValue("--dg-surface").trim();
  for (const [colour, line, out] of [[paper, 4, 0], [ink, 2, 0]]) {
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.strokeRect(x + 1 - out, y + 1 - out, Math.max(width - gap - 2, 2), Math.max(height - gap - 2, 2));
  }
  return canvas;
}

function luminance(rgb) {
  const [r, g, b] = rgb.map((x) => (x / 255 <= 0.04045 ? x / 255 / 12.92 : ((x / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
