"use strict";
// An array as a heat map: zero is neutral, one colour for each sign, numbers where there is room,
// and the exact value of the cell under the pointer or the keyboard's cursor.

const FOLD = 64; // a longer vector is shown in several lines of this length

// An element, with its properties and children; text children are never parsed as HTML.
function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "style") made.style.cssText = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== false && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter(child => child !== null));
  return made;
}

function largest(values) {
  let found = 0;
  for (const value of values) if (Math.abs(value) > found && Number.isFinite(value)) found = Math.abs(value);
  return found;
}

// The heat map of `values`, laid out by `grid`, at most `room` pixels wide; `scale` is the
// magnitude with the full colour.
function heatmap(values, grid, scale, room, name) {
  const folded = grid.down === 1 && grid.across > FOLD;
  const across = folded ? FOLD : grid.across;
  const down = folded ? Math.ceil(grid.across / FOLD) : grid.down;
  const written = isWritten(grid);
  // Cells are square, of whole pixels where they are large enough; thin arrays have wide cells.
  const fitting = Math.min(20, room / across, room / down);
  const side = fitting < 3 ? fitting : Math.floor(fitting);
  const wide = written ? widthOfNumbers(values) : Math.max(side, Math.min(20, room / across, 112 / across));
  const tall = written ? 25 : Math.max(side, Math.min(20, 40 / down));
  const canvas = element("canvas", {
    tabindex: 0, role: "application", "aria-roledescription": "heat map",
    "aria-label": `${name}, shape ${shapeText(grid.shape)}, largest magnitude ${format(largest(values))}. `
      + "Arrow keys read the values.",
    style: `width:${wide * across}px;height:${tall * down}px`,
  });
  const readout = element("div", { class: "readout", "aria-live": "polite" });
  let row = -1, column = -1;

  const colour = key => getComputedStyle(document.documentElement).getPropertyValue(key).trim();
  const shareOf = value => (scale > 0 ? Math.max(-1, Math.min(1, value / scale)) : 0);
  const pixels = across * down > 0 ? coloured() : null;

  // The cells as an image of one pixel each.
  function coloured() {
    const small = element("canvas", { width: across, height: down });
    const context = small.getContext("2d");
    const image = context.createImageData(across, down);
    const [low, zero, high, unknown] = ["--negative", "--zero", "--positive", "--unknown"].map(key => rgb(colour(key)));
    values.forEach((value, k) => {
      const share = shareOf(value);
      const mixed = Number.isNaN(value) ? unknown : mix(zero, share < 0 ? low : high, Math.abs(share));
      image.data.set([...mixed, 255], 4 * k);
    });
    context.putImageData(image, 0, 0);
    return small;
  }

  function paint() {
    if (!pixels) return;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.max(1, Math.round(wide * across * ratio));
    canvas.height = Math.max(1, Math.round(tall * down * ratio));
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = canvas.width < across || canvas.height < down;
    context.drawImage(pixels, 0, 0, canvas.width, canvas.height);
    const x = j => j * canvas.width / across, y = i => i * canvas.height / down;
    if (written) {
      const dark = document.documentElement.dataset.theme === "dark";
      context.font = `${11.5 * ratio}px system-ui, "DejaVu Sans", sans-serif`;
      context.textAlign = "center";
      context.textBaseline = "middle";
      values.forEach((value, k) => {
        const strong = Math.abs(shareOf(value)) > 0.6;
        context.fillStyle = strong === dark ? "#14181e" : dark ? "#e4e9f0" : "#ffffff";
        context.fillText(format(value, 3), x(k % across + 0.5), y(Math.floor(k / across) + 0.5) + ratio / 2);
      });
    }
    if (row >= 0) {
      context.strokeStyle = colour("--text");
      context.lineWidth = 2 * ratio;
      context.strokeRect(x(column) + ratio, y(row) + ratio,
        Math.max(2, x(column + 1) - x(column) - 2 * ratio), Math.max(2, y(row + 1) - y(row) - 2 * ratio));
    }
  }

  function point(i, j) {
    if (i < 0 || j < 0 || i >= down || j >= across || i * across + j >= values.length) return;
    [row, column] = [i, j];
    const place = folded ? cellName(grid, 0, i * across + j) : cellName(grid, i, j);
    readout.replaceChildren(place + "\n", element("b", {}, format(values[i * across + j], 6)));
    paint();
  }

  function leave() {
    [row, column] = [-1, -1];
    readout.replaceChildren();
    paint();
  }

  canvas.addEventListener("pointermove", event => {
    const box = canvas.getBoundingClientRect();
    point(Math.floor((event.clientY - box.top) / box.height * down),
      Math.floor((event.clientX - box.left) / box.width * across));
  });
  canvas.addEventListener("pointerleave", leave);
  canvas.addEventListener("focus", () => { if (canvas.matches(":focus-visible")) point(0, 0); });
  canvas.addEventListener("blur", leave);
  canvas.addEventListener("keydown", event => {
    const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!move) return;
    event.preventDefault();
    event.stopPropagation(); // here the arrows move the cursor, not the walk
    point(Math.max(0, row + move[0]), Math.max(0, column + move[1]));
  });
  paint();
  return { canvas, readout };
}

// Small arrays have their numbers written into the cells.
function isWritten(grid) {
  return grid.across <= 6 && grid.down <= 8;
}

// How wide a cell must be for its number, in pixels.
function widthOfNumbers(values) {
  return Math.max(36, 10 + 6.6 * Math.max(0, ...values.map(value => format(value, 3).length)));
}

// The place of a cell in the array's own indices, counted from 0 as in Python.
function cellName(grid, i, j) {
  const edge = (k, length, blocks) => Math.floor(k * length / blocks);
  if (grid.inBlocks) {
    const range = (k, length, blocks) => `${edge(k, length, blocks)}–${edge(k + 1, length, blocks) - 1}`;
    const columns = `columns ${range(j, grid.columns, grid.across)}`
      + (grid.shape.length > 2 ? ` of ${grid.rows}×${grid.columns}` : "");
    return grid.rows > 1 ? `rows ${range(i, grid.rows, grid.down)}, ${columns}: mean` : `${columns}: mean`;
  }
  if (grid.shape.length === 0) return "scalar";
  if (grid.shape.length === 1) return `index [${j}]`;
  if (grid.shape.length === 2) return `row ${i}, column ${j}`;
  const index = [];
  let rest = i * grid.columns + j;
  for (const length of [...grid.shape].reverse()) {
    index.unshift(rest % length);
    rest = Math.floor(rest / length);
  }
  return `index [${index.join(", ")}]`;
}

function rgb(hex) {
  return [1, 3, 5].map(start => parseInt(hex.slice(start, start + 2), 16));
}

function mix(from, to, share) {
  const eased = share ** 0.8; // small values are told from zero more easily
  return from.map((start, k) => Math.round(start + (to[k] - start) * eased));
}
