// The state of the filters, the accuracy and the colours.

const FILTERS = ["device", "format", "precision", "threads"];
const ACCURACIES = ["measured", "published"].filter((kind) => POINTS.some((point) => point[kind]));

function visible() {
  const sets = FILTERS.map((name) => [name, new Set(
    [...document.querySelectorAll(`input[name=${name}]:checked`)].map((box) => box.value),
  )]);
  const doubted = new Set([...document.querySelectorAll("input[name=doubts]:not(:checked)")].map((box) => box.value));
  // Rows without a value, such as models that could not be built, pass the filter.
  return POINTS.map((point) => sets.every(([name, values]) => point[name] === null || values.has(String(point[name])))
    && !point.doubts.some(({ code }) => doubted.has(code)));
}

const accuracy = (point) => point[$("accuracy").value] || null;

function colours() {
  const by = $("colour").value;
  const values = [...new Set(POINTS.map((point) => point[by]))].filter((value) => value !== null);
  const { precisions, others } = DATA.colours;
  const byValue = new Map(values.map((value, index) => [value, (by === "precision" && precisions[value]) || others[index % others.length]]));
  return { by, values, of: (point) => shade(byValue.get(point[by]) || others[others.length - 1]) };
}

const symbol = (point) => DATA.symbols[point.format] || "triangle-up";

const SHAPES = {
  circle: "M7 2a5 5 0 1 0 .01 0z", diamond: "M7 1l6 6-6 6-6-6z", square: "M2 2h10v10H2z", "triangle-up": "M7 2l6 10H1z",
  line: "M0 7h26",
};

function mark(shape, colour, text, width = 14, stroke = "") {
  const entry = element("span", "");
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  drawing.setAttribute("viewBox", `0 0 ${width} 14`);
  path.setAttribute("d", SHAPES[shape]);
  path.setAttribute("fill", stroke ? "none" : colour);
  if (stroke) {
    path.setAttribute("stroke", colour);
    path.setAttribute("stroke-width", "1.5");
    path.setAttribute("stroke-dasharray", stroke);
  }
  drawing.append(path);
  entry.append(drawing, String(text));
  return entry;
}

function legend(ids) {
  const { by, values, of } = colours();
  const formats = [...new Set(POINTS.map((point) => point.format))].filter((format) => format !== null);
  const entries = values.map((value) => mark("circle", of({ [by]: value }), by === "threads" ? `${value} threads` : value));
  const shapes = by === "format" ? [] : formats.map((format) => mark(symbol({ format }), style("soft"), format));
  const lines = places(ids);
  const fronts = lines.map((title, index) => mark(
    "line", style("soft"), `front${lines.length > 1 ? `, ${title}` : ""}`, 26, ["26", "6 3", "2 3", "6 3 2 3"][index % 4],
  ));
  const hollow = POINTS.some((point) => point.predicted) ? [element("span", "hollow: predicted, not measured")] : [];
  $("legend").replaceChildren(...entries, ...shapes, ...fronts, ...hollow);
}
