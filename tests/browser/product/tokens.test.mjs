// @ts-check
/** Tokens that end while pages are open. */

import assert from "node:assert/strict";

import { until } from "../wait.mjs";
import { stage } from "./demo.mjs";
import { hangUp, pressCall, shows } from "./visitor.mjs";

/** The shortest life that Vonage takes. */
const TTL_SECONDS = 30;
const test = stage({ TOKEN__TTL_SECONDS: String(TTL_SECONDS) });

test("a token is renewed in mid-call, and the call outlives the old one", async (demo) => {
  await demo.desk({ does: "answer" });
  const visitor = await demo.visit();
  const issued = visitor.page.waitForResponse((response) => response.url().endsWith("/api/sessions"));
  await pressCall(visitor);
  const { expires_at } = await (await issued).json();
  await shows(visitor, "in-call");
  const { own, session } = await demo.ends(visitor, "both talk", (ends) => ends.far.status === "answered");

  const told = await visitor.page.waitForRequest(
    (request) => request.method() === "PUT" && request.url().includes(`/sessions/${session.id}`),
    { timeout: TTL_SECONDS * 1_000 },
  );
  assert.ok(Date.now() < Date.parse(expires_at), "in time");
  assert.equal((await told.response())?.status(), 200);
  await until(() => "the old token's end", () => Date.now() > Date.parse(expires_at) + 1_000, TTL_SECONDS * 1_000);

  const later = await demo.ends(visitor, "the session outlives its first token", (ends) =>
    ends.session?.online && ends.own.sound.packets_in > own.sound.packets_in,
  );
  assert.equal(later.session.id, session.id, "without another login");
  await visitor.page.getByRole("button", { name: "Mute" }).click();
  await visitor.page.getByRole("button", { name: "Mute", pressed: true }).waitFor();
  await hangUp(visitor);
  const { reason } = await shows(visitor, "ended");
  assert.equal(reason, "hung-up");
  await demo.isOver(own);
});
