// The mask editor alone, for its tests.
import { Mask, packed, unpacked } from "./mask.js";
import "./mask-editor.js";
import { decoded, encoded } from "./png.js";
const editor = document.querySelector("mask-editor");
const bits = () => btoa(String.fromCharCode(...editor.mask.bits));
const load = (labels, width, height, chosen) => {
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d").fillRect(0, 0, width, height);
  editor.load(canvas, new Mask(width, height, Uint8Array.from(atob(labels), (c) => c.charCodeAt(0)), chosen));
};
for (const name of ["keydown", "keyup"]) addEventListener(name, (event) => editor.key(event));
Object.assign(window, { editor, Mask, packed, unpacked, decoded, encoded, bits, load });
