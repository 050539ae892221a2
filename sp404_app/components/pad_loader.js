// Fetches the audio of pads and hands it to the audio thread: the visible bank first, a few requests
// at once, and never more than MAX_BYTES in memory.

import { HEADER_BYTES, parseWav } from "./pad_audio.js";
import { PadSource } from "./pad_source.js";

const MAX_BYTES = 128 * 2 ** 20;
const PREFETCH_BYTES = 96 * 2 ** 20; // up to here, banks that are not visible are loaded, too
const MAX_ORIGINAL_BYTES = 24 * 2 ** 20; // of the file
const MAX_PARALLEL = 3;
const RENDER_PAUSES_MS = [200, 400, 800, 1600, 2000]; // then 2 s each
const RETRY_PAUSES_MS = [500, 1000, 2000, 4000];
const RANK = { urgent: 0, visible: 1, linked: 2, hidden: 3 };

const MISSING = "The sound of this pad is missing.";
const REFUSED = "Couldn’t load this pad. Reload the page.";
const LOAD_FAILED = "Couldn’t load this pad. Check your connection.";
const NOT_WAV = "This pad’s audio is damaged.";
const TOO_LONG = "The original is too long to compare here.";

export class PadLoader {
  constructor({ frameRate, send, decode, onChange }) {
    Object.assign(this, { frameRate, send, decode, onChange });
    this.sources = new Map(); // key of the pad → PadSource
    this.originals = new Map(); // the same for originals, which are compared with their pad
    this.visible = new Set();
    this.linked = new Set();
    this.sounding = new Set(); // ids of sources
    this.waiting = []; // `{isMet, resolve}`
    this.active = 0;
    this.reserved = 0; // bytes of requests under way
    this.uses = 0;
    this.isClosed = false;
  }

  allSources() {
    return [...this.sources.values(), ...this.originals.values()];
  }

  get bytes() {
    return this.allSources().reduce((sum, source) => sum + source.bytes, 0);
  }

  // Pads, and which of them matter: keys of the visible bank, and of pads that sound with it.

  setPads({ pads, visible, linked }) {
    const keys = new Set(pads.map(({ key }) => key));
    for (const [key, source] of this.sources) if (!keys.has(key)) this.forget(this.sources, source);
    for (const pad of pads) this.setPad(pad);
    this.visible = new Set(visible);
    this.linked = new Set(linked);
    for (const source of this.sources.values()) if (source.abort && this.rank(source) === RANK.hidden) source.abort.abort();
    this.changed();
  }

  setPad(pad) {
    const known = this.sources.get(pad.key);
    if (known && known.isSameAudio(pad)) {
      known.update(pad);
      return;
    }
    if (known) this.forget(this.sources, known, { letsVoicesEnd: !known.isStreamed });
    if (pad.url) this.sources.set(pad.key, new PadSource(pad, this.frameRate));
  }

  rank(source) {
    if (source.isUrgent || source.cursors.length) return RANK.urgent;
    if (this.visible.has(source.key)) return RANK.visible;
    return this.linked.has(source.key) ? RANK.linked : RANK.hidden;
  }

  // Loads a pad before all others, also one that failed.
  request(source) {
    source.isUrgent = true;
    if (source.state === "failed") this.restart(source);
    this.changed();
  }

  invalidate(key) {
    const source = this.sources.get(key);
    if (!source) return;
    if (source.state === "ready") this.drop(source);
    source.cache = "no-cache";
    this.restart(source);
    this.changed();
  }

  restart(source) {
    clearTimeout(source.timer);
    Object.assign(source, { state: "waiting", error: "", tries: 0, timer: null });
  }

  // Resolves when the condition is met; never if the source fails or is forgotten.
  whenMet(isMet) {
    return new Promise((resolve) => {
      this.waiting.push({ isMet, resolve });
      this.changed();
    });
  }

  originalOf(key, url) {
    const known = this.originals.get(key);
    if (known && known.url === url && known.state !== "failed") return known;
    if (known) this.forget(this.originals, known);
    const original = new PadSource({ key, url, hash: url }, this.frameRate);
    original.isOriginal = true;
    this.originals.set(key, original);
    return original;
  }

  use(source) {
    this.uses += 1;
    source.lastUsed = this.uses;
  }

  // `voices` is the report of the audio thread.
  setVoices(voices) {
    this.sounding = new Set(voices.map(({ audioId }) => audioId));
    let hasStreamed = false;
    for (const source of this.sources.values()) {
      const isPlayed = this.sounding.has(source.id) && source.isStreamed;
      hasStreamed ||= isPlayed;
      source.cursors = isPlayed ? voices.filter(({ audioId }) => audioId === source.id) : [];
      for (const from of source.unwantedPieces()) this.dropPiece(source, from);
    }
    if (hasStreamed) this.pump();
  }

  // Requests.

  changed() {
    this.pump();
    this.waiting = this.waiting.filter(({ isMet, resolve }) => {
      if (isMet()) resolve();
      return !isMet();
    });
    this.onChange();
  }

  pump() {
    while (!this.isClosed && this.active < MAX_PARALLEL) {
      const source = this.nextSource();
      if (!source) return;
      this.load(source);
    }
  }

  nextSource() {
    const isDue = (source) => !source.abort && !source.timer && source.state !== "failed" && this.nextFrames(source);
    const due = this.allSources().filter((source) => isDue(source) && this.mayLoad(source));
    const inOrder = (a, b) => this.rank(a) - this.rank(b);
    return due.sort(inOrder).find((source) => this.makeRoom(source, this.sizeOf(source)));
  }

  nextFrames(source) {
    if (source.isOriginal) return source.isPlayable ? null : [0, 0];
    return source.nextFrames();
  }

  // Hidden banks are loaded when nothing else is under way, so that their renders take no turn either.
  mayLoad(source) {
    if (source.isOriginal) return source.isUrgent;
    if (this.rank(source) < RANK.hidden) return true;
    const isUnderWay = (other) => other.abort || other.timer || (this.rank(other) < RANK.hidden && other.state === "waiting");
    return !this.allSources().some(isUnderWay) && this.bytes + this.sizeOf(source) <= PREFETCH_BYTES;
  }

  sizeOf(source) {
    const [from, to] = this.nextFrames(source);
    return (to - from) * source.bytesPerFrame;
  }

  async load(source) {
    const frames = this.nextFrames(source);
    const range = source.isOriginal ? null : source.rangeHeader(frames);
    const size = this.sizeOf(source);
    source.abort = new AbortController();
    const { signal } = source.abort;
    if (source.state === "waiting") source.state = "loading";
    this.active += 1;
    this.reserved += size;
    try {
      const answer = await fetch(source.url, { headers: range ? { Range: range } : {}, signal, cache: source.cache });
      await this.accept(source, { answer, frames, range, signal });
    } catch {
      if (!signal.aborted) this.retryLater(source, 0);
    }
    this.active -= 1;
    this.reserved -= size;
    source.abort = null;
    if (source.state === "loading" && !source.timer) source.state = "waiting";
    if (!this.isClosed) this.changed();
  }

  async accept(source, { answer, frames, range, signal }) {
    const { status } = answer;
    if (status === 202) return this.waitForRender(source, answer);
    if (status === 429 || status === 408 || status >= 500) return this.retryLater(source, Number(answer.headers.get("Retry-After")) * 1000 || 0);
    if (!answer.ok) return this.fail(source, status === 404 || status === 410 ? MISSING : REFUSED);
    if (source.isOriginal && Number(answer.headers.get("Content-Length")) > MAX_ORIGINAL_BYTES) return this.fail(source, TOO_LONG);
    const buffer = await answer.arrayBuffer();
    if (signal.aborted) return undefined;
    if (source.isOriginal) return this.acceptOriginal(source, buffer);
    if (status === 206 && range) return this.acceptRange(source, frames, buffer, answer.headers.get("Content-Range"));
    return this.acceptFile(source, buffer);
  }

  acceptRange(source, [from, to], buffer, contentRange) {
    const total = Number(/\/(\d+)$/.exec(contentRange)?.[1]);
    if (!source.isKnown) {
      source.channels = parseWav(buffer)?.channels || 0;
      source.frames = Math.floor((total - HEADER_BYTES) / source.bytesPerFrame) || 0;
      return source.isKnown || this.fail(source, NOT_WAV);
    }
    if (total !== HEADER_BYTES + source.frames * source.bytesPerFrame) return this.forgetLength(source);
    if (buffer.byteLength !== (to - from) * source.bytesPerFrame) return this.retryLater(source, 0);
    return this.keep(source, from, new Int16Array(buffer));
  }

  // The file is another one than the page knows: reads its header first.
  forgetLength(source) {
    this.drop(source);
    source.frames = 0;
    source.channels = 0;
  }

  acceptFile(source, buffer) {
    const sound = parseWav(buffer);
    if (!sound || !sound.frames) return this.fail(source, NOT_WAV);
    source.frames = sound.frames;
    source.channels = sound.channels;
    source.isWhole = source.isStreamed;
    const [from, to] = source.missingRegion() || source.region;
    const isAll = from === 0 && to === sound.frames;
    const samples = isAll ? sound.samples : sound.samples.slice(from * sound.channels, to * sound.channels);
    if (!this.makeRoom(source, samples.byteLength)) return this.fail(source, LOAD_FAILED);
    return this.keep(source, from, samples);
  }

  async acceptOriginal(source, buffer) {
    const wav = parseWav(buffer);
    const isExact = wav && wav.frames && wav.rate === this.frameRate;
    const sound = isExact ? wav : await this.decode(buffer).catch(() => null);
    if (!sound || !this.makeRoom(source, sound.samples.byteLength)) return this.fail(source, LOAD_FAILED);
    Object.assign(source, { frames: sound.frames, channels: sound.channels, isWhole: true });
    return this.keep(source, 0, sound.samples);
  }

  keep(source, from, samples) {
    const replaces = !source.isStreamed;
    if (replaces) source.pieces.clear();
    source.pieces.set(from, from + samples.length / source.channels);
    this.send({ type: "addAudio", id: source.id, channels: source.channels, from, data: samples, replaces }, [samples.buffer]);
    source.tries = 0;
    if (!source.isPlayable) return;
    source.state = "ready";
    source.isUrgent = false;
    this.use(source);
  }

  waitForRender(source, answer) {
    answer.body?.cancel();
    source.state = "rendering";
    const pause = RENDER_PAUSES_MS[Math.min(source.tries, RENDER_PAUSES_MS.length - 1)];
    source.tries += 1;
    this.pauseSource(source, pause);
  }

  retryLater(source, atLeast) {
    if (source.tries >= RETRY_PAUSES_MS.length) return this.fail(source, LOAD_FAILED);
    const pause = Math.max(atLeast, RETRY_PAUSES_MS[source.tries]);
    source.tries += 1;
    return this.pauseSource(source, pause);
  }

  pauseSource(source, pause) {
    source.timer = setTimeout(() => {
      source.timer = null;
      this.pump();
    }, pause);
  }

  fail(source, error) {
    Object.assign(source, { state: "failed", error, isUrgent: false });
  }

  // Memory.

  // Sources that may be dropped for another one, the least needed first.
  droppable(source) {
    const importance = (other) => (other.isOriginal ? 0 : 2) + (this.isHidden(other) ? 0 : 4) + (this.sounding.has(other.id) ? 1 : 0);
    return this.allSources()
      .filter((other) => other !== source && other.pieces.size && (other.isOriginal || this.isHidden(other)))
      .sort((a, b) => importance(a) - importance(b) || a.lastUsed - b.lastUsed);
  }

  isHidden(source) {
    return !this.visible.has(source.key) && !this.linked.has(source.key);
  }

  makeRoom(source, size) {
    const droppable = this.droppable(source);
    let over = this.bytes + this.reserved + size - MAX_BYTES;
    if (over > droppable.reduce((sum, other) => sum + other.bytes, 0)) return false;
    for (const other of droppable) {
      if (over <= 0) break;
      over -= other.bytes;
      this.drop(other);
    }
    return true;
  }

  dropPiece(source, from) {
    source.pieces.delete(from);
    this.send({ type: "removePiece", id: source.id, from });
  }

  drop(source, { letsVoicesEnd = false } = {}) {
    source.abort?.abort();
    source.pieces.clear();
    if (source.state === "ready") source.state = "waiting";
    this.send({ type: "removeAudio", id: source.id, letsVoicesEnd });
  }

  forget(sources, source, options) {
    clearTimeout(source.timer);
    this.drop(source, options);
    sources.delete(source.key);
  }

  close() {
    this.isClosed = true;
    for (const source of [...this.allSources()]) this.forget(source.isOriginal ? this.originals : this.sources, source);
  }
}
