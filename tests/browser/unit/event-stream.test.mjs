/** Server-sent events, in whatever pieces the network brings them. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { EventParser, readEvents } from "../../../static/js/event-stream.js";

const state = (name) => ({ event: "state", data: `{"state":"${name}"}` });
const STREAM =
  ':\n\nevent: state\ndata: {"state":"ringing"}\n\n: keep-alive\n\n' +
  'event: state\ndata: {"state":"answered"}\nid: 7\nretry: 10\n\n';
const EVENTS = [state("ringing"), state("answered")];

function parse(pieces) {
  const parser = new EventParser();
  return pieces.flatMap((piece) => parser.push(piece));
}

function cut(text, size) {
  return Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size));
}

for (const [name, end] of [["LF", "\n"], ["CRLF", "\r\n"]]) {
  test(`pieces of any size, lines ending in ${name}`, () => {
    const text = STREAM.replaceAll("\n", end);
    for (let size = 1; size <= text.length; size += 1) {
      assert.deepEqual(parse(cut(text, size)), EVENTS, `in pieces of ${size}`);
    }
  });
}

test("lines ending in CR: the last one waits, because LF may follow", () => {
  const text = STREAM.replaceAll("\n", "\r");
  for (let size = 1; size <= text.length; size += 1) {
    assert.deepEqual(parse([...cut(text, size), ":"]), EVENTS, `in pieces of ${size}`);
  }
});

test("one blank after the colon belongs to the form, more to the value", () => {
  assert.deepEqual(parse(["data:a\n\n"]), [{ event: "message", data: "a" }]);
  assert.deepEqual(parse(["data:  a\n\n"]), [{ event: "message", data: " a" }]);
});

test("data of several lines is joined, a field without a colon is empty", () => {
  assert.deepEqual(parse(["data: a\ndata\ndata: b\n\n"]), [{ event: "message", data: "a\n\nb" }]);
});

test("an event without data, a comment and an unknown field say nothing", () => {
  assert.deepEqual(parse(["event: state\n\n", ": data: x\n\n", "colour: red\n\n"]), []);
});

test("the name of an event does not stick to the next", () => {
  assert.deepEqual(parse(["event: a\ndata: 1\n\ndata: 2\n\n"]), [
    { event: "a", data: "1" },
    { event: "message", data: "2" },
  ]);
});

test("an event that the end cuts off is not told", () => {
  assert.deepEqual(parse(["event: state\ndata: {"]), []);
});

test("bytes of one character in two pieces", async () => {
  const bytes = new TextEncoder().encode("data: 電話\n\n");
  const body = new ReadableStream({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const events = [];
  for await (const event of readEvents(body)) events.push(event);
  assert.deepEqual(events, [{ event: "message", data: "電話" }]);
});

test("who stops listening lets the connection go", async () => {
  let cancelled;
  const gone = new Promise((done) => (cancelled = done));
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode("data: 1\n\n")),
    cancel: cancelled,
  });
  for await (const { data } of readEvents(body)) {
    assert.equal(data, "1");
    break;
  }
  await gone;
});
