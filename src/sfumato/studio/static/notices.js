/** Short messages at the edge of the page, which screen readers say as they come. */

import { button, h, say } from "./dom.js";

const SHOWN_MS = 7000;
/** After so long who goes to another screen, or begins something new, has read a note. */
const NOTE_MS = 1000;

/** Where they stand: in the dialog that is open, beside which nothing can be read or pressed, else on the page. */
function place() {
  const all = /** @type {HTMLElement} */ (document.getElementById("notices"));
  const dialog = [...document.querySelectorAll("dialog[open]")].at(-1);
  if (dialog && !dialog.contains(all)) {
    dialog.append(all);
    dialog.addEventListener("close", () => document.body.append(all), { once: true });
  }
  return all;
}

/**
 * @param {"note" | "error"} kind
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function notice(kind, key, values) {
  const words = h("p", { class: "words" });
  say(words, key, values);
  const box = h("div", { class: `notice ${kind}`, role: kind === "error" ? "alert" : "status", "data-since": String(performance.now()) }, words);
  box.append(button("close", "notice.close", () => box.remove(), { only: true }));
  const all = place();
  all.append(box);
  while (all.children.length > 3) all.firstElementChild?.remove();
  if (kind === "note") setTimeout(() => box.remove(), SHOWN_MS);
  return box;
}

/** Takes away what has been there for a while, and long enough to be read: on another screen it would only stand in the way. */
export function tidy() {
  for (const box of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".notice"))) {
    if (performance.now() - Number(box.dataset.since) > (box.classList.contains("error") ? SHOWN_MS : NOTE_MS)) box.remove();
  }
}

/** Says what went wrong; work that was given up on purpose is no error. */
export function failed(/** @type {unknown} */ error) {
  const { name, message, code } = /** @type {Error & {code?: string}} */ (error);
  if (name === "AbortError" || code === "superseded") return;
  notice("error", "notice.failed", { what: message });
}
