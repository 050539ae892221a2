// A page with only the card reader and a server that is `fake`: it plans as the real one does, sounds
// after settings.

import { CardReader } from "/card_reader.js";
import { hashFile } from "/card_hasher.js";
import * as trees from "/card_tree.js";
import { persist } from "/card_api.js";

const CONFIG = /padconf\.bin$/i;
const fake = { imports: {}, sent: [], free: 1e9, known: [], unused: [], finished: null, onPut: () => {}, result: { projects: [{ id: "p", name: "Night" }], samples: 2, duplicates: 0, missing: [], problems: [] }, zips: [] };

const api = {
  persist,
  createImport: async () => {
    const id = `import ${Object.keys(fake.imports).length + 1}`;
    fake.imports[id] = new Map();
    return { id };
  },
  findOpenImport: async (id) => {
    if (fake.running) return { job: { id: "job" } };
    return fake.imports[id] && !fake.read ? { files: [...fake.imports[id].values()] } : null;
  },
  planImport: async (id, { files, folders }) => {
    const have = fake.imports[id];
    const sizes = new Map(files.map(({ path, bytes }) => [path, bytes]));
    const configs = files.filter(({ path }) => CONFIG.test(path)).map(({ path }) => path);
    const seen = fake.configs ||= new Set();
    configs.forEach((path) => seen.add(path));
    const all = [...seen].map((path) => ({ folder: path.slice(0, path.lastIndexOf("/")), device: "mk2", name: path.split("/").at(-2), pads: 1, bytes: 4, why: "" }));
    const projects = all.filter(({ folder }) => !folders || folders.includes(folder));
    const isSent = (path) => have.get(path)?.sent;
    const listed = [...new Set([...sizes.keys(), ...(fake.names || [])])];
    fake.names = listed;
    const sounds = listed.filter((path) => /\.smp$/i.test(path) && projects.some(({ folder }) => path.startsWith(folder)) && ![...fake.known, ...fake.unused].includes(path));
    const missing = [...seen].filter((path) => !isSent(path));
    const send = missing.length ? missing : sounds.filter((path) => !isSent(path));
    const needed = send.reduce((sum, path) => sum + (sizes.get(path) || 0), 0);
    const ok = needed <= fake.free;
    return { kind: "mk2", title: "MKII backup", is_card: true, why: "", projects, send, bytes: needed, room: { ok, needed, free: fake.free, message: ok ? "" : `${needed} of ${fake.free}` } };
  },
  listFiles: async (id, files) => { fake.listed = files; },
  putFile: async (id, path, file, { onBytes }) => {
    await fake.onPut(path);
    fake.sent.push(path);
    onBytes(file.size);
    fake.imports[id].set(path, { path, bytes: file.size, sha256: await hashFile(file), sent: true });
  },
  finishImport: async (id, body) => {
    fake.finished = body;
    return { job: { id: "job" } };
  },
  waitForJob: async (id, onProgress) => {
    onProgress(0.5);
    return fake.job || { status: "done", result: fake.result };
  },
  importZip: async (file) => {
    fake.zips.push(file.name);
    return { job: { id: "job" } };
  },
  cancelJob: async () => {},
};

const fileOf = (path, text) => {
  const file = new File([text], path.split("/").at(-1));
  Object.defineProperty(file, "webkitRelativePath", { value: path });
  return file;
};

window.kept = localStorage.getItem("fake");
window.fake = Object.assign(fake, window.kept ? JSON.parse(window.kept) : {});
fake.imports = Object.fromEntries(Object.entries(fake.imports).map(([id, files]) => [id, new Map(Object.entries(files))]));
window.keepServer = () => localStorage.setItem("fake", JSON.stringify({ imports: Object.fromEntries(Object.entries(fake.imports).map(([id, files]) => [id, Object.fromEntries(files)])) }));
window.trees = trees;
window.reader = new CardReader({ api, hashFile, storage: localStorage });
window.openTree = (files) => window.reader.open(trees.treeOfFiles(Object.entries(files).map(([path, text]) => fileOf(path, text))));
// Opens a card of the browser’s picker: `card.broken` are files that can’t be read, and without
// `card.isIn` nothing can.
window.card = { isIn: true, broken: [] };
const gone = () => Promise.reject(new DOMException("gone", "NotFoundError"));
window.openCard = (files) => {
  const getFile = async (path) => (card.isIn && !card.broken.includes(path) ? fileOf(path, files[path]) : gone());
  const list = async () => Object.keys(files).sort().map((path) => ({ path, getFile: () => getFile(path) }));
  const handle = { keys: async function* keys() { if (!card.isIn) await gone(); } };
  return window.reader.open({ name: "BKUP", list, handle });
};
window.fileOf = fileOf;
window.isReady = true;
