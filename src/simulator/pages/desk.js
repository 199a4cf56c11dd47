// @ts-check

import { DeskAudio } from "/desk/desk-audio.js";

/**
 * @typedef {object} Leg what the simulator tells about one end of a call
 * @property {string} id
 * @property {string} conversation_id
 * @property {object | null} caller set for callers from a web page
 * @property {string} direction
 * @property {string | null} from
 * @property {string} to
 * @property {string} user
 * @property {string} status
 * @property {boolean} over
 * @property {string} created
 * @property {string | null} answered
 * @property {string | null} ended
 * @property {string[]} captions
 * @property {{packets_in: number, packets_out: number}} sound
 */

const BEHAVIOURS = [
  ["Ring here", { does: "desk" }],
  ["Answer after 2 s", { does: "answer", after_ms: 2000 }],
  ["Engaged", { does: "busy", after_ms: 500 }],
  ["Decline after 2 s", { does: "decline", after_ms: 2000 }],
  ["No answer", { does: "no_answer" }],
  ["Answering machine", { does: "machine", after_ms: 2000 }],
  ["Out of service", { does: "out_of_service" }],
];
const STATES = { started: "being called", ringing: "ringing", answered: "in call" };
const EARLIER = 10;

/** @param {string} id */
const part = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** One telephone on the page. */
class Phone {
  /** @type {Leg} */
  #leg;
  #element;
  /** @type {DeskAudio | undefined} */
  #audio;

  /** @param {Leg} leg */
  constructor(leg) {
    this.#leg = leg;
    const template = /** @type {HTMLTemplateElement} */ (part("phone"));
    const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    this.#element = /** @type {HTMLElement} */ (copy.querySelector(".phone"));
    this.#element.setAttribute("aria-label", `Telephone ${leg.to}`);
    for (const button of this.#element.querySelectorAll("[data-lever]")) {
      const { lever } = /** @type {HTMLElement} */ (button).dataset;
      button.addEventListener("click", () => this.#pull(String(lever)));
    }
    this.#button("talk").addEventListener("click", () => this.#talk());
    const keypad = this.#element.querySelector(".keypad");
    for (const key of "123456789*0#") {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = key;
      button.addEventListener("click", () =>
        this.#pull(`keys?digits=${encodeURIComponent(key)}`),
      );
      keypad?.append(button);
    }
    part("phones").append(this.#element);
  }

  /**
   * @param {Leg} leg
   * @param {Leg | undefined} caller the other end
   */
  show(leg, caller) {
    this.#leg = leg;
    this.#element.dataset.status = leg.status;
    this.#text("to", leg.to);
    this.#text("from", leg.from ?? "unknown");
    this.#text("state", STATES[leg.status] ?? leg.status);
    this.#heard("whisper", leg.captions);
    this.#heard("greeting", caller?.captions ?? []);
    const { packets_in, packets_out } = leg.sound;
    this.#text("sound", `${packets_in} packets spoken, ${packets_out} heard`);
    this.tick();
  }

  /** Moves the clock. */
  tick() {
    const since = Date.parse(this.#leg.answered ?? this.#leg.created);
    const seconds = Math.max(0, Math.floor((Date.now() - since) / 1000));
    this.#text("time", `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`);
  }

  remove() {
    this.#audio?.close();
    this.#element.remove();
  }

  /** @param {string} lever */
  async #pull(lever) {
    await fetch(`/simulator/legs/${this.#leg.id}/${lever}`, { method: "POST" });
    if (lever === "answer") await this.#talk();
  }

  async #talk() {
    if (this.#audio) return;
    this.#audio = new DeskAudio();
    const button = this.#button("talk");
    try {
      const state = await this.#audio.open(this.#leg.id);
      button.textContent = state === "talking" ? "Microphone on" : "Listening only";
      button.setAttribute("aria-pressed", "true");
    } catch (error) {
      this.#audio = undefined;
      button.textContent = error instanceof Error ? error.message : "No sound";
    }
  }

  /** @param {string} action */
  #button(action) {
    return /** @type {HTMLButtonElement} */ (
      this.#element.querySelector(`[data-action="${action}"]`)
    );
  }

  /** @param {string} field @param {string} text */
  #text(field, text) {
    const element = this.#element.querySelector(`[data-field="${field}"]`);
    if (element && element.textContent !== text) element.textContent = text;
  }

  /** @param {string} field @param {string[]} captions */
  #heard(field, captions) {
    const element = /** @type {HTMLElement} */ (
      this.#element.querySelector(`[data-field="${field}"]`)
    );
    element.hidden = captions.length === 0;
    const words = element.querySelector("dd");
    const text = captions.join("\n");
    if (words && words.textContent !== text) words.textContent = text;
  }
}

/** @type {Map<string, Phone>} */
const phones = new Map();

/** @param {Leg[]} legs */
function showPhones(legs) {
  const live = legs.filter((leg) => !leg.caller && leg.direction === "outbound" && !leg.over);
  for (const leg of live) {
    const phone = phones.get(leg.id) ?? new Phone(leg);
    phones.set(leg.id, phone);
    phone.show(
      leg,
      legs.find((other) => other.conversation_id === leg.conversation_id && other.caller),
    );
  }
  for (const [id, phone] of phones) {
    if (live.some((leg) => leg.id === id)) continue;
    phone.remove();
    phones.delete(id);
  }
  part("idle").hidden = phones.size > 0;
  const ringing = live.filter((leg) => leg.status === "ringing").length;
  document.title = ringing ? `(${ringing}) ringing: desk phone` : "Desk phone";
}

/** @param {Leg[]} legs @param {Record<string, {does: string}[]>} destinations */
function showDestinations(legs, destinations) {
  const list = part("destinations");
  const called = legs.filter((leg) => leg.direction === "outbound").map((leg) => leg.to);
  const numbers = new Set([...Object.keys(destinations), ...called]);
  for (const number of numbers) {
    const existing = /** @type {HTMLSelectElement | null} */ (
      list.querySelector(`[data-number="${CSS.escape(number)}"]`)
    );
    const select = existing ?? addDestination(list, number);
    const does = destinations[number]?.[0]?.does ?? "desk";
    const chosen = BEHAVIOURS.findIndex(([, behaviour]) => behaviour.does === does);
    if (select !== document.activeElement) select.value = String(chosen);
  }
}

/** @param {HTMLElement} list @param {string} number */
function addDestination(list, number) {
  const label = document.createElement("label");
  const name = document.createElement("strong");
  name.textContent = number;
  const select = document.createElement("select");
  select.dataset.number = number;
  select.append(...BEHAVIOURS.map(([text], place) => new Option(text, String(place))));
  select.addEventListener("change", () =>
    fetch(`/simulator/destinations/${encodeURIComponent(number)}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify([BEHAVIOURS[Number(select.value)][1]]),
    }),
  );
  label.append(name, select);
  const item = document.createElement("li");
  item.append(label);
  list.append(item);
  return select;
}

/** @param {Leg[]} legs */
function showHistory(legs) {
  const over = legs.filter((leg) => !leg.caller && leg.direction === "outbound" && leg.over);
  const items = over.slice(-EARLIER).reverse().map((leg) => {
    const item = document.createElement("li");
    const name = document.createElement("strong");
    name.textContent = leg.to;
    const when = document.createElement("time");
    when.dateTime = leg.created;
    when.textContent = new Date(leg.created).toLocaleTimeString();
    const outcome = document.createElement("span");
    outcome.textContent = leg.answered
      ? `talked for ${Math.ceil((Date.parse(leg.ended ?? "") - Date.parse(leg.answered)) / 1000)} s`
      : leg.status;
    item.append(name, outcome, when);
    return item;
  });
  part("history").replaceChildren(...items);
}

const states = new EventSource("/desk/events");
states.addEventListener("message", ({ data }) => {
  const { legs, scenario } = JSON.parse(data);
  part("title").textContent = scenario.name;
  showPhones(legs);
  showDestinations(legs, scenario.destinations);
  showHistory(legs);
});
for (const [event, state, text] of [
  ["open", "open", "Connected"],
  ["error", "lost", "The simulator is gone; trying again…"],
]) {
  states.addEventListener(event, () => {
    part("connection").dataset.state = state;
    part("connection").textContent = text;
  });
}
setInterval(() => {
  for (const phone of phones.values()) phone.tick();
}, 1000);
