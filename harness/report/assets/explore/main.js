/** Put chart, table and controls together. The state decides what they show; a person changes the state. */

const MOST_TICKS = 60;
/** A column of more values is filtered in the table alone. */

async function explore(section) {
  const node = name => section.querySelector(`[data-part="${name}"]`);
  const content = decode(JSON.parse(await unpacked("explore-data")));
  const { columns, records } = content;
  const [{ default: DataTable }] = await Promise.all([unpackedModule("explore-datatables"), unpackedModule("explore-vega")]);
  const style = element("style");
  style.textContent = await unpacked("explore-style");
  document.head.prepend(style);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const setDark = () => document.documentElement.classList.toggle("dark", dark.matches);
  dark.addEventListener("change", setDark);
  setDark();

  const start = initial(content.view);
  let state = fromFragment(location.hash, start, columns);
  let accepts = () => true;

  // What can be chosen.
  const all = [...columns.values()];
  const axes = all.filter(column => column.kind === "axis" && column.varies);
  const kinds = all.filter(column => ["backend", "approach", "status"].includes(column.name));
  const measures = all.filter(column => column.measure);
  const others = all.filter(column => column.numeric && column.kind !== "axis" && column.kind !== "identity" && !column.measure);
  const used = names => names.map(name => columns.get(name)).filter(column => column && !axes.includes(column));
  const settings = [...axes, ...used([...new Set([start.x, start.color, start.facet])]).filter(c => c.kind === "axis")];
  const groups = [...settings, ...kinds.filter(column => column.name !== "status")];
  const selects = { x: node("x"), y: node("y"), color: node("color"), facet: node("facet") };
  offer(selects.y, [["Measured", measures], ["Also measured", others]]);
  offer(selects.x, [["Settings", groups], ["Measured", measures], ["Also measured", others]]);
  offer(selects.color, [["Settings", groups]]);
  offer(selects.facet, [["Settings", groups]], "one panel");

  const lists = new Map([...axes, ...kinds].flatMap(column => {
    const values = valuesOf(records, column.name).map(value => written(column, value));
    if (values.length < 2 || values.length > MOST_TICKS) return [];
    const given = ticked => {
      const kept = { ...state.kept };
      if (ticked.length === values.length) delete kept[column.name];
      else kept[column.name] = ticked;
      change({ kept });
    };
    return [[column.name, { values, ...tickList(column.label, values.map(value => [value, value]), given) }]];
  }));
  node("filters").replaceChildren(...[...lists.values()].map(({ list }) => list));
  const shownColumns = tickList("Columns", all.map(column => [column.name, column.heading]), names =>
    change({ columns: names.length ? names : ["method"] }));
  node("columns").replaceChildren(shownColumns.list);

  // What a search by words looks at: what a record shows, and what was asked of it.
  const asked = all.filter(column => column.kind === "axis" || kinds.includes(column)).map(column => column.name);
  let texts = new Map();
  const visible = record => {
    let text = texts.get(record.row);
    if (text === undefined) {
      text = [...new Set([...asked, ...state.columns])].map(name => written(columns.get(name), record[name])).join(" ").toLowerCase();
      texts.set(record.row, text);
    }
    return text;
  };

  const table = new RecordTable(DataTable, node("table"), content, record => accepts(record), {
    where: (name, text) => {
      const where = { ...state.where, [name]: text };
      if (!text) delete where[name];
      change({ where });
    },
    order: order => {
      if (!showing && order !== state.order) change({ order });
    },
  });
  const chart = new Chart(
    { chart: node("chart"), canvas: node("canvas"), card: node("card"), legend: node("legend"), note: node("note") },
    content,
    (value, further) => {
      const without = state.only.filter(other => other !== value);
      const isolated = state.only.includes(value);
      change({ only: further ? (isolated ? without : [...without, value]) : isolated && state.only.length === 1 ? [] : [value] });
    },
  );

  let showing = false;
  let drawn = "";
  /** Show the state everywhere. The chart is drawn anew only where it changes. */
  async function show() {
    showing = true;
    texts = new Map();
    accepts = filterOf(state, columns, visible);
    for (const [name, select] of Object.entries(selects)) {
      select.value = state[name];
    }
    for (const name of ["logx", "logy"]) {
      const box = node(name);
      box.checked = state[name];
      box.disabled = !columns.get(state[name.at(-1)]).numeric;
    }
    if (node("words").value !== state.words) node("words").value = state.words;
    for (const [name, { values, show: tick }] of lists) tick(state.kept[name] ?? values);
    shownColumns.show(state.columns);
    table.show(state);
    showing = false;
    const found = table.records();
    node("count").textContent = `${found.length} of ${records.length} records`;
    const { only, order, columns: listed, ...ofChart } = state;
    const key = JSON.stringify([ofChart, state.words && listed]);
    if (key === drawn) return chart.highlight(state);
    drawn = key;
    await chart.show(state, [...found].sort((a, b) => a.row - b.row));
    return chart.highlight(state);
  }

  function change(parts) {
    if (parts.color && parts.color !== state.color) parts.only = [];
    state = { ...state, ...parts };
    remember(toFragment(state, start));
    return show();
  }

  /** Logarithmic where all values are positive, as times, sizes and errors are. */
  const positive = name => columns.get(name).numeric && records.every(record => record[name] === null || record[name] > 0);
  selects.x.addEventListener("change", () => change({ x: selects.x.value, logx: positive(selects.x.value) }));
  selects.y.addEventListener("change", () => change({ y: selects.y.value, logy: positive(selects.y.value) }));
  for (const name of ["color", "facet"]) selects[name].addEventListener("change", () => change({ [name]: selects[name].value }));
  for (const name of ["logx", "logy"]) node(name).addEventListener("change", event => change({ [name]: event.target.checked }));
  node("words").addEventListener("input", event => change({ words: event.target.value }));
  node("reset").addEventListener("click", () => change(structuredClone(start)));
  const file = section.dataset.file;
  node("csv").addEventListener("click", () => download(`${file}.csv`, csv(columns, table.records()), "text/csv;charset=utf-8"));
  for (const kind of ["svg", "png"]) node(kind).addEventListener("click", () => chart.picture(`${file}-chart`, kind));
  addEventListener("hashchange", () => {
    if (!location.hash.startsWith("#explore")) return;
    state = fromFragment(location.hash, start, columns);
    show();
  });
  let width = node("chart").clientWidth;
  new ResizeObserver(() => {
    if (Math.abs(node("chart").clientWidth - width) < 8) return;
    width = node("chart").clientWidth;
    drawn = "";
    show();
  }).observe(node("chart"));

  await show();
  section.dataset.ready = "";
  if (location.hash.startsWith(PREFIX)) section.scrollIntoView();
}

/** Put the state into the address. The page stays where it is, and one step back leaves it. */
function remember(fragment) {
  history.replaceState(null, "", fragment);
}

{
  const section = document.getElementById("explore");
  const begin = () => explore(section).catch(error => {
    section.querySelector('[data-part="fault"]').hidden = false;
    throw error;
  });
  // After the first paint, so that the answer is on the screen before anything here is unpacked.
  (window.requestIdleCallback ?? setTimeout)(begin);
}
