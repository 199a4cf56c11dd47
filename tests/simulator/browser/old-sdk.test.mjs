// The retired `nexmo-client` of Vonage's tutorial, with the steps that the tutorial's page takes.
// @ts-check

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { World, launch, simulator, until } from "./world.mjs";

let browser, world, page;
before(async () => (browser = await launch()));
after(async () => browser.close());
beforeEach(async () => {
  world = await World.start();
  page = await browser.newPage();
  await page.goto(`${world.origin}/old`);
});
afterEach(async () => {
  await page.close();
  await world.stop();
});

// Logs in and calls, as the tutorial's page does when its button is pressed. What happens is kept in the page.
async function press() {
  await page.evaluate(
    async ([url, token]) => {
      const client = new globalThis.NexmoClient({
        url,
        nexmo_api_url: url,
        ips_url: `${url}/v1/image`,
        rtcstats: { remote_collection: false },
      });
      globalThis.seen = [];
      const application = await client.createSession(token);
      application.on("member:call", (member, call) => {
        globalThis.call = call;
        call.conversation.on("member:left", () => globalThis.seen.push("member:left"));
        globalThis.seen.push("member:call");
      });
      await application.callServer(application.me.name);
    },
    [simulator, world.sign()],
  );
}

function seen(what) {
  return until(what, () => page.evaluate((what) => globalThis.seen.includes(what), what));
}

test("the old SDK logs in, calls, is answered and hangs up", async () => {
  await press();
  const desk = await world.deskLeg("ringing");
  await seen("member:call");
  await world.pull(`legs/${desk.id}/answer`);
  await world.event(world.desk, "answered");
  await world.state("sound reaches the desk", ({ legs }) =>
    legs.find(({ id, sound }) => id === desk.id && sound.packets_out > 20),
  );

  await page.evaluate(() => globalThis.call.hangUp());
  const desks = await world.event(world.desk, "completed");
  assert.equal(desks.body.disconnected_by, "platform");
  const own = await world.event(world.user, "completed");
  assert.equal(own.body.disconnected_by, "user");
  const answer = world.webhooks.find(({ path }) => path === "/webhooks/answer").body;
  assert.equal(answer.to, world.user, "the tutorial's page calls its own user's name");
  assert.equal(answer.from_user, world.user);
});

test("the old SDK hears that the desk hung up", async () => {
  await world.deskDoes({ does: "answer", hang_up_after_ms: 500 });
  await press();
  await seen("member:call");
  await seen("member:left");
  await world.event(world.user, "completed");
});
