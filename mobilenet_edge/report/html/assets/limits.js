// Limits that are dragged as lines or typed, and the most accurate row within them.

const LIMITS = { "max-ms": null, "max-mb": null, "min-top1": null };

function within(point) {
  const top1 = accuracy(point);
  return top1 && point.median_ms !== null && point.size_bytes !== null
    && (LIMITS["max-ms"] === null || point.median_ms <= LIMITS["max-ms"])
    && (LIMITS["max-mb"] === null || point.size_bytes / 1e6 <= LIMITS["max-mb"])
    && (LIMITS["min-top1"] === null || top1.top1 >= LIMITS["min-top1"]);
}

// The most accurate row within the limits, the fastest of several; null if there is none.
function best(ids) {
  const order = (one, other) => accuracy(POINTS[other]).top1 - accuracy(POINTS[one]).top1
    || POINTS[one].median_ms - POINTS[other].median_ms;
  return ids.filter((id) => within(POINTS[id])).sort(order)[0] ?? null;
}

function setLimit(name, value) {
  LIMITS[name] = value;
  $(name).value = value === null ? "" : String(Number(value.toPrecision(3)));
}

function showBest(ids) {
  const id = best(ids);
  $("limits").hidden = !ids.some((shown) => accuracy(POINTS[shown]));
  $("best").disabled = id === null;
  $("best").textContent = id === null ? "nothing" : POINTS[id].label;
  $("best").dataset.id = String(id);
  $("best-facts").textContent = id === null ? ""
    : `, ${figures(POINTS[id].median_ms)} ms, ${figures(POINTS[id].size_bytes / 1e6)} MB, ${accuracy(POINTS[id]).top1.toFixed(1)} %, ${place(POINTS[id])}`;
}

// A line at a limit, or at the edge of the chart from where it can be dragged.
function line(axis, value, edge) {
  const across = axis === "x" ? "y" : "x";
  return {
    type: "line", [`${axis}0`]: value ?? edge, [`${axis}1`]: value ?? edge, [`${across}0`]: 0, [`${across}1`]: 1,
    [`${across}ref`]: "paper", line: { color: style("accent"), width: 2, dash: "dot" },
  };
}

// Take the limits from the lines that were dragged; `names` are those of the shapes, in order. Both ends of a line may
// move, or one of them.
function follow(chart, names) {
  chart.removeAllListeners("plotly_relayout");
  const before = names.map((name, index) => chart.layout.shapes[index][name === "min-top1" ? "y0" : "x0"]);
  chart.on("plotly_relayout", (event) => {
    const moved = names.filter((name, index) => {
      const axis = name === "min-top1" ? "y" : "x";
      const ends = ["0", "1"].map((end) => event[`shapes[${index}].${axis}${end}`]).filter((value) => value !== undefined);
      const place = ends.find((value) => Number(value) !== before[index]);
      if (place !== undefined) setLimit(name, Number(place));
      return ends.length > 0;
    });
    if (moved.length) redraw();
  });
}

function startLimits() {
  for (const name of Object.keys(LIMITS)) {
    $(name).addEventListener("change", (event) => {
      setLimit(name, event.target.value === "" ? null : Number(event.target.value));
      redraw();
    });
  }
  $("best").addEventListener("click", () => show(Number($("best").dataset.id), true));
}
