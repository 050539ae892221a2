// Files of a card through the File System Access API. Paths use "/"; case is ignored, as FAT does.

import { foldPath, isSystemPath, nameOf } from "./card_names.js";

const CHUNK_BYTES = 4 * 2 ** 20;
const MAX_DEPTH = 12;

export async function listNames(folder) {
  const names = [];
  for await (const name of folder.keys()) names.push(name);
  return names.sort();
}

const isOther = ({ name }) => name === "NotFoundError" || name === "TypeMismatchError";

// Returns the entry with this name in any case, or null. Only names in another case need a search.
async function findEntry(folder, name, kind) {
  try {
    return await (kind === "directory" ? folder.getDirectoryHandle(name) : folder.getFileHandle(name));
  } catch (error) {
    if (!isOther(error)) throw error;
  }
  for await (const entry of folder.values()) if (foldPath(entry.name) === foldPath(name)) return entry;
  return null;
}

// Returns the folder at a path, or null if it does not exist and is not made.
export async function openFolder(root, path, { create = false } = {}) {
  let folder = root;
  for (const name of path.split("/").filter(Boolean)) {
    const entry = await findEntry(folder, name, "directory");
    if (!entry && !create) return null;
    if (entry && entry.kind !== "directory") throw new Error(`“${entry.name}” on the card is a file, not a folder.`);
    folder = entry || (await folder.getDirectoryHandle(name, { create: true }));
  }
  return folder;
}

// Yields `{path, handle}` for each file below a folder, without those that `isSkipped` names: of
// operating systems, if nothing else is said.
export async function* walk(folder, prefix = "", isSkipped = isSystemPath, depth = 0) {
  if (depth > MAX_DEPTH) return;
  const entries = [];
  for await (const entry of folder.values()) entries.push(entry);
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = prefix ? `${prefix}/${entry.name}` : entry.name;
    if (isSkipped(path)) continue;
    if (entry.kind === "file") yield { path, handle: entry };
    else yield* walk(entry, path, isSkipped, depth + 1);
  }
}

const splitPath = (path) => [path.slice(0, Math.max(0, path.lastIndexOf("/"))), nameOf(path)];

export async function openFile(root, path) {
  const [parent, name] = splitPath(path);
  const folder = await openFolder(root, parent);
  const entry = folder && (await findEntry(folder, name));
  return entry && entry.kind === "file" ? entry : null;
}

export async function removeFile(root, path) {
  const [parent, name] = splitPath(path);
  const folder = await openFolder(root, parent);
  const entry = folder && (await findEntry(folder, name));
  if (entry?.kind === "file") await folder.removeEntry(entry.name);
}

// Writes a file whole or not at all; what was there stays until the last byte is written.
// `onBytes` receives the bytes written so far; `isCancelled` is asked between pieces.
export async function writeFile(root, path, blob, { onBytes = () => {}, isCancelled = () => false } = {}) {
  const [parent, name] = splitPath(path);
  const folder = await openFolder(root, parent, { create: true });
  const existing = await findEntry(folder, name);
  if (existing && existing.kind !== "file") throw new Error(`“${existing.name}” on the card is a folder, not a file.`);
  const handle = existing || (await folder.getFileHandle(name, { create: true }));
  try {
    await fill(handle, blob, { onBytes, isCancelled });
  } catch (error) {
    if (!existing) await folder.removeEntry(name).catch(() => {}); // it has 0 bytes
    throw error;
  }
  return handle;
}

async function fill(handle, blob, { onBytes, isCancelled }) {
  // A second writer is refused instead of silently winning.
  const writable = await handle.createWritable({ mode: "exclusive" });
  try {
    for (let at = 0; at < blob.size; at += CHUNK_BYTES) {
      if (isCancelled()) throw new DOMException("Cancelled.", "AbortError");
      const piece = blob.slice(at, at + CHUNK_BYTES);
      await writable.write(piece);
      onBytes(at + piece.size);
    }
    await writable.close();
  } catch (error) {
    await writable.abort().catch(() => {});
    throw error;
  }
}

// Returns the time of a file as a ZIP archive can hold it: a sampler without a clock leaves days that
// systems show as 1970 or 1979.
export function archiveTime(lastModified) {
  const time = new Date(lastModified);
  const year = time.getFullYear();
  return year >= 1980 && year < 2100 ? time : new Date(1980, 0, 1);
}

export async function isReachable(root) {
  try {
    await listNames(root);
    return true;
  } catch {
    return false;
  }
}
