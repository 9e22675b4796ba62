// The table, which is sorted by its headings and filtered with the charts.

const ROWS = [...document.querySelectorAll("#table tbody tr")];
const HEADS = [...document.querySelectorAll("#table thead th")];

const key = (row, column) => row.children[column].dataset.key;

function compare(one, other, numeric) {
  return numeric ? Number(one) - Number(other) : one.localeCompare(other, "en", { numeric: true });
}

function sort(column) {
  const head = HEADS[column];
  const descending = head.getAttribute("aria-sort") === "ascending";
  const numeric = head.classList.contains("number");
  HEADS.forEach((other) => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const order = [...document.querySelectorAll("#table tbody tr")].sort((one, other) => {
    const [a, b] = [key(one, column), key(other, column)];
    // Missing values come last in both directions.
    if (a === "" || b === "") return Number(a === "") - Number(b === "");
    return (descending ? -1 : 1) * compare(a, b, numeric);
  });
  document.querySelector("#table tbody").append(...order);
}

function filterTable(shown, best) {
  const star = HEADS.findIndex((head) => head.textContent.trim() === "Pareto");
  ROWS.forEach((row, id) => {
    row.hidden = !shown[id];
    const cell = row.children[star];
    cell.textContent = best[id] ? "*" : "";
    cell.dataset.key = best[id] ? "1" : "0";
  });
  $("count").textContent = `${shown.filter(Boolean).length} of ${ROWS.length} rows`;
}

// Ids of the visible rows, in the order of the table.
const sortedIds = () => [...document.querySelectorAll("#table tbody tr:not([hidden])")].map((row) => Number(row.dataset.id));
