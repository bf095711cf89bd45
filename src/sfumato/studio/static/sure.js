/** Questions before something is removed that nobody can bring back. */

import { button, h, say } from "./dom.js";

/**
 * A question that takes the place of the button that asks it, and goes when it is answered; Escape is a no.
 * @param {HTMLButtonElement} ask  what is pressed to remove something
 * @param {string} key  of the question
 * @param {import("./dom.js").Values} values
 * @param {() => void} act  removes it
 * @param {{remove?: string, keep?: string, open?: boolean, heard?: (open: boolean) => void}} [more]  keys of both answers,
 *     whether it is asked from the beginning, and who hears that it is asked or answered
 */
export function sure(ask, key, values, act, { remove = "sure.remove", keep = "sure.keep", open = false, heard = () => {} } = {}) {
  const words = h("p", { class: "words" });
  say(words, key, values);
  const show = (/** @type {boolean} */ on) => {
    node.hidden = !on;
    ask.hidden = on;
  };
  const turn = (/** @type {boolean} */ on) => {
    show(on);
    heard(on);
    (on ? no : ask).focus();
  };
  const no = button("undo", keep, () => turn(false), { class: "quiet small" });
  const node = h("div", { class: "sure", role: "group" }, words, h("div", { class: "row" }, button("close", remove, act, { class: "small" }), no));
  say(node, key, values, "aria-label");
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    turn(false);
  });
  ask.addEventListener("click", () => turn(true));
  show(open);
  return { node, close: () => show(false) };
}
