// The details of one row: inferences, operators and conditions.

function series(point) {
  const { ms, run, runs, rounds } = point.times;
  const x = run || ms.map((_, index) => index);
  const turn = (index) => rounds.filter((start) => start <= index).length;
  const shades = [shade(DATA.colours.others[0]), shade(DATA.colours.others[5])];
  draw("series", [{
    type: "scatter", mode: "markers", x, y: ms, hoverinfo: "text",
    hovertext: x.map((index, at) => `run ${index + 1}, process ${turn(index) + 1}<br>${figures(ms[at])} ms`),
    marker: { size: 4, opacity: 0.7, color: x.map((index) => shades[turn(index) % 2]) },
  }], {
    xaxis: axis("run"), yaxis: { ...axis("time in ms"), rangemode: "tozero" },
    shapes: [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: point.median_ms, y1: point.median_ms, line: { color: style("ink"), width: 1 } }],
  }, 300);
  $("series-remark").textContent = `The line is the median, ${figures(point.median_ms)} ms. `
    + (rounds.length ? "The colour changes with each fresh process." : "All runs are from one process.")
    + (run ? ` Of ${runs} runs, the fastest and the slowest of each interval are drawn.` : "");
}

function operators(point) {
  const { list, how } = point.ops;
  const families = Object.keys(DATA.families).filter((name) => list.some((op) => op.family === name));
  const total = list.reduce((sum, op) => sum + op.ms, 0);
  draw("ops", [{
    type: "bar", orientation: "h", x: list.map((op) => op.ms), y: list.map((_, index) => index), hoverinfo: "text",
    marker: { color: list.map((op) => shade(DATA.families[op.family])) }, textposition: "none",
    hovertext: list.map((op, index) => [
      `<b>${index} ${plain(op.kind)}</b>`, wrapped(op.name), `${op.ms.toFixed(3)} ms, ${(100 * op.ms / total).toFixed(1)} %`,
      op.macs === null || op.macs === undefined ? "" : `${(op.macs / 1e6).toFixed(2)} M MACs`, op.speed ? `${Number(op.speed).toFixed(1)} GMAC/s` : "",
    ].filter(Boolean).join("<br>")),
  }], {
    xaxis: axis("time in ms"), bargap: 0.25, margin: { l: 50, r: 12, t: 8, b: 44 },
    yaxis: { ...axis(""), tickvals: list.map((_, index) => index), ticktext: list.map((op, index) => `${index} ${plain(op.kind.slice(0, 28))}`), range: [list.length - 0.4, -0.6], showgrid: false, tickfont: { size: 10 } },
  }, Math.max(300, 60 + 14 * list.length));
  const shares = families.map((name) => [name, list.filter((op) => op.family === name).reduce((sum, op) => sum + op.ms, 0) / total]);
  shares.sort((a, b) => b[1] - a[1]);
  $("ops-remark").textContent = `${shares.map(([name, share]) => `${name} ${Math.round(100 * share)} %`).join(", ")}.${how ? ` Method: ${how}.` : ""}`;
}

function show(id, jump) {
  const point = POINTS[id];
  $("which").value = String(id);
  ROWS.forEach((row, index) => (index === id ? row.setAttribute("aria-current", "true") : row.removeAttribute("aria-current")));
  $("series-figure").hidden = !point.times;
  $("ops-figure").hidden = !point.ops;
  if (point.times) series(point);
  if (point.ops) operators(point);
  mistakes(point);
  $("warnings").replaceChildren(...[...point.doubts, ...point.notes].map(({ text }) => element("li", text)));
  $("command-line").hidden = !point.command;
  $("command").textContent = point.command || "";
  pairs(point.conditions, $("conditions"));
  if (jump) {
    $("detail").scrollIntoView();
    $("which").focus({ preventScroll: true });
  }
}

function options() {
  POINTS.forEach((point, id) => { element("option", `${point.label}, ${place(point)}`, $("which")).value = String(id); });
}
