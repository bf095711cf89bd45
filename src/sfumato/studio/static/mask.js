/**
 * What is chosen of a photo: a label for each pixel, the labels that are chosen, and what was painted by hand.
 *
 * A pixel is in the mask if it was painted (+1), is not if it was erased (-1), and follows its label elsewhere (0).
 * So choosing or dropping a label never destroys hand work. Nothing here knows of a page.
 */

/**
 * One step that can be undone. `runs` is the hand work of a rectangle before the step, `chosen` the labels before it;
 * inverting is its own opposite and keeps neither.
 * @typedef {{x0: number, y0: number, w: number, h: number, runs: Uint8Array} | null} Patch
 * @typedef {{patch: Patch, chosen: Uint8Array | null, inverts: boolean}} Step
 * @typedef {{x0: number, y0: number, x1: number, y1: number}} Rect  x1 and y1 are just outside
 */

export const STEPS = 100;

/** The values as runs: two bits of value, five of length, one that says that the length goes on in the next byte. */
export function packed(/** @type {Int8Array} */ values) {
  const out = [];
  for (let i = 0; i < values.length; ) {
    const value = values[i];
    let end = i + 1;
    while (end < values.length && values[end] === value) end++;
    let length = end - i - 1;
    out.push(((value + 1) & 3) | ((length & 31) << 2) | (length > 31 ? 128 : 0));
    for (length >>>= 5; length > 0; length >>>= 7) out.push((length & 127) | (length > 127 ? 128 : 0));
    i = end;
  }
  return Uint8Array.from(out);
}

/** The values that `packed` was given. */
export function unpacked(/** @type {Uint8Array} */ runs, /** @type {number} */ count) {
  const values = new Int8Array(count);
  let at = 0;
  for (let i = 0; i < runs.length; ) {
    let byte = runs[i++];
    const value = (byte & 3) - 1;
    let length = (byte >> 2) & 31;
    for (let shift = 5; byte & 128; shift += 7) {
      byte = runs[i++];
      length += (byte & 127) * 2 ** shift;
    }
    values.fill(value, at, (at += length + 1));
  }
  return values;
}

export class Mask {
  /**
   * @param {number} width
   * @param {number} height
   * @param {Uint8Array} labels  one for each pixel, row by row
   * @param {Iterable<number>} chosen  the labels in the mask at first
   */
  constructor(width, height, labels, chosen) {
    if (labels.length !== width * height) throw new RangeError(`${labels.length} labels for ${width} x ${height} pixels`);
    this.width = width;
    this.height = height;
    this.labels = labels;
    /** By hand: 0 follows the label, 1 in, -1 out. */
    this.manual = new Int8Array(width * height);
    this.chosen = new Uint8Array(256);
    for (const label of chosen) this.chosen[label] = 1;
    this.first = this.chosen.slice();
    /** What comes of them: 1 where a pixel is in the mask. */
    this.bits = new Uint8Array(width * height);
    this.area = 0;
    /** @type {Step[]} */ this.past = [];
    /** @type {Step[]} */ this.future = [];
    /** @type {Int8Array | null} */ this.before = null;
    /** @type {Rect} */ this.dirty = this.nowhere();
    this.compose(this.everywhere());
  }

  /** @returns {Rect} */
  everywhere() {
    return { x0: 0, y0: 0, x1: this.width, y1: this.height };
  }

  /** @returns {Rect} */
  nowhere() {
    return { x0: Infinity, y0: Infinity, x1: 0, y1: 0 };
  }

  /** Works out `bits` and `area` for a rectangle whose hand work or labels changed. */
  compose(/** @type {Rect} */ { x0, y0, x1, y1 }) {
    const { bits, manual, labels, chosen, width } = this;
    let change = 0;
    for (let y = y0; y < y1; y++) {
      for (let i = y * width + x0, end = y * width + x1; i < end; i++) {
        const hand = manual[i];
        const bit = hand ? (hand + 1) >> 1 : chosen[labels[i]];
        change += bit - bits[i];
        bits[i] = bit;
      }
    }
    this.area += change;
  }

  /** Takes other labels, as when they are found after painting has begun; hand work stays, `reset` goes back to `first`. */
  relabel(/** @type {Uint8Array} */ labels, /** @type {Iterable<number>} */ first, chosen = first) {
    const inverted = this.chosen[255]; // No part has this number, so only `invert` sets it.
    this.labels = labels;
    this.chosen.fill(inverted);
    for (const label of chosen) this.chosen[label] = 1 - inverted;
    this.first.fill(0);
    for (const label of first) this.first[label] = 1;
    this.compose(this.everywhere());
  }

  /** Becomes these bits as if it had always been so: nothing to undo. */
  restore(/** @type {Uint8Array} */ bits) {
    if (this.become(bits)) this.past.pop();
  }

  // ---- painting: start, any number of shapes, then finish or cancel

  start() {
    this.before = this.manual.slice();
    this.dirty = this.nowhere();
  }

  /** Fills part of a row; columns are cut at the borders. */
  span(/** @type {number} */ y, /** @type {number} */ from, /** @type {number} */ to, /** @type {1 | -1} */ value) {
    const x0 = Math.max(0, from);
    const x1 = Math.min(this.width, to);
    if (x1 <= x0 || y < 0 || y >= this.height) return;
    const at = y * this.width;
    const bit = value > 0 ? 1 : 0;
    let area = 0;
    for (let i = at + x0; i < at + x1; i++) area += bit - this.bits[i];
    this.area += area;
    this.manual.fill(value, at + x0, at + x1);
    this.bits.fill(bit, at + x0, at + x1);
    const { dirty } = this;
    dirty.x0 = Math.min(dirty.x0, x0);
    dirty.x1 = Math.max(dirty.x1, x1);
    dirty.y0 = Math.min(dirty.y0, y);
    dirty.y1 = Math.max(dirty.y1, y + 1);
  }

  /**
   * Paints all pixels whose centre is within a radius of a line, and says which rectangle holds them.
   * @param {readonly [number, number]} a  a corner of the picture is (0, 0), its first pixel's centre (0.5, 0.5)
   * @param {readonly [number, number]} b
   * @param {number} radius
   * @param {1 | -1} value
   * @returns {Rect}
   */
  stroke(a, b, radius, value) {
    const r = Math.max(radius, 0.5);
    const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
    const length = Math.hypot(dx, dy);
    const [nx, ny] = length ? [(-dy / length) * r, (dx / length) * r] : [0, 0];
    const corners = [[a[0] + nx, a[1] + ny], [b[0] + nx, b[1] + ny], [b[0] - nx, b[1] - ny], [a[0] - nx, a[1] - ny]];
    const rect = this.within(Math.min(a[0], b[0]) - r, Math.min(a[1], b[1]) - r, Math.max(a[0], b[0]) + r, Math.max(a[1], b[1]) + r);
    for (let y = rect.y0; y < rect.y1; y++) {
      const centre = y + 0.5;
      let [low, high] = [Infinity, -Infinity];
      for (const [cx, cy] of [a, b]) {
        const half = r * r - (centre - cy) ** 2;
        if (half < 0) continue;
        low = Math.min(low, cx - Math.sqrt(half));
        high = Math.max(high, cx + Math.sqrt(half));
      }
      // A disc at each end and a rectangle between them: together they are convex, so a row of them is one span.
      for (let k = 0; k < 4 && length; k++) {
        const [p, q] = [corners[k], corners[(k + 1) % 4]];
        if ((p[1] <= centre) === (q[1] <= centre)) continue;
        const x = p[0] + ((centre - p[1]) / (q[1] - p[1])) * (q[0] - p[0]);
        low = Math.min(low, x);
        high = Math.max(high, x);
      }
      if (low <= high) this.span(y, Math.ceil(low - 0.5), Math.floor(high - 0.5) + 1, value);
    }
    return rect;
  }

  /**
   * Paints the inside of a closed line that may cross itself, and says which rectangle holds it.
   * @param {readonly (readonly [number, number])[]} points
   * @param {1 | -1} value
   * @returns {Rect}
   */
  polygon(points, value) {
    const xs = points.map((p) => p[0]);
    const ys = points.map((p) => p[1]);
    const rect = this.within(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys));
    for (let y = rect.y0; y < rect.y1; y++) {
      const centre = y + 0.5;
      /** @type {[number, number][]} */
      const crossings = [];
      for (let k = 0; k < points.length; k++) {
        const [p, q] = [points[k], points[(k + 1) % points.length]];
        if ((p[1] <= centre) === (q[1] <= centre)) continue;
        crossings.push([p[0] + ((centre - p[1]) / (q[1] - p[1])) * (q[0] - p[0]), q[1] > p[1] ? 1 : -1]);
      }
      crossings.sort((p, q) => p[0] - q[0]);
      for (let k = 0, winding = 0; k + 1 < crossings.length; k++) {
        winding += crossings[k][1];
        if (winding) this.span(y, Math.ceil(crossings[k][0] - 0.5), Math.floor(crossings[k + 1][0] - 0.5) + 1, value);
      }
    }
    return rect;
  }

  /**
   * @param {number} x0
   * @param {number} y0
   * @param {number} x1
   * @param {number} y1
   * @returns {Rect} the pixels that these bounds touch
   */
  within(x0, y0, x1, y1) {
    return {
      x0: Math.max(0, Math.floor(x0)),
      y0: Math.max(0, Math.floor(y0)),
      x1: Math.min(this.width, Math.ceil(x1)),
      y1: Math.min(this.height, Math.ceil(y1)),
    };
  }

  /** Keeps what was painted since `start` as one step; false if that was nothing. */
  finish() {
    const { before, dirty } = this;
    this.before = null;
    if (!before || dirty.x1 <= dirty.x0) return false;
    this.keep({ patch: this.patch(dirty, before), chosen: null, inverts: false });
    return true;
  }

  /** Takes back what was painted since `start`, and says where. */
  cancel() {
    const { before, dirty } = this;
    this.before = null;
    if (!before || dirty.x1 <= dirty.x0) return this.nowhere();
    this.manual.set(before);
    this.compose(dirty);
    return dirty;
  }

  // ---- steps

  /** @returns {Patch} */
  patch(/** @type {Rect} */ { x0, y0, x1, y1 }, /** @type {Int8Array} */ source = this.manual) {
    const [w, h] = [x1 - x0, y1 - y0];
    const values = new Int8Array(w * h);
    for (let y = 0; y < h; y++) {
      const at = (y + y0) * this.width + x0;
      values.set(source.subarray(at, at + w), y * w);
    }
    return { x0, y0, w, h, runs: packed(values) };
  }

  keep(/** @type {Step} */ step) {
    this.past.push(step);
    if (this.past.length > STEPS) this.past.shift();
    this.future = [];
  }

  /** Applies a step and gives the one that takes it back. @returns {Step} */
  swap(/** @type {Step} */ { patch, chosen, inverts }) {
    /** @type {Step} */
    const back = { patch: null, chosen: chosen && this.chosen.slice(), inverts };
    if (inverts) this.flip();
    if (patch) {
      const { x0, y0, w, h } = patch;
      back.patch = this.patch({ x0, y0, x1: x0 + w, y1: y0 + h });
      const values = unpacked(patch.runs, w * h);
      for (let y = 0; y < h; y++) this.manual.set(values.subarray(y * w, (y + 1) * w), (y + y0) * this.width + x0);
      if (!chosen && !inverts) this.compose({ x0, y0, x1: x0 + w, y1: y0 + h });
    }
    if (chosen) this.chosen.set(chosen);
    if (chosen || inverts) this.compose(this.everywhere());
    return back;
  }

  undo() {
    const step = this.past.pop();
    if (step) this.future.push(this.swap(step));
    return Boolean(step);
  }

  redo() {
    const step = this.future.pop();
    if (step) this.past.push(this.swap(step));
    return Boolean(step);
  }

  // ---- what concerns the whole picture

  /** Chooses exactly these labels; hand work stays. */
  choose(/** @type {Iterable<number>} */ labels) {
    const chosen = this.chosen.slice();
    this.chosen.fill(0);
    for (const label of labels) this.chosen[label] = 1;
    if (chosen.every((value, i) => value === this.chosen[i])) return;
    this.keep({ patch: null, chosen, inverts: false });
    this.compose(this.everywhere());
  }

  flip() {
    for (let i = 0; i < 256; i++) this.chosen[i] ^= 1;
    for (let i = 0; i < this.manual.length; i++) this.manual[i] = -this.manual[i];
  }

  /** In becomes out; labels can still be chosen and dropped afterwards. */
  invert() {
    this.flip();
    this.compose(this.everywhere());
    this.keep({ patch: null, chosen: null, inverts: true });
  }

  /** Makes the mask equal to these bits: hand work wherever the labels say otherwise. */
  become(/** @type {Uint8Array} */ bits) {
    const before = this.manual.slice();
    const { dirty } = this;
    Object.assign(dirty, this.nowhere());
    for (let y = 0, i = 0; y < this.height; y++) {
      for (let x = 0; x < this.width; x++, i++) {
        if (bits[i] === this.bits[i]) continue;
        this.manual[i] = bits[i] ? 1 : -1;
        dirty.x0 = Math.min(dirty.x0, x);
        dirty.x1 = Math.max(dirty.x1, x + 1);
        dirty.y0 = Math.min(dirty.y0, y);
        dirty.y1 = y + 1;
      }
    }
    if (dirty.x1 <= dirty.x0) return false;
    this.keep({ patch: this.patch(dirty, before), chosen: null, inverts: false });
    this.compose(dirty);
    return true;
  }

  /** Back to the labels that were chosen at first, without hand work. */
  reset() {
    const patch = this.manual.some((value) => value !== 0) ? this.patch(this.everywhere()) : null;
    this.keep({ patch, chosen: this.chosen.slice(), inverts: false });
    this.manual.fill(0);
    this.chosen.set(this.first);
    this.compose(this.everywhere());
  }

  /** Widens the mask by a number of pixels, or narrows it if the number is negative; borders of the picture stay. */
  grow(/** @type {number} */ pixels) {
    const inside = pixels > 0 ? 1 : 0;
    const far = this.distance(inside);
    return this.become(this.bits.map((bit, i) => (far[i] <= 3 * Math.abs(pixels) ? inside : bit)));
  }

  /**
   * Three times the distance to the nearest pixel of this value, to 6 percent (chamfer distance 3-4, Borgefors 1986).
   * @param {number} value
   */
  distance(value) {
    const { width, height, bits } = this;
    const far = new Uint16Array(bits.length);
    for (let i = 0; i < far.length; i++) far[i] = bits[i] === value ? 0 : 60000;
    const nearer = (/** @type {number} */ i, /** @type {number} */ x, /** @type {number} */ row, /** @type {number} */ side) => {
      let best = far[i];
      if (x > 0 && far[row - 1] + 4 < best) best = far[row - 1] + 4;
      if (far[row] + 3 < best) best = far[row] + 3;
      if (x + 1 < width && far[row + 1] + 4 < best) best = far[row + 1] + 4;
      if (x + side >= 0 && x + side < width && far[i + side] + 3 < best) best = far[i + side] + 3;
      far[i] = best;
    };
    for (let x = 1; x < width; x++) far[x] = Math.min(far[x], far[x - 1] + 3);
    for (let y = 1; y < height; y++) for (let x = 0; x < width; x++) nearer(y * width + x, x, (y - 1) * width + x, -1);
    const last = (height - 1) * width;
    for (let x = width - 2; x >= 0; x--) far[last + x] = Math.min(far[last + x], far[last + x + 1] + 3);
    for (let y = height - 2; y >= 0; y--) for (let x = width - 1; x >= 0; x--) nearer(y * width + x, x, (y + 1) * width + x, 1);
    return far;
  }

  /** Takes in whatever the mask encloses. */
  fill() {
    const { width, height, bits } = this;
    const outside = new Uint8Array(bits.length);
    /** @type {number[]} */
    const stack = [];
    const visit = (/** @type {number} */ i) => {
      if (bits[i] || outside[i]) return;
      outside[i] = 1;
      stack.push(i);
    };
    for (let x = 0; x < width; x++) visit(x), visit((height - 1) * width + x);
    for (let y = 0; y < height; y++) visit(y * width), visit(y * width + width - 1);
    for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
      const x = i % width;
      if (x > 0) visit(i - 1);
      if (x + 1 < width) visit(i + 1);
      if (i >= width) visit(i - width);
      if (i + width < bits.length) visit(i + width);
    }
    return this.become(outside.map((value) => 1 - value));
  }
}
