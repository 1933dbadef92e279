/** Which records a person asks for: words, lists of allowed values, and conditions on columns. */

const BOUND = /^(<=|>=|<|>|=)?\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*([a-zµ]*)$/i;

/** A number with its unit, "10 ms", in the column's own unit; NaN where it is neither. */
function quantity(column, number, unit) {
  if (!unit) return Number(number);
  const units = UNITS[column.format] ?? [];
  const plain = unit.toLowerCase().replace(/^us$/, "µs");
  const found = units.find(([, name]) => name.toLowerCase() === plain || name.toLowerCase().replace("ib", "b") === plain);
  return found ? Number(number) * found[0] : NaN;
}

/** A test of a value from what stands above a column: "< 10 ms", "0.1..2", "512", or words. Null where it is none. */
function condition(column, text) {
  const asked = text.trim();
  if (!asked) return () => true;
  if (!column.numeric) {
    const words = asked.toLowerCase().split(/\s+/);
    return value => words.every(word => String(value ?? "").toLowerCase().includes(word));
  }
  const bounds = asked.split("..").map(part => BOUND.exec(part.trim()));
  if (bounds.length > 2 || bounds.includes(null)) return null;
  const [low, high] = bounds.map(([, , number, unit]) => quantity(column, number, unit));
  if (Number.isNaN(low) || Number.isNaN(high)) return null;
  if (bounds.length === 2) return value => value !== null && value >= low && value <= high;
  const is = {
    "<": value => value < low,
    ">": value => value > low,
    "<=": value => value <= low,
    ">=": value => value >= low,
    "=": value => value === low || written(column, value) === written(column, low),
  }[bounds[0][1] ?? "="];
  return value => value !== null && is(value);
}

/** A test of a record from the state: what chart, table and CSV show. */
function filterOf(state, columns, visible) {
  const words = state.words.toLowerCase().split(/\s+/).filter(Boolean);
  const allowed = Object.entries(state.kept).map(([name, values]) => [name, new Set(values)]);
  const conditions = Object.entries(state.where)
    .map(([name, text]) => [name, condition(columns.get(name), text)])
    .filter(([, test]) => test);
  return record =>
    allowed.every(([name, values]) => values.has(written(columns.get(name), record[name]))) &&
    conditions.every(([name, test]) => test(record[name])) &&
    (!words.length || words.every(word => visible(record).includes(word)));
}
