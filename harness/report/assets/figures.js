/** The buttons below each figure: its data, and its picture as SVG and PNG. */
for (const figure of document.querySelectorAll("figure[data-figure]")) {
  const name = figure.dataset.figure;
  const picture = () => {
    const svg = figure.querySelector("svg").cloneNode(true);
    const { width, height } = figure.querySelector("svg").viewBox.baseVal;
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    const text = new XMLSerializer().serializeToString(svg);
    return { text, width: Math.ceil(width), height: Math.ceil(height) };
  };
  const give = {
    csv: async () => download(`${name}.csv`, await unpacked(`${name}-data`), "text/csv;charset=utf-8"),
    svg: async () => download(`${name}.svg`, picture().text, "image/svg+xml"),
    png: async () => {
      const { text, width, height } = picture();
      download(`${name}.png`, await png(text, width, height));
    },
  };
  for (const button of figure.querySelectorAll("button[data-download]")) {
    button.addEventListener("click", () => give[button.dataset.download]());
  }
}
