/**
 * How a result becomes a file: format, quality and what is written beside the pixels.
 * @import * as Api from "./types.d.ts"
 * @import { Outcome } from "./jobs.js"
 */

import * as api from "./api.js";
import { button, h, say } from "./dom.js";
import { form } from "./form.js";
import { download, JobBar } from "./jobs.js";
import { failed, notice } from "./notices.js";
import { recall, remember, store } from "./store.js";
import { bytes } from "./text.js";

/**
 * The choices and the button of a result that can be saved.
 * @param {object} how
 * @param {"export" | "stylize"} how.kind  of the job that makes the file
 * @param {(save: Api.SaveOptions) => Promise<Api.Job>} how.start
 * @param {() => boolean} [how.ready]  whether all that is chosen beside this can be; says what cannot
 * @param {HTMLElement[]} [how.more]
 * @param {(save: Api.SaveOptions) => void} [how.changed]
 */
export function saving({ kind, start, ready = () => true, more = [], changed = () => {} }) {
  let allowed = true;
  const bar = new JobBar({ kind, changed: () => able() });
  const place = h("div", { class: "choices" });
  /** @type {ReturnType<typeof form> | null} */ let choices = null;
  const read = () => /** @type {Api.SaveOptions} */ (choices?.read() ?? {});
  const tell = () => {
    const format = read().format ?? choices?.first.format;
    const quality = choices?.fields.get("quality");
    if (quality) quality.node.hidden = format === "png";
    remember("save", read());
    changed(read());
  };
  /** Has the browser save a file that was made. */
  const ended = (/** @type {Outcome} */ { end, files }) => {
    if (end === "cancelled") notice("note", "save.cancelled");
    else {
      download(files[0]);
      if (files[0].note) notice("note", "notice.note", { note: api.remark(files[0].note) });
      notice("note", "save.done", { name: files[0].name, size: bytes(files[0].bytes), pixels: `${files[0].width} × ${files[0].height}` });
    }
  };
  const run = async () => {
    if (!ready()) return;
    try {
      const outcome = await bar.begin(() => start(read()));
      if (outcome) ended(outcome);
    } catch (error) {
      failed(error);
    }
  };
  /** The picture as PNG. */
  const picture = async () => {
    const outcome = await bar.begin(() => start({ ...read(), format: "png" }), {}, false);
    if (outcome?.end === "cancelled") notice("note", "save.cancelled");
    if (outcome?.end !== "done") throw new DOMException("", "AbortError");
    return api.blob(api.at.file(outcome.files[0].id));
  };
  const go = button("save", "save.save", () => run(), { class: "go save" });
  /** Puts the picture on the clipboard. Browsers want the promise at once, while the click is fresh. */
  const copy = () => {
    if (!ready()) return;
    const made = picture();
    // What is wrong with the picture itself says so; a browser would tell only that it could not write.
    Promise.all([made, navigator.clipboard.write([new ClipboardItem({ "image/png": made })])]).then(() => notice("note", "save.copied"), failed);
  };
  const clipboard = "clipboard" in navigator && button("copy", "save.copy", copy, { class: "quiet" });
  const able = () => {
    for (const one of [go, clipboard]) if (one) one.disabled = !allowed || bar.busy;
  };
  const fill = () => {
    if (choices || !store.options) return;
    choices = form(store.options.save, { plain: ["format", "quality"] });
    choices.write(recall("save", {}));
    choices.heard(tell);
    place.append(choices.node);
    tell();
  };
  store.addEventListener("photos", fill);
  fill();
  return {
    node: h("section", { class: "saving" }, h("h2", { t: "save.title" }), place, ...more),
    action: h("div", { class: "action" }, bar.node, h("div", { class: "row" }, clipboard, go)),
    /** Whether there is something to save; while it is being saved, it cannot be saved again. */
    allow: (/** @type {boolean} */ something) => {
      allowed = something;
      able();
    },
    /** Goes on with what was being saved when the page was loaded anew. */
    resume: (/** @type {string} */ photo) => bar.resume(photo).then((found) => found?.mine && ended(found), failed),
    /** Says beneath the choices how large the file becomes. */
    size: (/** @type {HTMLElement} */ node, /** @type {readonly number[]} */ [width, height]) => say(node, "save.size", { width: String(width), height: String(height) }),
  };
}
