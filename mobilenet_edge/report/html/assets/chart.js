// What several charts share: what a point says of itself, and which points no other beats.

const WIDEST = 64;

function wrapped(text) {
  const lines = [""];
  for (const word of String(text).split(" ")) {
    if (lines[lines.length - 1].length + word.length > WIDEST) lines.push("");
    lines[lines.length - 1] += `${word.slice(0, 2 * WIDEST)} `;
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

// Everything known of a point beside the pointer: more lines than Plotly's own label has room for.
function tell(point, { clientX, clientY }) {
  const tip = $("tip");
  element("strong", `${point.label}, ${place(point)}`, (tip.replaceChildren(), tip));
  pairs([...point.conditions, ...point.doubts.map(({ text }) => ["doubt", text])], tip.appendChild(element("dl", "")));
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const beside = clientX + 18 + width < innerWidth ? clientX + 18 : clientX - 18 - width;
  tip.style.left = `${Math.max(4, beside)}px`;
  tip.style.top = `${Math.max(4, Math.min(clientY - height / 3, innerHeight - height - 4))}px`;
}

// A point says what it is when pointed at, and is shown in detail when clicked.
function listen(chart) {
  for (const event of ["plotly_hover", "plotly_unhover", "plotly_click"]) chart.removeAllListeners(event);
  chart.on("plotly_hover", (event) => tell(POINTS[event.points[0].customdata], event.event));
  chart.on("plotly_unhover", () => { $("tip").hidden = true; });
  chart.on("plotly_click", (event) => {
    $("tip").hidden = true;
    show(event.points[0].customdata, true);
  });
}

// Ids of the points no other beats; each is [id, cost, gain].
function front(points) {
  return points.filter(([, cost, gain]) => !points.some(
    ([, other, more]) => other <= cost && more >= gain && (other < cost || more > gain),
  ));
}

function grouped(ids, name) {
  const groups = new Map();
  for (const id of ids) groups.set(name(POINTS[id]), [...(groups.get(name(POINTS[id])) || []), id]);
  return groups;
}

// Whose latencies are drawn: each place has its dashes, in the legend and in the chart.
const places = (ids) => [...new Set(ids.filter((id) => POINTS[id].median_ms !== null && accuracy(POINTS[id])).map((id) => place(POINTS[id])))];

const images = (point) => (accuracy(point) && accuracy(point).images) || "";
const place = (point) => (point.threads === null ? point.device : `${point.device}, ${point.threads} thread${point.threads === 1 ? "" : "s"}`);
