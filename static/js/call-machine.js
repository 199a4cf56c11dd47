// @ts-check
/**
 * Everything that a press needs and a visitor who only reads the page does not: the service's
 * interface, Vonage's SDK, the flow of a call, the ringing. Fetched on the first sign of interest.
 */

import { Api } from "./api.js";
import { CallFlow } from "./call-flow.js";
import { isLive } from "./call-state.js";
import { CallFailure } from "./failure.js";
import { keep, take } from "./left-call.js";
import { askForMicrophone } from "./microphone.js";
import { Ringback } from "./ringback.js";
import { loadSdk } from "./sdk.js";
import { Voice } from "./voice.js";

/** @typedef {import("./call-state.js").CallState} CallState */
/**
 * @typedef {object} MachineEvents
 * @property {(state: CallState) => void} state
 * @property {(user: string|null) => void} user who is logged in at Vonage now
 */

export class CallMachine {
  #flow;
  #voice;
  #ringback;
  #sdkAtHand;
  #ownPage;
  #events;

  /**
   * @param {URL} root the service's, ending in a slash
   * @param {{src: string, integrity: string}|null} sdk
   * @param {MachineEvents} events
   */
  constructor(root, sdk, events) {
    this.#events = events;
    const api = new Api(root);
    // Elsewhere no cookie proves after a reload whose call it is.
    this.#ownPage = root.origin === location.origin;
    this.#sdkAtHand = () => loadSdk(sdk);
    this.#voice = new Voice(() => api.openSession(), this.#sdkAtHand, {
      leg: (status) => this.#flow.leg(status),
      sound: (sound) => this.#flow.sound(sound),
      lost: () => this.#flow.lost(),
      user: events.user,
    });
    this.#ringback = new Ringback(() => this.#voice.isAudible());
    const onChange = (/** @type {CallState} */ state) => {
      if (state.phase === "ringing") this.#ringback.start();
      else this.#ringback[isLive(state) ? "stop" : "reset"]();
      events.state(state);
    };
    this.#flow = new CallFlow({ api, voice: this.#voice, askForMicrophone, onChange });
  }

  /** Has the SDK fetched, so that it is there when the button is pressed. */
  prepare() {
    this.#sdkAtHand().catch(() => {});
  }

  /** @param {import("./call-flow.js").CallRequest} request */
  call(request) {
    void this.#flow.start(request);
  }

  /** Takes up the call of the page before, if it left one a moment ago. */
  resume() {
    const left = take();
    if (left !== undefined) void this.#flow.resume(left);
    else this.#events.state(this.#flow.state);
  }

  hangUp() {
    this.#flow.hangUp();
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.#flow.mute(muted).catch(() => {});
  }

  /** @param {string} digit */
  sendDigit(digit) {
    this.#flow.sendDigits(digit).catch(() => {});
  }

  /** Logs in without calling, as `login="load"` asks. */
  async logIn() {
    try {
      await this.#voice.logIn();
    } catch (error) {
      if (isLive(this.#flow.state)) return;
      this.#flow.dispatch({ type: "fail", failure: CallFailure.from(error) });
    }
  }

  /** The page is being looked at again, or the network is back. */
  wake() {
    this.#voice.wake();
  }

  /** The page is going away; it may come back, or another of ours in its place. */
  leave() {
    const left = this.#flow.leave();
    if (left !== null && this.#ownPage) keep(left);
  }

  /** The page that went away is shown once more as it was. */
  comeBack() {
    this.#flow.comeBack();
  }

  /** The element is going away. */
  close() {
    this.#flow.close();
    this.#voice.close();
    this.#ringback.stop();
  }
}
