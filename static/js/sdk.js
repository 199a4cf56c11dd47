// @ts-check
/** Fetches Vonage's SDK (290 KB compressed) when the visitor first shows interest, not with the page. */

import { CallFailure } from "./failure.js";

/** Global that the SDK's UMD build defines. */
const GLOBAL = "vonageClientSDK";

/** @type {Promise<any>|null} */
let loading = null;

/**
 * Loads the SDK once per page.
 * @param {{src: string, integrity: string}|null} sdk `null` when the service was built without it
 * @returns {Promise<any>} what the SDK exports
 */
export function loadSdk(sdk) {
  if (sdk === null) return Promise.reject(new CallFailure("no-sdk"));
  loading ??= insert(sdk).catch((error) => {
    // The next press tries again.
    loading = null;
    throw error;
  });
  return loading;
}

/**
 * @param {{src: string, integrity: string}} sdk
 * @returns {Promise<any>}
 */
function insert({ src, integrity }) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.integrity = integrity;
    script.crossOrigin = "anonymous";
    script.addEventListener("load", () => {
      const sdk = /** @type {any} */ (globalThis)[GLOBAL];
      if (sdk) resolve(sdk);
      else reject(new CallFailure("sdk-blocked"));
    });
    script.addEventListener("error", () => {
      script.remove();
      reject(new CallFailure(navigator.onLine ? "sdk-blocked" : "offline"));
    });
    script.src = trusted(src);
    document.head.append(script);
  });
}

/**
 * The address in the form that `require-trusted-types-for 'script'` asks for.
 * @param {string} src
 * @returns {string}
 */
function trusted(src) {
  const { trustedTypes } = /** @type {any} */ (globalThis);
  if (!trustedTypes) return src;
  // One address and no other: the policy can't be used to load anything else.
  const createScriptURL = (/** @type {string} */ url) => {
    if (url !== src) throw new TypeError(`not the SDK: ${url}`);
    return url;
  };
  return trustedTypes.createPolicy("click-to-call", { createScriptURL }).createScriptURL(src);
}
