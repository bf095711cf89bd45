/**
 * What the page asks of the studio. The types are those of types.d.ts, which is made from the server's own.
 * @import * as Api from "./types.d.ts"
 */

import { wordNow } from "./dom.js";
import { bytes, known, list, text } from "./text.js";

const HEADERS = { "X-Studio": "1" };
/** What is too much, once the studio has said it. @type {Api.Limits | null} */
let limits = null;

/** What is known of why: the server says all of it, the page itself only the code. @typedef {Pick<Api.Problem, "error" | "message" | "hint"> & Partial<Api.Problem>} Told */

/** Why something was not done: the server's code, and a sentence in the language of the page. */
export class Refusal extends Error {
  constructor(/** @type {Told} */ problem, status = 0) {
    super(sentence(problem));
    this.code = problem.error;
    this.status = status;
  }
}

/**
 * What went wrong, in words of the page: those of the code, and behind them those of the detail, where there is one
 * that the page knows, else the server's own.
 */
export function sentence(/** @type {Told} */ { error, message, hint, detail, values }) {
  const exactly = `detail.${detail}`;
  const told = known(exactly) ? text(exactly, inWords(values)) : [message, hint].filter(Boolean).join(" ");
  const key = `error.${error}`;
  if (!known(key)) return told;
  return text(key, { told, size: bytes(limits?.upload_bytes ?? 0), pixels: (limits?.pixels ?? 0) / 1e6, side: limits?.smallest_side ?? 0 });
}

/** The values of a detail, names of fields and of parts in words of the page. */
function inWords(/** @type {Api.Problem["values"]} */ values = {}) {
  const said = { ...values };
  if ("field" in said) said.field = wordNow("field", String(said.field));
  if ("parts" in said) said.parts = list(String(said.parts).split(", ").map((name) => wordNow("part", name)));
  return said;
}

/** What is to be known of something that went well, in words of the page where it has them. */
export function remark(/** @type {Api.Note} */ { code, message, values }) {
  const key = `note.${code}`;
  return known(key) ? text(key, values) : message;
}

/** Nothing came back: the program has ended, or the way to it is cut. */
function unreachable() {
  return new Refusal({ error: "unreachable", message: "", hint: "" });
}

async function refused(/** @type {Response} */ response) {
  const problem = await response.json().catch(() => ({ error: "unexpected", message: response.statusText, hint: "" }));
  return new Refusal(problem, response.status);
}

/**
 * @param {string} path
 * @param {RequestInit} [how]
 */
async function ask(path, how = {}) {
  const response = await fetch(path, { ...how, headers: { ...HEADERS, ...how.headers } }).catch((reason) => {
    throw reason.name === "AbortError" ? reason : unreachable();
  });
  if (!response.ok) throw await refused(response);
  return response;
}

/** @returns {Promise<any>} */
async function get(/** @type {string} */ path) {
  return (await ask(path)).json();
}

function send(/** @type {string} */ path, /** @type {object} */ body, /** @type {AbortSignal | undefined} */ signal = undefined) {
  return ask(path, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" }, signal });
}

/** @returns {Promise<Api.Job>} */
async function start(/** @type {string} */ path, /** @type {object} */ body) {
  return (await send(path, body)).json();
}

const within = encodeURIComponent;

/** Addresses of pictures. */
export const at = {
  example: (/** @type {string} */ name) => `api/examples/${within(name)}`,
  preview: (/** @type {string} */ photo) => `api/photos/${photo}/preview`,
  thumb: (/** @type {string} */ photo) => `api/photos/${photo}/thumb`,
  variant: (/** @type {string} */ id) => `api/variants/${id}/preview`,
  variantThumb: (/** @type {string} */ id) => `api/variants/${id}/thumb`,
  file: (/** @type {string} */ id) => `api/files/${id}`,
  fileThumb: (/** @type {string} */ id) => `api/files/${id}/thumb`,
  filePreview: (/** @type {string} */ id) => `api/files/${id}/preview`,
  sample: (/** @type {string} */ run, /** @type {number} */ images) => `api/runs/${run}/samples/${images}`,
  report: (/** @type {string} */ run) => `api/runs/${run}/report`,
};

/** @returns {Promise<Api.Health>} also while the studio starts, which it answers with 503 */
export async function health() {
  const response = await fetch("api/health", { headers: HEADERS }).catch(() => {
    throw unreachable();
  });
  if (!response.ok && response.status !== 503) throw await refused(response);
  const told = await response.json();
  limits = told.limits;
  return told;
}

/** @returns {Promise<Api.OptionSchemas>} */
export const options = () => get("api/options");
/** @returns {Promise<Api.Models>} */
export const models = () => get("api/models");
/** @returns {Promise<Api.Examples>} */
export const examples = () => get("api/examples");
/** @returns {Promise<Api.Photos>} */
export const photos = () => get("api/photos");
/** @returns {Promise<Api.Photo>} */
export const photo = (/** @type {string} */ id) => get(`api/photos/${id}`);
/** @returns {Promise<Api.Status>} */
export const status = (/** @type {string} */ id) => get(`api/photos/${id}/status`);
/** Has the parts of a photo looked for, unless that is under way. @returns {Promise<Api.Job>} */
export const findParts = (/** @type {string} */ id) => start(`api/photos/${id}/parts`, {});
/** @returns {Promise<Api.Jobs>} */
export const jobs = () => get("api/jobs");
/** @returns {Promise<Api.Job>} */
export const job = (/** @type {string} */ id) => get(`api/jobs/${id}`);
/** @returns {Promise<Api.Variant>} */
export const variant = (/** @type {string} */ id) => get(`api/variants/${id}`);
/** @returns {Promise<Api.Runs>} */
export const runs = () => get("api/runs");
/** @returns {Promise<Api.Run>} */
export const run = (/** @type {string} */ id) => get(`api/runs/${id}`);

export const forget = (/** @type {string} */ id) => ask(`api/photos/${id}`, { method: "DELETE" });
export const dropVariant = (/** @type {string} */ id) => ask(`api/variants/${id}`, { method: "DELETE" });
export const files = () => /** @type {Promise<Api.Files>} */ (get("api/files"));
export const dropFile = (/** @type {string} */ id) => ask(`api/files/${id}`, { method: "DELETE" });
export const dropFiles = () => ask("api/files", { method: "DELETE" });
export const cancel = (/** @type {string} */ id) => ask(`api/jobs/${id}`, { method: "DELETE" });

/** @returns {Promise<Blob>} */
export const blob = async (/** @type {string} */ path) => (await ask(path)).blob();
/** @returns {Promise<Uint8Array<ArrayBuffer>>} */
export const raw = async (/** @type {string} */ path) => new Uint8Array(await (await ask(path)).arrayBuffer());
export const labels = (/** @type {string} */ id) => raw(`api/photos/${id}/labels.png`);
export const mask = (/** @type {string} */ id) => raw(`api/photos/${id}/mask`);

/**
 * @param {string} id
 * @param {Blob} file
 * @returns {Promise<Api.Mask>}
 */
export async function putMask(id, file) {
  return (await ask(`api/photos/${id}/mask`, { method: "PUT", body: file, headers: { "Content-Type": "image/png" } })).json();
}

/**
 * Brings a picture. `fetch` does not tell how much has gone out, so this is the older way.
 * @param {Blob} file
 * @param {string} name
 * @param {boolean} parts  whether its parts are looked for
 * @param {(share: number) => void} [sent]
 * @returns {Promise<Api.Photo>}
 */
export function upload(file, name, parts, sent = () => {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `api/photos?name=${within(name)}&parts=${Number(parts)}`);
    for (const [header, value] of Object.entries(HEADERS)) request.setRequestHeader(header, value);
    if (file.type) request.setRequestHeader("Content-Type", file.type);
    request.upload.onprogress = (event) => event.lengthComputable && sent(event.loaded / event.total);
    request.responseType = "json";
    request.onerror = () => reject(unreachable());
    request.onload = () => {
      if (request.status === 201) resolve(request.response);
      else reject(new Refusal(request.response ?? { error: "unexpected", message: request.statusText, hint: "" }, request.status));
    };
    request.send(file);
  });
}

export const makeVariants = (/** @type {string} */ photo, /** @type {Api.VariantsRequest} */ body) => start(`api/photos/${photo}/jobs`, body);
export const exportVariant = (/** @type {string} */ id, /** @type {Api.ExportRequest} */ body) => start(`api/variants/${id}/export`, body);
export const stylize = (/** @type {string} */ photo, /** @type {Api.StylizeRequest} */ body) => start(`api/photos/${photo}/stylize`, body);
export const texture = (/** @type {Api.TextureRequest} */ body) => start("api/textures", body);
export const batch = (/** @type {Api.BatchRequest} */ body) => start("api/batches", body);

/** @returns {Promise<Blob>} */
export async function blend(/** @type {string} */ id, /** @type {Api.BlendRequest} */ body, /** @type {AbortSignal} */ signal) {
  return (await send(`api/variants/${id}/blend`, body, signal)).blob();
}

/** @returns {Promise<Blob>} */
export async function stylizePreview(/** @type {string} */ photo, /** @type {Api.PreviewRequest} */ body, /** @type {AbortSignal} */ signal) {
  return (await send(`api/photos/${photo}/stylize/preview`, body, signal)).blob();
}

/**
 * The events of a run, by name, until one of `last` comes; an address that is gone ends with `lost`.
 * @param {string} path
 * @param {Record<string, (data: any) => void>} heard
 * @param {string[]} last
 * @param {() => void} lost
 * @returns {() => void} stops listening
 */
export function listen(path, heard, last, lost) {
  const source = new EventSource(path);
  for (const [name, act] of Object.entries(heard)) {
    source.addEventListener(name, (event) => {
      const data = /** @type {MessageEvent} */ (event).data;
      if (data === undefined) return; // The connection's own `error`; the browser tries again.
      if (last.includes(name)) source.close();
      act(JSON.parse(data));
    });
  }
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) lost();
  });
  return () => source.close();
}
