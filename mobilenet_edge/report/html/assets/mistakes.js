// What the file of one row gets wrong: confused classes, and answers that differ from another file.

const signed = (share) => `${share < 0 ? "−" : "+"}${Math.abs(100 * share).toFixed(1)}`;
const EFFECTS = { "-1": "lost", 0: "wrong in both", 1: "gained" };

function cell(row, count, share, right) {
  const node = element("td", count ? String(count) : "", row);
  if (count) {
    node.className = right ? "right" : "wrong";
    node.style.setProperty("--share", `${Math.round(100 * share)}%`);
  }
}

function matrix({ names, cells, sizes, classes }) {
  const counts = names.map(() => new Map());
  cells.forEach(([row, column, count]) => counts[row].set(column, count));
  const rest = names.map((_, row) => (sizes[row] || 0) - [...counts[row].values()].reduce((sum, count) => sum + count, 0));
  const head = element("tr", "", element("thead", "", ($("confusion").replaceChildren(), $("confusion"))));
  element("td", "class ↓ answer →", head);
  [...names, ...(rest.some((count) => count > 0) ? ["others"] : [])].forEach((name) => {
    element("span", name, element("th", "", head)).parentNode.scope = "col";
  });
  const body = element("tbody", "", $("confusion"));
  names.forEach((name, index) => {
    const row = element("tr", "", body);
    element("th", name, row).scope = "row";
    names.forEach((_, column) => cell(row, counts[index].get(column), counts[index].get(column) / sizes[index], index === column));
    if (head.children.length > names.length + 1) cell(row, Math.max(rest[index], 0), rest[index] / sizes[index], false);
  });
  $("confusion-remark").textContent = `Number of images by right class and answer; the shade is the share of the row.${
    names.length < classes ? ` Shown are ${names.length} of ${classes} classes, those confused most often.` : ""}`;
}

function gallery(pictures, parent) {
  const list = element("ul", "", parent);
  list.className = "gallery";
  pictures.forEach(({ name, truth, before, after, effect }) => {
    const entry = element("li", "", list);
    if (DATA.thumbnails[name]) {
      const image = element("img", "", entry);
      image.src = DATA.thumbnails[name];
      image.alt = name;
    }
    element("strong", EFFECTS[effect], entry).className = EFFECTS[effect];
    element("span", `${truth}: ${before} → ${after}`, entry).title = name;
  });
}

function comparison(entry, parent) {
  element("h3", `Against ${entry.against}`, parent);
  const [low, high] = entry.interval;
  element("p", `${signed(entry.difference)} points of right answers (95 %: ${signed(low)} to ${signed(high)}), `
    + `${entry.shown ? "shown" : "not shown"} by ${entry.n} images (McNemar, p = ${entry.p_value}). `
    + `${entry.changed} answers changed: ${entry.lost} lost, ${entry.gained} gained. `
    + (entry.shown || !entry.needed ? "" : `About ${entry.needed} such images would show a difference of that size.`), parent);
  if (entry.classes.length) {
    const classes = entry.classes.slice(0, 10).map(([name, lost, gained]) => `${name} −${lost} +${gained}`);
    element("p", `Classes with most of them: ${classes.join(", ")}.`, parent).className = "remark";
  }
  gallery(entry.pictures, parent);
  if (entry.pictures.length < entry.changed) element("p", `${entry.pictures.length} of ${entry.changed} changed answers.`, parent).className = "remark";
}

function mistakes(point) {
  const entry = DATA.mistakes[point.file];
  $("confusion-figure").hidden = !(entry && entry.matrix);
  $("comparisons").replaceChildren();
  if (entry && entry.matrix) matrix(entry.matrix);
  if (entry) entry.comparisons.forEach((each) => comparison(each, $("comparisons")));
}
