/**
 * What keys do in a mask editor: they choose tools and the view, and steer a crosshair that paints without a pointer.
 * @import { MaskEditor } from "./mask-editor.js"
 */

/** How near to the first corner the lasso closes, in CSS pixels. */
const NEAR = 6;
/** How far a key moves the picture, as a share of what is seen. */
const PACE = 0.2;
/** @type {Record<string, [number, number]>} */
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Keys {
  constructor(/** @type {MaskEditor} */ editor) {
    this.editor = editor;
  }

  /** Does what a key means here; true if it means something. Keys come down and go up (`type`). */
  heard(/** @type {KeyboardEvent} */ event) {
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const acts = event.type === "keyup" ? this.lifted(name) : event.ctrlKey || event.metaKey ? this.command(name, event.shiftKey) : this.pressed(name, event);
    if (acts) event.preventDefault();
    return acts;
  }

  lifted(/** @type {string} */ name) {
    const { editor } = this;
    if (name === "Tab" || name === "v") editor.peek(false);
    if (name !== " " || !editor.spaced) return false;
    editor.spaced = false;
    editor.classList.remove("pans");
    return true;
  }

  command(/** @type {string} */ name, /** @type {boolean} */ shift) {
    const { editor } = this;
    const way = WAYS[name];
    if (name === "z") shift ? editor.redo() : editor.undo();
    else if (name === "y") editor.redo();
    else if (way && this.focused()) editor.pan(-way[0] * PACE * editor.clientWidth, -way[1] * PACE * editor.clientHeight);
    else return false;
    return true;
  }

  pressed(/** @type {string} */ name, /** @type {KeyboardEvent} */ event) {
    const { editor } = this;
    const act = {
      b: () => editor.pick("brush", false),
      e: () => editor.pick(editor.tool, true),
      l: () => editor.pick("lasso"),
      x: () => editor.pick(editor.tool, !editor.erasing),
      "[": () => editor.resize(Math.min(editor.size - 1, editor.size / 1.15)),
      "]": () => editor.resize(Math.max(editor.size + 1, editor.size * 1.15)),
      i: () => editor.invert(),
      v: () => editor.peek(true),
      0: () => editor.fit(),
      1: () => this.zoom(1 / devicePixelRatio),
      "+": () => this.zoom(editor.view.scale * 1.25),
      "=": () => this.zoom(editor.view.scale * 1.25),
      "-": () => this.zoom(editor.view.scale / 1.25),
      Escape: () => editor.cancel(),
    }[name];
    if (act) act();
    else if (name === "Tab" && this.used() && !event.shiftKey) editor.peek(true);
    else if (name === " " && this.used()) editor.spaced = editor.classList.toggle("pans", true);
    else return document.activeElement === editor && this.steered(name, event);
    return true;
  }

  /** Whether no other part of the page has the focus. */
  focused() {
    return document.activeElement === this.editor || document.activeElement === document.body;
  }

  /** Whether a mouse or pen is at work here, so that Tab and space are the editor's and not the page's. */
  used() {
    return this.editor.hovered && this.focused();
  }

  /** Zooms to where the crosshair is, if one is shown. */
  zoom(/** @type {number} */ scale) {
    this.editor.zoom(scale, this.editor.crossPlace() ?? undefined);
    this.editor.reveal();
  }

  /** Arrow keys move a crosshair, Enter paints there: brush and lasso without a pointer. */
  steered(/** @type {string} */ name, /** @type {KeyboardEvent} */ event) {
    const { editor } = this;
    const { cross } = editor;
    const way = WAYS[name];
    if (way) {
      editor.hovered = false; // Who steers by keys leaves by Tab, wherever the mouse rests.
      const step = event.shiftKey ? 1 : Math.max(1, editor.radius() / 2);
      editor.showCross(cross ? [cross[0] + way[0] * step, cross[1] + way[1] * step] : editor.pixel({ x: editor.clientWidth / 2, y: editor.clientHeight / 2 }));
    } else if (name === "Enter" && cross) {
      if (editor.tool === "lasso") this.corner([cross[0], cross[1]]);
      else {
        editor.begin([cross[0], cross[1]], editor.erasing, 1, null);
        editor.finish();
      }
    } else return false;
    editor.reveal();
    return true;
  }

  /** Sets a corner of the lasso; on the first one, or twice in the same place, it closes. */
  corner(/** @type {[number, number]} */ at) {
    const { editor } = this;
    const { corners } = editor;
    const apart = (/** @type {[number, number]} */ other) => Math.hypot(other[0] - at[0], other[1] - at[1]) * editor.view.scale;
    const last = corners.at(-1);
    if (corners.length > 2 && (apart(corners[0]) <= NEAR || (last && !apart(last)))) editor.enclose();
    else if (!last || apart(last)) editor.corners = [...corners, at];
    editor.repaint(editor.mask.nowhere());
  }
}
