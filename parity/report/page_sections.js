/* The report from the top to the bottom. */

const LAYERS = DATA.layers.map(layerOf);
const RUNGS = DATA.rungs.map((rung) => ({ ...rung, findings: (rung.findings || []).map(findingOf) }));
const UNPAIRED = [
  ...DATA.coverage.unpaired_flax.map((name) => ({ flax: name, torch: "" })),
  ...DATA.coverage.unpaired_torch.map((name) => ({ flax: "", torch: name })),
].map((row) => ({ ...row, verdict: "unpaired", mode: "", type: "", text: `${row.flax} ${row.torch}`.toLowerCase() }));
/* A name, which may break behind its dots and slashes. */
const broken = (text) => text.split(/(?<=[./])/).flatMap((part, i) => (i ? [el("wbr"), part] : [part]));
const mono = (text, otherwise = "–") => (text ? el("span", { class: "mono" }, broken(text)) : otherwise && el("span", { class: "soft" }, otherwise));
const number = (value, write = short) => el("span", { class: "num" }, write(value));
const two = (a, b, write = short, names = ["Flax", "PyTorch"]) =>
  el("span", { class: "two" }, el("span", {}, names[0]), number(a, write), el("span", {}, names[1]), number(b, write));
const lines = (pair, write = short) => el("span", { class: "lines" }, pair.map((value) => number(value, write)));
const least = (pair) => pair.filter(known).reduce((a, b) => Math.min(a, b), Infinity);
const most = (pair) => pair.filter(known).reduce((a, b) => Math.max(a, b), -Infinity);
const wholeBits = (bits) => (known(bits) ? bits.toFixed(1) : "–");

/* The layers' table, made first: the first difference points into it. */
const LAYER_COLUMNS = [
  { label: "No.", minor: true, cell: (r) => el("span", { class: "num soft" }, r.order ? String(r.order) : "–"), by: (r) => r.order },
  { label: "Flax", head: true, cell: (r) => mono(r.flax || (r.finding ? "network" : "")), by: (r) => r.flax },
  { label: "PyTorch", kind: "name", cell: (r) => mono(r.torch || (r.finding ? "network" : "")), by: (r) => r.torch },
  { label: "Type, shape", minor: true, cell: (r) => (r.finding ? [r.type, el("br"), el("span", { class: "num soft" }, r.shape.join(" × ") || "one number")] : "") },
  { label: "Mode", cell: (r) => r.mode },
  { label: "Verdict", cell: (r) => badge(r.verdict), by: (r) => DATA.verdicts.indexOf(r.verdict), down: true },
  { label: "× expected rounding", cell: (r) => (r.finding ? el("span", { class: `v-${kind(r.verdict)}` }, number(r.finding.share, times), shareBar(r.finding.share)) : ""), by: (r) => r.finding && r.finding.share, down: true },
  { label: "Gap in float64", minor: true, cell: (r) => (r.finding ? number(r.finding.gap) : ""), by: (r) => r.finding && r.finding.gap, down: true },
  { label: "Float32 error: Flax, PyTorch", minor: true, cell: (r) => (r.finding ? lines(r.finding.errors) : ""), by: (r) => r.finding && most(r.finding.errors), down: true },
  { label: "Bits of 24: Flax, PyTorch", minor: true, cell: (r) => (r.finding ? lines(r.finding.bits, wholeBits) : ""), by: (r) => r.finding && least(r.finding.bits) },
  { label: "Gap inherited, introduced", minor: true, cell: (r) => (r.finding ? lines([r.inherited, r.introduced]) : ""), by: (r) => r.introduced, down: true },
  { label: "Float32 error introduced", minor: true, cell: (r) => (r.alone ? lines(r.alone.errors) : ""), by: (r) => r.alone && most(r.alone.errors), down: true },
  { label: "Gradient", minor: true, cell: (r) => (r.gradient ? badge(r.gradient.verdict) : r.finding ? "–" : ""), by: (r) => r.gradient && DATA.verdicts.indexOf(r.gradient.verdict), down: true },
];

function facts(pairs) {
  return el("table", {}, el("tbody", {}, pairs.filter(Boolean).map(([label, value, remark]) =>
    el("tr", {}, el("th", { scope: "row" }, label), el("td", {}, value, remark ? el("span", { class: "remark" }, remark) : null)))));
}
function findingFacts(title, f) {
  return el("div", {}, el("h4", {}, title), facts([
    ["Verdict", badge(f.verdict)],
    ["× expected rounding", number(f.share, times), `limit ${whole(DATA.margin)}`],
    ["Gap in float64", number(f.gap)],
    ["Float32 error", two(...f.errors)],
    ["Bits kept of 24", two(...f.bits, wholeBits)],
    f.values && [`Worst at ${at(f.index)}`, two(...f.values, exact)],
    f.values && ["Difference there", number(Math.abs(f.values[0] - f.values[1]))],
    f.reason && ["In words", f.reason],
  ]));
}
function layerDetail(r) {
  if (!r.finding) return null;
  return () => el("div", { class: "pair" },
    findingFacts("Output", r.finding),
    r.gradient ? findingFacts("Gradient of the output", r.gradient) : null,
    r.alone ? findingFacts("Output alone, both fed the same input", r.alone) : null,
    el("div", {}, el("h4", {}, "Where the gap comes from"), facts([
      ["Inherited", number(r.inherited), "gap of the inputs"],
      ["Introduced", number(r.introduced), r.alone ? "gap of the outputs, both fed the same input" : r.introduced === null ? "cannot be told: the inputs differ already" : "gap of the outputs while the inputs agree"],
      ["Type", r.type], ["Shape", el("span", { class: "num" }, r.shape.join(" × ") || "one number")], ["Mode", r.mode],
    ])));
}

const VIEW = { verdicts: new Set(), mode: "" };
const ROWS = [...LAYERS, ...UNPAIRED];
function verdictButtons() {
  return [...DATA.verdicts, "unpaired"].map((verdict) => {
    const count = ROWS.filter((row) => row.verdict === verdict).length;
    const button = el("button", { type: "button", class: "quiet", "aria-pressed": "false", disabled: count === 0, "data-verdict": verdict }, badge(verdict, `${verdict} ${whole(count)}`));
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") === "false";
      button.setAttribute("aria-pressed", String(on));
      if (on) VIEW.verdicts.add(verdict); else VIEW.verdicts.delete(verdict);
      TABLE.apply();
    });
    return count ? button : null;
  });
}
const MODE = el("select", { id: "mode", "aria-label": "Mode", onchange: () => { VIEW.mode = MODE.value; TABLE.apply(); } },
  el("option", { value: "" }, "Both modes"), el("option", { value: "evaluation" }, "Evaluation"), el("option", { value: "training" }, "Training"));
const TABLE = searched({ label: "Layers in the order of their calls", columns: LAYER_COLUMNS, rows: ROWS, detail: layerDetail }, {
  noun: "layers", text: (r) => r.text,
  filters: [(r) => VIEW.verdicts.size === 0 || VIEW.verdicts.has(r.verdict), (r) => !VIEW.mode || r.mode === VIEW.mode || !r.mode],
  extra: [MODE, el("div", { class: "group", role: "group", "aria-label": "Verdicts to show" }, verdictButtons())],
});

/* Verdict and first difference. */
function verdict() {
  const total = num(DATA.seconds.total);
  return el("div", { class: "verdict", id: "verdict" },
    el("span", { class: `sign v-${kind(DATA.verdict)}`, "aria-hidden": "true" }, mark(DATA.verdict)),
    el("div", {}, el("p", { class: "name" }, DATA.name),
      el("h1", { class: `v-${kind(DATA.verdict)}` }, DATA.verdict[0].toUpperCase() + DATA.verdict.slice(1)),
      el("p", { class: "answer" }, DATA.answer)),
    el("p", { class: "facts" }, [DATA.summary, known(total) ? `${total.toFixed(1)} s` : "", `exit code ${DATA.exit_code}`].filter(Boolean).join(" · ")));
}
function firstDifference(first) {
  const value = (side) => (side in first.values ? el("p", { class: "value" }, exact(num(first.values[side]))) : null);
  const name = (text) => el("p", {}, mono(text, "no layer of its own"));
  const apart = Math.abs(num(first.values.flax) - num(first.values.torch));
  const find = first.layer_torch || first.layer_flax;
  const hit = LAYERS.find((r) => r.torch === first.layer_torch && r.flax === first.layer_flax && r.verdict === "different");
  return el("section", { class: "first", "aria-labelledby": "first-title" },
    el("h2", { id: "first-title" }, `First difference, on the rung “${first.rung}”${first.mode ? `, in ${first.mode}` : ""}`),
    el("p", { class: "what" }, first.text),
    el("div", { class: "sides" },
      el("div", {}, el("h3", {}, "Flax"), name(first.layer_flax), value("flax")),
      el("div", {}, el("h3", {}, "PyTorch"), name(first.layer_torch), value("torch")),
      Number.isNaN(apart) ? null : el("div", {}, el("h3", {}, "Worst element"), el("p", { class: "mono" }, first.index.length ? at(first.index) : "the only one"), el("p", { class: "value" }, `${short(apart)} apart`))),
    first.cause || first.mend ? el("dl", { class: "mend" },
      first.cause ? [el("dt", {}, "Cause"), el("dd", {}, first.cause)] : null,
      first.mend ? [el("dt", {}, "Mend"), el("dd", {}, first.mend)] : null) : null,
    hit ? el("p", {}, el("button", { type: "button", class: "quiet", onclick: () => { TABLE.find(find); location.hash = "#layers"; } }, "Show it among the layers")) : null);
}

function rungItem(rung) {
  const ran = rung.verdict !== undefined;
  return el("li", { class: ran ? null : "soft" },
    el("span", { class: "place" }, String(rung.number)), el("span", { class: "rung" }, rung.name),
    ran ? badge(rung.verdict) : badge("", "not run"),
    el("div", { class: "say" }, rung.sentence,
      (rung.accepted || []).map((name) => el("span", {}, " ", el("span", { class: "tag" }, `accepted: ${name}`)))),
    rung.findings.length ? later(findingsSummary(rung), () => findingsTable(`Findings of rung ${rung.number}`, rung.findings)) : null);
}
function findingsSummary(rung) {
  const others = rung.of - rung.findings.length;
  return `${whole(rung.findings.length)} ${rung.findings.length === 1 ? "finding" : "findings"}${others ? ` besides the ${whole(others)} of layers` : ""}`;
}

function plots() {
  const place = new Map();
  const pointsOf = (rows, share) => rows.map((row) => {
    const found = share(row), order = place.get(row.mode) || 0;
    place.set(row.mode, order + 1);
    return { place: order, label: row.torch || row.name || row.flax || "network", mode: row.mode, verdict: found.verdict, share: found.share };
  });
  const picked = (number, quantity) => RUNGS.filter((r) => r.number === number).flatMap((r) => r.findings).filter((f) => f.quantity === quantity);
  const nodes = [];
  const add = (title, noun, rows, share = (row) => row, table = true) => {
    if (rows.length === 0) return;
    place.clear();
    nodes.push(...sharePlot(title, noun, pointsOf(rows, share)));
    if (table) nodes.push(later("The numbers", () => findingsTable(title, rows)));
  };
  add("Outputs of the layers", "layers", LAYERS, (row) => row.finding, false);
  add("Gradients of the layers' outputs", "layers", LAYERS.filter((r) => r.gradient), (row) => row.gradient, false);
  add("Gradients of the parameters", "parameters", picked(3, "gradient"));
  add("State: buffers after training steps", "buffers", picked(4, "buffer"));
  add("Optimizers: parameters after every step", "arrays", picked(5, "optimizer"));
  nodes.push(...lossPlot(DATA.losses));
  return nodes;
}

function weights() {
  const rows = DATA.weights.map((w) => ({ ...w, text: `${w.flax} ${w.torch} ${w.role} ${w.how} ${w.note}`.toLowerCase() }));
  let open = false;
  const columns = [
    { label: "Flax", head: true, cell: (w) => mono(w.flax, "none"), by: (w) => w.flax },
    { label: "PyTorch", kind: "name", cell: (w) => mono(w.torch, "none"), by: (w) => w.torch },
    { label: "Role", cell: (w) => w.role, by: (w) => w.role },
    { label: "Shapes", cell: (w) => two(w.shape_flax, w.shape_torch, (s) => s.join(" × ") || "–"), minor: true },
    { label: "PyTorch → Flax", cell: (w) => w.how, by: (w) => w.how },
    { label: "Numbers", cell: (w) => number(w.size, whole), by: (w) => w.size, down: true },
    { label: "Proven", cell: (w) => (w.proven ? el("span", { class: "badge v-same" }, el("b", { "aria-hidden": "true" }, "✓"), "proven") : el("span", { class: "badge v-less" }, el("b", { "aria-hidden": "true" }, "–"), "not proven")), by: (w) => Number(w.proven) },
    { label: "Note", cell: (w) => w.note, by: (w) => w.note },
  ];
  const button = el("button", { type: "button", class: "quiet", "aria-pressed": "false" }, `Not proven ${whole(rows.filter((w) => !w.proven).length)}`);
  button.addEventListener("click", () => { open = !open; button.setAttribute("aria-pressed", String(open)); view.apply(); });
  const view = searched({ label: "Weight map", columns, rows, short: true }, { noun: "arrays", text: (w) => w.text, filters: [(w) => !open || !w.proven], extra: [button] });
  return view.nodes;
}

function lints() {
  const columns = [
    { label: "Flax layer", head: true, cell: (l) => mono(l.layer_flax, "the network") },
    { label: "PyTorch layer", kind: "name", cell: (l) => mono(l.layer_torch, "the network") },
    { label: "Setting", cell: (l) => mono(l.setting) },
    { label: "Flax", cell: (l) => mono(l.flax) },
    { label: "PyTorch", cell: (l) => mono(l.torch) },
    { label: "Layers", cell: (l) => number(l.count, whole) },
    { label: "In words", kind: "words", cell: (l) => l.text },
    { label: "Convention", cell: (l) => mono(l.convention, "") },
  ];
  return lazyTable({ label: "Settings that differ", columns, rows: DATA.lints, short: true }).node;
}
function conventions() {
  const said = (yes, words, otherwise) => el("span", { class: "tag" }, yes ? `✓ ${words}` : `– ${otherwise}`);
  return DATA.conventions.map((c) => el("div", {}, el("h3", {}, el("span", { class: "mono" }, c.name)), el("p", {}, c.text),
    el("p", {}, said(c.confirmed, "confirmed: undone, the gap falls to rounding", "not confirmed: undone, a gap remains"), said(c.accepted, "accepted", "not accepted"), el("span", { class: "tag" }, `explains rung ${c.rungs.join(", ")}`))));
}
function coverage() {
  const gauge = (label, share, words) => el("div", { class: "gauge" }, el("span", { class: "label" }, label), el("b", {}, words), meter(100 * share));
  const proven = DATA.weights.filter((w) => w.proven).length, all = DATA.weights.length;
  const names = (side, list) => (list.length ? el("details", {}, el("summary", {}, `${whole(list.length)} ${list.length === 1 ? "call" : "calls"} of ${side} without a partner`), el("ul", { class: "names" }, list.map((name) => el("li", {}, mono(name))))) : null);
  return [el("div", { class: "gauges" },
    gauge("Parameters mapped", DATA.coverage.parameters, percent(DATA.coverage.parameters)),
    gauge("Arrays of the map proven", all ? proven / all : 0, `${whole(proven)} of ${whole(all)}`),
    gauge("Layers compared", DATA.coverage.layers, percent(DATA.coverage.layers))),
  names("Flax", DATA.coverage.unpaired_flax), names("PyTorch", DATA.coverage.unpaired_torch)];
}
const pairs = (entries) => el("dl", { class: "pairs" }, entries.map(([key, value]) => [el("dt", {}, key), el("dd", {}, value)]));

function script(text) {
  const code = el("pre", { tabindex: "0", "aria-label": "Python source" }, el("code", {}, text));
  const said = el("span", { class: "soft", role: "status", "aria-live": "polite" });
  const select = () => { getSelection().selectAllChildren(code); return document.execCommand("copy"); };
  async function copy() {
    let done = true;
    try { await navigator.clipboard.writeText(text); } catch { done = select(); }
    said.textContent = done ? " Copied." : " Selected: copy it with the keyboard.";
  }
  return [lead("It makes the first difference again, on the layer alone."),
    el("p", {}, el("button", { type: "button", class: "quiet", id: "copy", onclick: copy }, "Copy the script"), said), code];
}

MAIN.replaceChildren(verdict());
if (DATA.first) MAIN.append(firstDifference(DATA.first));
section("ladder", "The ladder", "Ladder", lead("Each rung rests on those before it; the first that fails is the one to look at."), el("ol", { class: "ladder" }, RUNGS.map(rungItem)));
section("conventions", "Recognised conventions", "Conventions", conventions());
section("layers", "Layers", null, ROWS.length ? [lead(`Every pair of calls, in order. A gap counts in units of the rounding that float64 should have, told from both float32 errors; up to ${whole(DATA.margin)} it is rounding, beyond it the formulas differ. A row opens.`), TABLE.nodes] : [lead("No pair of calls was compared.")]);
section("plots", "Gradients, state and trajectories", "Plots", plots());
section("weights", "Weight map", "Weights", DATA.weights.length ? weights() : null);
section("settings", "Settings that differ", "Settings", DATA.lints.length ? [lead("What the layers declare, before any number is computed."), lints()] : null);
section("coverage", "Coverage", null, coverage());
section("notes", "Probes and notes", "Notes", DATA.notes.length ? el("ul", { class: "notes" }, DATA.notes.map((note) => el("li", {}, note))) : null);
section("script", "Script that reproduces the first difference", "Script", DATA.script ? script(DATA.script) : null);
section("environment", "Environment and timing", "Environment", el("div", { class: "columns" },
  Object.keys(DATA.facts).length ? el("div", {}, el("h3", {}, "Seed, device and inputs"), pairs(Object.entries(DATA.facts).map(([k, v]) => [k, mono(v)]))) : null,
  el("div", {}, el("h3", {}, "Versions"), pairs(Object.entries(DATA.environment).map(([k, v]) => [k, mono(String(v))]))),
  el("div", {}, el("h3", {}, "Seconds"), pairs(Object.entries(DATA.seconds).map(([k, v]) => [k, number(num(v), (s) => s.toFixed(2))])))));
document.documentElement.dataset.ready = "true";
