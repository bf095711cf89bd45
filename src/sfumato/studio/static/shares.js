/**
 * Several pictures with a share each: styles, or swatches of a texture.
 * @import * as Api from "./types.d.ts"
 */

import * as api from "./api.js";
import { button, h, refill, say } from "./dom.js";
import { failed, notice } from "./notices.js";
import { brought, picked, title, titled } from "./pictures.js";
import { store } from "./store.js";
import { percent } from "./text.js";

/**
 * @param {"style" | "swatch"} use
 * @param {() => void} changed
 * @param {boolean} [weighted]  whether shares can be set
 */
export function shares(use, changed, weighted = true) {
  /** @type {{photo: Api.Photo, weight: number}[]} */ let list = [];
  const rows = h("div", { class: "shares" });
  const add = button("add", `pick.${use}`, async () => put(await picked(use)), { class: "quiet" });

  const full = h("p", { class: "dim", hidden: true });

  /** How many there may be. @returns {number} */
  const most = () => {
    const { stylize, texture } = store.options?.requests ?? {};
    const asked = use === "style" ? stylize?.properties.styles : texture?.properties.swatches;
    return asked?.maxItems ?? Infinity;
  };
  /** As many as there is room for; says so if there is none for all. @template T @param {T[]} ones */
  const fitting = (ones) => {
    const room = Math.max(0, most() - list.length);
    if (ones.length > room) notice("error", `shares.full_${use}`, { n: most() });
    return ones.slice(0, room);
  };
  const told = () => {
    const sum = list.reduce((all, one) => all + one.weight, 0);
    rows.querySelectorAll("output").forEach((node, i) => (node.textContent = sum ? percent(list[i].weight / sum) : ""));
  };
  const fill = () => {
    const several = weighted && list.length > 1;
    refill(
      rows,
      list.map((one, i) => {
        const weight = h("input", { type: "range", min: 0, max: 100, step: 1, value: one.weight });
        say(weight, "shares.weight", { name: title(one.photo) }, "aria-label");
        weight.addEventListener("input", () => {
          one.weight = weight.valueAsNumber;
          told();
          changed();
        });
        const drop = button("close", "shares.remove", () => {
          list.splice(i, 1);
          add.disabled = false; // It may have the focus when none is left.
          fill();
          changed();
        }, { only: true });
        const name = titled(h("span", { class: "name" }), one.photo);
        return h("div", { class: "share", "data-id": one.photo.id }, h("img", { src: api.at.thumb(one.photo.id), alt: "" }), h("div", { class: "words" }, name, several && h("div", { class: "row" }, weight, h("output"))), drop);
      }),
      add,
    );
    told();
    const room = list.length < most();
    full.hidden = room;
    if (!room) {
      say(full, `shares.full_${use}`, { n: most() });
      if (document.activeElement === add) rows.querySelector("button")?.focus();
    }
    add.disabled = !room;
  };
  const put = (/** @type {Api.Photo[]} */ photos) => {
    const fresh = fitting(photos.filter((photo) => !list.some((one) => one.photo.id === photo.id)));
    if (!fresh.length) return;
    list.push(...fresh.map((photo) => ({ photo, weight: 50 })));
    fill();
    changed();
  };
  return {
    node: h("div", {}, rows, add, full),
    /** Ids in their order. */
    ids: () => list.map((one) => one.photo.id),
    /** A number for each; none where all have the same share. */
    weights: () => (list.some((one) => one.weight !== list[0].weight) ? list.map((one) => one.weight) : []),
    possible: () => list.length > 0 && list.some((one) => one.weight > 0),
    restore: (/** @type {{photo: Api.Photo, weight: number}[]} */ kept) => {
      list = kept.slice(0, most());
      fill();
    },
    kept: () => list.map((one) => [one.photo.id, one.weight]),
    bring: (/** @type {File[]} */ files) => Promise.all(fitting(files).map((file) => brought(file, { parts: false }))).then(put, failed),
  };
}
