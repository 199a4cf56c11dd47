// Calls from the page to the desk.
// @ts-check

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { World, call, callback, launch, until } from "./world.mjs";

let browser, world;
before(async () => (browser = await launch()));
after(async () => browser.close());
beforeEach(async () => (world = await World.start()));
afterEach(async () => world.stop());

test("login, call, ring, answer, talk both ways, hang up at the desk", async () => {
  const page = await world.page(browser);
  const id = await call(page, { topic: "billing", urgent: true });
  const desk = await world.deskLeg("ringing");
  await callback(page, "legStatusUpdate", "RINGING");
  await world.pull(`legs/${desk.id}/answer`);
  await callback(page, "legStatusUpdate", "ANSWERED");

  const before = await page.evaluate((id) => harness.packets(id), id);
  await until("packets flow both ways in the browser", async () => {
    const packets = await page.evaluate((id) => harness.packets(id), id);
    return packets.sent > before.sent + 20 && packets.received > before.received + 20 && packets.energy > 0;
  });
  await world.state("packets flow both ways at both ends", ({ legs }) => {
    const own = legs.find((leg) => leg.id === id).sound;
    const far = legs.find((leg) => leg.id === desk.id).sound;
    return own.packets_in > 20 && own.packets_out > 20 && far.packets_in > 20 && far.packets_out > 20;
  });

  await world.pull(`legs/${desk.id}/hangup`);
  await callback(page, "callHangup", "REMOTE_HANGUP");
  const completed = await world.event(world.desk, "completed");
  assert.equal(completed.body.disconnected_by, "user");
  const own = await world.event(world.user, "completed");
  assert.equal(own.body.from, null);
  assert.equal(own.body.uuid, id);
  assert.equal(own.body.direction, "inbound");

  const answer = world.webhooks.find(({ path }) => path === "/webhooks/answer").body;
  assert.equal(answer.from_user, world.user);
  assert.equal(answer.to, "");
  assert.equal(answer.uuid, id);
  assert.deepEqual(answer.custom_data, { topic: "billing", urgent: true });
  assert.equal("from" in answer, false);
  assert.deepEqual(await page.evaluate(() => harness.seen.filter(([name]) => name === "error")), []);
  await page.close();
});

test("hang up in the page", async () => {
  await world.deskDoes({ does: "answer" });
  const page = await world.page(browser);
  const id = await call(page);
  await callback(page, "legStatusUpdate", "ANSWERED");
  const hangup = await page.evaluate((id) => harness.run("hangup", id), id);
  assert.equal(hangup.error, undefined, JSON.stringify(hangup));
  await callback(page, "callHangup", "LOCAL_HANGUP");
  const desk = await world.event(world.desk, "completed");
  assert.equal(desk.body.disconnected_by, "platform");
  const own = await world.event(world.user, "completed");
  assert.equal(own.body.disconnected_by, "user");
  await page.close();
});

for (const [does, status, reason] of [
  ["busy", "busy", "REMOTE_HANGUP"],
  ["decline", "rejected", "REMOTE_REJECT"],
  ["carrier_timeout", "unanswered", "REMOTE_NO_ANSWER_TIMEOUT"],
  ["out_of_service", "failed", "REMOTE_HANGUP"],
]) {
  test(`the desk's telephone: ${does}`, async () => {
    await world.deskDoes({ does });
    const page = await world.page(browser);
    await call(page);
    await callback(page, "callHangup", reason);
    await world.event(world.desk, status);
    await page.close();
  });
}

test("nobody answers until the NCCO's timeout", async () => {
  await world.deskDoes({ does: "no_answer" });
  world.ncco[1].timeout = 3;
  const page = await world.page(browser);
  await call(page);
  await callback(page, "callHangup", "REMOTE_NO_ANSWER_TIMEOUT");
  await world.event(world.desk, "timeout");
  await page.close();
});

test("mute, unmute and keys", async () => {
  world.ncco = [
    {
      action: "input",
      type: ["dtmf"],
      dtmf: { maxDigits: 3, timeOut: 10 },
      eventUrl: [`${world.origin}/webhooks/input`],
    },
    { action: "wait", timeout: 60 },
  ];
  const page = await world.page(browser);
  const id = await call(page);
  for (const [method, muted] of [
    ["mute", true],
    ["unmute", false],
  ]) {
    const done = await page.evaluate(([method, id]) => harness.run(method, id), [method, id]);
    assert.equal(done.error, undefined, JSON.stringify(done));
    await callback(page, "mute", muted);
  }
  const keys = await page.evaluate((id) => harness.run("sendDTMF", id, "12#"), id);
  assert.equal(keys.error, undefined, JSON.stringify(keys));
  await callback(page, "dtmf", "12#");
  const input = await until("the keys arrive", () =>
    world.webhooks.find(({ path }) => path === "/webhooks/input"),
  );
  assert.deepEqual(input.body.dtmf, { digits: "12#", timed_out: false });
  await page.close();
});

test("an answer URL without an answer lets the call time out in the page", async () => {
  world.ncco = "not an NCCO";
  const page = await world.page(browser);
  await call(page);
  await callback(page, "callHangup", "REMOTE_HANGUP");
  const error = await until("the error event", () => world.webhooks.find(({ body }) => body.reason));
  assert.match(error.body.reason, /^Syntax error in NCCO/);
  await page.close();
});

test("a closed tab ends its call when the window is over", async () => {
  await world.deskDoes({ does: "answer" });
  const page = await world.page(browser);
  await call(page);
  await callback(page, "legStatusUpdate", "ANSWERED");
  await page.close();
  const own = await world.event(world.user, "completed");
  assert.equal(own.body.disconnected_by, "platform");
});

test("a lost media path is repaired and the call goes on", async () => {
  await world.deskDoes({ does: "answer" });
  const page = await world.page(browser);
  const id = await call(page);
  await callback(page, "legStatusUpdate", "ANSWERED");
  await world.pull(`legs/${id}/media-lost`);
  await callback(page, "callMediaReconnecting");
  await callback(page, "callMediaReconnection");
  const before = await world.state("the leg", ({ legs }) => legs.find((leg) => leg.id === id));
  await world.state("packets flow again", ({ legs }) => {
    const sound = legs.find((leg) => leg.id === id).sound;
    return sound.packets_in > before.sound.packets_in + 20;
  });
  const hangup = await page.evaluate((id) => harness.run("hangup", id), id);
  assert.equal(hangup.error, undefined, JSON.stringify(hangup));
  await world.event(world.user, "completed");
  await page.close();
});
