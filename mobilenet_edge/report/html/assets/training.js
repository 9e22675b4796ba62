// Charts of training runs.

function drawTraining() {
  const { training } = DATA;
  if (!training.length) return;
  const { others } = DATA.colours;
  const lines = (name, step) => training.map((run, index) => {
    const colour = shade(others[index % others.length]);
    return {
      type: "scatter", mode: "lines", x: run[name].map(([at]) => at), y: run[name].map(([, , accuracy]) => accuracy), name: plain(run.label),
      showlegend: true, line: { color: colour, width: 2, dash: ["solid", "dash", "dot"][Math.floor(index / others.length) % 3] }, hoverinfo: "text",
      hovertext: run[name].map(([at, loss, accuracy]) => `<b>${plain(run.label)}</b><br>${step} ${at}<br>accuracy ${accuracy} %<br>loss ${loss}`),
    };
  }).filter((line) => line.x.length);
  for (const [name, step] of [["head", "step"], ["tuning", "epoch"]]) {
    const traces = lines(name, step);
    $(`training-${name}-figure`).hidden = !traces.length;
    if (!traces.length) continue;
    draw(`training-${name}`, traces, {
      xaxis: { ...axis(step), tickformat: "d" }, yaxis: axis("accuracy on validation pictures in %"), showlegend: true,
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, margin: { l: 50, r: 12, t: 40, b: 44 },
    }, 320);
  }
}
