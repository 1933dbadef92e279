/** The records of the page, and how their values are written. */

/** Of the page's packed JSON: its columns by name, and its records, objects with a value for each column. */
function decode(content) {
  const records = Array.from({ length: content.columns[0].values.length }, (_, row) => ({ row }));
  for (const column of content.columns) {
    column.values.forEach((value, row) => {
      const number = value === "Infinity" ? Infinity : value;
      records[row][column.name] = column.words.length && value !== null ? column.words[value] : number;
    });
    delete column.values;
  }
  return { ...content, columns: new Map(content.columns.map(column => [column.name, column])), records };
}

const digits = number => (Math.abs(number) >= 999.5 ? number.toFixed(0) : String(Number(number.toPrecision(3))));
const inUnit = units => number => {
  const [factor, unit] = units.find(([size]) => Math.abs(number) >= size) ?? units.at(-1);
  return `${digits(number / factor)} ${unit}`;
};
const UNITS = {
  seconds: [[1, "s"], [1e-3, "ms"], [1e-6, "µs"]],
  bytes: [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"], [1, "B"]],
};
/** How a number of each format is written. harness/report/format.py has the same. */
const FORMATS = {
  text: number => String(Number(number.toPrecision(10))),
  seconds: inUnit(UNITS.seconds),
  bytes: inUnit(UNITS.bytes),
  error: number => number.toExponential(1),
  decimal: number => number.toFixed(2),
  cosine: number => number.toFixed(6),
  ratio: number => `${digits(number)}×`,
};

/** A value as a person reads it. */
function written(column, value) {
  if (value === null) return "–";
  if (typeof value !== "number") return value;
  if (!Number.isFinite(value)) return "∞";
  return value === 0 && column.format !== "cosine" ? "0" : FORMATS[column.format](value);
}

const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : natural.compare(String(a), String(b)));
const natural = new Intl.Collator("en", { numeric: true });

/** The values that records have in a column, in their order, the missing one last. */
function valuesOf(records, name) {
  const found = [...new Set(records.map(record => record[name]))];
  return [...found.filter(value => value !== null).sort(compare), ...(found.includes(null) ? [null] : [])];
}

/** The label of a column with its unit, for an axis. Where values are written with units, there is none. */
const axisTitle = column => (column.unit && !UNITS[column.format] ? `${column.label} (${column.unit})` : column.label);

/** A file of these records: a line each, with every column. A text that would be a formula begins with an apostrophe. */
function csv(columns, records) {
  const cell = value => {
    if (value === null) return "";
    const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const names = [...columns.keys()];
  return [names, ...records.map(record => names.map(name => record[name]))]
    .map(line => `${line.map(cell).join(",")}\r\n`)
    .join("");
}
