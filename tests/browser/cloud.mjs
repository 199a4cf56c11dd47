/**
 * The side of Vonage that the browser SDK talks to, put between the page and the network: login over
 * the socket, the REST calls of a voice call, and real audio from a second page that plays the desk.
 * It makes the webhooks that a call causes and hands them to the service under test.
 */

import { randomUUID } from "node:crypto";

import { Journal } from "./journal.mjs";

const REST = "https://api-us.vonage.com";
const QUALITY = {
  mos_score: 4.5, quality_percentage: 100, jitter_min_var: 0, jitter_max_var: 0,
  jitter_loss_rate: 0, jitter_burst_rate: 0, flaw_total: 0, packet_cnt: 1, packet_loss_perc: 0,
};

export class Cloud {
  /**
   * What the SDK asked: its REST requests, and `LOGIN` when it is let in.
   * @type {Journal<{method: string, path: string, body: any}>}
   */
  requests = new Journal();
  /** The error event that a login is answered with; `null` lets everybody in, `"silence"` nobody ever. */
  refusal = null;
  /** What becomes of the page's ticket on its way to the service. */
  ticket = (ticket) => ticket;
  /** Awaited before the service is asked what to do with a caller. */
  beforeAnswer = async () => {};
  #service;
  #desk;
  #socket = null;
  #user = { id: `USR-${randomUUID()}`, name: "visitor" };
  #leg = "";
  #phone = "";
  #member = "";
  #conversation = "";
  #knocked = new EventTarget();

  /**
   * @param {import("./server.mjs").Service} service
   * @param {import("playwright-core").Page} desk
   */
  constructor(service, desk) {
    this.#service = service;
    this.#desk = desk;
  }

  /** @param {import("playwright-core").BrowserContext} context */
  static async attach(service, context) {
    const cloud = new Cloud(service, await context.newPage());
    await context.routeWebSocket(/^wss:\/\/ws-us\.vonage\.com\//, (socket) => cloud.#accept(socket));
    await context.route(`${REST}/**`, (route) => cloud.#rest(route));
    return cloud;
  }

  /**
   * Resolves when the next caller has been let in, with what the service said about them.
   * @returns {Promise<{ncco: any[], customData: any, leg: string}>}
   */
  nextCaller() {
    return new Promise((done) =>
      this.#knocked.addEventListener("answered", (event) => done(event.detail), { once: true }),
    );
  }

  /** How many times something was asked, whatever the ids in its path. */
  count(method, path) {
    return this.requests.count((request) => request.method === method && path.test(request.path));
  }

  /** An event of the telephone at the desk, as a webhook. */
  async phone(status, extra = {}) {
    this.#phone ||= randomUUID().replaceAll("-", "");
    await this.#event({ uuid: this.#phone, direction: "outbound", status, ...extra });
  }

  /** The caller's leg ends: the page hears of it, then the service. */
  async hangUp() {
    const body = { direction: "inbound", channel: { id: this.#leg, type: "app" } };
    const bandwidth = { bytes_in: 1, bytes_out: 1 };
    const reason = { text: "Hangup", code: "REMOTE_HANGUP", sip_code: 200 };
    this.#send("rtc:hangup", { body: { ...body, bandwidth, quality: QUALITY, reason } });
    await this.#event({ uuid: this.#leg, direction: "inbound", status: "completed", duration: "1" });
  }

  /** Says good-bye on the socket, which the SDK takes for the end of its token. */
  dropSession() {
    this.#socket.send("41");
  }

  #accept(socket) {
    this.#socket = socket;
    const query = new URL(socket.url()).searchParams;
    const [, claims] = query.get("token").split(".");
    this.#user.name = JSON.parse(Buffer.from(claims, "base64url")).sub;
    socket.onMessage((frame) => {
      if (frame !== "40") return;
      socket.send(`40${JSON.stringify({ sid: randomUUID() })}`);
      if (this.refusal === "silence") return;
      if (this.refusal) return this.#send(this.refusal, {});
      this.requests.add({ method: "LOGIN", path: this.#user.name, body: query.get("session_id") });
      const id = query.get("session_id") ?? randomUUID();
      const body = { id, user_id: this.#user.id, name: this.#user.name };
      this.#send("session:success", { body: { ...body, api_key: "abcd1234" } });
    });
    const handshake = { sid: randomUUID(), upgrades: [], pingInterval: 25_000, pingTimeout: 20_000 };
    socket.send(`0${JSON.stringify({ ...handshake, maxPayload: 1_000_000 })}`);
  }

  #send(name, payload) {
    const whole = { id: 1, cid: this.#conversation, timestamp: new Date().toISOString(), ...payload };
    this.#socket.send(`42${JSON.stringify([name, whole])}`);
  }

  async #rest(route) {
    const request = route.request();
    const { pathname } = new URL(request.url());
    const method = request.method();
    this.requests.add({ method, path: pathname, body: request.postDataJSON() });
    const json = (body) => route.fulfill({ json: body, headers: { "Access-Control-Allow-Origin": "*" } });
    if (pathname === "/v0.3/legs") {
      this.#leg = randomUUID();
      this.#phone = "";
      this.#conversation = `CON-${randomUUID()}`;
      const sdp = await this.#answerOffer(request.postDataJSON().body.offer.sdp);
      return json({ rtc_id: this.#leg, sdp });
    }
    if (pathname === "/v0.3/knocking") {
      await json({ id: randomUUID() });
      return this.#knock(request.postDataJSON().properties.custom_data);
    }
    if (pathname.startsWith("/v0.2/sessions/")) return json({ session_id: pathname.split("/").at(-1) });
    if (method === "DELETE") {
      await json({});
      return this.hangUp();
    }
    if (method === "POST") return json({ id: 1 });
    const created = new Date().toISOString();
    return json({ id: this.#conversation, name: "call", timestamp: { created }, state: "ACTIVE" });
  }

  async #knock(customData) {
    const ids = { uuid: this.#leg, conversation_uuid: this.#conversation };
    await this.beforeAnswer();
    const { body: ncco } = await this.#service.webhook("/webhooks/answer", {
      ...ids,
      from_user: this.#user.name,
      endpoint_type: "app",
      // Where calls are controlled: nothing of a test may reach the real hosts.
      region_url: this.#service.vonage.url,
      custom_data: { ...customData, ticket: this.ticket(customData.ticket) },
    });
    this.#member = `MEM-${randomUUID()}`;
    const channel = { id: this.#leg, type: "app", leg_ids: [this.#leg] };
    this.#send("member:joined", {
      body: { member_id: this.#member, user: this.#user, channel },
      _embedded: { from_user: this.#user, from_member: { id: this.#member } },
    });
    await this.#event({ uuid: this.#leg, direction: "inbound", status: "answered" });
    this.#knocked.dispatchEvent(new CustomEvent("answered", { detail: { ncco, customData, leg: this.#leg } }));
  }

  #event(fields) {
    const conversation_uuid = this.#conversation;
    const timestamp = new Date().toISOString();
    return this.#service.webhook("/webhooks/event", { conversation_uuid, timestamp, ...fields });
  }

  #answerOffer(offer) {
    return this.#desk.evaluate(async (sdp) => {
      globalThis.connection?.close();
      const connection = new RTCPeerConnection();
      globalThis.connection = connection;
      const audio = new AudioContext();
      const destination = audio.createMediaStreamDestination();
      connection.addTrack(destination.stream.getAudioTracks()[0]);
      await connection.setRemoteDescription({ type: "offer", sdp });
      await connection.setLocalDescription();
      while (connection.iceGatheringState !== "complete") {
        await new Promise((next) => {
          connection.addEventListener("icegatheringstatechange", next, { once: true });
        });
      }
      return connection.localDescription.sdp;
    }, offer);
  }
}
