/** What outlasts a moment: the login, its renewal, its loss in the middle of a call, and the page that goes away. */

import assert from "node:assert/strict";

import { assertClean, press, says, stage, talk } from "../stage.mjs";

const test = stage();

const HOUR_MS = 3_600_000;
const isMember = /^\/v0\.2\/conversations\/[^/]+\/members\/[^/]+$/;
const isHangUp = (leg) => ({ method, path }) => method === "PUT" && path === `/v1/calls/${leg}`;

test("a token that ended while the computer slept is renewed in mid-call, and the call goes on", async (scene) => {
  const { page, cloud } = scene;
  await talk(scene);
  // The time of day has moved on, timers have not; then the network is back.
  await page.clock.setFixedTime(Date.now() + 20 * HOUR_MS);
  const renewed = page.waitForResponse((response) => response.url().endsWith("/api/sessions"));
  const told = page.waitForRequest((request) => request.method() === "PUT" && request.url().includes("/v0.2/sessions/"));
  await page.evaluate(() => dispatchEvent(new Event("online")));
  const { token } = await (await renewed).json();
  assert.equal((await told).headers().authorization.split(" ")[1], token);
  await press(page, "hang-up");
  await cloud.requests.waitFor(({ method, path }) => method === "DELETE" && isMember.test(path));
  assert.equal(cloud.requests.count(({ method }) => method === "LOGIN"), 1, "without another login");
  assertClean(scene);
});

test("a session lost in mid-call is taken up again, and the call can be hung up", async (scene) => {
  const { page, cloud, violations } = scene;
  await talk(scene);
  const first = cloud.requests.entries.find(({ method }) => method === "LOGIN");
  assert.equal(first.body, null);
  cloud.dropSession();
  const again = await cloud.requests.waitFor((request) => request.method === "LOGIN" && request !== first);
  assert.equal(again.path, first.path, "the same user");
  assert.ok(again.body, "and the old session");
  await says(page, "state.answered");
  await press(page, "hang-up");
  await cloud.requests.waitFor(({ method, path }) => method === "DELETE" && isMember.test(path));
  assert.deepEqual(violations, []);
});

test("a page that goes away is hung up, unless it comes back", async (gone) => {
  const back = await gone.newVisitor();
  const returning = back.page.waitForResponse((response) => response.url().endsWith("/api/calls"));
  const { leg: kept } = await talk(back);
  const { call_id: call } = await (await returning).json();
  const { leg: lost } = await talk(gone);

  // Both leave, the one that comes back first: its time would be over before the other's.
  for (const { page, service } of [back, gone]) await page.goto(`${service.url}/problems`);
  const other = await back.context.newPage();
  await other.goto(back.service.url);
  await other.evaluate(async (id) => {
    const stream = await fetch(`/api/calls/${id}/events`);
    await stream.body.getReader().read();
  }, call);

  const { requests } = gone.service.vonage;
  await requests.waitFor(isHangUp(lost));
  assert.equal(requests.count(isHangUp(kept)), 0);
});
