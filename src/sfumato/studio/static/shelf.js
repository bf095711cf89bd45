/**
 * The results that the studio keeps of the session, to save again or to remove: they take room, pictures or not.
 * @import * as Api from "./types.d.ts"
 */

import * as api from "./api.js";
import { button, h, icon, own, say } from "./dom.js";
import { failed, notice } from "./notices.js";
import { sure } from "./sure.js";
import { bytes } from "./text.js";

/** A list of results, hidden while there is none; `fill` asks for them anew. */
export function shelf() {
  const list = h("ul", { class: "files" });
  const total = h("span", { class: "dim", role: "status" });
  const ask = button("close", "shelf.clear", () => {}, { class: "quiet small" });
  const all = sure(ask, "shelf.clear_sure", {}, () => clear(), { remove: "shelf.clear", keep: "shelf.keep" });
  const node = h("section", { class: "results", hidden: true }, h("h2", { t: "shelf.title" }), list, h("div", { class: "row" }, total, ask), all.node);

  const row = (/** @type {Api.File} */ file) => {
    const get = h("a", { href: api.at.file(file.id), download: file.name, class: "tool" }, icon("save"));
    say(get, "shelf.get", { name: file.name }, "aria-label");
    const drop = button("close", "shelf.drop", () => {}, { only: true });
    for (const slot of /** @type {const} */ (["aria-label", "title"])) say(drop, "shelf.drop", { name: file.name }, slot);
    const doubt = sure(drop, "shelf.drop_sure", { name: file.name }, () => forget(file.id));
    const seen = file.holds.length ? icon("folder") : h("img", { src: api.at.fileThumb(file.id), alt: "", width: file.width, height: file.height, loading: "lazy", decoding: "async" });
    return h("li", { "data-id": file.id }, h("span", { class: "seen" }, seen), own(file.name), h("span", { class: "words", "data-own": "" }, bytes(file.bytes)), get, drop, doubt.node);
  };
  const show = (/** @type {Api.File[]} */ files) => {
    node.hidden = !files.length;
    all.close();
    list.replaceChildren(...files.map(row));
    const size = files.filter((one) => !one.holds.length).reduce((sum, one) => sum + one.bytes, 0);
    say(total, "shelf.total", { n: files.length, size: bytes(size) });
  };
  const fill = async () => show((await api.files()).files);
  /** Shows the list anew and puts the focus on the button that removes what is now in a place of it; with none left, on the screen's title. */
  const refill = async (/** @type {number} */ place) => {
    await fill().catch(failed);
    const next = list.children[Math.min(place, list.children.length - 1)];
    /** @type {HTMLElement | null | undefined} */ (next?.querySelector("button") ?? node.closest(".screen")?.querySelector("h1"))?.focus();
  };
  const forget = async (/** @type {string} */ id) => {
    const place = [...list.children].findIndex((one) => one.getAttribute("data-id") === id);
    await api.dropFile(id).catch(failed); // Perhaps it has gone already, which the list then shows.
    await refill(place);
  };
  const clear = async () => {
    const told = await api.dropFiles().then(() => () => notice("note", "shelf.cleared"), (error) => () => failed(error));
    await refill(0);
    told(); // Once that can be seen.
  };
  return { node, fill: () => fill().catch(failed) };
}
