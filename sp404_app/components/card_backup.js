// A ZIP archive of files on a card that are about to be replaced or deleted. It is written into a file
// that the person chooses, and read back; without such a picker it becomes a download.

import { Zip, ZipPassThrough } from "fflate";
import { archiveTime } from "./card_folder.js";
import { compareArchive } from "./card_archive.js";

const CHUNK_BYTES = 4 * 2 ** 20;
const MAX_ZIP_BYTES = 2 * 2 ** 30; // the library writes no ZIP64
const BLOB_BYTES = 32 * 2 ** 20; // gathered bytes move into a Blob, which the browser may keep on disk
const NOT_CHOSEN = "No place was chosen for the backup, so nothing was written to the card.";
const ON_CARD = "This place is on the card. Save the backup on your computer.";
const REASONS = {
  QuotaExceededError: "The backup does not fit there.",
  NoModificationAllowedError: "The backup could not be saved there. Choose another place.",
  NotAllowedError: "The browser may not save the backup there. Choose another place.",
  NotReadableError: "A file on the card could not be read, or was changed since it was read. Read the card again.",
};

// Returns a sentence about a backup that was not saved.
export const explainBackup = (error) => REASONS[error.name] || error.message || "The backup could not be saved.";

// Returns as many of the files as one archive holds; at least one.
export function firstGroup(files, limit = MAX_ZIP_BYTES) {
  let sum = 0;
  const end = files.findIndex(({ bytes }, at) => (sum += bytes) > limit && at > 0);
  return end < 0 ? files : files.slice(0, end);
}

class BlobGatherer {
  constructor() {
    this.parts = [];
    this.bytes = 0;
    this.blobs = [];
  }

  write(chunk) {
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

// Writes an archive of `[{path, file}]`, stored without compression, piece by piece. `onBytes` receives
// the bytes of the files that are done.
export async function writeArchive(target, files, onBytes = () => {}) {
  const chunks = [];
  let failure = null;
  const zip = new Zip((error, chunk) => (error ? (failure = error) : chunks.push(chunk)));
  const drain = async () => {
    if (failure) throw failure;
    for (const chunk of chunks.splice(0)) await target.write(chunk);
  };
  let done = 0;
  for (const { path, file } of files) {
    const entry = new ZipPassThrough(path);
    entry.mtime = archiveTime(file.lastModified);
    zip.add(entry);
    for (let at = 0; at < file.size || at === 0; at += CHUNK_BYTES) {
      const bytes = new Uint8Array(await file.slice(at, at + CHUNK_BYTES).arrayBuffer());
      entry.push(bytes, at + CHUNK_BYTES >= file.size);
      done += bytes.length;
      await drain();
      onBytes(done);
    }
  }
  zip.end();
  await drain();
}

function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function pickPlace(name) {
  try {
    return await window.showSaveFilePicker({ id: "sp404-backup", suggestedName: name, types: [{ description: "ZIP archive", accept: { "application/zip": [".zip"] } }] });
  } catch (error) {
    throw error.name === "AbortError" ? new Error(NOT_CHOSEN) : error;
  }
}

// Removes the empty file that the picker made, if nothing was saved into it.
async function removeEmpty(handle) {
  const file = await handle.getFile().catch(() => null);
  if (file && !file.size) await handle.remove?.().catch(() => {});
}

async function fillPlace(handle, files, report) {
  const writable = await handle.createWritable();
  try {
    await writeArchive(writable, files, (bytes) => report("Saving", bytes));
    await writable.close();
  } catch (error) {
    await writable.abort().catch(() => {});
    throw error;
  }
}

async function saveInto(handle, files, { hashFile, isOnCard, report }) {
  try {
    if (await isOnCard(handle)) throw new Error(ON_CARD);
    for (const each of files) each.sha256 ||= await hashFile(each.file);
    await fillPlace(handle, files, report);
  } catch (error) {
    await removeEmpty(handle);
    throw error;
  }
  await compareArchive(await handle.getFile(), files, hashFile, (bytes) => report("Comparing", bytes));
}

// Saves files of the card, `[{path, bytes, sha256, file}]`, as one archive of at most MAX_ZIP_BYTES. Must
// follow a click. Returns `{name, files, isProven}`: the files in it, and whether it was read back and
// compared with what was read on the card. `isOnCard` tells whether a file is on the card; `report`
// receives what is done, its bytes and all bytes, and may throw to stop. A missing hash is filled in.
export async function saveBackup(files, name, { hashFile, isOnCard, report }) {
  const group = firstGroup(files);
  const allBytes = group.reduce((sum, { bytes }) => sum + bytes, 0);
  const told = (doing, bytes) => report(doing, bytes, allBytes);
  if (window.showSaveFilePicker) {
    const handle = await pickPlace(name);
    await saveInto(handle, group, { hashFile, isOnCard, report: told });
    return { name: handle.name, files: group, isProven: true };
  }
  for (const each of group) each.sha256 ||= await hashFile(each.file);
  const gathered = new BlobGatherer();
  await writeArchive(gathered, group, (bytes) => told("Saving", bytes));
  download(gathered.finish(), name);
  return { name, files: group, isProven: false };
}
