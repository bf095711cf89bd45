/**
 * The same on many photos: they are brought one after the other, then done in one job.
 * @import * as Api from "../types.d.ts"
 * @import { Outcome } from "../jobs.js"
 * @import { Screen } from "../route.js"
 */

import * as api from "../api.js";
import { button, h, icon, own, say } from "../dom.js";
import { download, JobBar } from "../jobs.js";
import { failed, notice } from "../notices.js";
import { brought, chosen, title } from "../pictures.js";
import { go } from "../route.js";
import { recall, remember, store, tab } from "../store.js";
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
  const bar = new JobBar({ kind: "batch", keeps: true, changed: () => tell() });
  const list = h("ul", { class: "files" });
  const what = h("p", { class: "lead" });
  const info = h("p", { class: "info", role: "status" });
  const result = h("div", { class: "row", hidden: true });

  const state = (/** @type {HTMLElement} */ row, /** @type {string} */ key, values = {}) => {
    row.dataset.state = key;
    say(/** @type {Element} */ (row.querySelector(".words")), `batch.${key}`, values);
  };
  /** How many photos one batch takes. @returns {number} */
  const most = () => store.options?.requests.batch.properties.photos.maxItems ?? Infinity;
  const tell = () => {
    const coming = list.querySelector('[data-state="waits"], [data-state="sending"]');
    start.disabled = !rows.size || rows.size > most() || Boolean(coming) || bar.busy;
    for (const one of /** @type {NodeListOf<HTMLButtonElement>} */ (list.querySelectorAll("button"))) one.disabled = bar.busy;
    if (rows.size > most()) say(info, "batch.full", { n: rows.size, most: most() });
    else say(info, "batch.count", { n: rows.size });
    if (restored) tab.remember("batch.photos", [...rows.keys()]);
  };
  /** Takes a row off the list; its photo stays in the studio. */
  const drop = (/** @type {HTMLElement} */ row) => {
    for (const [id, other] of rows) if (other === row) rows.delete(id);
    const next = /** @type {HTMLElement | null} */ ((row.nextElementSibling ?? row.previousElementSibling)?.querySelector("button"));
    row.remove();
    (next ?? more).focus();
    tell();
  };
  /** A new row of the list. */
  const line = (/** @type {string} */ name, /** @type {string} */ now) => {
    const row = h("li", {}, own(name), h("span", { class: "words" }));
    row.append(button("close", "batch.remove", () => drop(row), { only: true }));
    list.append(row);
    state(row, now);
    return row;
  };
  /** Brings files one at a time: more at once is no faster, and a failure stays with its file. */
  const bring = async (/** @type {File[]} */ files) => {
    const fresh = files.filter((file) => !file.type || file.type.startsWith("image/")).map((file) => /** @type {const} */ ([file, line(file.name, "waits")]));
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
  /** Says how a batch ended, and offers all that it made. */
  const ended = (/** @type {Outcome} */ { end, files, failed: missed }) => {
    if (end === "cancelled") notice("note", "batch.cancelled");
    else notice(missed ? "error" : "note", missed ? "batch.ended_with" : "batch.ended", { n: missed });
    offer(files.at(-1));
  };
  const offer = (/** @type {Api.File | undefined} */ archive) => {
    if (archive?.type !== "application/zip") return;
    const get = button("save", "batch.archive", () => download(archive), { class: "go" });
    result.replaceChildren(get, h("span", { class: "dim", "data-own": "" }, bytes(archive.bytes)));
    result.hidden = false;
  };
  const run = async () => {
    const plan = recall("batch", /** @type {Plan | null} */ (null));
    if (!plan || bar.busy) return;
    result.hidden = true;
    for (const row of rows.values()) {
      state(row, "ready");
      row.querySelector("a")?.remove();
    }
    try {
      const outcome = await bar.begin(() => api.batch({ photos: [...rows.keys()], recipe: plan.recipe, save: recall("save", {}) }), { item });
      if (outcome) ended(outcome);
    } catch (error) {
      failed(error);
    }
  };
  /** The list of before the page was loaded anew, and what has come of it since. */
  let restored = false;
  const restore = async () => {
    await store.load();
    if (restored) return;
    for (const id of tab.recall("batch.photos", /** @type {string[]} */ ([]))) {
      const photo = store.photos.get(id);
      if (photo) rows.set(id, line(title(photo), "ready"));
    }
    restored = true;
    tell();
    const found = await bar.resume(null, { item });
    if (found?.mine && !found.over) ended(found);
    else if (found?.mine) offer(found.files.at(-1)); // That it has ended was said before.
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
      restore().catch(failed);
      return undefined;
    },
    files: bring,
  };
}
