/**
 * What the page knows: the pictures of the session, models, options; and what it remembers of itself between visits.
 * @import * as Api from "./types.d.ts"
 */

import * as api from "./api.js";

class Store extends EventTarget {
  constructor() {
    super();
    /** @type {Map<string, Api.Photo>} */ this.photos = new Map();
    /** @type {Api.ModelInfo[]} */ this.models = [];
    /** @type {Api.OptionSchemas | null} */ this.options = null;
    /** @type {Api.Example[]} */ this.examples = [];
    /** @type {Api.Health | null} */ this.health = null;
    /** @type {Promise<unknown> | null} */ this.loading = null;
  }

  /** Asks for all of it once, as soon as the studio is ready. */
  load() {
    this.loading ??= Promise.all([api.options(), api.models(), api.examples(), api.photos()]).then(([options, models, examples, photos]) => {
      this.options = options;
      this.models = models.models;
      this.examples = examples.examples;
      for (const photo of photos.photos.toReversed()) this.photos.set(photo.id, photo);
      this.tell();
    });
    this.loading.catch(() => (this.loading = null));
    return this.loading;
  }

  /** The pictures changed. */
  tell() {
    this.dispatchEvent(new Event("photos"));
  }

  keep(/** @type {Api.Photo} */ photo) {
    this.photos.set(photo.id, photo);
    this.tell();
    return photo;
  }

  /** A picture as the server has it now. */
  async fresh(/** @type {string} */ id) {
    return this.keep(await api.photo(id));
  }

  async forget(/** @type {string} */ id) {
    await api.forget(id);
    this.photos.delete(id);
    this.tell();
  }

  /** The colours in which a model may be shown a photo. @returns {string[]} */
  get filters() {
    return this.options?.collage.properties.filter.enum ?? [];
  }

  /** The last pictures first. */
  recent() {
    return [...this.photos.values()].reverse();
  }

  /** Models for kinds of work, those for the first kind first; those that cannot be used last. @param {Api.ModelInfo["fits"][number][]} kinds */
  fitting(...kinds) {
    const rank = (/** @type {Api.ModelInfo} */ model) => (model.problem ? kinds.length : 0) + kinds.findIndex((kind) => model.fits.includes(kind));
    return this.models.filter((model) => kinds.some((kind) => model.fits.includes(kind))).sort((a, b) => rank(a) - rank(b));
  }

  /** An example as a picture of the session; brought once. */
  async example(/** @type {Api.Example} */ example, /** @type {boolean} */ parts) {
    const brought = recall("examples", /** @type {Record<string, string>} */ ({}));
    const before = this.photos.get(brought[example.name]);
    if (before) return before;
    const photo = this.keep(await api.upload(await api.blob(api.at.example(example.name)), example.name, parts));
    remember("examples", { ...brought, [example.name]: photo.id });
    return photo;
  }
}

export const store = new Store();

/** What is remembered in a place of the browser. */
class Memory {
  constructor(/** @type {Storage} */ place) {
    this.place = place;
  }

  /**
   * @template T
   * @param {string} key
   * @param {T} otherwise
   * @returns {T}
   */
  recall(key, otherwise) {
    const kept = this.place.getItem(`sfumato.${key}`);
    return kept === null ? otherwise : JSON.parse(kept);
  }

  remember(/** @type {string} */ key, /** @type {unknown} */ value) {
    this.place.setItem(`sfumato.${key}`, JSON.stringify(value));
  }
}

const visits = new Memory(localStorage);
/** What only this tab remembers, until it is closed: what it has begun. */
export const tab = new Memory(sessionStorage);

/**
 * @template T
 * @param {string} key
 * @param {T} otherwise
 * @returns {T}
 */
export function recall(key, otherwise) {
  return visits.recall(key, otherwise);
}

export function remember(/** @type {string} */ key, /** @type {unknown} */ value) {
  visits.remember(key, value);
}

/**
 * A function that acts a while after the last time it was called; `now` does not wait.
 * @param {number} wait  milliseconds
 * @param {() => void} act
 */
export function later(wait, act) {
  let timer = 0;
  const call = () => {
    clearTimeout(timer);
    timer = setTimeout(call.now, wait);
  };
  call.now = () => {
    clearTimeout(timer);
    timer = 0;
    act();
  };
  call.stop = () => clearTimeout(timer);
  return call;
}
