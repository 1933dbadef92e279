/** The table of records, by DataTables: it sorts, turns pages and hides columns. What is filtered is decided outside. */

const escaped = text => text.replace(/[&<>"']/g, letter => `&#${letter.charCodeAt(0)};`);

/** The order of values: numbers by size, words by the numbers in them, and what is missing last in both directions. */
function teachOrder(DataTable) {
  const last = direction => (a, b) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return direction * compare(a, b);
  };
  DataTable.ext.type.order["value-asc"] = last(1);
  DataTable.ext.type.order["value-desc"] = last(-1);
}

class RecordTable {
  /** `accepts(record)` filters; `asked` has functions that are called for an order and for a column's condition. */
  constructor(DataTable, node, { columns, records }, accepts, asked) {
    teachOrder(DataTable);
    this.columns = [...columns.values()];
    const inputs = this.columns.map(column => this.input(column, asked.where));
    this.inputs = new Map(this.columns.map((column, index) => [column.name, inputs[index]]));
    node.append(element("thead", {},
      element("tr", {}, ...this.columns.map(column =>
        element("th", { scope: "col", title: column.meaning }, column.heading))),
      element("tr", { class: "where" }, ...inputs.map(input => element("td", {}, input)))));
    this.table = new DataTable(node, {
      data: records,
      columns: this.columns.map(column => ({
        name: column.name,
        type: "value",
        searchable: false,
        data: record => record[column.name],
        render: (value, use) => (use === "display" ? escaped(written(column, value)) : value),
        className: column.name === "reason" ? "wrap" : column.numeric ? "number" : "",
        createdCell: (cell, value, record) => {
          if (value !== null && column.resolved && record[column.resolved] === "no") cell.classList.add("faint");
        },
      })),
      createdRow: (row, record) => row.classList.add(record.status),
      titleRow: 0,
      order: [],
      autoWidth: false,
      pageLength: 25,
      lengthMenu: [25, 100, 500],
      language: { info: "Rows _START_ to _END_ of _TOTAL_", infoEmpty: "No rows", infoFiltered: "",
        emptyTable: "No record fits the filters.", zeroRecords: "No record fits the filters.",
        lengthMenu: "_MENU_ rows a page" },
      layout: { topStart: null, topEnd: null, bottomStart: "info", bottomEnd: ["pageLength", "paging"] },
    });
    this.table.search.fixed("state", (text, record) => accepts(record));
    this.table.on("order", () => {
      const [[index, direction] = []] = this.table.order();
      asked.order(direction ? (direction === "desc" ? "-" : "") + this.columns[index].name : "");
    });
  }

  input(column, where) {
    const hint = column.numeric ? "e.g. <1" : "words";
    const input = element("input", {
      type: "search", placeholder: hint, "aria-label": `Filter ${column.label}`, autocomplete: "off", spellcheck: "false",
    });
    input.addEventListener("input", () => where(column.name, input.value));
    return input;
  }

  /** Show the state: order, columns and conditions. */
  show(state) {
    const shown = new Set(state.columns);
    const hidden = this.columns.map((column, index) => [index, shown.has(column.name)]);
    this.table.columns(hidden.filter(([, visible]) => visible).map(([index]) => index)).visible(true, false);
    this.table.columns(hidden.filter(([, visible]) => !visible).map(([index]) => index)).visible(false, false);
    for (const [name, input] of this.inputs) {
      const text = state.where[name] ?? "";
      if (input.value !== text) input.value = text;
      input.setAttribute("aria-invalid", String(!condition(this.columns.find(column => column.name === name), text)));
    }
    const name = state.order.replace(/^-/, "");
    const index = this.columns.findIndex(column => column.name === name);
    this.table.order(index < 0 ? [] : [[index, state.order.startsWith("-") ? "desc" : "asc"]]);
    this.table.draw();
  }

  /** The records that pass the filters, in the table's order. */
  records() {
    return this.table.rows({ search: "applied" }).data().toArray();
  }
}
