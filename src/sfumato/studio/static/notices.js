/** Short messages at the edge of the page, which screen readers say as they come. */

import { button, h, say } from "./dom.js";

const SHOWN_MS = 7000;

/**
 * @param {"note" | "error"} kind
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function notice(kind, key, values) {
  const words = h("p", { class: "words" });
  say(words, key, values);
  const box = h("div", { class: `notice ${kind}`, role: kind === "error" ? "alert" : "status" }, words);
  box.append(button("close", "notice.close", () => box.remove(), { only: true }));
  const all = document.getElementById("notices");
  all?.append(box);
  while (all && all.children.length > 3) all.firstElementChild?.remove();
  if (kind === "note") setTimeout(() => box.remove(), SHOWN_MS);
  return box;
}

/** Says what went wrong; work that was given up on purpose is no error. */
export function failed(/** @type {unknown} */ error) {
  const { name, message, code } = /** @type {Error & {code?: string}} */ (error);
  if (name === "AbortError" || code === "superseded") return;
  notice("error", "notice.failed", { what: message });
}
