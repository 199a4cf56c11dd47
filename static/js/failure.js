// @ts-check
/**
 * What can go wrong before a visitor is in a call, as one kind of error: `kind` is the key of the
 * words (`failure.<kind>`), never shown itself.
 */

/** The kinds that have words of their own. */
export const FAILURES = Object.freeze([
  // This browser, this page.
  "insecure", "unsupported", "offline", "no-sdk", "sdk-blocked",
  "microphone-refused", "microphone-missing", "microphone-busy", "microphone-policy",
  // Between this browser and Vonage.
  "unreachable", "login", "session-limit", "no-connection",
  // Problem types of the server.
  "rate-limited", "vonage-unavailable", "store-unavailable", "overloaded", "session-required",
  "origin-not-allowed", "closed", "paused", "busy", "visitor-limit", "budget", "try-again",
  "unknown-line", "not-found",
  // A problem type newer than this page: its title stands in for the words.
  "other",
]);

export class CallFailure extends Error {
  /**
   * @param {string} kind one of {@link FAILURES}
   * @param {{title?: string, retryAt?: Date|null, opensAt?: Date|null, cause?: unknown}} [details]
   */
  constructor(kind, { title, retryAt = null, opensAt = null, cause } = {}) {
    super(title ?? kind, { cause });
    this.name = "CallFailure";
    this.kind = kind;
    /** The server's own words. */
    this.title = title;
    /** When it is worth trying again. */
    this.retryAt = retryAt;
    /** When the line opens. */
    this.opensAt = opensAt;
  }

  /**
   * Any error as a failure: what nobody expected is told as no connection.
   * @param {unknown} error
   */
  static from(error) {
    if (error instanceof CallFailure) return error;
    return new CallFailure(isOffline() ? "offline" : "no-connection", { cause: error });
  }
}

/** Whether the browser itself knows that it has no network. `true` from it can be trusted, `false` can't. */
export function isOffline() {
  return globalThis.navigator?.onLine === false;
}
