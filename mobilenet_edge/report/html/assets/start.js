// Set up the page, and redraw it after every change.

function redraw() {
  if (POINTS.length) {
    const shown = visible();
    const ids = POINTS.map((_, id) => id).filter((id) => shown[id]);
    filterTable(shown, stars(ids));
    legend(ids);
    showBest(ids);
    tradeoffs(ids);
    distribution(sortedIds());
    drawTrace(ids);
    show(Number($("which").value), false);
  }
  drawMultipliers();
  drawTraining();
  drawCuts();
  drawHistory();
}

function start() {
  for (const kind of ACCURACIES) element("option", kind, $("accuracy"));
  $("accuracy").parentElement.hidden = ACCURACIES.length < 2;
  options();
  startLimits();
  $("which").value = String(best(POINTS.map((_, id) => id)) ?? 0);
  HEADS.forEach((head, column) => head.firstElementChild.addEventListener("click", () => { sort(column); distribution(sortedIds()); }));
  ROWS.forEach((row, id) => row.firstElementChild.firstElementChild.addEventListener("click", () => show(id, true)));
  $("filters").addEventListener("change", redraw);
  $("filters").addEventListener("reset", () => {
    for (const name of Object.keys(LIMITS)) LIMITS[name] = null;
    setTimeout(redraw);
  });
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  $("which").addEventListener("change", () => show(Number($("which").value), false));
  $("more").addEventListener("click", () => { showAll = !showAll; distribution(sortedIds()); });
}

if (POINTS.length) start();
theme(redraw);
redraw();
NARROW.addEventListener("change", redraw);
document.documentElement.dataset.ready = "true";
