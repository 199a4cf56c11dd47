// @ts-check
/**
 * Asks for the microphone before Vonage's SDK does: the SDK reports a refusal, a missing device, an
 * insecure page and a forbidding policy all as the same "Unexpected Null Value".
 */

import { CallFailure } from "./failure.js";

/** What this page lacks for a call, before anything is asked; `null` when nothing. */
export function missingAbility() {
  if (globalThis.isSecureContext === false) return "insecure";
  const able =
    typeof RTCPeerConnection === "function" &&
    typeof WebSocket === "function" &&
    typeof navigator.mediaDevices?.getUserMedia === "function";
  return able ? null : "unsupported";
}

/**
 * Obtains the permission and lets the device go again; the SDK opens it for itself.
 * @returns {Promise<void>}
 */
export async function askForMicrophone() {
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    for (const track of stream.getTracks()) track.stop();
  } catch (error) {
    const name = /** @type {{name?: string}} */ (error)?.name ?? "";
    throw new CallFailure(kindOf(name, policyForbids()), { cause: error });
  }
}

/**
 * Names: <https://w3c.github.io/mediacapture-main/#methods-5>
 * @param {string} name
 * @param {boolean} forbidden
 */
export function kindOf(name, forbidden) {
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return forbidden ? "microphone-policy" : "microphone-refused";
    case "NotFoundError":
    case "OverconstrainedError":
      return "microphone-missing";
    default:
      return "microphone-busy";
  }
}

/** Whether the page around us, not the visitor, forbids it. Only Chromium tells. */
function policyForbids() {
  const policy = /** @type {any} */ (document).featurePolicy;
  return policy?.allowsFeature?.("microphone") === false;
}

/**
 * Which browser's steps to show for giving the microphone back; a guess that only picks words.
 * @param {string} agent a `User-Agent`
 * @returns {"ios"|"safari"|"firefox"|"android"|"chrome"}
 */
export function browserOf(agent) {
  if (/iPhone|iPad|iPod/.test(agent)) return "ios";
  if (/Firefox\//.test(agent)) return "firefox";
  if (/Android/.test(agent)) return "android";
  if (/Safari\//.test(agent) && !/Chrome\/|Chromium\//.test(agent)) return "safari";
  return "chrome";
}
