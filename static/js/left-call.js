// @ts-check
/**
 * Remembers, for this tab alone, the call of a page that goes away, so that the page which takes its place can take
 * it up. No token and no ticket is kept: the session's cookie proves whose call it is, so this works on the service's
 * own pages only.
 */

/** @typedef {import("./api.js").NewCall} NewCall */
/**
 * @typedef {object} LeftCall
 * @property {Omit<NewCall, "ticket"> & {answeredAt: number|undefined}} call
 * @property {string} session the SDK's
 * @property {string} leg
 * @property {boolean} muted
 */

const KEY = "click-to-call";
/** After this time the service has hung up. */
const KEPT_MS = 15_000;

/** @param {LeftCall} left */
export function keep(left) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ ...left, until: Date.now() + KEPT_MS }));
  } catch {
    // Storage is switched off: the call ends, as it does when the tab is closed.
  }
}

/**
 * What was kept, once.
 * @returns {LeftCall|null|undefined} `null`: too long ago; `undefined`: nothing of ours, or another element has it
 */
export function take() {
  try {
    const kept = sessionStorage.getItem(KEY) ?? "null";
    sessionStorage.removeItem(KEY);
    const left = JSON.parse(kept);
    if (typeof left?.until !== "number") return undefined;
    return Date.now() < left.until ? left : null;
  } catch {
    return undefined;
  }
}
