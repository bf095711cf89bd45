/**
 * Work that takes a while: a bar with what is done, the time that is left and a button that cancels it.
 * @import * as Api from "./types.d.ts"
 */

import * as api from "./api.js";
import { button, h, hush, say } from "./dom.js";
import { failed } from "./notices.js";
import { hear } from "./stream.js";
import { bytes, duration } from "./text.js";

/** @typedef {{variant?: (event: Api.VariantReady) => void, item?: (event: Api.ItemDone) => void}} Heard */
/** @typedef {{end: "done" | "cancelled", files: Api.File[], variants: string[], failed: number, status: Api.Status | null}} Outcome */

export class JobBar {
  constructor() {
    this.bar = h("progress", { max: "1", label: "job.progress" });
    this.words = h("span", { class: "words" });
    this.left = h("span", { class: "left" });
    this.stop = button("close", "job.cancel", () => this.cancel(), { class: "quiet" });
    this.node = h("div", { class: "job", hidden: true }, this.bar, h("div", { class: "row" }, this.words, this.left, this.stop));
    /** @type {string | null} */ this.job = null;
    /** @type {number | null} */ this.end = null;
    this.clock = 0;
  }

  async cancel() {
    if (!this.job) return;
    this.stop.disabled = true;
    say(this.words, "job.cancelling");
    try {
      await api.cancel(this.job);
    } catch (error) {
      if (/** @type {api.Refusal} */ (error).code === "not_found") return; // It has just ended, which its events tell.
      this.stop.disabled = false;
      failed(error);
    }
  }

  /** Counts down between the server's estimates. */
  tick() {
    if (this.end === null) hush(this.left);
    else say(this.left, "job.left", { time: duration(Math.max(1, (this.end - Date.now()) / 1000)) });
  }

  /** @param {number | null} seconds */
  expect(seconds) {
    this.end = seconds === null ? null : Date.now() + seconds * 1000;
    this.tick();
  }

  /** @param {number | null} share */
  fill(share) {
    if (share === null) this.bar.removeAttribute("value");
    else this.bar.value = share;
  }

  queued(/** @type {number} */ place) {
    this.fill(null);
    if (place) say(this.words, "job.queued", { n: place });
    else say(this.words, "job.starting");
  }

  /** Shows a job until it ends; rejects with what went wrong. @returns {Promise<Outcome>} */
  follow(/** @type {Api.Job} */ job, /** @type {Heard} */ heard = {}) {
    this.job = job.id;
    this.node.hidden = false;
    this.stop.disabled = false;
    this.expect(job.seconds_left);
    this.queued(job.place);
    clearInterval(this.clock);
    this.clock = setInterval(() => this.tick(), 1000);
    return this.heard(job.id, heard).finally(() => {
      clearInterval(this.clock);
      this.node.hidden = true;
      this.job = null;
    });
  }

  /** @returns {Promise<Outcome>} */
  heard(/** @type {string} */ id, /** @type {Heard} */ { variant, item }) {
    return new Promise((resolve, reject) => {
      const counted = (/** @type {number} */ n, /** @type {number} */ total) => say(this.words, "job.working", { n, total });
      hear(
        id,
        {
          queued: (/** @type {Api.Queued} */ { place }) => this.queued(place),
          loading: (/** @type {Api.Loading} */ event) => {
            this.fill(null);
            say(this.words, event.bytes ? "job.loading" : "job.loading_small", { model: event.model, size: bytes(event.bytes) });
          },
          progress: (/** @type {Api.Progress} */ event) => {
            this.fill(event.done);
            this.expect(event.seconds_left);
            counted(event.item, event.items);
          },
          variant: (/** @type {Api.VariantReady} */ event) => variant?.(event),
          item: (/** @type {Api.ItemDone} */ event) => item?.(event),
          done: (/** @type {Api.Done} */ event) => resolve({ end: "done", ...event }),
          cancelled: (/** @type {Api.Cancelled} */ event) => resolve({ end: "cancelled", files: [], failed: 0, status: null, ...event }),
          error: (/** @type {Api.Problem} */ problem) => reject(new api.Refusal(problem)),
        },
        ["done", "cancelled", "error"],
        () => this.lost(id).then(resolve, reject),
      );
    });
  }

  /** The stream of events broke and does not come back: asks how the job ended. @returns {Promise<Outcome>} */
  async lost(/** @type {string} */ id) {
    const job = await api.job(id);
    if (job.problem) throw new api.Refusal(job.problem);
    if (job.state !== "done" && job.state !== "cancelled") throw new api.Refusal({ error: "lost", message: "", hint: "" });
    return { end: job.state, files: job.files, variants: job.variants, failed: 0, status: null };
  }
}

/** Lets the browser save a file of the studio. */
export function download(/** @type {Api.File} */ file) {
  const link = h("a", { href: api.at.file(file.id), download: file.name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
}
