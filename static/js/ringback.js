// @ts-check
/**
 * The tone a caller expects while the telephone rings. It is made here because the network's own may
 * not come through; it stops for good as soon as anything is heard from the far side.
 */

/** 425 Hz, one second in five: recommended by ITU-T E.180, known to most of the world. */
const FREQUENCY_HZ = 425;
const ON_SECONDS = 1;
const PERIOD_SECONDS = 5;
const VOLUME = 0.06;
/** Keeps the edges of the tone from clicking. */
const FADE_SECONDS = 0.02;
const LISTEN_MS = 200;

export class Ringback {
  #isAudible;
  /** @type {AudioContext|null} */
  #context = null;
  /** @type {ReturnType<typeof setInterval>|undefined} */
  #listening;
  #silenced = false;

  /** @param {() => boolean} isAudible */
  constructor(isAudible) {
    this.#isAudible = isAudible;
  }

  start() {
    if (this.#context !== null || this.#silenced) return;
    try {
      this.#context = play();
    } catch {
      // A device without sound output: the words say that it rings.
      return;
    }
    this.#listening = setInterval(() => {
      if (!this.#isAudible()) return;
      this.stop();
      this.#silenced = true;
    }, LISTEN_MS);
  }

  stop() {
    clearInterval(this.#listening);
    this.#context?.close().catch(() => {});
    this.#context = null;
  }

  /** Makes ready for another call. */
  reset() {
    this.stop();
    this.#silenced = false;
  }
}

/** One period of the tone, looped. */
function play() {
  const context = new AudioContext();
  const rate = context.sampleRate;
  const period = context.createBuffer(1, PERIOD_SECONDS * rate, rate);
  const samples = period.getChannelData(0);
  for (let i = 0; i < ON_SECONDS * rate; i += 1) {
    const seconds = i / rate;
    const fade = Math.min(1, seconds / FADE_SECONDS, (ON_SECONDS - seconds) / FADE_SECONDS);
    samples[i] = VOLUME * fade * Math.sin(2 * Math.PI * FREQUENCY_HZ * seconds);
  }
  const source = context.createBufferSource();
  source.buffer = period;
  source.loop = true;
  source.connect(context.destination);
  source.start();
  return context;
}
