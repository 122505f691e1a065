/* Tables of any length: sorted by their heads, rows made as they scroll into view, rows that open. */

const FIRST = 40,
  STEP = 120;
let made = 0;

/* columns: label, cell(row), and perhaps by(row) to sort by, down (largest first), minor (left out on phones), head (names
   the row), kind (a class).
   detail(row): what a row opens, null for none. Gives { node, show(rows), columns, sortBy }. */
function lazyTable({ label, columns, rows, detail, short: isShort }) {
  const id = `table-${++made}`,
    body = el("tbody", { role: "rowgroup" });
  const heads = columns.map((column, place) =>
    el(
      "th",
      { scope: "col", role: "columnheader" },
      column.by ? el("button", { type: "button", onclick: () => sortBy(place) }, column.label) : column.label,
    ),
  );
  const table = el(
    "table",
    { class: "stack", role: "table", "aria-label": label },
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, heads)),
    body,
  );
  const rest = el("button", { type: "button", class: "more", onclick: () => more(STEP) });
  const none = el("p", { class: "none" }, "No rows.");
  const box = el(
    "div",
    { class: `scroll${isShort ? " short" : ""}`, tabindex: "0", role: "region", "aria-label": `${label}, scrollable` },
    table,
    none,
    rest,
  );
  let given = rows,
    shown = [],
    done = 0,
    order = null;

  const eye = new IntersectionObserver(
    (seen) => {
      if (seen.some((s) => s.isIntersecting)) more(STEP);
    },
    { root: box, rootMargin: "400px" },
  );
  function watch() {
    eye.unobserve(rest);
    if (done < shown.length) eye.observe(rest);
  }
  function more(count) {
    const part = document.createDocumentFragment(),
      end = Math.min(done + count, shown.length);
    for (; done < end; done++) part.append(rowOf(shown[done], done));
    body.append(part);
    rest.hidden = done >= shown.length;
    rest.textContent = `Show more (${whole(shown.length - done)} left)`;
    watch();
  }
  function rowOf(row, place) {
    const tr = el("tr", { role: "row", "aria-rowindex": place + 2 });
    const inside = detail ? detail(row) : null;
    for (const column of columns) {
      const filling = column.cell(row);
      if (column.head)
        tr.append(
          el(
            "th",
            { scope: "row", role: "rowheader", class: "name" },
            inside ? opener(tr, filling, inside, `${id}-${place}`) : filling,
          ),
        );
      else
        tr.append(
          el(
            "td",
            {
              role: "cell",
              "data-label": column.label,
              class: [column.minor && "minor", column.kind].filter(Boolean).join(" ") || null,
            },
            filling,
          ),
        );
    }
    return tr;
  }
  function opener(tr, name, inside, inner) {
    const button = el(
      "button",
      { type: "button", class: "open", "aria-expanded": "false", "aria-controls": inner },
      name,
    );
    const toggle = () => {
      const opens = button.getAttribute("aria-expanded") === "false";
      button.setAttribute("aria-expanded", String(opens));
      if (!opens) tr.nextSibling.remove();
      else
        tr.after(
          el(
            "tr",
            { id: inner, class: "inner", role: "row" },
            el("td", { colspan: columns.length, role: "cell" }, inside()),
          ),
        );
    };
    tr.className = "opens";
    tr.addEventListener("click", (event) => {
      if (
        event.target.closest("button") === button ||
        (!event.target.closest("button, a") && getSelection().isCollapsed)
      )
        toggle();
    });
    return button;
  }
  /* Up and down go from row to row. */
  body.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !event.target.matches(".open")) return;
    const buttons = [...body.querySelectorAll(".open")],
      next = buttons[buttons.indexOf(event.target) + step];
    if (next) {
      event.preventDefault();
      next.focus();
    }
  });
  function sorted() {
    if (!order) return given;
    const by = columns[order.place].by,
      sign = order.down ? -1 : 1;
    const keys = new Map(given.map((row) => [row, by(row)]));
    const last = (key) => !known(key) || key === "";
    return [...given].sort((a, b) => {
      const [x, y] = [keys.get(a), keys.get(b)];
      if (last(x) || last(y)) return last(x) - last(y);
      return sign * (typeof x === "string" ? x.localeCompare(y, "en", { numeric: true }) : x - y || 0);
    });
  }
  function sortBy(place) {
    order = { place, down: order && order.place === place ? !order.down : Boolean(columns[place].down) };
    heads.forEach((head, i) => {
      if (i === place) head.setAttribute("aria-sort", order.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    show(given);
  }
  function show(rows) {
    box.scrollTop = 0; /* before the rows change: afterwards it would have the page laid out */
    given = rows;
    shown = sorted();
    done = 0;
    body.replaceChildren();
    none.hidden = shown.length > 0;
    table.hidden = shown.length === 0;
    table.setAttribute("aria-rowcount", shown.length + 1);
    more(FIRST);
  }
  addEventListener("beforeprint", () => {
    if (box.isConnected) more(Infinity);
  });
  show(rows);
  return { node: box, show, columns, sortBy };
}

/* A table with a search box, and other filters; `text` is what is searched. */
function searched(settings, { noun, text, filters = [], extra = [] }) {
  const table = lazyTable(settings),
    count = el("p", { class: "count", role: "status", "aria-live": "polite" });
  const box = el("input", {
    type: "search",
    placeholder: `Search ${noun}`,
    "aria-label": `Search ${noun}`,
    autocomplete: "off",
    spellcheck: "false",
    oninput: apply,
  });
  function apply() {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    const kept = settings.rows.filter(
      (row) => filters.every((keep) => keep(row)) && words.every((word) => text(row).includes(word)),
    );
    table.show(kept);
    count.textContent = `${whole(kept.length)} of ${whole(settings.rows.length)} ${noun}`;
  }
  const choose = el(
    "select",
    { "aria-label": `Sort ${noun} by`, onchange: () => table.sortBy(Number(choose.value)) },
    settings.columns.map((column, place) =>
      column.by ? el("option", { value: place }, `Sort by ${column.label}`) : null,
    ),
  );
  apply();
  const tools = el("div", { class: "tools", role: "search", "aria-label": `Search and order ${noun}` }, box, extra, el("label", { class: "only-phone" }, choose));
  return {
    nodes: [tools, count, table.node],
    apply,
    find: (words) => {
      box.value = words;
      apply();
    },
  };
}

/* Findings that are no layer's. */
const FINDING_COLUMNS = [
  { label: "Of", head: true, cell: (f) => mono(f.name || "network"), by: (f) => f.name },
  { label: "Quantity", cell: (f) => f.quantity + (f.mode ? `, ${f.mode}` : ""), by: (f) => f.quantity + f.mode },
  { label: "Verdict", cell: (f) => badge(f.verdict), by: (f) => DATA.verdicts.indexOf(f.verdict), down: true },
  {
    label: "× expected rounding",
    cell: (f) =>
      el("span", { class: `v-${kind(f.verdict)}` }, el("span", { class: "num" }, times(f.share)), shareBar(f.share)),
    by: (f) => f.share,
    down: true,
  },
  { label: "Gap", cell: (f) => el("span", { class: "num" }, short(f.gap)), by: (f) => f.gap, down: true },
  { label: "In words", kind: "words", cell: (f) => worst(f) },
];
function worst(f) {
  const where = f.values ? `worst at ${at(f.index)}: Flax ${exact(f.values[0])}, PyTorch ${exact(f.values[1])}` : "";
  return [f.reason, where].filter(Boolean).join("; ");
}
const findingsTable = (label, rows) => lazyTable({ label, rows, columns: FINDING_COLUMNS, short: true }).node;
