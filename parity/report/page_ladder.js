/* The rungs of the ladder, and the plots of their findings. */
function rungItem(rung) {
  const ran = rung.verdict !== undefined;
  return el(
    "li",
    { class: ran ? null : "soft" },
    el("span", { class: "place" }, String(rung.number)),
    el("span", { class: "rung" }, rung.name),
    ran ? badge(rung.verdict) : badge("", "not run"),
    el(
      "div",
      { class: "say" },
      rung.sentence,
      (rung.accepted || []).map((name) => el("span", {}, " ", el("span", { class: "tag" }, `accepted: ${name}`))),
    ),
    rung.findings.length
      ? later(findingsSummary(rung), () => findingsTable(`Findings of rung ${rung.number}`, rung.findings))
      : null,
  );
}
function findingsSummary(rung) {
  const others = rung.of - rung.findings.length;
  return `${whole(rung.findings.length)} ${rung.findings.length === 1 ? "finding" : "findings"}${others ? ` besides the ${whole(others)} of layers` : ""}`;
}

function plots() {
  const place = new Map();
  const pointsOf = (rows, share) =>
    rows.map((row) => {
      const found = share(row),
        order = place.get(row.mode) || 0;
      place.set(row.mode, order + 1);
      return {
        place: order,
        label: row.torch || row.name || row.flax || "network",
        mode: row.mode,
        verdict: found.verdict,
        share: found.share,
      };
    });
  const picked = (number, quantity) =>
    RUNGS.filter((r) => r.number === number)
      .flatMap((r) => r.findings)
      .filter((f) => f.quantity === quantity);
  const nodes = [];
  const add = (title, noun, rows, share = (row) => row, table = true) => {
    if (rows.length === 0) return;
    place.clear();
    const numbers = table ? later("The numbers", () => findingsTable(title, rows)) : null;
    nodes.push(el("div", {}, sharePlot(title, noun, pointsOf(rows, share)), numbers));
  };
  add("Outputs of the layers", "layers", LAYERS, (row) => row.finding, false);
  add(
    "Gradients of the layers' outputs",
    "layers",
    LAYERS.filter((r) => r.gradient),
    (row) => row.gradient,
    false,
  );
  add("Gradients of the parameters", "parameters", picked(3, "gradient"));
  add("State: buffers after training steps", "buffers", picked(4, "buffer"));
  add("Optimizers: parameters after every step", "arrays", picked(5, "optimizer"));
  const losses = lossPlot(DATA.losses);
  if (losses) nodes.push(losses);
  return nodes.length ? el("div", { class: "plots" }, nodes) : null;
}
