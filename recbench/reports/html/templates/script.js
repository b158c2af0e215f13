"use strict";
// In narrow windows the style sheet shows rows as cards. Browsers then forget that they are rows, unless a role says it.
const ROLES = { TABLE: "table", THEAD: "rowgroup", TBODY: "rowgroup", TR: "row", TD: "cell" };
for (const part of document.querySelectorAll("table, thead, tbody, tr, td")) part.setAttribute("role", ROLES[part.tagName]);
for (const head of document.querySelectorAll("th")) head.setAttribute("role", head.scope === "row" ? "rowheader" : "columnheader");
// Sorts tables by a column; without a script, tables keep the order in which they were written.
for (const table of document.querySelectorAll("table.data")) {
  const headers = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  headers.forEach((header, column) => {
    header.querySelector("button").addEventListener("click", () => {
      const numeric = column > 0;
      const before = header.getAttribute("aria-sort");
      const first = numeric ? "descending" : "ascending";
      const other = numeric ? "ascending" : "descending";
      const order = before === first ? other : first;
      headers.forEach((one) => one.removeAttribute("aria-sort"));
      header.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const key = (row) => {
        const cell = row.cells[column];
        return numeric ? (cell.dataset.value === undefined ? null : Number(cell.dataset.value)) : cell.textContent;
      };
      const compare = (a, b) => {
        // Rows without a figure stay last in both orders.
        if (a === null || b === null) return (a === null) - (b === null);
        return numeric ? sign * (a - b) : sign * a.localeCompare(b);
      };
      const rows = [...body.rows].map((row) => [key(row), row]);
      rows.sort((a, b) => compare(a[0], b[0]));
      body.append(...rows.map((pair) => pair[1]));
    });
  });
}
// Unpacks a download that is stored compressed.
for (const link of document.querySelectorAll("a[data-unpacked]")) {
  if (!("DecompressionStream" in window)) continue;
  link.addEventListener("click", async (event) => {
    if (link.dataset.ready) return;
    event.preventDefault();
    const bytes = Uint8Array.from(atob(link.getAttribute("href").split(",")[1]), (one) => one.charCodeAt(0));
    const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const content = await new Response(plain).arrayBuffer();
    link.href = URL.createObjectURL(new Blob([content], { type: link.dataset.kind }));
    link.download = link.dataset.unpacked;
    link.dataset.ready = "yes";
    link.click();
  });
}
