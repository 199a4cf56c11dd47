// @ts-check
/** Builds elements without markup in strings, which a page with Trusted Types would refuse. */

/**
 * @param {string} tag
 * @param {Record<string, string|boolean|EventListener>} [attributes] a function listens to the event of that name
 * @param {...(Node|string)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (typeof value === "boolean") node.toggleAttribute(name, value);
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Outlines on a 24 × 24 grid. */
const ICONS = Object.freeze({
  call:
    "M5.5 4.5 9 4l1.5 4.5-2.3 1.7a12 12 0 0 0 5.6 5.6l1.7-2.3L20 15l-.5 3.5c-.2 1-1 1.6-2 1.5A14.5 14.5 0 0 1 4 6.5c-.1-1 .5-1.8 1.5-2z",
  hangUp: "M3 14.5c4.5-5 13.5-5 18 0l-1.7 2.7-4.3-1.2v-2.6a12 12 0 0 0-6 0V16l-4.3 1.2z",
  microphone:
    "M9 6a3 3 0 0 1 6 0v5a3 3 0 0 1-6 0zM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21M8.5 21h7",
  muted:
    "M9 7V6a3 3 0 0 1 6 0v4.5M15 13.5a3 3 0 0 1-6-2.5V9.5M5.5 11a6.5 6.5 0 0 0 11 4.7M18.2 13a6.5 6.5 0 0 0 .3-2M12 17.5V21M8.5 21h7M4 4l16 16",
  keypad:
    "M6 5h.01M12 5h.01M18 5h.01M6 11h.01M12 11h.01M18 11h.01M6 17h.01M12 17h.01M18 17h.01",
});

/** @param {keyof typeof ICONS} name */
export function icon(name) {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  const path = document.createElementNS(namespace, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", `icon icon-${name}`);
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}
