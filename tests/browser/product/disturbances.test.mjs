// @ts-check
/** What happens to a call when the connection or the page goes away in the middle of it. */

import assert from "node:assert/strict";
import { after, before, test as nodeTest } from "node:test";

import { Demo, pressCall, shows, until } from "./demo.mjs";

/** @type {Demo} */
let demo;
before(async () => (demo = await Demo.start()));
after(() => demo.stop());

/** @param {string} name @param {() => Promise<void>} body */
const test = (name, body) => nodeTest(name, { timeout: 60_000 }, () => demo.run(body));

/** Longer than the service waits for a page that left to come back. */
const ABANDONED_MS = 20_000;

const over = ({ own, far }) => own.over && far.over;

async function talking() {
  await demo.desk({ does: "answer" });
  const visitor = await demo.visit();
  await pressCall(visitor);
  await shows(visitor, "in-call");
  const ends = await demo.ends(visitor, "the call is answered", ({ own, far, session }) =>
    !own.over && far.status === "answered" && session.online,
  );
  return { visitor, ...ends };
}

/** More sound than at some moment before. */
const heardSince = (before) => ({ own }) =>
  own.sound.packets_in > before.sound.packets_in + 20 && own.sound.packets_out > before.sound.packets_out + 20;

test("a dropped socket is opened again, the call goes on and can be hung up", async () => {
  const { visitor, own, session } = await talking();
  const opened = visitor.page.waitForEvent("websocket");
  await demo.pull(`sessions/${session.id}/drop`);
  await opened;
  const back = await demo.ends(visitor, "the session is back", (ends) => ends.session?.online);
  assert.equal(back.own.id, own.id);
  await demo.ends(visitor, "sound still flows", heardSince(back.own));
  await shows(visitor, "in-call");
  await visitor.page.getByRole("button", { name: "Hang up" }).click();
  await shows(visitor, "ended");
  await demo.ends(visitor, "both ends are over", over);
});

test("a session that Vonage ends does not end the call, and the call can be hung up", async () => {
  const { visitor, own, session } = await talking();
  const opened = visitor.page.waitForEvent("websocket");
  await demo.pull(`sessions/${session.id}/end`);
  await opened;
  await demo.ends(visitor, "sound still flows", heardSince(own));
  await shows(visitor, "in-call");
  await visitor.page.getByRole("button", { name: "Hang up" }).click();
  await shows(visitor, "ended");
  await demo.ends(visitor, "both ends are over", over);
});

test("a page that was closed has its call ended by the service", async () => {
  const { visitor, own } = await talking();
  await visitor.page.close({ runBeforeUnload: true });
  await until(() => "the call of a closed page ends", async () => {
    const legs = await demo.legs();
    return legs.filter((leg) => leg.conversation_id === own.conversation_id).every((leg) => leg.over);
  }, ABANDONED_MS);
});

test("a page that was loaded again has its old call ended and can call anew", async () => {
  const { visitor, own } = await talking();
  await visitor.page.reload();
  await until(() => "the call of the page before ends", async () => {
    const legs = await demo.legs();
    return legs.filter((leg) => leg.conversation_id === own.conversation_id).every((leg) => leg.over);
  }, ABANDONED_MS);
  await pressCall(visitor);
  await shows(visitor, "in-call");
});
