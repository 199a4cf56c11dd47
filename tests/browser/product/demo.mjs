// @ts-check
/**
 * The whole product for one test file: `click-to-call demo` (the service beside the simulated Vonage), a
 * browser with a made-up microphone, and what a test sees of both.
 */

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test as nodeTest } from "node:test";

import { keepEvidence, startBrowser, visit } from "../browser.mjs";
import { until } from "../wait.mjs";
import { Process } from "./process.mjs";
import { elementState } from "./visitor.mjs";

export const DESK = "447700900000";
/** Far beyond the longest test: what a test waits for has deadlines of its own that say more. */
const TEST_MS = 90_000;

/** A greeting of half a second. */
const SCENARIO = { timing: { speech_ms_per_character: 5 }, limits: { calls_per_second: 100 } };

/**
 * @typedef {object} Visitor a fresh browser context with the page in it
 * @property {import("playwright-core").BrowserContext} context
 * @property {import("playwright-core").Page} page
 */
/** @typedef {{own: any, far: any, session: any}} Ends both ends of a call, and the session of the visitor's */

/**
 * One demonstration for a test file, a fresh world of visitors for each test.
 * @param {Record<string, string>} [settings] keys of the settings in capitals, such as `CALLS__RING_SECONDS`
 * @returns {(name: string, body: (demo: Demo) => Promise<void>) => void} declares a test
 */
export function stage(settings = {}) {
  /** @type {Demo} */
  let demo;
  before(async () => (demo = await Demo.start(settings)));
  after(() => demo?.stop());
  return (name, body) => void nodeTest(name, { timeout: TEST_MS }, () => demo.run(() => body(demo)));
}

export class Demo {
  #process;
  #browser;
  #folder;
  /** @type {{context: import("playwright-core").BrowserContext, faults: string[]}[]} */
  #open = [];
  /** @type {Map<string, () => string[]>} */
  #logs = new Map();
  #url = "";
  #vonage = "";

  /**
   * @param {Process} process
   * @param {import("playwright-core").Browser} browser
   * @param {string} folder
   */
  constructor(process, browser, folder) {
    this.#process = process;
    this.#browser = browser;
    this.#folder = folder;
    this.keepLog("demo", () => process.log);
  }

  /** @param {Record<string, string>} settings */
  static async start(settings = {}) {
    const folder = await mkdtemp(join(tmpdir(), "click-to-call-"));
    const own = Object.entries(settings).map(([key, value]) => [`CLICK_TO_CALL__${key}`, value]);
    const words = ["demo", "--port", "0", "--vonage-port", "0"];
    const process = new Process(words, folder, Object.fromEntries(own));
    const demo = new Demo(process, await startBrowser(), folder);
    const address = async (/** @type {string} */ what) => {
      const [, found] = await process.says(new RegExp(`^ {2}The ${what} +(http:\\S+)$`));
      return new URL(String(found)).origin;
    };
    demo.#url = await address("page");
    demo.#vonage = await address("desk phone");
    return demo;
  }

  /** The service, without a slash at the end. */
  get url() {
    return this.#url;
  }

  /** The simulated Vonage, likewise. */
  get vonage() {
    return this.#vonage;
  }

  /** Has a failed test leave this log too. @param {string} name @param {() => string[]} lines */
  keepLog(name, lines) {
    this.#logs.set(`${name}.log`, lines);
  }

  async stop() {
    await this.#browser.close();
    await this.#process.stop();
    await rm(this.#folder, { recursive: true });
  }

  /**
   * Runs a test's body; what must hold of every visit is checked after it, and a failure leaves evidence.
   * @param {() => Promise<void>} body
   */
  async run(body) {
    try {
      // What the last test left behind must not be taken for this one's.
      await this.play({ ...SCENARIO, destinations: { [DESK]: [{ does: "desk" }] } });
      await body();
      for (const { faults } of this.#open) assert.deepEqual(faults, []);
    } catch (error) {
      if (error instanceof Error) error.message += `\nleft behind: ${await this.#keepEvidence()}`;
      throw error;
    } finally {
      await Promise.all(this.#open.map(({ context }) => context.close()));
      this.#open = [];
    }
  }

  /**
   * @param {object} [how]
   * @param {string} [how.path]
   * @param {string} [how.url] another service than the demonstration's
   * @param {boolean} [how.microphone]
   * @param {import("playwright-core").Browser} [how.browser]
   * @param {import("playwright-core").BrowserContextOptions} [how.options]
   * @returns {Promise<Visitor>}
   */
  async visit({ path = "/", url = this.url, microphone = true, browser = this.#browser, options = {} } = {}) {
    const permissions = microphone ? ["microphone"] : [];
    const { context, page, violations: faults } = await visit(browser, { permissions, ...options });
    this.#open.push({ context, faults });
    const known = [url, this.vonage].map((address) => new URL(address).host);
    const check = (/** @type {string} */ address) => {
      const { protocol, host } = new URL(address);
      if (/^(https?|wss?):$/.test(protocol) && !known.includes(host)) faults.push(`asked ${address}`);
    };
    const watch = (/** @type {import("playwright-core").Page} */ page) => {
      page.on("websocket", (socket) => check(socket.url()));
      page.on("pageerror", (error) => faults.push(String(error)));
    };
    context.on("request", (request) => check(request.url()));
    context.on("page", watch);
    watch(page);
    await page.goto(`${url}${path}`);
    return { context, page };
  }

  /**
   * A second tab with the desk phone in it.
   * @param {Visitor} visitor
   */
  async deskTab({ context }) {
    const page = await context.newPage();
    await page.goto(`${this.vonage}/desk`);
    return page;
  }

  /** What the desk's telephone does, call after call. @param {object[]} behaviours */
  async desk(...behaviours) {
    await this.#ask(`destinations/${DESK}`, "PUT", behaviours);
  }

  /** What happens from now on. @param {object} scenario */
  async play(scenario) {
    await this.#ask("scenario", "POST", scenario);
  }

  /** @param {string} lever such as `legs/ID/answer` */
  async pull(lever) {
    await this.#ask(lever, "POST");
  }

  /** Every end of every call so far. @returns {Promise<any[]>} */
  async legs() {
    return (await this.#state()).legs;
  }

  /**
   * Waits until every end of a call is over.
   * @param {{conversation_id: string}} leg one end of it
   */
  async isOver({ conversation_id: id }) {
    await until(() => `the end of ${id}`, async () => {
      const ends = (await this.legs()).filter((leg) => leg.conversation_id === id);
      return ends.every((leg) => leg.over);
    });
  }

  /**
   * Both ends of the visitor's call as the simulated Vonage sees them, once `holds` is true of them.
   * @param {{page: import("playwright-core").Page}} visitor
   * @param {string} what for the message when it never is
   * @param {(ends: Ends) => unknown} holds
   */
  ends({ page }, what, holds) {
    return this.endsOf(async () => (await elementState(page)).user, what, holds);
  }

  /**
   * The same by the name of the logged-in user. It is asked for each time: a page that takes a call up shows the
   * call before it has logged in.
   * @param {() => string | Promise<string|null>} user
   * @param {string} what
   * @param {(ends: Ends) => unknown} holds
   * @returns {Promise<Ends>}
   */
  async endsOf(user, what, holds) {
    /** @type {Ends|undefined} */
    let last;
    return until(() => `${what}: ${JSON.stringify(last)}`, async () => {
      const name = await user();
      const { legs, sessions } = await this.#state();
      const own = legs.findLast((/** @type {any} */ leg) => leg.caller && leg.user === name);
      const far = legs.findLast((/** @type {any} */ leg) => !leg.caller && leg.conversation_id === own?.conversation_id);
      const session = sessions.find((/** @type {any} */ { id }) => id === own?.caller.session_id);
      last = { own, far, session };
      return own && far && holds(last) ? last : null;
    });
  }

  async #state() {
    return (await this.#ask("state", "GET")).json();
  }

  /**
   * @param {string} path of the control interface
   * @param {string} method
   * @param {unknown} [body]
   */
  async #ask(path, method, body) {
    const headers = { "content-type": "application/json" };
    const sent = body === undefined ? {} : { headers, body: JSON.stringify(body) };
    const response = await fetch(`${this.vonage}/simulator/${path}`, { method, ...sent });
    assert.ok(response.ok, `${path}: ${response.status}`);
    return response;
  }

  #keepEvidence() {
    const logs = [...this.#logs].map(([name, lines]) => [name, lines().join("\n")]);
    const faults = this.#open.flatMap((visit) => visit.faults).join("\n");
    const contexts = this.#open.map(({ context }) => context);
    return keepEvidence(contexts, { ...Object.fromEntries(logs), "faults.txt": faults });
  }
}
