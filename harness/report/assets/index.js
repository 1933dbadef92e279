/** Show the pages that have all of a person's words. */
const rows = [...document.querySelectorAll("#pages tbody tr")];
const words = document.getElementById("words");
function show() {
  const asked = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of rows) row.hidden = !asked.every(word => row.textContent.toLowerCase().includes(word));
  document.getElementById("count").textContent = `${rows.filter(row => !row.hidden).length} of ${rows.length} pages`;
}
words.addEventListener("input", show);
show();
