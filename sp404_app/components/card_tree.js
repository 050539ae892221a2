// The files of a card, project folder or backup that a person chose or dropped: names first, the
// files themselves only when they are wanted.

import { walk } from "./card_folder.js";
import { isForeignPath, nameOf } from "./card_names.js";

const CONFIG_NAMES = /(^|\/)(padconf|pad_info)\.bin$/i;
const PAD_SOUND_NAME = /^(bank\d{1,2}-\d\d\.smp|[a-j]\d{7}\.(wav|aiff?))$/i;
const ZIP_NAME = /\.zip$/i;
const ZIP_TAIL_BYTES = 4 * 2 ** 20; // where a ZIP lists its names
const ZIP_CONFIG_NAMES = /(padconf|pad_info)\.bin/i;
const MAX_DEPTH = 12;
const PEEK_LIMIT = 20_000; // entries that are looked at to recognise a card

export const isConfig = (path) => CONFIG_NAMES.test(path);
// Whether a file is called as a sampler calls the sound of a pad.
export const isPadSound = (path) => PAD_SOUND_NAME.test(nameOf(path));
export const isZip = (file) => ZIP_NAME.test(file.name);

// A tree is `{name, list, handle}`; `list(isWanted)` resolves to `[{path, getFile}]`, by path. With a
// `handle`, a card that was taken out can be told from a broken file.

export function treeOfHandle(handle) {
  const list = async (isWanted) => {
    const found = [];
    for await (const { path, handle: file } of walk(handle, handle.name.replace(/[\\/]/g, ""), isForeignPath)) {
      if (!isWanted()) break;
      found.push({ path, getFile: () => file.getFile() });
    }
    return found;
  };
  return { name: handle.name, list, handle };
}

const pathOfFile = (file) => file.webkitRelativePath || file.name;

export function treeOfFiles(files) {
  const all = [...files].filter((file) => !isForeignPath(pathOfFile(file)));
  const list = async () => all.map((file) => ({ path: pathOfFile(file), getFile: async () => file })).sort((a, b) => (a.path < b.path ? -1 : 1));
  return { name: all.length ? pathOfFile(all[0]).split("/")[0] : "", list };
}

const readBatch = (reader) => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
const fileOfEntry = (entry) => new Promise((resolve, reject) => entry.file(resolve, reject));

async function* walkEntries(entry, prefix, depth) {
  const path = prefix ? `${prefix}/${entry.name}` : entry.name;
  if (isForeignPath(path) || depth > MAX_DEPTH) return;
  if (entry.isFile) {
    yield { path, getFile: () => fileOfEntry(entry) };
    return;
  }
  const reader = entry.createReader();
  for (let batch = await readBatch(reader); batch.length; batch = await readBatch(reader)) for (const child of batch) yield* walkEntries(child, path, depth + 1);
}

// `entries` are of a drop: they must be taken from the event before it ends.
export function treeOfEntries(entries) {
  const list = async (isWanted) => {
    const found = [];
    for (const entry of entries) {
      for await (const file of walkEntries(entry, "", 0)) {
        if (!isWanted()) return found;
        found.push(file);
      }
    }
    return found.sort((a, b) => (a.path < b.path ? -1 : 1));
  };
  return { name: entries[0]?.name || "", list };
}

async function hasConfig(entries) {
  let looked = 0;
  for (const entry of entries.filter(({ isDirectory }) => isDirectory)) {
    for await (const { path } of walkEntries(entry, "", 0)) {
      if (isConfig(path)) return true;
      looked += 1;
      if (looked > PEEK_LIMIT) return false;
    }
  }
  return false;
}

// Whether a ZIP names the settings of a project in its list of files, which is at its end.
export async function zipHasConfig(file) {
  const tail = await file.slice(-ZIP_TAIL_BYTES).arrayBuffer();
  return ZIP_CONFIG_NAMES.test(new TextDecoder("latin1").decode(tail));
}

// Returns what a drop is, if it is a card: `{tree}` or `{zip}`; otherwise null.
export async function recogniseDrop(entries) {
  if (await hasConfig(entries).catch(() => false)) return { tree: treeOfEntries(entries) };
  if (entries.length !== 1 || !entries[0].isFile || !isZip(entries[0])) return null;
  const zip = await fileOfEntry(entries[0]).catch(() => null);
  return zip && (await zipHasConfig(zip).catch(() => false)) ? { zip } : null;
}
