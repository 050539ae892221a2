// The audio player, and the keyboard cursor of the sample table. Its state lives outside React, so
// that a re-render cannot restart or interrupt playback.

import { BufferVoice, StreamVoice } from "./player_voices.js";
import { loadMatch, matchOf, NO_MATCH, saveMatch, validMatch } from "./preview_match.js";
import { stretchedBuffer } from "./stretched_buffers.js";

const MAX_DECODED_S = 90; // longer sounds are streamed instead of decoded into memory
const MAX_CACHED_BUFFERS = 24;

const VOLUME_KEY = "crate404.volume"; // remembered by this browser, as loudspeakers differ

const LOAD_FAILED = "Couldn’t load this sound.";
const STRETCH_FAILED = "Couldn’t change tempo and key here. It plays as it is.";
const MIN_REGION_S = 0.02;

let context;
let output;
let voice = null;
let newestRequest = 0; // an earlier play() whose audio arrives later does not start
const decoded = new Map();
const rows = new Map();
const listeners = new Set();
const pendingCursor = { index: -1 };

let snapshot = {
  track: null,
  playing: false,
  loading: false,
  error: "",
  loop: true,
  levelled: true,
  volume: 1, // 0 to 1
  muted: false,
  match: NO_MATCH, // the tempo and key to play in
  region: null, // the part that is repeated, [from, to] in seconds
  autoplay: true,
  through: false, // whether a list plays through: the next sound starts when one ends
  cursor: -1,
  cursorId: undefined,
};

export const subscribe = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
export const getSnapshot = () => snapshot;

function setState(change) {
  snapshot = { ...snapshot, ...change };
  listeners.forEach((listener) => listener());
}

export function audioContext() {
  if (!context) {
    context = new AudioContext({ latencyHint: "interactive" });
    output = context.createGain();
    output.gain.value = outputGain();
    output.connect(context.destination);
  }
  if (context.state === "suspended") context.resume();
  return context;
}

// The square of the volume: half of it then sounds about half as loud.
const outputGain = () => (snapshot.muted ? 0 : snapshot.volume ** 2);

export function setVolume(change) {
  setState(change);
  if (output) output.gain.setTargetAtTime(outputGain(), context.currentTime, 0.01); // without a click
  try {
    localStorage.setItem(VOLUME_KEY, JSON.stringify({ volume: snapshot.volume, muted: snapshot.muted }));
  } catch {
    // Storage is refused: the volume holds until the page is left.
  }
}

export function loadVolume() {
  try {
    const { volume, muted } = JSON.parse(localStorage.getItem(VOLUME_KEY));
    if (volume >= 0 && volume <= 1) setState({ volume, muted: muted === true });
  } catch {
    // Nothing valid is stored: the volume stays at its default.
  }
}

const audioUrl = (track) => `/api/samples/${track.id}/audio?format=play`;
const repeats = (track) => snapshot.loop && track.loops && !snapshot.through;
const playbackGain = (track) => (snapshot.levelled ? 10 ** ((track.gain || 0) / 20) : 1);

async function fetchBuffer(track) {
  const answer = await fetch(audioUrl(track));
  if (!answer.ok) throw new Error(LOAD_FAILED);
  return audioContext().decodeAudioData(await answer.arrayBuffer());
}

function cachedBuffer(track) {
  const known = decoded.get(track.id);
  if (known) {
    decoded.delete(track.id); // move to the end; the first is evicted
    decoded.set(track.id, known);
    return known;
  }
  const pending = fetchBuffer(track);
  decoded.set(track.id, pending);
  pending.catch(() => decoded.delete(track.id));
  while (decoded.size > MAX_CACHED_BUFFERS) decoded.delete(decoded.keys().next().value);
  return pending;
}

export function prefetch(track) {
  if (track && track.playable && track.seconds <= MAX_DECODED_S && context) cachedBuffer(track).catch(() => {});
}

function onVoiceEnded(endedVoice) {
  if (endedVoice !== voice) return;
  voice = null;
  resumeAt = 0;
  setState({ playing: false });
  if (snapshot.through) playNext();
}

let resumeAt = 0;

export function position() {
  return voice ? voice.position() : resumeAt;
}

function stopVoice() {
  if (voice) voice.stop();
  voice = null;
}

export async function play(track, offset = 0) {
  const request = ++newestRequest;
  audioContext();
  stopVoice();
  resumeAt = offset;
  const region = snapshot.track?.id === track.id ? snapshot.region : null;
  setState({ track, region, playing: true, loading: true, error: "" });
  try {
    const start = await prepareVoice(track, request);
    if (request !== newestRequest) return;
    voice = start({ offset, region: snapshot.region, gain: playbackGain(track), repeats: repeats(track), onEnded: onVoiceEnded });
    setState({ loading: false });
  } catch (error) {
    const message = error instanceof TypeError ? LOAD_FAILED : error.message; // no connection
    if (request === newestRequest) setState({ playing: false, loading: false, error: message });
  }
}

// Loads a sound, in the tempo and key to play in; returns a function that starts it.
async function prepareVoice(track, request) {
  const { speed, semitones } = matchOf(track, snapshot.match);
  if (track.seconds > MAX_DECODED_S) {
    const onError = () => setState({ playing: false, error: LOAD_FAILED });
    return (how) => new StreamVoice(context, output, { ...how, url: audioUrl(track), speed, onError });
  }
  const buffer = await cachedBuffer(track);
  const rate = 2 ** (semitones / 12);
  const shape = { loop: track.loops, percussive: !track.key };
  try {
    const stretched = await stretchedBuffer(context, track.id, buffer, rate / speed, shape);
    return (how) => new BufferVoice(context, output, { ...how, buffer: stretched, seconds: buffer.duration, speed, rate });
  } catch {
    if (request === newestRequest) setState({ error: STRETCH_FAILED });
    return (how) => new BufferVoice(context, output, { ...how, buffer, seconds: buffer.duration, speed: 1, rate: 1 });
  }
}

export const restoreMatch = () => setState({ match: loadMatch() });

export function setMatch(change) {
  const match = validMatch({ ...snapshot.match, ...change });
  saveMatch(match);
  const before = matchOf(snapshot.track, snapshot.match);
  const after = matchOf(snapshot.track, match);
  setState({ match });
  const differs = before.speed !== after.speed || before.semitones !== after.semitones;
  if (snapshot.playing && differs) play(snapshot.track, position());
}

// Repeats a part of the sound, or all of it again if `region` is null.
export function setRegion(region) {
  const { track, playing } = snapshot;
  if (!track) return;
  const [from, to] = region ? [...region].sort((a, b) => a - b).map((moment) => Math.max(0, Math.min(moment, track.seconds))) : [0, 0];
  const at = position();
  const kept = to - from >= MIN_REGION_S ? [from, to] : null;
  setState({ region: kept });
  const isWithin = !kept || (at >= from && at < to);
  if (playing) play(track, isWithin ? at : from);
  else if (!isWithin) resumeAt = from;
}

export function pause() {
  resumeAt = position();
  newestRequest += 1;
  stopVoice();
  setState({ playing: false, loading: false });
}

// Stops a sound that no longer exists or, after a deletion that can be undone, is in the trash now.
export async function pauseDeleted(toTrash) {
  const { track, playing } = snapshot;
  if (!track || !playing) return;
  const answer = await fetch(`/api/samples/${track.id}`).catch(() => null); // without a connection it plays on
  const isDeleted = answer?.ok ? toTrash && Boolean((await answer.json()).deleted_at) : answer?.status === 404;
  if (isDeleted && snapshot.track?.id === track.id) pause();
}

export function toggle() {
  if (snapshot.playing) pause();
  else if (snapshot.track) play(snapshot.track, resumeAt);
}

export function seek(seconds) {
  const { track, playing } = snapshot;
  if (!track) return;
  const at = Math.max(0, Math.min(seconds, Math.max(0, track.seconds - 0.005)));
  const { region } = snapshot;
  if (region && (at < region[0] || at >= region[1])) setState({ region: null });
  if (playing) play(track, at);
  else {
    resumeAt = at;
    setState({});
  }
}

export function configure(change) {
  setState(change);
  if (voice && "loop" in change) voice.setLoop(repeats(snapshot.track));
  if (voice && "levelled" in change) voice.setGain(playbackGain(snapshot.track));
}

// Rows of the sample table register their track under their index.

const SHOWN = ["name", "bpm", "key", "gain", "loops", "playable"];

export function registerRow(index, track) {
  rows.set(index, track);
  // What the player shows may have been analysed or renamed since.
  if (snapshot.track?.id === track.id && SHOWN.some((each) => snapshot.track[each] !== track[each])) setState({ track });
  if (pendingCursor.index === index) {
    pendingCursor.index = -1;
    setState({ cursorId: track.id });
    previewTrack(track);
  }
  return () => rows.get(index) === track && rows.delete(index);
}

function previewTrack(track) {
  if (!track.playable) {
    if (snapshot.through) setTimeout(playNext);
    return;
  }
  if (snapshot.autoplay || snapshot.through) play(track);
  else {
    pause();
    resumeAt = 0;
    setState({ track, region: snapshot.track?.id === track.id ? snapshot.region : null });
  }
}

export function trackAt(index) {
  return rows.get(index);
}

export function moveCursor(index) {
  setState({ cursor: index, cursorId: rows.get(index)?.id });
  pendingCursor.index = -1;
  if (index < 0) return;
  const track = rows.get(index);
  if (track) previewTrack(track);
  else pendingCursor.index = index;
  [1, 2, -1].forEach((step) => prefetch(rows.get(index + step)));
}

// The list that can play through: `moveTo` scrolls to a row and moves the cursor to it.

let list = null;

export function registerList(shown) {
  list = shown;
  return () => {
    if (list !== shown) return;
    list = null;
  };
}

export function playThrough() {
  if (!list || !list.total) return;
  setState({ through: true });
  list.moveTo(Math.max(0, snapshot.cursor));
}

export function stopThrough() {
  setState({ through: false });
  pause();
}

// Lets the present sound play to its end, but not the next one.
export function endThrough() {
  if (!snapshot.through) return;
  setState({ through: false });
  if (voice && snapshot.track) voice.setLoop(repeats(snapshot.track));
}

function playNext() {
  const next = snapshot.cursor + 1;
  if (list && next < list.total) list.moveTo(next);
  else setState({ through: false });
}

// After a new search the cursor stays on its sound, at the new index.
export function keepCursor() {
  const found = [...rows].find(([, track]) => track.id === snapshot.cursorId);
  if (snapshot.cursor >= 0) setState({ cursor: found ? found[0] : -1 });
}

// Moves the cursor without playing.
export function restoreCursor(cursor, cursorId) {
  setState({ cursor, cursorId });
}

// After rows have moved, the cursor follows its sound. If that is gone, the cursor keeps its place.
export function followCursor() {
  if (snapshot.cursor < 0) return;
  const found = [...rows].find(([, track]) => track.id === snapshot.cursorId);
  if (found) setState({ cursor: found[0] });
  else setState({ cursorId: rows.get(snapshot.cursor)?.id });
}

export function rowClasses(index, id) {
  const classes = [];
  if (snapshot.cursor === index) classes.push("at-cursor");
  if (snapshot.track && snapshot.track.id === id) classes.push(snapshot.playing ? "playing" : "loaded");
  return classes.join(" ");
}
