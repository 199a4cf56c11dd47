/** The session keeper against a clock that the test moves. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { SessionKeeper } from "../../../static/js/session.js";

const NOON = Date.UTC(2026, 10, 22, 12);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: NOON });
});

/** Lets promises that are due run; the clock stands still. */
const settle = () => new Promise((done) => setImmediate(done));

async function pass(ms) {
  mock.timers.tick(ms);
  await settle();
}

/** A keeper whose service hands out numbered sessions; `skew` is how far the service's clock is behind. */
function keep({ life = HOUR, skew = 0 } = {}) {
  const service = { opened: 0, down: false, renewed: [] };
  const open = async () => {
    service.opened += 1;
    if (service.down) throw new Error("down");
    const now = Date.now() - skew;
    return {
      token: `token-${service.opened}`,
      refreshAt: new Date(now + (life * 4) / 5),
      expiresAt: new Date(now + life),
    };
  };
  const keeper = new SessionKeeper(open, ({ token }) => service.renewed.push(token));
  return { keeper, service };
}

test("calls at the same time share one request", async () => {
  const { keeper, service } = keep();
  const [one, two, three] = await Promise.all([keeper.current(), keeper.renew(), keeper.current()]);
  assert.equal(service.opened, 1);
  assert.equal(one, two);
  assert.equal(one, three);
});

test("the session at hand is used as long as it is good", async () => {
  const { keeper, service } = keep();
  await keeper.current();
  await pass(0.7 * HOUR);
  assert.equal((await keeper.current()).token, "token-1");
  assert.equal(service.opened, 1);
});

test("it is renewed in time, again and again, and told of", async () => {
  const { keeper, service } = keep();
  await keeper.current();
  await pass(0.8 * HOUR - 1);
  assert.deepEqual(service.renewed, []);
  await pass(1);
  assert.deepEqual(service.renewed, ["token-2"]);
  await pass(0.8 * HOUR);
  assert.deepEqual(service.renewed, ["token-2", "token-3"]);
});

test("who asks for a renewal is not told of it", async () => {
  const { keeper, service } = keep();
  await keeper.renew();
  await keeper.renew();
  assert.equal(service.opened, 2);
  assert.deepEqual(service.renewed, []);
});

test("a renewal that fails is tried again, and the old session stays meanwhile", async () => {
  const { keeper, service } = keep();
  await keeper.current();
  service.down = true;
  await pass(0.8 * HOUR);
  assert.equal(service.opened, 2);
  service.down = false;
  await pass(30_000);
  assert.deepEqual(service.renewed, ["token-3"]);
});

test("after sleep it is renewed at once, before that not", async () => {
  const { keeper, service } = keep();
  await keeper.current();
  keeper.wake();
  await settle();
  assert.equal(service.opened, 1);
  // A sleeping computer: the time of day goes on, timers don't.
  mock.timers.setTime(NOON + 2 * HOUR);
  keeper.wake();
  await settle();
  assert.deepEqual(service.renewed, ["token-2"]);
});

test("a session that is due is not handed out", async () => {
  const { keeper, service } = keep();
  await keeper.current();
  service.down = true;
  await pass(0.9 * HOUR);
  await assert.rejects(keeper.current());
  service.down = false;
  assert.notEqual((await keeper.current()).token, "token-1");
});

test("a first session that can't be had leaves nothing behind", async () => {
  const { keeper, service } = keep();
  service.down = true;
  await assert.rejects(keeper.current());
  await pass(DAY);
  assert.equal(service.opened, 1);
  service.down = false;
  assert.equal((await keeper.current()).token, "token-2");
});

test("a life longer than timers can count", async () => {
  const { keeper, service } = keep({ life: 60 * DAY });
  await keeper.current();
  await pass(47 * DAY);
  assert.equal(service.opened, 1);
  await pass(DAY);
  assert.deepEqual(service.renewed, ["token-2"]);
});

test("a visitor's clock that is ahead does not make one renewal chase another", async () => {
  const { keeper, service } = keep({ skew: HOUR });
  await keeper.current();
  for (let second = 0; second < 60; second += 1) await pass(1000);
  assert.ok(service.opened <= 7, `${service.opened} requests in a minute`);
});

test("stopped, it asks for nothing more", async () => {
  const { keeper, service } = keep();
  await keeper.current();
  keeper.stop();
  await pass(DAY);
  keeper.wake();
  await settle();
  assert.equal(service.opened, 1);
});
