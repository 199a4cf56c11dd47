// @ts-check
/** Calls from the page to the desk: how they are answered, what is heard, and how they end. */

import assert from "node:assert/strict";
import { DESK, stage } from "./demo.mjs";
import { hangUp, pressCall, shows } from "./visitor.mjs";

const test = stage({ CALLS__RING_SECONDS: "5" });

/** Sound has been counted in both directions at an end of a call. */
const sounds = ({ sound }) => sound.packets_in > 20 && sound.packets_out > 20;

async function callAnswered(demo, visitor) {
  await demo.desk({ does: "answer" });
  await pressCall(visitor);
  await shows(visitor, "in-call");
  return demo.ends(visitor, "both ends are in the call", ({ own, far }) => !own.over && far.status === "answered");
}

test("a person answers on the desk phone and both hear each other", async (demo) => {
  const visitor = await demo.visit();
  const desk = await demo.deskTab(visitor);
  await visitor.page.bringToFront();
  await pressCall(visitor);
  await shows(visitor, "ringing");
  await desk.getByRole("article", { name: `Telephone ${DESK}` }).getByRole("button", { name: "Answer", exact: true }).click();
  const { code } = await shows(visitor, "in-call");
  assert.ok(code);
  await demo.ends(visitor, "sound flows both ways at both ends", ({ own, far }) =>
    own.has_browser && far.has_browser && sounds(own) && sounds(far),
  );
  await hangUp(visitor);
  await shows(visitor, "ended");
  await demo.ends(visitor, "both ends are over", ({ own, far }) => own.over && far.over);
});

test("the visitor hangs up", async (demo) => {
  const visitor = await demo.visit();
  await callAnswered(demo, visitor);
  await hangUp(visitor);
  const { reason } = await shows(visitor, "ended");
  assert.equal(reason, "hung-up");
  await demo.ends(visitor, "both ends are over", ({ own, far }) => own.over && far.over);
});

test("the visitor gives up while it rings", async (demo) => {
  const visitor = await demo.visit();
  await pressCall(visitor);
  await shows(visitor, "ringing");
  await hangUp(visitor);
  await shows(visitor, "ended");
  await demo.ends(visitor, "both ends are over", ({ own, far }) => own.over && far.over);
});

test("the desk hangs up", async (demo) => {
  const visitor = await demo.visit();
  const { far } = await callAnswered(demo, visitor);
  await demo.pull(`legs/${far.id}/hangup`);
  const { reason } = await shows(visitor, "ended");
  assert.equal(reason, "completed");
  await demo.ends(visitor, "both ends are over", (ends) => ends.own.over && ends.far.over);
});

for (const [does, expected] of [
  ["busy", "busy"],
  ["decline", "declined"],
  ["no_answer", "no-answer"],
]) {
  test(`the telephone's answer is ${does}`, async (demo) => {
    await demo.desk({ does });
    const visitor = await demo.visit();
    await pressCall(visitor);
    const { reason } = await shows(visitor, "ended");
    assert.equal(reason, expected);
    await demo.ends(visitor, "both ends are over", ({ own, far }) => own.over && far.over);
  });
}

test("an answering machine is connected like a person, and the visitor can speak after the beep", async (demo) => {
  await demo.desk({ does: "machine", after_ms: 200, greeting_ms: 300 });
  const visitor = await demo.visit();
  await pressCall(visitor);
  await shows(visitor, "in-call");
  await demo.ends(visitor, "sound reaches the machine", ({ own, far }) =>
    far.status === "answered" && own.sound.packets_in > 20,
  );
  await hangUp(visitor);
  await shows(visitor, "ended");
  await demo.ends(visitor, "both ends are over", ({ own, far }) => own.over && far.over);
});

test("a call can be made again after one that failed", async (demo) => {
  await demo.desk({ does: "busy" }, { does: "answer" });
  const visitor = await demo.visit();
  await pressCall(visitor);
  await shows(visitor, "ended");
  await pressCall(visitor, "Call again");
  await shows(visitor, "in-call");
});

test("a refused microphone is told and calls nobody", async (demo) => {
  const earlier = await demo.legs();
  const visitor = await demo.visit({ microphone: false });
  await pressCall(visitor);
  const { reason } = await shows(visitor, "failed");
  assert.equal(reason, "microphone-refused");
  assert.equal((await demo.legs()).length, earlier.length);
});

test("two visitors talk at once, each with a code of their own", async (demo) => {
  const [one, two] = await Promise.all([demo.visit(), demo.visit()]);
  const [mine, yours] = [await callAnswered(demo, one), await callAnswered(demo, two)];
  assert.notEqual(mine.own.user, yours.own.user);
  const [{ code }, other] = [await shows(one, "in-call"), await shows(two, "in-call")];
  assert.notEqual(code, other.code);
  await demo.pull(`legs/${mine.far.id}/hangup`);
  await shows(one, "ended");
  await demo.ends(two, "the other call goes on", ({ own, far }) => !own.over && !far.over);
});

test("a Japanese page shows and speaks Japanese", async (demo) => {
  const visitor = await demo.visit({ path: "/?lang=ja", options: { locale: "ja-JP" } });
  assert.equal(await visitor.page.locator("html").getAttribute("lang"), "ja");
  await demo.desk({ does: "answer" });
  await visitor.page.locator("click-to-call").getByRole("button", { disabled: false }).first().click();
  await shows(visitor, "in-call");
  await visitor.page.getByText("つながりました").waitFor();
  await demo.ends(visitor, "the greeting is Japanese", ({ own }) =>
    own.captions.some((caption) => caption.includes("お電話いただき、ありがとうございます")),
  );
});

test("a telephone-sized page calls without scrolling sideways", async (demo) => {
  const visitor = await demo.visit({
    options: { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true },
  });
  await demo.desk({ does: "answer" });
  await visitor.page.getByRole("button", { name: "Call", exact: true, disabled: false }).tap();
  await shows(visitor, "in-call");
  const hangUp = visitor.page.getByRole("button", { name: "Hang up" });
  const box = await hangUp.boundingBox();
  assert.ok(box && box.width >= 44 && box.height >= 44, JSON.stringify(box));
  const spare = await visitor.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(spare <= 0, `${spare} px too wide`);
  await hangUp.tap();
  await shows(visitor, "ended");
});
