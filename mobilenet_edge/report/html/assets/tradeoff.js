// Charts of accuracy against latency and against size, with Pareto fronts.

const TITLES = { measured: "measured top-1 in %", published: "published top-1 in %" };

function fronts(ids, cost, name) {
  const shown = ids.filter((id) => accuracy(POINTS[id]) && cost(POINTS[id]) !== null);
  return [...grouped(shown, (point) => `${name(point)}\n${images(point)}`)].map(([title, group]) => [
    title.split("\n")[0], front(group.map((id) => [id, cost(POINTS[id]), accuracy(POINTS[id]).top1])),
  ]);
}

// The starred rows of the table; like `rows.Judgement`, size replaces latency for machines without one.
function stars(ids) {
  const measured = new Set(POINTS.filter((point) => point.median_ms !== null).map((point) => point.device));
  const timed = ids.filter((id) => measured.has(POINTS[id].device));
  const others = ids.filter((id) => !measured.has(POINTS[id].device));
  const all = [...fronts(timed, (point) => point.median_ms, place), ...fronts(others, (point) => point.size_bytes, (point) => point.device)];
  const best = new Set(all.flatMap(([, points]) => points.map(([id]) => id)));
  return POINTS.map((_, id) => best.has(id));
}

function bars(points, interval, value, scale = 1) {
  const ends = points.map((point) => interval(point) || [value(point), value(point)]);
  return {
    type: "data", symmetric: false, thickness: 1, width: 0,
    array: points.map((point, index) => (ends[index][1] - value(point)) / scale),
    arrayminus: points.map((point, index) => (value(point) - ends[index][0]) / scale),
  };
}

function dots(ids, x, y) {
  const { of } = colours();
  return [...grouped(ids, (point) => `${of(point)}\n${symbol(point)}\n${x.hollow(point)}`).values()].map((group) => {
    const points = group.map((id) => POINTS[id]);
    const colour = of(points[0]);
    const hollow = x.hollow(points[0]);
    return {
      type: "scatter", mode: "markers", customdata: group, hoverinfo: "none",
      x: points.map(x.value), y: points.map(y.value),
      error_x: { ...bars(points, x.interval, x.value), color: `${colour}66` },
      error_y: { ...bars(points, y.interval, y.value), color: `${colour}66` },
      marker: {
        color: colour, size: 10, symbol: symbol(points[0]) + (hollow ? "-open" : ""), opacity: 0.9,
        line: { width: hollow ? 2 : 1, color: hollow ? colour : style("ground") },
      },
    };
  });
}

function steps(frontsByPlace, scale, ids) {
  const titles = places(ids);
  return frontsByPlace.map(([title, points]) => {
    const ordered = [...points].sort((a, b) => a[1] - b[1]);
    return {
      type: "scatter", mode: "lines", hoverinfo: "skip", x: ordered.map((point) => point[1] / scale),
      y: ordered.map((point) => point[2]),
      line: { shape: "hv", width: 1.5, color: style("soft"), dash: ["solid", "6px,3px", "2px,3px", "6px,3px,2px,3px"][Math.max(titles.indexOf(title), 0) % 4] },
    };
  });
}

function scatter(id, ids, x, y, frontsByPlace) {
  const shown = ids.filter((shownId) => x.has(POINTS[shownId]) && y.has(POINTS[shownId]));
  if (!shown.length) {
    showMessage(id, `Nothing to draw: none of the rows shown has ${x.what} and ${y.what}.`);
    return;
  }
  const values = shown.map((shownId) => x.value(POINTS[shownId]));
  const traces = [...steps(frontsByPlace, x.scale, ids), ...dots(shown, x, y)];
  const vertical = y.log ? logarithmic(shown.map((shownId) => y.value(POINTS[shownId])), y.title) : axis(y.title);
  addHandlers(draw(id, traces, { xaxis: logarithmic(values, x.title), yaxis: vertical }, 285));
}

const LATENCY = {
  title: "median latency in ms", what: "a latency", scale: 1, has: (point) => point.median_ms !== null,
  value: (point) => point.median_ms, interval: (point) => point.interval_ms, hollow: (point) => point.predicted,
};
const SIZE = {
  title: "file size in MB", what: "a size", scale: 1e6, log: true, has: (point) => point.size_bytes !== null,
  value: (point) => point.size_bytes / 1e6, interval: () => null, hollow: () => false,
};

function tradeoffs(ids) {
  const kind = $("accuracy").value;
  if (!ACCURACIES.length) {
    $("latency-title").textContent = "Size against latency";
    $("size-title").parentElement.hidden = true;
    $("remark").textContent = "There is no accuracy: none was measured, and none is published for these models.";
    scatter("accuracy-latency", ids, LATENCY, SIZE, []);
    return;
  }
  const word = kind === "published" ? "Published accuracy" : "Accuracy";
  $("latency-title").textContent = `${word} against latency`;
  $("size-title").textContent = `${word} against size`;
  const top1 = {
    title: TITLES[kind], what: `a ${kind} top-1`, has: (point) => accuracy(point) !== null,
    value: (point) => accuracy(point).top1, interval: (point) => accuracy(point).interval,
  };
  // Each file is one point, whichever machine it ran on.
  const files = [...grouped(ids, (point) => point.file).values()].map(([id]) => id);
  scatter("accuracy-latency", ids, LATENCY, top1, fronts(ids, (point) => point.median_ms, place));
  scatter("accuracy-size", files, SIZE, top1, fronts(files, (point) => point.size_bytes, () => "front"));
  const sets = [...new Set(ids.map((id) => images(POINTS[id])).filter(Boolean))];
  const without = ids.filter((id) => !accuracy(POINTS[id])).length;
  const source = kind === "published"
    ? "Published top-1 is that of TF-slim for these variants, for integer files after quantisation-aware training. It was not measured on these files."
    : `Top-1 of ${sets.join(" and of ")}; bars are 95 % intervals.${sets.length > 1 ? " Only points with the same images share a front." : ""}`;
  $("remark").textContent = `${source}${without ? ` ${without} of the rows shown have no accuracy.` : ""}`;
}
