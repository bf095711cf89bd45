/**
 * The same on many photos: they are brought one after the other, then done in one job.
 * @import * as Api from "../types.d.ts"
 * @import { Screen } from "../route.js"
 */

import * as api from "../api.js";
import { button, h, icon, own, say } from "../dom.js";
import { download, JobBar } from "../jobs.js";
import { failed, notice } from "../notices.js";
import { brought, chosen } from "../pictures.js";
import { go } from "../route.js";
import { recall, remember } from "../store.js";
import { bytes, percent } from "../text.js";

/** @typedef {{title: string, recipe: Api.BatchRequest["recipe"]}} Plan */

/** Says what is to be done on the photos that come. */
export function planned(/** @type {Plan} */ plan) {
  remember("batch", plan);
}

/** @returns {Screen} */
export function batchScreen() {
  /** Photos that have come, by id, and their rows. @type {Map<string, HTMLElement>} */
  const rows = new Map();
  const bar = new JobBar();
  const list = h("ul", { class: "files" });
  const what = h("p", { class: "lead" });
  const info = h("p", { class: "info", role: "status" });
  const result = h("div", { class: "row", hidden: true });

  const state = (/** @type {HTMLElement} */ row, /** @type {string} */ key, values = {}) => {
    row.dataset.state = key;
    say(/** @type {Element} */ (row.querySelector(".words")), `batch.${key}`, values);
  };
  const tell = () => {
    start.disabled = !rows.size || !bar.node.hidden;
    for (const one of /** @type {NodeListOf<HTMLButtonElement>} */ (list.querySelectorAll("button"))) one.disabled = !bar.node.hidden;
    say(info, "batch.count", { n: rows.size });
  };
  /** Takes a row off the list; its photo stays in the studio. */
  const drop = (/** @type {HTMLElement} */ row) => {
    for (const [id, other] of rows) if (other === row) rows.delete(id);
    const next = /** @type {HTMLElement | null} */ ((row.nextElementSibling ?? row.previousElementSibling)?.querySelector("button"));
    row.remove();
    (next ?? more).focus();
    tell();
  };
  /** Brings files one at a time: more at once is no faster, and a failure stays with its file. */
  const bring = async (/** @type {File[]} */ files) => {
    const fresh = files.filter((file) => !file.type || file.type.startsWith("image/")).map((file) => {
      const row = h("li", {}, own(file.name), h("span", { class: "words" }));
      row.append(button("close", "batch.remove", () => drop(row), { only: true }));
      list.append(row);
      state(row, "waits");
      return /** @type {const} */ ([file, row]);
    });
    tell();
    for (const [file, row] of fresh) {
      if (!row.isConnected) continue; // It was taken off the list while it waited.
      try {
        const photo = await brought(file, { parts: false, sent: (share) => state(row, "sending", { share: percent(share) }) });
        if (row.isConnected) rows.set(photo.id, row);
        state(row, "ready");
      } catch (error) {
        state(row, "failed", { why: /** @type {Error} */ (error).message });
      }
      tell();
    }
  };
  const item = (/** @type {Api.ItemDone} */ { photo, file, problem }) => {
    const row = rows.get(photo);
    if (!row) return;
    if (problem) state(row, "failed", { why: api.sentence(problem) });
    else if (file) {
      state(row, "done");
      row.lastElementChild?.before(h("a", { href: api.at.file(file.id), download: file.name, class: "tool", label: "batch.download" }, icon("save")));
    }
  };
  const run = async () => {
    const plan = recall("batch", /** @type {Plan | null} */ (null));
    if (!plan) return;
    result.hidden = true;
    for (const row of rows.values()) {
      state(row, "ready");
      row.querySelector("a")?.remove();
    }
    try {
      const job = await api.batch({ photos: [...rows.keys()], recipe: plan.recipe, save: recall("save", {}) });
      const ended = bar.follow(job, { item });
      tell();
      const { end, files, failed: missed } = await ended;
      const archive = files.at(-1);
      if (end === "cancelled") notice("note", "batch.cancelled");
      else notice(missed ? "error" : "note", missed ? "batch.ended_with" : "batch.ended", { n: missed });
      if (archive?.type === "application/zip") {
        const get = button("save", "batch.archive", () => download(archive), { class: "go" });
        result.replaceChildren(get, h("span", { class: "dim", "data-own": "" }, bytes(archive.bytes)));
        result.hidden = false;
      }
    } catch (error) {
      failed(error);
    }
    tell();
  };
  const start = button("make", "batch.start", run, { class: "go" });
  const more = button("open", "batch.files", async () => bring(await chosen({ several: true })));
  const zone = h("div", { class: "drop small" }, h("p", { t: "batch.drop" }), h("div", { class: "row" }, button("folder", "batch.folder", async () => bring(await chosen({ folder: true }))), more));
  const node = h(
    "div",
    { class: "screen batch" },
    h("div", { class: "stage column" }, h("h1", { t: "batch.title", tabindex: -1 }), what, zone, list, result),
    h("div", { class: "action" }, bar.node, h("div", { class: "row" }, info, start)),
  );
  tell();
  return {
    node,
    enter: () => {
      const plan = recall("batch", /** @type {Plan | null} */ (null));
      if (!plan) return go("photo");
      say(what, plan.recipe.kind === "collage" ? "batch.lead_collage" : "batch.lead_stylize", { name: plan.title });
      return undefined;
    },
    files: bring,
  };
}
