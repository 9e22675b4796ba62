// Shared by several charts: tooltips, Pareto fronts and groups of points.

const MAX_WIDTH = 64;

function wrapped(text) {
  const lines = [""];
  for (const word of String(text).split(" ")) {
    if (lines[lines.length - 1].length + word.length > MAX_WIDTH) lines.push("");
    lines[lines.length - 1] += `${word.slice(0, 2 * MAX_WIDTH)} `;
  }
  return lines.map((line) => plain(line.trim())).join("<br>  ");
}

function pairs(conditions, list) {
  list.replaceChildren(...conditions.map(([title, text]) => {
    const pair = element("div", "");
    element("dt", title, pair);
    element("dd", text, pair);
    return pair;
  }));
}

// Show the main facts of a point next to the pointer; a click shows the rest.
function showTip(point, { clientX, clientY }) {
  const tip = $("tip");
  element("strong", `${point.label}, ${place(point)}`, (tip.replaceChildren(), tip));
  pairs(point.summary, tip.appendChild(element("dl", "")));
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const left = clientX + 18 + width < innerWidth ? clientX + 18 : clientX - 18 - width;
  tip.style.left = `${Math.max(4, left)}px`;
  tip.style.top = `${Math.max(4, Math.min(clientY - height / 3, innerHeight - height - 4))}px`;
}

// Show a tooltip on hover, and the details on click.
function addHandlers(chart) {
  for (const event of ["plotly_hover", "plotly_unhover", "plotly_click"]) chart.removeAllListeners(event);
  chart.on("plotly_hover", (event) => showTip(POINTS[event.points[0].customdata], event.event));
  chart.on("plotly_unhover", () => { $("tip").hidden = true; });
  chart.on("plotly_click", (event) => {
    $("tip").hidden = true;
    show(event.points[0].customdata, true);
  });
}

// The points [id, cost, gain] that no other point dominates.
function front(points) {
  return points.filter(([, cost, gain]) => !points.some(
    ([, otherCost, otherGain]) => otherCost <= cost && otherGain >= gain && (otherCost < cost || otherGain > gain),
  ));
}

function grouped(ids, name) {
  const groups = new Map();
  for (const id of ids) groups.set(name(POINTS[id]), [...(groups.get(name(POINTS[id])) || []), id]);
  return groups;
}

// Machines and thread counts with a latency; the index selects the dash pattern of the front.
const places = (ids) => [...new Set(ids.filter((id) => POINTS[id].median_ms !== null && accuracy(POINTS[id])).map((id) => place(POINTS[id])))];

const images = (point) => (accuracy(point) && accuracy(point).images) || "";
const place = (point) => (point.threads === null ? point.device : `${point.device}, ${point.threads} thread${point.threads === 1 ? "" : "s"}`);
