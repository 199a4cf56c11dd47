// @ts-check
/**
 * Reads a `text/event-stream` body. `EventSource` can't be used: it sends no `Authorization`.
 * Source: <https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>
 */

/** @typedef {{event: string, data: string}} ServerEvent */

/** Cuts text that arrives in pieces of any size into events. `id` and `retry` are not used here. */
export class EventParser {
  #rest = "";
  #event = "";
  /** @type {string[]} */
  #data = [];

  /**
   * @param {string} text
   * @returns {ServerEvent[]} the events that this piece completed
   */
  push(text) {
    this.#rest += text;
    const events = [];
    for (;;) {
      const end = /\r\n|\n|\r(?!$)/.exec(this.#rest);
      if (end === null) return events;
      const event = this.#line(this.#rest.slice(0, end.index));
      this.#rest = this.#rest.slice(end.index + end[0].length);
      if (event) events.push(event);
    }
  }

  /** @param {string} line */
  #line(line) {
    if (line === "") {
      const event = { event: this.#event || "message", data: this.#data.join("\n") };
      const complete = this.#data.length > 0;
      this.#event = "";
      this.#data = [];
      return complete ? event : null;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#event = value;
    if (field === "data") this.#data.push(value);
    return null;
  }
}

/**
 * The events of a response, until it ends.
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<ServerEvent>}
 */
export async function* readEvents(body) {
  const parser = new EventParser();
  const reader = body.pipeThrough(/** @type {any} */ (new TextDecoderStream())).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.push(value);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
