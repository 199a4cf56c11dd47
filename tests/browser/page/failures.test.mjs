/** Each thing that can go wrong has its words and a way on: the next press, or the telephone. */

import assert from "node:assert/strict";

import { assertClean, button, press, says, stage } from "../stage.mjs";

const test = stage({ settings: { CLICK_TO_CALL__PAGE__PHONE_NUMBER: "442079460999" } });

/** Waits for the words of a failure, and finds both ways on. */
async function fails(page, kind) {
  await says(page, `failure.${kind}`);
  await page.getByRole("link", { name: /\+442079460999/ }).waitFor();
  await button(page, "try-again").waitFor();
}

async function worksNow({ page, cloud }) {
  const caller = cloud.nextCaller();
  await press(page, "try-again");
  assert.equal((await caller).ncco.at(-1).action, "connect");
}

const withoutPermission = { permissions: [] };

test("the microphone is refused, then allowed", async (scene) => {
  const { page, context, service } = scene;
  await page.goto(service.url);
  await press(page, "call");
  await fails(page, "microphone-refused");
  await page.getByRole("listitem").filter({ hasText: "Set Microphone to Allow" }).waitFor();
  await context.grantPermissions(["microphone"]);
  await worksNow(scene);
  assertClean(scene);
}, withoutPermission);

test("the SDK is blocked, then not", async (scene) => {
  const { page, context, service } = scene;
  await context.route("**/vendor/**", (route) => route.abort("blockedbyclient"));
  await page.goto(service.url);
  await press(page, "call");
  await fails(page, "sdk-blocked");
  await context.unroute("**/vendor/**");
  await worksNow(scene);
});

test("a service built without the SDK offers the telephone only", async ({ page, context, service }) => {
  await context.route("**/embed.js", async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replace(/"sdk":\{[^}]*\}/, '"sdk":null');
    await route.fulfill({ response, body });
  });
  await page.goto(service.url);
  await says(page, "failure.no-sdk");
  assert.ok(await page.getByRole("button", { name: "Call", exact: true }).isDisabled());
  await page.getByRole("link", { name: /\+442079460999/ }).waitFor();
});

test("offline, then online", async (scene) => {
  const { page, context, service } = scene;
  await page.goto(service.url);
  await button(page, "call").waitFor();
  await context.setOffline(true);
  await press(page, "call");
  await fails(page, "offline");
  await context.setOffline(false);
  await worksNow(scene);
});

test("Vonage is out of the service's reach, then not", async (scene) => {
  const { page, service } = scene;
  service.vonage.isDown = true;
  await page.goto(service.url);
  await press(page, "call");
  await fails(page, "vonage-unavailable");
  service.vonage.isDown = false;
  await worksNow(scene);
});

test("Vonage refuses the token: it is renewed, then told", async (scene) => {
  const { page, cloud, service } = scene;
  const sessions = [];
  page.on("request", (request) => request.url().endsWith("/api/sessions") && sessions.push(request));
  cloud.refusal = "system:error:invalid-token";
  await page.goto(service.url);
  await press(page, "call");
  await fails(page, "login");
  assert.equal(sessions.length, 4, "at once, and twice more while the service may not have its new key yet");
  cloud.refusal = null;
  await worksNow(scene);
});

test("too many sessions at Vonage", async (scene) => {
  const { page, cloud, service } = scene;
  cloud.refusal = "session:error:max-open-sessions";
  await page.goto(service.url);
  await press(page, "call");
  await fails(page, "session-limit");
  cloud.refusal = null;
  await worksNow(scene);
});

test("Vonage's socket never answers", async (scene) => {
  const { page, cloud, service } = scene;
  cloud.refusal = "silence";
  await page.goto(service.url);
  await press(page, "call");
  await fails(page, "unreachable");
  cloud.refusal = null;
  await worksNow(scene);
});

test("the sound finds no way through a firewall", async (scene) => {
  const { page, context, service } = scene;
  const legs = "https://api-us.vonage.com/v0.3/legs";
  await context.route(legs, (route) => route.fulfill({ status: 500, json: {} }));
  await page.goto(service.url);
  await press(page, "call");
  await fails(page, "no-connection");
  await context.unroute(legs);
  await worksNow(scene);
});

test("the service turns the caller away", async (scene) => {
  const { page, cloud, service } = scene;
  cloud.ticket = () => "not-a-ticket";
  const caller = cloud.nextCaller();
  await page.goto(service.url);
  await press(page, "call");
  const { ncco } = await caller;
  assert.ok(!ncco.some(({ action }) => action === "connect"), JSON.stringify(ncco));
  // Vonage has said the sentence and lets the caller go.
  await cloud.hangUp();
  await button(page, "call-again").waitFor();
  cloud.ticket = (ticket) => ticket;
  const again = cloud.nextCaller();
  await press(page, "call-again");
  assert.equal((await again).ncco.at(-1).action, "connect");
  assertClean(scene);
});

test("the service itself is gone", async (scene) => {
  const { page, context, service } = scene;
  await page.goto(service.url);
  await button(page, "call").waitFor();
  await context.route("**/api/**", (route) => route.abort("connectionrefused"));
  await press(page, "call");
  await fails(page, "unreachable");
  await context.unroute("**/api/**");
  await worksNow(scene);
});

test("too many tries from one address, with the time to wait", async (scene) => {
  const { page, context, service } = scene;
  await context.route("**/api/sessions", (route) =>
    route.fulfill({
      status: 429,
      contentType: "application/problem+json",
      json: { type: `${service.url}/problems#rate-limited`, title: "Too many", status: 429, retry_after: 20 },
    }),
  );
  await page.goto(service.url);
  await press(page, "call");
  await fails(page, "rate-limited");
  await says(page, "retry-when", { when: "in 20 seconds" });
});
