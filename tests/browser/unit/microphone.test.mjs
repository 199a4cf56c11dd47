/** What a browser's refusal means, and whose steps to show. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { FAILURES } from "../../../static/js/failure.js";
import { browserOf, kindOf } from "../../../static/js/microphone.js";
import { languages, wordsOf } from "../locales.mjs";

test("each way to be without a microphone is told apart", () => {
  for (const [name, forbidden, kind] of [
    ["NotAllowedError", false, "microphone-refused"],
    ["NotAllowedError", true, "microphone-policy"],
    ["SecurityError", false, "microphone-refused"],
    ["NotFoundError", false, "microphone-missing"],
    ["OverconstrainedError", false, "microphone-missing"],
    ["NotReadableError", false, "microphone-busy"],
    ["AbortError", false, "microphone-busy"],
    ["", false, "microphone-busy"],
  ]) {
    assert.equal(kindOf(name, forbidden), kind, name);
    assert.ok(FAILURES.includes(kind));
  }
});

const MOZILLA = "Mozilla/5.0";
const AGENTS = {
  chrome: `${MOZILLA} (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36`,
  android: `${MOZILLA} (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36`,
  firefox: `${MOZILLA} (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0`,
  safari: `${MOZILLA} (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15`,
  ios: `${MOZILLA} (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1`,
};

for (const [browser, agent] of Object.entries(AGENTS)) {
  test(`the steps for ${browser}, in every language`, () => {
    assert.equal(browserOf(agent), browser);
    for (const language of languages) {
      for (const number of [1, 2, 3]) assert.ok(wordsOf(language)[`steps.${browser}.${number}`]);
    }
  });
}
