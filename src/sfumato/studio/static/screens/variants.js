/**
 * The third screen: the zone drawn in several ways, as they come.
 * @import * as Api from "../types.d.ts"
 * @import { Screen } from "../route.js"
 * @import { Outcome } from "../jobs.js"
 */

import * as api from "../api.js";
import { CompareView } from "../compare.js";
import { button, h, icon, own, refill, say, word } from "../dom.js";
import { form } from "../form.js";
import { JobBar, runs } from "../jobs.js";
import { failed, notice } from "../notices.js";
import { go } from "../route.js";
import { shares } from "../shares.js";
import { recall, remember, store } from "../store.js";
import { sure } from "../sure.js";
import { bytes } from "../text.js";
import { drawnWith, nameOf, nameOfMissed, stale, sumOf, zone } from "../zone.js";

/** @typedef {{models: string[], filters: NonNullable<Api.VariantsRequest["filters"]>, styles: string[], seed: number, iterations?: number[]}} Wish */
/** @typedef {{bar: JobBar, wish: Wish, left: number, problems: Api.ItemDone[]}} Work */

/** What is being drawn, by photo; it goes on whatever screen is shown. @type {Map<string, Work>} */
const working = new Map();
/** The photo whose variants were asked for on the screen before. @type {string | null} */
let ordered = null;

/** Shows a photo's variants and draws them with the zone as it is. */
export function order(/** @type {string} */ photo) {
  ordered = photo;
  go("variants", photo);
}

/** Stars and hidden ones, by variant. @returns {Record<string, "star" | "hide">} */
const marks = (/** @type {string} */ photo) => recall(`marks.${photo}`, {});

/** What to draw: the last wish, as far as its models are still here; at first a model that needs no style. @returns {Wish} */
function wished() {
  const usable = store.fitting("collage").filter((model) => !model.problem);
  const here = usable.map((model) => model.name);
  const alone = usable.filter((model) => !model.fits.includes("stylize")).map((model) => model.name).slice(0, 1);
  const last = recall("wish", /** @type {Wish} */ ({ models: [], filters: ["none"], styles: [], seed: 0 }));
  const models = last.models.filter((name) => here.includes(name));
  const filters = last.filters.filter((name) => store.filters.includes(name));
  return { models: models.length ? models : alone, filters: filters.length ? filters : ["none"], styles: last.styles.filter((id) => store.photos.has(id)), seed: last.seed, iterations: last.iterations };
}

/**
 * Shows a job that draws variants of a photo from before it is asked for until it ends, and takes in what it makes.
 * @param {string} id  of the photo
 * @param {Wish} wish
 * @param {() => Promise<Api.Job>} start
 */
async function follow(id, wish, start) {
  const before = working.get(id);
  if (before?.bar.busy) return;
  let sum = 0;
  let begun = false;
  const bar = new JobBar({
    changed: () => {
      if (!bar.busy) work.left = 0;
      store.tell();
    },
  });
  const work = { bar, wish, left: wish.models.length * wish.filters.length, problems: /** @type {Api.ItemDone[]} */ ([]) };
  working.set(id, work);
  const take = (/** @type {Api.VariantReady} */ { variant, number, total }) => {
    work.left = total - number;
    const photo = store.photos.get(id);
    if (photo && !photo.variants.some((one) => one.id === variant.id)) {
      photo.variants.push(variant);
      drawnWith(variant, sum);
    }
    if (variant.note) notice("note", "variants.note", { name: nameOf(variant), note: api.remark(variant.note) });
    store.tell();
  };
  const miss = (/** @type {Api.ItemDone} */ item) => {
    work.left = item.total - item.number;
    if (item.problem) work.problems.push(item);
    store.tell();
  };
  const asked = async () => {
    const job = await start();
    sum = sumOf(id);
    begun = true;
    work.left -= job.kept.length;
    return job;
  };
  const outcome = await bar.begin(asked, { variant: take, item: miss }).catch((error) => failed(error));
  if (!begun && before) working.set(id, before); // What had failed before can still be tried again.
  else if (!work.problems.length) working.delete(id);
  await store.fresh(id).catch((error) => {
    failed(error);
    store.tell(); // Nothing is waited for any more, though nobody answers.
  });
  if (!outcome) return;
  const missed = outcome.failed || work.problems.length;
  if (outcome.end === "cancelled") notice("note", "variants.cancelled"); // Once that can be seen.
  else if (missed) notice("error", "variants.done_with", { n: missed });
  else notice("note", ended(id, outcome), { n: outcome.kept.length });
}

/** The key of how a job ended well: what was there already is not drawn again. */
function ended(/** @type {string} */ photo, /** @type {Outcome} */ { variants, kept }) {
  if (!kept.length) return "variants.done";
  if (variants.length) return "variants.done_rest";
  return kept.some((one) => marks(photo)[one] === "hide") ? "variants.nothing_new_hidden" : "variants.nothing_new";
}

/** Draws variants, unless some of the photo are being drawn; what fails on the way shows in its tile. */
function draw(/** @type {string} */ id, /** @type {Wish} */ wish) {
  remember("wish", wish);
  const options = { ...recall("blend", {}), seed: wish.seed, ...(wish.iterations ? { iterations: wish.iterations } : {}) };
  follow(id, wish, async () => {
    if (zone.photo?.id === id) await zone.flush();
    return api.makeVariants(id, { models: wish.models, filters: wish.filters, styles: wish.styles, options });
  });
}

/** Boxes to tick: which models, which filters, and the number that chance starts from. */
function wishes(/** @type {() => void} */ changed) {
  const modelPart = h("div", { class: "cards", role: "group", label: "variants.models" });
  const filterPart = h("div", { class: "chips", role: "group", label: "variants.filters" });
  /** How long a model that optimises may take. @type {ReturnType<typeof form> | null} */ let looks = null;
  const looksPlace = h("div", { hidden: true });
  /** @type {ReturnType<typeof form> | null} */ let chance = null;
  const chancePlace = h("div", {});
  const tick = (/** @type {string} */ value, /** @type {boolean} */ on, /** @type {boolean} */ disabled) =>
    h("input", { type: "checkbox", value, checked: on, disabled, onchange: changed });
  const card = (/** @type {Api.ModelInfo} */ model, /** @type {boolean} */ on) =>
    h(
      "label",
      { class: model.problem ? "card gone" : "card" },
      tick(model.name, on, Boolean(model.problem)),
      h("span", { class: "words" }, h("strong", {}, word("model", model.name, model.title)), h("small", { "data-own": "" }, model.problem || [model.licence, model.bytes && bytes(model.bytes)].filter(Boolean).join(" · "))),
    );
  const fill = () => {
    const wish = wished();
    modelPart.replaceChildren(...store.fitting("collage").map((model) => card(model, wish.models.includes(model.name))));
    filterPart.replaceChildren(...store.filters.map((name) => h("label", { class: "chip" }, tick(name, wish.filters.some((one) => one === name), false), word("filter", name))));
    if (!looks && store.options) {
      looks = form(store.options.collage, { only: ["iterations"] });
      chance = form(store.options.collage, { only: ["seed"] });
      for (const one of [looks, chance]) one.heard(changed);
      looksPlace.append(looks.node);
      chancePlace.append(chance.node);
    }
    chance?.write({ seed: wish.seed });
    looks?.write({ iterations: wish.iterations ?? [] });
    styles.restore(wish.styles.flatMap((id) => store.photos.get(id) ?? []).map((photo) => ({ photo, weight: 1 })));
  };
  /** What is wished; a model that takes a style needs one. */
  const read = () => {
    const models = ticked(modelPart);
    const needs = store.models.some((one) => models.includes(one.name) && one.fits.includes("stylize"));
    stylish.hidden = !needs;
    const optimises = store.models.some((one) => models.includes(one.name) && one.method === "gatys");
    looksPlace.hidden = !optimises;
    const wish = /** @type {Wish} */ ({ models, filters: ticked(filterPart), styles: needs ? styles.ids() : [], seed: chance?.read().seed ?? 0, ...(optimises ? looks?.read() : {}) });
    return { wish, able: models.length * wish.filters.length > 0 && (!needs || wish.styles.length > 0) };
  };
  const styles = shares("style", changed, false);
  const stylish = h("section", { hidden: true }, h("h2", { t: "stylize.styles" }), styles.node);
  const ticked = (/** @type {HTMLElement} */ box) => [...box.querySelectorAll("input")].filter((one) => one.checked).map((one) => one.value);
  const node = h(
    "div",
    { class: "choice" },
    h("h2", { t: "variants.models" }),
    modelPart,
    stylish,
    h("h2", { t: "variants.filters" }),
    filterPart,
    chancePlace,
    looksPlace,
  );
  const valid = () => Boolean(chance?.valid()) && (looksPlace.hidden || Boolean(looks?.valid()));
  return { node, fill, read, valid, bring: styles.bring };
}

/** Two variants on each other. */
function versus(/** @type {Api.Variant} */ a, /** @type {Api.Variant} */ b, /** @type {() => void} */ closed) {
  const view = /** @type {CompareView} */ (h(/** @type {any} */ ("compare-view")));
  const dialog = h("dialog", { class: "versus", label: "versus.title" });
  const keep = (/** @type {Api.Variant} */ one, /** @type {string} */ key) =>
    button("check", key, () => {
      dialog.close();
      go("save", one.id);
    }, { class: "go" });
  dialog.append(view, h("div", { class: "row" }, keep(a, "versus.keep_a"), button("close", "versus.close", () => dialog.close(), { class: "quiet" }), keep(b, "versus.keep_b")));
  dialog.addEventListener("close", () => {
    dialog.remove();
    closed();
  });
  dialog.addEventListener("keydown", (event) => view.key(event));
  dialog.addEventListener("keyup", (event) => view.key(event));
  document.body.append(dialog);
  dialog.showModal();
  view.show({ before: api.at.variant(a.id), after: api.at.variant(b.id), width: a.width, height: a.height, names: ["versus.a", "versus.b"] });
}

/** @returns {Screen} */
export function variantsScreen() {
  let shown = "";
  /** @type {Api.Variant[]} */ let pair = [];
  let unhidden = false;
  /** The variant of which it is asked whether to remove it. */ let doubt = "";
  const grid = h("div", { class: "grid", role: "list", label: "variants.title" });
  const place = h("div", { class: "job-place" });
  const banner = h("p", { class: "banner", role: "status", hidden: true }, icon("warn"), h("span", { t: "variants.stale" }));
  const nothing = h("p", { class: "nothing", t: "variants.nothing" });
  const info = h("p", { class: "info" });
  const hiddenOnes = button("eye", "variants.show_hidden", () => {
    unhidden = !unhidden;
    fill();
  }, { class: "quiet small" });

  const mark = (/** @type {Api.Variant} */ one, /** @type {"star" | "hide"} */ kind) => {
    const all = marks(shown);
    if (all[one.id] === kind) delete all[one.id];
    else all[one.id] = kind;
    remember(`marks.${shown}`, all);
    fill();
  };
  const forget = async (/** @type {Api.Variant} */ one) => {
    await api.dropVariant(one.id).catch((error) => {
      if (error.code !== "not_found") throw error; // Else it has gone already.
    });
    const { [one.id]: _, ...others } = marks(one.photo);
    remember(`marks.${one.photo}`, others);
    if (recall(`variant.${one.photo}`, "") === one.id) remember(`variant.${one.photo}`, "");
    pair = pair.filter((other) => other.id !== one.id);
    doubt = "";
    const photo = store.photos.get(one.photo);
    if (photo) store.keep({ ...photo, variants: photo.variants.filter((other) => other.id !== one.id) });
  };
  const match = (/** @type {Api.Variant} */ one) => {
    pair = pair.some((other) => other.id === one.id) ? pair.filter((other) => other.id !== one.id) : [...pair, one];
    if (pair.length === 2) {
      // The tiles are made anew meanwhile, so the dialog itself cannot give the focus back.
      versus(pair[0], pair[1], () => /** @type {HTMLElement | null} */ (grid.querySelector(`[data-id="${one.id}"] [aria-keyshortcuts="A"]`))?.focus());
      pair = [];
    }
    fill();
  };
  const tool = (/** @type {string} */ picture, /** @type {string} */ key, /** @type {boolean} */ on, /** @type {() => void} */ act, /** @type {string} */ keys) => {
    const made = button(picture, key, act, { only: true, keys });
    made.setAttribute("aria-pressed", String(on));
    return made;
  };
  const tile = (/** @type {Api.Variant} */ one) => {
    const is = marks(shown)[one.id];
    const chosen = recall(`variant.${shown}`, "") === one.id;
    const open = h("button", { type: "button", class: "open", onclick: () => go("save", one.id) }, h("img", { src: api.at.variant(one.id), alt: "", width: one.width, height: one.height, loading: "lazy" }));
    say(open, chosen ? "variants.open_chosen" : "variants.open", { name: nameOf(one) }, "aria-label");
    const drop = button("close", "variants.drop", () => {}, { only: true });
    for (const slot of /** @type {const} */ (["aria-label", "title"])) say(drop, "variants.drop", { name: nameOf(one) }, slot);
    const node = h("div", { class: "variant", role: "listitem", "data-id": one.id }, open, h("div", { class: "row" }, own(nameOf(one))));
    node.lastElementChild?.append(
      tool("star", "variants.star", is === "star", () => mark(one, "star"), "S"),
      tool("compare", "variants.pair", pair.some((other) => other.id === one.id), () => match(one), "A"),
      tool("hide", "variants.hide", is === "hide", () => mark(one, "hide"), "H"),
      drop,
    );
    node.append(sure(drop, "variants.drop_sure", { name: nameOf(one) }, () => forget(one).catch(failed), { open: doubt === one.id, heard: (open) => (doubt = open ? one.id : "") }).node);
    for (const [on, name] of /** @type {const} */ ([[is === "star", "starred"], [is === "hide", "hides"], [stale(one), "stale"], [chosen, "chosen"]])) node.classList.toggle(name, on);
    if (stale(one)) node.append(h("span", { class: "flag", t: "variants.old" }));
    if (chosen) node.append(h("span", { class: "flag chosen" }, icon("check"), h("span", { t: "variants.chosen" })));
    return node;
  };
  const failure = (/** @type {Work} */ work, /** @type {Api.ItemDone} */ item) => {
    const again = button("reset", "variants.again", () => draw(shown, work.wish), { class: "quiet small" });
    again.disabled = work.bar.busy;
    const why = item.problem ? api.sentence(item.problem) : "";
    return h("div", { class: "variant failure", role: "listitem", "data-missed": item.name }, icon("warn"), own(nameOfMissed(item), "strong"), h("p", { "data-own": "" }, why), again);
  };

  const fill = () => {
    const photo = store.photos.get(shown);
    if (!photo) return;
    const work = working.get(shown);
    const all = marks(shown);
    const sorted = [...photo.variants].sort((a, b) => Number(stale(a)) - Number(stale(b)) || a.created - b.created);
    const visible = sorted.filter((one) => unhidden || all[one.id] !== "hide");
    const waiting = Array.from({ length: work?.left ?? 0 }, () => {
      const node = h("div", { class: "variant waiting", "aria-hidden": "true" }, h("div", { class: "open" }));
      node.style.setProperty("--shape", `${photo.work[0]} / ${photo.work[1]}`);
      return node;
    });
    refill(grid, [...visible.map(tile), ...(work?.problems ?? []).map((item) => failure(/** @type {Work} */ (work), item)), ...waiting], again);
    if (place.firstChild !== (work?.bar.node ?? null)) place.replaceChildren(...(work ? [work.bar.node] : []));
    const old = sorted.some(stale);
    banner.hidden = !old;
    nothing.hidden = sorted.length > 0 || Boolean(work);
    hiddenOnes.hidden = !Object.values(all).includes("hide");
    hiddenOnes.setAttribute("aria-pressed", String(unhidden));
    tell();
  };
  const again = button("make", "variants.make", () => panel.valid() && draw(shown, panel.read().wish), { class: "go", id: "draw" });
  const tell = () => {
    const { wish, able } = panel.read();
    const count = wish.models.length * wish.filters.length;
    const busy = Boolean(working.get(shown)?.bar.busy);
    again.disabled = busy || !able;
    if (busy) say(info, "variants.busy");
    else if (count && !able) say(info, "stylize.no_style");
    else if (count) say(info, "variants.count", { n: count });
    else say(info, "variants.none_wished");
  };
  const panel = wishes(tell);
  store.addEventListener("photos", () => !node.hidden && fill());
  zone.addEventListener("saved", () => !node.hidden && fill());

  const node = h(
    "div",
    { class: "screen variants" },
    h("h1", { class: "unseen", t: "step.variants", tabindex: -1 }),
    h("div", { class: "stage" }, banner, place, nothing, grid, h("div", { class: "row" }, hiddenOnes)),
    h("aside", { class: "panel" }, h("details", { class: "fold", open: matchMedia("(min-width: 800px)").matches }, h("summary", { t: "variants.choose" }), panel.node)),
    h("div", { class: "action" }, info, again),
  );
  const step = (/** @type {string} */ key) => {
    const opens = /** @type {HTMLElement[]} */ ([...grid.querySelectorAll("button.open")]);
    const now = opens.indexOf(/** @type {HTMLElement} */ (document.activeElement?.closest(".variant")?.querySelector(".open")));
    const across = Math.max(1, opens.filter((one) => one.getBoundingClientRect().top === opens[0].getBoundingClientRect().top).length);
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across }[key] ?? 0;
    opens[Math.min(opens.length - 1, Math.max(0, now < 0 ? 0 : now + by))]?.focus();
    return opens.length > 0;
  };
  return {
    node,
    enter: async (id) => {
      if (!id && zone.photo) return go("variants", zone.photo.id);
      if (!id) return go("photo");
      if (shown !== id) [pair, doubt] = [[], ""];
      shown = id;
      await store.load();
      const photo = await store.fresh(id);
      panel.fill();
      if (!working.get(id)?.bar.busy) {
        const { jobs } = await api.jobs();
        const now = jobs.find((job) => job.kind === "variants" && job.photo === id && runs(job));
        if (now) follow(id, wished(), async () => now);
        else if ((ordered === id || !(photo.variants.length || working.has(id))) && panel.read().able) draw(id, panel.read().wish);
      }
      ordered = null;
      fill();
      return undefined;
    },
    key: (event) => {
      if (event.type !== "keydown" || event.ctrlKey || event.metaKey || event.altKey) return false;
      if (event.key.startsWith("Arrow")) return step(event.key);
      const tools = document.activeElement?.closest(".variant");
      const pressed = tools?.querySelector(`[aria-keyshortcuts="${event.key.toUpperCase()}"]`);
      /** @type {HTMLElement | null | undefined} */ (pressed)?.click();
      return Boolean(pressed);
    },
  };
}
