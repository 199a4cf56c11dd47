// @ts-check
/**
 * `<click-to-call>`: a button that calls a line of the service it was loaded from.
 * Attributes, events, parts and custom properties are described in docs/ELEMENT.md.
 */

import { READY, isLive, reduce } from "./call-state.js";
import { CallView } from "./call-view.js";
import { CallFailure, isOffline } from "./failure.js";
import { missingAbility } from "./microphone.js";
import { sheet } from "./styles.js";
import { chooseLanguage, loadWords } from "./words.js";

/** @typedef {import("./call-state.js").CallState} CallState */
/** @typedef {import("./call-machine.js").CallMachine} CallMachine */
/**
 * @typedef {object} Config what the service says about itself in `embed.js`
 * @property {{integrity: string}|null} sdk `null` when it was built without Vonage's SDK
 * @property {string|null} phone a number to call instead, E.164
 * @property {string[]} languages there are words for
 */

/**
 * Addresses follow this file's own, so that they hold under every name the service is reached by.
 * This file is `static/<version>/js/click-to-call.js`.
 */
const ROOT = new URL("../../../", import.meta.url);
const LOCALES = new URL("../locales/", import.meta.url);
const SDK = new URL("../vendor/vonage-client-sdk.js", import.meta.url);

const INTENT = ["pointerenter", "focusin", "touchstart"];

/** @type {Config} */
let config = { sdk: null, phone: null, languages: ["en"] };

/**
 * Registers the element. A second script tag on the same page changes nothing.
 * @param {Config} settings
 */
export function define(settings) {
  if (customElements.get("click-to-call")) return;
  config = settings;
  customElements.define("click-to-call", ClickToCall);
}

export class ClickToCall extends HTMLElement {
  static observedAttributes = ["lang"];

  #shadow;
  /** @type {AbortController|null} ends with the element's stay in the page */
  #connection = null;
  /** @type {Readonly<CallState>} */
  #state = READY;
  /** @type {CallMachine|null} */
  #machine = null;
  /** @type {Promise<CallMachine|null>|null} */
  #loading = null;
  /** @type {CallView|null} */
  #view = null;
  /** @type {string|null} */
  #user = null;
  /** @type {Record<string, string>} */
  #ownWords = {};
  #language = "en";
  /** Counts the builds, so that words that arrive late don't undo newer ones. */
  #builds = 0;

  constructor() {
    super();
    this.#shadow = this.attachShadow({ mode: "open" });
    this.#shadow.adoptedStyleSheets = [sheet()];
    // Until the words are here the tag's own content stands.
    this.#shadow.append(slot(""), slot("phone"));
  }

  connectedCallback() {
    this.#connection = new AbortController();
    const { signal } = this.#connection;
    const lack = missingAbility() ?? (config.sdk === null ? "no-sdk" : null);
    if (lack !== null) this.#state = failed(this.#state, lack);
    else if (leftCall() !== null) {
      void this.#begin({ type: "resume", call: null }, (machine) => machine.resume());
    } else if (this.getAttribute("login") === "load") {
      void this.#load().then((machine) => machine?.logIn(), () => {});
    }
    this.setAttribute("state", this.#state.phase);
    const prepare = () => void this.#load().then((machine) => machine?.prepare(), () => {});
    for (const name of lack === null ? INTENT : []) {
      this.addEventListener(name, prepare, { signal, once: true, passive: true });
    }
    addEventListener("pagehide", () => this.#machine?.leave(), { signal });
    addEventListener("pageshow", ({ persisted }) => persisted && this.#machine?.comeBack(), { signal });
    addEventListener("online", () => this.#machine?.wake(), { signal });
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.#machine?.wake();
    }, { signal });
    void this.#build();
  }

  disconnectedCallback() {
    this.#connection?.abort();
    this.#connection = null;
    this.#machine?.close();
    this.#view?.close();
    this.#machine = null;
    this.#loading = null;
    this.#view = null;
    this.#state = READY;
  }

  attributeChangedCallback() {
    if (this.#connection !== null) void this.#build();
  }

  /** What the call is doing, with the reason of its end and the support code. */
  get state() {
    const { phase, reason, failure, call } = this.#state;
    return {
      state: phase,
      reason: failure?.kind ?? reason ?? null,
      callId: call?.id ?? null,
      code: call?.code ?? null,
      user: this.#user,
    };
  }

  /** Words of the site's own, by key; the rest stays. */
  get words() {
    return this.#ownWords;
  }

  set words(texts) {
    this.#ownWords = texts;
    if (this.#connection !== null) void this.#build();
  }

  /** Calls. To be called from a click: browsers ask for the microphone and play sound only then. */
  call() {
    if (this.getAttribute("mode") === "window" && this.#openWindow()) return;
    this.#call();
  }

  /** Ends the call, however far it got. */
  hangUp() {
    if (this.#machine !== null) this.#machine.hangUp();
    else this.#changed(reduce(this.#state, { type: "hang-up" }));
  }

  #call() {
    if (isLive(this.#state)) return;
    void this.#begin({ type: "press" }, (machine) =>
      machine.call({
        line: this.getAttribute("line"),
        language: this.#language,
        context: this.#context(),
      }),
    );
  }

  /**
   * Shows at once that something has begun, however long the machinery for it takes to arrive.
   * @param {import("./call-state.js").Action} action
   * @param {(machine: CallMachine) => void} work
   */
  async #begin(action, work) {
    const begun = reduce(this.#state, action);
    this.#changed(begun);
    try {
      const machine = await this.#load();
      // Unless it was given up, or the element left the page, meanwhile.
      if (machine !== null && this.#state === begun) work(machine);
    } catch {
      const kind = isOffline() ? "offline" : "unreachable";
      if (this.#state === begun) this.#changed(failed(begun, kind));
    }
  }

  /**
   * The machinery of a call, fetched once. Resolves with `null` for an element that has left the page.
   * @returns {Promise<CallMachine|null>}
   */
  #load() {
    const connection = this.#connection;
    this.#loading ??= import("./call-machine.js").then(
      ({ CallMachine }) => {
        if (connection === null || connection.signal.aborted) return null;
        const sdk = config.sdk && { src: SDK.href, integrity: config.sdk.integrity };
        this.#machine = new CallMachine(ROOT, sdk, {
          state: (state) => this.#changed(state),
          user: (user) => this.#setUser(user),
        });
        return this.#machine;
      },
      (error) => {
        // The next sign of interest tries again.
        this.#loading = null;
        throw error;
      },
    );
    return this.#loading;
  }

  async #build() {
    const wanted = [this.closest("[lang]")?.getAttribute("lang"), ...navigator.languages];
    const language = chooseLanguage(wanted, config.languages);
    const build = (this.#builds += 1);
    let words;
    try {
      words = await loadWords(language, LOCALES);
    } catch {
      // Without words the tag's own content, with its telephone link, is the better help.
      return;
    }
    if (this.#connection === null || build !== this.#builds) return;
    this.#language = language;
    this.#view?.close();
    this.#view = new CallView(words.with(this.#ownWords), config.phone, {
      call: () => this.call(),
      hangUp: () => this.hangUp(),
      mute: (muted) => this.#machine?.mute(muted),
      digit: (digit) => this.#machine?.sendDigit(digit),
    });
    this.#shadow.replaceChildren(this.#view.root);
    this.#view.show(this.#state, this.#user);
  }

  /** @param {CallState} state */
  #changed(state) {
    this.#state = state;
    this.setAttribute("state", state.phase);
    this.#view?.show(state, this.#user);
    const event = { bubbles: true, composed: true, detail: this.state };
    this.dispatchEvent(new CustomEvent("click-to-call-state", event));
  }

  /** @param {string|null} user */
  #setUser(user) {
    this.#user = user;
    this.#changed(this.#state);
  }

  /** What the site wants to tell the desk: a flat JSON object. */
  #context() {
    const text = this.getAttribute("context") ?? "{}";
    try {
      return JSON.parse(text);
    } catch (error) {
      console.warn(`<click-to-call>: the context attribute isn't JSON, so it is left out: ${error}`);
      return {};
    }
  }

  /** A window of the service's own, in which the call outlives this site's pages. */
  #openWindow() {
    const address = new URL(ROOT);
    address.searchParams.set("lang", this.#language);
    const line = this.getAttribute("line");
    if (line) address.searchParams.set("line", line);
    // `null` when a blocker stepped in: then the call is made here.
    return open(address, "click-to-call", "popup,width=420,height=720") !== null;
  }
}

/** What the page before left in this tab. On other people's sites the storage is theirs. */
function leftCall() {
  if (ROOT.origin !== location.origin) return null;
  try {
    return sessionStorage.getItem("click-to-call");
  } catch {
    // Storage is switched off.
    return null;
  }
}

/** @param {string} name */
function slot(name) {
  const node = document.createElement("slot");
  node.name = name;
  return node;
}

/**
 * @param {CallState} state
 * @param {string} kind
 */
function failed(state, kind) {
  return reduce(state, { type: "fail", failure: new CallFailure(kind) });
}
