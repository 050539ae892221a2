// The audio of one pad at one address: which frames of it are wanted, and which are in memory.

import { HEADER_BYTES } from "./pad_audio.js";
import { padRegion, voiceParameters } from "./pad_parameters.js";

export const STREAM_ABOVE_S = 30; // a longer region is held in pieces; 16 stereo ones would exceed the memory
export const PIECE_FRAMES = 65536; // 256 KiB of stereo
const PIECES_AHEAD = 3;
const WIDEN_FRAMES = 48000; // when the region grows, so that a handle that moves on needs no request

let nextId = 1;

export class PadSource {
  constructor(pad, frameRate) {
    this.id = nextId;
    nextId += 1;
    this.frameRate = frameRate;
    this.pieces = new Map(); // first frame → frame after the last
    this.cursors = []; // of sounding voices: `{position, direction}`
    this.audition = null; // [from, to] of a range that is to be played
    this.state = "waiting"; // or loading, rendering, ready, failed
    this.error = "";
    this.tries = 0;
    this.timer = null;
    this.abort = null;
    this.isUrgent = false;
    this.isWhole = false; // the server does not answer ranges
    this.lastUsed = 0;
    this.cache = "default";
    this.update(pad);
    this.frames = pad.frames || 0; // 0 is unknown
    this.channels = pad.channels || 0;
  }

  update(pad) {
    this.key = pad.key;
    this.url = pad.url;
    this.hash = pad.hash;
    this.settings = pad.settings || {};
  }

  isSameAudio(pad) {
    return this.url === pad.url && this.hash === pad.hash;
  }

  get isKnown() {
    return this.frames > 0 && this.channels > 0;
  }
  get bytesPerFrame() {
    return 2 * this.channels;
  }
  get bytes() {
    let frames = 0;
    for (const [from, to] of this.pieces) frames += to - from;
    return frames * this.bytesPerFrame;
  }
  get region() {
    return padRegion(this.settings, this.frames);
  }
  get isStreamed() {
    const [start, end] = this.region;
    return !this.isWhole && end - start > STREAM_ABOVE_S * this.frameRate;
  }
  get parameters() {
    return voiceParameters(this.settings, this.frames, this.frameRate);
  }

  holds(from, to) {
    for (const [first, end] of this.pieces) if (from >= first && to <= end) return true;
    return false;
  }

  // True when a press can start: the whole region, or the first pieces of a long sound.
  get isPlayable() {
    if (!this.isKnown) return false;
    if (!this.isStreamed) return this.holds(...this.region);
    return this.entryPieces().every((from) => this.pieces.has(from));
  }

  canPlayRange(from, to) {
    if (!this.isKnown) return false;
    return this.isStreamed ? this.pieces.has(this.pieceOf(from)) : this.holds(from, to);
  }

  // Returns the next frames to fetch, `[from, to]`: `[0, 0]` if length and channels are unknown, null
  // if nothing is missing.
  nextFrames() {
    if (!this.isKnown) return [0, 0];
    if (!this.isStreamed) return this.missingRegion();
    const missing = this.wantedPieces().find((from) => !this.pieces.has(from));
    return missing === undefined ? null : [missing, Math.min(missing + PIECE_FRAMES, this.frames)];
  }

  missingRegion() {
    const [start, end] = this.region;
    const [from, to] = this.audition || [start, end];
    const wanted = [Math.min(start, from), Math.min(Math.max(end, to), this.frames)];
    if (this.holds(...wanted)) return null;
    const margin = this.pieces.size ? WIDEN_FRAMES : 0;
    return [Math.max(0, wanted[0] - margin), Math.min(this.frames, wanted[1] + margin)];
  }

  pieceOf(frame) {
    return Math.floor(frame / PIECE_FRAMES) * PIECE_FRAMES;
  }

  entryPieces() {
    const { mode, start, end } = this.parameters;
    return mode.startsWith("reverse") ? this.piecesFrom(end - 1, -1, 2) : this.piecesFrom(start, 1, 2);
  }

  // First frames of up to `count` pieces from a frame onward in a direction, inside the region.
  piecesFrom(frame, direction, count) {
    const [start, end] = this.region;
    const found = [];
    for (let n = 0; n < count; n += 1) {
      const from = this.pieceOf(frame) + n * direction * PIECE_FRAMES;
      if (from < end && from + PIECE_FRAMES > start) found.push(from);
    }
    return found;
  }

  // The pieces to have in memory, most urgent first.
  wantedPieces() {
    const { mode, loop, loopTop } = this.parameters;
    const ahead = this.cursors.map(({ position, direction }) => this.piecesFrom(position, direction, 1 + PIECES_AHEAD));
    const audition = this.audition ? this.piecesFrom(this.audition[0], 1, 2) : [];
    const back = mode === "reverse" ? this.piecesFrom(loopTop - 1, -1, 2) : this.piecesFrom(loopTop, 1, 2);
    return [...new Set([...ahead.flat(), ...audition, ...this.entryPieces(), ...(loop ? back : [])])];
  }

  // Of a long sound, the pieces that no voice needs.
  unwantedPieces() {
    if (!this.isStreamed) return [];
    const behind = this.cursors.map(({ position, direction }) => this.pieceOf(position) - direction * PIECE_FRAMES);
    const wanted = new Set([...this.wantedPieces(), ...behind]);
    return [...this.pieces.keys()].filter((from) => !wanted.has(from));
  }

  // The Range header for frames, or null for the whole file.
  rangeHeader([from, to]) {
    if (!this.isKnown) return `bytes=0-${HEADER_BYTES - 1}`;
    if (this.isWhole || (from === 0 && to === this.frames)) return null;
    const byteOf = (frame) => HEADER_BYTES + frame * this.bytesPerFrame;
    return `bytes=${byteOf(from)}-${byteOf(to) - 1}`;
  }
}
