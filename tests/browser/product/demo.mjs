// @ts-check
/**
 * The whole product for one test file: `click-to-call demo` (the service beside the simulated Vonage), a
 * browser with a made-up microphone, and what a test sees of both.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

import { chromium } from "playwright-core";

const BINARY = process.env.CLICK_TO_CALL_BIN ?? resolve("target/debug/click-to-call");
export const DESK = "447700900000";
/** Enough for a debug build on a busy machine; nothing waits this long when all is well. */
const PATIENCE_MS = 20_000;
const POLL_MS = 50;

/** A greeting of half a second. */
const SCENARIO = { timing: { speech_ms_per_character: 5 }, limits: { calls_per_second: 100 } };

const ARGUMENTS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--use-fake-device-for-media-stream",
  "--autoplay-policy=no-user-gesture-required",
  // Both ends of a call are on this machine, which may have loopback only.
  "--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns",
];

/**
 * @typedef {object} Visitor a fresh browser context with the page in it
 * @property {import("playwright-core").BrowserContext} context
 * @property {import("playwright-core").Page} page
 */

export class Demo {
  #child;
  #browser;
  #folder;
  #log;
  /** @type {{context: import("playwright-core").BrowserContext, faults: string[]}[]} */
  #open = [];

  constructor({ child, browser, folder, log, url, vonage }) {
    this.#child = child;
    this.#browser = browser;
    this.#folder = folder;
    this.#log = log;
    /** The service, without a slash at the end. */
    this.url = url;
    /** The simulated Vonage, likewise. */
    this.vonage = vonage;
  }

  /** @param {Record<string, string>} [settings] keys of the settings in capitals, such as `CALLS__RING_SECONDS` */
  static async start(settings = {}) {
    const folder = await mkdtemp(join(tmpdir(), "click-to-call-"));
    const scenario = join(folder, "scenario.json");
    await writeFile(scenario, JSON.stringify(SCENARIO));
    const own = Object.entries(settings).map(([key, value]) => [`CLICK_TO_CALL__${key}`, value]);
    const child = spawn(BINARY, ["demo", "--port", "0", "--vonage-port", "0", "--scenario", scenario], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env.PATH, RUST_LOG: "info", ...Object.fromEntries(own) },
    });
    /** @type {string[]} */
    const log = [];
    const addresses = new Promise((found, failed) => {
      const seen = [];
      const read = (/** @type {string} */ line) => {
        log.push(line);
        const [, address] = /^ {2}The (?:page|desk phone) +(http:\S+)$/.exec(line) ?? [];
        if (address && seen.push(new URL(address).origin) === 2) found(seen);
      };
      for (const stream of [child.stdout, child.stderr]) createInterface(stream).on("line", read);
      child.once("error", failed);
      child.once("close", (code) => failed(new Error(`the demo ended with ${code}:\n${log.join("\n")}`)));
    });
    const [url, vonage] = await addresses;
    const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
    const browser = await chromium.launch({ executablePath, headless: true, args: ARGUMENTS });
    return new Demo({ child, browser, folder, log, url, vonage });
  }

  async stop() {
    await this.#browser.close();
    const ended = new Promise((done) => this.#child.once("close", done));
    this.#child.kill("SIGTERM");
    await ended;
    await rm(this.#folder, { recursive: true });
  }

  /**
   * Runs a test's body; what must hold of every visit is checked after it, and a failure leaves evidence.
   * @param {() => Promise<void>} body
   */
  async run(body) {
    try {
      // What the last test left behind must not be taken for this one's.
      await this.desk({ does: "desk" });
      await body();
      for (const { faults } of this.#open) assert.deepEqual(faults, []);
    } catch (error) {
      await this.#keepEvidence();
      throw error;
    } finally {
      await Promise.all(this.#open.map(({ context }) => context.close()));
      this.#open = [];
    }
  }

  /**
   * @param {{path?: string, microphone?: boolean, options?: import("playwright-core").BrowserContextOptions}} [how]
   * @returns {Promise<Visitor>}
   */
  async visit({ path = "/", microphone = true, options = {} } = {}) {
    const permissions = microphone ? ["microphone"] : [];
    const context = await this.#browser.newContext({ permissions, locale: "en-GB", ...options });
    /** @type {string[]} */
    const faults = [];
    this.#open.push({ context, faults });
    await context.exposeBinding("reportViolation", (_, violation) => faults.push(violation));
    await context.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
        Reflect.get(globalThis, "reportViolation")(`refused by ${violatedDirective}: ${blockedURI}`),
      );
    });
    const known = [this.url, this.vonage].map((address) => new URL(address).host);
    const check = (/** @type {string} */ address) => {
      const { protocol, host } = new URL(address);
      if (/^(https?|wss?):$/.test(protocol) && !known.includes(host)) faults.push(`asked ${address}`);
    };
    context.on("request", (request) => check(request.url()));
    context.on("page", (page) => {
      page.on("websocket", (socket) => check(socket.url()));
      page.on("pageerror", (error) => faults.push(String(error)));
    });
    const page = await context.newPage();
    await page.goto(`${this.url}${path}`);
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

  /** What the desk's telephone does. @param {object} behaviours */
  async desk(...behaviours) {
    const path = `/simulator/destinations/${DESK}`;
    await this.#ask(path, { method: "PUT", body: JSON.stringify(behaviours), headers: { "content-type": "application/json" } });
  }

  /** @param {string} lever such as `legs/ID/answer` */
  async pull(lever) {
    await this.#ask(`/simulator/${lever}`, { method: "POST" });
  }

  /** Every end of every call so far. @returns {Promise<any[]>} */
  async legs() {
    return (await (await this.#ask("/simulator/state")).json()).legs;
  }

  /**
   * Both ends of the visitor's call as the simulated Vonage sees them, once `holds` is true of them.
   * @param {Visitor} visitor
   * @param {string} what for the message when it never is
   * @param {(ends: {own: any, far: any, session: any}) => unknown} holds
   */
  async ends({ page }, what, holds) {
    const { user } = await elementState(page);
    return this.endsOf(user, what, holds);
  }

  /**
   * The same by the name of the logged-in user.
   * @param {string} user
   * @param {string} what
   * @param {(ends: {own: any, far: any, session: any}) => unknown} holds
   */
  async endsOf(user, what, holds) {
    let last;
    const found = await until(() => `${what}: ${JSON.stringify(last)}`, async () => {
      const { legs, sessions } = await (await this.#ask("/simulator/state")).json();
      const own = legs.findLast((leg) => leg.caller && leg.user === user);
      const far = legs.findLast((leg) => !leg.caller && leg.conversation_id === own?.conversation_id);
      const session = sessions.find(({ id }) => id === own?.caller.session_id);
      last = { own, far, session };
      return own && far && holds(last) && last;
    });
    return found;
  }

  async #ask(path, options) {
    const response = await fetch(`${this.vonage}${path}`, options);
    assert.ok(response.ok, `${path}: ${response.status}`);
    return response;
  }

  async #keepEvidence() {
    const folder = await mkdtemp(join(tmpdir(), "click-to-call-failure-"));
    const pages = this.#open.flatMap(({ context }) => context.pages());
    for (const [number, page] of pages.entries()) {
      const path = join(folder, `page-${number + 1}.png`);
      await page.screenshot({ path }).then(
        () => console.error(`screenshot of ${page.url()}: ${path}`),
        () => console.error(`no screenshot of ${page.url()}`),
      );
    }
    const faults = this.#open.flatMap((visit) => visit.faults);
    console.error(`${faults.join("\n")}\nlog of the service:\n${this.#log.join("\n")}`);
  }
}

/** Presses Call, as soon as it can be pressed. @param {Visitor} visitor @param {string} [name] */
export async function pressCall({ page }, name = "Call") {
  await page.getByRole("button", { name, exact: true, disabled: false }).click();
}

/** Waits until the element shows a state. @param {Visitor} visitor @param {string} state */
export async function shows({ page }, state) {
  await page.locator(`click-to-call[state="${state}"]`).waitFor({ timeout: PATIENCE_MS });
  return elementState(page);
}

/** @param {import("playwright-core").Page} page */
export function elementState(page) {
  return page.locator("click-to-call").evaluate((element) => Reflect.get(element, "state"));
}

/**
 * Waits until `work` gives something.
 * @template T
 * @param {() => string} what
 * @param {() => Promise<T>} work
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
