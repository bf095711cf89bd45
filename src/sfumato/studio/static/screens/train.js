/**
 * Trainings that run or have run, to watch.
 * @import * as Api from "../types.d.ts"
 * @import { Screen } from "../route.js"
 */

import * as api from "../api.js";
import { chart } from "../chart.js";
import { h, icon, own, say } from "../dom.js";
import { failed } from "../notices.js";
import { go } from "../route.js";
import { duration, number, percent } from "../text.js";

const AGAIN_MS = 15_000;

/** How far a run is, in a line. */
function progress(/** @type {Api.Run} */ run) {
  const share = run.total ? run.images / run.total : 0;
  const bar = h("progress", { max: "1", value: share, label: "train.progress" });
  const words = h("p", { class: "dim" });
  const left = run.images_per_s > 0 ? (run.total - run.images) / run.images_per_s : 0;
  const values = { share: percent(share), images: number(run.images, 0), total: number(run.total, 0), rate: number(run.images_per_s), time: duration(left) };
  if (run.state === "running" && run.total) say(words, "train.running", values);
  else if (run.total) say(words, run.images >= run.total ? "train.finished" : "train.stopped", values);
  else say(words, "train.seen", values);
  return [bar, words];
}

/** Sample pictures, with a slider through the time. */
function samples() {
  const image = h("img", { class: "sample", alt: "" });
  const range = h("input", { type: "range", min: 0, step: 1, label: "train.sample" });
  const words = h("p", { class: "dim" });
  const node = h("section", { hidden: true }, h("h2", { t: "train.samples" }), h("div", { class: "paper" }, image), range, words);
  /** @type {Api.Run | null} */ let shown = null;
  const show = () => {
    const images = shown?.samples[range.valueAsNumber];
    if (!shown || images === undefined) return;
    image.src = api.at.sample(shown.id, images);
    say(image, "train.sample_alt", { n: images }, "alt");
    say(words, "train.after", { n: images });
  };
  range.addEventListener("input", show);
  const fill = (/** @type {Api.Run} */ run) => {
    const same = shown?.id === run.id;
    const latest = !same || range.valueAsNumber === Number(range.max);
    const grown = !same || shown?.samples.length !== run.samples.length;
    shown = run;
    node.hidden = !run.samples.length;
    range.max = String(run.samples.length - 1);
    if (latest) range.value = range.max;
    if (grown) show();
  };
  return { node, fill };
}

/** @returns {Screen} */
export function trainScreen() {
  /** @type {Api.Run[]} */ let runs = [];
  let shown = "";
  let stop = () => {};
  let clock = 0;
  /** Counts how often the screen was entered or left, for what comes when it is too late. */
  let turn = 0;
  const list = h("ul", { class: "runs" });
  const none = h("div", { class: "drop", hidden: true }, h("div", { class: "mark" }, icon("train")), h("h2", { t: "train.none" }), h("p", { class: "lead" }));
  const looks = h("p", { class: "dim", role: "status", t: "train.looks" });
  const head = h("div", { class: "run-head" });
  const losses = chart();
  const pictures = samples();
  const report = h("iframe", { class: "report", sandbox: "", title: "" });
  say(report, "train.report", undefined, "title");
  const reports = h("details", { class: "fold" }, h("summary", { t: "train.report" }), report);
  const detail = h("div", { class: "detail", hidden: true }, head, h("section", {}, h("h2", { t: "train.losses" }), losses.node), pictures.node, reports);
  const node = h("div", { class: "screen train" }, h("h1", { class: "unseen", t: "tab.train", tabindex: -1 }), h("aside", { class: "panel" }, h("h2", { t: "train.runs" }), list), h("div", { class: "stage column" }, looks, none, detail));

  const state = (/** @type {Api.Run} */ run) => h("span", { class: `badge ${run.state}`, t: `train.state_${run.state}` });
  const fillList = () => {
    list.replaceChildren(
      ...runs.map((run) => {
        const open = h("button", { type: "button", class: "run", onclick: () => go("train", run.id) }, h("span", { class: "row" }, own(run.name, "strong"), state(run)), h("small", { "data-own": "" }, run.title), ...progress(run).slice(0, 1));
        if (run.id === shown) open.setAttribute("aria-current", "true");
        return h("li", {}, open);
      }),
    );
  };
  const fillDetail = (/** @type {Api.Run} */ run) => {
    head.replaceChildren(h("h2", {}, own(run.name)), state(run), h("p", { class: "dim", "data-own": "" }, run.title), ...progress(run));
    if (run.models.length) head.append(h("p", { class: "dim" }, h("span", { t: "train.models" }), " ", own(run.models.join(", "))));
    pictures.fill(run);
    reports.hidden = !run.has_report;
  };
  const open = (/** @type {string} */ id) => {
    stop();
    shown = id;
    const run = runs.find((one) => one.id === id);
    detail.hidden = !run;
    if (!run) return;
    losses.clear();
    reports.open = false;
    report.removeAttribute("src");
    fillList();
    fillDetail(run);
    const heard = { lines: (/** @type {Api.RunLog} */ log) => losses.add(log.lines), error: (/** @type {Api.Problem} */ problem) => failed(new api.Refusal(problem)) };
    stop = api.listen(`api/runs/${id}/events`, heard, ["error"], () => {});
  };
  reports.addEventListener("toggle", () => reports.open && shown && (report.src = api.at.report(shown)));
  const fill = async () => {
    const found = await api.runs().finally(() => looks.remove()); // Later ones replace what is shown.
    runs = found.runs;
    none.hidden = runs.length > 0;
    node.classList.toggle("empty", !runs.length);
    say(/** @type {Element} */ (none.lastElementChild), found.folder ? "train.none_yet" : "train.no_folder");
    fillList();
    const now = runs.find((run) => run.id === shown);
    if (now) fillDetail(now);
  };
  return {
    node,
    enter: async (id) => {
      clearInterval(clock);
      const mine = ++turn;
      await fill();
      if (mine !== turn) return;
      const first = id || runs.find((run) => run.state === "running")?.id || runs[0]?.id || "";
      open(first);
      clock = setInterval(() => fill().catch(failed), AGAIN_MS);
    },
    leave: () => {
      turn++;
      stop();
      clearInterval(clock);
    },
  };
}
