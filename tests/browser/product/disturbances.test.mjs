// @ts-check
/** What happens to a call when the connection, the sound or the page goes away in the middle of it. */

import assert from "node:assert/strict";

import { startBrowser } from "../browser.mjs";
import { until } from "../wait.mjs";
import { stage } from "./demo.mjs";
import { hangUp, pressCall, shows } from "./visitor.mjs";

const test = stage();

/** @typedef {import("./demo.mjs").Demo} Demo */
/** @typedef {import("./demo.mjs").Ends} Ends */
/** @typedef {import("./visitor.mjs").OnPage} OnPage */

const over = (/** @type {Ends} */ { own, far }) => own.over && far.over;

/** @param {Demo} demo @param {Parameters<Demo["visit"]>[0]} [how] */
async function talking(demo, how) {
  await demo.desk({ does: "answer" });
  const visitor = await demo.visit(how);
  await pressCall(visitor);
  await shows(visitor, "in-call");
  const ends = await demo.ends(visitor, "the call is answered", ({ own, far, session }) =>
    !own.over && far.status === "answered" && session.online,
  );
  return { visitor, ...ends };
}

/** More sound than at some moment before. @param {any} before */
const heardSince = (before) => (/** @type {Ends} */ { own }) =>
  own.sound.packets_in > before.sound.packets_in + 20 && own.sound.packets_out > before.sound.packets_out + 20;

for (const [what, lever] of [
  ["a dropped socket is opened again", "drop"],
  ["a session that Vonage ends is taken up again", "end"],
]) {
  test(`${what}, the call goes on and can be hung up`, async (demo) => {
    const { visitor, own, session } = await talking(demo);
    const opened = visitor.page.waitForEvent("websocket");
    await demo.pull(`sessions/${session.id}/${lever}`);
    await opened;
    const back = await demo.ends(visitor, "the session is back", (ends) => ends.session?.online);
    await demo.ends(visitor, "sound still flows", heardSince(back.own));
    await shows(visitor, "in-call");
    await hangUp(visitor);
    await shows(visitor, "ended");
    await demo.ends(visitor, "both ends are over", (ends) => ends.own.id === own.id && over(ends));
  });
}

test("sound that found no way any more is told, and comes back", async (demo) => {
  const { visitor, own } = await talking(demo);
  await demo.pull(`legs/${own.id}/media-lost`);
  await visitor.page.getByText("Reconnecting").waitFor();
  await demo.pull(`legs/${own.id}/media-repaired`);
  await visitor.page.getByText("Reconnecting").waitFor({ state: "hidden" });
  const { own: repaired } = await demo.ends(visitor, "the call goes on", (ends) => !ends.own.over);
  await demo.ends(visitor, "sound flows again", heardSince(repaired));
  await hangUp(visitor);
  await demo.ends(visitor, "both ends are over", over);
});

test("a second tab leaves the first one's call alone, and calls after it", async (demo) => {
  const { visitor, own } = await talking(demo);
  const second = { page: await visitor.context.newPage() };
  await second.page.goto(demo.url);
  await shows(second, "ready");
  // Logged in as the same user, in a session of its own.
  await second.page.locator("click-to-call").evaluate((element) => {
    const again = document.createElement("click-to-call");
    again.setAttribute("login", "load");
    element.replaceWith(again);
  });
  const { user } = await shows(visitor, "in-call");
  await second.page.getByText(user).waitFor();
  const { own: now } = await demo.ends(visitor, "the call goes on", (ends) => !ends.own.over);
  await demo.ends(visitor, "and is heard", heardSince(now));
  await visitor.page.bringToFront();
  await hangUp(visitor);
  await shows(visitor, "ended");
  await demo.isOver(own);
  await shows(second, "ready");

  await second.page.bringToFront();
  await pressCall(second);
  await shows(second, "in-call");
  const { own: next } = await demo.ends(second, "the second tab's call", (ends) => ends.own.id !== own.id);
  await shows(visitor, "ended");
  await hangUp(second);
  await demo.isOver(next);
});

test("a page that was closed has its call ended by the service", async (demo) => {
  const { visitor, own } = await talking(demo);
  await visitor.page.close({ runBeforeUnload: true });
  await demo.isOver(own);
});

test("a browser that is killed has its call ended when its sound and socket stay away", async (demo) => {
  await demo.play({ timing: { speech_ms_per_character: 5, reconnect_window_ms: 3_000 } });
  const browser = await startBrowser();
  const { own } = await talking(demo, { browser });
  // It ends without a word: no beacon, no goodbye on the socket.
  const devtools = await browser.newBrowserCDPSession();
  await devtools.send("Browser.crash").catch(() => {});
  await demo.isOver(own);
  await browser.close();
});

test("a page that is loaded again takes its call up, muted as it was", async (demo) => {
  const { visitor, own, far } = await talking(demo);
  const { code } = await shows(visitor, "in-call");
  const mute = (/** @type {boolean} */ pressed) => visitor.page.getByRole("button", { name: "Mute", pressed });
  await mute(false).click();
  await mute(true).waitFor();
  const timer = visitor.page.getByRole("timer");
  await until(() => "a second of talk", async () => (await timer.textContent()) !== "00:00");
  const talked = await timer.textContent();

  await visitor.page.reload();
  assert.equal((await shows(visitor, "in-call")).code, code);
  assert.ok(String(await timer.textContent()) >= String(talked), "the time goes on");
  await mute(true).waitFor();
  const back = await demo.ends(visitor, "the same call is heard again", (ends) =>
    ends.own.id === own.id && ends.far.id === far.id && heardSince(own)(ends),
  );
  await mute(true).click();
  await mute(false).waitFor();
  await demo.ends(visitor, "the call goes on", heardSince(back.own));
  await hangUp(visitor);
  await shows(visitor, "ended");
  await demo.isOver(own);
  assert.equal(await visitor.page.evaluate(() => sessionStorage.length), 0, "nothing is left behind");
});

test("a page that is loaded again before it has taken its call up does so then", async (demo) => {
  const { visitor, own } = await talking(demo);
  const { page, context } = visitor;
  const held = context.waitForEvent("request", (request) => request.url().endsWith("/api/sessions"));
  // Unanswered.
  await context.route("**/api/sessions", () => {}, { times: 1 });
  await page.reload();
  await held;
  await page.reload();
  await shows(visitor, "in-call");
  await demo.ends(visitor, "the same call is heard again", (ends) => ends.own.id === own.id && heardSince(own)(ends));
  await hangUp(visitor);
  await demo.isOver(own);
});

test("a page that is shown once more, left before it had taken its call up, ends the call and says so", async (demo) => {
  const { visitor, own } = await talking(demo);
  const { page, context } = visitor;
  const held = context.waitForEvent("request", (request) => request.url().endsWith("/api/sessions"));
  await context.route("**/api/sessions", () => {}, { times: 1 });
  await page.reload();
  await held;
  await page.evaluate(() => {
    dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
    dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
  });
  assert.equal((await shows(visitor, "ended")).reason, "connection-lost");
  await demo.isOver(own);
});

test("a page that is loaded again while it rings is answered", async (demo) => {
  const visitor = await demo.visit();
  await pressCall(visitor);
  await shows(visitor, "ringing");
  const { far } = await demo.ends(visitor, "the desk rings", (ends) => ends.far.status === "ringing");
  await visitor.page.reload();
  await shows(visitor, "ringing");
  await visitor.page.getByText("Reconnecting").waitFor({ state: "hidden" });
  await demo.pull(`legs/${far.id}/answer`);
  await shows(visitor, "in-call");
  await demo.pull(`legs/${far.id}/hangup`);
  assert.equal((await shows(visitor, "ended")).reason, "completed");
});

function gate() {
  let open = () => {};
  const passed = new Promise((done) => (open = () => done(undefined)));
  return { passed, open };
}

const removed = (/** @type {OnPage} */ { page }) =>
  page.locator("click-to-call").evaluate((element) => element.remove());

for (const [what, giveUp] of /** @type {const} */ ([["hung up", hangUp], ["taken out of the page", removed]])) {
  test(`${what} before the microphone is there again, the call ends and the microphone stays closed`, async (demo) => {
    const { visitor, own } = await talking(demo);
    const { page, context } = visitor;
    let asked = 0;
    const { passed: granted, open: grant } = gate();
    await context.exposeBinding("microphoneAsked", () => ((asked += 1), granted));
    await page.addInitScript(() => {
      const { mediaDevices } = navigator;
      const real = mediaDevices.getUserMedia.bind(mediaDevices);
      mediaDevices.getUserMedia = async (wish) => {
        await Reflect.get(globalThis, "microphoneAsked")();
        return real(wish);
      };
    });
    await page.reload();
    await until(() => "the microphone is asked for", () => asked === 1);
    await page.getByText("Reconnecting").waitFor();
    await giveUp(visitor);
    await demo.isOver(own);
    const session = page.waitForRequest("**/api/sessions", { timeout: 1_500 }).catch(() => null);
    grant();
    assert.equal(await session, null, "nobody logs in again");
    assert.equal(asked, 1);
  });
}

test("hung up while it logs in again, the call ends and the microphone stays closed", async (demo) => {
  const { visitor, own } = await talking(demo);
  const { page, context } = visitor;
  const { passed: free, open: release } = gate();
  const held = context.waitForEvent("request", (request) => request.url().endsWith("/api/sessions"));
  await context.route("**/api/sessions", async (route) => (await free, route.continue()));
  await page.reload();
  await held;
  await hangUp(visitor);
  await demo.isOver(own);
  const socket = page.waitForEvent("websocket", { timeout: 1_500 }).catch(() => null);
  release();
  assert.equal(await socket, null, "nobody logs in again");
});

/** Runs in the page: the microphone that was opened last can be looked at. */
function keepMicrophone() {
  const { mediaDevices } = navigator;
  const real = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.getUserMedia = async (wish) => {
    const stream = await real(wish);
    Reflect.set(globalThis, "microphone", stream.getAudioTracks()[0]);
    return stream;
  };
}

const microphone = (/** @type {OnPage} */ { page }) =>
  page.evaluate(() => {
    const { enabled, readyState } = Reflect.get(globalThis, "microphone");
    return { enabled, readyState };
  });

test("a muted visitor is muted before the sound is back, whatever Vonage says to that", async (demo) => {
  const { visitor, own } = await talking(demo);
  const { page, context } = visitor;
  await page.getByRole("button", { name: "Mute", pressed: false }).click();
  await page.getByRole("button", { name: "Mute", pressed: true }).waitFor();
  await page.addInitScript(keepMicrophone);
  let refused = 0;
  await context.route(/\/events$/, async (route) => {
    if (!route.request().postData()?.includes("audio:mute:on")) return route.fallback();
    refused += 1;
    return route.fulfill({ status: 500, json: {}, headers: { "Access-Control-Allow-Origin": "*" } });
  });
  await page.reload();
  await shows(visitor, "in-call");
  await page.getByText("Reconnecting").waitFor({ state: "hidden" });
  assert.deepEqual(await microphone(visitor), { enabled: false, readyState: "live" });
  const mute = (/** @type {boolean} */ pressed) => page.getByRole("button", { name: "Mute", pressed });
  await mute(true).waitFor();
  await until(() => "Vonage refuses", () => refused > 0);
  await demo.ends(visitor, "the call goes on", (ends) => ends.own.id === own.id && heardSince(own)(ends));
  await mute(true).click();
  await mute(false).waitFor();
  assert.deepEqual(await microphone(visitor), { enabled: true, readyState: "live" });
});

/** A visitor in a call, who has just pressed Mute. @param {Demo} demo */
async function muting(demo) {
  const visitor = await demo.visit();
  await visitor.page.addInitScript(keepMicrophone);
  await visitor.page.reload();
  await demo.desk({ does: "answer" });
  await pressCall(visitor);
  await shows(visitor, "in-call");
  await visitor.page.getByRole("button", { name: "Mute", pressed: false }).click();
  return visitor;
}

test("a visitor whom Vonage does not unmute stays unheard", async (demo) => {
  const visitor = await muting(demo);
  const { page, context } = visitor;
  await page.getByRole("button", { name: "Mute", pressed: true }).waitFor();
  const { passed: refused, open: refuse } = gate();
  await context.route(/\/events$/, async (route) => {
    if (!route.request().postData()?.includes("audio:mute:off")) return route.fallback();
    await route.fulfill({ status: 500, json: {}, headers: { "Access-Control-Allow-Origin": "*" } });
    refuse();
  });
  await page.getByRole("button", { name: "Mute", pressed: true }).click();
  await refused;
  await until(() => "the microphone is closed again", async () => !(await microphone(visitor)).enabled);
  await page.getByRole("button", { name: "Mute", pressed: true }).waitFor();
});

test("an unmuting that fails after the call leaves the next one heard", async (demo) => {
  const visitor = await muting(demo);
  const { page, context } = visitor;
  const asked = gate();
  const failing = gate();
  const failed = gate();
  await context.route(/\/events$/, async (route) => {
    if (!route.request().postData()?.includes("audio:mute:off")) return route.fallback();
    asked.open();
    await failing.passed;
    await route.fulfill({ status: 500, json: {}, headers: { "Access-Control-Allow-Origin": "*" } });
    failed.open();
  });
  await page.getByRole("button", { name: "Mute", pressed: true }).click();
  await asked.passed;
  await hangUp(visitor);
  await shows(visitor, "ended");
  await pressCall(visitor, "Call again");
  await shows(visitor, "in-call");
  failing.open();
  await failed.passed;
  // A later request has been there and back, so that the failure has been heard of.
  await page.evaluate(async () => void (await fetch("/healthz")));
  await page.getByRole("button", { name: "Mute", pressed: false }).waitFor();
  assert.deepEqual(await microphone(visitor), { enabled: true, readyState: "live" });
});

test("a microphone that is refused when the page is back is told as that", async (demo) => {
  const { visitor, own } = await talking(demo);
  await visitor.page.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = async () => {
      throw new DOMException("no", "NotAllowedError");
    };
  });
  await visitor.page.reload();
  assert.equal((await shows(visitor, "failed")).reason, "microphone-refused");
  await demo.isOver(own);
});

test("of two elements on a page one takes the call up, the other is ready", async (demo) => {
  const { visitor, own } = await talking(demo);
  const { page } = visitor;
  await page.addInitScript(() =>
    document.addEventListener("DOMContentLoaded", () => {
      document.querySelector("click-to-call")?.after(document.createElement("click-to-call"));
    }),
  );
  await page.reload();
  await page.locator('click-to-call[state="in-call"]').waitFor();
  await page.locator('click-to-call[state="ready"]').waitFor();
  const user = () =>
    page.locator('click-to-call[state="in-call"]').evaluate((one) => Reflect.get(one, "state").user);
  await demo.endsOf(user, "the call goes on", (ends) => ends.own.id === own.id && heardSince(own)(ends));
  await hangUp(visitor);
  await demo.isOver(own);
});

test("a call that can't be taken up is ended and told, and the next one can be made", async (demo) => {
  const { visitor, own } = await talking(demo);
  await visitor.context.route("**/vendor/**", (route) => route.abort());
  await visitor.page.reload();
  assert.equal((await shows(visitor, "failed")).reason, "sdk-blocked");
  await demo.isOver(own);
  await visitor.context.unroute("**/vendor/**");
  await pressCall(visitor, "Try again");
  await shows(visitor, "in-call");
});

test("a page that is loaded again after the desk has hung up says so", async (demo) => {
  const { visitor, own, far } = await talking(demo);
  await visitor.page.goto(`${demo.url}/problems`);
  const kept = await visitor.page.evaluate(() => JSON.stringify({ ...sessionStorage }));
  assert.match(kept, new RegExp(own.id));
  assert.doesNotMatch(kept, /ticket|token|eyJ/, "nothing that proves anything");
  await demo.pull(`legs/${far.id}/hangup`);
  await demo.isOver(own);
  await visitor.page.goBack();
  assert.equal((await shows(visitor, "ended")).reason, "completed");
  await pressCall(visitor, "Call again");
  await shows(visitor, "in-call");
});
