// The functions that formulas use and Math does not have, in float64, for any number including
// infinities and NaN. Expressions made by Expr.js() call them as members of `fn`.
const fn = (() => {
  const ROOT_PI = Math.sqrt(Math.PI);
  const ROOT_HALF = Math.SQRT1_2;
  const DENSITY = 1 / Math.sqrt(2 * Math.PI);
  // The angle of the tanh form of gelu, twice: x * (STEEP + BEND * x * x).
  const STEEP = 2 * Math.sqrt(2 / Math.PI);
  const BEND = STEEP * 0.044715;
  const FAR = 40; // beyond, the slope is 0, and the angle would overflow

  // exp(-x * x) with the rounding error of the square put back: it would count x * x times.
  function bell(x) {
    const high = Math.fround(x);
    const low = x - high;
    return Math.exp(-high * high) * Math.exp(-low * (x + high));
  }

  // Every term is positive, so nothing cancels: for small |x|.
  function erfBySeries(x) {
    const square = 2 * x * x;
    let term = 1;
    let total = 1;
    for (let n = 3; term > total * 1e-17; n += 2) {
      term *= square / n;
      total += term;
    }
    return ((2 * x) / ROOT_PI) * total * bell(x);
  }

  // The continued fraction of Laplace, from its far end: for x of 0.5 and more.
  // The number of terms is what an error of 1e-17 takes.
  function erfcByFraction(x) {
    if (x > 27) return 0; // less than the smallest float64
    let rest = 0;
    for (let n = Math.ceil(20 + 180 / (x * x)); n > 0; n--) rest = n / 2 / (x + rest);
    return bell(x) / ROOT_PI / (x + rest);
  }

  function erf(x) {
    if (x !== x) return x;
    const size = Math.abs(x);
    if (size < 1.5) return erfBySeries(x);
    return Math.sign(x) * (1 - erfcByFraction(size));
  }

  function erfc(x) {
    return x < 0.5 ? 1 - erf(x) : x !== x ? x : erfcByFraction(x);
  }

  // Wichura's algorithm AS 241: numerators and denominators, from the highest power.
  const MIDDLE = [
    [
      2509.0809287301227,
      33430.57558358813,
      67265.7709270087,
      45921.95393154987,
      13731.69376550946,
      1971.5909503065513,
      133.14166789178438,
      3.3871328727963665,
    ],
    [
      5226.495278852854,
      28729.085735721943,
      39307.89580009271,
      21213.794301586597,
      5394.196021424751,
      687.1870074920579,
      42.31333070160091,
      1.0,
    ],
  ];
  const TAIL = [
    [
      0.0007745450142783414,
      0.022723844989269184,
      0.2417807251774506,
      1.2704582524523684,
      3.6478483247632045,
      5.769497221460691,
      4.630337846156546,
      1.4234371107496835,
    ],
    [
      1.0507500716444169e-09,
      0.0005475938084995345,
      0.015198666563616457,
      0.14810397642748008,
      0.6897673349851,
      1.6763848301838038,
      2.053191626637759,
      1.0,
    ],
  ];
  const OUTER = [
    [
      2.0103343992922881e-07,
      2.7115555687434876e-05,
      0.0012426609473880784,
      0.026532189526576124,
      0.29656057182850487,
      1.7848265399172913,
      5.463784911164114,
      6.657904643501103,
    ],
    [
      2.0442631033899397e-15,
      1.421511758316446e-07,
      1.8463183175100548e-05,
      0.0007868691311456133,
      0.014875361290850615,
      0.1369298809227358,
      0.599832206555888,
      1.0,
    ],
  ];
  const polynomial = (terms, r) => terms.reduce((sum, term) => sum * r + term);
  const ratio = (parts, r) => polynomial(parts[0], r) / polynomial(parts[1], r);

  function erfinv(y) {
    const size = Math.abs(y);
    if (size <= 0.85) return 0.5 * y * ratio(MIDDLE, 0.180625 - 0.25 * y * y) * ROOT_HALF;
    if (!(size < 1)) return size === 1 ? y * Infinity : NaN;
    const r = Math.sqrt(-Math.log(0.5 * (1 - size)));
    return Math.sign(y) * (r <= 5 ? ratio(TAIL, r - 1.6) : ratio(OUTER, r - 5)) * ROOT_HALF;
  }

  // The nearest whole number, and of two the even one.
  function round(x) {
    const low = Math.floor(x);
    const rest = x - low;
    if (rest !== 0.5) return rest < 0.5 ? low : Math.ceil(x);
    return low % 2 === 0 ? low : low + 1;
  }

  function sigmoid(x) {
    if (x >= 0) return 1 / (1 + Math.exp(-x));
    const z = Math.exp(x);
    return z / (1 + z);
  }

  const clip = (x) => Math.min(Math.max(x, -FAR), FAR);
  const tanh_Phi = (x) => {
    const near = clip(x);
    return sigmoid(near * (STEEP + BEND * near * near));
  };

  return {
    erf,
    erfc,
    erfinv,
    round,
    copysign: (a, b) => (b < 0 || Object.is(b, -0) ? -Math.abs(a) : Math.abs(a)),
    sigmoid,
    tanh_Phi,
    log1pexp: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
    Phi: (x) => 0.5 * erfc(-x * ROOT_HALF),
    phi: (x) => Math.exp(-0.5 * x * x) * DENSITY,
    tanh_phi: (x) => {
      const near = clip(x);
      const s = tanh_Phi(near);
      return s * (1 - s) * (STEEP + 3 * BEND * near * near);
    },
    tanh_phi_slope: (x) => {
      const near = clip(x);
      const s = tanh_Phi(near);
      const angle = STEEP + 3 * BEND * near * near;
      return s * (1 - s) * ((1 - 2 * s) * angle * angle + 6 * BEND * near);
    },
    // As IEEE 754 and C have it: in JavaScript 1 ** NaN is NaN. A square is one product.
    pow: (a, b) => (b === 2 ? a * a : a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b),
  };
})();
