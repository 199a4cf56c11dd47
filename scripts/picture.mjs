#!/usr/bin/env node
/** Takes the README's picture: the page of the real service, to docs/page.png. */

import { fileURLToPath } from "node:url";

import { startBrowser, visit } from "../tests/browser/browser.mjs";
import { startService } from "../tests/browser/server.mjs";

const [service, browser] = await Promise.all([
  startService({ CLICK_TO_CALL__LINES__SUPPORT__EN__NAME: "Acme support" }),
  startBrowser(),
]);
const { page } = await visit(browser, { viewport: { width: 1280, height: 680 }, colorScheme: "light" });
await page.goto(service.url);
await page.getByRole("button", { name: "Call", disabled: false }).waitFor();
await page.screenshot({ path: fileURLToPath(new URL("../docs/page.png", import.meta.url)) });
await browser.close();
await service.close();
