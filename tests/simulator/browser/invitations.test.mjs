// Calls to a page that is logged in: an NCCO connects to its user.
// @ts-check

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { World, callback, launch, until } from "./world.mjs";

let browser, world, page;
before(async () => (browser = await launch()));
after(async () => browser.close());
beforeEach(async () => {
  world = await World.start();
  page = await world.page(browser);
});
afterEach(async () => {
  await page.close();
  await world.stop();
});

// Somebody is called, and connected to the page's user.
async function ring() {
  await world.deskDoes({ does: "answer" });
  await world.makeCall([
    { action: "connect", timeout: 30, endpoint: [{ type: "app", user: world.user }] },
  ]);
  await callback(page, "callInvite");
  return page.evaluate(() => globalThis.harness.seen.find(([name]) => name === "callInvite")[1]);
}

test("a page is called, answers, talks and hangs up", async () => {
  const id = await ring();
  const answered = await page.evaluate((id) => harness.run("answer", id), id);
  assert.equal(answered.error, undefined, JSON.stringify(answered));
  await world.event(world.user, "answered");
  await until("sound comes to the page", async () => {
    const packets = await page.evaluate((id) => harness.packets(id), id);
    return packets.received > 20 && packets.sent > 20;
  });
  await world.state("sound comes from the page", ({ legs }) =>
    legs.find((leg) => leg.id === id && leg.sound.packets_in > 20),
  );
  const hangup = await page.evaluate((id) => harness.run("hangup", id), id);
  assert.equal(hangup.error, undefined, JSON.stringify(hangup));
  const own = await world.event(world.user, "completed");
  assert.equal(own.body.direction, "outbound");
  assert.equal(own.body.disconnected_by, "user");
  assert.equal(own.body.price, "0");
});

test("a page refuses", async () => {
  const id = await ring();
  const refused = await page.evaluate((id) => harness.run("reject", id), id);
  assert.equal(refused.error, undefined, JSON.stringify(refused));
  const own = await world.event(world.user, "rejected");
  assert.equal(own.body.detail, "declined");
});

test("an invitation ends with its caller", async () => {
  await ring();
  const desk = await world.deskLeg("answered");
  await world.pull(`legs/${desk.id}/hangup`);
  await callback(page, "callInviteCancel");
  await world.event(world.user, "cancelled");
});
