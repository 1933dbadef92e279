/** Small parts of the page's own making: elements, lists to choose from, and lists to tick. */

/** An element with attributes and children; texts stay text. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** Fill a select with groups of columns, "" for none where `none` is a word. */
function offer(select, groups, none) {
  const options = columns => columns.map(column => element("option", { value: column.name }, axisTitle(column)));
  select.replaceChildren(
    ...(none ? [element("option", { value: "" }, none)] : []),
    ...groups.filter(([, columns]) => columns.length)
      .map(([label, columns]) => element("optgroup", { label }, ...options(columns))),
  );
}

/** A list to tick, folded away. `options` are [value, label]; `given(values)` is called with the ticked ones. */
function tickList(title, options, given) {
  const state = element("span", { class: "count" });
  const boxes = options.map(([value, label]) => {
    const box = element("input", { type: "checkbox", value });
    box.addEventListener("change", report);
    return [box, element("label", {}, box, element("span", {}, label))];
  });
  const all = element("button", { type: "button" }, "All");
  const none = element("button", { type: "button" }, "None");
  const summary = element("summary", {}, `${title} `, state);
  const menu = element("div", { class: "menu", role: "group", "aria-label": title },
    element("p", {}, all, none), ...boxes.map(([, label]) => label));
  const list = element("details", { class: "ticks" }, summary, menu);
  const ticked = () => boxes.filter(([box]) => box.checked).map(([box]) => box.value);
  function report() {
    show(ticked());
    given(ticked());
  }
  function show(values) {
    const set = new Set(values);
    let count = 0;
    for (const [box] of boxes) count += box.checked = set.has(box.value);
    state.textContent = count === boxes.length ? "all" : `${count} of ${boxes.length}`;
    list.classList.toggle("part", count < boxes.length);
  }
  const setAll = value => () => {
    for (const [box] of boxes) box.checked = value;
    report();
  };
  all.addEventListener("click", setAll(true));
  none.addEventListener("click", setAll(false));
  list.addEventListener("keydown", event => {
    if (event.key !== "Escape") return;
    list.open = false;
    summary.focus();
  });
  list.addEventListener("toggle", () => {
    menu.classList.remove("end");
    menu.classList.toggle("end", menu.getBoundingClientRect().right > document.documentElement.clientWidth);
  });
  document.addEventListener("click", event => {
    if (list.open && !list.contains(event.target)) list.open = false;
  });
  return { list, show };
}
