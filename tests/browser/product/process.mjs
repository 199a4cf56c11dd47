// @ts-check
/** The program under test as a process, with its log. */

import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { createInterface } from "node:readline";

import { until } from "../wait.mjs";

const BINARY = process.env.CLICK_TO_CALL_BIN ?? resolve("target/debug/click-to-call");
/** A debug build on a busy machine. */
const START_MS = 30_000;

export class Process {
  #child;
  #ended;
  /** Every line so far, of both outputs. @type {string[]} */
  log = [];

  /**
   * @param {string[]} words of the command line
   * @param {string} folder where it runs
   * @param {Record<string, string>} environment all of it
   */
  constructor(words, folder, environment) {
    const env = { PATH: process.env.PATH, RUST_LOG: "info", ...environment };
    this.#child = spawn(BINARY, words, { cwd: folder, stdio: ["ignore", "pipe", "pipe"], env });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      createInterface(stream).on("line", (line) => this.log.push(line));
    }
    this.#ended = new Promise((done) => {
      this.#child.once("error", (error) => done(String(error)));
      this.#child.once("close", (code, signal) => done(`code ${code ?? signal}`));
    });
  }

  /**
   * Waits for a line, of those that are there from `since` on or of those to come.
   * @param {RegExp} pattern
   * @returns {Promise<RegExpExecArray>}
   */
  async says(pattern, since = 0) {
    /** @type {string|undefined} */
    let ending;
    void this.#ended.then((how) => (ending = how));
    const found = await until(() => `${pattern} in\n${this.log.join("\n")}`, () => {
      const [match] = this.log.slice(since).flatMap((line) => pattern.exec(line) ? [pattern.exec(line)] : []);
      if (!match && ending) throw new Error(`ended with ${ending} before ${pattern}:\n${this.log.join("\n")}`);
      return match;
    }, START_MS);
    return found;
  }

  /** How it ended, once it has: `code 0`, `code SIGKILL`. @returns {Promise<string>} */
  get ended() {
    return this.#ended;
  }

  /** @param {NodeJS.Signals} name */
  signal(name) {
    this.#child.kill(name);
  }

  /** Asks it to stop and waits until it has. */
  async stop() {
    this.signal("SIGTERM");
    await this.#ended;
  }
}
