/** Words: the same keys in every language, and none asked for that isn't there. */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { Words, chooseLanguage } from "../../../static/js/words.js";
import { languages, wordsOf } from "../locales.mjs";

const ROOT = new URL("../../../", import.meta.url);
const english = wordsOf("en");

/** Parts of keys that are put together while the page runs. */
const FAMILIES = /^(state|ended|failure|steps)\./;

function sources(folder, ending) {
  const url = new URL(folder, ROOT);
  const files = readdirSync(url).filter((file) => file.endsWith(ending));
  return files.map((file) => readFileSync(new URL(file, url), "utf8")).join("\n");
}

const holes = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

for (const language of languages) {
  const words = wordsOf(language);

  test(`${language} has the keys of English`, () => {
    assert.deepEqual(Object.keys(words).sort(), Object.keys(english).sort());
  });

  test(`${language} has the placeholders of English`, () => {
    for (const [key, text] of Object.entries(english)) {
      assert.deepEqual(holes(words[key]), holes(text), key);
    }
  });

  test(`${language} says something under every key`, () => {
    for (const [key, text] of Object.entries(words)) {
      assert.ok(text.trim() !== "" && text === text.trim(), key);
    }
  });
}

test("every key of the views is there", () => {
  const keys = [...sources("views/", ".html").matchAll(/\bt\("([^"]+)"/g)].map(([, key]) => key);
  assert.ok(keys.length > 10);
  for (const key of keys) assert.ok(Object.hasOwn(english, key), key);
});

test("every key of the scripts is there", () => {
  const keys = [...sources("static/js/", ".js").matchAll(/\bwords\.say\("([^"]+)"/g)].map(([, key]) => key);
  assert.ok(keys.length > 10);
  for (const key of keys) assert.ok(Object.hasOwn(english, key), key);
});

test("no word is left over", () => {
  const code = sources("static/js/", ".js") + sources("views/", ".html") + sources("src/", ".rs");
  for (const key of Object.keys(english)) {
    assert.ok(FAMILIES.test(key) || code.includes(`"${key}"`), `${key} is said nowhere`);
  }
});

test("the visitor's first language that there are words for", () => {
  const available = ["en", "ja", "pt-BR"];
  for (const [wanted, chosen] of [
    [["ja-JP"], "ja"],
    [["JA"], "ja"],
    [["de", "ja"], "ja"],
    [["pt-BR", "ja"], "pt-BR"],
    [["pt", "ja"], "ja"],
    [[null, undefined, "", "en-GB", "ja"], "en"],
    [["de"], "en"],
    [[], "en"],
  ]) {
    assert.equal(chooseLanguage(wanted, available), chosen, JSON.stringify(wanted));
  }
});

test("placeholders are filled in, and what is unknown stays visible", () => {
  const words = new Words("en", { code: "Support code {code}" });
  assert.equal(words.say("code", { code: "K7-42QX" }), "Support code K7-42QX");
  assert.equal(words.say("code"), "Support code {code}");
  assert.equal(words.say("no.such.key"), "no.such.key");
});

test("a site's own words go before ours", () => {
  const words = new Words("en", { call: "Call", mute: "Mute" }).with({ call: "Ring us" });
  assert.equal(words.say("call"), "Ring us");
  assert.equal(words.say("mute"), "Mute");
  assert.equal(words.language, "en");
});

test("a time to wait is told as people tell it", () => {
  const words = new Words("en", {});
  const now = Date.UTC(2026, 10, 22, 12);
  const inSeconds = (seconds) => words.until(new Date(now + seconds * 1000), now);
  assert.equal(inSeconds(20), "in 20 seconds");
  assert.equal(inSeconds(-5), "in 1 second");
  assert.equal(inSeconds(300), "in 5 minutes");
  assert.match(inSeconds(7200), /Sun|Mon/);
});
