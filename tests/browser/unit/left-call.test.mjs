import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { keep, take } from "../../../static/js/left-call.js";

const KEY = "click-to-call";
const LEFT = { call: { id: "c", code: "K7", user: "u", limitSeconds: 60, answeredAt: 1 }, session: "s", leg: "l", muted: true };

/** @type {Map<string, string>} */
let stored;

beforeEach(() => {
  stored = new Map();
  globalThis.sessionStorage = {
    getItem: (key) => stored.get(key) ?? null,
    setItem: (key, value) => void stored.set(key, value),
    removeItem: (key) => void stored.delete(key),
  };
});

test("what was kept is there for one element", () => {
  keep(LEFT);
  const { until, ...left } = take();
  assert.ok(until > Date.now());
  assert.deepEqual(left, LEFT);
  assert.equal(take(), undefined);
});

test("what was kept too long ago is told apart from nothing", () => {
  stored.set(KEY, JSON.stringify({ ...LEFT, until: Date.now() - 1 }));
  assert.equal(take(), null);
  assert.equal(stored.size, 0);
});

for (const foreign of ["not JSON", "{}", "7", "null"]) {
  test(`${foreign} under the key is no call, and goes`, () => {
    stored.set(KEY, foreign);
    assert.equal(take(), undefined);
    assert.equal(stored.size, 0);
  });
}
