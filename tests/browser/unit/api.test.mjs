/** How an answer that is no success becomes a failure with words. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mock, test } from "node:test";

import { failureOf, sleep } from "../../../static/js/api.js";
import { CallFailure, FAILURES } from "../../../static/js/failure.js";

function answer(status, problem, headers = {}) {
  const body = typeof problem === "string" ? problem : JSON.stringify(problem);
  return new Response(body, { status, headers });
}

const problem = (slug, more = {}) => ({ type: `https://calls.example.com/problems#${slug}`, title: "A title", ...more });

test("the problem's type is the kind", async () => {
  for (const slug of ["rate-limited", "vonage-unavailable", "origin-not-allowed", "unknown-line"]) {
    assert.equal((await failureOf(answer(503, problem(slug)))).kind, slug);
  }
});

test("a problem newer than the page is told by its title", async () => {
  const failure = await failureOf(answer(409, problem("on-holiday")));
  assert.deepEqual([failure.kind, failure.title], ["other", "A title"]);
});

test("an answer of a proxy is a service out of reach", async () => {
  assert.equal((await failureOf(answer(502, "<h1>Bad gateway</h1>"))).kind, "unreachable");
  assert.equal((await failureOf(answer(429, "slow down"))).kind, "rate-limited");
});

test("when to try again: from the body, or from the header", async (t) => {
  mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
  t.after(() => mock.timers.reset());
  const body = await failureOf(answer(429, problem("rate-limited", { retry_after: 20 })));
  assert.equal(body.retryAt?.getTime(), 1_020_000);
  const header = await failureOf(answer(503, problem("overloaded"), { "Retry-After": "3" }));
  assert.equal(header.retryAt?.getTime(), 1_003_000);
  assert.equal((await failureOf(answer(503, problem("overloaded")))).retryAt, null);
});

test("when the line opens", async () => {
  const failure = await failureOf(answer(409, problem("closed", { opens_at: "2026-11-23T09:00:00Z" })));
  assert.equal(failure.opensAt?.toISOString(), "2026-11-23T09:00:00.000Z");
});

test("every problem that a visitor's request can meet has words of its own", () => {
  const documented = readFileSync(new URL("../../../docs/PROBLEMS.md", import.meta.url), "utf8");
  const known = [...documented.matchAll(/^## (\S+)/gm)].map(([, slug]) => slug);
  // Met by webhooks and by programs, or by the page only through a fault of ours.
  const others = [
    "bad-request", "webhook-signature", "user-not-allowed", "method-not-allowed", "body-timeout", "body-too-large",
    "unsupported-media", "internal", "webhook-unsigned", "not-ready",
  ];
  for (const slug of known) assert.ok(FAILURES.includes(slug) || others.includes(slug), slug);
});

test("anything unexpected is told as a failure too", () => {
  const failure = new CallFailure("busy");
  assert.equal(CallFailure.from(failure), failure);
  assert.equal(CallFailure.from(new TypeError("x")).kind, "no-connection");
});

test("a sleep ends early when it is aborted", async () => {
  const controller = new AbortController();
  const slept = sleep(60_000, controller.signal);
  controller.abort();
  await slept;
});
