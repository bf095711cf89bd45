/**
 * Grey 8-bit PNG files, written and read byte for byte.
 *
 * A canvas would do it in one call, but some browsers change a canvas' pixels a little on the way out, against
 * fingerprinting, and a mask or a label map must come through exactly.
 */

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** A number that tells bytes apart: the CRC-32 of a PNG file's parts. */
export function crc(/** @type {Uint8Array} */ bytes) {
  let c = 0xffffffff;
  for (const byte of bytes) c = CRC[(c ^ byte) & 255] ^ (c >>> 8);
  return ~c >>> 0;
}

function chunk(/** @type {string} */ name, /** @type {Uint8Array} */ data) {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) bytes[4 + i] = name.charCodeAt(i);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

/** @returns {Promise<Uint8Array<ArrayBuffer>>} */
async function piped(/** @type {Uint8Array<ArrayBuffer>} */ bytes, /** @type {GenericTransformStream} */ through) {
  const stream = new Blob([bytes]).stream().pipeThrough(/** @type {ReadableWritablePair<Uint8Array, Uint8Array>} */ (through));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * A PNG file of grey values.
 * @param {Uint8Array} values  one byte for each pixel, row by row
 * @param {number} width
 * @param {number} height
 */
export async function encoded(values, width, height) {
  const rows = new Uint8Array(height * (width + 1));
  for (let y = 0; y < height; y++) rows.set(values.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const head = new Uint8Array(13);
  const view = new DataView(head.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  head[8] = 8;
  const data = await piped(rows, new CompressionStream("deflate"));
  const parts = [Uint8Array.from(SIGNATURE), chunk("IHDR", head), chunk("IDAT", data), chunk("IEND", new Uint8Array())];
  return new Blob(parts, { type: "image/png" });
}

/** What a row's filter expects of a pixel, from its neighbours (PNG specification, section 9). */
function predicted(/** @type {number} */ filter, /** @type {number} */ left, /** @type {number} */ up, /** @type {number} */ corner) {
  if (filter === 0) return 0;
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

/**
 * The grey values of a PNG file.
 * @param {Uint8Array<ArrayBuffer>} file
 * @returns {Promise<{values: Uint8Array, width: number, height: number}>}
 */
export async function decoded(file) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (SIGNATURE.some((byte, i) => file[i] !== byte)) throw new TypeError("not a PNG file");
  let [width, height] = [0, 0];
  const data = [];
  for (let at = 8; at + 8 <= file.length; ) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...file.subarray(at + 4, at + 8));
    if (name === "IHDR") {
      [width, height] = [view.getUint32(at + 8), view.getUint32(at + 12)];
      if (file[at + 16] !== 8 || file[at + 17] !== 0 || file[at + 20] !== 0) throw new TypeError("not a plain grey 8-bit PNG file");
    }
    if (name === "IDAT") data.push(file.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  const packed = new Uint8Array(await new Blob(data).arrayBuffer());
  const rows = await piped(packed, new DecompressionStream("deflate"));
  const values = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (width + 1)];
    const from = y * (width + 1) + 1;
    const to = y * width;
    for (let x = 0; x < width; x++) {
      const left = x ? values[to + x - 1] : 0;
      const up = y ? values[to + x - width] : 0;
      const corner = x && y ? values[to + x - width - 1] : 0;
      values[to + x] = rows[from + x] + predicted(filter, left, up, corner);
    }
  }
  return { values, width, height };
}
