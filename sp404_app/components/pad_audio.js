// Audio of a pad as interleaved 16-bit integers. A WAV is unpacked by hand: `decodeAudioData` scales
// positive and negative samples differently, so its result is not the render.

export const HEADER_BYTES = 44; // of the WAV that the server sends for a pad
const FORMAT_PCM = 1;

const fourLetters = (view, at) => String.fromCharCode(...new Uint8Array(view.buffer, at, 4));

// Yields `[name, first byte, bytes]` of each chunk.
function* chunksOf(view) {
  for (let at = 12; at + 8 <= view.byteLength; ) {
    const size = view.getUint32(at + 4, true);
    yield [fourLetters(view, at), at + 8, Math.min(size, view.byteLength - at - 8)];
    at += 8 + size + (size % 2);
  }
}

// Returns `{channels, rate, frames, samples}`, or null if it is not 16-bit PCM of one or two channels.
// `samples` is a view into the buffer.
export function parseWav(buffer) {
  const view = new DataView(buffer);
  if (buffer.byteLength < 12 || fourLetters(view, 0) !== "RIFF" || fourLetters(view, 8) !== "WAVE") return null;
  let found = null;
  for (const [name, at, size] of chunksOf(view)) {
    if (name === "fmt " && size >= 16) found = readFormat(view, at);
    if (name === "data" && found) return withSamples(found, buffer, at, size);
  }
  return null;
}

function readFormat(view, at) {
  const [code, channels, bits] = [0, 2, 14].map((offset) => view.getUint16(at + offset, true));
  if (code !== FORMAT_PCM || bits !== 16 || channels < 1 || channels > 2) return null;
  return { channels, rate: view.getUint32(at + 4, true) };
}

function withSamples({ channels, rate }, buffer, at, size) {
  const frames = Math.floor(size / 2 / channels);
  const whole = at % 2 ? buffer.slice(at) : buffer;
  return { channels, rate, frames, samples: new Int16Array(whole, at % 2 ? 0 : at, frames * channels) };
}

// Decodes any other format and converts it to the context's rate.
export async function decodeSound(context, buffer) {
  const decoded = await context.decodeAudioData(buffer);
  const channels = Math.min(2, decoded.numberOfChannels);
  const samples = new Int16Array(decoded.length * channels);
  for (let channel = 0; channel < channels; channel += 1) {
    const data = decoded.getChannelData(channel);
    for (let n = 0; n < data.length; n += 1) samples[n * channels + channel] = Math.max(-32768, Math.min(Math.round(data[n] * 32768), 32767));
  }
  return { channels, rate: context.sampleRate, frames: decoded.length, samples };
}
