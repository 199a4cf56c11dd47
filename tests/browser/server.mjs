/** Starts the real service for one test file, beside a stand-in for Vonage's server-side API. */

import { spawn } from "node:child_process";
import { createHash, createHmac, generateKeyPairSync, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { Journal } from "./journal.mjs";

const BUILT = new URL("../../target/debug/click-to-call", import.meta.url);
const BINARY = process.env.CLICK_TO_CALL_BIN ?? fileURLToPath(BUILT);
const APPLICATION = "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab";
const SIGNATURE_SECRET = "a-signature-secret-for-tests-only-0123456789";
/** A debug build on a busy machine. */
const START_MS = 30_000;

/**
 * @typedef {object} Service
 * @property {string} url
 * @property {Vonage} vonage
 * @property {(path: string, body: object) => Promise<{status: number, body: any}>} webhook posts it signed, as Vonage does
 * @property {() => string} log what the service has logged so far
 * @property {() => Promise<void>} close
 */
/**
 * @typedef {object} Vonage
 * @property {string} url
 * @property {Journal<Recorded>} requests
 * @property {boolean} isDown set it, and every request is answered with 503
 */
/** @typedef {{method: string, path: string, body: string}} Recorded */

/**
 * @param {Record<string, string>} [settings] variables that differ from a plain set-up
 * @returns {Promise<Service>}
 */
export async function startService(settings = {}) {
  const folder = await mkdtemp(join(tmpdir(), "click-to-call-"));
  const vonage = await startVonage();
  const port = await freePort();
  // The name that browsers take for secure without a certificate.
  const url = `http://localhost:${port}`;
  const keyFile = join(folder, "private.key");
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" });
  await writeFile(keyFile, pem, { mode: 0o600 });

  const child = spawn(BINARY, ["serve"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH,
      PORT: String(port),
      PUBLIC_URL: url,
      VONAGE_APPLICATION_ID: APPLICATION,
      VONAGE_PRIVATE_KEY_FILE: keyFile,
      VONAGE_SIGNATURE_SECRET: SIGNATURE_SECRET,
      VONAGE_NUMBER: "447700900000",
      DESTINATION_PHONE_NUMBER: "447700900001",
      VONAGE_API_URL: vonage.url,
      VONAGE_REST_URL: vonage.url,
      DATABASE_URL: `sqlite://${join(folder, "test.db")}`,
      // All visitors of a test file come from one address.
      CLICK_TO_CALL__VISITORS__SESSIONS_PER_MINUTE: "10000",
      CLICK_TO_CALL__VONAGE__USERS_PER_SECOND: "100",
      // Nothing is asked of Vonage but for a visitor.
      CLICK_TO_CALL__VISITORS__READY_USERS: "0",
      ...settings,
    },
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (log += text));
  const exited = new Promise((done) => child.once("close", done));
  const failed = new Promise((_, reject) => {
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`the service ended with ${code}:\n${log}`)));
  });
  failed.catch(() => {});
  await Promise.race([answers(`${url}/readyz`), failed]).catch((error) => {
    child.kill();
    throw new Error(`the service did not become ready: ${error.message}\n${log}`);
  });

  return {
    url,
    vonage,
    webhook: (path, body) => post(new URL(path, url), JSON.stringify(body)),
    log: () => log,
    async close() {
      child.kill("SIGTERM");
      await exited;
      await vonage.close();
      await rm(folder, { recursive: true });
    },
  };
}

/**
 * Users can be created, calls changed; everything asked is written down.
 * @returns {Promise<Vonage & {close: () => Promise<void>}>}
 */
async function startVonage() {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    vonage.requests.add({ method: request.method, path: request.url, body });
    if (vonage.isDown) {
      response.writeHead(503).end();
    } else if (request.method === "POST" && request.url === "/v1/users") {
      const id = `USR-${randomUUID()}`;
      const href = `https://api-us-3.vonage.com/v1/users/${id}`;
      const user = { ...JSON.parse(body), id, _links: { self: { href } } };
      response.writeHead(201, { "Content-Type": "application/json" });
      response.end(JSON.stringify(user));
    } else {
      response.writeHead(204).end();
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const vonage = {
    requests: new Journal(),
    url: `http://127.0.0.1:${server.address().port}`,
    isDown: false,
    close() {
      server.closeAllConnections();
      return new Promise((done) => server.close(done));
    },
  };
  return vonage;
}

/** Signed as <https://developer.vonage.com/en/getting-started/concepts/webhooks> describes. */
async function post(url, body) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = {
    iat: Math.floor(Date.now() / 1000),
    jti: randomUUID(),
    iss: "Vonage",
    application_id: APPLICATION,
    payload_hash: createHash("sha256").update(body).digest("hex"),
  };
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  const signature = createHmac("sha256", SIGNATURE_SECRET).update(signed).digest("base64url");
  const headers = {
    Authorization: `Bearer ${signed}.${signature}`,
    "Content-Type": "application/json",
  };
  const response = await fetch(url, { method: "POST", headers, body });
  const text = await response.text();
  return { status: response.status, body: text === "" ? null : JSON.parse(text) };
}

/** Waits until the address answers 200. */
async function answers(url) {
  const deadline = AbortSignal.timeout(START_MS);
  for (;;) {
    const response = await fetch(url, { signal: deadline }).catch(() => deadline.throwIfAborted());
    if (response?.ok) return;
    await new Promise((next) => setTimeout(next, 50));
  }
}

function freePort() {
  const probe = createServer();
  return new Promise((done) => {
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}
