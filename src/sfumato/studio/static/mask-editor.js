/**
 * `<mask-editor>`: a photo under a veil that is painted with brush, eraser and lasso.
 *
 * Two canvases of the mask's own size lie on each other and are scaled by CSS: to zoom and to pan redraws nothing, a
 * brush move writes one rectangle, and memory depends neither on the photo's size nor on the screen's.
 *
 * It tells its page by events: `edit` (the mask or its history changed), `tool` (a key changed the tool, the mode or the
 * size) and `zoom`. It has no words of its own. Keys go where the page sends them: `editor.key(event)`.
 */

import { Keys } from "./editor-keys.js";
import { Pointers } from "./editor-pointers.js";
import { Mask } from "./mask.js";

/** @typedef {"brush" | "lasso"} Tool */
/** @typedef {{x: number, y: number}} Point  in CSS pixels from the element's corner */

export const SMALLEST = 2;
export const LARGEST = 400;
const MARGIN = 14;
const CLOSEST = 40;
const SVG = "http://www.w3.org/2000/svg";

export class MaskEditor extends HTMLElement {
  constructor() {
    super();
    /** @type {Tool} */ this.tool = "brush";
    /** Whether it takes away from the mask. */
    this.erasing = false;
    /** Diameter of the brush in CSS pixels: closer in, it paints finer. */
    this.size = 48;
    /** @type {[number, number, number]} */ this.tint = [45, 104, 255];
    this.mask = new Mask(1, 1, new Uint8Array(1), []);
    this.ready = false;
    /** CSS pixels for each pixel of the mask, and where its corner is. */
    this.view = { scale: 1, x: 0, y: 0 };
    this.fitted = true;
    /** @type {{value: 1 | -1, last: [number, number], points: [number, number][]} | null} */ this.drawing = null;
    /** Where the last stroke ended. @type {[number, number] | null} */ this.anchor = null;
    /** Where the ring is, if a mouse or pen shows it. @type {Point | null} */ this.ringPlace = null;
    this.hovered = false;
    this.spaced = false;
    this.pointers = new Pointers(this);
    this.keys = new Keys(this);
    /** The crosshair that arrow keys move. @type {[number, number] | null} */ this.cross = null;
    /** The lasso's corners that were set by keys, until it closes. @type {[number, number][]} */ this.corners = [];
    this.frame = 0;
    this.stale = this.mask.nowhere();
  }

  connectedCallback() {
    if (this.firstChild) return;
    this.photo = this.appendChild(document.createElement("canvas"));
    this.veil = this.appendChild(document.createElement("canvas"));
    this.trail = this.appendChild(document.createElementNS(SVG, "svg"));
    this.path = this.trail.appendChild(document.createElementNS(SVG, "path"));
    this.ring = this.appendChild(document.createElement("div"));
    this.ring.className = "ring";
    this.ring.hidden = true;
    this.veil.className = "veil";
    for (const part of this.children) part.setAttribute("aria-hidden", "true");
    this.tabIndex = 0;
    this.pointers.listen();
    new ResizeObserver(() => (this.fitted ? this.fit() : this.place())).observe(this);
  }

  /**
   * Shows a photo and its mask.
   * @param {CanvasImageSource} picture  drawn at the mask's size
   * @param {Mask} mask
   */
  load(picture, mask) {
    if (!this.photo || !this.veil) throw new Error("the editor is not on the page");
    this.mask = mask;
    for (const canvas of [this.photo, this.veil]) [canvas.width, canvas.height] = [mask.width, mask.height];
    this.photo.getContext("2d")?.drawImage(picture, 0, 0, mask.width, mask.height);
    this.shades = new ImageData(mask.width, mask.height);
    this.colours = new Uint32Array(this.shades.data.buffer);
    this.paper = this.veil.getContext("2d");
    this.ready = true;
    this.anchor = this.cross = null;
    this.repaint();
    this.fit();
  }

  /** Takes no more strokes; one that is being painted is done. */
  hold() {
    this.finish();
    this.corners = [];
    this.ready = false;
    this.pointers.forget();
    this.showCross(null);
  }

  /** Shows nothing. */
  close() {
    this.hold();
    this.mask = new Mask(1, 1, new Uint8Array(1), []);
    for (const canvas of [this.photo, this.veil]) if (canvas) canvas.width = canvas.height = 0;
    Object.assign(this, { paper: null, shades: undefined, colours: undefined });
    this.place();
  }

  // ---- what is seen

  /** Draws the veil anew in a rectangle, at the next frame. */
  repaint(rect = this.mask.everywhere()) {
    const { stale } = this;
    stale.x0 = Math.min(stale.x0, rect.x0);
    stale.y0 = Math.min(stale.y0, rect.y0);
    stale.x1 = Math.max(stale.x1, rect.x1);
    stale.y1 = Math.max(stale.y1, rect.y1);
    this.frame ||= requestAnimationFrame(() => this.flush());
  }

  flush() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const { x0, y0, x1, y1 } = this.stale;
    this.stale = this.mask.nowhere();
    if (this.colours && this.shades && this.paper && x1 > x0 && y1 > y0) {
      const { bits, width } = this.mask;
      const colour = (0xff000000 | (this.tint[2] << 16) | (this.tint[1] << 8) | this.tint[0]) >>> 0;
      for (let y = y0; y < y1; y++) for (let i = y * width + x0; i < y * width + x1; i++) this.colours[i] = bits[i] ? colour : 0;
      this.paper.putImageData(this.shades, 0, 0, x0, y0, x1 - x0, y1 - y0);
    }
    const line = this.drawing?.points ?? [...this.corners, ...(this.corners.length && this.cross ? [this.cross] : [])];
    this.path?.setAttribute("d", line.length ? `M${line.map((p) => p.map((c) => c.toFixed(1))).join("L")}` : "");
  }

  /** Puts the canvases where the view says. */
  place() {
    const { scale, x, y } = this.view;
    for (const part of [this.photo, this.veil]) {
      if (part) part.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    }
    this.trail?.setAttribute("viewBox", `${-x / scale} ${-y / scale} ${this.clientWidth / scale} ${this.clientHeight / scale}`);
    this.classList.toggle("close", scale * devicePixelRatio >= 3);
    if (this.cross) this.mark();
    this.dispatchEvent(new Event("zoom"));
  }

  fit() {
    const { width, height } = this.mask;
    if (!this.clientWidth || !this.clientHeight) return;
    const scale = Math.min((this.clientWidth - 2 * MARGIN) / width, (this.clientHeight - 2 * MARGIN) / height);
    this.view = { scale, x: (this.clientWidth - width * scale) / 2, y: (this.clientHeight - height * scale) / 2 };
    this.fitted = true;
    this.place();
  }

  /** Zooms to a scale and keeps the picture still under a point; the middle if none is given. */
  zoom(/** @type {number} */ scale, at = { x: this.clientWidth / 2, y: this.clientHeight / 2 }) {
    const { width, height } = this.mask;
    const whole = Math.min(this.clientWidth / width, this.clientHeight / height);
    const next = Math.min(CLOSEST, Math.max(Math.min(whole, 1) / 2, scale));
    const { view } = this;
    view.x = at.x - ((at.x - view.x) * next) / view.scale;
    view.y = at.y - ((at.y - view.y) * next) / view.scale;
    view.scale = next;
    this.pan(0, 0);
  }

  /** Moves the picture; a part of it stays in sight. */
  pan(/** @type {number} */ dx, /** @type {number} */ dy) {
    const { view, mask } = this;
    const kept = (/** @type {number} */ at, /** @type {number} */ length, /** @type {number} */ room) =>
      Math.min(room - Math.min(60, room / 4), Math.max(Math.min(60, room / 4) - length, at));
    view.x = kept(view.x + dx, mask.width * view.scale, this.clientWidth);
    view.y = kept(view.y + dy, mask.height * view.scale, this.clientHeight);
    this.fitted = false;
    this.place();
  }

  /** Shows the photo without the veil while true. */
  peek(/** @type {boolean} */ bare) {
    this.classList.toggle("bare", bare);
  }

  /** Blurs the veil's edge by so many pixels of the mask; only to look at, the mask stays as it is. */
  soften(/** @type {number} */ sigma) {
    if (this.veil) this.veil.style.filter = sigma ? `blur(${sigma.toFixed(1)}px)` : "";
  }

  ringAt(/** @type {Point | null} */ at, size = this.size) {
    if (!this.ring) return;
    this.ring.hidden = !at || (this.tool !== "brush" && !this.cross);
    this.ring.classList.toggle("bare", this.tool !== "brush");
    if (!at) return;
    this.ring.style.width = this.ring.style.height = `${size}px`;
    this.ring.style.transform = `translate(${at.x - size / 2}px, ${at.y - size / 2}px)`;
  }

  // ---- what is painted

  /** @returns {[number, number]} */
  pixel(/** @type {Point} */ { x, y }) {
    return [(x - this.view.x) / this.view.scale, (y - this.view.y) / this.view.scale];
  }

  /** The brush's radius in pixels of the mask; a pen's pressure makes it smaller. */
  radius(pressure = 1) {
    return ((this.size / 2) * pressure) / this.view.scale;
  }

  /**
   * @param {[number, number]} at
   * @param {boolean} erases
   * @param {number} pressure
   * @param {[number, number] | null} from  where a straight line begins
   */
  begin(at, erases, pressure, from) {
    this.corners = [];
    this.mask.start();
    this.drawing = { value: erases ? -1 : 1, last: from ?? at, points: this.tool === "lasso" ? [at] : [] };
    if (this.tool === "brush") this.move(at, pressure);
    this.classList.toggle("erases", erases);
  }

  move(/** @type {[number, number]} */ at, /** @type {number} */ pressure) {
    if (!this.drawing) return;
    if (this.tool === "lasso") {
      this.drawing.points.push(at);
      this.repaint(this.mask.nowhere());
      return;
    }
    this.repaint(this.mask.stroke(this.drawing.last, at, this.radius(pressure), this.drawing.value));
    this.drawing.last = at;
  }

  finish() {
    const { drawing } = this;
    this.drawing = null;
    if (!drawing) return;
    if (drawing.points.length > 2) this.mask.polygon(drawing.points, drawing.value);
    this.anchor = drawing.points.length ? null : drawing.last;
    this.mask.finish();
    this.classList.toggle("erases", this.erasing);
    this.changed(this.mask.dirty);
  }

  /** Paints what the corners enclose. */
  enclose() {
    const { corners } = this;
    this.begin(corners[0], this.erasing, 1, null);
    if (this.drawing) this.drawing.points = corners;
    this.finish();
  }

  /** Takes back the stroke that is being painted, and corners that enclose nothing yet. */
  cancel() {
    this.corners = [];
    this.repaint(this.mask.nowhere());
    if (!this.drawing) return;
    this.drawing = null;
    this.repaint(this.mask.cancel());
    this.classList.toggle("erases", this.erasing);
  }

  changed(rect = this.mask.everywhere()) {
    this.repaint(rect);
    this.dispatchEvent(new Event("edit"));
  }

  undo() {
    if (this.drawing) this.cancel();
    else if (this.corners.pop()) this.repaint(this.mask.nowhere());
    else if (this.mask.undo()) this.changed();
  }

  redo() {
    if (this.drawing) this.cancel();
    else if (this.mask.redo()) this.changed();
  }

  // ---- tools, and what stands in for a pointer

  resize(/** @type {number} */ size) {
    this.size = Math.round(Math.min(LARGEST, Math.max(SMALLEST, size)));
    this.mark();
    this.dispatchEvent(new Event("tool"));
  }

  /** @param {Tool} tool */
  pick(tool, erasing = this.erasing) {
    this.cancel();
    [this.tool, this.erasing] = [tool, erasing];
    this.classList.toggle("erases", erasing);
    this.mark();
    this.dispatchEvent(new Event("tool"));
  }

  /** Moves the crosshair that stands in for a pointer, or hides it. */
  showCross(/** @type {[number, number] | null} */ at) {
    this.cross = at && [Math.min(this.mask.width, Math.max(0, at[0])), Math.min(this.mask.height, Math.max(0, at[1]))];
    this.classList.toggle("crossed", Boolean(at));
    this.repaint(this.mask.nowhere());
    this.mark();
  }

  /** @returns {Point | null} */
  crossPlace() {
    const { scale, x, y } = this.view;
    return this.cross && { x: this.cross[0] * scale + x, y: this.cross[1] * scale + y };
  }

  /** Puts the ring where the crosshair is, else where a mouse or pen is. */
  mark() {
    this.ringAt(this.crossPlace() ?? (this.hovered ? this.ringPlace : null));
  }

  /** Moves the picture so that the crosshair is in sight, but draws its borders no farther in than where all of it is. */
  reveal() {
    const place = this.crossPlace();
    if (!place) return;
    const { scale, x, y } = this.view;
    const way = (/** @type {number} */ at, /** @type {number} */ from, /** @type {number} */ length, /** @type {number} */ room) => {
      const edge = Math.min(60, room / 4);
      if (at < edge) return Math.max(0, Math.min(edge - at, MARGIN - from));
      return at > room - edge ? Math.min(0, Math.max(room - edge - at, room - MARGIN - length - from)) : 0;
    };
    const [dx, dy] = [way(place.x, x, this.mask.width * scale, this.clientWidth), way(place.y, y, this.mask.height * scale, this.clientHeight)];
    if (dx || dy) this.pan(dx, dy);
  }

  /** Does what a key means here; true if it means something. */
  key(/** @type {KeyboardEvent} */ event) {
    return this.ready && this.keys.heard(event);
  }

  invert() {
    this.mask.invert();
    this.changed();
  }
}

customElements.define("mask-editor", MaskEditor);
