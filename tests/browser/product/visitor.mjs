// @ts-check
/** What a visitor does with the element, and what it tells. */

import { PATIENCE_MS } from "../wait.mjs";

/** @typedef {{page: import("playwright-core").Page}} OnPage */

/** Presses Call, as soon as it can be pressed. @param {OnPage} visitor @param {string} [name] */
export async function pressCall({ page }, name = "Call") {
  await page.getByRole("button", { name, exact: true, disabled: false }).click();
}

/** @param {OnPage} visitor */
export async function hangUp({ page }) {
  await page.getByRole("button", { name: "Hang up" }).click();
}

/** Waits until the element shows a state. @param {OnPage} visitor @param {string} state */
export async function shows({ page }, state) {
  await page.locator(`click-to-call[state="${state}"]`).waitFor({ timeout: PATIENCE_MS });
  return elementState(page);
}

/** @param {import("playwright-core").Page} page */
export function elementState(page) {
  return page.locator("click-to-call").evaluate((element) => Reflect.get(element, "state"));
}
