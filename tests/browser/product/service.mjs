// @ts-check
/**
 * `click-to-call serve` as a process of its own beside a demonstration's simulated Vonage: an application
 * there, a key in a file, a store on disk. It can be restarted, and its key changed.
 */

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Process } from "./process.mjs";

/** The account of the demonstration: `src/cli/demo.rs`. */
const ACCOUNT = {
  VONAGE_API_KEY: "demo0000",
  VONAGE_SIGNATURE_SECRET: "demonstration-of-a-signature-secret",
  VONAGE_NUMBER: "442079460000",
  DESTINATION_PHONE_NUMBER: "447700900000",
};
const AUTHORIZATION = `Basic ${Buffer.from(`${ACCOUNT.VONAGE_API_KEY}:demonstration`).toString("base64")}`;

export class Service {
  #folder;
  #environment;
  #vonage;
  #application = "";
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
    this.#vonage = vonage;
    // The name that browsers take for secure without a certificate.
    this.url = `http://localhost:${port}`;
    this.#environment = {
      ...ACCOUNT,
      PORT: String(port),
      PUBLIC_URL: this.url,
      VONAGE_PRIVATE_KEY_FILE: join(folder, "private.key"),
      VONAGE_API_URL: vonage,
      VONAGE_REST_URL: vonage,
      VONAGE_CLIENT_API_URL: vonage,
      VONAGE_WEBSOCKET_URL: vonage,
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
    const publicKey = await service.writeNewKey();
    const { id } = await service.#applications("POST", "", publicKey);
    service.#application = id;
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

  /** A new key in the place of the old one, not read yet. @returns {Promise<string>} its public half */
  async writeNewKey() {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const pem = privateKey.export({ type: "pkcs8", format: "pem" });
    await writeFile(join(this.#folder, "private.key"), pem, { mode: 0o600 });
    return String(publicKey.export({ type: "spki", format: "pem" }));
  }

  /** From now on Vonage knows tokens by this key only. @param {string} publicKey */
  async uploadKey(publicKey) {
    await this.#applications("PUT", `/${this.#application}`, publicKey);
  }

  /** Has the key read again. */
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
    const environment = { ...this.#environment, VONAGE_APPLICATION_ID: this.#application };
    this.#process = new Process(["serve"], this.#folder, environment);
    await this.#process.says(/listening on/);
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

  /**
   * @param {string} method
   * @param {string} path
   * @param {string} publicKey
   */
  async #applications(method, path, publicKey) {
    const webhook = (/** @type {string} */ name) => ({ address: `${this.url}/webhooks/${name}`, http_method: "POST" });
    const webhooks = { answer_url: webhook("answer"), fallback_answer_url: webhook("fallback"), event_url: webhook("event") };
    const response = await fetch(`${this.#vonage}/v2/applications${path}`, {
      method,
      headers: { authorization: AUTHORIZATION, "content-type": "application/json" },
      body: JSON.stringify({
        name: "Test",
        keys: { public_key: publicKey },
        capabilities: { voice: { webhooks, signed_callbacks: true }, rtc: {} },
      }),
    });
    assert.ok(response.ok, `${method} application: ${response.status} ${await response.clone().text()}`);
    return response.json();
  }
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
function freePort() {
  const probe = createServer();
  return new Promise((done) => {
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => done(typeof address === "object" && address ? address.port : 0));
    });
  });
}
