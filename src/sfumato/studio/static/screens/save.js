/**
 * The fourth screen: a variant beside the photo, how it is laid in, and the file.
 * @import * as Api from "../types.d.ts"
 * @import { Screen } from "../route.js"
 */

import * as api from "../api.js";
import { CompareView } from "../compare.js";
import { button, h, refill, say } from "../dom.js";
import { form } from "../form.js";
import { failed, notice } from "../notices.js";
import { go } from "../route.js";
import { saving } from "../saving.js";
import { later, recall, remember, store } from "../store.js";
import { nameOf, stale, zone } from "../zone.js";
import { planned } from "./batch.js";

const BLEND_MS = 60;
/** The options that take effect without the model. */
const BLENDING = ["strength", "softness", "color_match", "blend"];

/** @returns {Screen} */
export function saveScreen() {
  /** @type {Api.Variant | null} */ let variant = null;
  /** @type {ReturnType<typeof form> | null} */ let blending = null;
  let asked = new AbortController();
  const view = /** @type {CompareView} */ (h(/** @type {any} */ ("compare-view")));
  const strip = h("div", { class: "strip", role: "group", label: "compare.others" });
  const blendPlace = h("div", {});
  const banner = h("p", { class: "banner", hidden: true, t: "save.stale", role: "status" });
  const cutout = h("input", { type: "checkbox", class: "switch", id: "cutout" });
  const size = h("p", { class: "dim" });

  const blend = () => /** @type {Api.CollageOptions} */ ({ ...blending?.first, ...blending?.read() });
  /** Lays the drawing in anew; only the last wish counts. */
  const renew = later(BLEND_MS, () => {
    if (!variant) return;
    asked.abort();
    asked = new AbortController();
    const { signal } = asked;
    const { id } = variant;
    remember("blend", blend());
    view.classList.add("waits");
    const shown = (/** @type {Blob} */ made) => variant?.id === id && view.renew(made);
    api.blend(id, { options: blend() }, signal).then(shown, failed).finally(() => signal.aborted || view.classList.remove("waits"));
  });
  const save = saving({
    kind: "export",
    start: (options) => api.exportVariant(/** @type {Api.Variant} */ (variant).id, { options: blend(), save: options, cutout: cutout.checked && options.format !== "jpeg" }),
    more: [
      h("div", { class: "field checkbox" }, h("label", { for: "cutout", t: "field.cutout" }), cutout, h("small", { t: "help.cutout" })),
      size,
      button("folder", "save.folder", () => {
        if (!variant) return;
        const labels = zone.photo?.id === variant.photo ? zone.chosen() : recall(`chosen.${variant.photo}`, /** @type {number[]} */ ([]));
        const parts = /** @type {Api.CollageOptions["parts"]} */ ((store.photos.get(variant.photo)?.status.parts ?? []).filter((part) => labels.includes(part.label)).map((part) => part.name));
        const { model } = variant;
        const painted = store.models.some((one) => one.name === model && one.fits.includes("stylize"));
        const styles = painted ? variant.styles : [];
        if (painted && !(styles.length && styles.every((one) => store.photos.has(one)))) return void notice("error", "error.style_gone");
        planned({ title: nameOf(variant), recipe: { kind: "collage", model, styles, options: { ...variant.options, ...blend(), ...(parts?.length ? { parts } : {}) } } });
        go("batch");
      }, { class: "quiet" }),
    ],
    changed: (options) => (cutout.disabled = options.format === "jpeg"),
  });
  const panel = h("aside", { class: "panel" }, h("section", {}, h("h2", { t: "compare.others" }), strip), h("section", {}, h("h2", { t: "blend.title" }), blendPlace), save.node);
  const node = h("div", { class: "screen save" }, h("h1", { class: "unseen", t: "step.save", tabindex: -1 }), h("div", { class: "stage" }, banner, view), panel, save.action);

  const fill = () => {
    if (!variant) return;
    const now = variant;
    const photo = store.photos.get(now.photo);
    const others = (photo?.variants ?? []).filter((one) => !stale(one) || one.id === now.id);
    refill(
      strip,
      others.map((one) => {
        const tile = h("button", { type: "button", class: "tile", "data-id": one.id, onclick: () => go("save", one.id), "aria-pressed": String(one.id === now.id) }, h("img", { src: api.at.variantThumb(one.id), alt: "" }));
        say(tile, "variants.open", { name: nameOf(one) }, "aria-label");
        return tile;
      }),
    );
    banner.hidden = !stale(now);
    if (photo) save.size(size, photo.size);
  };
  store.addEventListener("photos", () => !node.hidden && fill());
  return {
    node,
    enter: async (id) => {
      if (!id) return go(zone.photo ? "variants" : "photo", zone.photo?.id);
      await store.load();
      variant = await api.variant(id);
      const photo = store.photos.get(variant.photo) ?? (await store.fresh(variant.photo));
      remember(`variant.${variant.photo}`, id);
      if (!blending && store.options) {
        blending = form(store.options.collage, { only: BLENDING, plain: BLENDING.slice(0, 3) });
        blending.heard(renew);
        blendPlace.append(blending.node);
      }
      blending?.write({ ...variant.options, ...recall("blend", {}) });
      view.show({ before: api.at.preview(photo.id), after: api.at.variant(id), width: photo.work[0], height: photo.work[1] });
      fill();
      store.tell();
      const made = /** @type {Record<string, any>} */ (variant.options);
      if (Object.entries(blend()).some(([name, value]) => value !== made[name])) renew.now();
      save.resume(variant.photo);
      return undefined;
    },
    leave: () => renew.stop(),
    key: (event) => view.key(event),
  };
}
