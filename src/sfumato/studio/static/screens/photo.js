/**
 * The first screen: a photo comes in.
 * @import * as Api from "../types.d.ts"
 * @import { Screen } from "../route.js"
 */

import { Refusal, remark } from "../api.js";
import { button, h, hush, icon, say } from "../dom.js";
import { failed, notice } from "../notices.js";
import { brought, chosen, exampleRow, photographed, recentRow } from "../pictures.js";
import { go } from "../route.js";
import { shelf } from "../shelf.js";
import { store } from "../store.js";
import { bytes, percent } from "../text.js";

/** @returns {Screen} */
export function photoScreen() {
  const state = h("p", { class: "state", role: "status" });
  const bar = h("progress", { max: "1", label: "photo.progress", hidden: true });
  const limits = h("p", { class: "dim" });

  const busy = (/** @type {number | null} */ sent) => {
    area.classList.toggle("busy", sent !== null);
    bar.hidden = sent === null;
    if (sent === null) hush(state);
    else if (sent < 1) bar.value = sent;
    else bar.removeAttribute("value"); // It has arrived; how long reading takes, nobody knows.
    if (sent !== null) say(state, sent < 1 ? "photo.sending" : "photo.reading", { share: percent(sent) });
  };
  const work = async (/** @type {() => Promise<Api.Photo>} */ act) => {
    area.classList.remove("wrong");
    busy(0);
    try {
      const photo = await act();
      for (const note of photo.notes) notice("note", "notice.note", { note: remark(note) });
      busy(null);
      go("zone", photo.id);
    } catch (error) {
      busy(null);
      area.classList.add("wrong");
      say(state, "photo.failed", { why: error instanceof Refusal ? error.message : String(error) });
    }
  };
  const open = (/** @type {Blob | null | undefined} */ file) => file && work(() => brought(file, { parts: true, sent: busy }));

  const shoot = async () => {
    if (matchMedia("(pointer: coarse)").matches || !navigator.mediaDevices) open((await chosen({ capture: true }))[0]);
    else await photographed().then(open, () => notice("error", "camera.none"));
  };
  const paste = async () => {
    const items = await navigator.clipboard.read().catch(() => []);
    const found = items.flatMap((item) => item.types.filter((type) => type.startsWith("image/")).map((type) => item.getType(type)))[0];
    if (found) open(await found);
    else notice("note", "photo.nothing_to_paste");
  };
  const area = h(
    "div",
    { class: "drop" },
    h("div", { class: "mark" }, icon("photo")),
    h("h1", { t: "photo.title", tabindex: -1 }),
    h("p", { class: "lead", t: "photo.lead" }),
    h("div", { class: "row" }, button("open", "photo.choose", async () => open((await chosen())[0]), { class: "go" }), button("camera", "photo.camera", shoot), "clipboard" in navigator && button("paste", "photo.paste", paste)),
    bar,
    state,
    limits,
  );
  const recents = h("section", { hidden: true }, h("h2", { t: "photo.recent" }), recentRow((photo) => go("zone", photo.id), { forget: true }));
  const results = shelf();
  const examples = h("section", {}, h("h2", { t: "photo.examples" }), exampleRow("photo", (one) => work(() => store.example(one, true))));
  store.addEventListener("photos", () => {
    recents.hidden = !store.photos.size;
    const known = store.health?.limits;
    if (known) say(limits, "photo.limits", { size: bytes(known.upload_bytes), pixels: known.pixels / 1e6 });
  });
  return {
    node: h("div", { class: "screen photo" }, area, h("div", { class: "shelves" }, examples, recents, results.node)),
    enter: () => Promise.all([store.load(), results.fill()]).then(() => {}, failed),
    files: (files) => open(files[0]),
  };
}
