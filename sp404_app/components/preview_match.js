// Previews in a chosen tempo and key: what is chosen, kept by this browser, and what it means for a sound.

const STORAGE_KEY = "crate404.match";
const NAMES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];

export const KEYS = NAMES.flatMap((name) => [name, `${name}m`]);
export const [MIN_BPM, MAX_BPM] = [40, 300];
export const NO_MATCH = { on: false, bpm: null, key: "" };

// Returns valid settings: a tempo that is out of range, or an unknown key, stays as it is.
export function validMatch({ on, bpm, key } = {}) {
  const isTempo = typeof bpm === "number" && bpm >= MIN_BPM && bpm <= MAX_BPM;
  return { on: on === true, bpm: isTempo ? bpm : null, key: KEYS.includes(key) ? key : "" };
}

export function loadMatch() {
  try {
    return validMatch(JSON.parse(localStorage.getItem(STORAGE_KEY)) || {});
  } catch {
    return NO_MATCH; // nothing valid is stored
  }
}

export function saveMatch(match) {
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(match));
  } catch {
    // Storage is full or refused: the settings hold until the page is left.
  }
}

export function forgetMatch() {
  try {
    localStorage.removeItem(STORAGE_KEY);
  } catch {
    // Storage is refused: nothing was kept.
  }
}

// The pitch class (0 to 11) of a key's relative major: keys with the same notes have the same.
export function relativeMajor(key) {
  const name = key.replace(/m$/, "");
  return NAMES.includes(name) ? (NAMES.indexOf(name) + (name === key ? 0 : 3)) % 12 : null;
}

// A loop at 170 BPM in a tempo of 90 plays at 180: half and double are the same beat.
export function tempoRatio(bpm, target) {
  const octaves = Math.log2(target / bpm);
  return 2 ** (octaves - Math.round(octaves));
}

// Semitones, -6 to 5, to the notes of a key: a sound in C major fits A minor as it is.
export function semitonesTo(key, target) {
  const [from, to] = [relativeMajor(key), relativeMajor(target)];
  return from === null || to === null ? 0 : ((to - from + 18) % 12) - 6;
}

// The key of a sound that is played some semitones higher: -4 make a G minor of a B minor.
export function transposedKey(key, semitones) {
  const name = key.replace(/m$/, "");
  return `${NAMES[(NAMES.indexOf(name) + semitones + 12) % 12]}${key.slice(name.length)}`;
}

// How a sound plays: `speed` in seconds of the sound per second, and `semitones`. Without a tempo or key
// of its own, a sound keeps it.
export function matchOf(track, match) {
  const bpm = Number(track?.bpm);
  return {
    speed: match.on && match.bpm && bpm > 0 ? tempoRatio(bpm, match.bpm) : 1,
    semitones: match.on && match.key && track?.key ? semitonesTo(track.key, match.key) : 0,
  };
}
