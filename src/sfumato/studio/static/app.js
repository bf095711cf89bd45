/**
 * The page: header, screens, keys, and what is dropped or pasted.
 * @import { Screen, ScreenName } from "./route.js"
 */

import * as api from "./api.js";
import { button, h, icon, say, sayAgain } from "./dom.js";
import { failed, notice, tidy } from "./notices.js";
import { pictures } from "./pictures.js";
import { go, here } from "./route.js";
import { batchScreen } from "./screens/batch.js";
import { photoScreen } from "./screens/photo.js";
import { saveScreen } from "./screens/save.js";
import { stylizeScreen } from "./screens/stylize.js";
import { textureScreen } from "./screens/texture.js";
import { trainScreen } from "./screens/train.js";
import { variantsScreen } from "./screens/variants.js";
import { zoneScreen } from "./screens/zone.js";
import { shortcuts } from "./shortcuts.js";
import { recall, store } from "./store.js";
import { language, speak, text } from "./text.js";
import { stale, zone } from "./zone.js";

const HEALTH_MS = 10_000;
const WORKING_MS = 2_000;
const STARTING_MS = 700;
const STEPS = /** @type {const} */ (["photo", "zone", "variants", "save"]);
const TABS = /** @type {const} */ (["stylize", "texture", "train"]);

/** @type {Record<ScreenName, Screen>} */
const screens = {
  photo: photoScreen(),
  zone: zoneScreen(),
  variants: variantsScreen(),
  save: saveScreen(),
  batch: batchScreen(),
  stylize: stylizeScreen(),
  texture: textureScreen(),
  train: trainScreen(),
};
/** @type {ScreenName | null} */ let current = null;
/** The tab that the screen belongs to; a batch and a zone to the one that sent there. */
const section = () => {
  if (current === "zone" && zone.purpose) return zone.purpose;
  if (current === "batch") return recall("batch", { recipe: { kind: "collage" } }).recipe.kind;
  return TABS.find((name) => name === current) ?? "collage";
};

// ---- header

/** @type {Map<string, HTMLElement>} */
const tabs = new Map();
/** @type {Map<string, HTMLElement>} */
const steps = new Map();
const stepBar = h("nav", { class: "steps", label: "step.all" });
const device = h("span", { class: "device", role: "status" }, icon("device"), h("span", { class: "words" }));

/** The last photo of the wizard, and the variant that was chosen of it. */
const photoNow = () => zone.photo?.id ?? recall("photo", "");
const variantNow = () => recall(`variant.${photoNow()}`, "");

function stepTo(/** @type {typeof STEPS[number]} */ step) {
  go(step, { photo: "", zone: photoNow(), variants: photoNow(), save: variantNow() }[step]);
}

function header() {
  const bar = h("nav", { class: "tabs", label: "tab.all" });
  for (const name of /** @type {const} */ (["collage", ...TABS])) {
    const tab = button(name, `tab.${name}`, () => (name === "collage" ? stepTo(recall("step", /** @type {typeof STEPS[number]} */ ("photo"))) : go(name)), { class: "tab" });
    tabs.set(name, tab);
    bar.append(tab);
  }
  STEPS.forEach((name, i) => {
    const step = h("button", { type: "button", class: "step", onclick: () => stepTo(name) }, h("span", { class: "count", "aria-hidden": "true", "data-own": "" }, i + 1), h("span", { t: `step.${name}` }), h("span", { class: "stale", tip: "step.stale", hidden: true }));
    steps.set(name, step);
    stepBar.append(step);
  });
  const tongue = button("language", "language.switch", () => {
    speak(language === "en" ? "ro" : "en");
    sayAgain();
    store.tell();
    tellTitle();
    device.title = "";
    checkHealth().catch(() => {});
  }, { class: "quiet small" });
  say(tongue, "language.switch", undefined, "aria-label"); // On a phone its words are not shown.
  const help = button("help", "help.open", () => shortcuts(), { only: true, keys: "?" });
  const brand = h("a", { class: "brand", href: "#photo", label: "app.home" }, h("img", { src: "icon.svg", alt: "", width: 28, height: 28 }), h("span", { t: "app.name" }));
  return h("header", {}, brand, bar, device, tongue, help);
}

/** Which step is shown, which can be reached, and which shows what has changed since. */
function tellSteps() {
  const photo = store.photos.get(photoNow());
  const variants = photo?.variants ?? [];
  const chosen = variants.find((one) => one.id === variantNow());
  const reached = { photo: true, zone: Boolean(photo), variants: variants.length > 0, save: Boolean(chosen) };
  const old = { photo: false, zone: false, variants: variants.length > 0 && variants.every(stale), save: Boolean(chosen && stale(chosen)) };
  for (const name of STEPS) {
    const step = /** @type {HTMLButtonElement} */ (steps.get(name));
    step.disabled = !reached[name] && name !== current;
    step.classList.toggle("done", reached[name]);
    /** @type {HTMLElement} */ (step.lastElementChild).hidden = !old[name];
    if (name === current) step.setAttribute("aria-current", "step");
    else step.removeAttribute("aria-current");
  }
  stepBar.hidden = section() !== "collage";
  for (const [name, tab] of tabs) {
    if (name === section()) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
}

function tellTitle() {
  const name = current && (current === "batch" ? "batch.title" : /** @type {readonly string[]} */ (STEPS).includes(current) ? `step.${current}` : `tab.${current}`);
  document.title = name ? `${text(name)} · ${text("app.name")}` : text("app.name");
}

// ---- what goes on

const gone = h("p", { class: "banner gone", role: "alert", hidden: true, t: "health.gone" });

/** Asks how the studio is, often while it starts and now and then later. */
async function checkHealth() {
  clearTimeout(timer);
  const words = /** @type {Element} */ (device.lastElementChild);
  try {
    const health = await api.health();
    gone.hidden = true;
    store.health = health;
    device.dataset.state = health.worker;
    say(words, health.ready ? (health.worker === "working" ? "health.working" : "health.ready") : "health.starting", { device: health.device || text("health.unknown") });
    say(device, "health.loaded", { models: health.loaded.join(", ") || text("health.nothing") }, "title");
    if (health.ready) await store.load();
  } catch (error) {
    gone.hidden = /** @type {api.Refusal} */ (error).code !== "unreachable";
    if (gone.hidden) failed(error);
  }
  const wait = store.health?.worker === "working" ? WORKING_MS : HEALTH_MS;
  timer = setTimeout(() => document.hidden || checkHealth(), store.health?.ready ? wait : STARTING_MS);
}
let timer = 0;

async function route() {
  const [name, id] = here();
  const next = /** @type {ScreenName} */ (name in screens ? name : "photo");
  const last = current;
  if (last && last !== next) {
    screens[last].leave?.();
    tidy();
  }
  current = next;
  for (const [other, { node }] of Object.entries(screens)) node.hidden = other !== next;
  document.body.dataset.screen = next;
  if (next === "zone" && id) localStorage.setItem("sfumato.photo", JSON.stringify(id));
  if (/** @type {readonly string[]} */ (STEPS).includes(next)) localStorage.setItem("sfumato.step", JSON.stringify(next));
  tellSteps();
  tellTitle();
  if (last && last !== next) /** @type {HTMLElement | null} */ (screens[next].node.querySelector("h1"))?.focus({ preventScroll: true });
  try {
    await screens[next].enter(id);
  } catch (error) {
    failed(error);
    if (/** @type {api.Refusal} */ (error).code === "not_found" && next !== "photo") go("photo");
  }
  tellSteps();
}

/** Whether a key belongs to what has the focus: a text, a list, an open dialog. */
function taken(/** @type {KeyboardEvent} */ event) {
  const { target } = event;
  if (document.querySelector("dialog[open]")) return true;
  if (target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && (["number", "text", "search"].includes(target.type) || event.key.startsWith("Arrow"));
}

function onKey(/** @type {KeyboardEvent} */ event) {
  if (taken(event) || !current) return;
  if (event.type === "keydown" && event.key === "?") {
    event.preventDefault();
    shortcuts();
  } else screens[current].key?.(event);
}

/** Pictures from outside go to the screen, or become the wizard's photo. */
function take(/** @type {File[]} */ files) {
  if (!files.length || !current) return;
  const { files: own } = screens[current];
  if (!own) go("photo");
  (own ?? screens.photo.files)?.(files);
}

function listen() {
  addEventListener("hashchange", route);
  for (const name of /** @type {const} */ (["keydown", "keyup"])) addEventListener(name, onKey);
  addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  addEventListener("dragleave", (event) => event.relatedTarget ?? document.body.classList.remove("dropping"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    const files = pictures(event.dataTransfer);
    if (!files.length && event.dataTransfer?.files.length) notice("error", "photo.none_dropped");
    take(files);
  });
  addEventListener("paste", (event) => take(pictures(event.clipboardData)));
  document.addEventListener("visibilitychange", () => document.hidden || checkHealth());
  store.addEventListener("photos", tellSteps);
  zone.addEventListener("saved", tellSteps);
}

speak(language);
const main = h("main", { id: "main" }, gone, ...Object.values(screens).map(({ node }) => node));
document.body.prepend(h("a", { class: "skip", href: "#main", t: "app.skip", onclick: (/** @type {Event} */ event) => {
  event.preventDefault();
  main.querySelector("h1")?.focus();
} }), header(), stepBar, main);
listen();
checkHealth();
route();
