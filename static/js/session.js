// @ts-check
/** Keeps the visitor's token fresh: in time before it ends, and after the computer has slept. */

/** @typedef {import("./api.js").Session} Session */

/** `setTimeout` fires at once for anything longer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Pause before another try when renewing failed. */
const RETRY_MS = 30_000;
/**
 * A session is kept this long even if it seems to be due: to a clock that is ahead every session is,
 * and each renewal would start the next. Tokens live 30 s at least.
 */
const SHORTEST_LIFE_MS = 15_000;

export class SessionKeeper {
  #open;
  #onRenewed;
  /** @type {Session|null} */
  #session = null;
  /** @type {Promise<Session>|null} */
  #opening = null;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #timer;

  /**
   * @param {() => Promise<Session>} open
   * @param {(session: Session) => void} onRenewed told of every session that was not asked for
   */
  constructor(open, onRenewed) {
    this.#open = open;
    this.#onRenewed = onRenewed;
  }

  /** The session at hand, or a new one when there is none or it is due. */
  async current() {
    return this.#session === null || this.#isDue() ? this.renew() : this.#session;
  }

  /** A new token, whatever is left of the present one. Calls at the same time share one request. */
  renew() {
    this.#opening ??= this.#open()
      .then((session) => {
        this.#session = session;
        this.#schedule(Math.max(this.#msToRefresh(), SHORTEST_LIFE_MS));
        return session;
      })
      .finally(() => {
        this.#opening = null;
      });
    return this.#opening;
  }

  /** To be called when the page is looked at again: timers stand still while a computer sleeps. */
  wake() {
    if (this.#session !== null && this.#isDue()) this.#renewUnasked();
  }

  /** Forgets the session. */
  stop() {
    clearTimeout(this.#timer);
    this.#session = null;
  }

  #isDue() {
    return this.#session !== null && Date.now() >= this.#session.refreshAt.getTime();
  }

  /** @param {number} ms */
  #schedule(ms) {
    clearTimeout(this.#timer);
    const delay = Math.min(Math.max(ms, 0), LONGEST_TIMER_MS);
    this.#timer = setTimeout(() => this.#renewUnasked(), delay);
  }

  #renewUnasked() {
    if (!this.#isDue()) return this.#schedule(this.#msToRefresh());
    this.renew().then(this.#onRenewed, () => {
      if (this.#session !== null) this.#schedule(RETRY_MS);
    });
  }

  #msToRefresh() {
    return (this.#session?.refreshAt.getTime() ?? 0) - Date.now();
  }
}
