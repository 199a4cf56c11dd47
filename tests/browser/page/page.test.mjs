/** The page before, around and without a call. */

import assert from "node:assert/strict";

import { wordsOf } from "../locales.mjs";
import { assertClean, button, press, says, stage } from "../stage.mjs";

const test = stage({ settings: { CLICK_TO_CALL__PAGE__PHONE_NUMBER: "442079460999" } });

/** What everything that a visitor gets unasked may weigh, with all heads of answers. */
const BUDGET_BYTES = 30 * 1024;

/** Counts what arrives. */
async function weigh(page) {
  const client = await page.context().newCDPSession(page);
  await client.send("Network.enable");
  const loaded = { bytes: 0, urls: [] };
  client.on("Network.responseReceived", ({ response }) => loaded.urls.push(response.url));
  client.on("Network.loadingFinished", ({ encodedDataLength }) => (loaded.bytes += encodedDataLength));
  return loaded;
}

test("nothing heavy and nothing foreign before the visitor shows interest", async (scene) => {
  const { page, service } = scene;
  const loaded = await weigh(page);
  await page.goto(service.url);
  await says(page, "state.ready");
  await page.waitForLoadState("networkidle");
  assert.ok(loaded.bytes <= BUDGET_BYTES, `${loaded.bytes} bytes:\n${loaded.urls.join("\n")}`);
  assert.deepEqual(loaded.urls.filter((url) => !url.startsWith(`${service.url}/`)), []);
  assert.ok(!loaded.urls.some((url) => url.includes("vendor")), "the SDK waits");
  assert.equal(service.vonage.requests.entries.length, 0, "and so does Vonage");
  assertClean(scene);
});

for (const [name, show] of [
  ["a pointer", (page) => page.locator("click-to-call").hover()],
  ["the keyboard", (page) => button(page, "call").focus()],
]) {
  test(`interest by ${name} fetches the SDK from us, and nothing else happens`, async (scene) => {
    const { page, service } = scene;
    await page.goto(service.url);
    await says(page, "state.ready");
    const sdk = page.waitForResponse((response) => response.url().includes("/vendor/"));
    await show(page);
    assert.equal((await sdk).status(), 200);
    await page.waitForFunction(() => "vonageClientSDK" in globalThis);
    assert.equal(service.vonage.requests.entries.length, 0);
    assertClean(scene);
  });
}

test("the keyboard is enough, and focus stays where the visitor is", async (scene) => {
  const { page, cloud, service } = scene;
  const caller = cloud.nextCaller();
  await page.goto(service.url);
  await button(page, "call").focus();
  await page.keyboard.press("Enter");
  await caller;
  const focused = () => page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.className);
  assert.equal(await focused(), "hang-up");
  await cloud.phone("ringing");
  await says(page, "state.ringing");
  await page.keyboard.press("Enter");
  await says(page, "ended.hung-up");
  assert.equal(await focused(), "call");
  assertClean(scene);
});

test("the page is well formed: one heading, a language, a way past the header, a live region", async ({ page, service }) => {
  await page.goto(service.url);
  await says(page, "state.ready");
  assert.equal(await page.locator("h1").count(), 1);
  assert.equal(await page.locator("html").getAttribute("lang"), "en");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.equal(new URL(page.url()).hash, "#call");
  await page.getByRole("status").first().waitFor();
  assert.equal(await page.locator("meta[name=viewport]").getAttribute("content"), "width=device-width, initial-scale=1");
});

test("a Japanese browser gets Japanese, and the switch gives English", async (scene) => {
  const { page, service } = scene;
  await page.goto(service.url);
  assert.equal(await page.locator("html").getAttribute("lang"), "ja");
  await page.getByRole("button", { name: wordsOf("ja").call, disabled: false }).waitFor();
  await page.getByRole("link", { name: "English" }).click();
  await button(page, "call").waitFor();
  assert.equal(await page.locator("html").getAttribute("lang"), "en");
  assertClean(scene);
}, { locale: "ja-JP" });

test("without JavaScript there is a reason and a telephone link", async ({ page, service }) => {
  await page.goto(service.url);
  await page.locator("noscript p").waitFor();
  assert.equal(await page.getByRole("button", { name: "Call" }).isDisabled(), true);
  const link = page.getByRole("link", { name: /\+442079460999/ });
  assert.equal(await link.getAttribute("href"), "tel:+442079460999");
}, { javaScriptEnabled: false });

test("an address that leads nowhere, and the list of problems, are pages as well", async ({ page, service }) => {
  await page.goto(`${service.url}/nowhere`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.goto(`${service.url}/problems#rate-limited`);
  await page.getByRole("heading", { name: "Problems" }).waitFor();
  await page.locator("#rate-limited").waitFor();
});

test("the page says who is logged in, as the tutorial's did, when it is asked to log in at once", async (scene) => {
  const { page, cloud, service } = scene;
  await page.goto(service.url);
  await says(page, "state.ready");
  await page.evaluate(() => {
    const element = document.createElement("click-to-call");
    element.setAttribute("login", "load");
    document.querySelector("click-to-call").replaceWith(element);
  });
  const { path: user } = await cloud.requests.waitFor(({ method }) => method === "LOGIN");
  await says(page, "user", { user });
  const caller = cloud.nextCaller();
  await press(page, "call");
  assert.equal((await caller).ncco.at(-1).action, "connect");
  assert.equal(cloud.requests.count(({ method }) => method === "LOGIN"), 1, "once is enough");
  assertClean(scene);
});
