// What sounds: a decoded buffer, or the stream of a long sound. A voice tells its position in seconds of
// the sound, whatever its speed. `region`, two positions or null, is repeated.

const REGION_POLL_MS = 25;

const within = (offset, region) => (region && (offset < region[0] || offset >= region[1]) ? region[0] : offset);

export class BufferVoice {
  // `buffer` may be stretched; `seconds` is the length of the sound, `speed` how many of its seconds pass
  // in one, and `rate` how fast the buffer is read.
  constructor(context, output, { buffer, seconds, offset, gain, repeats, region, speed, rate, onEnded }) {
    this.context = context;
    this.seconds = seconds;
    this.region = region;
    this.speed = speed;
    this.source = context.createBufferSource();
    this.source.buffer = buffer;
    this.source.playbackRate.value = rate;
    const scale = buffer.duration / seconds;
    if (region) [this.source.loopStart, this.source.loopEnd] = region.map((moment) => moment * scale);
    this.gain = context.createGain();
    this.gain.gain.value = gain;
    this.source.connect(this.gain).connect(output);
    this.setLoop(repeats);
    this.offset = within(offset % seconds || 0, region);
    this.startedAt = context.currentTime;
    this.source.onended = () => onEnded(this);
    this.source.start(0, this.offset * scale);
  }
  setLoop(on) {
    const loop = on || this.region !== null;
    if (this.source.loop && !loop) {
      this.offset = this.position();
      this.startedAt = this.context.currentTime;
    }
    this.source.loop = loop;
  }
  position() {
    const now = this.offset + (this.context.currentTime - this.startedAt) * this.speed;
    if (!this.source.loop) return Math.min(now, this.seconds);
    const [from, to] = this.region || [0, this.seconds];
    return now < to ? now : from + ((now - from) % (to - from));
  }
  setGain(value) {
    this.gain.gain.value = value;
  }
  stop() {
    this.source.onended = null;
    this.source.stop();
    this.gain.disconnect();
  }
}

export class StreamVoice {
  constructor(context, output, { url, offset, gain, repeats, region, speed, onEnded, onError }) {
    this.element = new Audio(url);
    this.element.currentTime = within(offset, region);
    this.element.loop = repeats;
    this.element.playbackRate = speed; // at the same pitch
    this.gain = context.createGain();
    this.gain.gain.value = gain;
    context.createMediaElementSource(this.element).connect(this.gain).connect(output);
    this.element.onended = () => onEnded(this);
    this.element.onerror = onError;
    this.element.play().catch(() => this.element.onerror?.()); // none once it was stopped
    if (region) this.timer = setInterval(() => this.keepWithin(region), REGION_POLL_MS);
  }
  keepWithin([from, to]) {
    if (this.element.currentTime >= to || this.element.ended) {
      this.element.currentTime = from;
      if (this.element.paused) this.element.play();
    }
  }
  setLoop(on) {
    this.element.loop = on;
  }
  position() {
    return this.element.currentTime;
  }
  setGain(value) {
    this.gain.gain.value = value;
  }
  stop() {
    clearInterval(this.timer);
    this.element.onerror = null;
    this.element.pause();
    this.element.removeAttribute("src");
    this.gain.disconnect();
  }
}
