// One sounding pad, and the audio that it reads. Runs in the AudioWorklet and uses no Web API.

export const FADE_S = 0.003; // of a cut: a half cosine this long leaves no audible click
const GAIN_STEP = 1 / 256; // per frame, so that a moved level or pan does not click
const INT16_SCALE = 1 / 32768;

// Interleaved 16-bit audio of a pad in pieces; a short sound has one, of a long sound some are there.
export class PadAudio {
  constructor(channels) {
    this.channels = channels;
    this.pieces = [];
  }
  addPiece(from, data) {
    this.removePiece(from);
    this.pieces.push({ from, to: from + data.length / this.channels, data });
  }
  removePiece(from) {
    this.pieces = this.pieces.filter((piece) => piece.from !== from);
  }
  findPiece(frame) {
    return this.pieces.find((piece) => frame >= piece.from && frame < piece.to);
  }
}

const isPingPong = (mode) => mode === "ping_pong" || mode === "reverse_ping_pong";
const isReverse = (mode) => mode === "reverse" || mode === "reverse_ping_pong";
const halfCosine = (done) => 0.5 * (1 + Math.cos(Math.PI * done)); // 1 → 0 while `done` is 0 → 1

// Four-point Hermite curve (Catmull-Rom) between b and c; `t` is 0 to 1.
function hermite(a, b, c, d, t) {
  const slope = 0.5 * (c - a);
  const cubic = 0.5 * (d - a) + 1.5 * (b - c);
  const square = a - 2.5 * b + 2 * c - 0.5 * d;
  return ((cubic * t + square) * t + slope) * t + b;
}

function moveTo(target, value) {
  const difference = target - value;
  return Math.abs(difference) <= GAIN_STEP ? target : value + Math.sign(difference) * GAIN_STEP;
}

// `parameters` are those of pad_parameters.js; a fixed voice keeps its first ones. A turn is the end of a pass: the first pass plays from
// start to end, later ones between loop point and end (reverse: from loop point down to start).
// Ping-pong plays the frame at which it turns twice, so each pass has the same length.
export class Voice {
  constructor({ key, audio, audioId, parameters, gain, isFixed, fadeFrames }) {
    Object.assign(this, { key, audio, audioId, parameters, gain, isFixed, fadeFrames });
    this.elapsed = 0;
    this.turns = 0;
    this.direction = isReverse(parameters.mode) ? -1 : 1;
    this.position = this.direction > 0 ? parameters.start : parameters.end - 1;
    this.left = parameters.left * gain;
    this.right = parameters.right * gain;
    this.fade = null;
    this.isChoked = false;
    this.ended = false;
    this.piece = null;
    this.x0 = 0;
    this.x1 = 0;
    this.around0 = new Float64Array(4);
    this.around1 = new Float64Array(4);
  }

  updateParameters(parameters) {
    const hasNewMode = parameters.mode !== this.parameters.mode;
    this.parameters = parameters;
    if (hasNewMode && !isPingPong(parameters.mode)) this.direction = isReverse(parameters.mode) ? -1 : 1;
    if (parameters.rate === 1) this.position = Math.round(this.position);
  }

  release() {
    this.startFade(Math.max(this.parameters.release, this.fadeFrames));
  }

  choke() {
    this.isChoked = true;
    this.startFade(this.fadeFrames);
  }

  startFade(length) {
    if (this.fade && this.fade.length - this.fade.done <= length) return;
    const from = this.fade ? this.fadeGain() : 1;
    this.fade = { from, done: 0, length };
  }

  fadeGain() {
    return this.fade.from * halfCosine(this.fade.done / this.fade.length);
  }

  // Adds frames `from` to `to` of a block to its two channels.
  render(left, right, from, to) {
    let n = from;
    while (n < to && !this.ended) {
      const count = Math.min(to - n, this.steadyFrames());
      if (count > 0) this.addRun(left, right, n, count);
      else if (!this.addFrame(left, right, n)) return;
      n += Math.max(1, count);
    }
  }

  // Adds one frame; returns false if its audio is not there.
  addFrame(left, right, n) {
    if (!this.readPosition()) {
      this.ended = this.fade !== null; // otherwise it waits for the missing piece
      return false;
    }
    const envelope = this.nextEnvelope();
    this.left = moveTo(this.parameters.left * this.gain, this.left);
    this.right = moveTo(this.parameters.right * this.gain, this.right);
    left[n] += this.x0 * this.left * envelope;
    right[n] += this.x1 * this.right * envelope;
    this.advance();
    return true;
  }

  // Number of frames to come in which nothing but the position changes: no fade, no moving gain, no
  // end of a pass or piece.
  steadyFrames() {
    const { attack, hold, rate, left, right } = this.parameters;
    const isMoving = this.left !== left * this.gain || this.right !== right * this.gain;
    if (this.fade || !this.piece || isMoving || this.elapsed < attack) return 0;
    const low = Math.max(this.low(), this.piece.from);
    const high = Math.min(this.high(), this.piece.to);
    const inside = this.direction > 0 ? high - 2 - this.position : this.position - low - 1;
    const isInside = this.position >= low + 1 && this.position < high - 2;
    return isInside ? Math.max(0, Math.floor(Math.min(inside / rate, hold - this.elapsed))) : 0;
  }

  // Adds steady frames.
  addRun(left, right, from, count) {
    const [a, b] = [this.left * INT16_SCALE, this.right * INT16_SCALE];
    if (this.parameters.rate === 1) this.addExactRun(left, right, { from, count, a, b });
    else this.addPitchedRun(left, right, { from, count, a, b });
    this.elapsed += count;
  }

  addExactRun(left, right, { from, count, a, b }) {
    const { channels } = this.audio;
    const { data } = this.piece;
    const second = channels - 1;
    let at = (this.position - this.piece.from) * channels;
    for (let n = from; n < from + count; n += 1) {
      left[n] += data[at] * a;
      right[n] += data[at + second] * b;
      at += this.direction * channels;
    }
    this.position += this.direction * count;
  }

  addPitchedRun(left, right, { from, count, a, b }) {
    const { channels } = this.audio;
    const { data, from: first } = this.piece;
    const second = channels - 1;
    const step = this.direction * this.parameters.rate;
    let { position } = this;
    for (let n = from; n < from + count; n += 1) {
      const frame = Math.floor(position);
      const at = (frame - first) * channels;
      const t = position - frame;
      const value = hermite(data[at - channels], data[at], data[at + channels], data[at + 2 * channels], t);
      left[n] += value * a;
      right[n] += (second ? hermite(data[at + 1 - channels], data[at + 1], data[at + 1 + channels], data[at + 1 + 2 * channels], t) : value) * b;
      position += step;
    }
    this.position = position;
  }

  nextEnvelope() {
    const { attack, hold } = this.parameters;
    if (!this.fade && this.elapsed >= hold) this.release();
    this.elapsed += 1;
    const rise = this.elapsed < attack ? 1 - halfCosine(this.elapsed / attack) : 1;
    if (!this.fade) return rise;
    this.fade.done += 1;
    this.ended = this.fade.done >= this.fade.length;
    return rise * this.fadeGain();
  }

  // First frame of the present pass, and the frame after its last.
  low() {
    return this.turns > 0 && this.parameters.mode !== "reverse" ? this.parameters.loopTop : this.parameters.start;
  }
  high() {
    return this.turns > 0 && this.parameters.mode === "reverse" ? this.parameters.loopTop : this.parameters.end;
  }

  advance() {
    this.position += this.direction * this.parameters.rate;
    if (this.direction > 0 ? this.position >= this.high() : this.position <= this.low() - 1) this.turn();
  }

  turn() {
    const { mode, loop } = this.parameters;
    if (!loop && (this.turns > 0 || !isPingPong(mode))) {
      this.ended = true;
      return;
    }
    const beyond = this.direction > 0 ? this.position - this.high() : this.low() - 1 - this.position;
    const edge = this.direction > 0 ? this.high() : this.low();
    this.turns += 1;
    if (isPingPong(mode)) this.turnBack(edge, beyond);
    else this.jumpBack(beyond);
  }

  turnBack(edge, beyond) {
    this.position = this.direction > 0 ? edge - 1 - beyond : edge + beyond;
    this.position = Math.max(this.parameters.start, Math.min(this.position, this.parameters.end - 1));
    this.direction = -this.direction;
  }

  jumpBack(beyond) {
    const rest = beyond % (this.high() - this.low());
    this.position = this.direction > 0 ? this.low() + rest : this.high() - 1 - rest;
  }

  readPosition() {
    return this.parameters.rate === 1 ? this.readFrame(this.position) : this.readBetween();
  }

  readFrame(frame) {
    let { piece } = this;
    if (!piece || frame < piece.from || frame >= piece.to) {
      piece = this.audio.findPiece(frame);
      if (!piece) return false;
      this.piece = piece;
    }
    const { channels } = this.audio;
    const at = (frame - piece.from) * channels;
    this.x0 = piece.data[at] * INT16_SCALE;
    this.x1 = channels === 2 ? piece.data[at + 1] * INT16_SCALE : this.x0;
    return true;
  }

  readBetween() {
    const { around0, around1 } = this;
    const frame = Math.floor(this.position);
    const t = this.position - frame;
    for (let n = 0; n < 4; n += 1) {
      if (!this.readFrame(this.neighbour(frame + n - 1))) return false;
      around0[n] = this.x0;
      around1[n] = this.x1;
    }
    this.x0 = hermite(around0[0], around0[1], around0[2], around0[3], t);
    this.x1 = this.audio.channels === 2 ? hermite(around1[0], around1[1], around1[2], around1[3], t) : this.x0;
    return true;
  }

  // The frame that is heard beside the present pass: of the next or former pass, or the outermost one.
  neighbour(frame) {
    const low = this.low();
    const high = this.high();
    if (frame >= low && frame < high) return frame;
    const { mode, loop, loopTop, start, end } = this.parameters;
    let found = frame;
    if (isPingPong(mode)) {
      if (frame >= high) found = 2 * high - 1 - frame;
      else if (frame < low) found = 2 * low - 1 - frame;
    } else if (loop && frame >= high && (mode === "forward" || this.turns > 0)) {
      found = (mode === "forward" ? loopTop : low) + frame - high;
    } else if (loop && frame < low && (mode === "reverse" || this.turns > 0)) {
      found = (mode === "reverse" ? loopTop : high) + frame - low;
    }
    return Math.max(start, Math.min(found, end - 1));
  }
}
