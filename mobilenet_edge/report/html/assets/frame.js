"use strict";
// The basis of all scripts: data, elements, theme and charts.

const DATA = JSON.parse(document.getElementById("data").textContent);
const POINTS = DATA.points;
const $ = (id) => document.getElementById(id);
const DARK = matchMedia("(prefers-color-scheme: dark)");
const NARROW = matchMedia("(max-width: 40rem)");

// Plotly interprets some tags and entities in labels, so they are escaped in names.
const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

const dark = () => (document.documentElement.dataset.theme || (DARK.matches ? "dark" : "light")) === "dark";
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const shade = (colour) => colour[dark() ? 1 : 0];

function element(tag, text, parent) {
  const node = document.createElement(tag);
  node.textContent = text;
  if (parent) parent.append(node);
  return node;
}

// Format milliseconds or megabytes with about three digits.
const figures = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(value < 0.1 ? 3 : 2));

// A logarithmic axis with ticks at 1, 2, 5, 10 and so on.
function logarithmic(values, title) {
  const low = Math.min(...values) / 1.12;
  const high = Math.max(...values) * 1.12;
  const ticks = [];
  const steps = high / low > 3 ? [1, 2, 5] : [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) {
    for (const step of steps) ticks.push(step * 10 ** power);
  }
  const shown = ticks.filter((tick) => tick >= low && tick <= high);
  return {
    ...axis(title), type: "log", range: [Math.log10(low), Math.log10(high)], tickvals: shown,
    ticktext: shown.map((tick) => String(Number(tick.toPrecision(3)))),
  };
}

function axis(title) {
  return {
    title: { text: title, standoff: 8 }, gridcolor: style("line"), linecolor: style("line"), zeroline: false,
    automargin: true, ticks: "", color: style("soft"),
  };
}

function draw(id, traces, layout, height) {
  const chart = $(id);
  chart.style.height = `${height}px`;
  const fullLayout = {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false, hovermode: "closest", height,
    font: { family: getComputedStyle(document.body).fontFamily, size: NARROW.matches ? 11 : 12, color: style("soft") },
    margin: { l: 50, r: 12, t: 8, b: 44 }, dragmode: matchMedia("(pointer: fine)").matches ? "zoom" : false,
    hoverlabel: {
      align: "left", bgcolor: style("card"), bordercolor: style("line"), font: { size: 11, color: style("ink") },
    },
    ...layout,
  };
  Plotly.react(chart, traces, fullLayout, { displayModeBar: false, responsive: true, edits: { shapePosition: true } });
  return chart;
}

function showMessage(id, sentence) {
  const chart = $(id);
  Plotly.purge(chart);
  chart.style.height = "auto";
  element("p", sentence, (chart.replaceChildren(), chart)).className = "remark";
}

function savedTheme(theme) {
  try {
    if (theme) localStorage.setItem("mnet-theme", theme);
    return localStorage.getItem("mnet-theme");
  } catch (error) {
    return null; // pages from files may have no storage
  }
}

function theme(redraw) {
  const button = $("theme");
  const show = () => {
    button.setAttribute("aria-pressed", String(dark()));
    button.textContent = dark() ? "Light" : "Dark";
  };
  const stored = savedTheme();
  if (stored === "dark" || stored === "light") document.documentElement.dataset.theme = stored;
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = dark() ? "light" : "dark";
    savedTheme(document.documentElement.dataset.theme);
    show();
    redraw();
  });
  DARK.addEventListener("change", () => { show(); redraw(); });
  show();
}
