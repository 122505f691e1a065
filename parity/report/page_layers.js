/* The table of layers: its columns, the details of a row, and what narrows it. */
const LAYER_COLUMNS = [
  {
    label: "No.",
    minor: true,
    cell: (r) => el("span", { class: "num soft" }, r.order ? String(r.order) : "–"),
    by: (r) => r.order,
  },
  { label: "Flax", head: true, cell: (r) => mono(layerName(r.flax) || (r.finding ? "network" : "")), by: (r) => r.flax },
  { label: "PyTorch", kind: "name", cell: (r) => mono(layerName(r.torch) || (r.finding ? "network" : "")), by: (r) => r.torch },
  {
    label: "Type, shape",
    minor: true,
    cell: (r) =>
      r.finding ? [r.type, el("br"), el("span", { class: "num soft" }, r.shape.join(" × ") || "one number")] : "",
  },
  { label: "Mode", cell: (r) => r.mode },
  { label: "Verdict", cell: (r) => badge(r.verdict), by: (r) => DATA.verdicts.indexOf(r.verdict), down: true },
  {
    label: "× expected rounding",
    cell: (r) =>
      r.finding
        ? el("span", { class: `v-${kind(r.verdict)}` }, number(r.finding.share, times), shareBar(r.finding.share))
        : "",
    by: (r) => r.finding && r.finding.share,
    down: true,
  },
  {
    label: "Gap in float64",
    minor: true,
    cell: (r) => (r.finding ? number(r.finding.gap) : ""),
    by: (r) => r.finding && r.finding.gap,
    down: true,
  },
  {
    label: "Float32 error: Flax, PyTorch",
    minor: true,
    cell: (r) => (r.finding ? lines(r.finding.errors) : ""),
    by: (r) => r.finding && most(r.finding.errors),
    down: true,
  },
  {
    label: "Bits of 24: Flax, PyTorch",
    minor: true,
    cell: (r) => (r.finding ? lines(r.finding.bits, wholeBits) : ""),
    by: (r) => r.finding && least(r.finding.bits),
  },
  {
    label: "Gap inherited, introduced",
    minor: true,
    cell: (r) => (r.finding ? lines([r.inherited, r.introduced]) : ""),
    by: (r) => r.introduced,
    down: true,
  },
  {
    label: "Float32 error introduced",
    minor: true,
    cell: (r) => (r.alone ? lines(r.alone.errors) : ""),
    by: (r) => r.alone && most(r.alone.errors),
    down: true,
  },
  {
    label: "Gradient",
    minor: true,
    cell: (r) => (r.gradient ? badge(r.gradient.verdict) : r.finding ? "–" : ""),
    by: (r) => r.gradient && DATA.verdicts.indexOf(r.gradient.verdict),
    down: true,
  },
];

function facts(pairs) {
  return el(
    "table",
    {},
    el(
      "tbody",
      {},
      pairs
        .filter(Boolean)
        .map(([label, value, remark]) =>
          el(
            "tr",
            {},
            el("th", { scope: "row" }, label),
            el("td", {}, value, remark ? el("span", { class: "remark" }, remark) : null),
          ),
        ),
    ),
  );
}
function findingFacts(title, f) {
  return el(
    "div",
    {},
    el("h4", {}, title),
    facts([
      ["Verdict", badge(f.verdict)],
      ["× expected rounding", number(f.share, times), `limit ${whole(DATA.margin)}`],
      ["Gap in float64", number(f.gap)],
      ["Float32 error", two(...f.errors)],
      ["Bits kept of 24", two(...f.bits, wholeBits)],
      f.values && [`Worst at ${at(f.index)}`, two(...f.values, exact)],
      f.values && ["Difference there", number(Math.abs(f.values[0] - f.values[1]))],
      f.reason && ["In words", f.reason],
    ]),
  );
}
function layerDetail(r) {
  if (!r.finding) return null;
  return () =>
    el(
      "div",
      { class: "pair" },
      findingFacts("Output", r.finding),
      r.gradient ? findingFacts("Gradient of the output", r.gradient) : null,
      r.alone ? findingFacts("Output alone, both fed the same input", r.alone) : null,
      el(
        "div",
        {},
        el("h4", {}, "Where the gap comes from"),
        facts([
          ["Inherited", number(r.inherited), "gap of the inputs"],
          [
            "Introduced",
            number(r.introduced),
            r.alone
              ? "gap of the outputs, both fed the same input"
              : r.introduced === null
                ? "cannot be told: the inputs differ already"
                : "gap of the outputs while the inputs agree",
          ],
          ["Type", r.type],
          ["Shape", el("span", { class: "num" }, r.shape.join(" × ") || "one number")],
          ["Mode", r.mode],
        ]),
      ),
    );
}

const VIEW = { verdicts: new Set(), mode: "" };
const ROWS = [...LAYERS, ...UNPAIRED];
function verdictButtons() {
  return [...DATA.verdicts, "unpaired"].map((verdict) => {
    const count = ROWS.filter((row) => row.verdict === verdict).length;
    const button = el(
      "button",
      { type: "button", class: "quiet", "aria-pressed": "false", disabled: count === 0, "data-verdict": verdict },
      badge(verdict, `${verdict} ${whole(count)}`),
    );
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") === "false";
      button.setAttribute("aria-pressed", String(on));
      if (on) VIEW.verdicts.add(verdict);
      else VIEW.verdicts.delete(verdict);
      TABLE.apply();
    });
    return count ? button : null;
  });
}
const MODE = el(
  "select",
  {
    id: "mode",
    "aria-label": "Mode",
    onchange: () => {
      VIEW.mode = MODE.value;
      TABLE.apply();
    },
  },
  el("option", { value: "" }, "Both modes"),
  el("option", { value: "evaluation" }, "Evaluation"),
  el("option", { value: "training" }, "Training"),
);
const TABLE = searched(
  { label: "Layers in the order of their calls", columns: LAYER_COLUMNS, rows: ROWS, detail: layerDetail },
  {
    noun: "layers",
    text: (r) => r.text,
    filters: [
      (r) => VIEW.verdicts.size === 0 || VIEW.verdicts.has(r.verdict),
      (r) => !VIEW.mode || r.mode === VIEW.mode || !r.mode,
    ],
    extra: [MODE, el("div", { class: "group", role: "group", "aria-label": "Verdicts to show" }, verdictButtons())],
  },
);

/* Verdict and first difference. */
