/** Which screen is shown: `#SCREEN` or `#SCREEN/ID` in the address, so that reload, back and forward work. */

/** @typedef {"photo" | "zone" | "variants" | "save" | "batch" | "stylize" | "texture" | "train"} ScreenName */

/**
 * A screen. `enter` comes whenever it is shown, with what its address names; `files` with pictures that were dropped
 * or pasted; `key` with keys outside of text fields and says whether it used them.
 * @typedef {object} Screen
 * @property {HTMLElement} node
 * @property {(id: string) => void | Promise<void>} enter
 * @property {() => void} [leave]
 * @property {(files: File[]) => void} [files]
 * @property {(event: KeyboardEvent) => boolean} [key]
 */

export function go(/** @type {ScreenName} */ screen, id = "") {
  location.hash = id ? `${screen}/${id}` : screen;
}

/** The same without a step in the history: the address only says more of what is shown. */
export function settle(/** @type {ScreenName} */ screen, /** @type {string} */ id) {
  history.replaceState(null, "", `#${screen}/${id}`);
}

/** @returns {[string, string]} the screen's name and what it shows */
export function here() {
  const [screen, id = ""] = location.hash.slice(1).split("/");
  return [screen || "photo", id];
}
