// Metronome: clicks on every beat of the playing sound, higher on the downbeat, to check a tempo by ear.

import * as player from "../player/audio_player.js"; // the asset folder of player.py

const SCHEDULE_AHEAD_S = 0.12;
const TICK_MS = 25;
const MAX_DRIFT_S = 0.05; // a larger jump of the position is a seek or a restart
const BEATS_PER_BAR = 4;
const listeners = new Set();
let timer = null;
let beats = { id: "", first: 0, period: 0, downbeat: 0 };
let last = null; // { at, position, until } of the previous tick, in seconds of the audio clock

export const subscribe = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
export const isEnabled = () => timer !== null;
export function setBeats(next) {
  beats = next;
  last = null;
}

function click(context, when, downbeat) {
  const tone = context.createOscillator();
  const loudness = context.createGain();
  tone.frequency.value = downbeat ? 1760 : 1175;
  loudness.gain.setValueAtTime(downbeat ? 0.5 : 0.3, when);
  loudness.gain.exponentialRampToValueAtTime(0.001, when + 0.045);
  tone.connect(loudness).connect(context.destination);
  tone.start(when);
  tone.stop(when + 0.05);
}

function isContinuous(at, position, length) {
  if (!last) return false;
  const expected = (last.position + at - last.at) % length;
  const drift = Math.abs(expected - position);
  return Math.min(drift, length - drift) < MAX_DRIFT_S;
}

function tick() {
  const { track, playing, loading, loop } = player.getSnapshot();
  if (!playing || loading || !track || track.id !== beats.id || beats.period <= 0) {
    last = null;
    return;
  }
  const context = player.audioContext();
  const at = context.currentTime;
  const position = player.position();
  const from = isContinuous(at, position, track.seconds) ? last.until : at - MAX_DRIFT_S / 2;
  const until = at + SCHEDULE_AHEAD_S;
  const rounds = loop && track.loops ? 2 : 1; // the loop may restart within the scheduled time
  for (let round = 0; round < rounds; round += 1)
    for (let n = 0; beats.first + n * beats.period < track.seconds; n += 1) {
      const when = at + beats.first + n * beats.period + round * track.seconds - position;
      if (when >= until) break;
      if (when >= from) click(context, Math.max(at, when), (n + BEATS_PER_BAR - beats.downbeat) % BEATS_PER_BAR === 0);
    }
  last = { at, position, until };
}

export function setEnabled(on) {
  clearInterval(timer);
  timer = on ? setInterval(tick, TICK_MS) : null;
  last = null;
  listeners.forEach((listener) => listener());
}
