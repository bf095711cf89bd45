/**
 * The events of all jobs by one connection: a browser opens six to a server, and what comes behind those waits.
 * @import * as Api from "./types.d.ts"
 */

import * as api from "./api.js";

/** @typedef {Record<string, (data: any) => void>} Heard  what to do at each event, by its name */
/** @typedef {{id: string, heard: Heard, last: string[], lost: () => void}} Listener */

/** @type {Set<Listener>} */ const listeners = new Set();
/** What was heard of each job, for who asks for it a little later. @type {Map<string, Api.JobNews[]>} */
const past = new Map();
/** @type {EventSource | null} */ let source = null;

function leave(/** @type {Listener} */ one) {
  listeners.delete(one);
  if (listeners.size) return;
  source?.close();
  source = null;
  past.clear();
}

function tell(/** @type {Listener} */ one, /** @type {Api.JobNews} */ { event, data }) {
  if (one.last.includes(event)) leave(one);
  one.heard[event]?.(data);
}

function lose(/** @type {Listener} */ one) {
  if (!listeners.has(one)) return;
  leave(one);
  one.lost();
}

function take(/** @type {Api.JobNews} */ news) {
  const before = past.get(news.job) ?? [];
  if (news.event === "progress" && before.at(-1)?.event === "progress") before.pop();
  past.set(news.job, [...before, news]);
  for (const one of listeners) if (one.id === news.job) tell(one, news);
}

function connect() {
  const made = new EventSource("api/events");
  let opened = false;
  made.addEventListener("job", (event) => take(JSON.parse(event.data)));
  made.addEventListener("open", () => {
    // After a break: a studio that was started again knows nothing of jobs from before, and tells nothing of them.
    if (opened) for (const one of listeners) api.job(one.id).catch(() => lose(one));
    opened = true;
  });
  made.addEventListener("error", () => {
    if (made.readyState === EventSource.CLOSED) for (const one of [...listeners]) lose(one);
  });
  return made;
}

/**
 * Hears the events of a job, by name, until one of `last` comes; a job that is gone ends with `lost`.
 * @param {string} id
 * @param {Heard} heard
 * @param {string[]} last
 * @param {() => void} lost
 */
export function hear(id, heard, last, lost) {
  const one = { id, heard, last, lost };
  listeners.add(one);
  const known = past.get(id) ?? [];
  source ??= connect();
  for (const news of known) tell(one, news);
}
