// @ts-check
/**
 * `click-to-call serve` as a process of its own beside a demonstration's simulated Vonage: an application
 * there, a key in a file, a store on disk. It can be restarted, and its key changed.
 */

import assert from "node:assert/strict";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Process } from "./process.mjs";

/** The account of the demonstration: `src/cli/demo.rs`. */
export const ACCOUNT = {
  VONAGE_API_KEY: "demo0000",
  VONAGE_API_SECRET: "demonstration",
  VONAGE_SIGNATURE_SECRET: "demonstration-of-a-signature-secret",
  VONAGE_NUMBER: "442079460000",
  DESTINATION_PHONE_NUMBER: "447700900000",
};
export const AUTHORIZATION = `Basic ${Buffer.from(`${ACCOUNT.VONAGE_API_KEY}:${ACCOUNT.VONAGE_API_SECRET}`).toString("base64")}`;

export class Service {
  #folder;
  /** @type {Record<string, string>} */
  #environment;
  /** @type {Process|null} */
  #process = null;
  /** @type {string[]} */
  #earlierLog = [];

  /**
   * @param {string} folder
   * @param {string} vonage
   * @param {number} port
   */
  constructor(folder, vonage, port, settings = {}) {
    this.#folder = folder;
    // The name that browsers take for secure without a certificate.
    this.url = `http://localhost:${port}`;
    this.#environment = {
      ...ACCOUNT,
      PORT: String(port),
      PUBLIC_URL: this.url,
      VONAGE_PRIVATE_KEY_FILE: join(folder, "private.key"),
      ...hostsOf(vonage),
      DATABASE_URL: `sqlite://${join(folder, "test.db")}`,
      ...settings,
    };
  }

  /**
   * @param {string} vonage address of the simulated Vonage
   * @param {Record<string, string>} [settings] variables that differ from a plain set-up
   */
  static async start(vonage, settings = {}) {
    const folder = await mkdtemp(join(tmpdir(), "click-to-call-"));
    const service = new Service(folder, vonage, await freePort(), settings);
    await service.#createApplication(await service.#makeKey());
    await service.#serve();
    return service;
  }

  log() {
    return [...this.#earlierLog, ...(this.#process?.log ?? [])];
  }

  /** Stops it in order and starts another process on the same store and port. */
  async restart() {
    await this.whileAway(async () => {});
  }

  /** The same, with something happening in between. @param {() => Promise<void>} happen */
  async whileAway(happen) {
    await this.#end();
    await happen();
    await this.#serve();
  }

  /**
   * The first steps of "Rotating the key" in docs/OPERATIONS.md: a new pair, its private half in place of the old one,
   * its public half to Vonage, which takes no token of the old key from now on.
   */
  async changeKeyAtVonage() {
    await this.#command("keygen", "--next");
    await rename(join(this.#folder, "private.key.next"), join(this.#folder, "private.key"));
    await this.#command("app", "update", "--public-key", "private.key.next.pub", "--yes");
  }

  /** The last step: has the key read again. */
  async reload() {
    const since = this.#running().log.length;
    this.#running().signal("SIGHUP");
    await this.#running().says(/signing with the key/, since);
  }

  async stop() {
    await this.#end();
    await rm(this.#folder, { recursive: true });
  }

  async #serve() {
    this.#process = new Process(["serve"], this.#folder, this.#environment);
    await this.#process.says(/listening on/);
  }

  /** @returns {Promise<string>} its public half */
  async #makeKey() {
    const said = await this.#command("keygen");
    const [publicKey] = /-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/.exec(said) ?? [];
    return `${publicKey}\n`;
  }

  /** Runs another command to its end. @param {string[]} words @returns {Promise<string>} what it said */
  async #command(...words) {
    const process = new Process(words, this.#folder, this.#environment);
    assert.equal(await process.ended, "code 0", process.log.join("\n"));
    return process.log.join("\n");
  }

  async #end() {
    await this.#running().stop();
    this.#earlierLog.push(...this.#running().log);
    this.#process = null;
  }

  #running() {
    assert.ok(this.#process, "the service runs");
    return this.#process;
  }

  /** @param {string} publicKey */
  async #createApplication(publicKey) {
    const webhook = (/** @type {string} */ name) => ({ address: `${this.url}/webhooks/${name}`, http_method: "POST" });
    const webhooks = { answer_url: webhook("answer"), fallback_answer_url: webhook("fallback"), event_url: webhook("event") };
    const response = await fetch(`${this.#environment.VONAGE_API_URL}/v2/applications`, {
      method: "POST",
      headers: { authorization: AUTHORIZATION, "content-type": "application/json" },
      body: JSON.stringify({
        name: "Test",
        keys: { public_key: publicKey },
        capabilities: { voice: { webhooks, signed_callbacks: true }, rtc: {} },
      }),
    });
    assert.equal(response.status, 201, await response.clone().text());
    this.#environment.VONAGE_APPLICATION_ID = (await response.json()).id;
  }
}

/** All of Vonage's hosts on the simulator's. @param {string} vonage */
export function hostsOf(vonage) {
  return {
    VONAGE_API_URL: vonage,
    VONAGE_REST_URL: vonage,
    VONAGE_CLIENT_API_URL: vonage,
    VONAGE_WEBSOCKET_URL: vonage,
  };
}

/**
 * A service for one test.
 * @param {import("./demo.mjs").Demo} demo whose simulated Vonage it uses
 * @param {(service: Service) => Promise<void>} body
 */
export async function withService(demo, body) {
  const service = await Service.start(demo.vonage);
  demo.keepLog("service", () => service.log());
  try {
    await body(service);
  } finally {
    await service.stop();
  }
}

/** @returns {Promise<number>} */
export function freePort() {
  const probe = createServer();
  return new Promise((done) => {
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => done(typeof address === "object" && address ? address.port : 0));
    });
  });
}
