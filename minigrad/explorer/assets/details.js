"use strict";
// The right-hand side: what happens in a step, and what each term contributes to a parameter.

const looksOfTerm = number =>
  `background:var(--term-${number});color:var(--ink-${number})`;
// Stripes on the colours of penalties, for readers who do not see the colours.
const STRIPES = [45, 90, -45, 0, 60, -60, 30];
function fillOfTerm(number) {
  if (number === dataTerm) return looksOfTerm(number);
  const angle = STRIPES[(number - (dataTerm >= 0 && number > dataTerm ? 1 : 0)) % STRIPES.length];
  return `${looksOfTerm(number)};background-image:repeating-linear-gradient(${angle}deg,`
    + "#ffffff55 0 2px,transparent 2px 7px)";
}

function chip(number) {
  return element("span", { class: "chip", style: looksOfTerm(number), "aria-hidden": "true" }, String(number + 1));
}

const NARROWEST = 118; // pixels of a heat map with its caption
const GUTTER = 18; // between two of them

// The contributions of a group side by side, and their sum: what `purpose` says.
function maps(group, purpose, withFacts) {
  const { norms, shares, total } = measures(group);
  const grid = gridOf(trace.arrays[group.arrays[0]]);
  const shown = group.terms.map((term, i) => ({
    term, values: contribution(group, i), norm: norms[i], share: shares[i],
  }));
  if (shown.length > 1) shown.push({ term: null, values: sum(group), norm: total });
  const common = Math.max(...shown.map(part => largest(part.values)));
  const wide = at(`panel-${view.tab}`).clientWidth - 60;
  const least = isWritten(grid) ? grid.across * Math.max(...shown.map(part => widthOfNumbers(part.values))) : 0;
  const fitting = Math.max(1, Math.floor((wide + GUTTER) / (Math.max(NARROWEST, least) + GUTTER)));
  const rows = Math.ceil(shown.length / fitting);
  const beside = Math.ceil(shown.length / rows); // as many in each row
  const room = Math.min(230, wide / beside - GUTTER);
  const holder = element("div", { class: "maps", style: `grid-template-columns:repeat(${beside},max-content)` });
  for (const { term, values, norm, share } of shown) {
    const name = term === null ? "sum" : terms[term].name;
    const scale = view.sameScale ? common : largest(values);
    const { canvas, readout } = heatmap(values, grid, scale, room, `${purpose}, ${name}`);
    const facts = `norm ${format(norm)}`
      + (term !== null && shown.length > 1 && withFacts ? ` · ${percent(share)}` : "");
    const figure = element("figure", term === null ? { "data-sum": "" } : { "data-term": term },
      element("figcaption", { title: name },
        term === null ? element("span", { class: "chip sum-chip", "aria-hidden": "true" }, "Σ") : chip(term),
        element("span", { class: "name" }, name)),
      canvas,
      scale > 0 ? element("div", { class: "bar", style: `width:max(100%,${canvas.style.width})`, "aria-label": `colours from ${format(-scale, 3)} to ${format(scale, 3)}` },
        format(-scale, 3), element("i"), format(scale, 3)) : element("div", { class: "bar" }, "all zero"),
      element("div", { class: "facts" }, facts),
      readout);
    figure.classList.toggle("off", isOff(term));
    holder.append(figure);
  }
  return holder;
}

function isOff(term) {
  return term !== null && view.chosen.size > 0 && !view.chosen.has(term);
}

// A button that leads to a node of the graph.
function linkTo(number) {
  const node = trace.nodes[number];
  if (node.kind === "parameter") {
    return element("button", { type: "button", class: "link", onclick: () => showParameter(node.parameter) }, node.name);
  }
  if (node.kind !== "op") return element("span", {}, node.name);
  const where = node.scope ? ` in ${node.scope}` : "";
  return element("button", { type: "button", class: "link", onclick: () => walkTo(node.step) }, node.name + where);
}

function call(step, node) {
  const given = step.operands.map(operand =>
    "value" in operand ? `${operand.name}=${format(Number(operand.value), 6)}` : operand.name);
  const options = Object.entries(step.options).map(([name, value]) => `${name}=${value}`);
  return `z = ${node.name}(${[...given, ...options].join(", ")})`;
}

function stepPanel(number) {
  const step = trace.steps[number], node = trace.nodes[step.node];
  const parts = [
    element("h2", {}, node.name, element("span", { class: "in" },
      (node.scope ? `in ${node.scope} · ` : "") + `step ${number + 1} of ${trace.steps.length}`)),
    element("p", { class: "forward" }, "forward  ", element("code", {}, call(step, node)),
      `  →  ${shapeText(node.shape)}`),
    ...calledAt(step.line),
    element("h3", {}, "Arrives: g, the gradient for the result z ",
      element("span", { class: "soft" }, shapeText(node.shape))),
    maps(step.upstream, "arriving gradient", true),
  ];
  const idle = step.operands.filter(operand => !operand.outgoing && operand.shape.length);
  for (const operand of step.operands) {
    if (operand.outgoing) parts.push(operandPart(operand));
  }
  if (idle.length) {
    parts.push(element("p", { class: "soft" }, "No gradient goes on to "
      + idle.map(operand => `${operand.name} (${shapeText(operand.shape)}${whyIdle(step, operand)})`).join(", ") + "."));
  }
  return parts;
}

// Why a path ends at an operand, if there is more to say than that it is a number or an array.
function whyIdle(step, operand) {
  const index = step.operands.indexOf(operand);
  const edge = trace.edges.find(each => each.target === step.node && each.operand === index);
  const node = edge && trace.nodes[edge.source];
  if (!node) return "";
  if (node.kind === "parameter") return ", frozen";
  return node.cut ? `, detached at ${node.cut}` : "";
}

// The line of the program at which the op was called, where it was remembered.
function calledAt(line) {
  if (!line) return [];
  return [element("p", { class: "forward" }, "called by  ", element("code", {}, line.text),
    `  ${line.file}:${line.number} in ${line.function}`)];
}

function origin(number) {
  return { op: "the result of ", parameter: "the parameter ", input: "the model's " }[trace.nodes[number].kind] || "";
}

function operandPart(operand) {
  const long = operand.rule.split("\n").length > 3;
  const code = element("pre", {}, element("code", {}, operand.rule));
  const formula = element("span", { class: "formula" }, operand.formula);
  return element("section", { class: "operand" },
    element("h3", {}, `Goes on to ${operand.name} `,
      element("span", { class: "soft" }, shapeText(operand.shape), ", ", origin(operand.node)), linkTo(operand.node)),
    long
      ? element("details", { class: "rule" }, element("summary", {}, formula), code)
      : element("div", { class: "rule" }, operand.formula === operand.rule ? "" : formula, code),
    maps(operand.outgoing, `gradient for ${operand.name}`, true));
}

function overview() {
  const steps = trace.steps.length;
  return [
    element("h2", {}, "The backward pass, step by step"),
    element("p", { class: "lead" }, "The loss is a sum of terms. So the gradient of each weight is a sum too: "
      + "one contribution from each term that depends on it."),
    element("ol", { class: "story" },
      element("li", {}, `Step through the ${steps} ops with ▶ or the right arrow key: from the terms back to the weights. `
        + "Each shows what arrives from which term, the rule that runs, and what goes on."),
      element("li", {}, "Press a term above to see only its paths. ", "Numbers and line patterns tell the terms apart as well as colours."),
      element("li", {}, "Press a weight in the graph to see what each term contributes to its gradient."),
      element("li", {}, "Make a penalty stronger or weaker, and see every gradient follow.")),
    steps ? element("button", { type: "button", onclick: () => walkTo(0) }, "Begin with the first step")
      : element("p", { class: "soft" }, "No op was recorded: nothing here needs a gradient."),
    ...remarks(),
  ];
}

// What `trace.diagnoses()` says.
function remarks() {
  if (!trace.diagnoses.length) return [];
  return [
    element("h3", {}, "What strikes the eye ", element("span", { class: "soft" }, "as traced")),
    element("ul", { class: "story" }, ...trace.diagnoses.map(found =>
      element("li", {}, element("b", {}, `${found.kind}, ${found.where}: `), found.text))),
  ];
}

function stack(group) {
  const bar = element("div", { class: "stack", "aria-hidden": "true" });
  measures(group).shares.forEach((share, i) => {
    const term = group.terms[i];
    if (!(share > 0)) return;
    bar.append(element("span", {
      style: `${fillOfTerm(term)};flex:${share} 1 0;opacity:${isOff(term) ? 0.25 : 1}`,
      title: `${terms[term].name} ${percent(share)}`,
    }, share > 0.08 ? String(term + 1) : ""));
  });
  return bar;
}

function parametersPanel(selected) {
  const rows = trace.parameters.map((parameter, number) => {
    const reached = parameter.gradient.terms.length > 0;
    return element("tr", number === selected ? { class: "chosen" } : {},
      element("td", {}, element("button", {
        type: "button", class: "link", "data-parameter": number, "aria-current": number === selected ? "true" : undefined,
        onclick: () => showParameter(number, true),
      }, parameter.name)),
      element("td", { class: "soft" }, shapeText(parameter.shape)),
      element("td", {}, reached ? stack(parameter.gradient)
        : element("span", { class: "soft" }, parameter.frozen ? "frozen" : "no path")),
      element("td", {}, reached ? format(measures(parameter.gradient).total) : ""));
  });
  const head = ["parameter", "shape", "shares of the terms", "norm"];
  return [
    element("div", { class: "many", tabindex: 0, role: "region", "aria-label": "All parameters" },
      element("table", {},
        element("thead", {}, element("tr", {}, ...head.map(name => element("th", { scope: "col" }, name)))),
        element("tbody", {}, ...rows))),
    ...(selected >= 0 ? parameterPart(trace.parameters[selected]) : []),
  ];
}

function parameterPart(parameter) {
  const heading = element("h2", { style: "margin-top:1.1rem" }, parameter.name,
    element("span", { class: "in" }, shapeText(parameter.shape)));
  const group = parameter.gradient;
  if (parameter.frozen) return [heading, element("p", { class: "no-path" }, "Frozen: no gradient is computed for it.")];
  if (!group.terms.length) return [heading, element("p", { class: "no-path" }, "No path from any term: its gradient is zero.")];
  const { norms, shares, cosines, total } = measures(group);
  const lines = terms.map((term, number) => {
    const i = group.terms.indexOf(number);
    const cells = i < 0 ? ["no path", "", ""]
      : [format(norms[i]), percent(shares[i]),
        cosines[i] === null ? "–" : (cosines[i] < 0 ? "" : "+") + cosines[i].toFixed(3)];
    return element("tr", { "data-term": number, style: isOff(number) ? "opacity:.4" : "" },
      element("td", {}, chip(number), term.name), ...cells.map(cell => element("td", i < 0 ? { class: "soft" } : {}, cell)));
  });
  lines.push(element("tr", { "data-sum": "" },
    element("td", {}, element("span", { class: "chip sum-chip", "aria-hidden": "true" }, "Σ"), "sum: the gradient"),
    element("td", {}, format(total)), element("td"), element("td")));
  return [
    heading,
    maps(group, `contribution to ${parameter.name}`, true),
    element("table", { class: "contributions" },
      element("thead", {}, element("tr", {},
        ...["term", "norm", "share", "cosine to data"].map(name => element("th", { scope: "col" }, name)))),
      element("tbody", {}, ...lines)),
  ];
}
