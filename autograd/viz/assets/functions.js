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
