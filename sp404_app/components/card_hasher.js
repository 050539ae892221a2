// Hands files to the thread that hashes them.

let worker = null;
let nextId = 1;
const waiting = new Map();

function start() {
  worker = new Worker(new URL("./card_hash.js", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }) => {
    const { resolve, reject } = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.error) reject(Object.assign(new Error(data.error.message), { name: data.error.name }));
    else resolve(data.sha256);
  };
  worker.onerror = (event) => {
    waiting.forEach(({ reject }) => reject(new Error(event.message || "The files could not be compared.")));
    waiting.clear();
    worker = null;
  };
}

// Returns the SHA-256 of a file in hexadecimal digits. Rejects if the file can’t be read any more.
export function hashFile(file) {
  if (!worker) start();
  const id = nextId++;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    worker.postMessage({ id, file });
  });
}
