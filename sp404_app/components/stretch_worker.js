// Changes the length of a sound at unchanged pitch, with the WebAssembly module that also renders pads
// (audio/render/time_stretch.py and stretch_clip.py, which say what its exports and the constants are).

const MODULE_URL = new URL("./signalsmith-stretch-1.3.2.wasm", import.meta.url);
const BLOCK_FRAMES = 16384; // of input per call
const PERCUSSIVE = { block_s: 2048 / 48000, step_s: 512 / 48000 };
const RANDOM_BYTE = 7;
const PAGE_BYTES = 65536;
const LEAD_S = 0.5;
const BLEND_S = 0.01;
const MIN_CORRELATION = -0.95;

let compiled;

async function createStretcher(channels, rate, percussive) {
  compiled ??= WebAssembly.compileStreaming(fetch(MODULE_URL));
  let memory;
  const bytes = () => new Uint8Array(memory.buffer);
  const imports = {
    a: (at, count) => (bytes().fill(RANDOM_BYTE, at, at + count), 0),
    b: (size) => (memory.grow(Math.max(0, Math.ceil((size - memory.buffer.byteLength) / PAGE_BYTES))), 1),
    c: (target, source, count) => bytes().copyWithin(target, source, source + count),
    d: () => {
      throw new Error("The stretcher has aborted.");
    },
  };
  const { exports } = await WebAssembly.instantiate(await compiled, { a: imports });
  memory = exports.e;
  exports.f();
  exports.y(0, 0);
  if (percussive) exports.p(channels, Math.round(rate * PERCUSSIVE.block_s), Math.round(rate * PERCUSSIVE.step_s), 0);
  else exports.n(channels, rate);
  const inputLatency = exports.k();
  const outputLatency = exports.l();
  let base;
  let size;
  // Input (0) or output (1) of a channel; the memory may have moved since the last call.
  const buffer = (side, channel) => new Float32Array(memory.buffer, base + 4 * size * (side * channels + channel), size);
  return {
    inputLatency,
    outputLatency,
    allocate: (frames) => {
      size = frames;
      base = exports.h(channels, frames);
    },
    feed: (read, start, count) => {
      for (let channel = 0; channel < channels; channel++) read(channel, start, buffer(0, channel).subarray(0, count));
    },
    seek: (count, speed) => exports.v(count, speed),
    process: (count, wanted) => {
      exports.w(count, wanted);
      return Array.from({ length: channels }, (_, channel) => buffer(1, channel).slice(0, wanted));
    },
  };
}

// Writes `outFrames` frames made of `frames` frames from `start` into `out`, one array per channel.
// `read` is also asked for frames outside of this span.
function stretch(stretcher, read, start, frames, out) {
  const outFrames = out[0].length;
  const speed = frames / outFrames;
  const { inputLatency: lead, outputLatency: lag } = stretcher;
  const totalIn = frames + Math.round(lag * speed);
  const totalOut = outFrames + lag;
  stretcher.allocate(Math.max(BLOCK_FRAMES, Math.trunc(BLOCK_FRAMES / speed) + 2, lead) + 16);
  stretcher.feed(read, start, lead);
  stretcher.seek(lead, speed);
  for (let done = 0, made = 0; done < totalIn; ) {
    const count = Math.min(BLOCK_FRAMES, totalIn - done);
    const wanted = Math.round(((done + count) * totalOut) / totalIn) - made;
    stretcher.feed(read, start + lead + done, count);
    const skip = Math.min(wanted, Math.max(0, lag - made));
    stretcher.process(count, wanted).forEach((block, channel) => out[channel].set(block.subarray(skip), made + skip - lag));
    done += count;
    made += wanted;
  }
}

// Outside of the sound is silence.
const readPadded = (channels) => (channel, start, into) => {
  const samples = channels[channel];
  const from = Math.max(0, start);
  into.fill(0);
  if (start + into.length > from) into.set(samples.subarray(from, Math.max(from, start + into.length)), from - start);
};

// Before and after a loop it is repeated.
const readCircular = (channels) => (channel, start, into) => {
  const samples = channels[channel];
  for (let at = 0; at < into.length; ) {
    const from = (((start + at) % samples.length) + samples.length) % samples.length;
    const part = samples.subarray(from, from + into.length - at);
    into.set(part, at);
    at += part.length;
  }
};

// Goes over from the end of `tail` to that of `before` at constant level, whatever their correlation.
function blend(tails, befores) {
  let [power, product, other] = [0, 0, 0];
  tails.forEach((tail, channel) => {
    tail.forEach((x, i) => {
      const y = befores[channel][i];
      power += x * x;
      other += y * y;
      product += x * y;
    });
  });
  const root = Math.sqrt(power * other);
  const correlation = root > 0 ? Math.max(MIN_CORRELATION, product / root) : 0;
  tails.forEach((tail, channel) => {
    tail.forEach((x, i) => {
      const share = (i + 1) / tail.length;
      const level = (1 - share) ** 2 + share ** 2 + 2 * correlation * share * (1 - share);
      tail[i] = (x * (1 - share) + befores[channel][i] * share) / Math.sqrt(level);
    });
  });
}

async function stretchSound({ channels, rate, frames, loop, percussive }) {
  const stretcher = await createStretcher(channels.length, rate, percussive);
  const length = channels[0].length;
  const create = (count) => channels.map(() => new Float32Array(count));
  if (!loop) {
    const out = create(frames);
    stretch(stretcher, readPadded(channels), 0, length, out);
    return out;
  }
  const lead = Math.round(LEAD_S * rate);
  const outLead = Math.max(1, Math.round((lead * frames) / length));
  const out = create(outLead + frames);
  stretch(stretcher, readCircular(channels), -lead, lead + length, out);
  const count = Math.min(Math.round(BLEND_S * rate), Math.trunc(frames / 2), outLead);
  if (count > 0) blend(out.map((samples) => samples.subarray(-count)), out.map((samples) => samples.subarray(outLead - count, outLead)));
  return out.map((samples) => samples.slice(outLead));
}

self.onmessage = async ({ data: { id, ...sound } }) => {
  try {
    const channels = await stretchSound(sound);
    self.postMessage({ id, channels }, channels.map((samples) => samples.buffer));
  } catch (error) {
    self.postMessage({ id, error: error.message });
  }
};
