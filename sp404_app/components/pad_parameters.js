// A pad's settings as the numbers that a voice needs: frames, gains and a playback rate. What only the
// device does is not played: bus effects, roll, chromatic modes, lo-fi, and following a tempo.

export const MAX_ENVELOPE_S = 3; // attack and release at 127
const MAX_LEVEL = 127;
const MAX_PAN = 51;
const MODES = ["forward", "reverse", "ping_pong", "reverse_ping_pong"];

function toNumber(value, fallback, low, high) {
  const isNumber = typeof value === "number" && !Number.isNaN(value);
  return Math.max(low, Math.min(isNumber ? value : fallback, high));
}

// Level and velocity: the square of the value over 127, that is 40·log10 dB as General MIDI
// recommends for volume; 127 is unity.
export const levelGain = (level) => (toNumber(level, MAX_LEVEL, 0, MAX_LEVEL) / MAX_LEVEL) ** 2;

// Pan is a balance: the near channel stays at unity, the far one falls as a quarter cosine to silence.
export function panGains(pan) {
  const part = toNumber(pan, 0, -MAX_PAN, MAX_PAN) / MAX_PAN;
  const far = Math.abs(part) === 1 ? 0 : Math.cos((Math.abs(part) * Math.PI) / 2);
  return part > 0 ? [far, 1] : [1, part < 0 ? far : 1];
}

// With vinyl on, pitch and speed are one value: the speed, or the pitch if no speed is set. With vinyl
// off, the device keeps the length while it changes the pitch, and the pitch while it changes the
// speed. The browser does not: both change its playback rate.
export function playbackRate({ pitch, fine, speed, vinyl }) {
  const bySpeed = toNumber(speed, 100, 50, 150) / 100;
  const byPitch = 2 ** ((toNumber(pitch, 0, -12, 12) + toNumber(fine, 0, -100, 100) / 100) / 12);
  if (vinyl === false) return bySpeed * byPitch;
  return bySpeed === 1 ? byPitch : bySpeed;
}

// Start and end in whole frames, end exclusive; an end that is not set or not after the start is the
// end of the sound.
export function padRegion({ start, end }, frames) {
  const from = Math.floor(toNumber(start, 0, 0, Math.max(0, frames - 1)));
  const to = Math.floor(toNumber(end, frames, 0, frames));
  return to > from ? [from, to] : [from, frames];
}

// A loop point outside of the region, or none, means the whole region.
function loopPoint({ loop, loop_top: top }, mode, start, end) {
  const whole = mode === "reverse" ? end : start;
  return loop && typeof top === "number" && top > start && top < end ? Math.floor(top) : whole;
}

function envelopeFrames(value, frameRate) {
  return Math.round((toNumber(value, 0, 0, MAX_LEVEL) / MAX_LEVEL) * MAX_ENVELOPE_S * frameRate);
}

// Hold counts played frames; a loop has no end, so hold does not end it.
function holdFrames({ hold, loop }, length, rate) {
  const percent = toNumber(hold, 100, 1, 100);
  return loop || percent === 100 ? Infinity : Math.max(1, Math.round(((length / rate) * percent) / 100));
}

export function voiceParameters(settings, frames, frameRate) {
  const mode = MODES.includes(settings.play_mode) ? settings.play_mode : "forward";
  const [start, end] = padRegion(settings, frames);
  const rate = playbackRate(settings);
  const gain = levelGain(settings.level);
  const [left, right] = panGains(settings.pan).map((side) => side * gain);
  const isOneShot = Boolean(settings.one_shot);
  const gate = Boolean(settings.gate) && !isOneShot;
  const loop = Boolean(settings.loop) && !isOneShot;
  const passes = mode.endsWith("ping_pong") ? 2 : 1;
  return {
    mode, start, end, rate, left, right, gate, loop,
    loopTop: loopPoint({ ...settings, loop }, mode, start, end),
    toggles: !gate && !isOneShot,
    attack: envelopeFrames(settings.attack, frameRate),
    hold: holdFrames({ hold: settings.hold, loop }, passes * (end - start), rate),
    release: envelopeFrames(settings.release, frameRate),
    muteGroup: toNumber(settings.mute_group, 0, 0, 10),
  };
}

export const velocityGain = (settings, velocity) => (settings.fixed_velocity ? 1 : levelGain(velocity));

// The parameters of a note of a pattern: it starts its pad again where a press would stop it, and it is
// some semitones higher.
export function noteParameters(parameters, semitones) {
  const ratio = 2 ** (semitones / 12);
  return { ...parameters, toggles: false, rate: parameters.rate * ratio, hold: Math.max(1, Math.round(parameters.hold / ratio)) };
}
