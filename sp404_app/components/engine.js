// The one player of the app and what the list on screen knows. It lives outside React, so
// that no update of a page can restart or interrupt a sound.

const SHORT = 90; // seconds; longer sounds are streamed instead of decoded whole
const KEPT = 24; // decoded sounds that stay in memory

let context;
let output;
let voice = null;
let ticket = 0; // only the newest request to play may start
const decoded = new Map();
const rows = new Map();
const listeners = new Set();
const waiting = { index: -1 };

let snapshot = {
  track: null,
  playing: false,
  loading: false,
  error: "",
  loop: true,
  levelled: true,
  autoplay: true,
  volume: 1,
  cursor: -1,
  cursorId: undefined,
};

export const subscribe = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
export const getSnapshot = () => snapshot;

function set(change) {
  snapshot = { ...snapshot, ...change };
  listeners.forEach((listener) => listener());
}

function audio() {
  if (!context) {
    context = new AudioContext({ latencyHint: "interactive" });
    output = context.createGain();
    output.connect(context.destination);
  }
  if (context.state === "suspended") context.resume();
  return context;
}

export const clock = () => audio(); // what a metronome has to keep time with

const address = (track) => `/api/samples/${track.id}/audio?format=play`;
const gainOf = (track) => (snapshot.levelled ? 10 ** ((track.gain || 0) / 20) : 1);

async function fetchBuffer(track) {
  const answer = await fetch(address(track));
  if (!answer.ok) throw new Error("This sound could not be loaded.");
  return audio().decodeAudioData(await answer.arrayBuffer());
}

function bufferOf(track) {
  const known = decoded.get(track.id);
  if (known) {
    decoded.delete(track.id); // moves to the end: the oldest is dropped first
    decoded.set(track.id, known);
    return known;
  }
  const coming = fetchBuffer(track);
  decoded.set(track.id, coming);
  coming.catch(() => decoded.delete(track.id));
  while (decoded.size > KEPT) decoded.delete(decoded.keys().next().value);
  return coming;
}

export function prefetch(track) {
  if (track && track.playable && track.seconds <= SHORT && context) bufferOf(track).catch(() => {});
}

class BufferVoice {
  constructor(buffer, track, offset) {
    this.duration = buffer.duration;
    this.source = context.createBufferSource();
    this.source.buffer = buffer;
    this.gain = context.createGain();
    this.gain.gain.value = gainOf(track);
    this.source.connect(this.gain).connect(output);
    this.loop(snapshot.loop && track.loops);
    this.offset = offset % this.duration || 0;
    this.began = context.currentTime;
    this.source.onended = () => ended(this);
    this.source.start(0, this.offset);
  }
  loop(on) {
    if (this.source.loop && !on) this.rebase();
    this.source.loop = on;
  }
  rebase() {
    this.offset = this.position();
    this.began = context.currentTime;
  }
  position() {
    const at = this.offset + context.currentTime - this.began;
    return this.source.loop ? at % this.duration : Math.min(at, this.duration);
  }
  level(value) {
    this.gain.gain.value = value;
  }
  stop() {
    this.source.onended = null;
    this.source.stop();
    this.gain.disconnect();
  }
}

class StreamVoice {
  constructor(track, offset) {
    this.duration = track.seconds;
    this.element = new Audio(address(track));
    this.element.currentTime = offset;
    this.element.loop = snapshot.loop && track.loops;
    this.gain = context.createGain();
    this.gain.gain.value = gainOf(track);
    context.createMediaElementSource(this.element).connect(this.gain).connect(output);
    this.element.onended = () => ended(this);
    this.element.onerror = () => set({ playing: false, error: "This sound could not be loaded." });
    this.element.play().catch(() => set({ playing: false }));
  }
  loop(on) {
    this.element.loop = on;
  }
  position() {
    return this.element.currentTime;
  }
  level(value) {
    this.gain.gain.value = value;
  }
  stop() {
    this.element.pause();
    this.element.removeAttribute("src");
    this.gain.disconnect();
  }
}

function ended(which) {
  if (which !== voice) return;
  voice = null;
  resumeAt = 0;
  set({ playing: false });
}

let resumeAt = 0;

export function position() {
  return voice ? voice.position() : resumeAt;
}

function silence() {
  if (voice) voice.stop();
  voice = null;
}

export async function play(track, offset = 0) {
  const mine = ++ticket;
  audio();
  silence();
  resumeAt = offset;
  set({ track, playing: true, loading: true, error: "" });
  try {
    const buffer = track.seconds <= SHORT ? await bufferOf(track) : null;
    if (mine !== ticket) return;
    voice = buffer ? new BufferVoice(buffer, track, offset) : new StreamVoice(track, offset);
    set({ loading: false });
  } catch (error) {
    if (mine === ticket) set({ playing: false, loading: false, error: error.message });
  }
}

export function pause() {
  resumeAt = position();
  ticket += 1;
  silence();
  set({ playing: false, loading: false });
}

export function toggle() {
  if (snapshot.playing) pause();
  else if (snapshot.track) play(snapshot.track, resumeAt);
}

export function seek(seconds) {
  const { track, playing } = snapshot;
  if (!track) return;
  const at = Math.max(0, Math.min(seconds, Math.max(0, track.seconds - 0.005)));
  if (playing) play(track, at);
  else {
    resumeAt = at;
    set({});
  }
}

export function choose(change) {
  set(change);
  if (voice && "loop" in change) voice.loop(change.loop && snapshot.track.loops);
  if (voice && "levelled" in change) voice.level(gainOf(snapshot.track));
  if ("volume" in change && output) output.gain.value = change.volume;
}

// The list on screen: rows say which sound stands at which place.

export function register(index, track) {
  rows.set(index, track);
  if (waiting.index === index) {
    waiting.index = -1;
    set({ cursorId: track.id });
    audition(track);
  }
  return () => rows.get(index) === track && rows.delete(index);
}

function audition(track) {
  if (!track.playable) return;
  if (snapshot.autoplay) play(track);
  else {
    pause();
    resumeAt = 0;
    set({ track });
  }
}

export function at(index) {
  return rows.get(index);
}

export function cursorTo(index) {
  set({ cursor: index, cursorId: rows.get(index)?.id });
  waiting.index = -1;
  if (index < 0) return;
  const track = rows.get(index);
  if (track) audition(track);
  else waiting.index = index;
  [1, 2, -1].forEach((step) => prefetch(rows.get(index + step)));
}

// After another search the cursor stays on its sound, wherever that stands now.
export function keepCursor() {
  const found = [...rows].find(([, track]) => track.id === snapshot.cursorId);
  if (snapshot.cursor >= 0) set({ cursor: found ? found[0] : -1 });
}

export function flagsOf(index, id) {
  const flags = [];
  if (snapshot.cursor === index) flags.push("at-cursor");
  if (snapshot.track && snapshot.track.id === id) flags.push(snapshot.playing ? "playing" : "loaded");
  return flags.join(" ");
}
