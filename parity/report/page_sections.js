/* The sections of the page, in order. */
section(
  "ladder",
  "The ladder",
  "Ladder",
  lead("Each rung rests on those before it; the first that fails is the one to look at."),
  el("ol", { class: "ladder" }, RUNGS.map(rungItem)),
);
section("conventions", "Recognised conventions", "Conventions", conventions());
section(
  "layers",
  "Layers",
  null,
  ROWS.length
    ? [
        lead(
          `Every pair of calls, in order. A gap counts in units of the rounding that float64 should have, told from both float32 errors; up to ${whole(DATA.margin)} it is rounding, beyond it the formulas differ. A row opens.`,
        ),
        TABLE.nodes,
      ]
    : [lead("No pair of calls was compared.")],
);
folded("plots", "Gradients, state and trajectories", "Plots", plots());
folded("weights", "Weight map", "Weights", DATA.weights.length ? weights() : null);
folded(
  "settings",
  "Settings that differ",
  "Settings",
  DATA.lints.length ? [lead("What the layers declare, before any number is computed."), lints()] : null,
);
folded("coverage", "Coverage", null, coverage());
folded(
  "notes",
  "Probes and notes",
  "Notes",
  DATA.notes.length
    ? el(
        "ul",
        { class: "notes" },
        DATA.notes.map((note) => el("li", {}, note)),
      )
    : null,
);
folded("script", "Script that reproduces the first difference", "Script", DATA.script ? script(DATA.script) : null);
folded(
  "environment",
  "Environment and timing",
  "Environment",
  el(
    "div",
    { class: "columns" },
    Object.keys(DATA.facts).length
      ? el(
          "div",
          {},
          el("h3", {}, "Seed, device and inputs"),
          pairs(Object.entries(DATA.facts).map(([k, v]) => [k, mono(v)])),
        )
      : null,
    el(
      "div",
      {},
      el("h3", {}, "Versions"),
      pairs(Object.entries(DATA.environment).map(([k, v]) => [k, mono(String(v))])),
    ),
    el(
      "div",
      {},
      el("h3", {}, "Seconds"),
      pairs(Object.entries(DATA.seconds).map(([k, v]) => [k, number(num(v), (s) => s.toFixed(2))])),
    ),
  ),
);
unfold();
document.documentElement.dataset.ready = "true";
