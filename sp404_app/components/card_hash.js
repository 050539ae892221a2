// SHA-256 of files, in a thread of its own. `crypto.subtle` needs a whole file; those of samplers
// have up to 185 MB.

const hex = (digest) => [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

self.onmessage = async ({ data: { id, file } }) => {
  try {
    const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    self.postMessage({ id, sha256: hex(digest) });
  } catch (error) {
    self.postMessage({ id, error: { name: error.name, message: error.message } });
  }
};
