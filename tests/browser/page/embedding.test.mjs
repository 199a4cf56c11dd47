/** The element on other people's sites. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after } from "node:test";

import { assertClean, button, press, says, stage } from "../stage.mjs";

/** A site of somebody else, which shows one tag of the service it is told. */
const site = createServer((request, response) => {
  const query = new URL(request.url, "http://site").searchParams;
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  response.end(`<!doctype html><html lang="en"><title>A shop</title><link rel="icon" href="data:,">
    <script type="module" src="${query.get("service")}/embed.js"></script>
    <main><h1>A shop</h1>${query.get("tag")}</main></html>`);
});
let origin;

const test = stage({
  async settings() {
    await new Promise((done) => site.listen(0, "127.0.0.1", done));
    origin = `http://127.0.0.1:${site.address().port}`;
    return { CLICK_TO_CALL__VISITORS__ALLOWED_ORIGINS: origin };
  },
});
after(() => {
  site.closeAllConnections();
  site.close();
});

function pageWith(tag, { url }, from = origin) {
  const query = new URLSearchParams({ service: url, tag });
  return `${from}/?${query}`;
}

test("on an allowed site a call works by bearer, without a cookie", async (scene) => {
  const { page, context, cloud, service } = scene;
  const caller = cloud.nextCaller();
  const asked = page.waitForRequest((request) => request.url().endsWith("/api/calls") && request.method() === "POST");
  await page.goto(pageWith('<click-to-call line="support" lang="en"></click-to-call>', service));
  await press(page, "call");
  assert.match((await asked).headers().authorization, /^Bearer .+/);
  assert.equal((await caller).ncco.at(-1).action, "connect");
  await cloud.phone("ringing");
  await says(page, "state.ringing");
  await cloud.phone("answered");
  await says(page, "state.answered");
  assert.deepEqual(await context.cookies(), []);
  await press(page, "hang-up");
  await says(page, "ended.hung-up");
  assertClean(scene);
});

test('login="load" says who you are logged in as', async (scene) => {
  const { page, cloud, service } = scene;
  await page.goto(pageWith('<click-to-call lang="en" login="load"></click-to-call>', service));
  const { path: user } = await cloud.requests.waitFor(({ method }) => method === "LOGIN");
  await says(page, "user", { user });
  await button(page, "call").waitFor();
  assertClean(scene);
});

test("a site's words, telephone link and what it tells the desk", async ({ page, service }) => {
  const tag = `<click-to-call lang="en" context='{"order":"4711"}'><a slot="phone" href="tel:+15550100">Ring the shop</a></click-to-call>`;
  await page.goto(pageWith(tag, service));
  await page.getByRole("link", { name: "Ring the shop" }).waitFor();
  await page.locator("click-to-call").evaluate((element) => (element.words = { call: "Ask about your order" }));
  const asked = page.waitForRequest((request) => request.url().endsWith("/api/calls") && request.method() === "POST");
  await page.getByRole("button", { name: "Ask about your order" }).click();
  assert.deepEqual((await asked).postDataJSON(), { language: "en", context: { order: "4711" } });
});

test("a site's own storage is neither read for a call nor changed", async ({ page, service }) => {
  await page.addInitScript(() => sessionStorage.setItem("click-to-call", "the shop's"));
  const scripts = [];
  page.on("request", (request) => scripts.push(request.url()));
  await page.goto(pageWith('<click-to-call lang="en"></click-to-call>', service));
  await button(page, "call").waitFor();
  await page.locator('click-to-call[state="ready"]').waitFor();
  assert.deepEqual(scripts.filter((url) => url.endsWith("/call-machine.js")), []);
  assert.equal(await page.evaluate(() => sessionStorage.getItem("click-to-call")), "the shop's");
});

test("the events of the element tell the page what the call does", async ({ page, cloud, service }) => {
  await page.goto(pageWith('<click-to-call lang="en"></click-to-call>', service));
  await button(page, "call").waitFor();
  await page.evaluate(() => {
    globalThis.told = [];
    document.addEventListener("click-to-call-state", ({ detail }) => globalThis.told.push(detail.state));
  });
  const caller = cloud.nextCaller();
  await page.locator("click-to-call").evaluate((element) => element.call());
  await caller;
  await page.locator("click-to-call").evaluate((element) => element.hangUp());
  await page.locator('click-to-call[state="ended"]').waitFor();
  const told = await page.evaluate(() => [...new Set(globalThis.told)]);
  assert.deepEqual(told.filter((state) => state !== "ringing"), ["connecting", "ended"]);
});

test("taken out of the page in mid-call, the element hangs up", async ({ page, cloud, service }) => {
  const caller = cloud.nextCaller();
  await page.goto(pageWith('<click-to-call lang="en"></click-to-call>', service));
  await press(page, "call");
  await caller;
  await cloud.phone("answered");
  await says(page, "state.answered");
  await page.locator("click-to-call").evaluate((element) => element.remove());
  await cloud.requests.waitFor(({ method }) => method === "DELETE");
});

test("on a site that is not allowed no user is made, and the visitor is told", async ({ page, service }) => {
  const stranger = origin.replace("127.0.0.1", "localhost");
  const before = service.vonage.requests.entries.length;
  await page.goto(pageWith('<click-to-call lang="en"></click-to-call>', service, stranger));
  await press(page, "call");
  await says(page, "failure.origin-not-allowed");
  // Pressing again would change nothing.
  await page.locator("click-to-call").getByRole("button", { name: "Call", disabled: true }).waitFor();
  assert.equal(service.vonage.requests.entries.length, before);
});
