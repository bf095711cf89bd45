/** Elements of the page, and the texts that they show in the language that is chosen. */

import { known, text } from "./text.js";
import { drawing } from "./icons.js";

/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {"text" | "aria-label" | "title" | "placeholder" | "alt" | "label"} Slot  where a text stands */
/** @typedef {Record<string, string | number>} Values */

/** @type {WeakMap<Element, Map<Slot, [string, Values | undefined]>>} */
const said = new WeakMap();

function show(/** @type {Element} */ node, /** @type {Slot} */ slot, /** @type {string} */ words) {
  if (slot === "text") node.textContent = words;
  else node.setAttribute(slot, words);
}

/**
 * Gives an element a text by its key, now and whenever the language changes.
 * @param {Element} node
 * @param {string} key
 * @param {Values} [values]
 * @param {Slot} [slot]
 */
export function say(node, key, values, slot = "text") {
  const slots = said.get(node) ?? new Map();
  slots.set(slot, [key, values]);
  said.set(node, slots);
  node.setAttribute("data-said", "");
  show(node, slot, text(key, values));
}

/** Takes a text away. */
export function hush(/** @type {Element} */ node) {
  said.get(node)?.delete("text");
  node.textContent = "";
}

/** Says all texts again, in the language that is now chosen. */
export function sayAgain() {
  for (const node of document.querySelectorAll("[data-said]")) {
    for (const [slot, [key, values]] of said.get(node) ?? []) show(node, slot, text(key, values));
  }
}

/**
 * An element. Of the properties, `t`, `label`, `tip` and `hint` are keys of texts (inside, aria-label, title,
 * placeholder), functions are listeners, and the rest are attributes; true is an attribute without a value.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} [properties]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  /** @type {Record<string, Slot>} */
  const slots = { t: "text", label: "aria-label", tip: "title", hint: "placeholder" };
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name in slots) say(node, value, undefined, slots[name]);
    else if (typeof value === "function") node.addEventListener(name.replace(/^on/, ""), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child || child === 0).map((child) => (typeof child === "number" ? String(child) : /** @type {Node | string} */ (child))));
  return node;
}

const CONTROLS = "button, input, select, a[href]";

/** The controls of an element, which may be one itself, but for hidden ones. */
function controls(/** @type {Element | undefined} */ node) {
  if (!node) return [];
  return /** @type {HTMLElement[]} */ ([...(node.matches(CONTROLS) ? [node] : []), ...node.querySelectorAll(CONTROLS)].filter((one) => !one.closest("[hidden]")));
}

/**
 * Fills a box anew with elements that have a `data-id`, or a `data-missed`. What had the focus in it has it again, or its neighbour if it is
 * gone; if nothing is left, `otherwise`.
 * @param {Element} box
 * @param {HTMLElement[]} nodes
 * @param {HTMLElement | null} [otherwise]
 */
export function refill(box, nodes, otherwise = null) {
  const before = /** @type {HTMLElement[]} */ ([...box.children]);
  const place = before.findIndex((node) => node.contains(document.activeElement));
  const which = controls(before[place]).findIndex((node) => node === document.activeElement);
  box.replaceChildren(...nodes);
  if (place < 0) return;
  const { id, missed } = before[place].dataset;
  const now = nodes.find((node) => node.dataset.id === id && node.dataset.missed === missed) ?? nodes[Math.min(place, nodes.length - 1)];
  const found = controls(now);
  (found[Math.min(Math.max(which, 0), found.length - 1)] ?? otherwise)?.focus({ preventScroll: true });
}

/** A picture of 24 x 24 units in the colour of the text. */
export function icon(/** @type {string} */ name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  for (const d of drawing(name)) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

/**
 * A button with an icon and a text; with `only` the text is its name and shows on hovering.
 * @param {string} picture
 * @param {string} key
 * @param {(event: MouseEvent) => void} act
 * @param {{only?: boolean, class?: string, keys?: string, id?: string}} [more]  `keys` is the shortcut, for aria-keyshortcuts
 */
export function button(picture, key, act, more = {}) {
  const node = h("button", { type: "button", class: more.class ?? (more.only ? "tool" : ""), id: more.id, onclick: act }, picture && icon(picture));
  if (more.only) for (const slot of /** @type {Slot[]} */ (["aria-label", "title"])) say(node, key, undefined, slot);
  else node.append(h("span", { t: key }));
  if (more.keys) node.setAttribute("aria-keyshortcuts", more.keys);
  return node;
}

/** A word of the user or of a file, which no language translates. */
export function own(/** @type {string} */ words, tag = /** @type {"span" | "strong"} */ ("span")) {
  return h(tag, { "data-own": "" }, words);
}

/** The key of a word of the server, such as a part's name. */
const keyOf = (/** @type {string} */ kind, /** @type {string} */ name) => `${kind}.${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_")}`;

/** Whether the page has a word of its own for one of the server's. */
export const knows = (/** @type {string} */ kind, /** @type {string} */ name) => known(keyOf(kind, name));

/** A word of the server in the page's language, or as the server says it if that has none. */
export function word(/** @type {string} */ kind, /** @type {string} */ name, otherwise = name) {
  const key = keyOf(kind, name);
  return known(key) ? h("span", { t: key }) : own(otherwise);
}

/** The same as plain words, to stand in a sentence. */
export function wordNow(/** @type {string} */ kind, /** @type {string} */ name, otherwise = name) {
  const key = keyOf(kind, name);
  return known(key) ? text(key) : otherwise;
}

/** A model as an entry of a list. */
export function modelOption(/** @type {{name: string, title: string, problem: string}} */ { name, title, problem }) {
  const entry = h("option", { value: name, disabled: Boolean(problem) });
  if (knows("model", name)) say(entry, keyOf("model", name));
  else {
    entry.setAttribute("data-own", "");
    entry.textContent = title || name;
  }
  return entry;
}
