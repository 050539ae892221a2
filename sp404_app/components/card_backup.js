// A ZIP archive of files on a card that are about to be replaced or deleted, for the person's computer.

import { Zip, ZipPassThrough } from "fflate";
import { archiveTime } from "./card_folder.js";

const CHUNK_BYTES = 4 * 2 ** 20;
const MAX_ZIP_BYTES = 2 * 2 ** 30; // the library writes no ZIP64
const BLOB_BYTES = 32 * 2 ** 20; // gathered bytes move into a Blob, which the browser may keep on disk

// Splits files into groups of at most MAX_ZIP_BYTES.
export function groupFiles(files, limit = MAX_ZIP_BYTES) {
  const groups = [];
  let room = 0;
  for (const file of files) {
    if (!groups.length || file.size > room) {
      groups.push([]);
      room = limit;
    }
    groups[groups.length - 1].push(file);
    room -= file.size;
  }
  return groups;
}

class BlobGatherer {
  constructor() {
    this.parts = [];
    this.bytes = 0;
    this.blobs = [];
  }

  add(chunk) {
    this.parts.push(chunk);
    this.bytes += chunk.length;
    if (this.bytes >= BLOB_BYTES) this.flush();
  }

  flush() {
    this.blobs.push(new Blob(this.parts));
    this.parts = [];
    this.bytes = 0;
  }

  finish() {
    this.flush();
    return new Blob(this.blobs, { type: "application/zip" });
  }
}

// Returns the archive of `[{path, file}]` as a Blob, stored without compression.
export async function zipFiles(files, onBytes = () => {}) {
  const gathered = new BlobGatherer();
  let failure = null;
  const zip = new Zip((error, chunk) => {
    if (error) failure = error;
    else gathered.add(chunk);
  });
  let done = 0;
  for (const { path, file } of files) {
    const entry = new ZipPassThrough(path);
    entry.mtime = archiveTime(file.lastModified);
    zip.add(entry);
    for (let at = 0; at < file.size || at === 0; at += CHUNK_BYTES) {
      const bytes = new Uint8Array(await file.slice(at, at + CHUNK_BYTES).arrayBuffer());
      entry.push(bytes, at + CHUNK_BYTES >= file.size);
      done += bytes.length;
      onBytes(done);
    }
  }
  zip.end();
  if (failure) throw failure;
  return gathered.finish();
}

export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// Saves the files as one archive or several; returns their names.
export async function saveBackup(files, name, onBytes = () => {}) {
  const groups = groupFiles(files.map(({ path, file }) => ({ path, file, size: file.size })));
  const names = groups.map((_, at) => (groups.length > 1 ? `${name} (${at + 1} of ${groups.length}).zip` : `${name}.zip`));
  let before = 0;
  for (const [at, group] of groups.entries()) {
    const blob = await zipFiles(group, (bytes) => onBytes(before + bytes));
    before += group.reduce((sum, { size }) => sum + size, 0);
    download(blob, names[at]);
  }
  return names;
}
