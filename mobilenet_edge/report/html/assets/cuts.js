// Curves of mixed precision: agreement and SNR against latency, one point for each cut.

// The points of a chart in one colour, in the upper panel by agreement and in the lower one by SNR.
function cutDots(points, shape, colour, extra) {
  const hovertext = points.map(({ name, lines, chosen }) => [`<b>${plain(name)}</b>${chosen ? ", chosen" : ""}`, ...lines.map(plain)].join("<br>"));
  return [["y", "agreement"], ["y2", "snr_db"]].map(([yaxis, value]) => ({
    type: "scatter", mode: "markers", x: points.map(({ ratio }) => ratio), y: points.map((point) => point[value]), yaxis, hovertext,
    hoverinfo: "text", marker: { color: colour, size: 7, symbol: shape, ...extra },
  }));
}

function float32(chart) {
  return { name: "float32", ratio: chart.float32, agreement: 100, snr_db: null, lines: ["all layers in float", `${chart.float32.toFixed(2)} times int8 by estimate`] };
}

function curve(chart) {
  const { points, wanted } = chart;
  const shape = symbol(chart);
  const colour = (name) => shade(DATA.colours.all[name]);
  const ends = [...points, float32(chart)].map(({ ratio }) => ratio);
  const line = (x, y, yaxis, dash) => ({ type: "scatter", mode: "lines", hoverinfo: "skip", x, y, yaxis, line: { color: style(dash ? "soft" : "line"), width: 1.5, dash } });
  return [
    line([Math.min(...ends), Math.max(...ends)], [wanted, wanted], "y", "dot"),
    line(points.map(({ ratio }) => ratio), points.map((point) => point.snr_db), "y2"),
    ...cutDots(points.filter(({ int8 }) => !int8), shape, colour("mixed")),
    ...cutDots(points.filter(({ int8 }) => int8), shape, colour("int8")),
    ...cutDots([float32(chart)], shape, colour("float32")),
    ...cutDots(points.filter(({ chosen }) => chosen), `${shape}-open`, style("accent"), { size: 15, line: { width: 2 } }),
  ];
}

// Names beside the two ends and the chosen cut.
function endNames(chart) {
  const ends = [...chart.points.filter(({ int8, chosen }) => int8 || chosen), float32(chart)];
  const ratios = ends.map(({ ratio }) => ratio);
  const middle = (Math.min(...ratios) + Math.max(...ratios)) / 2;
  return ends.map(({ name, ratio, agreement }) => ({
    x: ratio, y: agreement, text: plain(name), showarrow: false, xanchor: ratio > middle ? "right" : "left", yanchor: "bottom",
    xshift: ratio > middle ? -8 : 8, yshift: 2, font: { size: 10, color: style("ink") }, bgcolor: style("ground"), opacity: 0.8, borderpad: 0,
  }));
}

function drawCuts() {
  DATA.cuts.forEach((chart, index) => {
    draw(`cuts-${index}`, curve(chart), {
      xaxis: { ...axis("estimated latency, relative to int8"), anchor: "y2" }, yaxis: { ...axis("agreement in %"), domain: [0.44, 1] },
      yaxis2: { ...axis("SNR in dB"), domain: [0, 0.36] }, annotations: endNames(chart),
    }, 400);
  });
}
