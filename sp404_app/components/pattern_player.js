// Plays a pattern with the pads of the project. Notes are sent to the audio thread a little ahead of
// time, each with its frame of the audio clock, so that no page update or busy moment shifts one.

import * as engine from "./pad_engine.js";

const GROUP = "pattern";
const LEAD_S = 0.1; // from Play to the first note
const AHEAD_S = 0.25;
const AHEAD_HIDDEN_S = 2.5; // browsers run the timers of a hidden tab once a second
const STEP_MS = 40;
const MAX_LOADING_MS = 20_000;
const MAX_NOTES_A_STEP = 500;

const listeners = new Set();
let snapshot = { state: "stopped", number: 0, loops: true }; // or loading, playing
let run = null; // what is being played
let newestRun = 0;

export const subscribe = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
export const getSnapshot = () => snapshot;

function setState(change) {
  snapshot = { ...snapshot, ...change };
  listeners.forEach((listener) => listener());
}

const keyOf = ({ bank, pad }) => `${bank}${pad}`;

// Notes with the tick of their end. A note ends at the latest where its pad plays again, after the
// last note of the pattern at the first one of its next pass. Of notes of one pad at one tick the last
// one plays: each would silence the one before it, and a file with thousands would stop all sound.
export function withEnds(notes, length) {
  const following = new Map(); // key of a pad → tick of its next note
  for (const note of notes) if (!following.has(keyOf(note))) following.set(keyOf(note), note.tick + length);
  const found = [];
  for (const note of [...notes].reverse()) {
    const key = keyOf(note);
    if (following.get(key) === note.tick) continue;
    const end = Math.min(note.tick + Math.max(1, note.length), following.get(key));
    following.set(key, note.tick);
    found.push({ ...note, key, end });
  }
  return found.reverse();
}

const framesPerTick = ({ tempo, ppq }, rate) => (rate * 60) / (tempo * ppq);
const frameOf = ({ anchor, framesPerTick: size }, tick) => anchor.frame + Math.round((tick - anchor.tick) * size);
const ticksAt = ({ anchor, framesPerTick: size }, frame) => anchor.tick + (frame - anchor.frame) / size;

// `pattern` is a pattern of the API with its notes.
export async function play(pattern) {
  if (snapshot.state !== "stopped") engine.stopAll();
  newestRun += 1;
  const wantedRun = newestRun;
  const keys = pattern.pads.map(keyOf);
  engine.setWanted(keys);
  setState({ state: "loading", number: pattern.number });
  const hasSound = pattern.pads.filter(({ has_sound: has }) => has).map(keyOf);
  const tooLate = new Promise((resolve) => setTimeout(resolve, MAX_LOADING_MS));
  await Promise.race([engine.whenPlayable(hasSound), tooLate]);
  if (wantedRun === newestRun) start(pattern);
}

function start(pattern) {
  const clock = engine.getClock();
  if (!clock || pattern.length < 1) {
    end();
    return;
  }
  run = {
    notes: withEnds(pattern.notes, pattern.length),
    ppq: pattern.ppq,
    rate: clock.rate,
    length: pattern.length,
    anchor: { tick: 0, frame: clock.frame + Math.round(LEAD_S * clock.rate) },
    framesPerTick: framesPerTick(pattern, clock.rate),
    pass: 0, // of the next note
    next: 0, // its index
    until: clock.frame, // notes before it are sent
    timer: setInterval(step, STEP_MS),
  };
  setState({ state: "playing" });
  step();
}

// Sends the notes that sound soon.
function step() {
  const clock = engine.getClock();
  if (!clock) {
    end();
    return;
  }
  run.until = Math.max(run.until, clock.frame + Math.round((document.hidden ? AHEAD_HIDDEN_S : AHEAD_S) * clock.rate));
  for (let sent = 0; sent < MAX_NOTES_A_STEP && hasNext(); sent += 1) sendNext();
  const isOver = run.pass > 0 && !snapshot.loops;
  if (isOver && clock.heard >= frameOf(run, run.pass * run.length)) end();
}

const nextTick = () => run.pass * run.length + (run.notes[run.next]?.tick ?? run.length);
const hasNext = () => (run.pass === 0 || snapshot.loops) && frameOf(run, nextTick()) < run.until;

// After the last note of a pass, goes on to the next pass.
function sendNext() {
  const note = run.notes[run.next];
  if (!note) {
    Object.assign(run, { pass: run.pass + 1, next: 0 });
    return;
  }
  const passStart = run.pass * run.length;
  const [frame, releaseFrame] = [frameOf(run, passStart + note.tick), frameOf(run, passStart + note.end)];
  engine.scheduleNote(note.key, { frame, releaseFrame, velocity: note.velocity, semitones: note.semitones, group: GROUP });
  run.next += 1;
}

// Sends no more notes; what sounds goes on.
function end() {
  newestRun += 1;
  if (run) clearInterval(run.timer);
  run = null;
  if (snapshot.state !== "stopped") setState({ state: "stopped" });
}

export const stop = () => engine.stopAll();
engine.onStopAll(end);

// Without loops, the pattern ends after the present pass.
export const setLoops = (loops) => setState({ loops });

// Another tempo holds from the notes on that are not sent yet.
export function setTempo(tempo) {
  if (!run) return;
  run.anchor = { frame: run.until, tick: ticksAt(run, run.until) };
  run.framesPerTick = framesPerTick({ tempo, ppq: run.ppq }, run.rate);
}

// The tick that is heard now, or null.
export function position() {
  const clock = run && engine.getClock();
  if (!clock) return null;
  return Math.max(0, ticksAt(run, clock.heard)) % run.length;
}
