/**
 * What mouse, fingers and pens do in a mask editor: they paint, move the picture, zoom it, and size the brush.
 * @import { MaskEditor, Point } from "./mask-editor.js"
 */

export class Pointers {
  constructor(/** @type {MaskEditor} */ editor) {
    this.editor = editor;
    /** Fingers and buttons that are down. @type {Map<number, Point>} */ this.down = new Map();
    /** @type {{middle: Point, apart: number} | null} */ this.pinch = null;
    /** @type {Point | null} */ this.panned = null;
    /** @type {{x: number, size: number} | null} */ this.resizing = null;
    /** Whether a pen was seen: fingers do not paint beside one. */
    this.penned = false;
    /** Fingers must all leave before one may paint again. */
    this.tired = false;
  }

  listen() {
    const { editor } = this;
    const on = (/** @type {string} */ name, /** @type {(event: any) => void} */ act) => editor.addEventListener(name, act, { passive: false });
    on("pointerdown", (event) => editor.ready && this.press(event));
    on("pointermove", (event) => editor.ready && this.drag(event));
    on("pointerup", (event) => this.release(event));
    on("pointercancel", (event) => this.release(event));
    on("pointerleave", () => {
      editor.hovered = false;
      editor.peek(false);
      editor.ringAt(null);
    });
    on("contextmenu", (event) => event.preventDefault());
    on("blur", () => editor.showCross(null));
    on("wheel", (event) => {
      event.preventDefault();
      if (event.shiftKey) editor.pan(-event.deltaY - event.deltaX, 0);
      else editor.zoom(editor.view.scale * Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), this.point(event));
    });
  }

  /** Knows of nothing that is down. */
  forget() {
    this.down.clear();
    this.pinch = this.panned = this.resizing = null;
    this.tired = false;
  }

  /** @returns {Point} */
  point(/** @type {MouseEvent} */ event) {
    const box = this.editor.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  pressure(/** @type {PointerEvent} */ event) {
    return event.pointerType === "pen" && event.pressure > 0 ? 0.2 + 0.8 * event.pressure : 1;
  }

  fingers() {
    const [a, b] = [...this.down.values()];
    return { middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, apart: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)) };
  }

  press(/** @type {PointerEvent} */ event) {
    const { editor } = this;
    editor.setPointerCapture(event.pointerId);
    editor.focus({ preventScroll: true });
    const at = this.point(event);
    this.down.set(event.pointerId, at);
    this.penned ||= event.pointerType === "pen";
    if (this.down.size === 2 && event.pointerType === "touch") {
      editor.cancel();
      this.panned = null;
      this.pinch = this.fingers();
      this.tired = true;
      return;
    }
    if (this.down.size > 1 || this.tired) return;
    if (editor.spaced || event.button === 1 || (this.penned && event.pointerType === "touch")) this.panned = at;
    else if (event.altKey && event.button === 0) this.resizing = { x: at.x, size: editor.size };
    else if (event.button === 0 || event.button === 2 || event.button === 5) {
      const other = event.button === 2 || (event.buttons & 32) > 0;
      const straight = event.shiftKey && editor.tool === "brush" ? editor.anchor : null;
      editor.begin(editor.pixel(at), editor.erasing !== other, this.pressure(event), straight);
    }
  }

  drag(/** @type {PointerEvent} */ event) {
    const { editor } = this;
    const at = this.point(event);
    const was = this.down.get(event.pointerId);
    if (was) this.down.set(event.pointerId, at);
    editor.hovered = true;
    if (event.pointerType !== "touch") editor.ringAt(this.resizing ? editor.ringPlace : at, editor.size * this.pressure(event));
    if (!this.resizing) editor.ringPlace = at;
    if (this.pinch && this.down.size >= 2) {
      const now = this.fingers();
      editor.pan(now.middle.x - this.pinch.middle.x, now.middle.y - this.pinch.middle.y);
      editor.zoom((editor.view.scale * now.apart) / this.pinch.apart, now.middle);
      this.pinch = now;
    } else if (this.resizing) editor.resize(this.resizing.size + (at.x - this.resizing.x));
    else if (this.panned && was) {
      editor.pan(at.x - this.panned.x, at.y - this.panned.y);
      this.panned = at;
    } else if (editor.drawing && was) {
      const moves = event.getCoalescedEvents?.() ?? [];
      for (const move of moves.length ? moves : [event]) editor.move(editor.pixel(this.point(move)), this.pressure(move));
    }
  }

  release(/** @type {PointerEvent} */ event) {
    if (!this.down.delete(event.pointerId)) return;
    if (event.type === "pointercancel") this.editor.cancel();
    else this.editor.finish();
    this.panned = this.resizing = null;
    if (this.down.size < 2) this.pinch = null;
    if (!this.down.size) this.tired = false;
  }
}
