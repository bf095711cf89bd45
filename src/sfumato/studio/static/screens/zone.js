/**
 * The second screen: which part of the photo is drawn.
 * @import * as Api from "../types.d.ts"
 * @import { Screen } from "../route.js"
 */

import { sentence } from "../api.js";
import { button, h, hush, say, word } from "../dom.js";
import { failed } from "../notices.js";
import { go, settle } from "../route.js";
import { store } from "../store.js";
import { percent } from "../text.js";
import { maskTools, toolbar, zoomBadge } from "../toolbar.js";
import { known, stale, zone } from "../zone.js";
import { order } from "./variants.js";

/** Presets that each choose something else, and more than a single part, which has a chip of its own. */
function distinct(/** @type {Api.Preset[]} */ presets) {
  const sets = presets.map(({ labels }) => [...labels].sort((a, b) => a - b).join());
  return presets.filter(({ labels }, i) => labels.length > 1 && sets.indexOf(sets[i]) === i);
}

/** The chips: presets, parts that count as found, and parts that do not. */
function chips() {
  const { editor } = zone;
  const presets = h("div", { class: "chips presets", role: "group", label: "zone.presets" });
  const parts = h("div", { class: "chips parts", role: "group", label: "zone.parts" });
  const absent = h("div", { class: "chips absent" });
  const more = h("details", { class: "more", hidden: true }, h("summary", { t: "zone.absent" }), absent);
  const again = button("reset", "zone.again", () => zone.find(), { class: "quiet small again" });

  const part = (/** @type {Api.Part} */ { label, name, pixels, color }) => {
    const toggle = () => {
      const now = new Set(zone.chosen());
      if (!now.delete(label)) now.add(label);
      zone.choose(now);
    };
    const share = pixels / (editor.mask.width * editor.mask.height);
    const chip = h("button", { type: "button", class: "chip", "data-label": label, onclick: toggle }, h("span", { class: "dot" }), word("part", name));
    if (pixels) chip.append(h("small", {}, percent(share)));
    chip.style.setProperty("--dot", color);
    return chip;
  };
  const preset = (/** @type {Api.Preset} */ { name, labels }) => {
    const chip = h("button", { type: "button", class: "chip preset", onclick: () => zone.choose(labels) }, word("preset", name));
    chip.dataset.labels = [...labels].sort((a, b) => a - b).join();
    return chip;
  };
  const fill = () => {
    const found = zone.status?.parts ?? [];
    presets.replaceChildren(...distinct(zone.status?.presets ?? []).map(preset));
    parts.replaceChildren(...found.filter((one) => one.pixels).sort((a, b) => Number(a.label === 0) - Number(b.label === 0) || b.pixels - a.pixels).map(part));
    absent.replaceChildren(...found.filter((one) => !one.pixels).map(part));
    more.hidden = !absent.children.length;
    again.hidden = !zone.photo || zone.looking || known(zone.status);
    tell();
  };
  const tell = () => {
    const chosen = zone.chosen();
    for (const chip of [...parts.children, ...absent.children]) chip.setAttribute("aria-pressed", String(chosen.includes(Number(/** @type {HTMLElement} */ (chip).dataset.label))));
    for (const chip of presets.children) chip.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (chip).dataset.labels === chosen.join()));
  };
  zone.addEventListener("parts", fill);
  editor.addEventListener("edit", tell);
  fill();
  return [presets, parts, more, again];
}

/** The key of what is known of the parts. */
function found() {
  const { status, looking } = zone;
  if (looking) return "zone.finding";
  if (!status) return "";
  if (status.state === "parsed") return status.source === "first_zone" ? "zone.first_guess" : "";
  return status.state === "no_person" ? "zone.nobody" : status.state === "failed" ? "zone.no_parser" : "zone.stopped";
}

/** What is known of the parts, in a sentence over the picture. */
function findings() {
  const words = h("p", { class: "words", role: "status" });
  const node = h("div", { class: "findings", hidden: true }, words);
  zone.addEventListener("parts", () => {
    const key = found();
    const problem = zone.status?.problem;
    if (key) say(words, key, { why: problem ? sentence(problem) : "" });
    else hush(words);
    if (!node.contains(zone.bar.node)) node.replaceChildren(words, zone.bar.node);
    node.hidden = !key;
  });
  // What has been read would only hide the picture from who paints it.
  zone.editor.addEventListener("pointerdown", () => (node.hidden ||= zone.bar.node.hidden));
  return node;
}

/** @returns {Screen} */
export function zoneScreen() {
  const { editor } = zone;
  editor.setAttribute("aria-describedby", "zone-keys");
  say(editor, "zone.editor", undefined, "aria-label");
  const info = h("p", { class: "info", role: "status" });
  const make = button("next", "zone.make", async () => {
    const { photo, purpose } = zone;
    if (!photo) return;
    if (purpose) await zone.flush().then(() => go(purpose, photo.id), failed);
    else if (make.dataset.does === "make") order(photo.id);
    else go("variants", photo.id);
  }, { class: "go", id: "make" });
  const tools = h("div", { class: "sheet", id: "zone-sheet" });
  const unfold = (/** @type {boolean} */ open) => {
    panel.classList.toggle("open", open);
    more.setAttribute("aria-expanded", String(open));
  };
  const more = button("more", "zone.more", () => unfold(!panel.classList.contains("open")), { only: true, class: "tool phone" });
  more.setAttribute("aria-controls", "zone-sheet");
  more.setAttribute("aria-expanded", "false");
  const bar = toolbar(editor);
  bar.node.append(more);
  const panel = h("aside", { class: "panel" }, h("div", { class: "choice" }, h("h2", { t: "zone.title" }), h("p", { class: "dim desk", t: "zone.lead" }), ...chips()), tools);
  const stage = h("div", { class: "stage" }, editor, findings(), zoomBadge(editor), h("p", { class: "unseen", id: "zone-keys", t: "zone.keys" }));
  // Who points goes on with the picture; who presses keys stays where the focus is.
  for (const part of [bar.node, panel]) {
    part.addEventListener("click", (event) => event.detail > 0 && event.target instanceof Element && event.target.closest("button") && editor.focus({ preventScroll: true }));
  }
  const tell = () => {
    const { area, width, height } = editor.mask;
    make.disabled = !area || !zone.photo;
    if (!zone.photo) hush(info);
    else if (area) say(info, "zone.share", { share: percent(area / (width * height)) });
    else say(info, "zone.empty");
    const variants = zone.photo?.variants ?? [];
    const made = variants.length > 0 && !zone.unsent && variants.some((one) => !stale(one));
    make.dataset.does = made ? "see" : "make";
    say(/** @type {Element} */ (make.lastElementChild), zone.purpose ? "zone.back" : made ? "zone.see" : "zone.make");
  };
  editor.addEventListener("edit", tell);
  editor.addEventListener("pointerdown", () => unfold(false));
  for (const event of ["parts", "saved"]) zone.addEventListener(event, tell);
  store.addEventListener("photos", tell);
  tell();
  const node = h("div", { class: "screen zone" }, h("h1", { class: "unseen", t: "step.zone", tabindex: -1 }), stage, bar.node, panel, h("div", { class: "action" }, info, make));
  return {
    node,
    enter: async (id) => {
      if (!id && !zone.photo) return go("photo");
      if (!tools.firstChild) tools.append(button("close", "zone.fold", () => unfold(false), { only: true, class: "tool phone fold-up" }), maskTools(editor));
      await zone.open(id || /** @type {Api.Photo} */ (zone.photo).id).catch((error) => {
        if (zone.photo) settle("zone", zone.photo.id); // Its zone could not be kept, so it is still the one that is shown.
        throw error;
      });
      bar.tell();
      tell();
      return undefined;
    },
    leave: () => {
      unfold(false);
      zone.purpose = null;
      zone.flush().catch(failed);
    },
    key: (event) => editor.key(event),
  };
}
