// Plays pads by MIDI controllers. Unless learned, channels 1–10 are banks A–J, and notes 36–51 are
// pads 1–16. The page keeps the learned notes of a user: it gives them in and gets changes back.

const FIRST_NOTE = 36;
const PADS_PER_BANK = 16;
const BANKS = "ABCDEFGHIJ";
const PAD_KEY = /^[A-J]([1-9]|1[0-6])$/;
const NOTE_KEY = /^([1-9]|1[0-6]):([1-9]?\d|1[01]\d|12[0-7])$/;
const NOTE_OFF = 0x80;
const NOTE_ON = 0x90;

const NO_MIDI = "Your browser has no MIDI. Use Chrome, Edge or Firefox.";
const NOT_SECURE = "MIDI needs a secure connection. Open this page with https://.";
const BLOCKED = "Your browser blocked MIDI. Allow it in the site settings.";
const START_FAILED = "MIDI didn’t start. Close other programs that use your controller and try again.";

const listeners = new Set();
const held = new Map(); // "channel:note" → key of the pad that it pressed
let access = null;
let target = { press: () => {}, release: () => {} };
let onMappingChange = () => {};

// `mapping` is `{"channel:note": key of the pad}`, channels from 1, of learned notes only.
let snapshot = { state: "off", devices: [], learning: null, mapping: {}, error: "" };

export const subscribe = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
export const getSnapshot = () => snapshot;

function setState(change) {
  snapshot = { ...snapshot, ...change };
  listeners.forEach((listener) => listener());
}

// `press(key, {velocity, timeStamp})` and `release(key, {timeStamp})`.
export function setTarget(next) {
  target = next;
}

export function setMapping(mapping) {
  const valid = Object.entries(mapping || {}).filter(([note, key]) => NOTE_KEY.test(note) && PAD_KEY.test(key));
  setState({ mapping: Object.fromEntries(valid) });
}

// `callback(mapping)` is called after a note was learned or forgotten.
export function onMapping(callback) {
  onMappingChange = callback;
}

// The next note plays this pad from then on; null ends the learning.
export function learnPad(key) {
  setState({ learning: key });
}

export function forgetNotes() {
  setState({ mapping: {}, learning: null });
  onMappingChange({});
}

export async function enableMidi() {
  if (access) return;
  if (!window.isSecureContext || !navigator.requestMIDIAccess) {
    setState({ state: "unsupported", error: window.isSecureContext ? NO_MIDI : NOT_SECURE });
    return;
  }
  setState({ state: "asking", error: "" });
  try {
    access = await navigator.requestMIDIAccess();
    access.onstatechange = findDevices;
    findDevices();
    setState({ state: "on" });
  } catch (error) {
    const isRefused = ["NotAllowedError", "SecurityError"].includes(error.name);
    setState({ state: isRefused ? "refused" : "failed", error: isRefused ? BLOCKED : START_FAILED });
  }
}

function findDevices() {
  const inputs = [...access.inputs.values()].filter(({ state }) => state !== "disconnected");
  inputs.forEach((input) => {
    input.onmidimessage = onMessage;
  });
  if (inputs.length < snapshot.devices.length) releaseHeld();
  setState({ devices: inputs.map(({ name }) => name || "MIDI controller") });
}

function releaseHeld() {
  held.forEach((key) => target.release(key, {}));
  held.clear();
}

function onMessage({ data, timeStamp }) {
  const [status, note, velocity] = data;
  const channel = (status & 0x0f) + 1;
  const kind = status & 0xf0;
  if (kind === NOTE_ON && velocity > 0) pressNote(channel, note, { velocity, timeStamp });
  else if (kind === NOTE_ON || kind === NOTE_OFF) releaseNote(`${channel}:${note}`, { timeStamp });
}

function pressNote(channel, note, press) {
  const id = `${channel}:${note}`;
  if (snapshot.learning) {
    learnNote(id);
    return;
  }
  const key = snapshot.mapping[id] || defaultPad(channel, note);
  if (!key) return;
  held.set(id, key);
  target.press(key, press);
}

function releaseNote(id, release) {
  if (held.has(id)) target.release(held.get(id), release);
  held.delete(id);
}

function defaultPad(channel, note) {
  const bank = BANKS[channel - 1];
  const index = note - FIRST_NOTE;
  return bank && index >= 0 && index < PADS_PER_BANK ? `${bank}${index + 1}` : null;
}

// One note a pad: learning a pad again replaces its former note.
function learnNote(id) {
  const others = Object.entries(snapshot.mapping).filter(([, key]) => key !== snapshot.learning);
  const mapping = { ...Object.fromEntries(others), [id]: snapshot.learning };
  setState({ mapping, learning: null });
  onMappingChange(mapping);
}
