// @ts-check
/**
 * The life of one call as the visitor sees it: a pure function from a state and an action to the
 * next state. It knows neither the page nor the network nor the clock; `call-flow.js` feeds it.
 *
 * A call has two ends that are heard of separately: the sound in this browser (`sound`) and the
 * telephone at the desk (`far`, told by the server). It is over when both have ended, or when the
 * second stays away too long (`settle`).
 */

/** @typedef {"ready"|"connecting"|"ringing"|"in-call"|"ended"|"failed"} Phase what the page shows */
/** @typedef {"microphone"|"session"|"login"|"ticket"|"dialling"} Step what a press is waiting for */
/** @typedef {"requested"|"connecting"|"ringing"|"screening"|"answered"|"next"|"voicemail"} Far */
/** @typedef {"none"|"up"|"reconnecting"} Sound whether this browser's audio path stands */
/**
 * @typedef {object} Admitted
 * @property {string} id
 * @property {string} code
 * @property {number} limitSeconds
 * @property {number} [answeredAt] when the desk answered, Unix milliseconds; of a call that was taken up
 */
/** @typedef {{kind: string, title?: string, retryAt?: Date|null, opensAt?: Date|null}} Failure */

/**
 * @typedef {object} CallState
 * @property {Phase} phase
 * @property {Step|null} step only while connecting, until the desk is being called
 * @property {Admitted|null} call the server's name for it, kept after the end for the support code
 * @property {Far|null} far
 * @property {Sound} sound
 * @property {boolean} following whether the server's stream of states is open
 * @property {boolean} closing one end has ended, the other has not been heard of
 * @property {boolean} muted
 * @property {string|null} reason why it ended
 * @property {Failure|null} failure why it could not be made
 */

/**
 * @typedef {{type: "press"} | {type: "resume", call: Admitted|null} | {type: "step", step: Step} | {type: "admitted", call: Admitted}
 *   | {type: "dialled"} | {type: "following", open: boolean}
 *   | {type: "far", state: Far|"ended", reason?: string|null} | {type: "leg", status: string}
 *   | {type: "sound", sound: Sound} | {type: "muted", muted: boolean} | {type: "lost"}
 *   | {type: "hang-up"} | {type: "fail", failure: Failure} | {type: "settle"}} Action
 */

/** Why a call ended: the server's reasons, then the two that only this browser knows. */
export const REASONS = Object.freeze([
  "completed", "busy", "no-answer", "declined", "unreachable", "failed", "cancelled", "refused",
  "expired", "lost", "hung-up", "connection-lost",
]);

/** @type {Readonly<CallState>} */
export const READY = Object.freeze({
  phase: "ready",
  step: null,
  call: null,
  far: null,
  sound: "none",
  following: false,
  closing: false,
  muted: false,
  reason: null,
  failure: null,
});

/** @type {Readonly<Record<Far, Phase>>} */
const PHASE_OF = Object.freeze({
  requested: "connecting",
  connecting: "connecting",
  ringing: "ringing",
  screening: "ringing",
  next: "ringing",
  answered: "in-call",
  voicemail: "in-call",
});

/**
 * Whether a call is under way, so that the button hangs up instead of calling.
 * @param {CallState} state
 */
export function isLive({ phase }) {
  return phase === "connecting" || phase === "ringing" || phase === "in-call";
}

/**
 * The next state; the same object when the action means nothing now (a second press, news of a
 * call that is over).
 * @param {CallState} state
 * @param {Action} action
 * @returns {CallState}
 */
export function reduce(state, action) {
  if (action.type === "press") {
    return isLive(state) ? state : { ...READY, phase: "connecting", step: "microphone" };
  }
  if (action.type === "resume") {
    return isLive(state) ? state : { ...READY, phase: "connecting", call: action.call, sound: "reconnecting" };
  }
  if (!isLive(state)) return afterwards(state, action);
  switch (action.type) {
    case "step":
      return { ...state, step: action.step };
    case "admitted":
      return { ...state, call: action.call };
    case "dialled":
      return { ...state, step: null, sound: "up" };
    case "following":
      return { ...state, following: action.open };
    case "far":
      return action.state === "ended"
        ? farEnded(state, action.reason ?? "completed")
        : toFar(state, action.state);
    case "leg":
      return fromLeg(state, action.status);
    case "sound":
      return action.sound === "none" ? soundEnded(state) : { ...state, sound: action.sound };
    case "muted":
      return { ...state, muted: action.muted };
    case "lost":
      return end(state, "connection-lost");
    case "hang-up":
      return end(state, "hung-up");
    case "settle":
      return end(state, state.reason);
    case "fail":
      return { ...end(state, null), phase: "failed", failure: action.failure };
  }
}

/**
 * Two things may still be learned when no call is under way: why the last one ended, and that the
 * next one can't be made.
 * @param {CallState} state
 * @param {Action} action
 */
function afterwards(state, action) {
  if (action.type === "fail") {
    return { ...end(state, null), phase: /** @type {const} */ ("failed"), failure: action.failure };
  }
  const late = action.type === "far" && action.state === "ended" && state.phase === "ended";
  return late && state.reason === null ? { ...state, reason: action.reason ?? "completed" } : state;
}

/**
 * @param {CallState} state
 * @param {string|null} reason
 * @returns {CallState}
 */
function end(state, reason) {
  return { ...READY, phase: "ended", call: state.call, reason };
}

/**
 * @param {CallState} state
 * @param {string} reason
 * @returns {CallState}
 */
function farEnded(state, reason) {
  // With the sound still up the caller may be hearing why ("nobody can answer just now").
  return state.sound === "none" ? end(state, reason) : { ...state, closing: true, reason };
}

/** @param {CallState} state @returns {CallState} */
function soundEnded(state) {
  return state.reason === null
    ? { ...state, sound: "none", closing: true }
    : end(state, state.reason);
}

/**
 * @param {CallState} state
 * @param {Far} far
 * @returns {CallState}
 */
function toFar(state, far) {
  const phase = PHASE_OF[far];
  // A state this page is too old to know leaves everything as it is.
  return phase === undefined ? state : { ...state, far, phase };
}

/**
 * The browser SDK also hears of the desk's leg. It can't tell a whispered-to agent from one who is
 * through, so the server's word counts where there is one.
 * @param {CallState} state
 * @param {string} status
 */
function fromLeg(state, status) {
  const early = state.far === null || PHASE_OF[state.far] === "connecting";
  if (status === "RINGING" && early) return toFar(state, "ringing");
  if (status === "ANSWERED" && !state.following) return toFar(state, "answered");
  return state;
}

/**
 * Key of the words that tell the visitor what is happening.
 * @param {CallState} state
 * @returns {string}
 */
export function statusKey(state) {
  if (state.phase === "failed") return `failure.${state.failure?.kind}`;
  if (state.phase === "ended" || (state.closing && state.reason !== null)) {
    const known = state.reason !== null && REASONS.includes(state.reason);
    return `ended.${known ? state.reason : "completed"}`;
  }
  if (state.closing) return "state.closing";
  if (state.sound === "reconnecting") return "state.reconnecting";
  if (state.phase === "ready") return "state.ready";
  if (state.step === "microphone") return "state.microphone";
  return `state.${state.phase === "connecting" ? "connecting" : state.far}`;
}
