// Runs the audio thread's code on the page, block by block, without an audio device.

import { velocityGain, voiceParameters } from "/pad_parameters.js";

const BLOCK = 128;

window.AudioWorkletProcessor = class {
  constructor() {
    this.port = { reports: [], postMessage: (report) => this.port.reports.push(report) };
  }
};
window.registerProcessor = (_, processor) => {
  window.PadProcessor = processor;
};

const decode = (text, type) => new type(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);

function encode(samples) {
  const bytes = new Uint8Array(samples.buffer);
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

function toMessages({ pads, rate }, { what, key, keys = [key], at = 0, ...more }) {
  const numberOf = (name) => Object.keys(pads).indexOf(name);
  const parametersOf = (name, settings) => voiceParameters(settings || pads[name].settings, pads[name].frames, rate);
  const press = (name) => ({
    key: name,
    audioId: numberOf(name),
    parameters: parametersOf(name),
    gain: velocityGain(pads[name].settings, more.velocity ?? 127),
  });
  if (what === "press") return { at, type: "addEvent", what: "start", frame: more.frame ?? at, pads: keys.map(press) };
  if (what === "release") return { at, type: "addEvent", what: "release", frame: more.frame ?? at, key };
  if (what === "set") return { at, type: "setParameters", key, parameters: parametersOf(key, more.settings) };
  return { at, type: what, ...more };
}

function audioMessages(pads) {
  return Object.values(pads).flatMap((pad, id) => {
    const { channels, held } = pad;
    const samples = decode(pad.samples, Int16Array);
    pad.frames = samples.length / channels;
    return (held || [[0, pad.frames, 0]]).map(([from, to, at]) => {
      const data = samples.slice(from * channels, to * channels);
      return { at, type: "addAudio", id, channels, from, data };
    });
  });
}

// Returns the channels as base64 of 32-bit floats, and the reports.
window.playOffline = async (scene) => {
  window.sampleRate = scene.rate;
  await import("/pad_processor.js");
  const processor = new window.PadProcessor();
  const messages = [...audioMessages(scene.pads), ...scene.events.map((event) => toMessages(scene, event))];
  processor.setLimits({ maxVoices: scene.voices, stereoCost: scene.voices === 12 ? 2 : 1 });
  const blocks = Math.ceil(scene.frames / BLOCK);
  const sides = [new Float32Array(blocks * BLOCK), new Float32Array(blocks * BLOCK)];
  for (let start = 0; start < blocks * BLOCK; start += BLOCK) {
    window.currentFrame = start;
    for (const message of messages.filter(({ at }) => at >= start && at < start + BLOCK)) processor.port.onmessage({ data: message });
    processor.process([], [sides.map((side) => side.subarray(start, start + BLOCK))]);
  }
  return { sides: sides.map(encode), reports: processor.port.reports };
};

// Whether every number that a voice gets is usable, whatever the settings are.
window.hasOnlyNumbers = (settings) => {
  const { mode, hold, ...numbers } = voiceParameters(settings, 1000, 48000);
  return Object.values(numbers).every((value) => Number.isFinite(Number(value))) && hold > 0 && numbers.end > numbers.start;
};
