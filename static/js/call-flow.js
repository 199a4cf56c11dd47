// @ts-check
/**
 * Carries a press of the button through to a call: microphone, session, login, ticket, call; then
 * follows both ends of it. Whatever happens is told to the state machine, and what the machine makes
 * of it to `onChange`.
 */

import { CallFailure } from "./failure.js";
import { READY, isLive, reduce } from "./call-state.js";
import { sleep } from "./api.js";

/** @typedef {import("./call-state.js").CallState} CallState */
/** @typedef {import("./call-state.js").Action} Action */
/** @typedef {import("./api.js").NewCall} NewCall */
/** @typedef {{line: string|null, language: string, context: Record<string, unknown>}} CallRequest */

/**
 * How long one end of a call may outlive the other: the service may still be telling the caller why
 * nobody can answer; after a conversation there is nothing more to hear.
 */
const APOLOGY_MS = 15_000;
const GOODBYE_MS = 2_000;
/** A call whose reason is unknown at its end may still learn it. */
const AFTERMATH_MS = 10_000;
/** The server takes only so many new calls a second; it says so and we wait our turn. */
const TURNS = 3;

export class CallFlow {
  /** @type {CallState} */
  state = READY;
  #api;
  #voice;
  #askForMicrophone;
  #onChange;
  /** Ends with the press it belongs to. */
  #attempt = new AbortController();
  /** @type {(Omit<NewCall, "ticket"> & {ticket?: string})|null} */
  #call = null;
  /** @type {number|undefined} Unix milliseconds */
  #answeredAt;
  /** Where the call is that is being taken up. @type {{session: string, leg: string}|null} */
  #left = null;
  /** @type {Promise<unknown>} */
  #dialling = Promise.resolve();

  /**
   * @param {object} parts
   * @param {import("./api.js").Api} parts.api
   * @param {import("./voice.js").Voice} parts.voice
   * @param {() => Promise<void>} parts.askForMicrophone
   * @param {(state: CallState, before: CallState) => void} parts.onChange
   */
  constructor({ api, voice, askForMicrophone, onChange }) {
    this.#api = api;
    this.#voice = voice;
    this.#askForMicrophone = askForMicrophone;
    this.#onChange = onChange;
  }

  /**
   * Calls. A press while a call is under way does nothing.
   * @param {CallRequest} request
   */
  async start(request) {
    if (!this.dispatch({ type: "press" })) return;
    this.#attempt.abort();
    this.#attempt = new AbortController();
    this.#call = null;
    const { signal } = this.#attempt;
    try {
      await this.#askForMicrophone();
      await this.#step("session", signal, () => this.#voice.openSession());
      await this.#step("login", signal, async () => {
        // The SDK can't give up a call it is still placing; at most 12 s remain of it.
        await this.#dialling;
        await this.#voice.logIn();
      });
      await this.#step("ticket", signal, () => this.#admit(request, signal));
      await this.#step("dialling", signal, async () => {
        await this.#voice.become(/** @type {NewCall} */ (this.#call).user);
        signal.throwIfAborted();
        await this.#dial();
      });
    } catch (error) {
      if (signal.aborted) return;
      this.#fail(CallFailure.from(error));
    }
  }

  /**
   * Takes up the call that this tab was in before its page was loaded again.
   * @param {import("./left-call.js").LeftCall|null} left `null`: it was too long ago
   */
  async resume(left) {
    if (!this.dispatch({ type: "resume", call: left?.call ?? null })) return;
    if (left === null) return void this.dispatch({ type: "lost" });
    const { call, session, leg, muted } = left;
    this.#attempt = new AbortController();
    this.#call = call;
    this.#left = { session, leg };
    const { signal } = this.#attempt;
    // The service's first sign that the page is back: it does not hang up now.
    void this.#follow(call, signal);
    if (muted) this.dispatch({ type: "muted", muted });
    try {
      await this.#askForMicrophone();
      signal.throwIfAborted();
      await this.#voice.resume(session, leg, signal);
      if (!signal.aborted) this.sound("up");
    } catch (error) {
      if (signal.aborted) return;
      // Over while the page was away, and the service has said why.
      if (this.state.reason !== null) this.dispatch({ type: "settle" });
      else if (error instanceof CallFailure) this.#fail(error);
      else this.lost();
    } finally {
      this.#left = null;
    }
  }

  /** Ends the call, however far it got. */
  hangUp() {
    const { step, sound } = this.state;
    if (!this.dispatch({ type: "hang-up" })) return;
    this.#attempt.abort();
    // While there is no sound the SDK may not know of the call, or not yet again.
    if (step !== null || sound !== "up") this.#endAtServer();
    if (step === null) this.#voice.hangUp().catch(() => this.#endAtServer());
  }

  /** @param {boolean} muted */
  async mute(muted) {
    const isUnheard = await this.#voice.mute(muted);
    if (isUnheard !== null) this.dispatch({ type: "muted", muted: isUnheard });
  }

  /** @param {string} digits */
  async sendDigits(digits) {
    await this.#voice.sendDigits(digits);
  }

  /** The desk's leg, as the SDK hears of it. @param {string} status */
  leg(status) {
    this.dispatch({ type: "leg", status });
  }

  /** @param {import("./call-state.js").Sound} sound */
  sound(sound) {
    // A new connection sends what the microphone hears.
    if (sound === "up" && this.state.muted) void this.#voice.mute(true);
    const meant = this.dispatch({ type: "sound", sound });
    if (meant && sound === "none") void this.#closeAfter(GOODBYE_MS);
  }

  /** The audio path broke and could not be mended: the far side has not been told. */
  lost() {
    if (!this.dispatch({ type: "lost" })) return;
    this.#attempt.abort();
    this.#endAtServer();
  }

  /**
   * The page is going away. The server waits a little in case it comes back.
   * @returns {import("./left-call.js").LeftCall|null} what a page needs to take the call up
   */
  leave() {
    if (!isLive(this.state) || this.#call === null) return null;
    this.#api.leave(this.#call);
    const { ticket, ...call } = this.#call;
    // A page may be loaded again before it has taken up the call of the one before: that is the next page's to do,
    // and requests that fail because this one goes away mean nothing.
    const place = this.#voice.place ?? this.#left;
    if (this.#left !== null) this.#attempt.abort();
    return place && { call: { ...call, answeredAt: this.#answeredAt }, muted: this.state.muted, ...place };
  }

  /** The page is shown once more as it was left, by the browser's "back". */
  comeBack() {
    if (this.#attempt.signal.aborted) this.lost();
  }

  /** The element is going away. */
  close() {
    this.hangUp();
    this.#attempt.abort();
  }

  /**
   * @param {Action} action
   * @returns {boolean} whether it meant anything
   */
  dispatch(action) {
    const before = this.state;
    this.state = reduce(before, action);
    if (this.state === before) return false;
    const { phase, call } = this.state;
    if (phase !== "in-call") this.#answeredAt = undefined;
    else this.#answeredAt ??= call?.answeredAt ?? Date.now();
    this.#onChange(this.state, before);
    return true;
  }

  /**
   * Passes on news of an attempt, unless that one is over.
   * @param {AbortSignal} signal
   * @param {Action} action
   */
  #tell(signal, action) {
    if (!signal.aborted) this.dispatch(action);
  }

  /**
   * @param {import("./call-state.js").Step} step
   * @param {AbortSignal} signal
   * @param {() => Promise<unknown>} work
   */
  async #step(step, signal, work) {
    signal.throwIfAborted();
    this.dispatch({ type: "step", step });
    await work();
    signal.throwIfAborted();
  }

  /**
   * @param {CallRequest} request
   * @param {AbortSignal} signal
   */
  async #admit(request, signal) {
    // Not aborted with the press: a ticket that was issued has to be given back.
    const call = await this.#takeTurns(() => this.#api.createCall(request), signal);
    if (signal.aborted) return void this.#api.hangUp(call).catch(() => {});
    this.#call = call;
    this.dispatch({ type: "admitted", call });
    void this.#follow(call, signal);
  }

  /**
   * @template T
   * @param {() => Promise<T>} work
   * @param {AbortSignal} signal
   * @returns {Promise<T>}
   */
  async #takeTurns(work, signal) {
    for (let turn = 1; ; turn += 1) {
      try {
        return await work();
      } catch (error) {
        const wait = error instanceof CallFailure && error.kind === "try-again";
        if (!wait || turn === TURNS) throw error;
        const due = (error.retryAt?.getTime() ?? 0) - Date.now();
        await sleep(Math.max(due, 500) * (1 + Math.random()), signal);
        signal.throwIfAborted();
      }
    }
  }

  async #dial() {
    const { signal } = this.#attempt;
    const dialled = this.#voice.dial(/** @type {NewCall} */ (this.#call).ticket);
    this.#dialling = dialled.catch(() => {});
    const stands = await dialled;
    // Given up meanwhile: now there is something to hang up.
    if (signal.aborted) return void this.#voice.hangUp().catch(() => {});
    this.dispatch({ type: "dialled" });
    if (!stands) this.sound("none");
  }

  /**
   * @param {{id: string}} call
   * @param {AbortSignal} signal
   */
  async #follow(call, signal) {
    const onOpen = (/** @type {boolean} */ open) => this.#tell(signal, { type: "following", open });
    for await (const { state, reason } of this.#api.follow(call.id, signal, onOpen)) {
      this.#tell(signal, { type: "far", state, reason });
      if (state !== "ended") continue;
      if (this.state.closing) void this.#closeAfter(reason === "completed" ? GOODBYE_MS : APOLOGY_MS);
      // Refused while still dialling: nothing will come of that.
      else this.#attempt.abort();
    }
  }

  /** @param {number} ms */
  async #closeAfter(ms) {
    const { signal } = this.#attempt;
    await sleep(ms, signal);
    if (signal.aborted) return;
    if (this.state.closing) {
      this.#voice.hangUp().catch(() => {});
      this.dispatch({ type: "settle" });
    }
    await sleep(AFTERMATH_MS, signal);
    // A new press has made a new controller; this one's stream of states is of no more use.
    if (!signal.aborted) this.#attempt.abort();
  }

  /** @param {CallFailure} failure */
  #fail(failure) {
    this.#endAtServer();
    this.dispatch({ type: "fail", failure });
  }

  #endAtServer() {
    if (this.#call) this.#api.hangUp(this.#call).catch(() => {});
  }
}
