// What is chosen: by filters, by which accuracy, by what gives the colour.

const FILTERS = ["device", "format", "precision", "threads"];
const ACCURACIES = ["measured", "published"].filter((kind) => POINTS.some((point) => point[kind]));

function chosen() {
  const sets = FILTERS.map((name) => [name, new Set(
    [...document.querySelectorAll(`input[name=${name}]:checked`)].map((box) => box.value),
  )]);
  const doubted = new Set([...document.querySelectorAll("input[name=doubts]:not(:checked)")].map((box) => box.value));
  // A row without a value, such as a model that could not be built, is no business of that filter.
  return POINTS.map((point) => sets.every(([name, values]) => point[name] === null || values.has(String(point[name])))
    && !point.doubts.some(({ code }) => doubted.has(code)));
}

const accuracy = (point) => point[$("accuracy").value] || null;

function colours() {
  const by = $("colour").value;
  const values = [...new Set(POINTS.map((point) => point[by]))].filter((value) => value !== null);
  const { own, others } = DATA.colours;
  const found = new Map(values.map((value, index) => [value, (by === "precision" && own[value]) || others[index % others.length]]));
  return { by, values, of: (point) => shade(found.get(point[by]) || others[others.length - 1]) };
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
  const formats = [...new Set(POINTS.map((point) => point.format))].filter((each) => each !== null);
  const entries = values.map((value) => mark("circle", of({ [by]: value }), by === "threads" ? `${value} threads` : value));
  const shapes = by === "format" ? [] : formats.map((format) => mark(symbol({ format }), style("soft"), format));
  const lines = places(ids);
  const fronts = lines.map((title, index) => mark(
    "line", style("soft"), `front${lines.length > 1 ? `, ${title}` : ""}`, 26, ["26", "6 3", "2 3", "6 3 2 3"][index % 4],
  ));
  const hollow = POINTS.some((point) => point.predicted) ? [element("span", "hollow: predicted, not measured")] : [];
  $("legend").replaceChildren(...entries, ...shapes, ...fronts, ...hollow);
}
