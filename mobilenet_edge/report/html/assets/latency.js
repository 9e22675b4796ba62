// Charts of raw times, sustained runs and the history.

const FIRST_ROWS = 16;
let showAll = false;

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

// Names of the files, with machine and threads if they differ.
function titles(ids) {
  const places = new Set(ids.map((id) => place(POINTS[id])));
  return ids.map((id) => {
    const where = places.size > 1 ? `<br><i>${plain(place(POINTS[id]))}</i>` : "";
    return `${plain(POINTS[id].label)}${where}`;
  });
}

function distribution(ids) {
  const all = ids.filter((id) => POINTS[id].times);
  const shown = showAll ? all : all.slice(0, FIRST_ROWS);
  $("more").hidden = all.length <= FIRST_ROWS;
  $("more").textContent = showAll ? `Show the first ${FIRST_ROWS}` : `Show all ${all.length}`;
  if (!shown.length) return showMessage("distribution", "Nothing to draw: none of the rows shown has a latency.");
  const { of } = colours();
  const traces = shown.flatMap((id, row) => strip(id, row, of(POINTS[id])));
  const values = shown.flatMap((id) => POINTS[id].times.dots || POINTS[id].times.ms);
  const thinned = shown.some((id) => POINTS[id].times.dots);
  $("distribution-remark").textContent = thinned
    ? "Of more than 600 runs, 600 are drawn at even ranks, including the extremes." : "";
  const names = titles(shown);
  const tall = names.some((name) => name.includes("<br>")) ? 36 : 26;
  const vertical = {
    ...axis(""), tickvals: shown.map((_, row) => row), ticktext: names, range: [shown.length - 0.4, -0.6], showgrid: false,
  };
  const horizontal = logarithmic(values, "time of one inference in ms");
  return draw("distribution", traces, { xaxis: horizontal, yaxis: vertical }, 70 + tall * shown.length);
}

function drawTrace(ids) {
  const shown = ids.filter((id) => POINTS[id].trace);
  $("trace-section").hidden = !shown.length;
  if (!shown.length) return;
  const { others } = DATA.colours;
  const hasTemperature = shown.some((id) => POINTS[id].trace.some((entry) => "temperature_c" in entry));
  const traces = shown.flatMap((id, index) => {
    const { trace, label } = POINTS[id];
    const colour = shade(others[index % others.length]);
    const line = (name, axes, extra) => ({
      type: "scatter", mode: "lines+markers", x: trace.map((entry) => entry.minute), y: trace.map((entry) => entry[name] ?? null),
      line: { color: colour, width: 2 }, marker: { color: colour, size: 6 }, hoverinfo: "text", yaxis: axes,
      hovertext: trace.map((entry) => minute(POINTS[id], entry)), name: plain(`${label}, ${place(POINTS[id])}`), ...extra,
    });
    const throttled = trace.map((entry) => Boolean(entry.throttled && entry.throttled.length));
    return [
      line("median_ms", "y", {
        showlegend: true, marker: { color: colour, size: throttled.map((entry) => (entry ? 11 : 6)), symbol: throttled.map((entry) => (entry ? "x" : "circle")) },
      }),
      line("p90_ms", "y", { showlegend: false, mode: "lines", line: { color: colour, width: 1, dash: "dot" } }),
      ...(hasTemperature ? [line("temperature_c", "y2", { showlegend: false })] : []),
    ];
  });
  draw("trace", traces, {
    xaxis: { ...axis("minute"), anchor: hasTemperature ? "y2" : "y", tickformat: "d", dtick: Math.max(1, Math.ceil(Math.max(...shown.map((id) => POINTS[id].trace.length)) / 15)) },
    yaxis: { ...axis("latency in ms"), domain: hasTemperature ? [0.42, 1] : [0, 1], rangemode: "tozero" },
    ...(hasTemperature ? { yaxis2: { ...axis("CPU in °C"), domain: [0, 0.34] } } : {}),
    showlegend: true, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, margin: { l: 50, r: 12, t: 30, b: 44 },
  }, hasTemperature ? 420 : 300);
}

function minute(point, entry) {
  const parts = [
    `<b>${plain(point.label)}</b>`, `minute ${entry.minute}, ${entry.runs} runs`, `median ${figures(entry.median_ms)} ms`,
    entry.p90_ms ? `p90 ${figures(entry.p90_ms)} ms` : "", entry.temperature_c ? `${entry.temperature_c} °C` : "",
    entry.mhz ? `${Math.round(entry.mhz)} MHz` : "",
    entry.throttled && entry.throttled.length ? plain(`throttled: ${[].concat(entry.throttled).join(", ")}`) : "",
  ];
  return parts.filter(Boolean).join("<br>");
}

function drawHistory() {
  const { moments, entries } = DATA.history;
  const isChecked = (name, value) => {
    const boxes = [...document.querySelectorAll(`input[name=${name}]`)];
    const match = boxes.find((box) => box.value === String(value));
    return !match || match.checked;
  };
  const visibleEntries = entries.filter((entry) => isChecked("format", entry.format) && isChecked("precision", entry.precision) && isChecked("threads", entry.threads));
  $("history-section").hidden = !entries.length;
  if (!entries.length) return;
  if (!visibleEntries.length) { showMessage("history", "Nothing to draw: the filters exclude all entries of the history."); return; }
  const at = new Map(moments.map((moment, index) => [moment.join("\n"), index]));
  const { others } = DATA.colours;
  const files = [...new Set(entries.map((entry) => entry.file))];
  const lines = (name, value, text, axes) => [...new Set(visibleEntries.filter((entry) => value(entry) !== null).map((entry) => entry[name]))].map((title) => {
    const line = visibleEntries.filter((entry) => entry[name] === title && value(entry) !== null).sort((a, b) => at.get(a.moment.join("\n")) - at.get(b.moment.join("\n")));
    const index = files.indexOf(line[0].file);
    const colour = shade(others[index % others.length]);
    return {
      type: "scatter", mode: "lines+markers", x: line.map((entry) => at.get(entry.moment.join("\n"))), y: line.map(value), yaxis: axes,
      name: plain(title), hoverinfo: "text", line: { color: colour, width: 2, dash: ["solid", "dash", "dot"][Math.floor(index / others.length) % 3] }, marker: { color: colour, size: 6 },
      hovertext: line.map((entry) => `<b>${plain(title)}</b><br>${plain(entry.moment[1])}, ${plain(entry.moment[0])}<br>${text(value(entry))}`),
      showlegend: axes === "y",
    };
  });
  const sizes = lines("file", (entry) => entry.size_bytes / 1e6, (value) => `${value} MB`, "y");
  const latencies = lines("line", (entry) => entry.median_ms, (value) => `${figures(value)} ms`, "y2");
  const step = Math.ceil(moments.length / (NARROW.matches ? 4 : 14));
  const shown = moments.map((_, index) => index).filter((index) => index % step === 0);
  draw("history", [...sizes, ...latencies], {
    xaxis: { ...axis("commit"), anchor: latencies.length ? "y2" : "y", tickvals: shown, ticktext: shown.map((index) => plain(moments[index][1])), range: [-0.5, moments.length - 0.5] },
    yaxis: { ...axis("size in MB"), domain: latencies.length ? [0.55, 1] : [0, 1], rangemode: "tozero" },
    ...(latencies.length ? { yaxis2: { ...axis("median latency in ms"), domain: [0, 0.45], rangemode: "tozero" } } : {}),
    showlegend: true, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, margin: { l: 50, r: 12, t: 40, b: 44 },
  }, latencies.length ? 480 : 300);
}
