// Hands sounds to the thread that stretches them, and keeps the last results.

const MAX_KEPT = 8;

let worker = null;
let running = null;
let next = null; // of several sounds that wait, only the last is wanted
let newestId = 0;
const kept = new Map();

function start() {
  worker = new Worker(new URL("./stretch_worker.js", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }) => {
    if (data.error) running.reject(new Error(data.error));
    else running.resolve(data.channels);
    running = null;
    send();
  };
  worker.onerror = (event) => {
    running?.reject(new Error(event.message));
    running = null;
    worker = null;
    send();
  };
}

function send() {
  if (running || !next) return;
  if (!worker) start();
  [running, next] = [next, null];
  worker.postMessage({ id: ++newestId, ...running.sound }, running.sound.channels.map((samples) => samples.buffer));
}

function request(sound) {
  return new Promise((resolve, reject) => {
    next?.reject(new Error("Another sound was wanted."));
    next = { sound, resolve, reject };
    send();
  });
}

async function stretch(context, buffer, ratio, how) {
  const { length, sampleRate: rate, numberOfChannels } = buffer;
  const channels = Array.from({ length: numberOfChannels }, (_, channel) => buffer.getChannelData(channel).slice());
  const frames = Math.max(1, Math.round(length * ratio));
  const stretched = await request({ channels, rate, frames, ...how });
  const result = context.createBuffer(numberOfChannels, frames, rate);
  stretched.forEach((samples, channel) => result.copyToChannel(samples, channel));
  return result;
}

// Returns a buffer `ratio` times as long at the same pitch. `how` says whether it is a `loop`, whose end
// meets its start, and `percussive`, with hits rather than tones.
export function stretchedBuffer(context, id, buffer, ratio, how) {
  if (Math.abs(ratio - 1) < 1e-9) return buffer;
  const key = `${id} ${ratio} ${JSON.stringify(how)}`;
  const pending = kept.get(key) || stretch(context, buffer, ratio, how);
  kept.delete(key); // move to the end; the first is evicted
  kept.set(key, pending);
  pending.catch(() => kept.delete(key));
  while (kept.size > MAX_KEPT) kept.delete(kept.keys().next().value);
  return pending;
}
