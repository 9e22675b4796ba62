// Raw times of many files side by side, long runs by the minute, and history.

const FEW = 16;
let everything = false;

const jitter = (index) => (((index * 0.618034) % 1) - 0.5) * 0.62;

function strip(id, row, colour) {
  const { times, median_ms: median } = POINTS[id];
  const values = times.dots || times.ms;
  const bar = (value, width, half) => (value === null ? [] : [{
    type: "scatter", mode: "lines", x: [value, value], y: [row - half, row + half], hoverinfo: "text",
    hovertext: `${plain(POINTS[id].label)}<br>${plain(place(POINTS[id]))}<br>${half < 0.4 ? "p90" : "median"} ${figures(value)} ms`,
    line: { color: style("ink"), width },
  }]);
  return [
    {
      type: "scatter", mode: "markers", x: values, y: values.map((_, index) => row + jitter(index)), customdata: values.map(() => id),
      marker: { color: colour, size: 3.5, opacity: 0.55 }, hoverinfo: "text",
      hovertext: values.map((value) => `${plain(POINTS[id].label)}<br>${plain(place(POINTS[id]))}<br>${figures(value)} ms`),
    },
    ...bar(median, 3, 0.42), ...bar(times.p90_ms, 1, 0.36),
  ];
}

// A file's name, and the place too where the names alone don't tell rows apart.
function titles(ids) {
  const places = new Set(ids.map((id) => place(POINTS[id])));
  return ids.map((id) => {
    const where = places.size > 1 ? `<br><i>${plain(place(POINTS[id]))}</i>` : "";
    return `${plain(POINTS[id].label)}${where}`;
  });
}

function distribution(ids) {
  const all = ids.filter((id) => POINTS[id].times);
  const own = everything ? all : all.slice(0, FEW);
  $("more").hidden = all.length <= FEW;
  $("more").textContent = everything ? `Show the first ${FEW}` : `Show all ${all.length}`;
  if (!own.length) return say("distribution", "Nothing to draw: no row that is shown was timed.");
  const { of } = colours();
  const traces = own.flatMap((id, row) => strip(id, row, of(POINTS[id])));
  const values = own.flatMap((id) => POINTS[id].times.dots || POINTS[id].times.ms);
  const thinned = own.some((id) => POINTS[id].times.dots);
  $("distribution-remark").textContent = thinned
    ? "Of more than 600 runs, 600 are drawn: evenly over the sorted times, the extremes included." : "";
  const names = titles(own);
  const tall = names.some((name) => name.includes("<br>")) ? 36 : 26;
  const vertical = {
    ...axis(""), tickvals: own.map((_, row) => row), ticktext: names, range: [own.length - 0.4, -0.6], showgrid: false,
  };
  const horizontal = logarithmic(values, "time of one inference in ms");
  return draw("distribution", traces, { xaxis: horizontal, yaxis: vertical }, 70 + tall * own.length);
}

function minutes(ids) {
  const own = ids.filter((id) => POINTS[id].trace);
  $("trace-section").hidden = !own.length;
  if (!own.length) return;
  const { others } = DATA.colours;
  const warm = own.some((id) => POINTS[id].trace.some((each) => "temperature_c" in each));
  const traces = own.flatMap((id, index) => {
    const { trace, label } = POINTS[id];
    const colour = shade(others[index % others.length]);
    const line = (name, axes, extra) => ({
      type: "scatter", mode: "lines+markers", x: trace.map((each) => each.minute), y: trace.map((each) => each[name] ?? null),
      line: { color: colour, width: 2 }, marker: { color: colour, size: 6 }, hoverinfo: "text", yaxis: axes,
      hovertext: trace.map((each) => minute(POINTS[id], each)), name: plain(`${label}, ${place(POINTS[id])}`), ...extra,
    });
    const hot = trace.map((each) => Boolean(each.throttled && each.throttled.length));
    return [
      line("median_ms", "y", {
        showlegend: true, marker: { color: colour, size: hot.map((each) => (each ? 11 : 6)), symbol: hot.map((each) => (each ? "x" : "circle")) },
      }),
      line("p90_ms", "y", { showlegend: false, mode: "lines", line: { color: colour, width: 1, dash: "dot" } }),
      ...(warm ? [line("temperature_c", "y2", { showlegend: false })] : []),
    ];
  });
  draw("trace", traces, {
    xaxis: { ...axis("minute"), anchor: warm ? "y2" : "y", tickformat: "d", dtick: Math.max(1, Math.ceil(Math.max(...own.map((id) => POINTS[id].trace.length)) / 15)) },
    yaxis: { ...axis("latency in ms"), domain: warm ? [0.42, 1] : [0, 1], rangemode: "tozero" },
    ...(warm ? { yaxis2: { ...axis("CPU in °C"), domain: [0, 0.34] } } : {}),
    showlegend: true, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, margin: { l: 50, r: 12, t: 30, b: 44 },
  }, warm ? 420 : 300);
}

function minute(point, each) {
  const parts = [
    `<b>${plain(point.label)}</b>`, `minute ${each.minute}, ${each.runs} runs`, `median ${figures(each.median_ms)} ms`,
    each.p90_ms ? `p90 ${figures(each.p90_ms)} ms` : "", each.temperature_c ? `${each.temperature_c} °C` : "",
    each.mhz ? `${Math.round(each.mhz)} MHz` : "",
    each.throttled && each.throttled.length ? plain(`throttled: ${[].concat(each.throttled).join(", ")}`) : "",
  ];
  return parts.filter(Boolean).join("<br>");
}

function past() {
  const { moments, entries } = DATA.history;
  const ticked = (name, value) => {
    const boxes = [...document.querySelectorAll(`input[name=${name}]`)];
    const own = boxes.find((box) => box.value === String(value));
    return !own || own.checked;
  };
  const own = entries.filter((each) => ticked("format", each.format) && ticked("precision", each.precision) && ticked("threads", each.threads));
  $("history-section").hidden = !entries.length;
  if (!entries.length) return;
  if (!own.length) { say("history", "Nothing to draw: the filters leave no entry of the history."); return; }
  const at = new Map(moments.map((moment, index) => [moment.join("\n"), index]));
  const { others } = DATA.colours;
  const files = [...new Set(entries.map((each) => each.file))];
  const lines = (name, value, text, axes) => [...new Set(own.filter((each) => value(each) !== null).map((each) => each[name]))].map((title) => {
    const line = own.filter((each) => each[name] === title && value(each) !== null).sort((one, other) => at.get(one.moment.join("\n")) - at.get(other.moment.join("\n")));
    const index = files.indexOf(line[0].file);
    const colour = shade(others[index % others.length]);
    return {
      type: "scatter", mode: "lines+markers", x: line.map((each) => at.get(each.moment.join("\n"))), y: line.map(value), yaxis: axes,
      name: plain(title), hoverinfo: "text", line: { color: colour, width: 2, dash: ["solid", "dash", "dot"][Math.floor(index / others.length) % 3] }, marker: { color: colour, size: 6 },
      hovertext: line.map((each) => `<b>${plain(title)}</b><br>${plain(each.moment[1])}, ${plain(each.moment[0])}<br>${text(value(each))}`),
      showlegend: axes === "y",
    };
  });
  const sizes = lines("file", (each) => each.size_bytes / 1e6, (value) => `${value} MB`, "y");
  const timed = lines("line", (each) => each.median_ms, (value) => `${figures(value)} ms`, "y2");
  const step = Math.ceil(moments.length / (NARROW.matches ? 4 : 14));
  const shown = moments.map((_, index) => index).filter((index) => index % step === 0);
  draw("history", [...sizes, ...timed], {
    xaxis: { ...axis("commit"), anchor: timed.length ? "y2" : "y", tickvals: shown, ticktext: shown.map((index) => plain(moments[index][1])), range: [-0.5, moments.length - 0.5] },
    yaxis: { ...axis("size in MB"), domain: timed.length ? [0.55, 1] : [0, 1], rangemode: "tozero" },
    ...(timed.length ? { yaxis2: { ...axis("median latency in ms"), domain: [0, 0.45], rangemode: "tozero" } } : {}),
    showlegend: true, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, margin: { l: 50, r: 12, t: 40, b: 44 },
  }, timed.length ? 480 : 300);
}
