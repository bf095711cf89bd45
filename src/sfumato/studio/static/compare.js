/**
 * `<compare-view>`: two pictures of the same shape on each other, with a line that is moved by mouse, finger or arrow
 * keys; left of it the first, right of it the second. Wheel and two fingers zoom both, holding the space bar shows the first alone.
 */

import { h, icon, say } from "./dom.js";

const NEAR = 28;
const CLOSEST = 12;

export class CompareView extends HTMLElement {
  constructor() {
    super();
    this.share = 0.5;
    this.size = { width: 1, height: 1 };
    this.view = { zoom: 1, x: 0, y: 0 };
    /** @type {Map<number, {x: number, y: number}>} */ this.down = new Map();
    /** @type {"line" | "pan" | "pinch" | null} */ this.act = null;
    this.first = h("img", { class: "before", draggable: "false", alt: "" });
    this.second = h("img", { class: "after", draggable: "false", alt: "" });
    this.line = h("div", { class: "line", "aria-hidden": "true" }, h("span", { class: "grip" }, icon("swap")));
    this.range = h("input", { type: "range", min: 0, max: 100, step: 1, label: "compare.slider" });
    this.tags = [h("span", { class: "tag first" }), h("span", { class: "tag second" })];
    /** @type {Map<HTMLImageElement, string>} */ this.held = new Map();
  }

  connectedCallback() {
    if (this.firstChild) return;
    this.append(this.first, this.second, this.line, ...this.tags, this.range);
    this.range.addEventListener("input", () => this.split(this.range.valueAsNumber / 100));
    this.addEventListener("pointerdown", (event) => this.press(event));
    this.addEventListener("pointermove", (event) => this.drag(event));
    for (const name of /** @type {const} */ (["pointerup", "pointercancel"])) this.addEventListener(name, (event) => this.release(event));
    this.addEventListener("dblclick", () => this.centre());
    this.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(this.view.zoom * Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), this.point(event));
    }, { passive: false });
    new ResizeObserver(() => this.place()).observe(this);
  }

  /**
   * Shows two pictures, by address or as they came; the view stays if their size does.
   * @param {{before: string | Blob, after: string | Blob, width: number, height: number, names?: [string, string]}} pair  `names` are keys of texts
   */
  show({ before, after, width, height, names = ["compare.before", "compare.after"] }) {
    if (width !== this.size.width || height !== this.size.height) this.view = { zoom: 1, x: 0, y: 0 };
    this.size = { width, height };
    this.put(this.first, before);
    this.put(this.second, after);
    names.forEach((name, i) => {
      say(this.tags[i], name);
      say(i ? this.second : this.first, name, undefined, "alt");
    });
    this.place();
  }

  /** Shows another second picture. */
  renew(/** @type {string | Blob} */ after) {
    this.put(this.second, after);
  }

  put(/** @type {HTMLImageElement} */ image, /** @type {string | Blob} */ source) {
    const old = this.held.get(image);
    const address = typeof source === "string" ? source : URL.createObjectURL(source);
    this.held.set(image, address);
    image.src = address;
    if (old?.startsWith("blob:")) URL.revokeObjectURL(old);
  }

  // ---- where things are

  /** The picture's rectangle in CSS pixels. */
  frame() {
    const fit = Math.min(this.clientWidth / this.size.width, this.clientHeight / this.size.height);
    const [width, height] = [this.size.width * fit * this.view.zoom, this.size.height * fit * this.view.zoom];
    return { width, height, x: (this.clientWidth - width) / 2 + this.view.x, y: (this.clientHeight - height) / 2 + this.view.y };
  }

  place() {
    const { width, height, x, y } = this.frame();
    for (const image of [this.first, this.second]) {
      Object.assign(image.style, { width: `${width}px`, height: `${height}px`, transform: `translate(${x}px, ${y}px)` });
    }
    const top = Math.max(0, y);
    this.line.style.height = `${Math.max(0, Math.min(this.clientHeight, y + height) - top)}px`;
    const [left, right] = [Math.max(0, x), Math.min(this.clientWidth, x + width)];
    this.tags[0].style.transform = `translate(${left + 10}px, ${top + 10}px)`;
    this.tags[1].style.transform = `translate(calc(${right - 10}px - 100%), ${top + 10}px)`;
    this.split(this.share);
  }

  /** Puts the line at a share of the picture's width. */
  split(/** @type {number} */ share) {
    const { width, x, y } = this.frame();
    this.share = Math.min(1, Math.max(0, share));
    this.second.style.clipPath = `inset(0 0 0 ${this.share * 100}%)`;
    const at = Math.min(this.clientWidth, Math.max(0, x + width * this.share));
    this.line.style.transform = `translate(${at}px, ${Math.max(0, y)}px)`;
    this.range.value = String(Math.round(this.share * 100));
  }

  centre() {
    this.view = { zoom: 1, x: 0, y: 0 };
    this.share = 0.5;
    this.place();
  }

  zoom(/** @type {number} */ zoom, /** @type {{x: number, y: number}} */ at) {
    const old = this.frame();
    this.view.zoom = Math.min(CLOSEST, Math.max(1, zoom));
    const now = this.frame();
    this.view.x += at.x - now.x - ((at.x - old.x) * now.width) / old.width;
    this.view.y += at.y - now.y - ((at.y - old.y) * now.height) / old.height;
    this.pan(0, 0);
  }

  /** Moves the pictures, no farther than their edges. */
  pan(/** @type {number} */ dx, /** @type {number} */ dy) {
    const { width, height } = this.frame();
    const [roomX, roomY] = [Math.max(0, (width - this.clientWidth) / 2), Math.max(0, (height - this.clientHeight) / 2)];
    this.view.x = Math.min(roomX, Math.max(-roomX, this.view.x + dx));
    this.view.y = Math.min(roomY, Math.max(-roomY, this.view.y + dy));
    this.place();
  }

  /** Shows the first picture alone while true. */
  peek(/** @type {boolean} */ first) {
    this.classList.toggle("peeks", first);
  }

  // ---- pointers and keys

  point(/** @type {MouseEvent} */ event) {
    const box = this.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  press(/** @type {PointerEvent} */ event) {
    if (event.button > 0) return;
    const at = this.point(event);
    this.setPointerCapture(event.pointerId);
    this.down.set(event.pointerId, at);
    if (this.down.size === 2) {
      this.act = "pinch";
      return;
    }
    const { x, width } = this.frame();
    const near = Math.abs(at.x - (x + width * this.share)) < NEAR;
    this.act = near || this.view.zoom === 1 ? "line" : "pan";
    if (this.act === "line") this.split((at.x - x) / width);
    this.range.focus({ preventScroll: true });
    event.preventDefault();
  }

  drag(/** @type {PointerEvent} */ event) {
    const was = this.down.get(event.pointerId);
    if (!was) return;
    const at = this.point(event);
    const { x, width } = this.frame();
    if (this.act === "line") this.split((at.x - x) / width);
    if (this.act === "pan") this.pan(at.x - was.x, at.y - was.y);
    if (this.act === "pinch") {
      const other = [...this.down].find(([id]) => id !== event.pointerId)?.[1] ?? was;
      const apart = (/** @type {{x: number, y: number}} */ p) => Math.max(1, Math.hypot(p.x - other.x, p.y - other.y));
      this.pan((at.x - was.x) / 2, (at.y - was.y) / 2);
      this.zoom((this.view.zoom * apart(at)) / apart(was), { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 });
    }
    this.down.set(event.pointerId, at);
  }

  release(/** @type {PointerEvent} */ event) {
    this.down.delete(event.pointerId);
    this.act = this.down.size ? "pan" : null;
  }

  /** Does what a key means here; true if it means something. */
  key(/** @type {KeyboardEvent} */ event) {
    if (event.key === " ") {
      const { target } = event;
      if (target instanceof Element && target !== this.range && target.matches("button, a, input, select, summary")) return false;
      this.peek(event.type === "keydown");
    } else if (event.key === "0" && event.type === "keydown") this.centre();
    else return false;
    event.preventDefault();
    return true;
  }
}

customElements.define("compare-view", CompareView);
