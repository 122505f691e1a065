/* Plots, drawn at the width that there is: shares of the expected rounding on a log scale, and losses. */

const LEFT = 58,
  RIGHT = 14,
  TOP = 16,
  BOTTOM = 30,
  HEIGHT = 250;
const SHAPES = {
  same: (x, y) => `M${x - 3} ${y}a3 3 0 1 0 6 0a3 3 0 1 0 -6 0`,
  less: (x, y) => `M${x} ${y - 4}l4 4l-4 4l-4 -4z`,
  unsure: (x, y) => `M${x - 3} ${y - 3}h6v6h-6z`,
  bad: (x, y) => `M${x} ${y - 5}l4.6 8h-9.2z`,
};

/* Draws again when the width changes. */
function drawn(figure, label, draw) {
  const picture = svg("svg", { role: "img", "aria-label": label, height: HEIGHT });
  let width = 0;
  new ResizeObserver(() => {
    const now = Math.floor(picture.clientWidth);
    if (now === width || now < 50) return;
    width = now;
    picture.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    picture.replaceChildren(...draw(width).flat());
  }).observe(picture);
  figure.prepend(picture);
  return picture;
}

const power = (n) =>
  n === 0
    ? "1"
    : `10${String(n)
        .replace("-", "⁻")
        .replace(/\d/g, (d) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[d])}`;

/* points: place (from 0), label, mode, verdict, share. */
function sharePlot(title, noun, points) {
  const shares = points.map((p) => p.share).filter((s) => Number.isFinite(s) && s > 0);
  const low = Math.floor(
    Math.log10(Math.min(0.1, ...(shares.length ? [shares.reduce((a, b) => Math.min(a, b))] : []))),
  );
  const high =
    Math.ceil(
      Math.log10(Math.max(DATA.margin * 8, ...(shares.length ? [shares.reduce((a, b) => Math.max(a, b))] : []))),
    ) + 0.3;
  const last = points.reduce((most, p) => Math.max(most, p.place), 0);
  const over = points.filter((p) => !(p.share <= DATA.margin));
  const largest = points.reduce((a, b) => (b.share > a.share ? b : a));
  const label = `${title}: ${whole(points.length)} ${noun}, ${over.length ? whole(over.length) : "none"} above the limit of ${whole(DATA.margin)}; the largest is ${times(largest.share)}, ${largest.label}`;
  const readout = el("span", { class: "readout", "aria-hidden": "true" });
  const figure = el("figure", {}, el("figcaption", {}, readout, ...keys(points)));
  const x = (p, width) =>
    Math.round(10 * (LEFT + 8 + (p.place * (width - LEFT - RIGHT - 16)) / Math.max(last, 1))) / 10;
  const height = (share) => {
    const power = share === 0 ? low : Math.min(Math.max(Math.log10(share), low), high);
    return Math.round(10 * (TOP + ((HEIGHT - TOP - BOTTOM) * (high - power)) / (high - low))) / 10;
  };
  const y = (p) => height(known(p.share) ? p.share : Infinity);
  const cursor = svg("circle", { class: "cursor", r: 8, cx: -99, cy: -99 });
  const picture = drawn(figure, label, (width) => [
    axis(width, low, high, height),
    marks(points, (p) => x(p, width), y),
    cursor,
    svg("text", { x: width - RIGHT, y: HEIGHT - 9, "text-anchor": "end" }, `${noun} in order →`),
  ]);
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect(),
      [px, py] = [event.clientX - box.left, event.clientY - box.top];
    const far = (p) => (x(p, box.width) - px) ** 2 + (y(p) - py) ** 2;
    const near = points.reduce((a, b) => (far(b) < far(a) ? b : a));
    cursor.setAttribute("cx", x(near, box.width));
    cursor.setAttribute("cy", y(near));
    readout.textContent = `${near.label}${near.mode ? `, ${near.mode}` : ""}: ${times(near.share)} × expected rounding, ${near.verdict}`;
  });
  readout.textContent = `Largest: ${largest.label}${largest.mode ? `, ${largest.mode}` : ""}, ${times(largest.share)} × expected rounding`;
  return [el("h3", {}, title), figure];
}

function axis(width, low, high, height) {
  const step = Math.max(1, Math.ceil((high - low) / 8)),
    lines = [];
  for (let n = Math.ceil(low / step) * step; n <= high; n += step) {
    const y = height(10 ** n);
    lines.push(svg("line", { class: "grid-line", x1: LEFT, x2: width - RIGHT, y1: y, y2: y }));
    if (Math.abs(n - Math.log10(DATA.margin)) > 0.4)
      lines.push(svg("text", { x: LEFT - 8, y: y + 4, "text-anchor": "end" }, power(n)));
  }
  const y = height(DATA.margin);
  lines.push(svg("line", { class: "limit", x1: LEFT, x2: width - RIGHT, y1: y, y2: y }));
  lines.push(svg("text", { class: "limit-text", x: LEFT - 8, y: y + 4, "text-anchor": "end" }, whole(DATA.margin)));
  lines.push(svg("text", { class: "limit-text", x: width - RIGHT, y: y - 6, "text-anchor": "end" }, "limit"));
  return lines;
}

/* One path a verdict and mode: two thousand points cost no more than eight elements. */
function marks(points, x, y) {
  const groups = new Map();
  for (const p of points) {
    const key = `v-${kind(p.verdict)} dots ${p.mode === "training" ? "hollow" : "filled"}`;
    groups.set(key, (groups.get(key) || "") + (SHAPES[kind(p.verdict)] || SHAPES.unsure)(x(p), y(p)));
  }
  return [...groups].map(([name, d]) => svg("path", { class: name, d }));
}

/* The legend: shapes by verdict, filling by mode, only those that are there. */
function keys(points) {
  const verdicts = DATA.verdicts.filter((v) => points.some((p) => p.verdict === v));
  const nodes = verdicts.map((v) => el("span", {}, { same: "●", less: "◆", unsure: "■", bad: "▲" }[kind(v)], ` ${v}`));
  nodes.forEach((node, i) => node.setAttribute("class", `v-${kind(verdicts[i])}`));
  if (points.some((p) => p.mode === "training")) nodes.push(el("span", {}, "filled: evaluation, hollow: training"));
  return nodes;
}

function lossPlot(losses) {
  const [flax, torch] = ["flax", "torch"].map((side) => (losses[side] || []).map(num));
  const all = [...flax, ...torch].filter(Number.isFinite);
  if (all.length === 0) return null;
  const steps = Math.max(flax.length, torch.length),
    [low, high] = [Math.min(...all), Math.max(...all)];
  const span = high - low || Math.abs(high) || 1;
  const y = (loss) => TOP + 8 + ((HEIGHT - TOP - BOTTOM - 16) * (high - loss)) / span;
  const figure = el(
    "figure",
    {},
    el("figcaption", {}, el("span", {}, "wide line: Flax"), el("span", {}, "dashed line: PyTorch")),
  );
  drawn(figure, `Loss over ${steps} training steps on both sides; the numbers are in the table below`, (width) => {
    const x = (step) => LEFT + 12 + (step * (width - LEFT - RIGHT - 24)) / Math.max(steps - 1, 1);
    const line = (values) =>
      values
        .map((v, i) => (Number.isFinite(v) ? `${i && Number.isFinite(values[i - 1]) ? "L" : "M"}${x(i)} ${y(v)}` : ""))
        .join("");
    const ticks = [low, (low + high) / 2, high].map((v) => [
      svg("line", { class: "grid-line", x1: LEFT, x2: width - RIGHT, y1: y(v), y2: y(v) }),
      svg("text", { x: LEFT - 8, y: y(v) + 4, "text-anchor": "end" }, String(+v.toPrecision(4)).replace("-", "−")),
    ]);
    return [
      ...ticks,
      svg("path", { class: "flax-line", d: line(flax) }),
      svg("path", { class: "torch-line", d: line(torch) }),
      svg("text", { x: width - RIGHT, y: HEIGHT - 9, "text-anchor": "end" }, `${steps} training steps →`),
    ];
  });
  const columns = [
    { label: "Step", head: true, cell: (r) => el("span", { class: "num" }, String(r.step)) },
    { label: "Flax", cell: (r) => el("span", { class: "num" }, exact(r.flax)) },
    { label: "PyTorch", cell: (r) => el("span", { class: "num" }, exact(r.torch)) },
    {
      label: "Relative gap",
      cell: (r) =>
        el(
          "span",
          { class: "num" },
          short(Math.abs(r.flax - r.torch) / Math.max(Math.abs(r.flax), Math.abs(r.torch), Number.MIN_VALUE)),
        ),
    },
  ];
  const rows = Array.from({ length: steps }, (_, i) => ({ step: i + 1, flax: flax[i], torch: torch[i] }));
  return el(
    "div",
    {},
    el("h3", {}, "Trajectory: the loss of both sides"),
    figure,
    el("p"),
    lazyTable({ label: "Losses", rows, columns, short: true }).node,
  );
}
