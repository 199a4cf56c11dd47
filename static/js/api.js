// @ts-check
/** The service's HTTP interface, as a page needs it. Errors are {@link CallFailure}s. */

import { readEvents } from "./event-stream.js";
import { CallFailure, FAILURES, isOffline } from "./failure.js";

/**
 * @typedef {object} Session
 * @property {string} token for Vonage's SDK; kept in memory only, like everything here
 * @property {string} user
 * @property {Date} expiresAt
 * @property {Date} refreshAt
 * @property {string} apiUrl
 * @property {string} websocketUrl
 */
/**
 * @typedef {object} NewCall
 * @property {string} id
 * @property {string} code
 * @property {string} user who may use the ticket
 * @property {string} ticket
 * @property {number} limitSeconds
 */
/** @typedef {{state: any, reason: string|null}} FarState */

/** Pause before the stream of states is opened again: doubled each time, up to the second value. */
const RECONNECT_MS = [500, 8_000];

export class Api {
  #base;
  #sameOrigin;
  /** Proof of the session on other people's sites, where our cookie doesn't come along. */
  #bearer = "";

  /** @param {URL} base the service's root, ending in a slash */
  constructor(base) {
    this.#base = base;
    this.#sameOrigin = base.origin === globalThis.location?.origin;
  }

  /**
   * Creates or resumes the visitor and mints a token.
   * @returns {Promise<Session>}
   */
  async openSession() {
    const body = await this.#post("api/sessions", {});
    if (body.session) this.#bearer = body.session;
    return {
      token: body.token,
      user: body.user,
      expiresAt: new Date(body.expires_at),
      refreshAt: new Date(body.refresh_at),
      apiUrl: body.api_url,
      websocketUrl: body.websocket_url,
    };
  }

  /**
   * Asks for the permission to make one call.
   * @param {{line: string|null, language: string, context: Record<string, unknown>}} request
   * @returns {Promise<NewCall>}
   */
  async createCall({ line, language, context }) {
    const request = { ...(line && { line }), language, context };
    const body = await this.#post("api/calls", request);
    return {
      id: body.call_id,
      code: body.code,
      user: body.user,
      ticket: body.ticket,
      limitSeconds: body.limit_seconds,
    };
  }

  /**
   * Ends the call from the server: the only way while the browser has no handle on it.
   * @param {{id: string, ticket?: string}} call
   */
  async hangUp({ id, ticket }) {
    await this.#post(`api/calls/${encodeURIComponent(id)}/hangup`, { leaving: false, ticket });
  }

  /**
   * Says that this page is going away; the server hangs up unless it hears from it again. The type
   * is `text/plain` because a beacon to another origin can't wait for a preflight.
   * @param {{id: string, ticket?: string}} call
   */
  leave({ id, ticket }) {
    const body = new Blob([JSON.stringify({ leaving: true, ticket })], { type: "text/plain" });
    navigator.sendBeacon(this.#url(`api/calls/${encodeURIComponent(id)}/hangup`), body);
  }

  /**
   * The states of a call's far end, the present one first, until `ended`. A stream that breaks is
   * opened again.
   * @param {string} id
   * @param {AbortSignal} signal
   * @param {(open: boolean) => void} onOpen told when the stream opens and when it breaks
   * @returns {AsyncGenerator<FarState>}
   */
  async *follow(id, signal, onOpen) {
    let pause = RECONNECT_MS[0];
    while (!signal.aborted) {
      try {
        const response = await this.#send(`api/calls/${encodeURIComponent(id)}/events`, {
          headers: { Accept: "text/event-stream" },
          signal,
        });
        onOpen(true);
        for await (const { event, data } of readEvents(/** @type {any} */ (response.body))) {
          if (event !== "state") continue;
          pause = RECONNECT_MS[0];
          const far = JSON.parse(data);
          yield far;
          if (far.state === "ended") return;
        }
      } catch (error) {
        // A call that isn't this visitor's, or is no longer known, will not come back.
        if (error instanceof CallFailure && FINAL.includes(error.kind)) return;
      }
      if (signal.aborted) return;
      onOpen(false);
      await sleep(pause * (0.5 + Math.random()), signal);
      pause = Math.min(pause * 2, RECONNECT_MS[1]);
    }
  }

  /** @param {string} path */
  #url(path) {
    return new URL(path, this.#base).href;
  }

  /**
   * @param {string} path
   * @param {object} body
   */
  async #post(path, body) {
    const response = await this.#send(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      // A hang-up sent while the page goes away still arrives.
      keepalive: true,
    });
    const text = await response.text();
    return text === "" ? null : JSON.parse(text);
  }

  /**
   * @param {string} path
   * @param {RequestInit & {headers: Record<string, string>}} request
   */
  async #send(path, request) {
    const headers = { ...request.headers };
    if (this.#bearer) headers.Authorization = `Bearer ${this.#bearer}`;
    const credentials = this.#sameOrigin ? "same-origin" : "omit";
    let response;
    try {
      response = await fetch(this.#url(path), {
        cache: "no-store",
        ...request,
        headers,
        credentials,
      });
    } catch (cause) {
      request.signal?.throwIfAborted();
      throw new CallFailure(isOffline() ? "offline" : "unreachable", { cause });
    }
    if (!response.ok) throw await failureOf(response);
    return response;
  }
}

const FINAL = ["not-found", "session-required", "origin-not-allowed"];

/**
 * A problem document (RFC 9457) as a failure; its type's fragment is the kind.
 * @param {Response} response
 */
export async function failureOf(response) {
  const problem = await response.json().catch(() => ({}));
  const slug = String(problem.type ?? "").split("#")[1] ?? "";
  const seconds = Number(problem.retry_after ?? response.headers.get("Retry-After") ?? NaN);
  return new CallFailure(FAILURES.includes(slug) ? slug : fallbackKind(response.status, problem), {
    title: problem.title,
    retryAt: seconds >= 0 ? new Date(Date.now() + seconds * 1000) : null,
    opensAt: problem.opens_at ? new Date(problem.opens_at) : null,
  });
}

/**
 * @param {number} status
 * @param {{title?: string}} problem
 */
function fallbackKind(status, { title }) {
  // Without a problem document it was a proxy that answered.
  if (title) return "other";
  return status === 429 ? "rate-limited" : "unreachable";
}

/**
 * @param {number} ms
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>} also when aborted: who waits looks at the signal
 */
export function sleep(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
