// SHA-256 of files in a thread of its own, by slices: `crypto.subtle` would need a whole file, and those
// of samplers have up to 185 MB.

import { sha256 } from "@noble/hashes/sha2.js";

const SLICE_BYTES = 4 * 2 ** 20;

const hex = (digest) => [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");

async function hashSlices(file) {
  const hash = sha256.create();
  for (let at = 0; at < file.size; at += SLICE_BYTES) hash.update(new Uint8Array(await file.slice(at, at + SLICE_BYTES).arrayBuffer()));
  return hex(hash.digest());
}

self.onmessage = async ({ data: { id, file } }) => {
  try {
    self.postMessage({ id, sha256: await hashSlices(file) });
  } catch (error) {
    self.postMessage({ id, error: { name: error.name, message: error.message } });
  }
};
