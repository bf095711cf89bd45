/**
 * Work that takes a while: a bar with what is done, the time that is left and a button that cancels it.
 * @import * as Api from "./types.d.ts"
 */

import * as api from "./api.js";
import { button, h, hush, say } from "./dom.js";
import { failed, tidy } from "./notices.js";
import { tab } from "./store.js";
import { hear } from "./stream.js";
import { bytes, duration } from "./text.js";

/** @typedef {{variant?: (event: Api.VariantReady) => void, item?: (event: Api.ItemDone) => void}} Heard */
/** @typedef {{end: "done" | "cancelled", files: Api.File[], variants: string[], kept: string[], failed: number, status: Api.Status | null}} Outcome */
/** How a job ended that was found: whether this tab began it, and whether it was over by then. @typedef {Outcome & {mine: boolean, over: boolean}} Resumed */

const RUNS = ["queued", "loading", "working"];

/** Whether a job is not over. */
export const runs = (/** @type {Api.Job} */ { state }) => RUNS.includes(state);

/** Shows one job at a time. While it is `busy`, from before the job is asked for until it has ended, it starts no other. */
export class JobBar {
  /**
   * @param {object} [how]
   * @param {Api.Job["kind"]} [how.kind]  what it starts, for what is looked for when the page is loaded anew
   * @param {boolean} [how.keeps]  whether a job is still looked for when it has ended
   * @param {() => void} [how.changed]  hears that it is busy, or is no more
   */
  constructor({ kind, keeps = false, changed = () => {} } = {}) {
    this.kind = kind;
    this.keeps = keeps;
    this.changed = changed;
    this.busy = false;
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

  /** The id of the job that this tab began. */
  get begun() {
    return this.kind ? tab.recall(`job.${this.kind}`, "") : "";
  }

  set begun(id) {
    if (this.kind) tab.remember(`job.${this.kind}`, id);
  }

  /**
   * Starts work and shows it until it ends; rejects with what went wrong. Null if it is busy: nothing is started then.
   * @param {() => Promise<Api.Job>} start
   * @param {Heard} [heard]
   * @param {boolean} [ours]  whether the tab looks for it when the page is loaded anew
   * @returns {Promise<Outcome | null>}
   */
  begin(start, heard = {}, ours = true) {
    return this.hold(async () => {
      tidy(); // What was said of the work before.
      const job = await start();
      if (ours) this.begun = job.id;
      return this.follow(job, heard);
    });
  }

  /**
   * Shows the job of its kind, and of a photo if one is given, that this tab began before the page was loaded anew, or
   * that another tab began and that still runs. Null if there is none.
   * @param {string | null} photo
   * @param {Heard} [heard]
   * @returns {Promise<Resumed | null>}
   */
  async resume(photo, heard = {}) {
    if (this.busy) return null;
    const { jobs } = await api.jobs();
    const { begun } = this;
    const ours = jobs.filter((job) => job.kind === this.kind && (!photo || job.photo === photo));
    const found = ours.find((job) => job.id === begun) ?? ours.find(runs);
    if (!found) return null;
    const outcome = await this.hold(() => this.follow(found, heard));
    return outcome && { ...outcome, mine: found.id === begun, over: !runs(found) };
  }

  /** @param {() => Promise<Outcome>} work */
  async hold(work) {
    if (this.busy) return null;
    const at = /** @type {HTMLElement | null} */ (document.activeElement);
    this.busy = true;
    this.stop.disabled = true; // Until there is something to cancel.
    this.node.hidden = false;
    this.expect(null);
    this.queued(0);
    this.changed();
    try {
      return await work();
    } finally {
      this.busy = false;
      this.node.hidden = true;
      this.changed();
      if (document.activeElement === document.body) at?.focus({ preventScroll: true }); // It was disabled meanwhile.
    }
  }

  /** Shows a job until it ends, or until another takes its place; rejects with what went wrong. @returns {Promise<Outcome>} */
  follow(/** @type {Api.Job} */ job, /** @type {Heard} */ heard = {}) {
    this.job = job.id;
    this.node.hidden = false;
    this.stop.disabled = false;
    this.expect(job.seconds_left);
    this.queued(job.place);
    clearInterval(this.clock);
    this.clock = setInterval(() => this.tick(), 1000);
    return this.heard(job.id, heard).finally(() => {
      if (!this.keeps && this.begun === job.id) this.begun = "";
      if (this.job !== job.id) return;
      clearInterval(this.clock);
      this.node.hidden = true;
      this.job = null;
    });
  }

  /** @returns {Promise<Outcome>} */
  heard(/** @type {string} */ id, /** @type {Heard} */ { variant, item }) {
    return new Promise((resolve, reject) => {
      const counted = (/** @type {number} */ n, /** @type {number} */ total) => say(this.words, "job.working", { n, total });
      /** Only the job that is shown says how far it is. @type {<T>(act: (event: T) => void) => (event: T) => void} */
      const shown = (act) => (event) => {
        if (this.job === id) act(event);
      };
      hear(
        id,
        {
          queued: shown((/** @type {Api.Queued} */ { place }) => this.queued(place)),
          loading: shown((/** @type {Api.Loading} */ event) => {
            this.fill(null);
            say(this.words, event.bytes ? "job.loading" : "job.loading_small", { model: event.model, size: bytes(event.bytes) });
          }),
          progress: shown((/** @type {Api.Progress} */ event) => {
            this.fill(event.done);
            this.expect(event.seconds_left);
            counted(event.item, event.items);
          }),
          variant: (/** @type {Api.VariantReady} */ event) => variant?.(event),
          item: (/** @type {Api.ItemDone} */ event) => item?.(event),
          done: (/** @type {Api.Done} */ event) => resolve({ end: "done", ...event }),
          cancelled: (/** @type {Api.Cancelled} */ event) => resolve({ end: "cancelled", files: [], kept: [], failed: 0, status: null, ...event }),
          error: (/** @type {Api.Problem} */ problem) => reject(new api.Refusal(problem)),
        },
        ["done", "cancelled", "error"],
        () => this.lost(id).then(resolve, reject),
      );
    });
  }

  /** The stream of events broke and does not come back: asks how the job ended. @returns {Promise<Outcome>} */
  async lost(/** @type {string} */ id) {
    const job = await api.job(id).catch((error) => {
      // A studio that was started again knows nothing of what it was doing.
      throw error instanceof api.Refusal && error.code === "not_found" ? new api.Refusal({ error: "gone", message: "", hint: "" }) : error;
    });
    if (job.problem) throw new api.Refusal(job.problem);
    if (job.state !== "done" && job.state !== "cancelled") throw new api.Refusal({ error: "lost", message: "", hint: "" });
    return { end: job.state, files: job.files, variants: job.variants, kept: job.kept, failed: 0, status: null };
  }
}

/** Lets the browser save a file of the studio. */
export function download(/** @type {Api.File} */ file) {
  const link = h("a", { href: api.at.file(file.id), download: file.name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
}
