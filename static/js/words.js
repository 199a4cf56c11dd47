// @ts-check
/** The element's words, from the same files as the page's. */

/** Language that has every word. */
const FALLBACK = "en";

/** @type {Map<string, Promise<Record<string, string>>>} */
const loaded = new Map();

/**
 * The first of the visitor's languages that there are words for.
 * @param {readonly (string|null|undefined)[]} wanted BCP 47 tags, most wanted first
 * @param {readonly string[]} available
 */
export function chooseLanguage(wanted, available) {
  for (const tag of wanted) {
    const lower = tag?.toLowerCase() ?? "";
    const match = available.find(
      (code) => lower === code.toLowerCase() || lower.split("-")[0] === code.toLowerCase(),
    );
    if (match) return match;
  }
  return FALLBACK;
}

/**
 * The words of one language; what it lacks is said in English.
 * @param {string} language
 * @param {URL} folder
 * @returns {Promise<Words>}
 */
export async function loadWords(language, folder) {
  const [own, fallback] = await Promise.all([
    fetchWords(language, folder).catch(() => ({})),
    fetchWords(FALLBACK, folder),
  ]);
  return new Words(language, { ...fallback, ...own });
}

/**
 * @param {string} language
 * @param {URL} folder
 */
function fetchWords(language, folder) {
  const { href } = new URL(`${language}.json`, folder);
  let words = loaded.get(href);
  if (words === undefined) {
    words = fetch(href).then((response) => {
      if (!response.ok) throw new Error(`no words at ${href}: ${response.status}`);
      return response.json();
    });
    words.catch(() => loaded.delete(href));
    loaded.set(href, words);
  }
  return words;
}

export class Words {
  #texts;

  /**
   * @param {string} language
   * @param {Record<string, string>} texts
   */
  constructor(language, texts) {
    this.language = language;
    this.#texts = texts;
  }

  /** @param {string} key */
  has(key) {
    return Object.hasOwn(this.#texts, key);
  }

  /**
   * The text under a key with its placeholders filled in.
   * @param {string} key
   * @param {Record<string, string|number>} [values]
   */
  say(key, values = {}) {
    const text = this.#texts[key] ?? key;
    return text.replace(/\{(\w+)\}/g, (hole, name) => String(values[name] ?? hole));
  }

  /**
   * The same words, some of them replaced by the site's own.
   * @param {Record<string, string>} texts
   */
  with(texts) {
    return new Words(this.language, { ...this.#texts, ...texts });
  }

  /**
   * When to try again: "in 20 seconds", "in 5 minutes", later than that a time of day.
   * @param {Date} time
   * @param {number} [now] milliseconds since 1970
   */
  until(time, now = Date.now()) {
    const seconds = Math.max(1, Math.ceil((time.getTime() - now) / 1000));
    const relative = new Intl.RelativeTimeFormat(this.language);
    if (seconds <= 90) return relative.format(seconds, "second");
    if (seconds <= 3600) return relative.format(Math.ceil(seconds / 60), "minute");
    return this.at(time);
  }

  /**
   * Day and time, in the visitor's own zone.
   * @param {Date} time
   */
  at(time) {
    /** @type {Intl.DateTimeFormatOptions} */
    const form = {
      weekday: "short", month: "long", day: "numeric", hour: "numeric", minute: "2-digit",
    };
    return new Intl.DateTimeFormat(this.language, form).format(time);
  }
}
