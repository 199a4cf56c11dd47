/** Calls from the first press to the last word, with the real service, SDK and browser. */

import assert from "node:assert/strict";

import { assertClean, button, press, says, stage, talk } from "../stage.mjs";

const test = stage();

const isMember = /^\/v0\.2\/conversations\/[^/]+\/members\/[^/]+$/;

test("a call: pressed, let in, rung, answered, hung up", async (scene) => {
  const { page, cloud } = scene;
  const created = page.waitForResponse((response) => response.url().endsWith("/api/calls"));
  const { ncco, customData } = await talk(scene);
  const { code, ticket } = await (await created).json();

  assert.deepEqual(customData, { ticket });
  assert.equal(ncco.at(-1).action, "connect");
  assert.deepEqual(ncco.at(-1).endpoint[0].number, "447700900001");
  await says(page, "code", { code });
  await page.getByRole("timer").getByText("00:01").waitFor();

  await press(page, "hang-up");
  await says(page, "ended.hung-up");
  await cloud.requests.waitFor(({ method, path }) => method === "DELETE" && isMember.test(path));
  await says(page, "code", { code });
  await button(page, "call-again").waitFor();
  assertClean(scene);
});

test("microphone, session, login, ticket, call: in this order", async ({ page, context, cloud, service }) => {
  const steps = [];
  await context.exposeBinding("microphoneAsked", () => steps.push("microphone"));
  await context.addInitScript(() => {
    const { mediaDevices } = navigator;
    const real = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = async (wish) => {
      await globalThis.microphoneAsked();
      return real(wish);
    };
  });
  context.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (request.method() === "POST") steps.push(pathname);
  });
  const login = cloud.requests.waitFor(({ method }) => method === "LOGIN").then(() => steps.push("login"));
  const caller = cloud.nextCaller();
  await page.goto(service.url);
  await press(page, "call");
  await Promise.all([login, caller]);
  // The SDK opens the microphone for itself once more.
  assert.deepEqual(steps, [
    "microphone", "/api/sessions", "login", "/api/calls", "microphone", "/v0.3/legs", "/v0.3/knocking",
  ]);
});

test("muted, unmuted, and digits for the menu at the far end", async (scene) => {
  const { page, cloud } = scene;
  await talk(scene);
  const mute = button(page, "mute");
  const isSent = (type) => ({ body }) => body?.type === type;

  await mute.click();
  await cloud.requests.waitFor(isSent("audio:mute:on"));
  await page.getByRole("button", { name: "Mute", pressed: true }).waitFor();
  await mute.click();
  await cloud.requests.waitFor(isSent("audio:mute:off"));
  await page.getByRole("button", { name: "Mute", pressed: false }).waitFor();

  await press(page, "keypad");
  const keys = page.getByRole("group", { name: "Keypad" });
  await keys.getByRole("button", { name: "1", exact: true }).click();
  await page.keyboard.press("#");
  for (const digit of ["1", "#"]) {
    await cloud.requests.waitFor(({ body }) => body?.type === "audio:dtmf" && body.body.digit === digit);
  }
  await keys.getByText("1#").waitFor();
  assertClean(scene);
});

for (const [name, status, key] of [
  ["busy", "busy", "ended.busy"],
  ["nobody answers", "unanswered", "ended.no-answer"],
  ["declined", "rejected", "ended.declined"],
  ["out of reach", "failed", "ended.unreachable"],
]) {
  test(`${name}: its words, and the next press calls again`, async (scene) => {
    const { page, cloud, service } = scene;
    const first = cloud.nextCaller();
    await page.goto(service.url);
    await press(page, "call");
    await first;
    await cloud.phone("ringing");
    await says(page, "state.ringing");
    await cloud.phone(status);
    await says(page, key);
    await cloud.hangUp();

    const second = cloud.nextCaller();
    await press(page, "call-again");
    assert.equal((await second).ncco.at(-1).action, "connect");
    assertClean(scene);
  });
}

test("the desk hangs up", async (scene) => {
  const { page, cloud } = scene;
  await talk(scene);
  await cloud.phone("completed", { duration: "3" });
  await cloud.hangUp();
  await says(page, "ended.completed");
  await button(page, "call-again").waitFor();
  assert.equal(cloud.count("DELETE", isMember), 0);
  assertClean(scene);
});

test("a double press makes one call, and does not hang it up", async ({ page, cloud, service }) => {
  const caller = cloud.nextCaller();
  await page.goto(service.url);
  await press(page, "call", { clickCount: 2 });
  await caller;
  await cloud.phone("ringing");
  await says(page, "state.ringing");
  assert.equal(cloud.count("POST", /\/knocking$/), 1);
  assert.equal(cloud.count("DELETE", isMember), 0);
});

test("hung up while connecting: the ticket is void, the late leg is refused and ended", async (scene) => {
  const { page, cloud, service } = scene;
  const { promise: mayGoOn, resolve: goOn } = gate();
  cloud.beforeAnswer = () => mayGoOn;
  const caller = cloud.nextCaller();
  await page.goto(service.url);
  await press(page, "call");
  await cloud.requests.waitFor(({ path }) => path === "/v0.3/knocking");
  const told = page.waitForResponse((response) => response.url().endsWith("/hangup"));
  await press(page, "hang-up");
  await says(page, "ended.hung-up");
  assert.equal((await told).status(), 202);

  goOn();
  const { ncco, leg } = await caller;
  assert.ok(!ncco.some(({ action }) => action === "connect"), JSON.stringify(ncco));
  const { body } = await service.vonage.requests.waitFor(
    ({ method, path }) => method === "PUT" && path === `/v1/calls/${leg}`,
  );
  assert.deepEqual(JSON.parse(body), { action: "hangup" });
  await cloud.requests.waitFor(({ method, path }) => method === "DELETE" && isMember.test(path));
  assertClean(scene);
});

test("two visitors at once do not disturb each other", async (one) => {
  const two = await one.newVisitor();
  await Promise.all([talk(one), talk(two)]);
  await press(one.page, "hang-up");
  await says(one.page, "ended.hung-up");
  await says(two.page, "state.answered");
  const [user, other] = [one, two].map(({ cloud }) => cloud.requests.entries.find(({ method }) => method === "LOGIN").path);
  assert.notEqual(user, other);
  assert.match(user, /^visitor-/);
});

function gate() {
  let resolve;
  const promise = new Promise((done) => (resolve = done));
  return { promise, resolve };
}
