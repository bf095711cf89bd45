/**
 * Pictures that come in: chosen, dropped, pasted, from the camera, from the examples or from before.
 * @import * as Api from "./types.d.ts"
 */

import * as api from "./api.js";
import { button, h, refill, say } from "./dom.js";
import { failed } from "./notices.js";
import { store } from "./store.js";
import { known, text } from "./text.js";

/** What a file dialog offers; what a browser cannot name (HEIC) is left to the server to judge. */
const TYPES = "image/*,.heic,.heif,.avif";

/** Asks for files of this computer. @returns {Promise<File[]>} */
export function chosen({ several = false, folder = false, capture = false } = {}) {
  const input = h("input", { type: "file", accept: folder ? undefined : TYPES, multiple: several || folder, webkitdirectory: folder, capture: capture ? "user" : undefined, hidden: true });
  document.body.append(input);
  return new Promise((resolve) => {
    const end = (/** @type {File[]} */ files) => {
      input.remove();
      resolve(files);
    };
    input.addEventListener("change", () => end([...(input.files ?? [])]));
    input.addEventListener("cancel", () => end([]));
    input.click();
  });
}

/** Files of a drop or of a clipboard that may be pictures. */
export function pictures(/** @type {DataTransfer | null} */ data) {
  return [...(data?.files ?? [])].filter((file) => file.type.startsWith("image/") || /\.(heic|heif|avif)$/i.test(file.name));
}

/** What a picture of the session is called: examples have a name in each language. */
export function title(/** @type {Api.Photo | Api.Example} */ picture) {
  const key = `example.${picture.name.replace(/\.\w+$/, "")}`;
  return known(key) ? text(key) : "title" in picture ? picture.title : picture.name;
}

/** An element that shows what a picture is called, in the language of the page. @template {HTMLElement} T @param {T} node */
export function titled(node, /** @type {Api.Photo | Api.Example} */ picture) {
  const key = `example.${picture.name.replace(/\.\w+$/, "")}`;
  if (known(key)) say(node, key);
  else {
    node.setAttribute("data-own", "");
    node.textContent = title(picture);
  }
  return node;
}

/** Gives an element a picture's name: a text of the page for examples, the user's own otherwise. */
function named(/** @type {HTMLElement} */ node, /** @type {Api.Photo | Api.Example} */ picture) {
  const key = `example.${picture.name.replace(/\.\w+$/, "")}`;
  if (known(key)) for (const slot of /** @type {const} */ (["aria-label", "title"])) say(node, key, undefined, slot);
  else {
    node.setAttribute("data-own", "");
    node.setAttribute("aria-label", title(picture));
    node.title = title(picture);
  }
}

/**
 * A small picture that is a button.
 * @param {string} source
 * @param {Api.Photo | Api.Example} picture
 * @param {() => void} act
 */
export function tile(source, picture, act) {
  const node = h("button", { type: "button", class: "tile", "data-id": "id" in picture ? picture.id : picture.name, onclick: act }, h("img", { src: source, alt: "", loading: "lazy", decoding: "async" }));
  named(node, picture);
  return node;
}

/**
 * Fills a row now and whenever there are other pictures, until it has left the page.
 * @template {Api.Photo | Api.Example} T
 * @param {() => T[]} pictures
 * @param {(picture: T) => HTMLElement} made
 */
function live(pictures, made) {
  const row = h("div", { class: "tiles" });
  let shown = false;
  let before = "";
  const fill = () => {
    if (shown && !row.isConnected) return store.removeEventListener("photos", fill);
    shown = row.isConnected;
    const now = pictures();
    const names = JSON.stringify(now.map((one) => ("id" in one ? one.id : one.name)));
    if (names !== before) refill(row, now.map(made), row.closest(".screen")?.querySelector("h1"));
    before = names;
    return undefined;
  };
  store.addEventListener("photos", fill);
  fill();
  return row;
}

/**
 * Examples of a kind, as a row of tiles.
 * @param {Api.Example["use"]} use
 * @param {(example: Api.Example) => void} act
 */
export function exampleRow(use, act) {
  return live(() => store.examples.filter((one) => one.use === use), (one) => tile(api.at.example(one.name), one, () => act(one)));
}

/**
 * Pictures from before, the last first.
 * @param {(photo: Api.Photo) => void} act
 * @param {{most?: number, forget?: boolean}} [how]  `forget` gives each a button that takes it out of the session
 */
export function recentRow(act, { most = 24, forget = false } = {}) {
  const made = (/** @type {Api.Photo} */ photo) => {
    const one = tile(api.at.thumb(photo.id), photo, () => act(photo));
    if (!forget) return one;
    const drop = button("close", "photo.forget", () => store.forget(photo.id).catch(failed), { only: true, class: "corner" });
    return h("div", { class: "tile-box", "data-id": photo.id }, one, drop);
  };
  return live(() => store.recent().slice(0, most), made);
}

/**
 * Brings a file into the session; null if it could not, which is said.
 * @param {Blob} file
 * @param {{parts: boolean, sent?: (share: number) => void}} how
 */
export async function brought(file, { parts, sent }) {
  const name = file instanceof File ? file.name : text("photo.unnamed");
  const limit = store.health?.limits.upload_bytes;
  if (limit && file.size > limit) throw new api.Refusal({ error: "too_big", message: "", hint: "" });
  return store.keep(await api.upload(file, name, parts, sent));
}

/**
 * A dialog that asks for pictures: examples of a kind, those from before, or files.
 * @param {Api.Example["use"]} use
 * @returns {Promise<Api.Photo[]>}
 */
export function picked(use) {
  return new Promise((resolve) => {
    const dialog = h("dialog", { class: "picker", label: `pick.${use}` });
    /** @type {Api.Photo[]} */ let taken = [];
    const end = (/** @type {Api.Photo[]} */ photos) => {
      taken = photos;
      dialog.close(); // Which gives the focus back to where it was.
    };
    const work = (/** @type {() => Promise<Api.Photo[]>} */ act) => {
      dialog.classList.add("busy");
      act().then(end).catch((error) => {
        dialog.classList.remove("busy");
        failed(error);
      });
    };
    const files = async () => {
      const list = await chosen({ several: use !== "photo" });
      if (list.length) work(() => Promise.all(list.map((file) => brought(file, { parts: use === "photo" }))));
    };
    const parts = use === "photo";
    const heading = h("h2", { t: `pick.${use}` });
    dialog.append(
      h("div", { class: "head" }, heading, button("close", "pick.close", () => dialog.close(), { only: true })),
      h("div", { class: "body" }, button("open", "pick.file", files, { class: "go" }), h("h3", { t: "pick.examples" }), exampleRow(use, (one) => work(async () => [await store.example(one, parts)]))),
    );
    if (store.photos.size) dialog.lastElementChild?.append(h("h3", { t: "pick.recent" }), recentRow((photo) => end([photo])));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(taken);
    });
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** A dialog with the camera's picture; null if it is closed. @returns {Promise<Blob | null>} */
export async function photographed() {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user", width: { ideal: 1920 }, height: { ideal: 1080 } } });
  const video = h("video", { autoplay: true, playsinline: true, muted: true, label: "camera.view" });
  video.srcObject = stream;
  return new Promise((resolve) => {
    const dialog = h("dialog", { class: "camera", label: "photo.camera" });
    /** @type {Blob | null} */ let taken = null;
    const end = (/** @type {Blob | null} */ file) => {
      taken = file;
      dialog.close(); // Which gives the focus back to where it was.
    };
    const take = () => {
      const canvas = h("canvas", { width: video.videoWidth, height: video.videoHeight });
      canvas.getContext("2d")?.drawImage(video, 0, 0);
      canvas.toBlob(end, "image/jpeg", 0.95);
    };
    const shutter = button("camera", "camera.take", take, { class: "go" });
    shutter.disabled = true;
    video.addEventListener("loadeddata", () => (shutter.disabled = false));
    dialog.append(video, h("div", { class: "row" }, button("close", "camera.close", () => dialog.close(), { class: "quiet" }), shutter));
    dialog.addEventListener("close", () => {
      for (const track of stream.getTracks()) track.stop();
      dialog.remove();
      resolve(taken);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** A picture's name and size, to show. */
export function caption(/** @type {Api.Photo} */ photo) {
  const name = titled(h("strong"), photo);
  return h("span", { class: "caption" }, name, h("span", { "data-own": "" }, `${photo.size[0]} × ${photo.size[1]}`));
}
