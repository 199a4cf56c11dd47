/** What a visitor sees when something is in the way: words, a way on, and a next press that works. */

import assert from "node:assert/strict";

import { button, press, says, stage, talk } from "../stage.mjs";

const test = stage({ settings: { CLICK_TO_CALL__PAGE__PHONE_NUMBER: "442079460999" } });

/** Presses, reads why not, mends it, presses again, and is let in. */
async function failsThenWorks({ page, cloud, service }, key, mend) {
  await page.goto(service.url);
  await says(page, "state.ready");
  await press(page, "call");
  await says(page, key);
  assert.equal(await page.getByRole("link", { name: /\+442079460999/ }).isVisible(), true);
  await mend();
  const caller = cloud.nextCaller();
  await press(page, "try-again");
  assert.equal((await caller).ncco.at(-1).action, "connect");
}

test("Vonage's users can't be made: the service says so", async (scene) => {
  const { vonage } = scene.service;
  vonage.isDown = true;
  await failsThenWorks(scene, "failure.vonage-unavailable", () => (vonage.isDown = false));
});

test("the SDK is blocked", async (scene) => {
  const { context } = scene;
  await context.route("**/vendor/**", (route) => route.abort());
  await failsThenWorks(scene, "failure.sdk-blocked", () => context.unroute("**/vendor/**"));
});

test("the network is gone", async (scene) => {
  const { page, context, cloud, service } = scene;
  await page.goto(service.url);
  await page.locator("click-to-call").hover();
  await page.waitForFunction(() => "vonageClientSDK" in globalThis);
  await context.setOffline(true);
  await press(page, "call");
  await says(page, "failure.offline");
  await context.setOffline(false);
  const caller = cloud.nextCaller();
  await press(page, "try-again");
  await caller;
});

for (const [name, refusal, key] of [
  ["too many sessions", "session:error:max-open-sessions", "failure.session-limit"],
  ["a token that Vonage refuses twice", "system:error:invalid-token", "failure.login"],
  ["a socket that never answers", "silence", "failure.unreachable"],
]) {
  test(`login: ${name}`, async (scene) => {
    const { cloud } = scene;
    cloud.refusal = refusal;
    await failsThenWorks(scene, key, () => (cloud.refusal = null));
  });
}

test("a session that is lost in a call is found again, and the call can be hung up", async (scene) => {
  const { page, cloud } = scene;
  await talk(scene);
  const [{ body: first }] = cloud.requests.entries.filter(({ method }) => method === "LOGIN");
  assert.equal(first, null);
  cloud.dropSession();
  await cloud.requests.waitFor(({ method, body }) => method === "LOGIN" && body !== null);
  await press(page, "hang-up");
  await says(page, "ended.hung-up");
});

test("a page that goes away in a call says so, and after 15 seconds the service ends the call", async (scene) => {
  const { page, service } = scene;
  const { leg } = await talk(scene);
  await page.goto(`${service.url}/problems`);
  // Not at once: the visitor might have come back.
  await service.vonage.requests.waitFor(({ method, path }) => method === "PUT" && path === `/v1/calls/${leg}`);
});

test("a refused microphone is told with the steps that give it back", async ({ page, service }) => {
  await page.goto(service.url);
  await press(page, "call");
  await says(page, "failure.microphone-refused");
  assert.equal(await page.locator("click-to-call").getByRole("listitem").count(), 3);
  await button(page, "try-again").waitFor();
}, { permissions: [] });
