// @ts-check
/** Waiting for a condition that nobody announces. */

import { setTimeout as delay } from "node:timers/promises";

/** Enough for a debug build on a busy machine; nothing waits this long when all is well. */
export const PATIENCE_MS = 20_000;
const POLL_MS = 50;

/**
 * Waits until `work` gives something.
 * @template T
 * @param {() => string} what for the message when it never does
 * @param {() => T | Promise<T>} work
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(what, work, patience = PATIENCE_MS) {
  const deadline = performance.now() + patience;
  for (;;) {
    const result = await work();
    if (result) return result;
    if (performance.now() > deadline) throw new Error(`never happened: ${what()}`);
    await delay(POLL_MS);
  }
}
