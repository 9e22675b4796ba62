// Charts of what alpha and rho save, beside the square that the arithmetic predicts.

const CURVE = Array.from({ length: 51 }, (_, step) => step / 50);

function drawMultiplier(id, lines, letter, title) {
  $(`${id}-figure`).hidden = !lines.length;
  if (!lines.length) return;
  const { others } = DATA.colours;
  const largest = Math.max(...lines.map(({ points }) => points[points.length - 1][0]));
  const predicted = {
    type: "scatter", mode: "lines", x: CURVE.map((share) => share * largest), y: CURVE.map((share) => share ** 2), name: "predicted",
    showlegend: true, hoverinfo: "skip", line: { color: style("ink"), width: 1, dash: "dash" },
  };
  const traces = lines.map(({ name, points }, index) => {
    const colour = shade(others[index % others.length]);
    const [widest] = points[points.length - 1];
    // A line without the largest variant begins on the prediction.
    const begin = (widest / largest) ** 2;
    return {
      type: "scatter", mode: "lines+markers", x: points.map(([x]) => x), y: points.map(([, share]) => share * begin), name, showlegend: true,
      line: { color: colour, width: 2 }, marker: { color: colour, size: 6 }, hoverinfo: "text",
      hovertext: points.map(([x, share]) => `<b>${name}, ${letter} ${x}</b><br>${share.toFixed(3)} of the time<br>predicted: ${((x / widest) ** 2).toFixed(3)}`),
    };
  });
  draw(id, [predicted, ...traces], {
    xaxis: { ...axis(title), range: [0, largest * 1.04] }, yaxis: { ...axis("latency, as a share of the largest"), rangemode: "tozero" },
    showlegend: true, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, margin: { l: 50, r: 12, t: 40, b: 44 },
  }, 340);
}

function drawMultipliers() {
  const { multipliers } = DATA;
  if (!multipliers.length) return;
  const chosen = Number($("multiplied").value);
  document.querySelectorAll("[data-multiplied]").forEach((table, index) => { table.hidden = index !== chosen; });
  drawMultiplier("over-alpha", multipliers[chosen].alpha, "alpha", "alpha");
  drawMultiplier("over-rho", multipliers[chosen].rho, "rho", "rho in pixels");
}

if (DATA.multipliers.length) $("multiplied").addEventListener("change", drawMultipliers);
