// @ts-check
/** From an empty folder and an account to a visitor's call: `setup`, `serve`, Call. */

import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { DESK, stage } from "./demo.mjs";
import { Process } from "./process.mjs";
import { ACCOUNT, AUTHORIZATION, freePort, hostsOf } from "./service.mjs";
import { hangUp, pressCall, shows } from "./visitor.mjs";

const test = stage();

test("setup writes all that serve needs, and a visitor calls", async (demo) => {
  // The demonstration gives its number back, so that there is one to buy.
  const response = await fetch(`${demo.vonage}/number/cancel`, {
    method: "POST",
    headers: { authorization: AUTHORIZATION },
    body: new URLSearchParams({ country: "GB", msisdn: ACCOUNT.VONAGE_NUMBER }),
  });
  assert.ok(response.ok, await response.text());

  const folder = await mkdtemp(join(tmpdir(), "click-to-call-"));
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const environment = {
    PORT: String(port),
    VONAGE_API_SECRET: ACCOUNT.VONAGE_API_SECRET,
    VONAGE_SIGNATURE_SECRET: ACCOUNT.VONAGE_SIGNATURE_SECRET,
    ...hostsOf(demo.vonage),
  };
  const answers = ["--api-key", ACCOUNT.VONAGE_API_KEY, "--public-url", url, "--destination", DESK, "--country", "GB"];
  const setup = new Process(["setup", "--yes", ...answers], folder, environment);
  demo.keepLog("setup", () => setup.log);
  assert.equal(await setup.ended, "code 0", setup.log.join("\n"));
  assert.deepEqual((await readdir(folder)).sort(), [".env", "config", "private.key"]);
  assert.equal((await stat(join(folder, "private.key"))).mode & 0o777, 0o600);

  const service = new Process(["serve"], folder, environment);
  demo.keepLog("service", () => service.log);
  try {
    await service.says(/listening on/);
    await demo.desk({ does: "answer" });
    const visitor = await demo.visit({ url });
    await pressCall(visitor);
    await shows(visitor, "in-call");
    const { own } = await demo.ends(visitor, "both talk", ({ own, far }) =>
      far.status === "answered" && far.from === ACCOUNT.VONAGE_NUMBER && own.sound.packets_in > 20,
    );
    await hangUp(visitor);
    await shows(visitor, "ended");
    await demo.isOver(own);
  } finally {
    await service.stop();
    await rm(folder, { recursive: true });
  }
});
