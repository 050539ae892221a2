// The page of the pad tests: the engine, and a recorder behind everything that is sent to an output.

import * as engine from "/pad_engine.js";
import * as midi from "/pad_midi.js";
import * as patterns from "/pattern_player.js";

const connect = AudioNode.prototype.connect;
const recorders = [];

AudioNode.prototype.connect = function (...args) {
  if (args[0] === this.context.destination) recorders.push({ context: this.context, added: addRecorder(this) });
  return connect.apply(this, args);
};

async function addRecorder(node) {
  await node.context.audioWorklet.addModule("/pad_recorder.js");
  const recorder = new AudioWorkletNode(node.context, "pad-recorder", { outputChannelCount: [2] });
  connect.call(node, recorder);
  return recorder;
}

async function tellRecorder(rate, message) {
  const { port } = await recorders.find(({ context }) => context.sampleRate === rate).added;
  return new Promise((resolve) => {
    port.onmessage = ({ data }) => resolve(data);
    port.postMessage(message);
  });
}

function toBase64(samples) {
  const bytes = new Uint8Array(samples.buffer);
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

const audio = {
  start: (rate) => tellRecorder(rate, "start"),
  heard: (rate) => tellRecorder(rate, "count"),
  // Returns what was recorded as base64 of interleaved 16-bit samples.
  async stop(rate) {
    const blocks = await tellRecorder(rate, "stop");
    const samples = new Int16Array(blocks.length * 256);
    blocks.forEach(([left, right], block) => {
      for (let n = 0; n < 128; n += 1) {
        samples[block * 256 + 2 * n] = Math.round(left[n] * 32768);
        samples[block * 256 + 2 * n + 1] = Math.round(right[n] * 32768);
      }
    });
    return toBase64(samples);
  },
};

engine.subscribe(() => {
  window.hasPlayed ||= engine.getSnapshot().playing.length > 0;
});

Object.assign(window, { engine, midi, patterns, audio, hasPlayed: false });
