/* The weight map, settings, conventions, coverage, and the script. */
function weights() {
  const rows = DATA.weights.map((w) => ({
    ...w,
    text: `${w.flax} ${w.torch} ${w.role} ${w.how} ${w.note}`.toLowerCase(),
  }));
  let open = false;
  const columns = [
    { label: "Flax", head: true, cell: (w) => mono(w.flax, "none"), by: (w) => w.flax },
    { label: "PyTorch", kind: "name", cell: (w) => mono(w.torch, "none"), by: (w) => w.torch },
    { label: "Role", cell: (w) => w.role, by: (w) => w.role },
    { label: "Shapes", cell: (w) => two(w.shape_flax, w.shape_torch, (s) => s.join(" × ") || "–"), minor: true },
    { label: "PyTorch → Flax", cell: (w) => w.how, by: (w) => w.how },
    { label: "Numbers", cell: (w) => number(w.size, whole), by: (w) => w.size, down: true },
    {
      label: "Proven",
      cell: (w) =>
        w.proven
          ? el("span", { class: "badge v-same" }, el("b", { "aria-hidden": "true" }, "✓"), "proven")
          : el("span", { class: "badge v-less" }, el("b", { "aria-hidden": "true" }, "–"), "not proven"),
      by: (w) => Number(w.proven),
    },
    { label: "Note", cell: (w) => w.note, by: (w) => w.note },
  ];
  const button = el(
    "button",
    { type: "button", class: "quiet", "aria-pressed": "false" },
    `Not proven ${whole(rows.filter((w) => !w.proven).length)}`,
  );
  button.addEventListener("click", () => {
    open = !open;
    button.setAttribute("aria-pressed", String(open));
    view.apply();
  });
  const view = searched(
    { label: "Weight map", columns, rows, short: true },
    { noun: "arrays", text: (w) => w.text, filters: [(w) => !open || !w.proven], extra: [button] },
  );
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
  return DATA.conventions.map((c) =>
    el(
      "div",
      {},
      el("h3", {}, el("span", { class: "mono" }, c.name)),
      el("p", {}, c.text),
      el(
        "p",
        {},
        said(c.confirmed, "confirmed: undone, the gap falls to rounding", "not confirmed: undone, a gap remains"),
        said(c.accepted, "accepted", "not accepted"),
        el("span", { class: "tag" }, `explains rung ${c.rungs.join(", ")}`),
      ),
    ),
  );
}
function coverage() {
  const gauge = (label, share, words) =>
    el("div", { class: "gauge" }, el("span", { class: "label" }, label), el("b", {}, words), meter(100 * share));
  const proven = DATA.weights.filter((w) => w.proven).length,
    all = DATA.weights.length;
  const names = (side, list) =>
    list.length
      ? el(
          "details",
          {},
          el(
            "summary",
            {},
            `${whole(list.length)} ${list.length === 1 ? "call" : "calls"} of ${side} without a partner`,
          ),
          el(
            "ul",
            { class: "names" },
            list.map((name) => el("li", {}, mono(name))),
          ),
        )
      : null;
  return [
    el(
      "div",
      { class: "gauges" },
      gauge("Parameters mapped", DATA.coverage.parameters, percent(DATA.coverage.parameters)),
      gauge("Arrays of the map proven", all ? proven / all : 0, `${whole(proven)} of ${whole(all)}`),
      gauge("Layers compared", DATA.coverage.layers, percent(DATA.coverage.layers)),
    ),
    names("Flax", DATA.coverage.unpaired_flax),
    names("PyTorch", DATA.coverage.unpaired_torch),
  ];
}
const pairs = (entries) =>
  el(
    "dl",
    { class: "pairs" },
    entries.map(([key, value]) => [el("dt", {}, key), el("dd", {}, value)]),
  );

function script(text) {
  const code = el("pre", { tabindex: "0", "aria-label": "Python source" }, el("code", {}, text));
  const said = el("span", { class: "soft", role: "status", "aria-live": "polite" });
  const select = () => {
    getSelection().selectAllChildren(code);
    return document.execCommand("copy");
  };
  async function copy() {
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      done = select();
    }
    said.textContent = done ? " Copied." : " Selected: copy it with the keyboard.";
  }
  return [
    lead("It makes the first difference again, on the layer alone."),
    el("p", {}, el("button", { type: "button", class: "quiet", id: "copy", onclick: copy }, "Copy the script"), said),
    code,
  ];
}

MAIN.replaceChildren(verdict());
if (DATA.first) MAIN.append(firstDifference(DATA.first));
