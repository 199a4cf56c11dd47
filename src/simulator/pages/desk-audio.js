// @ts-check

/** The sound of one telephone: this browser's microphone and loudspeaker. */
export class DeskAudio {
  #connection = new RTCPeerConnection();
  #speaker = new Audio();
  /** @type {MediaStream | undefined} */
  #microphone;

  /**
   * Takes the telephone's call over into this browser. Without a microphone one still hears.
   *
   * @param {string} leg the leg's id
   * @returns {Promise<"talking" | "listening">}
   */
  async open(leg) {
    this.#microphone = await navigator.mediaDevices
      ?.getUserMedia({ audio: true })
      .catch(() => undefined);
    this.#connection.addEventListener("track", ({ track }) => {
      this.#speaker.srcObject = new MediaStream([track]);
      // A browser that refuses to play before a gesture plays at the next one.
      this.#speaker.play().catch(() => {});
    });
    const [track] = this.#microphone?.getAudioTracks() ?? [];
    this.#connection.addTransceiver(track ?? "audio", {
      direction: track ? "sendrecv" : "recvonly",
    });
    await this.#connection.setLocalDescription();
    const response = await fetch(`/desk/legs/${leg}/audio`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ sdp: this.#connection.localDescription?.sdp }),
    });
    if (!response.ok) {
      this.close();
      throw new Error(`the telephone has no sound: ${await response.text()}`);
    }
    const { sdp } = await response.json();
    await this.#connection.setRemoteDescription({ type: "answer", sdp });
    return track ? "talking" : "listening";
  }

  /** Gives the microphone back and ends the sound. */
  close() {
    for (const track of this.#microphone?.getTracks() ?? []) track.stop();
    this.#speaker.srcObject = null;
    this.#connection.close();
  }
}
