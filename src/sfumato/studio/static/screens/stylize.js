/**
 * A whole photo in the style of others: a preview that follows each choice, and the file at full size.
 * @import * as Api from "../types.d.ts"
 * @import { Screen } from "../route.js"
 */

import * as api from "../api.js";
import { CompareView } from "../compare.js";
import { button, h, hush, icon, modelOption, say, wordNow } from "../dom.js";
import { form } from "../form.js";
import { failed } from "../notices.js";
import { brought, caption, exampleRow, picked } from "../pictures.js";
import { go, settle } from "../route.js";
import { saving } from "../saving.js";
import { shares } from "../shares.js";
import { later, recall, remember, store } from "../store.js";
import { zone } from "../zone.js";
import { planned } from "./batch.js";

const PREVIEW_MS = 150;
const PREVIEW_SIDE = 640;

/** @returns {Screen} */
export function stylizeScreen() {
  /** @type {Api.Photo | null} */ let photo = null;
  /** @type {ReturnType<typeof form> | null} */ let options = null;
  let asked = new AbortController();
  const view = /** @type {CompareView} */ (h(/** @type {any} */ ("compare-view"), { hidden: true }));
  const state = h("p", { class: "state", role: "status" });
  const chosen = h("div", { class: "own-photo" });
  const model = h("select", { id: "stylize-model" });
  const optionPlace = h("div", {});
  const masked = h("input", { type: "checkbox", class: "switch", id: "stylize-masked" });

  const kind = () => store.models.find((one) => one.name === model.value);
  const needsStyles = () => kind()?.fits.includes("stylize") ?? true;
  const optimises = () => kind()?.method === "gatys";
  const able = () => Boolean(photo && kind() && (!needsStyles() || styles.possible()));
  /** @returns {Api.PreviewRequest} */
  const choice = () => {
    const weights = needsStyles() ? styles.weights() : [];
    const { iterations, ...others } = options?.read() ?? {};
    return { model: model.value, styles: needsStyles() ? styles.ids() : [], options: { ...others, ...(iterations && optimises() ? { iterations } : {}), ...(weights.length ? { weights } : {}) }, use_mask: masked.checked && !masked.disabled };
  };
  /** Whether the file will be drawn larger than the preview. */
  const isFiner = () => {
    const { draw_size, size } = options?.read() ?? {};
    return Math.min(draw_size ?? Infinity, size ?? Math.max(...(photo?.size ?? [0]))) > PREVIEW_SIDE;
  };
  /** Asks for a preview of what is chosen, if that can be; what was asked before is of no account then. */
  const preview = later(PREVIEW_MS, async () => {
    if (!photo || !able() || !options?.possible()) return;
    asked.abort();
    asked = new AbortController();
    const mine = asked;
    const { id } = photo;
    view.classList.add("waits");
    say(state, "stylize.working");
    try {
      const made = await api.stylizePreview(id, { ...choice(), side: PREVIEW_SIDE }, mine.signal);
      if (asked !== mine) return;
      if (photo?.id === id) view.renew(made);
      say(state, isFiner() ? "stylize.finer" : "stylize.preview");
    } catch (error) {
      const { name, code, message } = /** @type {api.Refusal} */ (error);
      if (asked !== mine || name === "AbortError") return;
      if (code !== "superseded") say(state, "stylize.failed", { why: message });
      else if (!node.hidden) preview(); // Another tab asked too; that has had its turn by then.
    } finally {
      if (asked === mine) view.classList.remove("waits");
    }
  });
  /** Gives up the preview that was asked for: there is nothing to be seen. */
  const giveUp = () => {
    preview.stop();
    asked.abort();
  };
  const changed = () => {
    remember("stylize", { photo: photo?.id, model: model.value, options: options?.read(), masked: masked.checked, styles: styles.kept() });
    stylesPart.hidden = !needsStyles();
    const looks = options?.fields.get("iterations");
    if (looks) looks.node.hidden = !optimises();
    masked.disabled = !photo?.mask?.pixels;
    photoPart.hidden = paint.disabled = !photo;
    if (photo && empty.contains(document.activeElement)) change.focus();
    empty.hidden = Boolean(photo);
    view.hidden = !photo;
    save.allow(able());
    folder.disabled = !able();
    if (able()) return preview();
    giveUp();
    if (photo) say(state, "stylize.no_style");
    else hush(state);
    return undefined;
  };
  const styles = shares("style", changed);
  const take = (/** @type {Api.Photo | undefined} */ one) => {
    if (!one) return;
    photo = one;
    if (!node.hidden) settle("stylize", one.id); // It may have come when another screen was shown.
    chosen.replaceChildren(h("img", { src: api.at.thumb(one.id), alt: "" }), caption(one));
    view.show({ before: api.at.preview(one.id), after: api.at.preview(one.id), width: one.work[0], height: one.work[1] });
    save.size(size, one.size);
    changed();
  };
  const change = button("photo", "stylize.change", async () => take((await picked("photo"))[0]), { only: true });
  let painted = ""; // Of which photo the zone was gone to.
  const paint = button("brush", "stylize.paint", () => {
    if (!photo) return;
    zone.purpose = "stylize";
    painted = photo.id;
    go("zone", photo.id);
  }, { class: "quiet small" });
  const folder = button("folder", "save.folder", () => {
    if (!options?.valid()) return;
    planned({ title: wordNow("model", model.value, kind()?.title), recipe: { kind: "stylize", model: choice().model, styles: choice().styles, options: choice().options } });
    go("batch");
  }, { class: "quiet" });
  const size = h("p", { class: "dim" });
  const save = saving({ kind: "stylize", ready: () => options?.valid() ?? false, start: (options_) => api.stylize(/** @type {Api.Photo} */ (photo).id, { ...choice(), save: options_ }), more: [size, folder] });
  const photoPart = h("section", {}, h("h2", { t: "stylize.photo_title" }), h("div", { class: "row" }, chosen, change));
  const stylesPart = h("section", {}, h("h2", { t: "stylize.styles" }), styles.node);
  const empty = h(
    "div",
    { class: "drop" },
    h("div", { class: "mark" }, icon("stylize")),
    h("h2", { t: "stylize.title" }),
    h("p", { class: "lead", t: "stylize.lead" }),
    button("photo", "stylize.photo", async () => take((await picked("photo"))[0]), { class: "go" }),
    h("p", { class: "dim", t: "stylize.or" }),
    exampleRow("photo", (one) => store.example(one, false).then(take, failed)),
  );
  for (const control of [model, masked]) control.addEventListener("change", changed);
  const panel = h(
    "aside",
    { class: "panel" },
    photoPart,
    stylesPart,
    h("section", {}, h("h2", { t: "stylize.how" }), h("div", { class: "field select" }, h("label", { for: "stylize-model", t: "field.model" }), model), optionPlace, h("div", { class: "field checkbox" }, h("label", { for: "stylize-masked", t: "field.use_mask" }), masked, h("small", { t: "help.use_mask" })), paint),
    save.node,
  );
  const node = h("div", { class: "screen stylize" }, h("h1", { class: "unseen", t: "tab.stylize", tabindex: -1 }), h("div", { class: "stage" }, view, empty, state), panel, save.action);

  /** Fills in what can be chosen, and what was chosen before. */
  const prepare = async () => {
    await store.load();
    if (options || !store.options) return;
    options = form(store.options.stylize, { without: ["weights"], plain: ["strength", "keep_colors", "draw_size", "iterations"] });
    optionPlace.append(options.node);
    model.append(...store.fitting("stylize", "translate").map((one) => modelOption(one)));
    const kept = recall("stylize", /** @type {any} */ ({}));
    if (store.models.some((one) => one.name === kept.model)) model.value = kept.model;
    options.write({ draw_size: PREVIEW_SIDE, ...kept.options });
    masked.checked = Boolean(kept.masked);
    const before = (kept.styles ?? []).map((/** @type {[string, number]} */ [id, weight]) => ({ photo: store.photos.get(id), weight }));
    styles.restore(before.filter((/** @type {{photo?: Api.Photo}} */ one) => one.photo));
    options.heard(changed);
    if (kept.photo && !photo) take(store.photos.get(kept.photo));
  };
  return {
    node,
    enter: async (id) => {
      await prepare();
      if (id) take(await store.fresh(id));
      else if (photo) take(store.photos.get(photo.id));
      if (photo && photo.id === painted && photo.mask?.pixels) masked.checked = true; // Who paints a zone wants it.
      painted = "";
      changed();
      if (photo) save.resume(photo.id);
    },
    leave: () => preview.stop(),
    files: async (files) => {
      if (photo) await styles.bring(files);
      else await brought(files[0], { parts: false }).then(take, failed);
    },
    key: (event) => view.key(event),
  };
}

