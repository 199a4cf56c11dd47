// @ts-check
/** The two ways in which visitors share a Vonage user: the shared mode, and the tutorial's own page. */

import assert from "node:assert/strict";
import { stage } from "./demo.mjs";
import { hangUp, pressCall, shows } from "./visitor.mjs";

const test = stage({
  VISITORS__USERS: "shared",
  VISITORS__SHARED_USER: "everybody",
  VISITORS__LEGACY_USERS: "supportuser",
  CALLS__TICKETS: "optional",
});

test("visitors who share a user call and hang up like any other", async (demo) => {
  await demo.desk({ does: "answer" });
  const visitor = await demo.visit();
  await pressCall(visitor);
  const { user } = await shows(visitor, "in-call");
  assert.equal(user, "everybody");
  await demo.ends(visitor, "the desk has answered", ({ far }) => far.status === "answered");
  await hangUp(visitor);
  await shows(visitor, "ended");
  await demo.ends(visitor, "both ends are over", ({ own, far }) => own.over && far.over);
});

test("a page written after the tutorial logs in, calls and hangs up", async (demo) => {
  await demo.desk({ does: "answer" });
  const { page } = await demo.visit();
  const element = await page.locator('link[href$="/js/click-to-call.js"]').getAttribute("href");
  await page.addScriptTag({
    url: new URL("../vendor/vonage-client-sdk.js", new URL(String(element), demo.url)).href,
  });
  const id = await page.evaluate(async (vonage) => {
    const { ConfigRegion, VonageClient } = Reflect.get(globalThis, "vonageClientSDK");
    const client = new VonageClient({ region: ConfigRegion.US, apiUrl: vonage, websocketUrl: vonage });
    Reflect.set(globalThis, "tutorial", client);
    const token = await (await fetch("/auth/supportuser")).json();
    await client.createSession(token);
    return client.serverCall();
  }, demo.vonage);
  const { own } = await demo.endsOf(() => "supportuser", "the desk has answered", ({ own, far }) =>
    own.sound.packets_out > 20 && far.status === "answered",
  );
  assert.equal(own.id, id);
  await page.evaluate((call) => Reflect.get(globalThis, "tutorial").hangup(call), id);
  await demo.endsOf(() => "supportuser", "both ends are over", (ends) => ends.own.over && ends.far.over);
});
