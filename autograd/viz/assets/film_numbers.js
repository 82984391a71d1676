// Numbers as people read them, formulas with names or numbers put in, and arrays out of the page.

// As Python's f"{value:.4g}", with a proper minus sign.
function number(value, digits = 4) {
  if (value === null || value === undefined) return "?";
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "−inf";
  if (value === 0) return "0";
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  const power = Number(exponent);
  let text;
  if (power < -4 || power >= digits) {
    const size = String(Math.abs(power)).padStart(2, "0");
    text = `${trimmed(mantissa)}e${power < 0 ? "-" : "+"}${size}`;
  } else {
    text = trimmed(Number(`${mantissa}e${power}`).toFixed(Math.max(0, digits - 1 - power)));
  }
  return text.replaceAll("-", "−");
}

const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

// A number of a vertex: integers and truth values in full.
function shown(vertex, value, digits = 4) {
  if (value === null || value === undefined) return "?";
  if (vertex.dtype === "bool") return value ? "True" : "False";
  if (/^u?int/.test(vertex.dtype)) return String(value).replace("-", "−");
  return number(value, digits);
}

// NaN and infinities are text in JSON.
const numeric = (value) => (typeof value === "string" ? Number(value.replace("inf", "Infinity")) : value);

const sizes = (shape) => (shape.length ? shape.join("×") : "scalar");
const product = (list) => list.reduce((a, b) => a * b, 1);

// --- Formulas --------------------------------------------------------------------------------------

// Private characters in the place of operands, of the result and of the upstream gradient.
const FIRST_OPERAND = 0xe000;
const RESULT = 0xe0ff;
const UPSTREAM = 0xe0fe;
const RAISED = "²³¹⁰⁴⁵⁶⁷⁸⁹ⁿᵀ⁻^";

function fill(template, operand, result = "", upstream = "") {
  const text = template.replaceAll("-", "−");
  let out = "";
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    let put = null;
    if (code === RESULT) put = result;
    else if (code === UPSTREAM) put = upstream;
    else if (code >= FIRST_OPERAND && code < UPSTREAM) put = operand(code - FIRST_OPERAND);
    out += put === null ? text[i] : bracketed(put, out, text[i + 1]);
  }
  return out;
}

// A negative number right of an operator, or below an exponent, needs brackets.
function bracketed(text, before, next) {
  const raised = next !== undefined && RAISED.includes(next);
  if (raised && /[−+·/ ∂]/.test(text)) return `(${text})`;
  if (!text.startsWith("−")) return text;
  const prior = before.trimEnd().slice(-1);
  const opens = prior === "" || "(,=<>≤≥≠[|".includes(prior) || /\b(if|and|or|not|else) $/.test(before);
  return opens ? text : `(${text})`;
}

// One factor of a product that is written out.
const factor = (value) => (value < 0 ? `(${number(value)})` : number(value));

// --- Arrays ----------------------------------------------------------------------------------------

// {shape, kept, data}: `kept` is the part of each dimension that the page has.
async function unpacked(packed) {
  const bytes = {};
  for (const kind of ["f", "d", "q"]) bytes[kind] = await inflated(packed.data[kind]);
  const data = {
    f: new Float32Array(interleaved(bytes.f, packed.counts.f, 4)),
    d: new Float64Array(interleaved(bytes.d, packed.counts.d, 8)),
    q: decimals(bytes.q, packed.counts.q),
  };
  return packed.list.map(([kind, offset, shape, kept]) => ({
    shape,
    kept,
    rounded: kind === "q",
    data: Float64Array.from(data[kind].subarray(offset, offset + product(kept))),
  }));
}

async function inflated(text) {
  const raw = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Bytes of equal weight lie together: put those of each number side by side.
function interleaved(planes, count, width) {
  const bytes = new Uint8Array(count * width);
  for (let plane = 0; plane < width; plane++)
    for (let i = 0; i < count; i++) bytes[i * width + plane] = planes[plane * count + i];
  return bytes.buffer;
}

function decimals(planes, count) {
  const mantissas = new Int16Array(interleaved(planes.subarray(0, 2 * count), count, 2));
  const exponents = new Int16Array(interleaved(planes.subarray(2 * count), count, 2));
  const special = [0, NaN, Infinity, -Infinity];
  return Float64Array.from(mantissas, (m, i) =>
    m === 0 ? special[exponents[i]] : Number(`${m}e${exponents[i]}`),
  );
}

const isArray = (value) => typeof value === "object" && value !== null;

// The element at an index, undefined where the page does not have it. A number is its own element.
function element(value, index) {
  if (!isArray(value)) return value ?? undefined;
  let at = 0;
  for (let i = 0; i < value.kept.length; i++) {
    if (index[i] >= value.kept[i]) return undefined;
    at = at * value.kept[i] + index[i];
  }
  return value.data[at];
}

// The index of an operand's element that met the one at `index` of a result: broadcasting undone.
function aligned(shape, index) {
  const skipped = index.length - shape.length;
  return shape.map((n, i) => (n === 1 ? 0 : index[i + skipped]));
}

const indexText = (index) => (index.length ? `[${index.join(", ")}]` : "");

function unravel(flat, shape) {
  const index = new Array(shape.length);
  for (let i = shape.length - 1; i >= 0; i--) {
    index[i] = flat % shape[i];
    flat = Math.floor(flat / shape[i]);
  }
  return index;
}

// The index of the element of largest size, of those that the page has.
function largest(value) {
  let best = 0;
  let size = -1;
  value.data.forEach((x, i) => {
    if (Math.abs(x) > size || (x !== x && size !== Infinity)) {
      best = i;
      size = x !== x ? Infinity : Math.abs(x);
    }
  });
  return unravel(best, value.kept);
}
