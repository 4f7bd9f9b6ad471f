"use strict";
// The document of the trace, and the linear algebra of its contributions.
// No drawing here: only arrays, factors and numbers.

const trace = JSON.parse(document.getElementById("trace").textContent);
const terms = trace.terms;
const dataTerm = terms.findIndex(term => term.is_data);

// What each term is multiplied by: 1 is as it was traced.
const factors = terms.map(() => 1);

// A number as Python's "%.<digits>g" writes it.
function format(value, digits = 4) {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return "0";
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  const power = Number(exponent);
  if (power >= -4 && power < digits) {
    return trimmed(value.toFixed(Math.max(0, digits - 1 - power)));
  }
  const size = String(Math.abs(power)).padStart(2, "0");
  return `${trimmed(mantissa)}e${power < 0 ? "-" : "+"}${size}`;
}

function percent(share) {
  return Number.isNaN(share) ? "nan" : `${(100 * share).toFixed(1)}%`;
}

function trimmed(text) {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function shapeText(shape) {
  if (shape.length === 1) return `length ${shape[0]}`;
  return shape.join("×") || "scalar";
}

// How an array is laid out on the page: as a matrix, in blocks where it is too large. Block i of n
// rows cut into m begins at row floor(i n / m).
function gridOf({ shape, grid: [rows, columns] }) {
  const inBlocks = rows * columns > trace.blocks ** 2;
  return {
    shape, rows, columns, inBlocks,
    down: inBlocks ? Math.min(rows, trace.blocks) : rows,
    across: inBlocks ? Math.min(columns, trace.blocks) : columns,
  };
}

// The numbers of an array of the document, unpacked when it is first shown.
const unpacked = new Map();
function valuesOf(index) {
  if (!unpacked.has(index)) unpacked.set(index, unpack(trace.arrays[index]));
  return unpacked.get(index);
}

function unpack(stored) {
  const grid = gridOf(stored);
  if ("value" in stored) return new Float64Array(grid.down * grid.across).fill(Number(stored.value));
  const text = atob(stored.data);
  const view = new DataView(new ArrayBuffer(text.length));
  for (let i = 0; i < text.length; i++) view.setUint8(i, text.charCodeAt(i));
  return Float64Array.from({ length: text.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

// The contribution number `i` of a group, with the factor of its term.
function contribution(group, i) {
  const factor = factors[group.terms[i]];
  const values = valuesOf(group.arrays[i]);
  return factor === 1 ? values : values.map(value => factor * value);
}

// The sum of all contributions of a group: what the ordinary backward pass has there.
function sum(group) {
  const total = new Float64Array(valuesOf(group.arrays[0]).length);
  group.arrays.forEach((_, i) => contribution(group, i).forEach((value, k) => { total[k] += value; }));
  return total;
}

// Norms, shares and cosines, from the Gram matrix G[i][j] = cᵢ · cⱼ of the whole arrays:
// ‖f c‖ = |f| √G[i][i], and ‖Σ fᵢ cᵢ‖² = Σ fᵢ fⱼ G[i][j]. So they are exact in blocks too.
function measures(group) {
  const gram = group.gram.map(row => row.map(Number));
  const f = group.terms.map(term => factors[term]);
  const norms = f.map((factor, i) => Math.abs(factor) * Math.sqrt(gram[i][i]));
  const lengths = norms.reduce((total, norm) => total + norm, 0);
  const data = group.terms.indexOf(dataTerm);
  let squared = 0;
  f.forEach((fi, i) => f.forEach((fj, j) => { squared += fi * fj * gram[i][j]; }));
  return {
    norms,
    shares: norms.map(norm => (lengths === 0 ? 0 : norm / lengths)),
    cosines: norms.map((norm, i) =>
      data >= 0 && norm > 0 && norms[data] > 0
        ? gram[i][data] / Math.sqrt(gram[i][i] * gram[data][data])
        : null),
    total: Math.sqrt(Math.max(0, squared)),
  };
}

function termValue(number) {
  return factors[number] * Number(terms[number].value);
}

function totalLoss() {
  return terms.reduce((total, _, number) => total + termValue(number), 0);
}
