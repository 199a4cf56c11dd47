/** The distribution's Chromium with a made-up microphone, and a visitor in it. */

import { chromium } from "playwright-core";

const ARGUMENTS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
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
  const violations = [];
  const errors = [];
  await context.exposeBinding("reportViolation", (_, violation) => violations.push(violation));
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
      globalThis.reportViolation(`${violatedDirective} ${blockedURI}`),
    );
  });
  const page = await context.newPage();
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(`${message.text()} ${message.location().url}`);
  });
  return { context, page, violations, errors };
}
