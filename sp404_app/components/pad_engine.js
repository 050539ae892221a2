// Plays the pads of one project. Its state lives outside React, so that a page update cannot stop a
// sound. The audio thread mixes (pad_processor.js); this module knows the pads, loads their audio
// (pad_loader.js) and turns presses into frames of the audio clock.

import { decodeSound } from "./pad_audio.js";
import * as midi from "./pad_midi.js";
import { PadLoader } from "./pad_loader.js";
import { noteParameters, velocityGain, voiceParameters } from "./pad_parameters.js";
import processorUrl from "./pad_processor.js?worker&url";

const SX_VOICES = 12; // there, a stereo sound takes two voices
const MAX_VELOCITY = 127;
// A press sounds a constant time after its event, a little more than one buffer of the device, so
// that the rhythm stays even. At once would be earlier on average, and uneven.
const DELAY_MARGIN_S = 0.002;
const MAX_DELAY_S = 0.012;
const SUSPEND_AFTER_MS = 200;
const MAX_CLOCK_ERROR_S = 0.25; // beyond it, the clocks of page and audio cannot be compared

const NO_AUDIO = "Your browser can’t play pads. Use a current version of Chrome, Edge, Firefox or Safari.";
const NOT_SECURE = "Pads need a secure connection. Open this page with https://.";
const START_FAILED = "Audio didn’t start. Reload the page.";

const graphs = new Map(); // sample rate → Promise of `{context, node}`
const listeners = new Set();
const stopListeners = new Set();
let pads = new Map(); // by key
let positions = new Map(); // key → frame
let bank = "A";
let wanted = []; // keys of pads that are to be loaded although their bank is not visible
let maxVoices = 32;
let project = null;
let graph = null;
let loader = null;
let newestRange = 0; // an earlier range or original whose audio arrives later does not start

let snapshot = {
  project: null,
  ready: {},
  loading: {},
  failed: {},
  playing: [],
  level: [0, 0],
  rms: [0, 0],
  contextState: "none",
  error: "",
  needsAllBanks: false,
  midi: midi.getSnapshot(),
};

export const subscribe = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
export const getSnapshot = () => snapshot;

const isSame = (a, b) => a === b || (a && b && typeof a === "object" && JSON.stringify(a) === JSON.stringify(b));

// Parts that did not change keep their identity, so that a component may subscribe to one of them.
function setState(change) {
  const fresh = Object.entries(change).filter(([name, value]) => !isSame(snapshot[name], value));
  if (!fresh.length) return;
  snapshot = { ...snapshot, ...Object.fromEntries(fresh) };
  listeners.forEach((listener) => listener());
}

const send = (message, transfer = []) => graph && graph.node.port.postMessage(message, transfer);

// Contexts, one per sample rate.

async function createGraph(rate) {
  const context = new AudioContext({ sampleRate: rate, latencyHint: "interactive" });
  await context.audioWorklet.addModule(processorUrl);
  const node = new AudioWorkletNode(context, "pad-processor", { numberOfInputs: 0, outputChannelCount: [2] });
  node.connect(context.destination);
  node.port.onmessage = ({ data }) => graph && graph.node === node && onReport(data);
  context.onstatechange = () => graph && graph.context === context && setState({ contextState: context.state });
  return { context, node };
}

function openGraph(rate) {
  if (!graphs.has(rate)) {
    const opened = createGraph(rate);
    graphs.set(rate, opened);
    opened.catch(() => graphs.delete(rate));
  }
  return graphs.get(rate);
}

const supportError = () => {
  if (!window.isSecureContext) return NOT_SECURE;
  return window.AudioContext && window.AudioWorkletNode ? "" : NO_AUDIO;
};

// `rate` is the device's: 48000 or 44100. `voices` is 32, or 12 for an SX.
export async function openProject({ id, rate, voices }) {
  closeProject();
  const opened = { id };
  project = opened;
  const error = supportError();
  setState({ project: id, error });
  if (error) return;
  try {
    const found = await openGraph(rate);
    if (project !== opened) return;
    startLoading(found, rate, voices);
  } catch {
    if (project === opened) setState({ error: START_FAILED });
  }
}

function startLoading(found, rate, voices) {
  graph = found;
  maxVoices = voices || 32;
  send({ type: "setLimits", maxVoices, stereoCost: maxVoices === SX_VOICES ? 2 : 1 });
  const decode = (buffer) => decodeSound(graph.context, buffer);
  loader = new PadLoader({ frameRate: rate, send, decode, onChange: onLoaderChange });
  graph.context.resume(); // takes effect at once, or after the first click on the page
  setState({ contextState: graph.context.state });
  updateLoader();
}

// Not at once: the sounds that were stopped would end when the context is used again.
function suspendSoon(closed) {
  setTimeout(() => closed && closed !== graph && closed.context.suspend(), SUSPEND_AFTER_MS);
}

export function closeProject() {
  stopAll();
  loader?.close();
  suspendSoon(graph);
  loader = null;
  graph = null;
  project = null;
  pads = new Map();
  positions = new Map();
  wanted = [];
  newestRange += 1;
  setState({ project: null, needsAllBanks: false, ready: {}, loading: {}, failed: {}, playing: [], level: [0, 0], rms: [0, 0], contextState: "none", error: "" });
}

// Pads.

export function setPads(list) {
  const before = pads;
  pads = new Map(list.map((pad) => [pad.key, pad]));
  updateLoader();
  for (const pad of list) if (!isSame(before.get(pad.key)?.settings, pad.settings)) sendParameters(pad.key);
}

export function setBank(name) {
  bank = name;
  updateLoader();
}

// A pattern plays pads of any bank; the page then passes those of all banks to `setPads`.
export const setNeedsAllBanks = (needsAllBanks) => setState({ needsAllBanks });

// Pads of any bank that are loaded like the visible ones.
export function setWanted(keys) {
  wanted = keys;
  updateLoader();
}

const linkOf = (pad) => pad?.settings?.pad_link || 0;
const padsLinkedTo = (pad) => [...pads.values()].filter((other) => other !== pad && linkOf(pad) > 0 && linkOf(other) === linkOf(pad));

function updateLoader() {
  if (!loader) return;
  const visible = [...pads.values()].filter(({ key }) => key.startsWith(bank));
  const also = wanted.map((key) => pads.get(key)).filter(Boolean);
  const linked = [...also, ...[...visible, ...also].flatMap(padsLinkedTo)];
  loader.setPads({ pads: [...pads.values()], visible: visible.map(({ key }) => key), linked: linked.map(({ key }) => key) });
}

function sendParameters(key) {
  const source = loader?.sources.get(key);
  if (source?.isKnown) send({ type: "setParameters", key, parameters: source.parameters });
}

// The server has a new render of a pad, or the user asks to load it again.
export function invalidate(key) {
  loader?.invalidate(key);
}

function onLoaderChange() {
  const [ready, loading, failed] = [{}, {}, {}];
  for (const { key, state, error } of loader.sources.values()) {
    if (state === "ready") ready[key] = true;
    else if (state === "failed") failed[key] = error;
    else if (state !== "waiting") loading[key] = state;
  }
  setState({ ready, loading, failed });
}

function onReport({ voices, peaks, rms }) {
  positions = new Map(voices.map(({ key, position }) => [key, Math.floor(position)]));
  loader?.setVoices(voices);
  setState({ playing: [...positions.keys()], level: peaks, rms });
}

// Frame of the render at which a pad plays now, or null. It is not in the snapshot, because it changes
// all the time.
export const padPosition = (key) => positions.get(key) ?? null;

// Presses.

function resume() {
  if (graph.context.state !== "running") graph.context.resume();
}

// Frame at which the press of an event sounds; 0 is at once. `getOutputTimestamp` pairs both clocks at
// the output, which is `outputLatency` behind the frames that are rendered now.
function frameOf(timeStamp) {
  const { context } = graph;
  if (!timeStamp || context.state !== "running") return 0;
  const { contextTime, performanceTime } = context.getOutputTimestamp();
  const rendered = contextTime + (timeStamp - performanceTime) / 1000 + (context.outputLatency || 0);
  if (!performanceTime || Math.abs(context.currentTime - rendered) > MAX_CLOCK_ERROR_S) return 0;
  const delay = Math.min(MAX_DELAY_S, (context.baseLatency || 0) + DELAY_MARGIN_S);
  return Math.round((rendered + delay) * context.sampleRate);
}

function toPress(source, velocity) {
  loader.use(source);
  const gain = velocityGain(source.settings, velocity);
  return { key: source.key, audioId: source.id, parameters: source.parameters, gain, isFixed: false };
}

// Starts a pad and the pads linked to it. A pad whose audio is not there yet is loaded before others.
export function pressPad(key, { velocity = MAX_VELOCITY, timeStamp = 0 } = {}) {
  const pad = pads.get(key);
  if (!loader || !pad) return;
  resume();
  newestRange += 1;
  const sources = [pad, ...padsLinkedTo(pad)].map((one) => loader.sources.get(one.key)).filter(Boolean);
  sources.filter((source) => !source.isPlayable).forEach((source) => loader.request(source));
  const started = sources.filter((source) => source.isPlayable).map((source) => toPress(source, velocity));
  if (started.length) send({ type: "addEvent", what: "start", frame: frameOf(timeStamp), pads: started });
}

export function releasePad(key, { timeStamp = 0 } = {}) {
  const pad = pads.get(key);
  if (!loader || !pad) return;
  const frame = frameOf(timeStamp);
  [pad, ...padsLinkedTo(pad)].forEach((one) => send({ type: "addEvent", what: "release", frame, key: one.key }));
}

export function stopAll() {
  newestRange += 1;
  send({ type: "stopAll" });
  stopListeners.forEach((listener) => listener());
}

export function onStopAll(listener) {
  stopListeners.add(listener);
  return () => stopListeners.delete(listener);
}

// Linear, 0 to 1; 1 leaves the audio as it is.
export function setMasterGain(gain) {
  send({ type: "setMaster", gain: Math.max(0, Math.min(Number(gain) || 0, 1)) });
}

// Notes of a pattern, at frames of the audio clock.

// `frame` is rendered next, `heard` leaves the output now; null without a project.
export function getClock() {
  if (!graph) return null;
  const { context } = graph;
  const { sampleRate: rate, currentTime } = context;
  const { contextTime, performanceTime } = context.getOutputTimestamp();
  const heard = contextTime + (performance.now() - performanceTime) / 1000;
  const isKnown = performanceTime && context.state === "running" && Math.abs(heard - currentTime) < MAX_CLOCK_ERROR_S;
  return { rate, frame: Math.round(currentTime * rate), heard: Math.round((isKnown ? heard : currentTime) * rate) };
}

// Resolves when each of these pads can be played or has failed; pads that are not there yet are waited for.
export async function whenPlayable(keys) {
  if (!loader) return;
  resume();
  const isSettled = (key) => loader?.sources.get(key)?.isPlayable || loader?.sources.get(key)?.state === "failed";
  await loader.whenMet(() => keys.every(isSettled));
}

// Starts a pad and the pads linked to it at a frame, and releases them at another one.
export function scheduleNote(key, { frame, releaseFrame, velocity, semitones, group }) {
  const pad = pads.get(key);
  if (!loader || !pad) return;
  const all = [pad, ...padsLinkedTo(pad)];
  const sources = all.map((one) => loader.sources.get(one.key)).filter((source) => source?.isPlayable);
  const toNote = (source) => ({ ...toPress(source, velocity), parameters: noteParameters(source.parameters, semitones), isFixed: semitones !== 0 });
  if (!sources.length) return;
  send({ type: "addEvent", what: "start", frame, group, pads: sources.map(toNote) });
  all.forEach((one) => send({ type: "addEvent", what: "release", frame: releaseFrame, group, key: one.key }));
}

// Auditions.

const ONCE = { play_mode: "forward", loop: false, gate: false, one_shot: true, attack: 0, hold: 100, release: 0 };

async function playOnce(source, isLoaded, toParameters) {
  resume();
  newestRange += 1;
  const request = newestRange;
  loader.request(source);
  await loader.whenMet(() => request !== newestRange || source.state === "failed" || isLoaded());
  if (request !== newestRange || !isLoaded()) return false;
  loader.use(source);
  const press = { key: source.key, audioId: source.id, parameters: toParameters(), gain: 1, isFixed: true };
  send({ type: "addEvent", what: "start", frame: 0, pads: [press] });
  return true;
}

// Plays frames `from` to `to` of a pad's render once, also outside of its start and end. Resolves to
// false if something else was started meanwhile, or it could not be loaded.
export async function playRange(key, from, to) {
  const source = loader?.sources.get(key);
  if (!source) return false;
  const start = Math.max(0, Math.floor(from));
  const bound = () => (source.frames ? Math.min(Math.floor(to), source.frames) : Math.floor(to));
  source.audition = [start, bound()];
  const settings = () => ({ ...source.settings, ...ONCE, start, end: bound() });
  return playOnce(source, () => source.canPlayRange(start, bound()), () => voiceParameters(settings(), source.frames, loader.frameRate));
}

// Plays the original of a pad, from its beginning, at the pad's level and pan, to compare it with the render.
export async function playOriginal(key, url) {
  const pad = pads.get(key);
  if (!loader || !pad) return false;
  const source = loader.originalOf(key, url);
  const { level, pan } = pad.settings || {};
  const parameters = () => voiceParameters({ ...ONCE, level, pan }, source.frames, loader.frameRate);
  return playOnce(source, () => source.isPlayable, parameters);
}

midi.setTarget({ press: pressPad, release: releasePad });
midi.subscribe(() => setState({ midi: midi.getSnapshot() }));
