// Mixes the sounding pads. The page sends audio, settings and presses; it gets back which pads sound,
// where they are, and the level. Presses and releases happen at a frame of the context's clock.

import { FADE_S, PadAudio, Voice } from "./pad_voice.js";

const REPORTS_PER_S = 30;
const MASTER_STEP = 1 / 2048; // per frame

class PadProcessor extends AudioWorkletProcessor {
  constructor() {
    super();
    this.audio = new Map();
    this.voices = [];
    this.events = []; // sorted by frame
    this.maxVoices = 32;
    this.stereoCost = 1;
    this.fadeFrames = Math.round(FADE_S * sampleRate);
    this.master = 1;
    this.masterTarget = 1;
    this.hasChanged = false;
    this.resetMeter();
    this.wasSilent = true;
    this.port.onmessage = ({ data }) => this[data.type](data);
  }

  // Messages of the page.

  setLimits({ maxVoices, stereoCost }) {
    Object.assign(this, { maxVoices, stereoCost });
  }

  setMaster({ gain }) {
    this.masterTarget = gain;
  }

  addAudio({ id, channels, from, data, replaces }) {
    if (!this.audio.has(id)) this.audio.set(id, new PadAudio(channels));
    const audio = this.audio.get(id);
    if (replaces) audio.pieces = [];
    audio.addPiece(from, data);
  }

  removePiece({ id, from }) {
    this.audio.get(id)?.removePiece(from);
  }

  removeAudio({ id, letsVoicesEnd }) {
    const audio = this.audio.get(id);
    this.audio.delete(id);
    if (letsVoicesEnd) return;
    this.voices.forEach((voice) => voice.audio === audio && voice.choke());
  }

  setParameters({ key, parameters }) {
    this.voices.forEach((voice) => voice.key === key && !voice.isFixed && voice.updateParameters(parameters));
  }

  // A release does not happen before the start that it belongs to. `group` is that of a pattern's notes:
  // a finger is not held by notes to come.
  addEvent(message) {
    const isStart = ({ what, group, pads }) => what === "start" && group === message.group && pads.some(({ key }) => key === message.key);
    const lastStart = this.events.findLast(isStart)?.frame ?? 0; // from the end: most belong to what came just before
    const event = { ...message, frame: Math.max(message.frame, lastStart) };
    const before = this.events.findLastIndex(({ frame }) => frame <= event.frame);
    this.events.splice(before + 1, 0, event);
  }

  stopAll() {
    this.events = [];
    this.voices.forEach((voice) => voice.choke());
  }

  // Events, at their frame.

  start({ pads }) {
    const [pressed] = pads;
    const isHeard = (voice) => !voice.fade && voice.key === pressed.key;
    if (pressed.parameters.toggles && this.voices.some(isHeard)) {
      this.voices.forEach((voice) => pads.some(({ key }) => key === voice.key) && voice.release());
      return;
    }
    pads.forEach((pad) => this.silenceFor(pad));
    pads.forEach((pad) => this.startVoice(pad));
  }

  // A pad restarts itself, and silences the other pads of its mute group.
  silenceFor({ key, parameters }) {
    const { muteGroup } = parameters;
    const isMuted = (voice) => muteGroup > 0 && voice.parameters.muteGroup === muteGroup;
    this.voices.forEach((voice) => (voice.key === key || isMuted(voice)) && voice.choke());
  }

  startVoice(pad) {
    const audio = this.audio.get(pad.audioId);
    if (!audio) return;
    const voice = new Voice({ ...pad, audio, fadeFrames: this.fadeFrames });
    this.stealFor(voice);
    this.voices.push(voice);
    this.hasChanged = true;
  }

  cost(voice) {
    return voice.audio.channels === 2 ? this.stereoCost : 1;
  }

  // Stops the oldest voices while there are too many; voices are in the order of their start.
  stealFor(fresh) {
    const held = this.voices.filter((voice) => !voice.isChoked);
    let used = held.reduce((sum, voice) => sum + this.cost(voice), this.cost(fresh));
    for (const voice of held) {
      if (used <= this.maxVoices) return;
      voice.choke();
      used -= this.cost(voice);
    }
  }

  release({ key }) {
    this.voices.forEach((voice) => voice.key === key && voice.parameters.gate && voice.release());
  }

  // Rendering.

  process(_, [[left, right]]) {
    let from = 0;
    while (from < left.length) {
      this.runEvents(currentFrame + from);
      const next = this.events.length ? this.events[0].frame - currentFrame : left.length;
      const to = Math.min(left.length, next);
      for (const voice of this.voices) voice.render(left, right, from, to);
      from = to;
    }
    this.removeEnded();
    this.applyMaster(left, right);
    this.measure(0, left);
    this.measure(1, right);
    this.meterFrames += left.length;
    if (this.hasChanged || this.meterFrames * REPORTS_PER_S >= sampleRate) this.report();
    return true;
  }

  runEvents(frame) {
    while (this.events.length && this.events[0].frame <= frame) {
      const event = this.events.shift();
      this[event.what](event);
    }
  }

  removeEnded() {
    if (!this.voices.some((voice) => voice.ended)) return;
    this.voices = this.voices.filter((voice) => !voice.ended);
    this.hasChanged = true;
  }

  applyMaster(left, right) {
    if (this.master === 1 && this.masterTarget === 1) return;
    for (let n = 0; n < left.length; n += 1) {
      const difference = this.masterTarget - this.master;
      this.master = Math.abs(difference) <= MASTER_STEP ? this.masterTarget : this.master + Math.sign(difference) * MASTER_STEP;
      left[n] *= this.master;
      right[n] *= this.master;
    }
  }

  // Level meter: peak and RMS of each channel since the last report.

  resetMeter() {
    this.meterFrames = 0;
    this.peaks = [0, 0];
    this.squares = [0, 0];
  }

  measure(channel, samples) {
    let peak = this.peaks[channel];
    let squares = 0;
    for (let n = 0; n < samples.length; n += 1) {
      peak = Math.max(peak, Math.abs(samples[n]));
      squares += samples[n] * samples[n];
    }
    this.peaks[channel] = peak;
    this.squares[channel] += squares;
  }

  // Silence is reported once.
  report() {
    const isSilent = !this.voices.length && !this.peaks[0] && !this.peaks[1];
    if (!isSilent || !this.wasSilent || this.hasChanged) {
      const voices = this.voices.map(({ key, audioId, position, direction }) => ({ key, audioId, position, direction }));
      const rms = this.squares.map((sum) => Math.sqrt(sum / this.meterFrames));
      this.port.postMessage({ voices, peaks: this.peaks, rms });
    }
    this.wasSilent = isSilent;
    this.hasChanged = false;
    this.resetMeter();
  }
}

registerProcessor("pad-processor", PadProcessor);
