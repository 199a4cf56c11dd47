/** A computer without any microphone. */

import { button, press, says, stage } from "../stage.mjs";

const test = stage({ microphone: false });

test("says that none was found, and looks again at the next press", async ({ page, service }) => {
  await page.goto(service.url);
  await press(page, "call");
  await says(page, "failure.microphone-missing");
  await press(page, "try-again");
  await says(page, "failure.microphone-missing");
  await button(page, "try-again").waitFor();
});
