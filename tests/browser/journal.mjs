/** What a stand-in was asked, in order. Tests wait for what they expect in it instead of sleeping. */

const PATIENCE_MS = 25_000;

/** @template T */
export class Journal {
  /** @type {T[]} */
  entries = [];
  #watchers = new Set();

  /** @param {T} entry */
  add(entry) {
    this.entries.push(entry);
    for (const watcher of this.#watchers) watcher(entry);
  }

  /** @param {(entry: T) => boolean} match */
  count(match) {
    return this.entries.filter(match).length;
  }

  /**
   * The first entry that fits, of those that are there or of those to come.
   * @param {(entry: T) => boolean} match
   * @returns {Promise<T>}
   */
  waitFor(match) {
    const seen = this.entries.find(match);
    if (seen !== undefined) return Promise.resolve(seen);
    const { stack } = new Error();
    return new Promise((found, reject) => {
      const done = (settle, value) => {
        clearTimeout(timer);
        this.#watchers.delete(watcher);
        settle(value);
      };
      const watcher = (entry) => match(entry) && done(found, entry);
      const timer = setTimeout(() => {
        const list = this.entries.map((entry) => JSON.stringify(entry)).join("\n");
        const error = new Error(`nothing that fits ${match} in ${PATIENCE_MS / 1000} s; there was\n${list}`);
        error.stack = `${error.message}\n${stack}`;
        done(reject, error);
      }, PATIENCE_MS);
      this.#watchers.add(watcher);
    });
  }
}
