// A page with only the card writer: its server is `fake`, and its card a folder of the private file
// system. `fake.base` are the files as they were read or written before, by path.

import { CardWriter } from "/card_writer.js";
import { explainBackup, firstGroup, saveBackup } from "/card_backup.js";
import { listEntries } from "/card_archive.js";
import { hashFile } from "/card_hasher.js";
import { withCardLock } from "/card_lock.js";
import * as records from "/card_records.js";
import * as names from "/card_names.js";
import * as layout from "/card_layout.js";
import * as plan from "/card_plan.js";
import * as folder from "/card_folder.js";

const sha256 = async (text) => hashFile(new File([text], "x"));

const fake = { wanted: {}, base: {}, fetched: [], recorded: null, hashed: [], listed: new Map(), onFetch: () => {} };

async function manifest() {
  const files = Object.entries(fake.wanted).map(async ([path, text]) => ({ path, bytes: new Blob([text]).size, sha256: await sha256(text) }));
  return Promise.all(files);
}

async function compare() {
  const base = Object.fromEntries(await Promise.all(Object.entries(fake.base).map(async ([path, text]) => [path, await sha256(text)])));
  const now = Object.fromEntries([...fake.listed.values()].map((file) => [file.path.toLowerCase(), file.sha256 || "?"]));
  const sizes = Object.fromEntries([...fake.listed.values()].map((file) => [file.path.toLowerCase(), file.bytes]));
  const sizeOf = (text) => new Blob([text]).size;
  const isOpen = (path, ...texts) => now[path.toLowerCase()] === "?" && texts.some((text) => text !== undefined && sizeOf(text) === sizes[path.toLowerCase()]);
  const wanted = await manifest();
  const changes = [];
  for (const { path, sha256: hash } of wanted) {
    const present = now[path.toLowerCase()];
    if (present === hash) continue;
    if (!present) changes.push({ path, what: "add", why: "New." });
    else if (present === base[path]) changes.push({ path, what: "replace", why: "Changed here." });
    else changes.push({ path, what: "conflict", why: "Changed on the card." });
  }
  for (const each of changes) each.needs_hash = isOpen(each.path, fake.wanted[each.path], fake.base[each.path]);
  for (const path of Object.keys(base)) if (!(path in fake.wanted) && isOpen(path, fake.base[path])) changes.push({ path, what: "conflict", why: "Changed on the card.", needs_hash: true });
  for (const [path, hash] of Object.entries(base)) if (now[path.toLowerCase()] === hash && !(path in fake.wanted)) changes.push({ path, what: "delete", why: "Not in the project any more." });
  return { changes };
}

const api = {
  getManifest: async () => ({ files: await manifest() }),
  getExportFile: async (_, path) => {
    fake.fetched.push(path);
    await fake.onFetch(path);
    return new Blob([fake.sent?.[path] ?? fake.wanted[path]]);
  },
  createImport: async () => {
    fake.listed = new Map();
    return { id: "import" };
  },
  listFiles: async (_, files) => files.forEach((file) => fake.listed.set(file.path, file)),
  compare,
  recordCard: async (_, files) => { fake.recorded = files; },
};

async function cardFolder() {
  return (await navigator.storage.getDirectory()).getDirectoryHandle("card", { create: true });
}

// The picker for a backup: a file beside the card, or what `fake.pickPlace` returns.
async function placeFor({ suggestedName }) {
  const place = fake.pickPlace || (async () => (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true }));
  fake.place = await place();
  return fake.place;
}
window.showSaveFilePicker = placeFor;

// Returns the files of the last backup, as `[path, text]`.
async function backups() {
  const entries = await listEntries(await fake.place.getFile());
  return Promise.all(entries.map(async ({ path, blob }) => [path, await blob.text()]));
}

const hashAndNote = async (file) => {
  fake.hashed.push(file.name);
  await fake.onHash?.();
  return hashFile(file);
};

async function folderAt(parts) {
  let folder = await cardFolder();
  for (const part of parts) folder = await folder.getDirectoryHandle(part, { create: true });
  return folder;
}

async function put(path, text) {
  const parts = path.split("/");
  const handle = await (await folderAt(parts.slice(0, -1))).getFileHandle(parts.at(-1), { create: true });
  const writable = await handle.createWritable();
  await writable.write(text);
  await writable.close();
}

async function filesOf(folder, prefix = "") {
  const found = {};
  for await (const entry of folder.values()) {
    if (entry.kind === "directory") Object.assign(found, await filesOf(entry, `${prefix}${entry.name}/`));
    else found[prefix + entry.name] = await (await entry.getFile()).text();
  }
  return found;
}

// Takes the card out, as it looks to a page, and puts it in again.
const keys = FileSystemDirectoryHandle.prototype.keys;
function takeOut() {
  FileSystemDirectoryHandle.prototype.keys = function* gone() { throw new DOMException("gone", "NotFoundError"); };
}
function putIn() {
  FileSystemDirectoryHandle.prototype.keys = keys;
}

// Lets the n-th written piece from now on fail, as a card does that is full or taken out.
const write = FileSystemWritableFileStream.prototype.write;
function failAt(count, name, isOut = false) {
  let left = count;
  FileSystemWritableFileStream.prototype.write = function failing(data) {
    if ((left -= 1) > 0) return write.call(this, data);
    if (isOut) takeOut();
    return Promise.reject(new DOMException("failed", name));
  };
}
// Lets the next piece that holds a text be written with another text of the same length.
function corruptNextWrite(from, to) {
  FileSystemWritableFileStream.prototype.write = async function corrupting(data) {
    const text = new TextDecoder("latin1").decode(await new Blob([data]).arrayBuffer());
    if (!text.includes(from)) return write.call(this, data);
    stopFailing();
    return write.call(this, Uint8Array.from(text.replace(from, to), (char) => char.charCodeAt(0)));
  };
}
function dropWritesAfter(count) {
  let left = count;
  FileSystemWritableFileStream.prototype.write = function dropping(data) {
    return (left -= 1) < 0 ? Promise.resolve() : write.call(this, data);
  };
}
// Lets the browser ask for access to the card, and the person answer.
function answer(state) {
  FileSystemHandle.prototype.queryPermission = async () => (state === "granted" ? state : "prompt");
  FileSystemHandle.prototype.requestPermission = async () => state;
  if (state === "granted") putIn();
  else FileSystemDirectoryHandle.prototype.keys = function* refused() { throw new DOMException("refused", "NotAllowedError"); };
}
function stopFailing() {
  FileSystemWritableFileStream.prototype.write = write;
}

const make = () => new CardWriter({ api, records, hashFile: hashAndNote, saveBackup, explainBackup, withLock: withCardLock, pick: cardFolder });
const target = { projectId: "project", exportId: "export", device: "import", place: "", slot: 0 };

window.card = { fake, put, files: async () => filesOf(await cardFolder()), takeOut, putIn, failAt, stopFailing, make, target, names, layout, plan, folder, backups, firstGroup, hashFile, corruptNextWrite, dropWritesAfter, answer };
window.writer = make();
await window.writer.open(target);
window.isReady = true;
