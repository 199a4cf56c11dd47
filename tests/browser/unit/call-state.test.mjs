/** The life of a call as a table, and what must hold whatever happens. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { READY, REASONS, isLive, reduce, statusKey } from "../../../static/js/call-state.js";
import { FAILURES } from "../../../static/js/failure.js";
import { languages, wordsOf } from "../locales.mjs";

const CALL = { id: "0192", code: "K7-42QX", limitSeconds: 900 };

const press = { type: "press" };
const step = (name) => ({ type: "step", step: name });
const admitted = { type: "admitted", call: CALL };
const dialled = { type: "dialled" };
const following = (open) => ({ type: "following", open });
const far = (state, reason) => ({ type: "far", state, reason });
const leg = (status) => ({ type: "leg", status });
const sound = (value) => ({ type: "sound", sound: value });
const muted = { type: "muted", muted: true };
const lost = { type: "lost" };
const resume = { type: "resume", call: CALL };
const hangUp = { type: "hang-up" };
const settle = { type: "settle" };
const fail = (kind) => ({ type: "fail", failure: { kind } });

const DIALLED = [press, step("session"), step("login"), step("ticket"), admitted, following(true), step("dialling"), dialled];
const ANSWERED = [...DIALLED, far("connecting"), far("ringing"), far("answered")];

const after = (...actions) => actions.reduce(reduce, READY);

const TABLE = [
  ["a press asks for the microphone", [press], { phase: "connecting", step: "microphone" }],
  ["a second press changes nothing", [press, step("login"), press], { phase: "connecting", step: "login" }],
  ["permission brings the support code", [press, admitted], { phase: "connecting", call: CALL }],
  ["let in, the sound is up", DIALLED, { phase: "connecting", step: null, sound: "up" }],
  ["the server's word makes it ring", [...DIALLED, far("ringing")], { phase: "ringing" }],
  ["so does the SDK's", [...DIALLED, leg("RINGING")], { phase: "ringing" }],
  ["whispering to the agent still rings", [...DIALLED, far("screening")], { phase: "ringing" }],
  ["another desk still rings", [...DIALLED, far("next")], { phase: "ringing" }],
  ["answered", ANSWERED, { phase: "in-call", far: "answered" }],
  ["voicemail is a conversation", [...DIALLED, far("voicemail")], { phase: "in-call" }],
  ["the SDK's answered waits for the server's", [...DIALLED, leg("ANSWERED")], { phase: "connecting" }],
  ["unless the server can't be heard", [...DIALLED, following(false), leg("ANSWERED")], { phase: "in-call" }],
  ["ringing late does not undo answered", [...ANSWERED, leg("RINGING")], { phase: "in-call" }],
  ["a state from the future leaves all as it is", [...ANSWERED, far("holographic")], { phase: "in-call", far: "answered" }],
  ["muted", [...ANSWERED, muted], { phase: "in-call", muted: true }],
  ["weak network", [...ANSWERED, sound("reconnecting")], { phase: "in-call", sound: "reconnecting" }],
  ["and back", [...ANSWERED, sound("reconnecting"), sound("up")], { phase: "in-call", sound: "up" }],
  ["the far end ends, the caller may still hear why", [...ANSWERED, far("ended", "completed")], { phase: "in-call", closing: true }],
  ["both ends ended", [...ANSWERED, far("ended", "completed"), sound("none")], { phase: "ended", reason: "completed" }],
  ["in the other order too", [...ANSWERED, sound("none"), far("ended", "completed")], { phase: "ended", reason: "completed" }],
  ["busy before the sound is up", [press, admitted, far("ended", "busy")], { phase: "ended", reason: "busy" }],
  ["the second end never comes", [...ANSWERED, sound("none"), settle], { phase: "ended", reason: null }],
  ["and its reason late", [...ANSWERED, sound("none"), settle, far("ended", "busy")], { phase: "ended", reason: "busy" }],
  ["but never over a known one", [...ANSWERED, hangUp, far("ended", "completed")], { phase: "ended", reason: "hung-up" }],
  ["a call of the page before is taken up", [resume], { phase: "connecting", call: CALL, sound: "reconnecting" }],
  ["and goes on where it is", [resume, far("answered"), sound("up")], { phase: "in-call", sound: "up" }],
  ["its end is told like any other", [resume, far("ended", "completed"), settle], { phase: "ended", reason: "completed" }],
  ["it does not come between another", [...ANSWERED, resume], { phase: "in-call", far: "answered" }],
  ["hang-up before anything", [press, hangUp], { phase: "ended", reason: "hung-up", call: null }],
  ["hang-up before dialled", [press, admitted, step("dialling"), hangUp], { phase: "ended", reason: "hung-up", call: CALL }],
  ["hang-up in the call", [...ANSWERED, hangUp], { phase: "ended", reason: "hung-up", call: CALL }],
  ["hang-up without a call", [hangUp], { phase: "ready" }],
  ["audio lost for good", [...ANSWERED, lost], { phase: "ended", reason: "connection-lost" }],
  ["no microphone", [press, fail("microphone-refused")], { phase: "failed", failure: { kind: "microphone-refused" } }],
  ["a page that can't call", [fail("insecure")], { phase: "failed", failure: { kind: "insecure" } }],
  ["after a failure a new press starts afresh", [press, fail("login"), press], { phase: "connecting", failure: null }],
  ["after the end too", [...ANSWERED, muted, hangUp, press], { ...READY, phase: "connecting", step: "microphone" }],
];

for (const [name, actions, expected] of TABLE) {
  test(name, () => {
    const state = after(...actions);
    const seen = Object.fromEntries(Object.keys(expected).map((key) => [key, state[key]]));
    assert.deepEqual(seen, expected);
  });
}

const NEWS = [
  step("login"), admitted, dialled, following(true), far("ringing"), far("answered"), far("ended", "busy"), leg("RINGING"),
  leg("ANSWERED"), sound("up"), sound("none"), sound("reconnecting"), muted, lost, hangUp, settle,
];

test("a call that has ended is never opened again by news of it", () => {
  const ends = [[...ANSWERED, hangUp], [...ANSWERED, lost], [...ANSWERED, sound("none"), settle], [press, fail("login")]];
  for (const end of ends) {
    for (const first of NEWS) {
      for (const second of NEWS) {
        const state = after(...end, first, second);
        assert.ok(!isLive(state), `${JSON.stringify([first, second])} opened it as ${state.phase}`);
      }
    }
  }
});

test("news that means nothing leaves the very same state, so that nothing is drawn", () => {
  const ended = after(...ANSWERED, hangUp);
  for (const action of NEWS) assert.equal(reduce(ended, action), ended, action.type);
  const live = after(...ANSWERED);
  assert.equal(reduce(live, press), live);
});

test("no state is changed in place", () => {
  const freeze = (state) => Object.freeze(state);
  for (const action of NEWS) {
    assert.doesNotThrow(() => reduce(freeze({ ...after(...ANSWERED) }), action));
  }
});

for (const language of languages) {
  const words = wordsOf(language);
  const says = (state) => assert.ok(words[statusKey(state)], `${language} lacks ${statusKey(state)}`);

  test(`every reason has words in ${language}`, () => {
    for (const reason of [...REASONS, "new-in-2031", null]) {
      says({ ...READY, phase: "ended", reason });
      says({ ...after(...ANSWERED), closing: true, reason });
    }
  });

  test(`every failure has words in ${language}`, () => {
    for (const kind of FAILURES) says(after(press, fail(kind)));
  });

  test(`every state on the way has words in ${language}`, () => {
    for (let length = 0; length <= ANSWERED.length; length += 1) says(after(...ANSWERED.slice(0, length)));
    for (const state of ["screening", "next", "voicemail"]) says(after(...DIALLED, far(state)));
    for (const action of NEWS) says(after(...ANSWERED, action));
  });
}
