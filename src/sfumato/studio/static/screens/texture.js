/**
 * A texture of any size from one or several swatches.
 * @import * as Api from "../types.d.ts"
 * @import { Outcome } from "../jobs.js"
 * @import { Screen } from "../route.js"
 */

import * as api from "../api.js";
import { button, h, icon, modelOption, say } from "../dom.js";
import { form, valid } from "../form.js";
import { download, JobBar } from "../jobs.js";
import { failed, notice } from "../notices.js";
import { exampleRow } from "../pictures.js";
import { shares } from "../shares.js";
import { recall, remember, store } from "../store.js";
import { bytes } from "../text.js";

const SIDES = [256, 512, 1024, 2048];
/** What a request says beside the options of the optimisation. */
const ASIDE = ["swatch_size", "seed"];
/** Options that are lists of names, which no control shows, or belong to those. */
const UNSHOWN = ["weights", "perceptual", "style_layers", "layer_weights"];
/** The model that works from swatches. */
const FREE = "gatys";

/** A result, once or as a floor of tiles. */
function sheet() {
  const image = h("img", { class: "result", alt: "" });
  say(image, "texture.result", undefined, "alt");
  const floor = h("div", { class: "floor", role: "img", label: "texture.floor", hidden: true });
  const tiled = button("tiles", "texture.tiled", () => {
    floor.hidden = !floor.hidden;
    image.hidden = !image.hidden;
    tiled.setAttribute("aria-pressed", String(!floor.hidden));
  }, { class: "quiet small" });
  tiled.setAttribute("aria-pressed", "false");
  const words = h("span", { class: "dim", "data-own": "" });
  /** @type {Api.File | null} */ let shown = null;
  const get = button("save", "texture.download", () => shown && download(shown), { class: "go" });
  const node = h("div", { class: "sheet-view", hidden: true }, h("div", { class: "paper" }, image, floor), h("div", { class: "row" }, words, tiled, get));
  const show = (/** @type {Api.File} */ file) => {
    shown = file;
    image.src = api.at.filePreview(file.id);
    floor.style.backgroundImage = `url("${api.at.filePreview(file.id)}")`;
    words.textContent = `${file.width} × ${file.height} · ${bytes(file.bytes)}`;
    node.hidden = false;
  };
  return { node, show };
}

/** @returns {Screen} */
export function textureScreen() {
  /** @type {ReturnType<typeof form> | null} */ let options = null;
  /** @type {ReturnType<typeof form> | null} */ let saves = null;
  const bar = new JobBar({ kind: "texture", changed: () => changed() });
  const result = sheet();
  const asidePlace = h("div", {});
  const optionPlace = h("div", {});
  const savePlace = h("div", {});
  const side = (/** @type {string} */ name) => h("input", { type: "number", id: `texture-${name}`, min: 16, max: 16384, step: 1, value: 512, required: true, inputmode: "numeric" });
  const [width, height] = [side("width"), side("height")];
  const seamless = h("input", { type: "checkbox", class: "switch", id: "texture-seamless", checked: true });

  /** @type {ReturnType<typeof form> | null} */ let aside = null;
  const model = h("select", { id: "texture-model" });
  const learned = () => Boolean(model.value) && model.value !== FREE;
  const able = () => learned() || swatches.possible();
  const changed = () => {
    remember("texture", { size: [width.value, height.value], seamless: seamless.checked, options: options?.read(), aside: aside?.read(), swatches: swatches.kept() });
    for (const part of [swatchPart, optionPlace]) part.hidden = learned();
    modelPart.hidden = model.options.length < 2;
    make.disabled = !able() || bar.busy;
    if (able() && empty.contains(document.activeElement)) make.focus();
    empty.hidden = able() || !result.node.hidden;
    ready.hidden = !able() || !result.node.hidden || bar.busy;
    for (const chip of presets.children) chip.setAttribute("aria-pressed", String([width.value, height.value].every((value) => value === chip.textContent)));
  };
  const swatches = shares("swatch", changed);
  const square = (/** @type {number} */ length) => {
    width.value = height.value = String(length);
    changed();
  };
  const presets = h("div", { class: "chips", role: "group", label: "texture.sizes" }, ...SIDES.map((length) => h("button", { type: "button", class: "chip", "data-own": "", onclick: () => square(length) }, length)));
  /** Shows what a job has made, once it has. */
  const ended = async (/** @type {Promise<Outcome | null>} */ job) => {
    try {
      const outcome = await job;
      if (outcome?.end === "cancelled") notice("note", "texture.cancelled");
      else if (outcome) {
        result.show(outcome.files[0]);
        remember("texture.file", outcome.files[0]);
        notice("note", "texture.done");
      }
    } catch (error) {
      failed(error);
    }
    changed();
  };
  const run = () => {
    if (!valid(width, height) || !options?.valid() || !aside?.valid()) return;
    const from = learned() ? { model: model.value } : { swatches: swatches.ids(), weights: swatches.weights(), options: options.read() };
    /** @type {Api.TextureRequest} */
    const wanted = { ...from, ...aside.read(), size: [width.valueAsNumber, height.valueAsNumber], seamless: seamless.checked, save: saves?.read() ?? {} };
    ended(bar.begin(() => api.texture(wanted)));
  };
  const make = button("make", "texture.make", run, { class: "go" });
  const empty = h(
    "div",
    { class: "drop" },
    h("div", { class: "mark" }, icon("texture")),
    h("h2", { t: "texture.title" }),
    h("p", { class: "lead", t: "texture.lead" }),
    exampleRow("swatch", (one) => store.example(one, false).then((photo) => {
      swatches.restore([{ photo, weight: 50 }]);
      changed();
    }, failed)),
  );
  const ready = h("p", { class: "nothing", t: "texture.ready", hidden: true });
  const swatchPart = h("section", {}, h("h2", { t: "texture.swatches" }), swatches.node);
  const modelPart = h("section", { hidden: true }, h("div", { class: "field select" }, h("label", { for: "texture-model", t: "field.model" }), model));
  const panel = h(
    "aside",
    { class: "panel" },
    modelPart,
    swatchPart,
    h(
      "section",
      {},
      h("h2", { t: "texture.size" }),
      presets,
      h("div", { class: "sides" }, h("label", { for: "texture-width", t: "field.width" }), width, h("label", { for: "texture-height", t: "field.height" }), height),
      h("div", { class: "field checkbox" }, h("label", { for: "texture-seamless", t: "field.seamless" }), seamless, h("small", { t: "help.seamless" })),
    ),
    h("section", {}, h("h2", { t: "texture.how" }), asidePlace, optionPlace),
    h("section", {}, h("h2", { t: "save.title" }), savePlace),
  );
  for (const control of [width, height, seamless, model]) control.addEventListener("input", changed);
  const node = h("div", { class: "screen texture" }, h("h1", { class: "unseen", t: "tab.texture", tabindex: -1 }), h("div", { class: "stage" }, empty, ready, result.node), panel, h("div", { class: "action" }, bar.node, h("div", { class: "row" }, make)));
  return {
    node,
    enter: async () => {
      await store.load();
      if (!options && store.options) {
        aside = form(store.options.requests.texture, { only: ASIDE });
        options = form(store.options.texture, { without: UNSHOWN, plain: [] });
        saves = form(store.options.save, { only: ["format", "quality", "embed_recipe"], plain: ["format"] });
        asidePlace.append(aside.node);
        optionPlace.append(options.node);
        savePlace.append(saves.node);
        model.append(...store.fitting("texture").map(modelOption));
        if (store.models.some((one) => one.name === FREE)) model.value = FREE;
        const kept = recall("texture", /** @type {any} */ ({}));
        if (kept.size) [width.value, height.value] = kept.size;
        if ("seamless" in kept) seamless.checked = kept.seamless;
        options.write(kept.options ?? {});
        aside.write(kept.aside ?? {});
        const before = (kept.swatches ?? []).map((/** @type {[string, number]} */ [id, weight]) => ({ photo: store.photos.get(id), weight }));
        swatches.restore(before.filter((/** @type {{photo?: Api.Photo}} */ one) => one.photo));
        options.heard(changed);
        aside.heard(changed);
        const file = recall("texture.file", /** @type {Api.File | null} */ (null));
        if (file && (await api.blob(api.at.filePreview(file.id)).catch(() => null))) result.show(file);
      }
      changed();
      ended(bar.resume(null));
    },
    files: swatches.bring,
  };
}
