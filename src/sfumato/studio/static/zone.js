/**
 * The zone of the photo that is worked on: found parts, hand work, and the copy that the server holds.
 * @import * as Api from "./types.d.ts"
 */

import * as api from "./api.js";
import { h, knows, wordNow } from "./dom.js";
import { JobBar } from "./jobs.js";
import { Mask } from "./mask.js";
import { MaskEditor } from "./mask-editor.js";
import { failed, notice } from "./notices.js";
import { crc, decoded, encoded } from "./png.js";
import { later, recall, remember, store } from "./store.js";

const SAVE_MS = 700;

/** Tells `parts` when it is known what is on the photo, and `saved` when the server holds what is shown. */
class Zone extends EventTarget {
  constructor() {
    super();
    this.editor = /** @type {MaskEditor} */ (h(/** @type {any} */ ("mask-editor"), { role: "application" }));
    this.bar = new JobBar();
    /** @type {Api.Photo | null} */ this.photo = null;
    /** @type {Api.Status | null} */ this.status = null;
    /** @type {Promise<void> | null} */ this.opening = null;
    /** Where the screen leads when it was opened to paint for something else. @type {"stylize" | null} */ this.purpose = null;
    /** Whether the server holds another zone than is shown, and the sending that sees to it. */
    this.unsent = false;
    /** @type {Promise<void>} */ this.sending = Promise.resolve();
    this.soon = later(SAVE_MS, () => this.send().catch(failed));
    this.editor.addEventListener("edit", () => {
      this.unsent = true;
      if (this.photo) remember(`chosen.${this.photo.id}`, this.chosen());
      this.soon();
    });
    store.addEventListener("photos", () => {
      if (!this.photo) return;
      this.photo = store.photos.get(this.photo.id) ?? null; // Others learn of it too: what it is called, what was drawn of it.
      if (this.photo) return;
      this.soon.stop(); // It was taken out of the session.
      Object.assign(this, { status: null, opening: null, unsent: false });
    });
    addEventListener("pagehide", () => this.unsent && this.send(true));
  }

  /** The labels that are chosen, of those that the photo's parts have. */
  chosen() {
    return (this.status?.parts ?? []).map((part) => part.label).filter((label) => this.editor.mask.chosen[label]);
  }

  choose(/** @type {Iterable<number>} */ labels) {
    this.editor.mask.choose(labels);
    this.editor.changed();
  }

  /** Whether the server can be asked to draw something. */
  empty() {
    return !this.editor.mask.area;
  }

  /** Shows a photo with its zone; again, if it is the same, only what is known of it. */
  open(/** @type {string} */ id) {
    if (this.photo?.id === id && this.opening) return this.opening;
    this.opening = this.load(id);
    this.opening.catch(() => (this.opening = null));
    return this.opening;
  }

  async load(/** @type {string} */ id) {
    await this.flush();
    const photo = await store.fresh(id);
    const picture = await createImageBitmap(await api.blob(api.at.preview(id)));
    const [width, height] = photo.work;
    this.photo = photo;
    this.status = photo.status;
    const ready = photo.status.state === "parsed" || photo.status.state === "no_person";
    const labels = ready ? (await decoded(await api.labels(id))).values : new Uint8Array(width * height);
    const mask = new Mask(width, height, labels, photo.status.selected);
    if (photo.mask) {
      mask.chosen.fill(0);
      for (const label of recall(`chosen.${id}`, photo.status.selected)) mask.chosen[label] = 1;
      mask.compose(mask.everywhere());
      const { values } = await decoded(await api.mask(id));
      mask.restore(values.map((value) => Number(value >= 128)));
    }
    this.unsent = !photo.mask;
    this.editor.load(picture, mask);
    this.dispatchEvent(new Event("parts"));
    if (!ready) this.find(id).catch(failed);
  }

  /** Waits until the parts are found, and takes them over. */
  async find(/** @type {string} */ id) {
    let status = await api.status(id);
    while (status.job && !["parsed", "no_person", "failed"].includes(status.state)) {
      if (this.photo?.id !== id) return;
      this.learn(status);
      await this.bar.follow(await api.job(status.job)).catch(() => {}); // What went wrong stands in the status.
      status = await api.status(id);
    }
    if (this.photo?.id !== id) return;
    if (status.state !== "failed") {
      this.editor.mask.relabel((await decoded(await api.labels(id))).values, status.selected);
      this.learn(status);
      this.editor.changed();
    } else this.learn(status);
  }

  learn(/** @type {Api.Status} */ status) {
    this.status = status;
    if (this.photo) this.photo.status = status;
    this.dispatchEvent(new Event("parts"));
  }

  // ---- the server's copy

  /** Sends the zone, after what is on its way. */
  send(leaving = false) {
    this.sending = this.sending.catch(() => {}).then(() => this.sent(leaving));
    return this.sending;
  }

  async sent(/** @type {boolean} */ leaving) {
    const { photo } = this;
    if (!photo || !this.unsent) return;
    const { bits, width, height, area } = this.editor.mask;
    const sum = crc(bits);
    this.unsent = false;
    try {
      const mask = await api.putMask(photo.id, await encoded(bits.map((bit) => bit * 255), width, height), leaving);
      // Painted on while it went out, the next sending brings the rest.
      if (mask.pixels !== area && !this.unsent) notice("error", "zone.lost", { sent: area, held: mask.pixels });
      remember(`zone.${photo.id}`, sum);
      const now = store.photos.get(photo.id); // While the zone went out more may have been drawn of it.
      if (now) store.keep({ ...now, mask });
      this.dispatchEvent(new Event("saved"));
    } catch (error) {
      this.unsent = true;
      throw error;
    }
  }

  /** Sees to it that the server holds what is shown. */
  async flush() {
    this.soon.stop();
    await this.sending.catch(() => {});
    if (this.unsent && this.photo) await this.send();
  }
}

export const zone = new Zone();

/** What a variant is called: by its model, and by its colours where they are not the photo's. */
export const nameOf = (/** @type {Api.Variant} */ { model, options, name }) => named(model, options.filter, name);

/** The same for one that could not be drawn, of which the server tells only `MODEL, FILTER`. */
export function nameOfMissed(/** @type {Api.ItemDone} */ { name }) {
  const [model, filter] = name.split(", ");
  return named(model, filter, name);
}

function named(/** @type {string} */ model, /** @type {string} */ filter, /** @type {string} */ otherwise) {
  const seen = filter === "none" ? "" : `, ${wordNow("filter", filter)}`;
  return knows("model", model) ? `${wordNow("model", model)}${seen}` : otherwise;
}

/** The number that tells the zone which the server holds from others. */
export const sumOf = (/** @type {string} */ photo) => recall(`zone.${photo}`, 0);

/** Notes with which zone a variant was drawn: the server tells only how large it was. */
export function drawnWith(/** @type {Api.Variant} */ { id, photo }, /** @type {number} */ sum) {
  remember(`drawn.${photo}`, { ...recall(`drawn.${photo}`, {}), [id]: sum });
}

/** Whether a variant was made with another zone than the photo has now. */
export function stale(/** @type {Api.Variant} */ { id, photo, mask }) {
  const now = store.photos.get(photo)?.mask;
  const sum = recall(`drawn.${photo}`, /** @type {Record<string, number>} */ ({}))[id];
  return Boolean(now) && (now?.pixels !== mask.pixels || (sum !== undefined && sum !== sumOf(photo)));
}
