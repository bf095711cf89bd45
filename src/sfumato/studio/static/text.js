/** Texts in the language that is chosen; all of them stand in strings/. */

import { en } from "./strings/en.js";
import { ro } from "./strings/ro.js";

/** @type {Record<string, Record<string, string>>} */
const LANGUAGES = { en, ro };
const KEPT = "sfumato.language";

/** Its two letters. */
export let language = first();

function first() {
  const wanted = [localStorage.getItem(KEPT), ...navigator.languages].map((tag) => tag?.slice(0, 2) ?? "");
  return wanted.find((tag) => tag in LANGUAGES) ?? "en";
}

/** Chooses a language and remembers it. */
export function speak(/** @type {string} */ tag) {
  if (!(tag in LANGUAGES)) throw new RangeError(`there is no language ${tag}`);
  language = tag;
  localStorage.setItem(KEPT, tag);
  document.documentElement.lang = tag;
}

/** Whether there is such a text. */
export function known(/** @type {string} */ key) {
  return key in LANGUAGES[language];
}

/**
 * A text; `{name}` in it is replaced by a value, a number as the language writes it.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function text(key, values = {}) {
  const words = LANGUAGES[language][key];
  if (words === undefined) throw new RangeError(`there is no text ${key}`);
  return words.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? number(values[name]) : values[name]));
}

/** A number as the language writes it. */
export function number(/** @type {number} */ value, digits = 1) {
  return new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
}

/** Several words as the language counts them up. */
export function list(/** @type {string[]} */ words) {
  return new Intl.ListFormat(language, { type: "conjunction" }).format(words);
}

/** A share in percent; what is there is never said to be none. @returns {string} */
export function percent(/** @type {number} */ share) {
  if (share > 0 && share < 0.0005) return `< ${percent(0.001)}`;
  const digits = share > 0 && share < 0.01 ? 1 : 0;
  return new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: digits }).format(share);
}

/** Bytes in the unit that suits them. */
export function bytes(/** @type {number} */ count) {
  const power = Math.min(3, Math.floor(Math.log10(Math.max(count, 1)) / 3));
  return text(["size.b", "size.kb", "size.mb", "size.gb"][power], { n: Number((count / 1000 ** power).toPrecision(3)) });
}

/** Seconds as somebody would say them. */
export function duration(/** @type {number} */ seconds) {
  if (seconds < 90) return text("time.seconds", { n: Math.max(1, Math.ceil(seconds)) });
  if (seconds < 5400) return text("time.minutes", { n: Math.round(seconds / 60) });
  return text("time.hours", { n: Number((seconds / 3600).toFixed(1)) });
}
