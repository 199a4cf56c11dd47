// @ts-check
/** The twelve keys for menus at the far end ("press 1 for …"), by pointer or keyboard. */

import { element } from "./dom.js";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];

/**
 * @param {string} label what a screen reader calls it
 * @param {(digit: string) => void} onDigit
 */
export function keypad(label, onDigit) {
  const pressed = element("output", { class: "digits", part: "digits", "aria-live": "off" });
  const press = (/** @type {string} */ digit) => {
    pressed.textContent = `${pressed.textContent}${digit}`.slice(-16);
    onDigit(digit);
  };
  const keys = KEYS.map((digit) =>
    element("button", { type: "button", part: "key", click: () => press(digit) }, digit),
  );
  const pad = element(
    "div",
    { class: "keypad", part: "keypad", role: "group", "aria-label": label, hidden: true },
    pressed,
    // Digits read from left to right whatever the language.
    element("div", { class: "keys", dir: "ltr" }, ...keys),
  );
  pad.addEventListener("keydown", ({ key, repeat, ctrlKey, metaKey, altKey }) => {
    if (KEYS.includes(key) && !repeat && !ctrlKey && !metaKey && !altKey) press(key);
  });
  return pad;
}
