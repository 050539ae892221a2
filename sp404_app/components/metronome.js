// A click on every beat of what plays, higher on the first of a bar, to judge a tempo by ear.

import * as engine from "../player/engine.js"; // player.py puts it there

const AHEAD = 0.12; // seconds that clicks are scheduled in advance
const EVERY = 25; // milliseconds
const JUMP = 0.05; // seconds: a position further off than this was sought or began anew
const BAR = 4;
const listeners = new Set();
let timer = null;
let pulse = { id: "", first: 0, period: 0, downbeat: 0 };
let last = null; // { at, position, until } of the previous tick; times of the audio clock

export const subscribe = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
export const isOn = () => timer !== null;
export function follow(next) {
  pulse = next;
  last = null;
}

function click(context, when, strong) {
  const tone = context.createOscillator();
  const loudness = context.createGain();
  tone.frequency.value = strong ? 1760 : 1175;
  loudness.gain.setValueAtTime(strong ? 0.5 : 0.3, when);
  loudness.gain.exponentialRampToValueAtTime(0.001, when + 0.045);
  tone.connect(loudness).connect(context.destination);
  tone.start(when);
  tone.stop(when + 0.05);
}

function went(at, position, length) {
  if (!last) return false;
  const expected = (last.position + at - last.at) % length;
  const off = Math.abs(expected - position);
  return Math.min(off, length - off) < JUMP;
}

function tick() {
  const { track, playing, loading, loop } = engine.getSnapshot();
  if (!playing || loading || !track || track.id !== pulse.id || pulse.period <= 0) {
    last = null;
    return;
  }
  const context = engine.clock();
  const at = context.currentTime;
  const position = engine.position();
  const from = went(at, position, track.seconds) ? last.until : at - JUMP / 2;
  const until = at + AHEAD;
  const rounds = loop && track.loops ? 2 : 1; // the loop may begin again within what is scheduled
  for (let round = 0; round < rounds; round += 1)
    for (let n = 0; pulse.first + n * pulse.period < track.seconds; n += 1) {
      const when = at + pulse.first + n * pulse.period + round * track.seconds - position;
      if (when >= until) break;
      if (when >= from) click(context, Math.max(at, when), (n + BAR - pulse.downbeat) % BAR === 0);
    }
  last = { at, position, until };
}

export function turn(on) {
  clearInterval(timer);
  timer = on ? setInterval(tick, EVERY) : null;
  last = null;
  listeners.forEach((listener) => listener());
}
