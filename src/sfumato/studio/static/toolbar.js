/**
 * The tools of a mask editor: what is at hand while painting, and what concerns the whole mask or its look.
 * @import { MaskEditor } from "./mask-editor.js"
 */

import { button, h, say } from "./dom.js";
import { form } from "./form.js";
import { LARGEST, SMALLEST } from "./mask-editor.js";
import { notice } from "./notices.js";
import { chosen } from "./pictures.js";
import { encoded } from "./png.js";
import { later, recall, remember, store } from "./store.js";
import { number, percent } from "./text.js";

/** Deviation of a soft edge in sizes of the zone at a softness of 0.5, and the least share of it, as in collage/blending.py. */
const [FEATHER, LEAST_WIDTH] = [0.03, 0.1];
const SHOWN_MS = 900;
const TINTS = { blue: [45, 104, 255], rose: [240, 60, 130], green: [20, 170, 90] };

/** The slider's steps are finer for small brushes. */
const toSize = (/** @type {number} */ step) => SMALLEST * (LARGEST / SMALLEST) ** (step / 100);
const toStep = (/** @type {number} */ size) => (100 * Math.log(size / SMALLEST)) / Math.log(LARGEST / SMALLEST);

/** The bar under the picture: tools, size, undo and redo. */
export function toolbar(/** @type {MaskEditor} */ editor) {
  const brush = button("brush", "tool.brush", () => editor.pick("brush"), { only: true, keys: "B" });
  const lasso = button("lasso", "tool.lasso", () => editor.pick("lasso"), { only: true, keys: "L" });
  const add = button("add", "tool.add", () => editor.pick(editor.tool, false), { only: true, keys: "B" });
  const erase = button("eraser", "tool.erase", () => editor.pick(editor.tool, true), { only: true, keys: "E" });
  const undo = button("undo", "tool.undo", () => editor.undo(), { only: true, keys: "Control+Z" });
  const redo = button("redo", "tool.redo", () => editor.redo(), { only: true, keys: "Control+Shift+Z" });
  const fit = button("fit", "tool.fit", () => editor.fit(), { only: true, keys: "0" });
  const size = h("input", { type: "range", min: 0, max: 100, step: 1, label: "tool.size", tip: "tool.size" });
  const dot = h("span", { class: "size" });
  size.addEventListener("input", () => editor.resize(toSize(size.valueAsNumber)));
  const tell = () => {
    for (const [node, on] of /** @type {const} */ ([[brush, editor.tool === "brush"], [lasso, editor.tool === "lasso"], [add, !editor.erasing], [erase, editor.erasing]])) {
      node.setAttribute("aria-pressed", String(on));
    }
    size.value = String(Math.round(toStep(editor.size)));
    say(dot, "tool.pixels", { n: editor.size });
    size.disabled = editor.tool !== "brush";
    undo.disabled = !editor.mask.past.length;
    redo.disabled = !editor.mask.future.length;
  };
  for (const event of ["tool", "edit"]) editor.addEventListener(event, tell);
  tell();
  const pair = (/** @type {HTMLElement[]} */ ...nodes) => h("div", { class: "pair", role: "group" }, ...nodes);
  const bar = h("div", { class: "toolbar", role: "toolbar", label: "tool.all" }, pair(brush, lasso), pair(add, erase), h("div", { class: "sizer" }, size, dot), pair(undo, redo), fit);
  return { node: bar, tell };
}

/** The mask as a file that a browser may save. */
async function saved(/** @type {MaskEditor} */ editor) {
  const { bits, width, height } = editor.mask;
  const file = await encoded(bits.map((bit) => bit * 255), width, height);
  const link = h("a", { href: URL.createObjectURL(file), download: "mask.png" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Takes a mask from a picture of any size: bright is in. Where it is transparent nothing is. */
async function opened(/** @type {MaskEditor} */ editor) {
  const [file] = await chosen();
  if (!file) return;
  const picture = await createImageBitmap(file).catch(() => null);
  if (!picture) {
    notice("error", "mask.unreadable");
    return;
  }
  const { width, height } = editor.mask;
  const canvas = new OffscreenCanvas(width, height);
  const paper = canvas.getContext("2d");
  paper?.drawImage(picture, 0, 0, width, height);
  const pixels = paper?.getImageData(0, 0, width, height).data ?? new Uint8ClampedArray(width * height * 4);
  const bits = new Uint8Array(width * height);
  for (let i = 0; i < bits.length; i++) {
    const light = 0.2126 * pixels[4 * i] + 0.7152 * pixels[4 * i + 1] + 0.0722 * pixels[4 * i + 2];
    bits[i] = Number((light * pixels[4 * i + 3]) / 255 >= 128);
  }
  if (editor.mask.become(bits)) editor.changed();
}

/** What concerns the whole mask, and how the veil looks. */
export function maskTools(/** @type {MaskEditor} */ editor) {
  const act = (/** @type {string} */ picture, /** @type {string} */ key, /** @type {() => boolean | void} */ work, keys = "") =>
    button(picture, key, () => work() !== false && editor.changed(), { class: "quiet small", keys });
  const step = () => Math.max(1, Math.round(Math.max(editor.mask.width, editor.mask.height) / 300));
  const edges = h(
    "div",
    { class: "grid" },
    act("grow", "mask.grow", () => editor.mask.grow(step())),
    act("shrink", "mask.shrink", () => editor.mask.grow(-step())),
    act("fill", "mask.fill", () => editor.mask.fill()),
    act("invert", "mask.invert", () => editor.mask.invert(), "I"),
    act("reset", "mask.reset", () => editor.mask.reset()),
  );
  const files = h("div", { class: "grid" }, button("open", "mask.import", () => opened(editor), { class: "quiet small" }), button("save", "mask.export", () => saved(editor), { class: "quiet small" }));
  return h("div", { class: "mask-tools" }, h("h3", { t: "mask.title" }), edges, softTools(editor), h("h3", { t: "veil.title" }), veilTools(editor), h("h3", { t: "mask.files" }), files);
}

/** How wide the edge of what is drawn will be; while it is moved the veil has about that edge. */
function softTools(/** @type {MaskEditor} */ editor) {
  const place = h("div", {});
  /** @type {ReturnType<typeof form> | null} */ let made = null;
  const sharpen = later(SHOWN_MS, () => editor.soften(0));
  const choose = () => {
    const softness = made?.fields.get("softness")?.read();
    remember("blend", { ...recall("blend", {}), softness });
    editor.soften(FEATHER * Math.max(2 * softness, LEAST_WIDTH) * Math.sqrt(editor.mask.area));
    sharpen();
  };
  const fill = () => {
    if (!made && store.options) {
      made = form(store.options.collage, { only: ["softness"] });
      made.heard(choose);
      place.append(made.node);
    }
    made?.write(recall("blend", {}));
  };
  editor.addEventListener("pointerdown", sharpen.now);
  store.addEventListener("photos", fill);
  fill();
  return place;
}

function veilTools(/** @type {MaskEditor} */ editor) {
  const opacity = h("input", { type: "range", min: 5, max: 100, step: 1, id: "veil-opacity" });
  const told = h("output", { for: "veil-opacity" });
  const dim = () => {
    editor.style.setProperty("--veil", String(opacity.valueAsNumber / 100));
    told.textContent = percent(opacity.valueAsNumber / 100);
    remember("veil", opacity.valueAsNumber);
  };
  opacity.addEventListener("input", dim);
  opacity.value = String(recall("veil", 50));
  dim();
  const tints = h("div", { class: "tints", role: "radiogroup", label: "veil.color" });
  const now = recall("tint", "blue");
  for (const [name, tint] of Object.entries(TINTS)) {
    const radio = h("input", { type: "radio", name: "tint", value: name, label: `veil.${name}`, class: name });
    const pick = () => {
      editor.tint = /** @type {[number, number, number]} */ (tint);
      remember("tint", name);
      editor.repaint();
    };
    radio.addEventListener("change", pick);
    if (name === now) {
      radio.checked = true;
      pick();
    }
    tints.append(radio);
  }
  const bare = button("eye", "veil.hide", () => {}, { class: "quiet small", keys: "V" });
  for (const [name, hidden] of /** @type {const} */ ([["pointerdown", true], ["pointerup", false], ["pointerleave", false], ["blur", false]])) bare.addEventListener(name, () => editor.peek(hidden));
  bare.addEventListener("keydown", (event) => (event.key === "Enter" || event.key === " ") && editor.peek(true));
  bare.addEventListener("keyup", () => editor.peek(false));
  const label = h("label", { for: "veil-opacity", t: "veil.opacity" });
  return h("div", { class: "veil-tools" }, h("div", { class: "field range" }, label, opacity, told), h("div", { class: "row" }, tints, bare));
}

/** How close the picture is, in percent of the screen's pixels. */
export function zoomBadge(/** @type {MaskEditor} */ editor) {
  const badge = h("span", { class: "zoom-badge", "aria-hidden": "true" });
  editor.addEventListener("zoom", () => (badge.textContent = editor.ready ? `${number(editor.view.scale * devicePixelRatio * 100, 0)} %` : ""));
  return badge;
}
