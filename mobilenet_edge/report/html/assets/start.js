// Everything once, and again whenever something is chosen.

function redraw() {
  if (POINTS.length) {
    const shown = chosen();
    const ids = POINTS.map((_, id) => id).filter((id) => shown[id]);
    narrow(shown, stars(ids));
    legend(ids);
    tradeoffs(ids);
    distribution(inOrder());
    minutes(ids);
    show(Number($("which").value), false);
  }
  past();
}

function start() {
  for (const kind of ACCURACIES) element("option", kind, $("accuracy"));
  $("accuracy").parentElement.hidden = ACCURACIES.length < 2;
  options();
  const first = POINTS.findIndex((point) => point.ops);
  $("which").value = String(Math.max(first, 0));
  HEADS.forEach((head, column) => head.firstElementChild.addEventListener("click", () => { sort(column); distribution(inOrder()); }));
  ROWS.forEach((row, id) => row.firstElementChild.firstElementChild.addEventListener("click", () => show(id, true)));
  $("filters").addEventListener("change", redraw);
  $("filters").addEventListener("reset", () => setTimeout(redraw));
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  $("which").addEventListener("change", () => show(Number($("which").value), false));
  $("more").addEventListener("click", () => { everything = !everything; distribution(inOrder()); });
}

if (POINTS.length) start();
theme(redraw);
redraw();
NARROW.addEventListener("change", redraw);
document.documentElement.dataset.ready = "true";
