// @ts-check
/** Calls while the service itself is away: sound never passes through it. */

import assert from "node:assert/strict";

import { stage } from "./demo.mjs";
import { withService } from "./service.mjs";
import { hangUp, pressCall, shows } from "./visitor.mjs";

const test = stage();

test("restarted in mid-call: the call goes on, the page's stream comes back, the end is told", async (demo) => {
  await withService(demo, async (service) => {
    await demo.desk({ does: "answer" });
    const visitor = await demo.visit({ url: service.url });
    await pressCall(visitor);
    const { callId } = await shows(visitor, "in-call");
    const { own } = await demo.ends(visitor, "both talk", ({ own, far }) => !own.over && far.status === "answered");

    const isStream = (/** @type {import("playwright-core").Response} */ response) =>
      response.url().endsWith(`/api/calls/${callId}/events`) && response.ok();
    const reopened = visitor.page.waitForEvent("response", isStream);
    await service.restart();
    await reopened;
    await shows(visitor, "in-call");
    const { far } = await demo.ends(visitor, "sound still flows", (ends) =>
      !ends.own.over && ends.own.sound.packets_in > own.sound.packets_in + 20,
    );

    await demo.pull(`legs/${far.id}/hangup`);
    const { reason } = await shows(visitor, "ended");
    assert.equal(reason, "completed", "the new process had the event and told it");
    await pressCall(visitor, "Call again");
    await shows(visitor, "in-call");
    await hangUp(visitor);
    await shows(visitor, "ended");
  });
});

test("answered while the service is away: the page hears of it from Vonage, then from the service", async (demo) => {
  await withService(demo, async (service) => {
    const visitor = await demo.visit({ url: service.url });
    await pressCall(visitor);
    await shows(visitor, "ringing");
    const { far } = await demo.ends(visitor, "the desk rings", (ends) => ends.far.status === "ringing");
    await service.whileAway(async () => {
      await demo.pull(`legs/${far.id}/answer`);
      await shows(visitor, "in-call");
      await hangUp(visitor);
      await shows(visitor, "ended");
      await demo.isOver(far);
    });
    await pressCall(visitor, "Call again");
    await shows(visitor, "ringing");
    await hangUp(visitor);
    await shows(visitor, "ended");
  });
});
