/** Whether everybody can read it, hit it and reach it, in every state and on a small screen. */

import assert from "node:assert/strict";

import { assertClean, button, press, says, stage, talk } from "../stage.mjs";

const test = stage({ settings: { CLICK_TO_CALL__PAGE__PHONE_NUMBER: "442079460999" } });

const PHONE = { viewport: { width: 360, height: 640 } };
/** Apple's and Android's advice for fingers, above the 24 px of WCAG 2.2 AA. */
const TARGET_PX = 44;

/**
 * Faults of what is visible now: text of too little contrast (WCAG 1.4.3), targets too small for a
 * finger, a page wider than the screen.
 */
async function faults(page) {
  return page.evaluate((least) => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    // The browser itself turns any form of colour into numbers.
    const paint = (...colors) => {
      canvas.clearRect(0, 0, 1, 1);
      for (const color of colors) {
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
      }
      const [r, g, b] = canvas.getImageData(0, 0, 1, 1).data;
      const linear = (value) => (value <= 10 ? value / 3294 : ((value / 255 + 0.055) / 1.055) ** 2.4);
      return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    };
    const parent = (node) => node.assignedSlot ?? node.parentElement ?? node.getRootNode().host ?? null;
    const behind = (node) => {
      const colors = [];
      for (let at = node; at; at = parent(at)) colors.unshift(getComputedStyle(at).backgroundColor);
      return ["white", ...colors];
    };
    const found = [];
    const look = (root) => {
      for (const node of root.querySelectorAll("*")) {
        if (node.shadowRoot) look(node.shadowRoot);
        const box = node.getBoundingClientRect();
        const onScreen = box.bottom > 0 && box.width > 0;
        if (!onScreen || !node.checkVisibility({ visibilityProperty: true })) continue;
        const name = `${node.localName} "${node.textContent.trim().slice(0, 40)}"`;
        if (node.matches("a, button") && Math.min(box.width, box.height) < least - 0.5) {
          found.push(`${name} is ${box.width} × ${box.height}`);
        }
        const speaks = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim() !== "");
        if (!speaks || node.closest(":disabled")) continue;
        const style = getComputedStyle(node);
        const backdrop = behind(node);
        const [dark, light] = [paint(...backdrop), paint(...backdrop, style.color)].sort((a, b) => a - b);
        const contrast = (light + 0.05) / (dark + 0.05);
        if (contrast < 4.5) found.push(`${name} has a contrast of ${contrast.toFixed(2)}`);
      }
    };
    look(document);
    const overflow = document.documentElement.scrollWidth - innerWidth;
    if (overflow > 0) found.push(`${overflow} px too wide`);
    return found;
  }, TARGET_PX);
}

for (const colorScheme of ["light", "dark"]) {
  for (const locale of ["en-GB", "ja-JP"]) {
    test(`ready on a small phone, ${colorScheme}, ${locale}`, async ({ page, service }) => {
      await page.goto(service.url);
      await page.locator("click-to-call").getByRole("button", { disabled: false }).waitFor();
      assert.deepEqual(await faults(page), []);
    }, { ...PHONE, colorScheme, locale });
  }

  test(`through a call on a small phone, ${colorScheme}`, async (scene) => {
    const { page, cloud, service } = scene;
    const caller = cloud.nextCaller();
    await page.goto(service.url);
    await press(page, "call");
    await caller;
    await cloud.phone("ringing");
    await says(page, "state.ringing");
    assert.deepEqual(await faults(page), []);
    await cloud.phone("answered");
    await says(page, "state.answered");
    await button(page, "mute").click();
    await page.getByRole("button", { name: "Mute", pressed: true }).waitFor();
    await press(page, "keypad");
    assert.deepEqual(await faults(page), []);
    await press(page, "hang-up");
    await says(page, "ended.hung-up");
    assert.deepEqual(await faults(page), []);
    assertClean(scene);
  }, { ...PHONE, colorScheme });

  test(`a refused microphone on a small phone, ${colorScheme}`, async ({ page, service }) => {
    await page.goto(service.url);
    await press(page, "call");
    await says(page, "failure.microphone-refused");
    assert.deepEqual(await faults(page), []);
  }, { ...PHONE, colorScheme, permissions: [] });

  test(`an error and the list of problems, ${colorScheme}`, async ({ page, service }) => {
    for (const path of ["/nowhere", "/problems"]) {
      await page.goto(`${service.url}${path}`);
      assert.deepEqual(await faults(page), [], path);
    }
  }, { ...PHONE, colorScheme });
}

test("by Tab alone from the top of the page to the call and out of it", async (scene) => {
  const { page, cloud, service } = scene;
  const focused = () =>
    page.evaluate(() => {
      const deepest = (node) => (node.shadowRoot?.activeElement ? deepest(node.shadowRoot.activeElement) : node);
      return deepest(document.activeElement).textContent.trim();
    });
  const tabTo = async (name) => {
    for (let stops = 0; stops < 12; stops += 1) {
      if ((await focused()) === name) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`Tab does not reach ${name}`);
  };
  await page.goto(service.url);
  await button(page, "call").waitFor();
  const caller = cloud.nextCaller();
  await tabTo("Call");
  await page.keyboard.press("Enter");
  await caller;
  await cloud.phone("answered");
  await says(page, "state.answered");
  await tabTo("Mute");
  await tabTo("Hang up");
  await page.keyboard.press("Enter");
  await says(page, "ended.hung-up");
  assert.equal(await focused(), "Call again");
  assertClean(scene);
});

test("a finger's touch is interest enough to fetch the SDK", async ({ page, service }) => {
  await page.goto(service.url);
  await button(page, "call").waitFor();
  const sdk = page.waitForResponse((response) => response.url().includes("/vendor/"));
  await page.locator("click-to-call").dispatchEvent("touchstart");
  assert.equal((await sdk).status(), 200);
}, { ...PHONE, hasTouch: true });

test("nothing moves for who wants nothing to move", async (scene) => {
  const { page } = scene;
  await talk(scene);
  await press(page, "hang-up");
  const caller = scene.cloud.nextCaller();
  await press(page, "call-again");
  await caller;
  await scene.cloud.phone("ringing");
  await says(page, "state.ringing");
  assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
}, { reducedMotion: "reduce" });
