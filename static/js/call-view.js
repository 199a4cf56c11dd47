// @ts-check
/** What the element shows: built once per language, then brought in line with each state. */

import { isLive, statusKey } from "./call-state.js";
import { element, icon } from "./dom.js";
import { keypad } from "./keypad.js";
import { browserOf } from "./microphone.js";

/** @typedef {import("./call-state.js").CallState} CallState */
/** @typedef {import("./words.js").Words} Words */
/**
 * @typedef {object} Actions
 * @property {() => void} call
 * @property {() => void} hangUp
 * @property {(muted: boolean) => void} mute
 * @property {(digit: string) => void} digit
 */

/** Failures that pressing again on this page can't mend. */
const HOPELESS = [
  "insecure", "unsupported", "no-sdk", "microphone-policy", "origin-not-allowed", "unknown-line",
];
/** The visitor is told when this little is left of the longest call. */
const NEARLY_OVER_SECONDS = 60;

export class CallView {
  #words;
  #status = element("p", { class: "status", part: "status", role: "status" });
  #detail = element("p", { class: "detail", part: "detail", role: "status" });
  #steps = element("ol", { class: "steps", part: "steps" });
  #timer = element("p", { class: "timer", part: "timer", role: "timer" });
  #code = element("p", { class: "code", part: "code" });
  #user = element("p", { class: "user", part: "user" });
  #call;
  #instead;
  #controls;
  #mute;
  #dialpad;
  #hangUp;
  #keypad;
  /** @type {number|null} when the conversation began */
  #since = null;
  /** @type {ReturnType<typeof setInterval>|undefined} */
  #ticking;

  /**
   * @param {Words} words
   * @param {string|null} phone a number to call instead, E.164
   * @param {Actions} actions
   */
  constructor(words, phone, actions) {
    this.#words = words;
    this.#call = this.#button("call", "call", () => actions.call());
    this.#mute = this.#button("mute", "microphone", () =>
      actions.mute(this.#mute.getAttribute("aria-pressed") !== "true"),
    );
    this.#dialpad = this.#button("dialpad", "keypad", () => this.#toggleKeypad());
    this.#hangUp = this.#button("hang-up", "hangUp", (event) => {
      // The second half of a double click on Call, under whose place this button has come.
      if (/** @type {MouseEvent} */ (event).detail < 2) actions.hangUp();
    });
    this.#keypad = keypad(words.say("keypad"), actions.digit);
    this.#controls = element(
      "div",
      { class: "controls", part: "controls", role: "group", "aria-label": words.say("controls") },
      this.#mute, this.#dialpad, this.#hangUp,
    );
    label(this.#dialpad, words.say("keypad"));
    label(this.#hangUp, words.say("hang-up"));
    this.#instead = insteadOf(words, phone);
    this.root = element(
      "div",
      { class: "card", part: "card", lang: words.language, dir: words.say("language.dir") },
      this.#status, this.#detail, this.#steps, this.#timer, this.#call, this.#controls,
      this.#keypad, this.#code, this.#user, this.#instead,
      element(
        "div",
        { class: "notes", part: "notes" },
        element("p", {}, words.say("note.privacy")),
        element("p", {}, words.say("note.emergency")),
      ),
    );
    // A key held down must not press what appears under it.
    this.root.addEventListener("keydown", (event) => {
      if (event.repeat && ["Enter", " "].includes(event.key)) event.preventDefault();
    });
  }

  /**
   * @param {CallState} state
   * @param {string|null} user who is logged in
   */
  show(state, user) {
    const words = this.#words;
    const live = isLive(state);
    const focused = /** @type {ShadowRoot|Document} */ (this.root.getRootNode()).activeElement;
    const { failure } = state;
    say(this.#status, words.say(statusKey(state), { title: failure?.title ?? "" }));
    say(this.#detail, this.#detailOf(state));
    this.#steps.replaceChildren(...this.#stepsOf(state));
    label(this.#call, words.say(callKey(state)));
    this.#call.toggleAttribute("disabled", HOPELESS.includes(failure?.kind ?? ""));
    this.#call.hidden = live;
    this.#controls.hidden = !live;
    this.#instead.hidden = live;
    const talking = state.phase === "in-call" || state.sound !== "none";
    this.#mute.hidden = !talking;
    this.#dialpad.hidden = !talking;
    this.#mute.setAttribute("aria-pressed", String(state.muted));
    this.#mute.firstElementChild?.replaceWith(icon(state.muted ? "muted" : "microphone"));
    label(this.#mute, words.say("mute"));
    if (!talking) this.#toggleKeypad(false);
    say(this.#code, state.call ? words.say("code", { code: state.call.code }) : "");
    say(this.#user, user === null ? "" : words.say("user", { user }));
    this.#time(state);
    this.#moveFocus(focused, live);
  }

  /** Stops the clock. */
  close() {
    clearInterval(this.#ticking);
  }

  /**
   * @param {string} name
   * @param {Parameters<typeof icon>[0]} picture
   * @param {EventListener} onClick
   */
  #button(name, picture, onClick) {
    const attributes = { type: "button", class: name, part: `button ${name}`, click: onClick };
    return element("button", attributes, icon(picture), element("span"));
  }

  /** @param {boolean} [open] */
  #toggleKeypad(open = this.#keypad.hidden) {
    this.#keypad.hidden = !open;
    this.#dialpad.setAttribute("aria-expanded", String(open));
  }

  /** @param {CallState} state */
  #detailOf({ failure, phase, closing }) {
    const words = this.#words;
    if (failure?.opensAt) return words.say("opens-at", { time: words.at(failure.opensAt) });
    if (failure?.retryAt) return words.say("retry-when", { when: words.until(failure.retryAt) });
    return phase === "in-call" && !closing ? (this.#detail.textContent ?? "") : "";
  }

  /** @param {CallState} state */
  #stepsOf({ failure }) {
    if (failure?.kind !== "microphone-refused") return [];
    const browser = browserOf(navigator.userAgent);
    const keys = [1, 2, 3].map((number) => `steps.${browser}.${number}`);
    return keys.map((key) => element("li", {}, this.#words.say(key)));
  }

  /** @param {CallState} state */
  #time({ phase, call }) {
    if (phase !== "in-call") {
      clearInterval(this.#ticking);
      this.#since = null;
      say(this.#timer, "");
    } else if (this.#since === null) {
      const talked = call?.answeredAt === undefined ? 0 : Date.now() - call.answeredAt;
      this.#since = performance.now() - talked;
      const tick = () => this.#tick(call?.limitSeconds ?? Infinity);
      this.#ticking = setInterval(tick, 1000);
      tick();
    }
  }

  /** @param {number} limit seconds */
  #tick(limit) {
    const seconds = Math.floor((performance.now() - (this.#since ?? 0)) / 1000);
    const pad = (/** @type {number} */ n) => String(n).padStart(2, "0");
    say(this.#timer, `${pad(Math.floor(seconds / 60))}:${pad(seconds % 60)}`);
    if (limit - seconds <= NEARLY_OVER_SECONDS) say(this.#detail, this.#words.say("nearly-over"));
  }

  /**
   * Whoever pressed a button that is gone stands on the one that took its place.
   * @param {Element|null} focused
   * @param {boolean} live
   */
  #moveFocus(focused, live) {
    if (focused === null || !this.root.contains(focused)) return;
    const gone = focused.closest("[hidden]") !== null;
    if (gone) (live ? this.#hangUp : this.#call).focus();
  }
}

/**
 * The telephone instead. The site may bring a link of its own, with the number as people write it.
 * @param {Words} words
 * @param {string|null} phone E.164
 */
function insteadOf(words, phone) {
  const link = phone ? [`${words.say("instead")} `, element("a", { href: `tel:${phone}` }, phone)] : [];
  return element(
    "p",
    { class: "instead", part: "instead" },
    element("slot", { name: "phone" }, ...link),
  );
}

/** @param {CallState} state */
function callKey({ phase, failure }) {
  if (phase === "failed" && HOPELESS.includes(failure?.kind ?? "")) return "call";
  if (phase === "failed") return "try-again";
  return phase === "ended" ? "call-again" : "call";
}

/**
 * A live region speaks whenever its text is set, even to the same words; an empty one takes no room.
 * @param {HTMLElement} node
 * @param {string} text
 */
function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * @param {HTMLElement} button
 * @param {string} text
 */
function label(button, text) {
  const span = /** @type {HTMLElement} */ (button.lastElementChild);
  say(span, text);
}
