/** The chart, by Vega-Lite: what it is asked to draw is made here from the state. */

const SHAPES = { o: "circle", s: "square", D: "diamond", "^": "triangle-up", v: "triangle-down", P: "cross", X: "cross" };
const COLORS = ["#1f77b4", "#d65f00", "#2a8f3c", "#b3245e", "#7a4fc4", "#7a5a33", "#c2559d", "#5f6b76", "#8a8a00", "#00879b"];
/** How the ticks of an axis are written, by the format of its column. */
const TICKS = Object.fromEntries(Object.keys(FORMATS).map(format =>
  [format, number => written({ format }, number).replace(".0e", "e")]));
const MOST_SVG = 1500;
/** More points than this are painted on a canvas: an element each would be slow. */

/** The series of the chart with its colour and, where one backend has it, its marker. */
function seriesOf(records, name, { columns, colors, markers }) {
  const column = columns.get(name);
  const values = valuesOf(records, name);
  const ramp = index => `hsl(${Math.round(250 - (210 * index) / Math.max(values.length - 1, 1))} 70% 40%)`;
  return values.map((value, index) => {
    const backends = valuesOf(records.filter(record => record[name] === value), "backend");
    return {
      value: written(column, value),
      color: colors[name]?.[value] ?? (column.numeric ? ramp(index) : COLORS[index % COLORS.length]),
      shape: backends.length === 1 ? SHAPES[markers[backends[0]]] ?? "circle" : "circle",
    };
  });
}

/** The columns, besides x, by which records of one series differ on purpose: a line joins those that agree in them. */
function lineOf(columns, x) {
  const apart = [...columns.values()].filter(column => column.varies && column.name !== x);
  return record => JSON.stringify(apart.map(column => record[column.name]));
}

/** What the chart draws: a point a record that has x and y, and how many records have none. */
function pointsOf(records, state, columns) {
  const [x, y] = [columns.get(state.x), columns.get(state.y)];
  const [color, facet] = [columns.get(state.color), columns.get(state.facet)];
  const line = lineOf(columns, state.x);
  const usable = (column, value, log) =>
    value !== null && (!column.numeric || (Number.isFinite(value) && (!log || value > 0)));
  const missing = { x: 0, y: 0, log: 0 };
  const points = [];
  for (const record of records) {
    const [a, b] = [record[state.x], record[state.y]];
    if (b === null || b === Infinity) missing.y += 1;
    else if (a === null || a === Infinity) missing.x += 1;
    else if (!usable(x, a, state.logx) || !usable(y, b, state.logy)) missing.log += 1;
    else {
      points.push({
        row: record.row,
        x: a,
        y: b,
        low: y.low && record[y.low] > 0 ? record[y.low] : b,
        high: y.high && Number.isFinite(record[y.high]) ? record[y.high] ?? b : b,
        series: written(color, record[state.color]),
        facet: facet ? `${facet.label} ${written(facet, record[state.facet])}` : "",
        line: line(record),
        hollow: Boolean(y.resolved) && record[y.resolved] === "no",
      });
    }
  }
  return { points, missing };
}

/** Round values for the ticks of an axis: the sizes themselves where they are few, else powers of two or ten. */
function ticksOf(column, values, log) {
  const own = [...new Set(values)].sort((a, b) => a - b);
  if (column.kind === "axis" && own.length <= 8) return own;
  if (!log || !own.length) return undefined;
  const base = column.format === "bytes" || column.kind === "axis" ? 2 : 10;
  const [low, high] = [own[0], own.at(-1)].map(value => Math.log(value) / Math.log(base));
  const stride = Math.max(1, Math.ceil((Math.floor(high) - Math.ceil(low)) / 6));
  const first = Math.ceil(Math.ceil(low) / stride) * stride;
  const ticks = [];
  for (let power = first; power <= high; power += stride) ticks.push(base ** power);
  if (ticks.length >= 2 || base === 2) return ticks.length >= 2 ? ticks : undefined;
  const between = [];
  for (let power = Math.floor(low); power <= high; power += 1) {
    for (const factor of [1, 2, 3, 5]) between.push(factor * 10 ** power);
  }
  return between.filter(value => value >= own[0] && value <= own.at(-1));
}

/** The channel of an axis. */
function channel(name, column, points, log, records) {
  const title = axisTitle(column);
  if (!column.numeric) {
    return {
      field: name, type: "nominal", sort: valuesOf(records, column.name), title,
      axis: { labelAngle: name === "x" ? -35 : 0, labelLimit: 170, grid: true },
    };
  }
  const values = ticksOf(column, points.map(point => point[name]), log);
  return {
    field: name, type: "quantitative", title,
    scale: { type: log ? "log" : "linear", ...(log ? {} : { zero: false }), nice: false, padding: 14 },
    axis: { formatType: column.format, values, labelOverlap: "greedy", tickCount: 6 },
  };
}

/** What Vega-Lite is asked to draw in so many pixels of width. The page has a legend of its own; a file needs one. */
function specOf(state, points, series, { columns, records }, width, legend = null) {
  const [x, y] = [columns.get(state.x), columns.get(state.y)];
  const facets = [...new Set(points.map(point => point.facet))].sort(compare);
  const across = state.facet ? Math.max(1, Math.min(facets.length, Math.floor(width / 300))) : 1;
  const wide = Math.max(180, Math.floor((width - 90) / across - (across > 1 ? 24 : 0)));
  const domain = series.map(found => found.value);
  const color = { field: "series", type: "nominal", legend, scale: { domain, range: series.map(s => s.color) } };
  const shape = { field: "series", type: "nominal", legend, scale: { domain, range: series.map(s => s.shape) } };
  const isolated = "length(only) == 0 || indexof(only, datum.series) >= 0";
  const opacity = (strong, weak) => ({ condition: { test: isolated, value: strong }, value: weak });
  const at = {
    x: channel("x", x, points, state.logx, records),
    y: channel("y", y, points, state.logy, records),
  };
  const layer = [];
  if (x.kind === "axis" && x.numeric) {
    layer.push({
      mark: { type: "line", strokeWidth: 1.5, tooltip: null, aria: false },
      encoding: { ...at, color, detail: [{ field: "line" }], opacity: opacity(0.9, 0.08) },
    });
  }
  if (y.low) {
    layer.push({
      mark: { type: "rule", strokeWidth: 1.5, tooltip: null, aria: false },
      encoding: { x: at.x, y: { ...at.y, field: "low" }, y2: { field: "high" }, color, opacity: opacity(0.5, 0.05) },
    });
  }
  layer.push({
    mark: { type: "point", size: 55, strokeWidth: 1.5, cursor: "pointer", tooltip: { content: "data" } },
    encoding: {
      ...at, shape, stroke: color,
      fill: { condition: { test: "datum.hollow", value: "white" }, ...color },
      opacity: opacity(1, 0.1),
      description: { field: "name", type: "nominal" },
    },
  });
  const unit = { width: wide, height: Math.round(Math.min(380, Math.max(240, wide * 0.62))), layer };
  const whole = state.facet
    ? { facet: { field: "facet", type: "nominal", title: null, sort: facets }, columns: across, spec: unit }
    : unit;
  return {
    data: { values: points },
    params: [{ name: "only", value: state.only }],
    ...whole,
    config: {
      background: "transparent",
      customFormatTypes: true,
      font: "system-ui, sans-serif",
      view: { stroke: "#c9ced6" },
      axis: { gridColor: "#dcdfe4", domainColor: "#8a93a0", tickColor: "#8a93a0", labelColor: "#333a44",
        titleColor: "#1b1f24", labelFontSize: 11, titleFontSize: 12, titleFontWeight: 600 },
      header: { labelFontSize: 12, labelFontWeight: 600, labelColor: "#1b1f24" },
    },
  };
}

class Chart {
  constructor(nodes, content, isolate) {
    this.nodes = nodes;
    this.content = content;
    this.isolate = isolate;
    this.turn = 0;
  }

  /** Draw these records. */
  async show(state, records) {
    const { columns } = this.content;
    const turn = ++this.turn;
    const { points, missing } = pointsOf(records, state, columns);
    this.nodes.note.textContent = this.note(points, missing, records, state);
    this.nodes.canvas.dataset.points = points.length;
    if (!points.length) return this.clear();
    const drawn = new Set(points.map(point => point.series));
    const series = seriesOf(this.content.records.filter(record => record[state.y] !== null), state.color, this.content)
      .filter(found => drawn.has(found.value));
    for (const point of points) point.name = this.name(this.content.records[point.row], state);
    const asked = [state, points, series, this.content, this.nodes.chart.clientWidth];
    const spec = specOf(...asked);
    spec.description = this.summary(state, points);
    const { view, finalize } = await window.vegaEmbed(this.nodes.canvas, spec, {
      actions: false, ast: true, renderer: points.length > MOST_SVG ? "canvas" : "svg", expressionFunctions: TICKS,
      tooltip: (handler, event, item, value) => this.hover(event, value === null || value === "" ? null : item.datum, state),
    });
    if (turn !== this.turn) return finalize();
    this.finalize?.();
    this.finalize = finalize;
    this.view = view;
    this.asked = asked;
    view.addEventListener("click", (event, item) => {
      if (item?.datum?.series !== undefined && item.mark.marktype === "symbol") this.isolate(item.datum.series);
    });
    this.legend(series, state);
  }

  /** Nothing to draw. */
  clear() {
    this.finalize?.();
    this.finalize = this.view = undefined;
    this.nodes.legend.replaceChildren();
    this.nodes.canvas.replaceChildren(element("p", { class: "hint" }, "No record here has a point."));
  }

  /** Let only these series stand out. */
  highlight(state) {
    this.view?.signal("only", state.only).runAsync();
    for (const button of this.nodes.legend.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(state.only.includes(button.dataset.series)));
    }
    this.nodes.legend.classList.toggle("isolated", state.only.length > 0);
  }

  legend(series, state) {
    const title = this.content.columns.get(state.color).label;
    this.nodes.legend.setAttribute("aria-label", `Series by ${title}: press one to isolate it`);
    this.nodes.legend.replaceChildren(...series.map(({ value, color, shape }) => {
      const button = element("button", { type: "button", "data-series": value }, swatch(color, shape), value);
      button.addEventListener("click", event => this.isolate(value, event.shiftKey));
      return element("li", {}, button);
    }));
    this.highlight(state);
  }

  /** What a record is called: its method and the axes in which the records differ. */
  name(record, state) {
    const { columns } = this.content;
    const apart = [...columns.values()].filter(column => column.varies && column.name !== "method");
    const words = apart.filter(column => record[column.name] !== null)
      .map(column => (column.numeric ? `${column.label} ${written(column, record[column.name])}` : record[column.name]));
    const y = columns.get(state.y);
    return `${record.method}, ${[...words, `${y.label} ${written(y, record[state.y])}`].join(", ")}`;
  }

  hover(event, datum, state) {
    const card = this.nodes.card;
    card.hidden = !datum;
    if (!datum) return;
    const record = this.content.records[datum.row];
    const { columns } = this.content;
    const line = (column, extra = "") =>
      element("tr", {}, element("th", {}, column.label), element("td", {}, written(column, record[column.name]) + extra));
    const y = columns.get(state.y);
    const interval = y.low && record[y.low] !== null
      ? ` (95% interval ${written(y, record[y.low])} to ${written(y, record[y.high])})` : "";
    const unresolved = datum.hollow ? ", not resolved by the reference" : "";
    const apart = [...columns.values()].filter(column => column.varies && column.name !== "method" && column.name !== y.name);
    const x = columns.get(state.x);
    card.replaceChildren(
      element("strong", {}, record.method),
      element("table", {}, element("tbody", {},
        line(y, interval + unresolved),
        ...(apart.includes(x) || x.name === "method" || x === y ? [] : [line(x)]),
        ...apart.filter(column => record[column.name] !== null).map(column => line(column)),
        line(columns.get("case")))),
    );
    const box = this.nodes.chart.getBoundingClientRect();
    const left = event.clientX - box.left + this.nodes.chart.scrollLeft;
    const beside = left + 16 + card.offsetWidth > box.width ? left - card.offsetWidth - 12 : left + 16;
    card.style.left = `${Math.max(0, beside)}px`;
    card.style.top = `${event.clientY - box.top + 12}px`;
  }

  summary(state, points) {
    const { columns } = this.content;
    const [x, y, color] = [columns.get(state.x), columns.get(state.y), columns.get(state.color)];
    const facet = state.facet ? `, a panel for each ${columns.get(state.facet).label}` : "";
    const log = (column, used) => `${axisTitle(column)}${column.numeric && used ? ", logarithmic" : ""}`;
    return `Chart of ${points.length} records: ${log(y, state.logy)} against ${log(x, state.logx)}, ` +
      `coloured by ${color.label}${facet}. The table below has the same records.`;
  }

  note(points, missing, records, state) {
    const { columns } = this.content;
    const left = [
      missing.y && `${missing.y} have no ${columns.get(state.y).label}`,
      missing.x && `${missing.x} have no ${columns.get(state.x).label}`,
      missing.log && `${missing.log} are zero or negative and have no place on a logarithmic axis`,
    ].filter(Boolean);
    return `${points.length} of ${records.length} records have a point${left.length ? `; ${left.join(", ")}` : ""}.`;
  }

  /** Download the picture. */
  async picture(name, kind) {
    if (!this.view) return;
    const [state] = this.asked;
    const spec = specOf(...this.asked, { title: this.content.columns.get(state.color).label, symbolOpacity: 1, symbolStrokeWidth: 0 });
    spec.params = [{ name: "only", value: this.view.signal("only") }];
    const { view, finalize } = await window.vegaEmbed(element("div"), spec, {
      actions: false, ast: true, renderer: "svg", expressionFunctions: TICKS,
    });
    const svg = await view.toSVG();
    finalize();
    if (kind === "svg") return download(`${name}.svg`, svg, "image/svg+xml");
    const [, width, height] = /width="([\d.]+)" height="([\d.]+)"/.exec(svg);
    download(`${name}.png`, await png(svg, Math.ceil(width), Math.ceil(height)));
  }
}

/** A marker of the legend. */
function swatch(color, shape) {
  const paths = {
    circle: "M8 3a5 5 0 1 0 .01 0z", square: "M3.5 3.5h9v9h-9z", diamond: "M8 2l6 6-6 6-6-6z",
    "triangle-up": "M8 2.5l6 10.5H2z", "triangle-down": "M8 13.5L2 3h12z", cross: "M6 2h4v4h4v4h-4v4H6v-4H2V6h4z",
  };
  const make = (name, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const svg = make("svg", { viewBox: "0 0 16 16", "aria-hidden": "true", class: "swatch" });
  svg.append(make("path", { d: paths[shape], fill: color }));
  return svg;
}
