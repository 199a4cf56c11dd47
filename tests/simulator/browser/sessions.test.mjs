// Sessions: tokens, refresh, loss and return of the socket.
// @ts-check

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { World, call, callback, launch } from "./world.mjs";

let browser, world;
before(async () => (browser = await launch()));
after(async () => browser.close());
beforeEach(async () => (world = await World.start()));
afterEach(async () => world.stop());

const now = () => Math.floor(Date.now() / 1000);

test("every bad token has the error it has in reality", async () => {
  const { privateKey: otherKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const table = [
    ["signed by another key", world.sign({}, otherKey), "session:error:invalid-token"],
    ["not a token", "nonsense", "session:error:invalid-token"],
    ["another application", world.sign({ application_id: "nobody" }), "session:error:invalid-token"],
    ["a life over a day", world.sign({ exp: now() + 90_000 }), "session:error:invalid-token"],
    ["no iat", world.sign({ iat: undefined }), "session:error:invalid-token"],
    ["an unknown user", world.sign({ sub: "nobody" }), "session:error:invalid-token"],
    ["no user", world.sign({ sub: undefined }), "session:error:invalid-token"],
    ["expired", world.sign({ iat: now() - 100, exp: now() - 10 }), "session:error:expired-token"],
    ["no ACL", world.sign({ acl: undefined }), "system:error:permission"],
    ["an ACL without sessions", world.sign({ acl: { paths: { "/*/users/**": {} } } }), "system:error:permission"],
  ];
  const page = await world.bare(browser);
  for (const [what, token, code] of table) {
    const refused = await page.evaluate((token) => harness.login(token), token);
    assert.deepEqual(
      { type: refused.error?.type, code: refused.error?.code },
      { type: "SESSION_ERROR", code },
      what,
    );
  }
  await page.close();
});

test("a user has only so many sessions", async () => {
  const restore = await world.limit({ sessions_per_user: 1 });
  try {
    const first = await world.page(browser);
    const second = await world.bare(browser);
    const refused = await second.evaluate((token) => harness.login(token), world.sign());
    assert.equal(refused.error?.code, "session:error:max-open-sessions-permitted");
    await Promise.all([first.close(), second.close()]);
  } finally {
    await restore();
  }
});

test("the user is told about itself", async () => {
  const page = await world.page(browser);
  const me = await page.evaluate(() => harness.run("getUser", "me"));
  assert.equal(me.value.name, world.user);
  const nobody = await page.evaluate(() => harness.run("getUser", "nobody"));
  assert.equal(nobody.error.code, "user:error:not-found");
  await page.close();
});

test("a refreshed session outlives its first token", async () => {
  const page = await world.bare(browser);
  const first = world.sign({ exp: now() + 31 });
  const session = await page.evaluate((token) => harness.login(token), first);
  const refreshed = await page.evaluate((token) => harness.run("refreshSession", token), world.sign());
  assert.equal(refreshed.error, undefined, JSON.stringify(refreshed));
  await world.pull(`sessions/${session.value}/drop`);
  await callback(page, "reconnection");
  await page.close();
});

test("a session ends with its token", async () => {
  const page = await world.bare(browser);
  // The shortest life there is, most of it over.
  const token = world.sign({ iat: now() - 28, exp: now() + 3 });
  const session = await page.evaluate((token) => harness.login(token), token);
  assert.ok(session.value, JSON.stringify(session));
  await callback(page, "sessionError", "EXPIRED_TOKEN");
  await page.close();
});

test("an unknown session id is refused", async () => {
  const page = await world.bare(browser);
  const refused = await page.evaluate(
    (token) => harness.login(token, "00000000-0000-4000-8000-000000000000"),
    world.sign(),
  );
  assert.equal(refused.error?.code, "session:error:invalid-session", JSON.stringify(refused));
  await page.close();
});

test("a dropped socket comes back to its session, and misses nothing", async () => {
  const page = await world.page(browser);
  const id = await call(page);
  const desk = await world.deskLeg("ringing");
  await world.pull(`sessions/${page.session}/drop`);
  await world.pull(`legs/${desk.id}/answer`);
  await callback(page, "reconnecting");
  await callback(page, "reconnection");
  await callback(page, "legStatusUpdate", "ANSWERED");
  const hangup = await page.evaluate((id) => harness.run("hangup", id), id);
  assert.equal(hangup.error, undefined, JSON.stringify(hangup));
  await callback(page, "callHangup", "LOCAL_HANGUP");
  await page.close();
});

test("a session that the cloud ends is resumed with its id, call and all", async () => {
  await world.deskDoes({ does: "answer" });
  const page = await world.page(browser);
  const id = await call(page);
  await callback(page, "legStatusUpdate", "ANSWERED");
  await world.pull(`sessions/${page.session}/end`);
  await callback(page, "sessionError");
  const again = await page.evaluate(
    ([token, session]) => harness.login(token, session),
    [world.sign(), page.session],
  );
  assert.equal(again.value, page.session, JSON.stringify(again));
  const hangup = await page.evaluate((id) => harness.run("hangup", id), id);
  assert.equal(hangup.error, undefined, JSON.stringify(hangup));
  await callback(page, "callHangup", "LOCAL_HANGUP");
  await page.close();
});

test("a page that logged in anew, without its old session, still hears of its call", async () => {
  const page = await world.page(browser);
  await call(page);
  const desk = await world.deskLeg("ringing");
  await world.pull(`sessions/${page.session}/end`);
  await callback(page, "sessionError");
  const again = await page.evaluate((token) => harness.login(token), world.sign());
  assert.notEqual(again.value, page.session);
  await world.pull(`legs/${desk.id}/decline`);
  await callback(page, "callHangup", "REMOTE_REJECT");
  await page.close();
});

test("two tabs of two visitors don't hear of each other", async () => {
  const other = await World.start();
  const [first, second] = await Promise.all([world.page(browser), other.page(browser)]);
  await Promise.all([call(first), call(second)]);
  const [near, far] = await Promise.all([world.deskLeg("ringing"), other.deskLeg("ringing")]);
  await world.pull(`legs/${near.id}/answer`);
  await callback(first, "legStatusUpdate", "ANSWERED");
  await world.pull(`legs/${far.id}/decline`);
  await callback(second, "callHangup", "REMOTE_REJECT");
  const ended = await first.evaluate(() => harness.seen.some(([name]) => name === "callHangup"));
  assert.equal(ended, false);
  await Promise.all([first.close(), second.close()]);
  await other.stop();
});

test("two tabs of one user have calls of their own", async () => {
  const [first, second] = await Promise.all([world.page(browser), world.page(browser)]);
  const id = await call(first);
  const other = await call(second);
  assert.notEqual(id, other);
  const near = await world.state("the first tab's desk leg", ({ legs }) => {
    const own = legs.find((leg) => leg.id === id);
    return legs.find(
      (leg) =>
        leg.to === world.desk &&
        leg.status === "ringing" &&
        leg.conversation_id === own.conversation_id,
    );
  });
  await world.pull(`legs/${near.id}/answer`);
  await callback(first, "legStatusUpdate", "ANSWERED");
  await world.pull(`legs/${near.id}/hangup`);
  await callback(first, "callHangup", "REMOTE_HANGUP");
  const heard = await second.evaluate(() => harness.seen.map((entry) => entry.at(-1)));
  assert.equal(heard.includes("ANSWERED") || heard.includes("REMOTE_HANGUP"), false, `${heard}`);
  await Promise.all([first.close(), second.close()]);
});

test("logging out ends the session", async () => {
  const page = await world.page(browser);
  await page.evaluate(() => harness.run("deleteSession"));
  await world.state("the session is gone", ({ sessions }) =>
    sessions.every((session) => session.id !== page.session) || undefined,
  );
  await page.close();
});
