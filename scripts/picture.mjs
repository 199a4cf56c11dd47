#!/usr/bin/env node
/** Takes the pictures of the documentation from the demonstration: docs/page.png and docs/desk.png. */

import { fileURLToPath } from "node:url";

import { Demo } from "../tests/browser/product/demo.mjs";
import { pressCall, shows } from "../tests/browser/product/visitor.mjs";

const picture = (name) => ({ path: fileURLToPath(new URL(`../docs/${name}.png`, import.meta.url)) });

const demo = await Demo.start({
  LINES__SUPPORT__EN__NAME: "Acme support",
  PAGE__PHONE_NUMBER: "442079460999",
});
try {
  const options = { viewport: { width: 1280, height: 760 }, colorScheme: /** @type {const} */ ("light") };
  const visitor = await demo.visit({ options });
  await visitor.page.getByRole("button", { name: "Call", disabled: false }).waitFor();
  await visitor.page.screenshot(picture("page"));

  const desk = await demo.deskTab(visitor);
  await visitor.page.bringToFront();
  await pressCall(visitor);
  await shows(visitor, "ringing");
  await desk.bringToFront();
  await desk.getByRole("button", { name: "Answer", exact: true }).waitFor();
  await desk.screenshot(picture("desk"));
} finally {
  await demo.stop();
}
