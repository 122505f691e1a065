/* The values that the sections show, and how they are written. */

const LAYERS = DATA.layers.map(layerOf);
const RUNGS = DATA.rungs.map((rung) => ({ ...rung, findings: (rung.findings || []).map(findingOf) }));
const UNPAIRED = [
  ...DATA.coverage.unpaired_flax.map((name) => ({ flax: name, torch: "" })),
  ...DATA.coverage.unpaired_torch.map((name) => ({ flax: "", torch: name })),
].map((row) => ({ ...row, verdict: "unpaired", mode: "", type: "", text: `${row.flax} ${row.torch}`.toLowerCase() }));
/* A name, which may break behind its dots, slashes and underscores. */
const broken = (text) => text.split(/(?<=[./_])/).flatMap((part, i) => (i ? [el("wbr"), part] : [part]));
const mono = (text, otherwise = "–") =>
  text ? el("span", { class: "mono" }, broken(text)) : otherwise && el("span", { class: "soft" }, otherwise);
const layerName = (text) => (/^(input of )?\d+(\.\d+)*(\[\d+\])?$/.test(text) ? text.replace(/(?=\d)/, "layer ") : text);
const number = (value, write = short) => el("span", { class: "num" }, write(value));
const two = (a, b, write = short, names = ["Flax", "PyTorch"]) =>
  el("span", { class: "two" }, el("span", {}, names[0]), number(a, write), el("span", {}, names[1]), number(b, write));
const lines = (pair, write = short) =>
  el(
    "span",
    { class: "lines" },
    pair.map((value) => number(value, write)),
  );
const least = (pair) => pair.filter(known).reduce((a, b) => Math.min(a, b), Infinity);
const most = (pair) => pair.filter(known).reduce((a, b) => Math.max(a, b), -Infinity);
const wholeBits = (bits) => (known(bits) ? bits.toFixed(1) : "–");

/* The layers' table, made first: the first difference points into it. */
