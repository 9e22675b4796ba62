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

// Names beside the points of the fronts; a name that would cover another is left out.
function names(frontsByPlace, scale, [low, high]) {
  const best = frontsByPlace.flatMap(([, points]) => points).sort((a, b) => a[1] - b[1]);
  // About the length of a name, as a share of the width.
  const length = NARROW.matches ? 0.4 : 0.22;
  const at = (cost) => (Math.log10(cost / scale) - low) / (high - low);
  const shown = [];
  for (const [id, cost, gain] of best) {
    const right = at(cost) + length > 1;
    const near = shown.some((other) => Math.abs(at(other.cost) - at(cost)) < length * (right === other.right ? 1 : 2) && Math.abs(other.gain - gain) < 2);
    if (!near) shown.push({ id, cost, gain, right });
  }
  return shown.map(({ id, cost, gain, right }) => ({
    x: Math.log10(cost / scale), y: gain, text: plain(POINTS[id].label), showarrow: false, xanchor: right ? "right" : "left",
    yanchor: "top", xshift: right ? -6 : 6, yshift: -2, font: { size: 10, color: style("soft") },
  }));
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
  const horizontal = logarithmic(values, x.title);
  const shapes = y.log ? [] : [
    line("x", LIMITS[x.limit], 10 ** horizontal.range[1]), line("y", LIMITS["min-top1"], lowest(shown, y)),
  ];
  const chart = draw(id, traces, { xaxis: horizontal, yaxis: vertical, shapes, annotations: y.log ? [] : names(frontsByPlace, x.scale, horizontal.range) }, 285);
  addHandlers(chart);
  follow(chart, y.log ? [] : [x.limit, "min-top1"]);
}

// Where the line of the least top-1 waits: just below the lowest end of an interval.
const lowest = (ids, y) => Math.min(...ids.map((id) => (y.interval(POINTS[id]) || [y.value(POINTS[id])])[0])) - 1;

const LATENCY = {
  title: "median latency in ms", limit: "max-ms", what: "a latency", scale: 1, has: (point) => point.median_ms !== null,
  value: (point) => point.median_ms, interval: (point) => point.interval_ms, hollow: (point) => point.predicted,
};
const SIZE = {
  title: "file size in MB", limit: "max-mb", what: "a size", scale: 1e6, log: true, has: (point) => point.size_bytes !== null,
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
