/** What a person has chosen, kept in the address: a link opens the same view. */

const PREFIX = "#explore?";

/** The state at first: the view that the page proposes, nothing filtered. */
const initial = view => ({
  x: view.x, y: view.y, color: view.color, facet: view.facet, logx: view.logx, logy: view.logy,
  only: [], words: "", kept: {}, where: {}, order: "", columns: view.columns,
});

/** The address's fragment of a state: what differs from the initial one. */
function toFragment(state, start) {
  const query = new URLSearchParams();
  for (const name of ["x", "y", "color", "facet", "words", "order"]) {
    if (state[name] !== start[name]) query.set(name, state[name]);
  }
  for (const name of ["logx", "logy"]) if (state[name] !== start[name]) query.set(name, state[name] ? "1" : "0");
  for (const value of state.only) query.append("only", value);
  for (const [name, values] of Object.entries(state.kept)) {
    for (const value of values.length ? values : [""]) query.append(`keep.${name}`, value);
  }
  for (const [name, text] of Object.entries(state.where)) query.set(`where.${name}`, text);
  if (state.columns.join() !== start.columns.join()) query.set("columns", state.columns.join());
  const text = query.toString();
  return text ? PREFIX + text : "#explore";
}

/** The state of a fragment. What this page doesn't have, as after a link from another page, is left out. */
function fromFragment(fragment, start, columns) {
  const state = structuredClone(start);
  if (!fragment.startsWith(PREFIX)) return state;
  const query = new URLSearchParams(fragment.slice(PREFIX.length));
  for (const [key, value] of query) {
    const [kind, name] = key.split(/\.(.*)/s);
    if (["x", "y", "color"].includes(key) && columns.has(value)) state[key] = value;
    if (key === "y" && !columns.get(value)?.numeric) state.y = start.y;
    if (key === "facet" && (value === "" || columns.has(value))) state.facet = value;
    if (["logx", "logy"].includes(key)) state[key] = value === "1";
    if (key === "words") state.words = value;
    if (key === "order" && columns.has(value.replace(/^-/, ""))) state.order = value;
    if (key === "only") state.only.push(value);
    if (key === "columns") state.columns = value.split(",").filter(column => columns.has(column));
    if (kind === "keep" && columns.has(name)) (state.kept[name] ??= []).push(...(value === "" ? [] : [value]));
    if (kind === "where" && columns.has(name)) state.where[name] = value;
  }
  return state;
}
