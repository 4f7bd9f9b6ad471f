"use strict";
// The page: what is shown at the moment, and how keys, buttons and sliders change it.

const view = {
  step: -1, // -1 is the overview before the first step
  tab: "step",
  parameter: trace.parameters.length ? 0 : -1,
  chosen: new Set(), // terms whose paths are shown; none chosen: all
  sameScale: false,
  zoom: 1,
  timer: null,
};
const at = id => document.getElementById(id);
const PACE = 1100; // milliseconds from step to step

// ---- the graph -----------------------------------------------------------------------------

// When an edge is walked: by the op that it enters; the edge into a term, by the op it leaves.
const walkedIn = trace.edges.map(edge => {
  const target = trace.nodes[edge.target];
  return target.kind === "term" ? trace.nodes[edge.source].step : target.step;
});
const strands = trace.edges.map((_, number) => [...at(`edge-${number}`).querySelectorAll(".strand")]);
const nodeElements = trace.nodes.map(node => at(`node-${node.id}`));
const termsThrough = trace.nodes.map(() => new Set());
for (const edge of trace.edges) for (const term of edge.terms) {
  termsThrough[edge.source].add(term);
  termsThrough[edge.target].add(term);
}

// The nodes that a node's value reaches, itself included; edges stand in the order of time.
function reachedFrom(number) {
  const reached = new Set([number]);
  for (const edge of trace.edges) if (reached.has(edge.source)) reached.add(edge.target);
  return reached;
}

function showGraph() {
  const parameter = view.tab === "parameters" ? trace.parameters[view.parameter] : undefined;
  // For a parameter, only the paths along which its own gradient comes.
  const reached = parameter && parameter.node !== null ? reachedFrom(parameter.node) : null;
  const leads = (edge, term) => !reached
    || (reached.has(edge.source) && parameter.gradient.terms.includes(term));
  const everything = view.step < 0 || view.tab === "parameters";
  strands.forEach((paths, number) => paths.forEach(path => {
    const term = Number(path.dataset.term);
    path.classList.toggle("all", everything);
    path.classList.toggle("past", !everything && walkedIn[number] < view.step);
    path.classList.toggle("now", !everything && walkedIn[number] === view.step);
    path.classList.toggle("off", isOff(term) || factors[term] === 0 || !leads(trace.edges[number], term));
  }));
  const now = view.step >= 0 && view.tab === "step" ? trace.steps[view.step] : null;
  const goes = new Set(now ? now.operands.filter(o => o.outgoing).map(o => o.node) : []);
  nodeElements.forEach((shape, number) => {
    if (!shape) return;
    const through = termsThrough[number];
    shape.classList.toggle("off", (reached && !reached.has(number))
      || (view.chosen.size > 0 && ![...through].some(term => view.chosen.has(term))));
    shape.classList.toggle("now", now !== null && number === now.node);
    shape.classList.toggle("goes", goes.has(number));
    shape.classList.toggle("selected", parameter !== undefined && number === parameter.node);
  });
}

function bringIntoView(number) {
  const shape = nodeElements[number], pane = at("graph");
  if (!shape) return;
  const box = shape.getBoundingClientRect(), frame = pane.getBoundingClientRect();
  const margin = 70;
  const inside = box.top > frame.top + margin && box.bottom < frame.bottom - margin
    && box.left > frame.left && box.right < frame.right;
  if (inside) return;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  pane.scrollTo({
    left: pane.scrollLeft + (box.left + box.right - frame.left - frame.right) / 2,
    top: pane.scrollTop + (box.top + box.bottom - frame.top - frame.bottom) / 2,
    behavior: calm ? "auto" : "smooth",
  });
}

function setZoom(zoom) {
  const drawing = at("graph").querySelector("svg");
  view.zoom = Math.max(0.3, Math.min(2, zoom));
  drawing.style.width = `${drawing.viewBox.baseVal.width * view.zoom}px`;
  drawing.style.height = `${drawing.viewBox.baseVal.height * view.zoom}px`;
}

// ---- what is shown ---------------------------------------------------------------------------

function show() {
  for (const tab of ["step", "parameters"]) {
    const selected = view.tab === tab;
    at(`tab-${tab}`).setAttribute("aria-selected", selected);
    at(`tab-${tab}`).tabIndex = selected ? 0 : -1;
    at(`panel-${tab}`).hidden = !selected;
  }
  const panel = at(`panel-${view.tab}`);
  const focused = panel.contains(document.activeElement);
  const scroll = panel.querySelector(".many")?.scrollTop ?? 0;
  panel.replaceChildren(...(view.tab === "parameters" ? parametersPanel(view.parameter)
    : view.step < 0 ? overview() : stepPanel(view.step)));
  if (panel.querySelector(".many")) panel.querySelector(".many").scrollTop = scroll;
  if (focused) panel.focus({ preventScroll: true }); // what had the focus has been replaced
  at("scrub").value = view.step + 1;
  at("scrub").setAttribute("aria-valuetext", view.step < 0 ? "overview" : `step ${view.step + 1}`);
  at("where").value = view.step < 0 ? `${trace.steps.length} steps` : `${view.step + 1} / ${trace.steps.length}`;
  at("first").disabled = at("back").disabled = view.step < 0;
  at("next").disabled = at("last").disabled = view.step >= trace.steps.length - 1;
  showGraph();
  showTerms();
}

function showTerms() {
  at("total").value = format(totalLoss(), 6);
  document.body.classList.toggle("choosing", view.chosen.size > 0);
  terms.forEach((_, number) => {
    at(`term-${number}`).setAttribute("aria-pressed", view.chosen.has(number));
    at(`value-${number}`).value = format(termValue(number), 6);
  });
  at("changed").hidden = factors.every(factor => factor === 1);
}

function goTo(step) {
  view.step = Math.max(-1, Math.min(trace.steps.length - 1, step));
  view.tab = "step";
  show();
  at("panel-step").scrollTop = 0;
  if (view.step >= 0) bringIntoView(trace.steps[view.step].node);
  at("spoken").textContent = spokenStep();
}

function spokenStep() {
  if (view.step < 0) return "Overview";
  const step = trace.steps[view.step], node = trace.nodes[step.node];
  const { norms } = measures(step.upstream);
  const arriving = step.upstream.terms.map((term, i) => `${terms[term].name} with norm ${format(norms[i], 3)}`);
  const going = step.operands.filter(o => o.outgoing).map(o => trace.nodes[o.node].name);
  return `Step ${view.step + 1} of ${trace.steps.length}: ${node.name}${node.scope ? ` in ${node.scope}` : ""}. `
    + `Arriving: ${arriving.join(", ")}. Goes on to ${going.join(", ")}.`;
}

function showParameter(number, keepFocus = false) {
  pause();
  view.parameter = number;
  view.tab = "parameters";
  show();
  const node = trace.parameters[number].node;
  if (node !== null) bringIntoView(node);
  if (keepFocus) at("panel-parameters").querySelector(`[data-parameter="${number}"]`).focus();
  at("spoken").textContent = `Parameter ${trace.parameters[number].name}`;
}

function showTab(tab) {
  pause();
  view.tab = tab;
  show();
}

function toggleTerm(number) {
  if (!view.chosen.delete(number)) view.chosen.add(number);
  show();
  at("spoken").textContent = view.chosen.size
    ? `Showing ${[...view.chosen].map(term => terms[term].name).join(", ")}` : "Showing all terms";
}

// ---- playing ---------------------------------------------------------------------------------

function pause() {
  clearInterval(view.timer);
  view.timer = null;
  at("play").textContent = "Play";
}

function play() {
  if (view.timer !== null) return pause();
  if (!trace.steps.length) return undefined;
  goTo(view.step >= trace.steps.length - 1 ? 0 : view.step + 1);
  at("play").textContent = "Pause";
  view.timer = setInterval(() => {
    goTo(view.step + 1);
    if (view.step >= trace.steps.length - 1) pause();
  }, PACE);
  return undefined;
}

function walkTo(step) {
  pause();
  goTo(step);
}

// ---- what if ---------------------------------------------------------------------------------

// A slider from 0 to 100 gives factors from 0 to 10, finest near 0, with exactly 1 in the middle;
// rounded to three digits, so that the factor shown is the factor used.
function factorAt(position) {
  return Number((10 * (position / 100) ** Math.log2(10)).toPrecision(3));
}

function setFactor(number, factor) {
  factors[number] = factor;
  at(`factor-${number}`).value = `×${format(factor, 3)}`;
  at(`slider-${number}`).setAttribute("aria-valuetext", `times ${format(factor, 3)}`);
}

function makeTerms() {
  terms.forEach((term, number) => {
    at("legend").append(
      element("span", { class: "sign", "aria-hidden": "true" }, number ? "+" : "="),
      element("button", {
        type: "button", class: "term-button", id: `term-${number}`, title: term.name, onclick: () => toggleTerm(number),
      }, chip(number), element("span", { class: "name" }, term.name), element("output", { id: `value-${number}` })));
    if (number === dataTerm) return;
    at("sliders").append(element("label", {},
      chip(number), element("span", { class: "name", title: term.name }, term.name),
      element("input", {
        type: "range", id: `slider-${number}`, min: 0, max: 100, step: 1, value: 50,
        oninput: event => { setFactor(number, factorAt(Number(event.target.value))); show(); },
      }),
      element("output", { id: `factor-${number}` }, "×1")));
  });
  at("what-if").hidden = !at("sliders").children.length;
}

function reset() {
  terms.forEach((_, number) => {
    if (number === dataTerm) return;
    at(`slider-${number}`).value = 50;
    setFactor(number, 1);
  });
  show();
}

// ---- light and dark --------------------------------------------------------------------------

const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
const themes = ["auto", "light", "dark"];
let theme = "auto";

function setTheme(wanted) {
  theme = wanted;
  const dark = theme === "dark" || (theme === "auto" && systemIsDark.matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  at("theme").textContent = `Theme: ${theme}`;
}

// ---- wiring ----------------------------------------------------------------------------------

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target;
  const onSlider = target.matches("input[type=range]");
  const onControl = target.matches("input, summary, button, [role=button]");
  const keys = {
    ArrowRight: () => walkTo(view.step + 1), ArrowLeft: () => walkTo(view.step - 1),
    Home: () => walkTo(-1), End: () => walkTo(trace.steps.length - 1), " ": play,
  };
  let action = keys[event.key];
  if (onSlider && event.key !== " ") action = undefined;
  if (onControl && event.key === " ") action = undefined;
  if (/^[1-9]$/.test(event.key) && Number(event.key) <= terms.length) action = () => toggleTerm(Number(event.key) - 1);
  if (target.matches("[role=tab]") && event.key.startsWith("Arrow")) {
    action = () => {
      showTab(view.tab === "step" ? "parameters" : "step");
      at(`tab-${view.tab}`).focus();
    };
  }
  if (target.closest(".node") && (event.key === "Enter" || event.key === " ")) action = () => onNode(target.closest(".node"));
  if (!action) return;
  event.preventDefault();
  action();
}

function onNode(shape) {
  if (!shape) return;
  if (shape.dataset.parameter !== undefined) showParameter(Number(shape.dataset.parameter));
  else if (shape.dataset.step !== undefined) walkTo(Number(shape.dataset.step));
  else if (shape.dataset.term !== undefined) toggleTerm(Number(shape.dataset.term));
}

makeTerms();
at("scrub").max = trace.steps.length;
at("scrub").addEventListener("input", event => walkTo(Number(event.target.value) - 1));
at("first").addEventListener("click", () => walkTo(-1));
at("back").addEventListener("click", () => walkTo(view.step - 1));
at("next").addEventListener("click", () => walkTo(view.step + 1));
at("last").addEventListener("click", () => walkTo(trace.steps.length - 1));
at("play").addEventListener("click", play);
at("reset").addEventListener("click", reset);
at("smaller").addEventListener("click", () => setZoom(view.zoom / 1.2));
at("larger").addEventListener("click", () => setZoom(view.zoom * 1.2));
at("tab-step").addEventListener("click", () => showTab("step"));
at("tab-parameters").addEventListener("click", () => showTab("parameters"));
at("same-scale").addEventListener("change", event => { view.sameScale = event.target.checked; show(); });
at("theme").addEventListener("click", () => { setTheme(themes[(themes.indexOf(theme) + 1) % 3]); show(); });
systemIsDark.addEventListener("change", () => { setTheme(theme); show(); });
at("graph").addEventListener("click", event => onNode(event.target.closest(".node")));
document.addEventListener("keydown", onKey);
at("residual").textContent = "Contributions add up to the gradient; relative residual "
  + `${format(Number(trace.residual), 2)} (as traced).`;
at("summarised").textContent = trace.arrays.some(stored => stored.blocks)
  ? `Arrays above ${(trace.blocks ** 2).toLocaleString("en")} numbers are shown as means of at most `
    + `${trace.blocks}×${trace.blocks} blocks; norms, shares and cosines are of the whole arrays.`
  : "All arrays are shown in full.";
window.addEventListener("resize", () => show());
setTheme("auto");
{
  const drawing = at("graph").querySelector("svg").viewBox.baseVal;
  setZoom(Math.max(0.7, Math.min(1, (at("graph").clientWidth - 8) / drawing.width)));
}
show();
