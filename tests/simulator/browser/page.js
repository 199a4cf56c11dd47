// What a test can do in the page. Every callback of the SDK is kept, in its order, in `seen`.
// @ts-check
/* global vonageClientSDK */

const seen = [];
let client;

for (const name of ["unhandledrejection", "error"]) {
  window.addEventListener(name, (event) => {
    seen.push([name, String(event.reason ?? event.message)]);
  });
}

function open(url) {
  client = new vonageClientSDK.VonageClient({
    apiUrl: url,
    websocketUrl: url,
    autoReconnectMedia: true,
    rtcStatsTelemetry: false,
  });
  for (const name of [
    "callInvite",
    "callInviteCancel",
    "legStatusUpdate",
    "callHangup",
    "callMediaReconnecting",
    "callMediaReconnection",
    "callMediaDisconnect",
    "mute",
    "dtmf",
    "reconnecting",
    "reconnection",
    "sessionError",
  ]) {
    client.on(name, (...values) => {
      seen.push([name, ...values.map((value) => value?.name ?? value)]);
    });
  }
}

// Resolves with what the SDK resolves with, or with `{ error }`: its type and code.
async function attempt(promise) {
  try {
    return { value: await promise };
  } catch (error) {
    return { error: { type: error.type, code: error.code, text: String(error.message) } };
  }
}

window.harness = {
  open,
  seen,
  login: (token, session) => attempt(client.createSession(token, session)),
  call: (context) => attempt(client.serverCall(context)),
  run: (method, ...values) => attempt(client[method](...values)),
  async packets(call) {
    const report = await client.getPeerConnection(call).getStats();
    const packets = { sent: 0, received: 0, energy: 0 };
    for (const entry of report.values()) {
      if (entry.type === "outbound-rtp") packets.sent += entry.packetsSent;
      if (entry.type === "inbound-rtp") {
        packets.received += entry.packetsReceived;
        packets.energy += entry.totalAudioEnergy;
      }
    }
    return packets;
  },
};
