/** The button on somebody else's website. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after } from "node:test";

import { assertClean, press, says, stage } from "../stage.mjs";

/** Two websites with the same page; the service allows one of them. */
const sites = await Promise.all([website(), website()]);
const [allowed, other] = sites.map((site) => site.address().port).map((port) => `http://localhost:${port}`);
after(() => sites.forEach((site) => site.close()));

const test = stage({ settings: { CLICK_TO_CALL__VISITORS__ALLOWED_ORIGINS: allowed } });

function website() {
  const site = createServer((request, response) => {
    const service = new URL(request.url, "http://x").searchParams.get("service");
    response.writeHead(200, { "Content-Type": "text/html" });
    response.end(service && `<!doctype html><title>Shop</title><link rel="icon" href="data:,">
      <script type="module" src="${service}/embed.js"></script><click-to-call lang="en"></click-to-call>`);
  });
  return new Promise((done) => site.listen(0, "localhost", () => done(site)));
}

test("an allowed website calls with a bearer, and no cookie is set", async (scene) => {
  const { page, context, cloud, service } = scene;
  const asked = page.waitForRequest((request) => request.method() === "POST" && request.url().endsWith("/api/calls"));
  const caller = cloud.nextCaller();
  await page.goto(`${allowed}/?service=${service.url}`);
  await press(page, "call");
  assert.equal((await caller).ncco.at(-1).action, "connect");
  assert.match(await (await asked).headerValue("authorization"), /^Bearer /);
  await cloud.phone("ringing");
  await says(page, "state.ringing");
  assert.deepEqual(await context.cookies(), []);
  await press(page, "hang-up");
  await says(page, "ended.hung-up");
  assertClean(scene);
});

test("a website that is not allowed is told so", async ({ page, service }) => {
  const before = service.vonage.requests.entries.length;
  await page.goto(`${other}/?service=${service.url}`);
  await press(page, "call");
  // Without permission to read the answer, a browser can't tell it from silence.
  await page.locator("click-to-call[state=failed]").waitFor();
  assert.equal(service.vonage.requests.entries.length, before, "no user was made");
});
