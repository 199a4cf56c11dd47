// The desk phone page: a person answers in a second browser tab, and the two hear each other.
// @ts-check

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { World, call, callback, launch, until } from "./world.mjs";

let browser, world, desk;
before(async () => (browser = await launch()));
after(async () => browser.close());
beforeEach(async () => {
  world = await World.start();
  desk = await browser.newPage();
  desk.faults = [];
  desk.on("console", (message) => {
    if (message.type() === "error") desk.faults.push(message.text());
  });
  desk.on("pageerror", (error) => desk.faults.push(String(error)));
  await desk.goto(`${process.env.SIMULATOR_URL}/desk`);
});
afterEach(async () => {
  assert.deepEqual(desk.faults, []);
  await desk.close();
  await world.stop();
});

const phone = () => desk.getByRole("article", { name: `Telephone ${world.desk}` });

test("answer at the desk, speak and hear through it, hang up there", async () => {
  world.ncco[0].text = "Thank you for calling.";
  const page = await world.page(browser);
  const id = await call(page);
  await phone().getByText("ringing").waitFor();
  await phone().getByText("Thank you for calling.").waitFor();
  await phone().getByRole("button", { name: "Answer", exact: true }).click();
  await callback(page, "legStatusUpdate", "ANSWERED");
  await phone().getByRole("button", { name: "Microphone on" }).waitFor();
  const before = await page.evaluate((id) => harness.packets(id), id);
  await until("the visitor hears the desk's microphone", async () => {
    const packets = await page.evaluate((id) => harness.packets(id), id);
    return packets.received > before.received + 50 && packets.energy > before.energy;
  });
  await world.state("the desk hears the visitor", ({ legs }) => {
    const leg = legs.find((leg) => leg.to === world.desk);
    return leg.has_browser && leg.sound.packets_out > 50;
  });
  await phone().getByRole("button", { name: "Hang up" }).click();
  await callback(page, "callHangup", "REMOTE_HANGUP");
  await phone().waitFor({ state: "detached" });
  await page.close();
});

for (const [button, status] of [
  ["Decline", "rejected"],
  ["Engaged", "busy"],
  ["No answer", "unanswered"],
]) {
  test(`${button} at the desk`, async () => {
    const page = await world.page(browser);
    await call(page);
    await phone().getByRole("button", { name: button, exact: true }).click();
    await callback(page, "callHangup");
    await world.event(world.desk, status);
    await page.close();
  });
}

test("the whisper is read and its key pressed at the desk", async () => {
  // The whisper comes from the event address of this test's server.
  world.whisper = [
    { action: "talk", text: "Acme support. Press 1 to accept.", bargeIn: true },
    {
      action: "input",
      type: ["dtmf"],
      dtmf: { maxDigits: 1, timeOut: 10 },
      eventUrl: [`${world.origin}/webhooks/input`],
    },
  ];
  world.ncco[1].endpoint[0].onAnswer = { url: `${world.origin}/webhooks/whisper` };
  const page = await world.page(browser);
  await call(page);
  await phone().getByRole("button", { name: "Answer", exact: true }).click();
  await phone().getByText("Press 1 to accept").waitFor();
  await phone().getByRole("button", { name: "1", exact: true }).click();
  const input = await until("the key", () =>
    world.webhooks.find(({ path }) => path === "/webhooks/input"),
  );
  assert.equal(input.body.dtmf.digits, "1");
  await page.close();
});

test("a telephone can be told what to do", async () => {
  await world.deskDoes({ does: "desk" });
  const choice = desk.getByLabel(world.desk);
  await choice.selectOption({ label: "Engaged" });
  await world.state("the choice holds", ({ scenario }) =>
    scenario.destinations[world.desk]?.[0].does === "busy" || undefined,
  );
  const page = await world.page(browser);
  await call(page);
  await world.event(world.desk, "busy");
  await page.close();
});
