/** The dialog that tells the keys. */

import { button, h } from "./dom.js";

/** Two spaces stand between keys that do the same, or the opposite. @type {Record<string, [string, string][]>} */
const KEYS = {
  zone: [["B", "tool.brush"], ["L", "tool.lasso"], ["E", "tool.erase"], ["X", "keys.swap"], ["[  ]", "keys.size"], ["Alt + ↔", "keys.drag_size"], ["Shift + ●", "keys.straight"], ["◐", "keys.right"], ["Ctrl + Z", "tool.undo"], ["Ctrl + Shift + Z", "tool.redo"], ["I", "mask.invert"], ["Tab  V", "keys.peek"], ["␣ + ●", "keys.pan"], ["+  −", "keys.zoom"], ["0", "tool.fit"], ["1", "keys.whole"], ["← ↑ ↓ →", "keys.cross"], ["Enter", "keys.dab"], ["Ctrl + ← ↑ ↓ →", "keys.pan_by_keys"]],
  variants: [["← ↑ ↓ →", "keys.move"], ["Enter", "keys.open"], ["S", "variants.star"], ["H", "variants.hide"], ["A", "variants.pair"]],
  save: [["← →", "keys.line"], ["␣", "keys.original"], ["0", "keys.centre"]],
  app: [["Ctrl + V", "keys.paste"], ["?", "help.open"]],
};

export function shortcuts() {
  const dialog = h("dialog", { class: "shortcuts", label: "keys.title" });
  dialog.append(
    h("div", { class: "head" }, h("h2", { t: "keys.title" }), button("close", "keys.close", () => dialog.close(), { only: true })),
    h(
      "div",
      { class: "body" },
      ...Object.entries(KEYS).map(([part, keys]) => h("section", {}, h("h3", { t: `keys.${part}` }), h("dl", {}, ...keys.flatMap(([key, what]) => [h("dt", {}, ...key.split("  ").map((one) => h("kbd", { "data-own": "" }, one))), h("dd", { t: what })])))),
    ),
  );
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
}
