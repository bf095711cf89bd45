/**
 * How a result becomes a file: format, quality and what is written beside the pixels.
 * @import * as Api from "./types.d.ts"
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
 * @param {{start: (save: Api.SaveOptions) => Promise<Api.Job>, more?: HTMLElement[], changed?: (save: Api.SaveOptions) => void, without?: string[]}} how
 */
export function saving({ start, more = [], changed = () => {}, without = [] }) {
  const bar = new JobBar();
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
  /** Runs the job; gives its file, which the browser saves unless `quiet`. */
  const run = async (save = read(), quiet = false) => {
    allow(false);
    try {
      const { end, files } = await bar.follow(await start(save));
      if (end === "cancelled") notice("note", "save.cancelled");
      else if (!quiet) {
        download(files[0]);
        if (files[0].note) notice("note", "notice.note", { note: api.remark(files[0].note) });
        notice("note", "save.done", { name: files[0].name, size: bytes(files[0].bytes), pixels: `${files[0].width} × ${files[0].height}` });
      }
      return end === "done" ? files[0] : null;
    } catch (error) {
      failed(error);
      return null;
    } finally {
      allow(true);
    }
  };
  const go = button("save", "save.save", () => run(), { class: "go save" });
  /** Puts the picture on the clipboard. Browsers want the promise at once, while the click is fresh. */
  const copy = () => {
    const made = run({ ...read(), format: "png" }, true).then((file) => (file ? api.blob(api.at.file(file.id)) : Promise.reject(new DOMException("", "AbortError"))));
    navigator.clipboard.write([new ClipboardItem({ "image/png": made })]).then(() => notice("note", "save.copied"), failed);
  };
  const clipboard = "clipboard" in navigator && button("copy", "save.copy", copy, { class: "quiet" });
  const allow = (/** @type {boolean} */ allowed) => {
    for (const one of [go, clipboard]) if (one) one.disabled = !allowed;
  };
  const fill = () => {
    if (choices || !store.options) return;
    choices = form(store.options.save, { plain: ["format", "quality"], without });
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
    button: go,
    read,
    allow,
    /** Says beneath the choices how large the file becomes. */
    size: (/** @type {HTMLElement} */ node, /** @type {readonly number[]} */ [width, height]) => say(node, "save.size", { width: String(width), height: String(height) }),
  };
}
