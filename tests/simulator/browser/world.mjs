// An application of the tests' own: it makes itself known to the simulator over REST, serves a page
// with the SDK, answers webhooks, and signs tokens.
// @ts-check

import assert from "node:assert/strict";
import { createSign, generateKeyPairSync, randomInt, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

import { chromium } from "playwright-core";

export const simulator = process.env.SIMULATOR_URL;
const account = `Basic ${Buffer.from(`${process.env.API_KEY}:${process.env.API_SECRET}`).toString("base64")}`;
// Longest time a condition is waited for; a test that needs it fails.
const PATIENCE_MS = 20_000;

const { publicKey, privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

// The package exports only its modules; the build for script tags is no module.
const sdk = readFileSync(
  new URL("../../../node_modules/@vonage/client-sdk/dist/vonageClientSDK.min.js", import.meta.url),
);
const oldSdk = readFileSync(
  new URL("../../../node_modules/nexmo-client/dist/nexmoClient.min.js", import.meta.url),
);
const files = {
  "/": ["text/html", readFileSync(new URL("page.html", import.meta.url))],
  "/page.js": ["text/javascript", readFileSync(new URL("page.js", import.meta.url))],
  "/sdk.js": ["text/javascript", sdk],
  "/old": ["text/html", readFileSync(new URL("old-page.html", import.meta.url))],
  "/old-sdk.js": ["text/javascript", oldSdk],
};

export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      "--allow-loopback-in-peer-connection",
    ],
  });
}

// A request to the simulator; refusals are errors.
async function ask(method, path, { body, authorization } = {}) {
  const response = await fetch(simulator + path, {
    method,
    headers: {
      ...(body && { "content-type": "application/json" }),
      ...(authorization && { authorization }),
    },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text && JSON.parse(text);
}

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

// One application with one user, and a telephone number nobody else calls.
export class World {
  webhooks = [];
  ncco = [];
  whisper = [];
  desk = `4477${randomInt(10_000_000, 100_000_000)}`;

  static async start() {
    const world = new World();
    world.server = createServer((request, response) => world.#serve(request, response));
    await new Promise((resolve) => world.server.listen(0, "127.0.0.1", resolve));
    const origin = `http://127.0.0.1:${world.server.address().port}`;
    world.origin = origin;
    const webhook = (path) => ({ address: origin + path, http_method: "POST" });
    const application = await ask("POST", "/v2/applications", {
      authorization: account,
      body: {
        name: "Browser test",
        keys: { public_key: publicKey },
        capabilities: {
          voice: {
            webhooks: {
              answer_url: webhook("/webhooks/answer"),
              event_url: webhook("/webhooks/event"),
            },
          },
        },
      },
    });
    world.application = application.id;
    world.user = `visitor-${randomUUID()}`;
    await ask("POST", "/v1/users", {
      authorization: `Bearer ${world.sign({ sub: undefined, acl: undefined })}`,
      body: { name: world.user },
    });
    world.ncco = [
      { action: "talk", text: "One moment please." },
      { action: "connect", endpoint: [{ type: "phone", number: world.desk }] },
    ];
    return world;
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  // A token for the user; `changes` replace claims, undefined ones are left out.
  sign(changes = {}, key = privateKey) {
    const now = Math.floor(Date.now() / 1000);
    const paths = ["users", "conversations", "sessions", "knocking", "legs"];
    const claims = {
      application_id: this.application,
      iat: now,
      exp: now + 3600,
      jti: randomUUID(),
      sub: this.user,
      acl: { paths: Object.fromEntries(paths.map((name) => [`/*/${name}/**`, {}])) },
      ...changes,
    };
    const signed = `${base64url({ alg: "RS256", typ: "JWT" })}.${base64url(claims)}`;
    return `${signed}.${createSign("RSA-SHA256").update(signed).sign(key, "base64url")}`;
  }

  // What the desk telephone does from now on.
  async deskDoes(behaviour) {
    await ask("PUT", `/simulator/destinations/${this.desk}`, { body: [behaviour] });
  }

  // Changes the limits of the account; returns what puts them back.
  async limit(limits) {
    const scenario = await ask("GET", "/simulator/scenario");
    const changed = { ...scenario, limits: { ...scenario.limits, ...limits } };
    await ask("POST", "/simulator/scenario", { body: changed });
    return () => ask("POST", "/simulator/scenario", { body: scenario });
  }

  async pull(path) {
    await ask("POST", `/simulator/${path}`);
  }

  // Calls the desk over REST; whoever picks up follows this NCCO.
  async makeCall(ncco) {
    await ask("POST", "/v1/calls", {
      authorization: `Bearer ${this.sign({ sub: undefined, acl: undefined })}`,
      body: {
        to: [{ type: "phone", number: this.desk }],
        from: { type: "phone", number: "442079460000" },
        ncco,
      },
    });
  }

  // Waits until the simulator's state has what `find` looks for.
  async state(what, find) {
    return until(what, async () => find(await ask("GET", "/simulator/state")));
  }

  // Waits for the desk's leg in this state.
  async deskLeg(status) {
    return this.state(`${this.desk} is ${status}`, ({ legs }) =>
      legs.find((leg) => leg.to === this.desk && leg.status === status),
    );
  }

  // Waits for an event of a leg to `to`.
  async event(to, status) {
    return until(`${to} ${status}`, () =>
      this.webhooks.find(({ body }) => body.to === to && body.status === status),
    );
  }

  // A page with the SDK, logged in.
  async page(browser) {
    const page = await this.bare(browser);
    const session = await page.evaluate((token) => harness.login(token), this.sign());
    assert.ok(session.value, JSON.stringify(session));
    page.session = session.value;
    return page;
  }

  // A page with the SDK, not logged in.
  async bare(browser) {
    const page = await browser.newPage();
    await page.goto(this.origin);
    await page.evaluate((url) => harness.open(url), simulator);
    return page;
  }

  #serve(request, response) {
    const file = files[request.url];
    if (file) {
      response.setHeader("content-type", file[0]);
      response.end(file[1]);
      return;
    }
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(chunks).toString() || "{}");
      this.webhooks.push({ path: request.url, body });
      response.setHeader("content-type", "application/json");
      const path = request.url.split("?")[0];
      const replies = { "/webhooks/answer": this.ncco, "/webhooks/whisper": this.whisper };
      response.end(path in replies ? JSON.stringify(replies[path]) : "");
    });
  }
}

// Waits until `look` finds something; looks again with every turn of the event loop's timers.
export async function until(what, look) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found) return found;
    assert.ok(Date.now() < end, `never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

// Waits for a callback of the SDK in the page: its name and, if given, its last value.
export async function callback(page, name, last) {
  const wanted = [name, last];
  return until(`callback ${wanted}`, () =>
    page.evaluate(
      ([name, last]) =>
        harness.seen.find((entry) => entry[0] === name && (last === null || entry.at(-1) === last)),
      [name, last ?? null],
    ),
  );
}

// Makes a call; returns its id.
export async function call(page, context = {}) {
  const made = await page.evaluate((context) => harness.call(context), context);
  assert.ok(made.value, JSON.stringify(made));
  return made.value;
}
