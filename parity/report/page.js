"use strict";
/* What the rest is made of: the data, elements, numbers, verdicts. Text from the report becomes text nodes only. */

const DATA = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";
const CLASSES = { same: "same", "same, less accurate": "less", inconclusive: "unsure", different: "bad" };
const ODD = { inf: Infinity, "-inf": -Infinity, nan: NaN };

function put(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value);
  }
  for (const child of children.flat(Infinity)) if (child !== null && child !== undefined) node.append(child);
  return node;
}
const el = (tag, attributes, ...children) => put(document.createElement(tag), attributes, children);
const svg = (tag, attributes, ...children) => put(document.createElementNS(SVG, tag), attributes, children);

/* Numbers. JSON has no inf and nan: they come as strings. */
const num = (value) => (typeof value === "string" ? ODD[value] : value);
const known = (value) => value !== null && value !== undefined && !Number.isNaN(value);
const whole = (value) => value.toLocaleString("en");

function short(value) {
  if (!known(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  return (
    Math.abs(value) >= 0.01 && Math.abs(value) < 1000 ? String(+value.toPrecision(3)) : value.toExponential(1)
  ).replaceAll("-", "−");
}
function times(share) {
  if (!known(share)) return "–";
  if (!Number.isFinite(share)) return "∞";
  return share < DATA.margin ? share.toFixed(1) : share.toExponential(1);
}
const exact = (value) => (!known(value) ? "–" : String(value).replaceAll("-", "−").replace("Infinity", "∞"));
const at = (index) => `[${index.join(", ")}]`;
const percent = (share) => `${Math.floor(1000 * share) / 10} %`;

/* Arrays by place become objects. */
function findingOf(row) {
  if (row === null) return null;
  const [quantity, name, mode, verdict, share, gap, errors, bits, index, values, reason] = row;
  return {
    quantity,
    name,
    mode,
    verdict,
    share: num(share),
    gap: num(gap),
    errors: errors.map(num),
    bits: bits.map(num),
    index,
    values: values && values.map(num),
    reason,
  };
}
function layerOf([flax, torch, type, mode, shape, finding, inherited, gradient, alone], order) {
  const made = {
    order: order + 1,
    flax,
    torch,
    type,
    mode,
    shape,
    finding: findingOf(finding),
    inherited: num(inherited),
    gradient: findingOf(gradient),
    alone: findingOf(alone),
    text: `${flax} ${torch} ${type}`.toLowerCase(),
  };
  made.verdict = made.finding.verdict;
  made.introduced = made.alone ? made.alone.gap : made.inherited <= DATA.agreed ? made.finding.gap : null;
  return made;
}

/* A verdict is a mark, a word and a colour. */
const kind = (verdict) => CLASSES[verdict] || "gone";
const mark = (verdict) => DATA.marks[verdict] || "–";
const badge = (verdict, words) =>
  el(
    "span",
    { class: `badge v-${kind(verdict)}` },
    el("b", { "aria-hidden": "true" }, mark(verdict)),
    words || verdict,
  );

/* A bar for a share of the expected rounding, on a log scale, with the limit as a tick. */
const LOW = -6,
  HIGH = 56;
const along = (share) => (100 * (Math.min(Math.max(Math.log2(share), LOW), HIGH) - LOW)) / (HIGH - LOW);
function meter(width, tick) {
  const bar = el("i"),
    node = el("span", { class: "meter", "aria-hidden": "true" }, bar);
  bar.style.width = `${width}%`;
  if (tick !== undefined) node.append(el("u"));
  if (tick !== undefined) node.lastChild.style.left = `${tick}%`;
  return node;
}
const shareBar = (share) => (known(share) ? meter(share === 0 ? 0 : along(share), along(DATA.margin)) : null);

/* Sections, with their entries in the contents. */
const MAIN = document.getElementById("main");
function section(id, title, contents, ...children) {
  const body = children.flat(Infinity).filter((child) => child !== null && child !== undefined);
  if (body.length === 0) return;
  document.getElementById("contents").append(el("a", { href: `#${id}` }, contents || title));
  MAIN.append(el("section", { id, "aria-labelledby": `${id}-title` }, el("h2", { id: `${id}-title` }, title), ...body));
}
/* A section that is shut until its entry in the contents, its head or a printer opens it. */
function folded(id, title, contents, ...children) {
  const body = children.flat(Infinity).filter((child) => child !== null && child !== undefined);
  if (body.length === 0) return;
  const head = el("summary", {}, el("h2", { id: `${id}-title` }, title));
  const link = el("a", { href: `#${id}` }, contents || title);
  const fold = el("details", { class: "fold" }, head, ...body);
  link.addEventListener("click", () => (fold.open = true));
  document.getElementById("contents").append(link);
  MAIN.append(el("section", { id, "aria-labelledby": `${id}-title` }, fold));
}
const FOLDS = () => [...document.querySelectorAll("details.fold")];
function unfold() {
  for (const fold of FOLDS()) if (location.hash === `#${fold.parentElement.id}`) fold.open = true;
}
addEventListener("hashchange", unfold);
let shut = [];
addEventListener("beforeprint", () => {
  shut = FOLDS().filter((fold) => !fold.open);
  for (const fold of shut) fold.open = true;
});
addEventListener("afterprint", () => shut.forEach((fold) => (fold.open = false)));
const lead = (text) => el("p", { class: "lead" }, text);

/* Details whose inside is made when they are first opened. */
function later(summary, make) {
  const node = el("details", {}, el("summary", {}, summary));
  node.addEventListener("toggle", () => {
    if (node.open && node.children.length === 1) node.append(make());
  });
  return node;
}
