/** One service and one browser for a test file, a fresh visitor for each test; a failed one leaves pictures, a trace and the log. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { keepEvidence, startBrowser, visit } from "./browser.mjs";
import { Cloud } from "./cloud.mjs";
import { wordsOf } from "./locales.mjs";
import { startService } from "./server.mjs";

/** Far beyond the longest test: what a test waits for has deadlines of its own that say more. */
const TEST_MS = 90_000;

/** @typedef {import("./browser.mjs").Visitor & {cloud: Cloud, service: import("./server.mjs").Service, newVisitor: () => Promise<Scene>}} Scene */

/**
 * @param {{settings?: Record<string, string> | (() => Promise<Record<string, string>>), microphone?: boolean}} [setUp]
 * @returns {(name: string, play: (scene: Scene) => Promise<void>, options?: object) => void} declares a test
 */
export function stage({ settings = {}, microphone = true } = {}) {
  let service;
  let browser;
  before(async () => {
    const variables = typeof settings === "function" ? await settings() : settings;
    [service, browser] = await Promise.all([startService(variables), startBrowser({ microphone })]);
  });
  after(async () => {
    await browser?.close();
    await service?.close();
  });

  async function enter(options) {
    const visitor = await visit(browser, options);
    return { ...visitor, service, cloud: await Cloud.attach(service, visitor.context) };
  }

  return (name, play, options = {}) =>
    test(name, { timeout: TEST_MS }, async () => {
      const scenes = [await enter(options)];
      const newVisitor = async () => {
        const scene = await enter(options);
        scenes.push(scene);
        return scene;
      };
      try {
        await play({ ...scenes[0], newVisitor });
      } catch (error) {
        error.message += `\nleft behind: ${await keep(scenes, service)}`;
        throw error;
      } finally {
        service.vonage.isDown = false;
        await Promise.all(scenes.map(({ context }) => context.close()));
      }
    });
}

/** Nothing that a visitor's developer tools would show in red. */
export function assertClean({ violations, errors }) {
  assert.deepEqual(violations, []);
  assert.deepEqual(errors, []);
}

function keep(scenes, service) {
  const seen = scenes.map(({ errors, cloud }, number) => {
    const asked = cloud.requests.entries.map(({ method, path }) => `${method} ${path}`);
    return [`visitor-${number + 1}.txt`, [...errors, ...asked].join("\n")];
  });
  const contexts = scenes.map(({ context }) => context);
  return keepEvidence(contexts, { "service.log": service.log(), ...Object.fromEntries(seen) });
}

const english = wordsOf("en");

/** Presses a button of the element, named by the key of its words. */
export async function press(page, key, options = {}) {
  await button(page, key).click(options);
}

/** The element's own: the one that stands in for it until its script is there is disabled. */
export function button(page, key) {
  return page.getByRole("button", { name: english[key], exact: true, disabled: false });
}

/** Waits until the element says this, a key of the words with its placeholders. */
export async function says(page, key, values = {}) {
  const text = english[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  await page.locator("click-to-call").getByText(text, { exact: true }).waitFor();
}

/** A visitor in the middle of a call: pressed, let in, rung, answered. */
export async function talk({ page, cloud, service }) {
  const caller = cloud.nextCaller();
  await page.goto(service.url);
  await press(page, "call");
  const letIn = await caller;
  await cloud.phone("ringing");
  await says(page, "state.ringing");
  await cloud.phone("answered");
  await says(page, "state.answered");
  return letIn;
}
