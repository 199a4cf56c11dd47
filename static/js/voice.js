// @ts-check
/**
 * Vonage's client SDK behind the few verbs that a call needs, with the care it asks for: its
 * `serverCall` may never settle, a lost session takes hang-up and mute away until it is resumed, and
 * lost audio raises another event than a hang-up.
 */

import { CallFailure, isOffline } from "./failure.js";
import { SessionKeeper } from "./session.js";
import { sleep } from "./api.js";

/** @typedef {import("./api.js").Session} Session */
/**
 * @typedef {object} VoiceEvents
 * @property {(status: string) => void} leg the desk's leg is `RINGING`, `ANSWERED` or `COMPLETED`
 * @property {(sound: "none"|"up"|"reconnecting") => void} sound
 * @property {() => void} lost the audio path broke for good
 * @property {(user: string|null) => void} user who is logged in now
 */

/** The SDK gives up by itself after 10 s, except when the caller is put out before being let in. */
const DIAL_TIMEOUT_MS = 12_000;
/** Pauses between attempts to get a lost session back during a call. */
const RECOVER_MS = [0, 2_000, 4_000, 8_000, 15_000, 30_000];

/** What a login and a request are answered with when Vonage takes the token no more. */
const STALE_TOKEN = ["session:error:invalid-token", "session:error:expired-token"];
const REFUSED_TOKEN = "internal:auth:authorization_error";
/**
 * Pauses before a login with a new token: while the application's key is changed, Vonage knows the new one a few
 * seconds before the service signs with it.
 */
const RENEW_MS = [0, 2_000, 4_000];

export class Voice {
  #loadSdk;
  #events;
  #keeper;
  /** @type {any} */
  #client = null;
  /** @type {string|null} */
  #sessionId = null;
  /** @type {string|null} */
  #user = null;
  /** @type {Promise<void>|null} */
  #loggingIn = null;
  /** @type {string|null} */
  #leg = null;
  /** A call that was hung up before it was known here. */
  #gone = "";

  /**
   * @param {() => Promise<Session>} openSession
   * @param {() => Promise<any>} loadSdk
   * @param {VoiceEvents} events
   */
  constructor(openSession, loadSdk, events) {
    this.#loadSdk = loadSdk;
    this.#events = events;
    this.#keeper = new SessionKeeper(openSession, (session) => void this.#refresh(session));
  }

  /** Makes sure of the visitor's session with the service. */
  async openSession() {
    await this.#keeper.current();
  }

  /** Logs in at Vonage, unless already so. */
  async logIn() {
    this.#loggingIn ??= this.#logIn().finally(() => {
      this.#loggingIn = null;
    });
    await this.#loggingIn;
  }

  /**
   * Logs in as this user, when the session is somebody else's by now: another tab may have renewed it.
   * @param {string} user
   */
  async become(user) {
    if (user === this.#user) return;
    await this.#keeper.renew();
    await this.logIn();
  }

  /**
   * Places the call. The context is flat because the SDK turns anything nested into `null`.
   * @param {string} ticket
   * @returns {Promise<boolean>} once the service let the caller in: whether the call still stands
   */
  async dial(ticket) {
    let waiting = true;
    const dialled = this.#ask(async (client) => {
      const leg = await client.serverCall({ ticket });
      // Nobody waits for it any more, but somebody's telephone may be ringing.
      if (!waiting) client.hangup(leg).catch(() => {});
      return leg;
    });
    dialled.catch(() => {});
    try {
      const leg = await withTimeout(dialled, DIAL_TIMEOUT_MS);
      if (leg !== this.#gone) this.#leg = leg;
    } catch (error) {
      // What is left of that attempt inside the SDK is unknown: the next one starts afresh.
      this.#logOut();
      throw failureOf(error, "no-connection");
    } finally {
      waiting = false;
    }
    return this.#leg !== null;
  }

  /** The SDK's names for its session and the call, while there are both. */
  get place() {
    return this.#sessionId !== null && this.#leg !== null ? { session: this.#sessionId, leg: this.#leg } : null;
  }

  /**
   * Takes up a call that this tab was in before its page was loaded again.
   * @param {string} sessionId the SDK's at that time
   * @param {string} leg
   * @param {AbortSignal} signal of a visitor who has hung up meanwhile
   */
  async resume(sessionId, leg, signal) {
    const [sdk, session] = await Promise.all([this.#loadSdk(), this.#keeper.current()]);
    signal.throwIfAborted();
    const client = this.#newClient(sdk, session);
    this.#client = client;
    this.#leg = leg;
    try {
      const resumed = await client.createSession(session.token, sessionId);
      if (client === this.#client) {
        this.#sessionId = resumed;
        this.#setUser(session.user);
      } else {
        // Nobody would log out of it any more.
        client.deleteSession().catch(() => {});
      }
      signal.throwIfAborted();
      await client.reconnectCall(leg);
    } catch (error) {
      if (this.#leg === leg) this.#leg = null;
      throw error;
    }
    // Hung up meanwhile.
    if (this.#leg !== leg) client.hangup(leg).catch(() => {});
  }

  /** Ends the call. Rejects when Vonage couldn't be told; the audio is closed all the same. */
  async hangUp() {
    const leg = this.#leg;
    this.#leg = null;
    if (leg !== null) await this.#client.hangup(leg);
  }

  /**
   * Muting takes effect here, at once: it can't fail. Unmuting can, and then the visitor stays unheard.
   * @param {boolean} muted
   * @returns {Promise<boolean | null>} whether the visitor is unheard now; null when this call is over
   */
  async mute(muted) {
    const leg = this.#leg;
    if (leg === null) return null;
    if (muted) this.#silence();
    const isDone = await this.#ask((client) => (muted ? client.mute(leg) : client.unmute(leg))).then(
      () => true,
      () => false,
    );
    // The microphone may be another call's meanwhile.
    if (this.#leg !== leg) return null;
    // The SDK opens it before it asks.
    if (!isDone) this.#silence();
    return muted || !isDone;
  }

  #silence() {
    for (const { track } of this.#connection()?.getSenders() ?? []) if (track) track.enabled = false;
  }

  /** @param {string} digits of 0-9, * and # */
  async sendDigits(digits) {
    const leg = this.#leg;
    if (leg !== null) await this.#ask((client) => client.sendDTMF(leg, digits));
  }

  /** Whether anything can be heard from the far side right now. */
  isAudible() {
    const receivers = this.#connection()?.getReceivers() ?? [];
    return receivers.some((receiver) =>
      receiver.getSynchronizationSources().some(({ audioLevel }) => (audioLevel ?? 0) > 0.005),
    );
  }

  /** The page is being looked at again, or the network is back. */
  wake() {
    this.#keeper.wake();
  }

  /** Hangs up, logs out, forgets everything. */
  close() {
    this.hangUp().catch(() => {});
    this.#keeper.stop();
    this.#logOut();
  }

  /** @returns {RTCPeerConnection|undefined} */
  #connection() {
    return this.#leg === null ? undefined : this.#client.getPeerConnection(this.#leg);
  }

  async #logIn() {
    const [sdk, session] = await Promise.all([this.#loadSdk(), this.#keeper.current()]);
    if (this.#sessionId !== null && this.#user === session.user) return;
    this.#logOut();
    this.#client = this.#newClient(sdk, session);
    let error = await this.#createSession(session);
    for (const pause of RENEW_MS) {
      // Only a new token may help: the application's key was changed, or Vonage no longer has the user.
      if (!STALE_TOKEN.includes(codeOf(error))) break;
      await sleep(pause);
      error = await this.#createSession(await this.#keeper.renew());
    }
    if (error !== null) throw loginFailure(error);
  }

  /**
   * @param {Session} session
   * @returns {Promise<unknown>} why not, or `null`
   */
  async #createSession({ token, user }) {
    try {
      this.#sessionId = await this.#client.createSession(token);
    } catch (error) {
      return error;
    }
    this.#setUser(user);
    return null;
  }

  /**
   * Asks Vonage for something. When it takes the token no more, once more with a new one.
   * @template T
   * @param {(client: any) => Promise<T>} work
   * @returns {Promise<T>}
   */
  async #ask(work) {
    try {
      return await work(this.#client);
    } catch (error) {
      if (codeOf(error) !== REFUSED_TOKEN) throw error;
    }
    await this.#refresh(await this.#keeper.renew());
    if (this.#leg === null) await this.logIn();
    return work(this.#client);
  }

  /**
   * @param {any} sdk
   * @param {Session} session
   */
  #newClient(sdk, { apiUrl, websocketUrl }) {
    const client = new sdk.VonageClient({
      apiUrl,
      websocketUrl,
      autoReconnectMedia: true,
      // Otherwise a POST each second, in a call, to a host that is none of ours or Vonage's API.
      rtcStatsTelemetry: false,
    });
    const mine = (/** @type {string} */ leg) => client === this.#client && leg === this.#leg;
    client.on("legStatusUpdate", (/** @type {[string, string, string]} */ ...[leg, , status]) => {
      if (mine(leg)) this.#events.leg(status);
    });
    client.on("callHangup", (/** @type {string} */ leg) => {
      if (!mine(leg)) return void (this.#gone = leg);
      this.#leg = null;
      this.#events.sound("none");
    });
    client.on("callMediaReconnecting", (/** @type {string} */ leg) => {
      if (mine(leg)) this.#events.sound("reconnecting");
    });
    client.on("callMediaReconnection", (/** @type {string} */ leg) => {
      if (mine(leg)) this.#events.sound("up");
    });
    client.on("callMediaDisconnect", (/** @type {string} */ leg) => {
      if (!mine(leg)) return;
      this.#leg = null;
      this.#events.lost();
    });
    client.on("reconnection", () => {
      // The SDK tries again for ever with a token that is refused, and does not say so: a request does.
      if (client === this.#client) this.#ask((same) => same.getUser("me")).catch(() => {});
    });
    client.on("sessionError", () => {
      if (client === this.#client) void this.#recover();
    });
    return client;
  }

  /**
   * The SDK has forgotten its token. A call goes on, but can't be hung up or muted until the old
   * session is taken up again; without a call the next press logs in.
   */
  async #recover() {
    const lost = this.#sessionId;
    this.#sessionId = null;
    for (const pause of RECOVER_MS) {
      await sleep(pause);
      if (this.#leg === null) break;
      try {
        const { token } = await this.#keeper.renew();
        this.#sessionId = await this.#client.createSession(token, lost);
        return;
      } catch {
        // Vonage or the service is out of reach: the audio may well outlast it.
      }
    }
    if (this.#sessionId === null) this.#setUser(null);
  }

  /**
   * Hands a renewed token to the SDK. For another user (the old one has expired) a new login is
   * needed, which waits until no call is under way.
   * @param {Session} session
   */
  async #refresh({ token, user }) {
    if (this.#sessionId === null || user !== this.#user) {
      if (this.#leg === null) this.#logOut();
      return;
    }
    await this.#client.refreshSession(token).catch(() => {
      if (this.#leg === null) this.#logOut();
    });
  }

  #logOut() {
    const client = this.#client;
    const loggedIn = this.#sessionId !== null;
    this.#client = null;
    this.#sessionId = null;
    if (loggedIn) client.deleteSession().catch(() => {});
    this.#setUser(null);
  }

  /** @param {string|null} user */
  #setUser(user) {
    if (user === this.#user) return;
    this.#user = user;
    this.#events.user(user);
  }
}

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {number} ms
 * @returns {Promise<T>}
 */
async function withTimeout(promise, ms) {
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let timer;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new CallFailure("no-connection")), ms);
  });
  try {
    return await Promise.race([promise, /** @type {Promise<never>} */ (timeout)]);
  } finally {
    clearTimeout(timer);
  }
}

/** @param {unknown} error the SDK's; its class and name are minified, its code may be `null` */
function codeOf(error) {
  return String(/** @type {any} */ (error)?.code ?? "");
}

/** @param {unknown} error */
function loginFailure(error) {
  const code = codeOf(error);
  if (code === "session:error:max-open-sessions-permitted") {
    return new CallFailure("session-limit", { cause: error });
  }
  const unreachable = ["session:error:timeout", "session:error:websocket-transport-invalid"];
  return failureOf(error, unreachable.includes(code) ? "unreachable" : "login");
}

/**
 * @param {unknown} error
 * @param {string} kind when nothing more is known
 */
function failureOf(error, kind) {
  if (error instanceof CallFailure) return error;
  if (isOffline()) return new CallFailure("offline", { cause: error });
  const network = /** @type {any} */ (error)?.type === "NETWORK_ERROR";
  return new CallFailure(network ? "unreachable" : kind, { cause: error });
}
