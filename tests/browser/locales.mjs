/** The files of words, as they are in the tree. */

import { readFileSync, readdirSync } from "node:fs";

const FOLDER = new URL("../../locales/", import.meta.url);

/** Language codes, English first. */
export const languages = readdirSync(FOLDER)
  .map((file) => file.replace(/\.json$/, ""))
  .sort((a, b) => Number(b === "en") - Number(a === "en") || a.localeCompare(b));

/** @returns {Record<string, string>} */
export function wordsOf(language) {
  return JSON.parse(readFileSync(new URL(`${language}.json`, FOLDER), "utf8"));
}
