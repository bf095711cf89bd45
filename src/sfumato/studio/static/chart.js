/** A line for each loss of a run, as it grows. */

import { h, hush, say } from "./dom.js";
import { number } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";
const [NARROWEST, HEIGHT, LEFT, FOOT] = [300, 240, 44, 22];
const MOST = 400;

/** @typedef {Record<string, any>} Line */

/** The names before the slash of what is measured; rates of learning are left out. */
function groups(/** @type {Line[]} */ lines) {
  const keys = new Set(lines.flatMap((line) => Object.keys(line).filter((key) => key.includes("/") && !key.startsWith("lr/") && Number.isFinite(line[key]))));
  /** @type {Map<string, string[]>} */
  const all = new Map();
  for (const key of [...keys].sort()) {
    const group = key.slice(0, key.lastIndexOf("/"));
    all.set(group, [...(all.get(group) ?? []), key]);
  }
  return all;
}

function drawn(/** @type {string} */ tag, /** @type {Record<string, string | number>} */ attributes, words = "") {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.textContent = words;
  return node;
}

/** Points of a curve, no more than can be seen: each the mean of its neighbours. */
function thinned(/** @type {[number, number][]} */ points) {
  const step = Math.ceil(points.length / MOST);
  const mean = (/** @type {number[]} */ values) => values.reduce((a, b) => a + b, 0) / values.length;
  return Array.from({ length: Math.ceil(points.length / step) }, (_, i) => {
    const part = points.slice(i * step, (i + 1) * step);
    return /** @type {[number, number]} */ ([mean(part.map((p) => p[0])), mean(part.map((p) => p[1]))]);
  });
}

export function chart() {
  const select = h("select", { label: "train.group" });
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("role", "img");
  const legend = h("ul", { class: "legend" });
  const none = h("p", { class: "dim" });
  /** @type {Line[]} */ let lines = [];

  const paint = (/** @type {string[]} */ keys) => {
    const width = Math.max(NARROWEST, svg.clientWidth);
    svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    const curves = keys.map((key) => thinned(lines.filter((line) => Number.isFinite(line[key])).map((line) => [line.images, line[key]])));
    const [xs, ys] = [0, 1].map((axis) => curves.flat().map((point) => point[axis]));
    const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(0, ...ys), Math.max(...ys)];
    const x = (/** @type {number} */ value) => LEFT + ((value - x0) / (x1 - x0 || 1)) * (width - LEFT - 8);
    const y = (/** @type {number} */ value) => HEIGHT - FOOT - ((value - y0) / (y1 - y0 || 1)) * (HEIGHT - FOOT - 8);
    svg.replaceChildren();
    for (let i = 0; i <= 4; i++) {
      const value = y0 + ((y1 - y0) * i) / 4;
      svg.append(drawn("line", { x1: LEFT, x2: width - 8, y1: y(value), y2: y(value), class: "rule" }));
      svg.append(drawn("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end", "data-own": "" }, number(Number(value.toPrecision(2)), 3)));
    }
    for (const [value, anchor] of /** @type {const} */ ([[x0, "start"], [x1, "end"]])) svg.append(drawn("text", { x: x(value), y: HEIGHT - 5, "text-anchor": anchor, "data-own": "" }, number(value, 0)));
    curves.forEach((points, i) => svg.append(drawn("polyline", { points: points.map((p) => `${x(p[0]).toFixed(1)},${y(p[1]).toFixed(1)}`).join(" "), class: `curve c${i % 6}` })));
    legend.replaceChildren(...keys.map((key, i) => {
      const last = lines.findLast((line) => Number.isFinite(line[key]))?.[key] ?? 0;
      return h("li", { class: `c${i % 6}`, "data-own": "" }, `${key.slice(key.lastIndexOf("/") + 1)}  ${number(last, 3)}`);
    }));
  };
  const show = () => {
    const all = groups(lines);
    const now = select.value;
    if ([...all.keys()].join() !== [...select.options].map((one) => one.value).join()) {
      select.replaceChildren(...[...all.keys()].map((name) => h("option", { value: name, "data-own": "" }, name)));
      if (all.has(now)) select.value = now;
    }
    const keys = all.get(select.value) ?? [];
    for (const part of [select, svg, legend]) part.toggleAttribute("hidden", !keys.length);
    if (!keys.length) return say(none, "train.no_log");
    hush(none);
    say(svg, "train.chart", { group: select.value, n: lines.length }, "aria-label");
    return paint(keys);
  };
  select.addEventListener("change", show);
  new ResizeObserver(show).observe(select.ownerDocument.body);
  return {
    node: h("div", { class: "chart" }, select, svg, legend, none),
    clear: () => {
      lines = [];
      show();
    },
    add: (/** @type {Line[]} */ more) => {
      lines.push(...more);
      show();
    },
  };
}
