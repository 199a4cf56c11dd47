// @ts-check
/**
 * The element's style sheet. It is constructed by script, because a style element or attribute would
 * need `'unsafe-inline'` in the site's content security policy.
 */

/** @type {CSSStyleSheet|null} */
let shared = null;

/** One sheet for all elements of a page. */
export function sheet() {
  if (shared === null) {
    shared = new CSSStyleSheet();
    shared.replaceSync(CSS);
  }
  return shared;
}

const CSS = `
:host {
  --_accent: var(--click-to-call-accent, #0b7a4b);
  --_on-accent: var(--click-to-call-on-accent, #fff);
  --_danger: var(--click-to-call-danger, #c0262d);
  --_on-danger: var(--click-to-call-on-danger, #fff);
  --_surface: var(--click-to-call-surface, #fff);
  --_text: var(--click-to-call-text, #16202b);
  --_quiet: var(--click-to-call-quiet, #55626f);
  --_line: var(--click-to-call-line, #d8dee5);
  --_radius: var(--click-to-call-radius, 1.25rem);
  display: block;
  max-inline-size: 26rem;
  font-family: var(--click-to-call-font, inherit);
  line-height: 1.5;
}
@supports (color: light-dark(#000, #fff)) {
  :host {
    --_accent: var(--click-to-call-accent, light-dark(#0b7a4b, #3ecb8d));
    --_on-accent: var(--click-to-call-on-accent, light-dark(#fff, #05180f));
    --_danger: var(--click-to-call-danger, light-dark(#c0262d, #ff8a85));
    --_on-danger: var(--click-to-call-on-danger, light-dark(#fff, #2a0605));
    --_surface: var(--click-to-call-surface, light-dark(#fff, #18222d));
    --_text: var(--click-to-call-text, light-dark(#16202b, #eef2f6));
    --_quiet: var(--click-to-call-quiet, light-dark(#55626f, #a3b0bd));
    --_line: var(--click-to-call-line, light-dark(#d8dee5, #33414f));
  }
}
:host([hidden]), [hidden] { display: none !important; }
*, ::before, ::after { box-sizing: border-box; }
p, ol { margin: 0; }
p:empty, ol:empty { display: none; }

.card {
  display: grid;
  gap: 1rem;
  padding: clamp(1.25rem, 5vw, 2rem);
  border: 1px solid var(--_line);
  border-radius: var(--_radius);
  background: var(--_surface);
  color: var(--_text);
  text-align: center;
}
.status { font-size: 1.1875rem; font-weight: 600; line-height: 1.35; text-wrap: balance; }
:host([state="connecting"]) .status::before, :host([state="ringing"]) .status::before {
  content: "";
  display: block;
  inline-size: 0.875rem;
  block-size: 0.875rem;
  margin: 0.75rem auto 1.375rem;
  border-radius: 50%;
  background: var(--_accent);
  outline: 2px solid var(--_accent);
  animation: pulse 1.6s ease-out infinite;
}
@keyframes pulse {
  from { outline-offset: 0; outline-color: var(--_accent); }
  to { outline-offset: 0.75rem; outline-color: transparent; }
}
.detail, .code, .user { color: var(--_quiet); }
.detail { margin-block-start: -0.5rem; }
.code, .user { font-size: 0.875rem; overflow-wrap: anywhere; text-wrap: balance; }
:lang(ja) { word-break: auto-phrase; }
.code:not(:empty) + .user { margin-block-start: -0.75rem; }
.steps { padding-inline-start: 1.5rem; display: grid; gap: 0.375rem; text-align: start; }
.timer { font-size: 2.5rem; font-weight: 300; line-height: 1.1; font-variant-numeric: tabular-nums; }

button {
  display: inline-flex;
  align-items: center;
  justify-content: center;
  gap: 0.625rem;
  min-block-size: 3rem;
  min-inline-size: 3rem;
  padding: 0.5rem 1rem;
  border: 1px solid var(--_line);
  border-radius: 0.875rem;
  background: transparent;
  color: inherit;
  font: inherit;
  cursor: pointer;
  touch-action: manipulation;
}
button:hover { border-color: currentColor; }
button:focus-visible, a:focus-visible, ::slotted(a:focus-visible) {
  outline: 3px solid var(--_accent);
  outline-offset: 3px;
}
button:disabled { opacity: 0.5; cursor: not-allowed; }
.icon {
  inline-size: 1.375rem;
  block-size: 1.375rem;
  flex: none;
  fill: none;
  stroke: currentColor;
  stroke-width: 1.75;
  stroke-linecap: round;
  stroke-linejoin: round;
}
.icon-keypad { stroke-width: 3.5; }
.icon-call, .icon-hangUp { fill: currentColor; }
.icon-hangUp { inline-size: 1.75rem; margin-block: -0.1875rem; block-size: 1.75rem; }
.call, .hang-up { border-color: transparent; font-weight: 600; }
.call {
  min-block-size: 4.5rem;
  border-radius: 2.25rem;
  background: var(--_accent);
  color: var(--_on-accent);
  font-size: 1.25rem;
}
.call:hover:enabled { background: color-mix(in srgb, var(--_accent), var(--_text) 14%); border-color: transparent; }
.call:active:enabled, .hang-up:active { transform: translateY(1px); }
.hang-up { background: var(--_danger); color: var(--_on-danger); }
.hang-up:hover { background: color-mix(in srgb, var(--_danger), var(--_text) 14%); border-color: transparent; }
.mute[aria-pressed="true"], .dialpad[aria-expanded="true"] { background: var(--_text); color: var(--_surface); }
.controls { display: grid; grid-auto-flow: column; grid-auto-columns: 1fr; gap: 0.625rem; }
.controls button { flex-direction: column; gap: 0.25rem; padding-inline: 0.25rem; font-size: 0.9375rem; }

.keypad { display: grid; gap: 0.625rem; justify-content: center; }
.keys { display: grid; grid-template-columns: repeat(3, 4.5rem); gap: 0.5rem; }
.keys button { font-size: 1.375rem; }
.digits { min-block-size: 1.75rem; font-size: 1.25rem; letter-spacing: 0.12em; direction: ltr; }

a, ::slotted(a) { color: inherit; font-weight: 600; text-underline-offset: 0.2em; }
.instead a, ::slotted(a) { display: inline-block; padding-block: 0.625rem; }
.notes {
  display: grid;
  gap: 0.375rem;
  padding-block-start: 1rem;
  border-block-start: 1px solid var(--_line);
  color: var(--_quiet);
  font-size: 0.8125rem;
  text-align: start;
}
@media (prefers-reduced-motion: reduce) {
  *, ::before { animation: none !important; transition: none !important; }
}
@media (forced-colors: active) {
  button, .card { border-color: ButtonText; }
  .mute[aria-pressed="true"], .dialpad[aria-expanded="true"] { border-width: 3px; }
}
`;
