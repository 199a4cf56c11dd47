// @ts-check
/** The application's key is changed at Vonage, which ends every token that is out, and the service reads the new one. */

import assert from "node:assert/strict";

import { stage } from "./demo.mjs";
import { withService } from "./service.mjs";
import { hangUp, pressCall, shows } from "./visitor.mjs";

const test = stage();

/** @typedef {import("./demo.mjs").Demo} Demo */
/** @typedef {import("./demo.mjs").Visitor} Visitor */

/** How often this page asked the service for a token. @param {Visitor} visitor */
function countTokens({ page }) {
  const count = { tokens: 0 };
  page.on("request", (request) => void (count.tokens += Number(request.url().endsWith("/api/sessions"))));
  return count;
}

/** Has the page log in at once. @param {Visitor} visitor */
async function logIn({ page }) {
  const socket = page.waitForEvent("websocket");
  await page.locator("click-to-call").evaluate((element) => {
    const again = document.createElement("click-to-call");
    again.setAttribute("login", "load");
    element.replaceWith(again);
  });
  await socket;
  await page.getByText(/visitor-/).waitFor();
}

/** @param {Demo} demo @param {Visitor} visitor */
async function answered(demo, visitor) {
  await shows(visitor, "in-call");
  return demo.ends(visitor, "the call is answered", ({ own, far }) => !own.over && far.status === "answered");
}

test("idle pages: each renews its token by itself, and no press is refused", async (demo) => {
  await withService(demo, async (service) => {
    await demo.desk({ does: "answer" });
    const visit = () => demo.visit({ url: service.url });
    const [fresh, loggedIn, returning] = [await visit(), await visit(), await visit()];
    await logIn(loggedIn);
    await pressCall(returning);
    await answered(demo, returning);
    await hangUp(returning);
    await shows(returning, "ended");

    await service.changeKeyAtVonage();
    await service.reload();

    for (const [visitor, name, expected] of /** @type {[Visitor, string, number][]} */ ([
      [fresh, "Call", 1],
      [loggedIn, "Call", 1],
      [returning, "Call again", 1],
    ])) {
      const count = countTokens(visitor);
      await pressCall(visitor, name);
      const { own } = await answered(demo, visitor);
      assert.equal(count.tokens, expected, "one token is enough");
      await hangUp(visitor);
      await shows(visitor, "ended");
      await demo.isOver(own);
    }
  });
});

test("a press between the change at Vonage and the service's own waits for it", async (demo) => {
  await withService(demo, async (service) => {
    await demo.desk({ does: "answer" });
    const visitor = await demo.visit({ url: service.url });
    await logIn(visitor);
    await service.changeKeyAtVonage();
    const refused = new Promise((done) =>
      visitor.page.on("websocket", (socket) =>
        socket.on("framereceived", ({ payload }) => String(payload).includes("invalid-token") && done(payload)),
      ),
    );
    await pressCall(visitor);
    await refused;
    await service.reload();
    const { own } = await answered(demo, visitor);
    await hangUp(visitor);
    await demo.isOver(own);
  });
});

test("pages in calls: no call is dropped, and every button still works", async (demo) => {
  await withService(demo, async (service) => {
    await demo.desk({ does: "answer" });
    const visit = () => demo.visit({ url: service.url });
    const [talking, ringing] = [await visit(), await visit()];
    await pressCall(talking);
    const before = await answered(demo, talking);
    await demo.desk({ does: "desk" });
    await pressCall(ringing);
    await shows(ringing, "ringing");
    const { far: desk } = await demo.ends(ringing, "the desk rings", ({ far }) => far.status === "ringing");

    await service.changeKeyAtVonage();
    await service.reload();

    // One that rang during the change is answered.
    await demo.pull(`legs/${desk.id}/answer`);
    const other = await answered(demo, ringing);

    const count = countTokens(talking);
    await demo.ends(talking, "sound still flows", ({ own }) =>
      !own.over && own.sound.packets_in > before.own.sound.packets_in + 20,
    );
    const mute = talking.page.getByRole("button", { name: "Mute" });
    await mute.click();
    await talking.page.getByRole("button", { name: "Mute", pressed: true }).waitFor();
    await mute.click();
    await talking.page.getByRole("button", { name: "Mute", pressed: false }).waitFor();
    assert.equal(count.tokens, 1, "one token is enough");
    await hangUp(talking);
    assert.equal((await shows(talking, "ended")).reason, "hung-up");
    await demo.isOver(before.own);

    // Without any other use of the token before.
    await hangUp(ringing);
    assert.equal((await shows(ringing, "ended")).reason, "hung-up");
    await demo.isOver(other.own);
  });
});

test("a socket that is lost after the change is opened again, and the call goes on", async (demo) => {
  await withService(demo, async (service) => {
    await demo.desk({ does: "answer" });
    const visitor = await demo.visit({ url: service.url });
    await pressCall(visitor);
    const { own, session } = await answered(demo, visitor);

    await service.changeKeyAtVonage();
    await service.reload();
    await demo.pull(`sessions/${session.id}/drop`);

    await demo.ends(visitor, "the session is back", (ends) => ends.own.id === own.id && ends.session?.online);
    await shows(visitor, "in-call");
    await hangUp(visitor);
    await shows(visitor, "ended");
    await demo.isOver(own);
  });
});
