/* The verdict at the top, and the first difference. */
function verdict() {
  const total = num(DATA.seconds.total);
  return el(
    "div",
    { class: "verdict", id: "verdict" },
    el("span", { class: `sign v-${kind(DATA.verdict)}`, "aria-hidden": "true" }, mark(DATA.verdict)),
    el(
      "div",
      {},
      el("p", { class: "name" }, DATA.name),
      el("h1", { class: `v-${kind(DATA.verdict)}` }, DATA.verdict[0].toUpperCase() + DATA.verdict.slice(1)),
      el("p", { class: "answer" }, DATA.answer),
    ),
    el(
      "p",
      { class: "facts" },
      [DATA.summary, known(total) ? `${total.toFixed(1)} s` : "", `exit code ${DATA.exit_code}`]
        .filter(Boolean)
        .join(" · "),
    ),
  );
}
function firstDifference(first) {
  const value = (side) => (side in first.values ? el("p", { class: "value" }, exact(num(first.values[side]))) : null);
  const name = (text) => el("p", {}, mono(layerName(text), "no layer of its own"));
  const line = (side) => (first.lines[side] ? el("p", {}, mono(first.lines[side])) : null);
  const apart = Math.abs(num(first.values.flax) - num(first.values.torch));
  const find = first.layer_torch || first.layer_flax;
  const hit = LAYERS.find(
    (r) => r.torch === first.layer_torch && r.flax === first.layer_flax && r.verdict === "different",
  );
  return el(
    "section",
    { class: "first", "aria-labelledby": "first-title" },
    el(
      "h2",
      { id: "first-title" },
      `First difference, on the rung “${first.rung}”${first.mode ? `, in ${first.mode}` : ""}`,
    ),
    el("p", { class: "what" }, first.text),
    el(
      "div",
      { class: "sides" },
      el("div", {}, el("h3", {}, "Flax"), name(first.layer_flax), line("flax"), value("flax")),
      el("div", {}, el("h3", {}, "PyTorch"), name(first.layer_torch), line("torch"), value("torch")),
      Number.isNaN(apart)
        ? null
        : el(
            "div",
            {},
            el("h3", {}, "Worst element"),
            el("p", { class: "mono" }, first.index.length ? at(first.index) : "the only one"),
            el("p", { class: "value" }, `${short(apart)} apart`),
          ),
    ),
    first.cause || first.mend || first.suspected.length
      ? el(
          "dl",
          { class: "mend" },
          first.cause ? [el("dt", {}, "Cause"), el("dd", {}, first.cause)] : null,
          first.proof ? [el("dt", {}, "Proof"), el("dd", {}, first.proof)] : null,
          first.mend ? [el("dt", {}, "Mend"), el("dd", {}, first.mend)] : null,
          first.suspected.length
            ? [el("dt", {}, "Suspected, not proven"), el("dd", {}, first.suspected.join("; "))]
            : null,
        )
      : null,
    first.further.length ? then(first.further) : null,
    first.rest ? el("p", { class: "what" }, `${first.rest[0].toUpperCase()}${first.rest.slice(1)}.`) : null,
    hit
      ? el(
          "p",
          {},
          el(
            "button",
            {
              type: "button",
              class: "quiet",
              onclick: () => {
                TABLE.find(find);
                location.hash = "#layers";
              },
            },
            "Show it among the layers",
          ),
        )
      : null,
  );
}
/* What else differs once the first cause is undone, counted from 2. */
function then(further) {
  const part = (title, text) => (text ? [el("dt", {}, title), el("dd", {}, text)] : null);
  const lines = (each) =>
    Object.entries(each.lines)
      .map(([side, place]) => `${side === "flax" ? "Flax" : "PyTorch"} ${place}`)
      .join(", ");
  return el(
    "ol",
    { start: 2, class: "then" },
    ...further.map((each) =>
      el(
        "li",
        {},
        el("p", {}, each.text),
        el(
          "dl",
          { class: "mend" },
          part("Cause", each.cause),
          part("Proof", each.proof),
          part("Mend", each.mend),
          part("Lines", lines(each)),
        ),
      ),
    ),
  );
}
