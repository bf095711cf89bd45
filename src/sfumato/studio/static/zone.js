/**
 * The zone of the photo that is worked on: found parts, hand work, and the copy that the server holds.
 * @import * as Api from "./types.d.ts"
 */

import * as api from "./api.js";
import { h, knows, wordNow } from "./dom.js";
import { JobBar } from "./jobs.js";
import { Mask, packed, unpacked } from "./mask.js";
import { MaskEditor } from "./mask-editor.js";
import { failed, notice } from "./notices.js";
import { crc, decoded, encoded } from "./png.js";
import { later, recall, remember, store } from "./store.js";

const SAVE_MS = 700;
const LEFT = "left";

/** What was painted last before the page was left, for the next one to send. @typedef {{photo: string, width: number, height: number, runs: string}} Left */

/** Tells `parts` when it is known what is on the photo, and `saved` when the server holds what is shown. */
class Zone extends EventTarget {
  constructor() {
    super();
    this.editor = /** @type {MaskEditor} */ (h(/** @type {any} */ ("mask-editor"), { role: "application" }));
    /** @type {Api.Photo | null} */ this.photo = null;
    /** @type {Api.Status | null} */ this.status = null;
    /** The photo that was asked for last, how it comes, and a mark of that asking: what an older one brings is too late. */
    this.wanted = "";
    /** @type {Promise<void> | null} */ this.opening = null;
    this.asked = Symbol();
    /** Whether parts are being looked for, and the bar that shows it. */
    this.looking = false;
    this.bar = new JobBar();
    /** Whether the server held a zone when the photo was opened: parts that come later add nothing to it. */
    this.kept = false;
    /** Where the screen leads when it was opened to paint for something else. @type {"stylize" | null} */ this.purpose = null;
    /** Whether the server holds another zone than is shown, whether it is on its way, and the sending that sees to it. */
    this.unsent = false;
    this.underway = false;
    /** @type {Promise<void>} */ this.sending = this.rest();
    this.sending.catch(failed);
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
      this.clear(); // It was taken out of the session.
      Object.assign(this, { opening: null, wanted: "", asked: Symbol() });
    });
    document.addEventListener("visibilitychange", () => document.hidden && this.flush().catch(failed));
    addEventListener("pagehide", () => this.leave());
  }

  /** The labels that are chosen, of those that the photo's parts have. */
  chosen() {
    return (this.status?.parts ?? []).map((part) => part.label).filter((label) => this.editor.mask.chosen[label]);
  }

  choose(/** @type {Iterable<number>} */ labels) {
    this.editor.mask.choose(labels);
    this.editor.changed();
  }

  /** Shows a photo with its zone; again, if it is the same, only what is known of it. */
  open(/** @type {string} */ id) {
    if (this.wanted === id && this.opening) return this.opening;
    const asked = (this.asked = Symbol());
    const late = () => asked !== this.asked;
    this.wanted = id;
    this.opening = this.load(id, late).catch((error) => {
      if (late()) return; // Nobody waits for this photo any more.
      this.opening = null;
      throw error;
    });
    return this.opening;
  }

  /** Shows nothing. */
  clear() {
    this.soon.stop();
    this.editor.close();
    Object.assign(this, { photo: null, status: null, looking: false, kept: false, unsent: false });
    this.dispatchEvent(new Event("parts"));
  }

  /**
   * Takes over all that belongs to a photo at once, so that nothing of one is ever shown or sent as another's.
   * @param {string} id
   * @param {() => boolean} late  whether another was asked for since
   */
  async load(id, late) {
    await this.part();
    if (late()) return;
    const photo = await store.fresh(id);
    const ready = known(photo.status);
    const kept = Boolean(photo.mask?.pixels); // One without pixels is none: no chip could bring it back.
    const [width, height] = photo.work;
    const [picture, labels, before] = await Promise.all([
      api.blob(api.at.preview(id)).then((file) => createImageBitmap(file)),
      ready ? api.labels(id).then(decoded) : { values: new Uint8Array(width * height) },
      kept ? api.mask(id).then(decoded) : null,
    ]);
    if (late()) return;
    const mask = new Mask(width, height, labels.values, photo.status.selected);
    if (before) {
      mask.chosen.fill(0);
      for (const label of recall(`chosen.${id}`, photo.status.selected)) mask.chosen[label] = 1;
      mask.compose(mask.everywhere());
      mask.restore(before.values.map((value) => Number(value >= 128)));
    }
    const looking = !ready && photo.status.state !== "failed";
    Object.assign(this, { photo: store.photos.get(id) ?? photo, status: photo.status, looking, kept, unsent: ready && !kept });
    this.editor.load(picture, mask);
    this.dispatchEvent(new Event("parts"));
    if (looking) this.find();
  }

  /** Takes leave of the photo that is shown, once the server holds its zone. */
  async part() {
    if (!this.photo) {
      await this.sending.catch(() => {}); // What the last page left may be of the photo that comes.
      return;
    }
    this.editor.hold();
    await this.flush().catch((error) => {
      if (error.code === "not_found") return; // It has gone, and its zone with it.
      this.editor.ready = true; // It is shown on, so that nothing is lost.
      if (this.looking) this.find();
      throw error;
    });
    this.clear();
  }

  // ---- parts

  /** Has the parts looked for, unless that is under way, and takes them over. */
  find() {
    const { asked } = this;
    if (this.status) this.learn(this.status, true);
    this.look(() => asked !== this.asked)
      .catch(failed)
      .finally(() => {
        if (asked === this.asked && this.status) this.learn(this.status, false);
      });
  }

  async look(/** @type {() => boolean} */ late) {
    const id = /** @type {Api.Photo} */ (this.photo).id;
    let status = await api.status(id);
    let job = status.job ? await api.job(status.job) : known(status) ? null : await api.findParts(id);
    while (job && !late()) {
      this.bar = new JobBar(); // The last one may still tell of another photo.
      this.learn({ ...status, state: status.job ? status.state : "waiting", problem: null }, true);
      const problem = await this.bar.follow(job).then(() => null, (error) => error);
      status = await api.status(id);
      job = status.job ? await api.job(status.job) : null;
      if (problem && (job || status.state === "none")) throw problem; // Else it stands in the status.
    }
    if (late()) return;
    if (known(status)) {
      const { values } = await decoded(await api.labels(id));
      if (late()) return;
      this.editor.mask.relabel(values, status.selected, this.kept ? [] : status.selected);
    }
    this.learn(status, false);
    if (known(status)) this.editor.changed();
  }

  learn(/** @type {Api.Status} */ status, /** @type {boolean} */ looking) {
    Object.assign(this, { status, looking });
    if (this.photo) this.photo.status = status;
    this.dispatchEvent(new Event("parts"));
  }

  // ---- the server's copy

  /** Sends the zone, after what is on its way. */
  send() {
    this.sending = this.sending.catch(() => {}).then(() => this.sent());
    return this.sending;
  }

  async sent() {
    const { photo } = this;
    if (!photo || !this.unsent) return;
    const { width, height, area } = this.editor.mask;
    const bits = this.editor.mask.bits.slice();
    Object.assign(this, { unsent: false, underway: true });
    try {
      const mask = await put(photo.id, bits, width, height);
      // Painted on while it went out, the next sending brings the rest.
      if (mask.pixels !== area && !this.unsent) notice("error", "zone.lost", { sent: area, held: mask.pixels });
      this.dispatchEvent(new Event("saved"));
    } catch (error) {
      this.unsent = true;
      throw error;
    } finally {
      this.underway = false;
    }
  }

  /** Sees to it that the server holds what is shown. */
  async flush() {
    this.soon.stop();
    await this.sending.catch(() => {});
    while (this.unsent && this.photo) await this.send();
  }

  /** The page goes, and with it what is on its way: the next page sends it. */
  leave() {
    if (!this.photo || !(this.unsent || this.underway)) return;
    const { bits, width, height } = this.editor.mask;
    const runs = Array.from(packed(new Int8Array(bits)), (byte) => String.fromCharCode(byte)).join("");
    remember(LEFT, /** @type {Left} */ ({ photo: this.photo.id, width, height, runs: btoa(runs) }));
  }

  /** Sends what the last page could not. */
  async rest() {
    const left = recall(LEFT, /** @type {Left | null} */ (null));
    if (!left) return;
    const { photo, width, height, runs } = left;
    const bytes = Uint8Array.from(atob(runs), (letter) => letter.charCodeAt(0));
    await put(photo, Uint8Array.from(unpacked(bytes, width * height)), width, height).catch((error) => {
      if (error.code !== "not_found") throw error;
      remember(LEFT, null); // The photo has gone, too.
    });
  }
}

/** Whether it is known what is on a photo. */
export const known = (/** @type {Api.Status | null} */ status) => status?.state === "parsed" || status?.state === "no_person";

/**
 * Has the server hold a zone.
 * @param {string} photo
 * @param {Uint8Array} bits
 * @param {number} width
 * @param {number} height
 */
async function put(photo, bits, width, height) {
  const mask = await api.putMask(photo, await encoded(bits.map((bit) => bit * 255), width, height));
  remember(`zone.${photo}`, crc(bits));
  const now = store.photos.get(photo); // While the zone went out more may have been drawn of it.
  if (now) store.keep({ ...now, mask });
  if (recall(LEFT, /** @type {Left | null} */ (null))?.photo === photo) remember(LEFT, null);
  return mask;
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
