/** The distribution's Chromium with a made-up microphone, a visitor in it, and what a failed test leaves behind. */

import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";

const ARGUMENTS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
  // Each process is started by itself: the one that all are otherwise forked from, once lost, takes
  // every later page with it.
  "--no-zygote",
  // The two ends of a call are in one browser, perhaps on a machine with loopback only.
  "--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns",
];
const MADE_UP_MICROPHONE = "--use-fake-device-for-media-stream";

/** @param {{microphone?: boolean}} [devices] */
export function startBrowser({ microphone = true } = {}) {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const args = microphone ? [...ARGUMENTS, MADE_UP_MICROPHONE] : ARGUMENTS;
  return chromium.launch({ executablePath, headless: true, args });
}

/**
 * A visitor's browser, and what went wrong in it.
 * @typedef {object} Visitor
 * @property {import("playwright-core").BrowserContext} context
 * @property {import("playwright-core").Page} page
 * @property {string[]} violations of the content security policy
 * @property {string[]} errors uncaught ones and those of the console
 */

/**
 * @param {import("playwright-core").Browser} browser
 * @param {import("playwright-core").BrowserContextOptions} [options]
 * @returns {Promise<Visitor>}
 */
export async function visit(browser, options = {}) {
  const context = await browser.newContext({ permissions: ["microphone"], locale: "en-GB", ...options });
  context.setDefaultTimeout(20_000);
  await context.tracing.start({ snapshots: true });
  /** @type {string[]} */
  const violations = [];
  /** @type {string[]} */
  const errors = [];
  await context.exposeBinding("reportViolation", (_, violation) => violations.push(violation));
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
      Reflect.get(globalThis, "reportViolation")(`${violatedDirective} ${blockedURI}`),
    );
  });
  context.on("page", (page) => {
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") errors.push(`${message.text()} ${message.location().url}`);
    });
  });
  return { context, page: await context.newPage(), violations, errors };
}

/**
 * Pictures, a trace for `npx playwright show-trace`, and texts.
 * @param {import("playwright-core").BrowserContext[]} contexts
 * @param {Record<string, string>} texts by file name
 * @returns {Promise<string>} the folder
 */
export async function keepEvidence(contexts, texts) {
  const folder = await mkdtemp(join(tmpdir(), "click-to-call-failed-"));
  for (const [name, text] of Object.entries(texts)) await writeFile(join(folder, name), text);
  for (const [number, context] of contexts.entries()) {
    const visitor = join(folder, `visitor-${number + 1}`);
    // A page that is closed or hangs has no picture; the rest is worth having all the same.
    for (const [tab, page] of context.pages().entries()) {
      await page.screenshot({ path: `${visitor}-tab-${tab + 1}.png`, timeout: 5_000 }).catch(() => {});
    }
    await context.tracing.stop({ path: `${visitor}-trace.zip` }).catch(() => {});
  }
  return folder;
}
