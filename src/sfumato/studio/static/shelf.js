/**
 * The results that the studio keeps of the session, to save again or to remove: they take room, pictures or not.
 * @import * as Api from "./types.d.ts"
 */

import * as api from "./api.js";
import { button, h, icon, own, say } from "./dom.js";
import { failed, notice } from "./notices.js";
import { bytes } from "./text.js";

/** A list of results, hidden while there is none; `fill` asks for them anew. */
export function shelf() {
  const list = h("ul", { class: "files" });
  const total = h("span", { class: "dim", role: "status" });
  const ask = button("close", "shelf.clear", () => asking(true), { class: "quiet small" });
  const sure = h("div", { class: "row", hidden: true }, h("span", { t: "shelf.clear_sure" }), button("close", "shelf.clear", () => clear(), { class: "small" }), button("undo", "shelf.keep", () => asking(false), { class: "quiet small" }));
  const node = h("section", { class: "results", hidden: true }, h("h2", { t: "shelf.title" }), list, h("div", { class: "row" }, total, ask), sure);

  const asking = (/** @type {boolean} */ on) => {
    sure.hidden = !on;
    ask.hidden = on;
    (on ? /** @type {HTMLElement} */ (sure.lastElementChild) : ask).focus();
  };
  const row = (/** @type {Api.File} */ file) => {
    const get = h("a", { href: api.at.file(file.id), download: file.name, class: "tool" }, icon("save"));
    say(get, "shelf.get", { name: file.name }, "aria-label");
    const drop = button("close", "shelf.drop", () => forget(file.id, drop), { only: true });
    for (const slot of /** @type {const} */ (["aria-label", "title"])) say(drop, "shelf.drop", { name: file.name }, slot);
    return h("li", { "data-id": file.id }, own(file.name), h("span", { class: "words", "data-own": "" }, bytes(file.bytes)), get, drop);
  };
  const show = (/** @type {Api.File[]} */ files) => {
    node.hidden = !files.length;
    sure.hidden = true;
    ask.hidden = false;
    list.replaceChildren(...files.map(row));
    const size = files.filter((one) => !one.holds.length).reduce((sum, one) => sum + one.bytes, 0);
    say(total, "shelf.total", { n: files.length, size: bytes(size) });
  };
  const fill = async () => show((await api.files()).files);
  const forget = async (/** @type {string} */ id, /** @type {HTMLButtonElement} */ drop) => {
    drop.disabled = true;
    const place = [...list.children].findIndex((one) => one.getAttribute("data-id") === id);
    try {
      await api.dropFile(id);
    } catch (error) {
      failed(error); // Perhaps it has gone already, which the list then shows.
    }
    await fill().catch(failed);
    const next = list.children[Math.min(place, list.children.length - 1)];
    /** @type {HTMLElement | null | undefined} */ (next?.querySelector("button"))?.focus();
  };
  const clear = async () => {
    const told = await api.dropFiles().then(() => () => notice("note", "shelf.cleared"), (error) => () => failed(error));
    await fill().catch(failed);
    told(); // Once that can be seen.
  };
  return { node, fill: () => fill().catch(failed) };
}
